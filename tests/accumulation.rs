//! Gradient accumulation: a step in micro-batches is the step of the whole batch, but for the order of its sums.

use trainlab::config::Config;
use trainlab::data::Rows;
use trainlab::engine::Device;
use trainlab::error::Error;
use trainlab::trainer::{Metric, Trainer};

use crate::common::lab::{Lab, SMALL, attention_variants, batches, block_variants, dataset, train};
use crate::common::{assert_close, gpu, tests};

tests![
    the_oracle_takes_the_same_steps,
    the_cpu_takes_the_same_steps,
    the_gpu_takes_the_same_steps,
    a_run_reads_and_counts_the_same,
    a_micro_batch_that_diverges_is_found,
];

fn configs() -> [Config; 4] {
    // Turned and normed queries and keys; and dropout, whose masks know nothing of micro-batches.
    let [dropout, ..] = block_variants();
    [SMALL[0].config(), SMALL[1].config(), attention_variants().swap_remove(4), dropout].map(|mut config| {
        config.training.batch_size = 4;
        config
    })
}

async fn the_oracle_takes_the_same_steps() {
    check(None, 1e-11).await;
}

async fn the_cpu_takes_the_same_steps() {
    check(Some(&Device::Cpu), 1e-5).await;
}

async fn the_gpu_takes_the_same_steps() {
    check(Some(gpu().await), 1e-5).await;
}

/// Ten losses and gradient norms, each to the relative `tolerance`, and the parameters after them.
async fn check(device: Option<&Device>, tolerance: f64) {
    let dataset = dataset();
    let vocabulary = dataset.tokenizer.vocabulary_size();
    for mut config in configs() {
        let batches = batches(&config, &dataset);
        let mut whole = None;
        for accumulation in [1, 2, 4] {
            config.training.accumulation = accumulation;
            let mut lab = Lab::new(&config, vocabulary, device).await;
            let mut metrics = vec![];
            for step in 1..=10 {
                metrics.extend(lab.step(step, &batches.batch(step, &dataset.train)).await);
            }
            let weights = lab.read(lab.plan.weights).await;
            let Some((expected, parameters)) = &whole else {
                whole = Some((metrics, weights));
                continue;
            };
            let what = format!("{accumulation} micro-batches of {:?}", config.model);
            assert_close(&format!("{what}: losses and gradient norms"), &metrics, expected, [tolerance, 0.0]);
            // Where a gradient is zero by nature, Adam makes steps of its noise.
            let keys = |name: &str| name.ends_with("qkv.bias");
            for parameter in lab.plan.parameters.list.iter().filter(|parameter| !keys(&parameter.name)) {
                let range = parameter.range.clone();
                let what = format!("{what}: {}", parameter.name);
                assert_close(&what, &weights[range.clone()], &parameters[range], [0.0, 1e3 * tolerance]);
            }
        }
    }
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, dataset().into(), device, |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn a_run_reads_and_counts_the_same() {
    let [mut config, ..] = configs();
    for device in [&Device::Cpu, gpu().await] {
        let mut runs: Vec<(Vec<Metric>, Vec<Rows>, f64)> = vec![];
        for accumulation in [1, 4] {
            config.training.accumulation = accumulation;
            let mut trainer = trainer(&config, device).await;
            let metrics = train(&mut trainer, 6).await.expect("six steps");
            let evaluation = trainer.evaluate().await.expect("an evaluation");
            runs.push((metrics, trainer.first_rows(3).unwrap(), evaluation.loss));
            let summary = trainer.plan.summary();
            assert_eq!(summary.tokens_per_step, 4 * 33);
            assert_eq!(summary.flops_per_token, runs[0].0[0].at.flops as u64 / (4 * 33));
        }
        let [(whole, batches, loss), (parts, same_batches, same_loss)] = &runs[..] else { panic!("two runs") };
        assert_eq!(batches, same_batches);
        assert_close("validation", &[*same_loss], &[*loss], [1e-5, 0.0]);
        for (whole, part) in whole.iter().zip(parts) {
            assert_eq!((whole.at.step, whole.at.tokens, whole.at.flops), (part.at.step, part.at.tokens, part.at.flops));
            assert_close("loss", &[part.loss], &[whole.loss], [1e-5, 0.0]);
        }
    }
}

async fn a_micro_batch_that_diverges_is_found() {
    let [mut config, ..] = configs();
    (config.training.accumulation, config.optimizer.learning_rate) = (4, 1e30);
    for device in [&Device::Cpu, gpu().await] {
        let mut trainer = trainer(&config, device).await;
        let result = train(&mut trainer, 20).await;
        assert!(matches!(result, Err(Error::Diverged { step: 2, .. })), "{}: {result:?}", device.name());
        assert_eq!(trainer.find_bad_tensor().await.expect("the step can be played again"), "blocks.0.attn.qkv");
    }
}

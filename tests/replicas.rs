//! A run whose batches are spread over replicas takes the steps of the run that has them whole, but for the order of its
//! sums, and the same ones each time.

use std::rc::Rc;

use trainlab::config::{Config, OptimizerConfig, OptimizerKind, Packing};
use trainlab::data::{Corpus, Dataset, TokenizerKind, tiny_tales};
use trainlab::engine::Device;
use trainlab::error::Error;
#[cfg(not(target_arch = "wasm32"))]
use trainlab::replicas::Threads;
use trainlab::replicas::Workers;
use trainlab::trainer::{Metric, Trainer};

use crate::common::lab::{SMALL, attention_variants, block_variants, dataset, train};
use crate::common::late::Late;
use crate::common::{assert_close, tests};

tests![
    runs_take_the_same_steps,
    whoever_answers_first_the_sum_is_the_same,
    runs_go_on_bitwise,
    a_single_sequence_is_not_spread,
    a_run_that_diverges_is_explained,
    a_run_that_loses_its_workers_goes_on,
];

const STEPS: u32 = 8;

/// Micro-batches, turned and normed queries and keys, dropout, labels that are drawn, documents apart with learned
/// positions, and sequences that grow; five sequences are no multiple of anything.
fn configs() -> Vec<Config> {
    let [plain, untied, _] = SMALL.map(|small| small.config());
    let [mut dropout, ..] = block_variants();
    (dropout.training.batch_size, dropout.training.accumulation) = (8, 2);
    let [mut drawn, mut packed, mut warmed] = [plain.clone(), plain.clone(), plain.clone()];
    drawn.optimizer = OptimizerConfig { estimate_every: 3, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    (drawn.training.batch_size, drawn.training.accumulation) = (6, 2);
    packed.data.packing = Packing::Masked;
    (packed.training.batch_size, packed.training.accumulation) = (10, 2);
    packed.data.corpus = Corpus::TinyTales;
    warmed.model.context = 32;
    (warmed.schedule.context_start, warmed.schedule.context_warmup_steps) = (8, 4);
    warmed.optimizer = OptimizerConfig { estimate_every: 2, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    let mut muon = untied.clone();
    muon.optimizer = OptimizerConfig::defaults(OptimizerKind::Muon);
    let mut all = vec![plain, untied, attention_variants().swap_remove(4), dropout, drawn, packed, warmed, muon];
    for config in &mut all {
        // As what is read from a file must be.
        config.model.hidden = config.model.hidden.next_multiple_of(4);
        config.training.steps = STEPS;
        if config.training.accumulation == 1 {
            config.training.batch_size = 5;
        }
    }
    all
}

fn text(config: &Config) -> Rc<Dataset> {
    if config.data.corpus != Corpus::TinyTales {
        return dataset().into();
    }
    let text = tiny_tales(8192, 3);
    let dataset = Dataset::new(&text, TokenizerKind::Characters, 0.1).expect("a good text");
    dataset.find_documents(&text, config.data.corpus);
    dataset.into()
}

async fn whole(config: &Config) -> Trainer {
    Trainer::new(config, text(config), &Device::Cpu, |_, _| ()).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn spread(config: &Config, workers: Box<dyn Workers>) -> Trainer {
    let made = Trainer::replicated(config, text(config), workers).await;
    made.unwrap_or_else(|error| panic!("{error}"))
}

/// Threads, where there are any.
fn workers(count: usize) -> Box<dyn Workers> {
    #[cfg(not(target_arch = "wasm32"))]
    return Box::new(Threads::new(count));
    #[cfg(target_arch = "wasm32")]
    Box::new(Late::new(count))
}

fn shown(metrics: &[Metric]) -> Vec<f64> {
    metrics.iter().flat_map(|metric| [metric.loss, metric.grad_norm]).collect()
}

async fn runs_take_the_same_steps() {
    for config in configs() {
        let mut whole = whole(&config).await;
        let expected = train(&mut whole, STEPS).await.expect("eight steps");
        let validated = whole.evaluate().await.expect("a validation").loss;
        for count in 1..=3 {
            let mut trainer = spread(&config, workers(count)).await;
            let metrics = train(&mut trainer, STEPS).await.expect("eight steps");
            let what = format!("{count} workers, {:?}, {:?}, {:?}", config.model, config.data, config.optimizer.kind);
            assert_close(&what, &shown(&metrics), &shown(&expected), [1e-5, 0.0]);
            let loss = trainer.evaluate().await.expect("a validation").loss;
            assert_close(&what, &[loss], &[validated], [1e-5, 0.0]);
            for (metric, expected) in metrics.iter().zip(&expected) {
                assert_eq!((metric.at.step, metric.at.tokens), (expected.at.step, expected.at.tokens), "{what}");
                assert_eq!(metric.at.flops, expected.at.flops, "{what}");
            }
        }
    }
}

async fn whoever_answers_first_the_sum_is_the_same() {
    let config = &configs()[0];
    let [mut late, mut threads] = [spread(config, Box::new(Late::new(2))).await, spread(config, workers(2)).await];
    let [metrics, same] =
        [train(&mut late, STEPS).await.expect("eight steps"), train(&mut threads, STEPS).await.expect("eight steps")];
    assert_eq!(shown(&metrics), shown(&same));
    assert_eq!(late.weights().await.expect("they are at hand"), threads.weights().await.expect("they are at hand"));
}

async fn runs_go_on_bitwise() {
    for config in configs() {
        let mut whole = spread(&config, workers(1)).await;
        train(&mut whole, STEPS).await.expect("eight steps");
        let mut first = spread(&config, workers(1)).await;
        train(&mut first, STEPS / 2).await.expect("four steps");
        let saved = first.checkpoint().await.expect("it is settled").to_bytes(&first.plan.parameters);
        let mut second = spread(&config, workers(1)).await;
        second.restore(&saved).expect("it is the same run");
        train(&mut second, STEPS).await.expect("four steps");
        let states =
            [whole.checkpoint().await.expect("it is settled"), second.checkpoint().await.expect("it is settled")];
        let [whole, second] = states.map(|mut state| {
            state.header.seconds = 0.0;
            state.to_bytes(&first.plan.parameters)
        });
        assert!(whole == second, "{:?}: the second half differs from a whole run", config.optimizer.kind);
    }
}

/// Waiting, as the command line does, is the same.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn whoever_waits_gets_the_same_steps() {
    pollster::block_on(async {
        let config = &configs()[4];
        let mut waits = spread(config, workers(2)).await;
        let mut metrics = vec![];
        while !waits.is_done() {
            waits.step().expect("there is room");
            metrics.extend(waits.settle().expect("a step"));
            assert_eq!(waits.finished(), waits.submitted());
        }
        let polls = train(&mut spread(config, workers(2)).await, STEPS).await.expect("eight steps");
        assert_eq!(shown(&metrics), shown(&polls));
    });
}

async fn a_single_sequence_is_not_spread() {
    let mut config = configs().swap_remove(0);
    config.training.batch_size = 1;
    let [mut whole, mut alone] = [whole(&config).await, spread(&config, workers(3)).await];
    let [expected, metrics] =
        [train(&mut whole, 3).await.expect("three steps"), train(&mut alone, 3).await.expect("three steps")];
    assert_eq!(shown(&metrics), shown(&expected));
    assert_eq!(alone.plan.bytes.total, whole.plan.bytes.total);
}

async fn a_run_that_diverges_is_explained() {
    let mut config = configs().swap_remove(0);
    config.optimizer.learning_rate = 1e30;
    let mut trainer = spread(&config, workers(1)).await;
    let result = train(&mut trainer, STEPS).await;
    assert!(matches!(result, Err(Error::Diverged { step: 2, .. })), "{result:?}");
    assert_eq!(trainer.find_bad_tensor().await.expect("the step can be played again"), "blocks.0.attn.qkv");
}

async fn a_run_that_loses_its_workers_goes_on() {
    for config in configs() {
        let expected = train(&mut whole(&config).await, STEPS).await.expect("eight steps");
        // At the first pass, at the last but one, and in the middle: between the two passes of a step, where it has them.
        for answers in [0, 1, 2, 6] {
            let mut trainer = spread(&config, Box::new(Late::ending_after(answers))).await;
            let metrics = train(&mut trainer, STEPS).await.expect("eight steps");
            assert_close("steps", &shown(&metrics), &shown(&expected), [1e-5, 0.0]);
            assert_eq!((trainer.workers_lost(), trainer.workers()), (Some("a worker has ended"), 1));
        }
    }
}

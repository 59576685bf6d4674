//! Whole training steps: the devices against the twins in f64 and against themselves, learning, and divergence.

use trainlab::config::{Config, ModelConfig, OptimizerConfig, ScheduleKind};
use trainlab::engine::Device;
use trainlab::error::Error;
use trainlab::plan::Plan;
use trainlab::trainer::Trainer;

use crate::common::lab::{Lab, SMALL, Small, attention_variants, batches, block_variants, dataset, train};
use crate::common::{assert_close, gpu, tests};

tests![
    devices_agree_with_the_oracle,
    updates_are_those_of_adamw,
    the_same_seed_gives_the_same_bits,
    submits_change_no_bits,
    one_batch_is_learnt_by_heart,
    evaluations_and_samples_agree,
    dispatches_of_a_step,
    a_run_that_diverges_keeps_its_parameters,
    a_bad_parameter_is_named,
];

async fn devices_agree_with_the_oracle() {
    let dataset = dataset();
    let vocabulary = dataset.tokenizer.vocabulary_size();
    for config in SMALL.iter().map(Small::config).chain(block_variants()).chain(attention_variants()) {
        let batches = batches(&config, &dataset);
        let mut oracle = Lab::new(&config, vocabulary, None).await;
        let mut labs = [
            ("CPU", Lab::new(&config, vocabulary, Some(&Device::Cpu)).await),
            ("GPU", Lab::new(&config, vocabulary, Some(gpu().await)).await),
        ];
        for step in 1..=10 {
            let tokens = batches.batch(step, &dataset.train);
            let expected = oracle.step(step, &tokens).await;
            let gradients = oracle.read(oracle.plan.gradients).await;
            for (name, lab) in &mut labs {
                let what = format!("{name}, step {step} of {:?}", config.model);
                let metrics = lab.step(step, &tokens).await;
                assert_close(&format!("{what}: loss"), &metrics[..1], &expected[..1], [2e-4, 0.0]);
                // AdamW makes whole steps of gradients that are hardly more than rounding: norms part sooner than losses.
                let tolerance = if step == 1 { 2e-4 } else { 1e-3 };
                assert_close(&format!("{what}: gradient norm"), &metrics[1..], &expected[1..], [tolerance, 0.0]);
                if step == 1 {
                    let actual = lab.read(lab.plan.gradients).await;
                    compare_gradients(&what, &lab.plan, &actual, &gradients);
                }
            }
        }
    }
}

/// Each gradient to 1e-4 of its tensor's largest element. What is zero by nature (that of the keys' biases) is noise.
fn compare_gradients(what: &str, plan: &Plan, actual: &[f64], expected: &[f64]) {
    for parameter in &plan.parameters.list {
        let (actual, expected) = (&actual[parameter.range.clone()], &expected[parameter.range.clone()]);
        let largest = expected.iter().fold(0.0, |largest: f64, gradient| largest.max(gradient.abs()));
        let what = format!("{what}: gradient of {}", parameter.name);
        assert_close(&what, actual, expected, [0.0, 1e-4 * largest + 1e-8]);
    }
}

/// The whole update once more from the gradients: clipping, warm-up, bias correction, decay of the matrices alone.
async fn updates_are_those_of_adamw() {
    let (dataset, mut config) = (dataset(), SMALL[0].config());
    config.schedule.kind = ScheduleKind::Constant;
    config.optimizer.clip_norm = 1.5;
    let OptimizerConfig { learning_rate, beta1, beta2, epsilon, weight_decay, clip_norm, .. } = config.optimizer;
    let batches = batches(&config, &dataset);
    let mut lab = Lab::new(&config, dataset.tokenizer.vocabulary_size(), None).await;
    let mut weights = lab.read(lab.plan.weights).await;
    let (mut m, mut v) = (vec![0.0; weights.len()], vec![0.0; weights.len()]);
    let mut clipped = 0;
    for step in 1..=5 {
        lab.step(step, &batches.batch(step, &dataset.train)).await;
        let gradients = lab.read(lab.plan.gradients).await;
        let norm = gradients.iter().map(|gradient| gradient * gradient).sum::<f64>().sqrt();
        let scale = (clip_norm / norm).min(1.0);
        clipped += i32::from(scale < 1.0);
        let rate = if step == 1 { learning_rate / 2.0 } else { learning_rate };
        let [correction1, correction2] = [beta1, beta2].map(|beta| 1.0 - beta.powi(step as i32));
        for parameter in &lab.plan.parameters.list {
            let decay = if parameter.shape.len() == 2 { weight_decay } else { 0.0 };
            for i in parameter.range.clone() {
                let gradient = gradients[i] * scale;
                m[i] = beta1 * m[i] + (1.0 - beta1) * gradient;
                v[i] = beta2 * v[i] + (1.0 - beta2) * gradient * gradient;
                let direction = (m[i] / correction1) / ((v[i] / correction2).sqrt() + epsilon);
                weights[i] -= rate * (direction + decay * weights[i]);
            }
        }
        // Hyperparameters go to the kernels in f32, and 1 − β₂ loses digits there.
        let actual = lab.read(lab.plan.weights).await;
        assert_close(&format!("parameters after step {step}"), &actual, &weights, [1e-5, 1e-7]);
    }
    assert!((1..5).contains(&clipped), "{clipped} of 5 steps were clipped: both cases are wanted");
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, dataset().into(), device, |_, _| {}).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn bits(trainer: &mut Trainer) -> Vec<u32> {
    trainer.weights().await.expect("weights can be read").into_iter().map(f32::to_bits).collect()
}

async fn the_same_seed_gives_the_same_bits() {
    let mut config = SMALL[0].config();
    for device in [&Device::Cpu, gpu().await] {
        let mut runs = vec![];
        for seed in [1, 1, 2] {
            config.training.seed = seed;
            let mut trainer = trainer(&config, device).await;
            train(&mut trainer, 12).await.expect("twelve steps");
            runs.push(bits(&mut trainer).await);
        }
        assert!(runs[0] == runs[1], "{}: two runs of one seed differ", device.name());
        assert!(runs[0] != runs[2], "{}: the seed changes nothing", device.name());
    }
}

/// However a step is cut into submits, the GPU computes the same.
async fn submits_change_no_bits() {
    let (dataset, mut config) = (dataset(), SMALL[0].config());
    config.training.accumulation = 3;
    let batches = batches(&config, &dataset);
    let mut runs = vec![];
    for longest in [f64::INFINITY, 0.0, 2e-3] {
        let mut lab = Lab::new(&config, dataset.tokenizer.vocabulary_size(), Some(gpu().await)).await;
        lab.engine().expect("a GPU has one").limit_submits(longest);
        for step in 1..=3 {
            lab.step(step, &batches.batch(step, &dataset.train)).await;
        }
        let submits = lab.engine().expect("a GPU has one").submits();
        let (rounds, dispatches) = (lab.plan.train.recording.rounds().count(), lab.plan.summary().dispatches);
        let [fewest, most] = [rounds, dispatches].map(|a_step| 3 * a_step as u64);
        match longest {
            0.0 => assert_eq!(submits, most, "one op each"),
            f64::INFINITY => assert_eq!(submits, fewest, "one micro-batch each"),
            _ => assert!((fewest..=most).contains(&submits), "{submits} submits"),
        }
        let mut bits = vec![];
        for tensor in [lab.plan.weights, lab.plan.gradients, lab.plan.state.metrics] {
            bits.extend(lab.read(tensor).await.into_iter().map(f64::to_bits));
        }
        runs.push(bits);
    }
    assert!(runs[0] == runs[1] && runs[0] == runs[2], "the cuts show in the results");
}

async fn one_batch_is_learnt_by_heart() {
    let mut config = SMALL[0].config();
    config.model.context = 8;
    (config.optimizer.learning_rate, config.training.steps) = (1e-2, 100);
    // Rows that begin with different tokens, so that nothing in them is left to chance.
    let tokens: Vec<u32> = (0..3).flat_map(|b| (0..9).map(move |t| (b * 4 + t * t) % 11)).collect();
    for device in [&Device::Cpu, gpu().await] {
        let mut lab = Lab::new(&config, 11, Some(device)).await;
        let mut losses = vec![];
        for step in 1..=100 {
            losses.push(lab.step(step, &tokens).await[0]);
        }
        assert!((losses[0] - 11f64.ln()).abs() < 0.1, "{}: begins at {}", device.name(), losses[0]);
        assert!(losses[99] < 0.02, "{}: ends at {}", device.name(), losses[99]);
    }
}

async fn evaluations_and_samples_agree() {
    let mut config = SMALL[0].config();
    // More than the context of 33 holds at once.
    config.evaluation.sample_tokens = 50;
    let mut results = vec![];
    for device in [&Device::Cpu, gpu().await] {
        let mut trainer = trainer(&config, device).await;
        train(&mut trainer, 20).await.expect("twenty steps");
        let evaluation = trainer.evaluate().await.expect("an evaluation");
        config.evaluation.prompt = "the ".to_owned();
        let mut texts = vec![];
        for (temperature, top_k, top_p) in [(0.0, 0, 1.0), (0.8, 0, 1.0), (0.8, 0, 1.0), (0.8, 4, 0.9)] {
            let choice = &mut config.evaluation;
            (choice.temperature, choice.top_k, choice.top_p) = (temperature, top_k, top_p);
            texts.push(trainer.sample(&config.evaluation).await.expect("a sample").text());
        }
        assert_eq!(texts[1], texts[2], "samples repeat");
        assert!(texts[0] != texts[1] && texts[1] != texts[3], "the choices change nothing");
        results.push((evaluation, texts));
    }
    let [(cpu, cpu_samples), (gpu, gpu_samples)] = &results[..] else { panic!("there are two devices") };
    assert_close("bits per byte", &[gpu.bits_per_byte], &[cpu.bits_per_byte], [2e-4, 0.0]);
    assert_eq!(cpu_samples, gpu_samples);
    assert!(cpu_samples.iter().all(|text| text.chars().count() == 50), "{cpu_samples:?}");
}

async fn dispatches_of_a_step() {
    let model = ModelConfig {
        layers: 4,
        width: 128,
        heads: 4,
        hidden: 512,
        context: 128,
        tied_head: false,
        ..ModelConfig::default()
    };
    let mut config = Config { model, ..Config::default() };
    config.training.batch_size = 8;
    let plan = Plan::new(&config, 512, &Device::Cpu).expect("the plan fits");
    let dispatches = plan.summary().dispatches;
    assert!(dispatches <= 88, "{dispatches} dispatches");
}

async fn a_run_that_diverges_keeps_its_parameters() {
    let mut config = SMALL[0].config();
    // The first update makes parameters so large that the second step overflows.
    config.optimizer.learning_rate = 1e30;
    for device in [&Device::Cpu, gpu().await] {
        let mut good = trainer(&config, device).await;
        let metrics = train(&mut good, 1).await.expect("the first step is good");
        assert!(metrics[0].loss.is_finite());

        let mut run = trainer(&config, device).await;
        // On the GPU, later steps are under way when the bad one is noticed.
        let result = train(&mut run, 20).await;
        assert!(matches!(result, Err(Error::Diverged { step: 2, .. })), "{}: {result:?}", device.name());
        assert!(bits(&mut run).await == bits(&mut good).await, "{}: the bad step changed parameters", device.name());
        let name = run.find_bad_tensor().await.expect("the step can be played again");
        assert_eq!(name, "blocks.0.attn.qkv", "{}", device.name());
    }
}

async fn a_bad_parameter_is_named() {
    let config = SMALL[0].config();
    for device in [&Device::Cpu, gpu().await] {
        for (name, value) in [("blocks.1.mlp.up.weight", f32::NAN), ("norm_f.bias", f32::INFINITY)] {
            let mut trainer = trainer(&config, device).await;
            train(&mut trainer, 2).await.expect("two steps");
            let mut weights = trainer.weights().await.expect("weights can be read");
            weights[trainer.plan.parameters.get(name).range.end - 1] = value;
            trainer.set_weights(&weights);
            let result = train(&mut trainer, 20).await;
            assert!(matches!(result, Err(Error::Diverged { step: 3, .. })), "{}: {result:?}", device.name());
            assert_eq!(trainer.find_bad_tensor().await.expect("the step can be played again"), name);
        }
    }
}

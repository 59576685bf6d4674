//! A run that stops, is saved, and goes on elsewhere is bitwise the run that never stopped.

use std::rc::Rc;

use trainlab::config::{Activation, Config, OptimizerConfig, OptimizerKind};
use trainlab::engine::Device;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, attention_variants, dataset, train};
use crate::common::{gpu, tests};

tests![
    runs_go_on_bitwise,
    runs_with_dropout_go_on_bitwise,
    every_optimizer_goes_on_bitwise,
    a_checkpoint_of_another_run_is_refused
];

const STEPS: u32 = 20;

fn config() -> Config {
    prepared(SMALL[0].config())
}

fn prepared(mut config: Config) -> Config {
    config.training.accumulation = 3;
    config.training.steps = STEPS;
    config.evaluation.every = 0;
    config
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, Rc::new(dataset()), device, |_, _| ()).await.unwrap()
}

async fn runs_go_on_bitwise() {
    // The second has turned and normed queries and keys.
    for config in [config(), prepared(attention_variants().swap_remove(4))] {
        for device in [&Device::Cpu, gpu().await] {
            goes_on_bitwise(&config, device).await;
        }
    }
}

async fn runs_with_dropout_go_on_bitwise() {
    let mut config = config();
    (config.model.dropout, config.model.activation) = (0.3, Activation::Swiglu);
    for device in [&Device::Cpu, gpu().await] {
        goes_on_bitwise(&config, device).await;
    }
}

async fn every_optimizer_goes_on_bitwise() {
    for device in [&Device::Cpu, gpu().await] {
        for kind in OptimizerKind::ALL {
            let mut config = config();
            // Wide enough for tensors of more than 4,096 elements, whose moments may be codes.
            (config.model.layers, config.model.width, config.model.hidden) = (1, 40, 104);
            (config.training.accumulation, config.training.steps) = (1, 6);
            config.optimizer = OptimizerConfig { estimate_every: 2, ..OptimizerConfig::defaults(kind) };
            goes_on_bitwise(&config, device).await;
        }
    }
}

/// A run of all its steps, and two that go on from its middle: in a trainer that has trained, and in a new one.
async fn goes_on_bitwise(config: &Config, device: &Device) {
    let steps = config.training.steps;
    let mut whole = trainer(config, device).await;
    train(&mut whole, steps).await.unwrap();

    let mut first = trainer(config, device).await;
    train(&mut first, steps / 2).await.unwrap();
    let bytes = first.checkpoint().await.unwrap().to_bytes(&first.plan.parameters);
    drop(first);

    let mut second = trainer(config, device).await;
    // What was trained before is overwritten whole.
    train(&mut second, 3).await.unwrap();
    second.restore(&bytes).unwrap();
    assert_eq!(second.finished(), steps / 2);
    train(&mut second, steps).await.unwrap();

    // Validation and samples are prepared only when they are asked for.
    let mut third = Trainer::resume(config, Rc::new(dataset()), device, &bytes, |_, _| ()).await.unwrap();
    train(&mut third, steps).await.unwrap();
    assert_eq!(third.evaluate().await.unwrap().loss, whole.evaluate().await.unwrap().loss);
    let mut texts = vec![];
    for trainer in [&mut whole, &mut third] {
        let sample = trainer.sample(&config.evaluation).await.unwrap();
        texts.push(sample.pieces.iter().map(|piece| piece.token).collect::<Vec<_>>());
    }
    assert_eq!(texts[0], texts[1]);

    let mut states = vec![];
    for trainer in [&mut whole, &mut second, &mut third] {
        let mut state = trainer.checkpoint().await.unwrap();
        state.header.seconds = 0.0;
        states.push(state.to_bytes(&trainer.plan.parameters));
    }
    let kind = config.optimizer.kind;
    for state in &states[1..] {
        assert!(*state == states[0], "{}, {kind:?}: the second half differs from a whole run", device.name());
    }
}

async fn a_checkpoint_of_another_run_is_refused() {
    let mut saved = trainer(&config(), &Device::Cpu).await;
    train(&mut saved, 4).await.unwrap();
    let bytes = saved.checkpoint().await.unwrap().to_bytes(&saved.plan.parameters);

    let mut wider = config();
    wider.model.hidden += 4;
    let mut shorter = config();
    shorter.training.steps = 3;
    shorter.schedule.warmup_steps = 0;
    let mut lion = config();
    lion.optimizer = OptimizerConfig::defaults(OptimizerKind::Lion);
    let refused = [
        (wider, "not F32"),
        (shorter, "training.steps is 3"),
        (lion, "optimizer.kind is \"lion\"; allowed: \"adamw\", as the run began"),
    ];
    for (config, says) in refused {
        let mut other = trainer(&config, &Device::Cpu).await;
        let before = other.weights().await.unwrap();
        let error = other.restore(&bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(other.weights().await.unwrap(), before, "a refused checkpoint changes nothing");
        assert_eq!(other.finished(), 0);
    }
}

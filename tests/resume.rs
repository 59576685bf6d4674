//! A run that stops, is saved, and goes on elsewhere is bitwise the run that never stopped.

mod common;

use std::rc::Rc;

use common::lab::{SMALL, dataset, train};
use common::{gpu, tests};
use trainlab::config::{Activation, Config};
use trainlab::engine::Device;
use trainlab::trainer::Trainer;

tests![runs_go_on_bitwise, runs_with_dropout_go_on_bitwise, a_checkpoint_of_another_run_is_refused];

const STEPS: u32 = 20;

fn config() -> Config {
    let mut config = SMALL[0].config();
    config.training.accumulation = 3;
    config.training.steps = STEPS;
    config.evaluation.every = 0;
    config
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, Rc::new(dataset()), device, |_, _| ()).await.unwrap()
}

async fn runs_go_on_bitwise() {
    check(&config()).await;
}

async fn runs_with_dropout_go_on_bitwise() {
    let mut config = config();
    (config.model.dropout, config.model.activation) = (0.3, Activation::Swiglu);
    check(&config).await;
}

async fn check(config: &Config) {
    for device in [&Device::Cpu, gpu().await] {
        let mut whole = trainer(config, device).await;
        train(&mut whole, STEPS).await.unwrap();

        let mut first = trainer(config, device).await;
        train(&mut first, STEPS / 2).await.unwrap();
        let bytes = first.checkpoint().await.unwrap().to_bytes(&first.plan.parameters);
        drop(first);

        let mut second = trainer(config, device).await;
        // What was trained before is overwritten whole.
        train(&mut second, 3).await.unwrap();
        second.restore(&bytes).unwrap();
        assert_eq!(second.finished(), STEPS / 2);
        train(&mut second, STEPS).await.unwrap();

        // Validation and samples are prepared only when they are asked for.
        let mut third = Trainer::resume(config, Rc::new(dataset()), device, &bytes, |_, _| ()).await.unwrap();
        train(&mut third, STEPS).await.unwrap();
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
        for state in &states[1..] {
            assert!(*state == states[0], "{}: the second half differs from a whole run", device.name());
        }
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
    for (config, says) in [(wider, "not F32"), (shorter, "training.steps is 3")] {
        let mut other = trainer(&config, &Device::Cpu).await;
        let before = other.weights().await.unwrap();
        let error = other.restore(&bytes).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(other.weights().await.unwrap(), before, "a refused checkpoint changes nothing");
        assert_eq!(other.finished(), 0);
    }
}

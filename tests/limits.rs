//! Runs too large for a device are refused before anything is allocated, with what would fit.

use trainlab::config::{Config, Position};
use trainlab::engine::Device;
use trainlab::error::{Error, Fix, Problem};
use trainlab::plan::Plan;

use crate::common::{gpu, tests};

tests![
    the_largest_batch_and_the_accumulation_that_fit_are_named,
    checkpointing_is_named_where_it_helps,
    a_model_that_fits_with_no_batch_is_named_itself,
    the_longest_validation_that_fits_is_named,
];

fn problem(config: &Config, device: &Device) -> Problem {
    match Plan::new(config, 256, device) {
        Err(Error::Refused(problems)) => problems.into_iter().next().expect("a problem"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it fits: {config:?}"),
    }
}

fn split(config: &Config, batch_size: u32, accumulation: u32) -> Config {
    let mut config = config.clone();
    (config.training.batch_size, config.training.accumulation) = (batch_size, accumulation);
    config
}

/// It is named where it helps, and only there.
fn check_checkpointing(fixes: &[Fix], problem: &Problem, config: &Config, device: &Device) {
    let mut config = config.clone();
    config.training.checkpointing = true;
    let fits = Plan::new(&config, 256, device).is_ok();
    assert_eq!(problem.to_string().contains("training.checkpointing = true."), fits, "{problem}");
    let named = fixes.iter().map(|fix| (&fix.field[..], fix.value.as_bool()));
    assert!(named.eq(fits.then_some(("training.checkpointing", Some(true)))), "{problem}");
}

/// Activations are most of these; what just does not fit does once each block keeps its input alone.
async fn checkpointing_is_named_where_it_helps() {
    let mut config = Config::default();
    (config.model.context, config.model.layers, config.model.width, config.model.hidden) = (2048, 48, 64, 1024);
    let refused = |config: &Config| Plan::new(config, 256, &Device::Cpu).is_err();
    let config = (0..10).map(|i| split(&config, 1 << i, 1)).find(refused).expect("memory ends somewhere");
    let problem = problem(&config, &Device::Cpu);
    let [_, _, others @ ..] = &problem.fixes[..] else { panic!("two ways out: {problem}") };
    assert_eq!(others.len(), 1, "{problem}");
    check_checkpointing(others, &problem, &config, &Device::Cpu);
}

async fn the_largest_batch_and_the_accumulation_that_fit_are_named() {
    let mut deep = Config::default();
    (deep.model.context, deep.model.layers) = (2048, 24);
    (deep.model.width, deep.model.hidden) = (256, 1024);
    // One tensor that is larger than a GPU binds, long before the whole is too large.
    let mut wide = Config::default();
    (wide.model.context, wide.model.layers, wide.model.hidden) = (1024, 1, 16_384);
    for device in [&Device::Cpu, gpu().await] {
        for config in [&deep, &wide] {
            for accumulation in [1, 2] {
                let config = split(config, 1024, accumulation);
                let problem = problem(&config, device);
                let [batch, parts, others @ ..] = &problem.fixes[..] else { panic!("two ways out: {problem}") };
                check_checkpointing(others, &problem, &config, device);
                assert_eq!([&batch.field[..], &parts.field[..]], ["training.batch_size", "training.accumulation"]);
                let [largest, parts] = [batch, parts].map(|fix| fix.value.as_u64().expect("a number") as u32);
                let says =
                    format!("training.batch_size is 1024; allowed: at most {largest} on {}, where", device.name());
                assert!(problem.to_string().starts_with(&says), "{problem}");
                assert!(problem.to_string().contains(&format!("training.accumulation = {parts}.")), "{problem}");

                let fits = |batch_size, accumulation| {
                    Plan::new(&split(&config, batch_size, accumulation), 256, device).is_ok()
                };
                assert!(largest.is_multiple_of(accumulation) && fits(largest, accumulation), "{problem}");
                assert!(!fits(largest + accumulation, accumulation), "{problem}");
                assert!(fits(1024, parts) && !fits(1024, parts / 2), "{problem}");
            }
        }
    }
}

async fn a_model_that_fits_with_no_batch_is_named_itself() {
    let mut config = Config::default();
    config.training.batch_size = 64;
    for device in [&Device::Cpu, gpu().await] {
        (config.model.width, config.model.hidden, config.model.layers) = (4096, 16_384, 48);
        config.model.context = 64;
        let wide = problem(&config, device);
        let says = format!("model.width is 4096; allowed: models that fit on {}", device.name());
        assert!(wide.to_string().starts_with(&says), "{wide}");
        assert!(wide.fixes.is_empty());
    }
    (config.model.width, config.model.context) = (1024, 8192);
    let long = problem(&config, &Device::Cpu);
    assert!(long.to_string().starts_with("model.context is 8192"), "{long}");
}

/// One sequence that is longer than all that a step of training reads.
async fn the_longest_validation_that_fits_is_named() {
    let device = gpu().await;
    let Device::Gpu(gpu) = device else { panic!("a GPU was asked for") };
    let mut config = Config::default();
    (config.model.position, config.model.hidden, config.training.batch_size) = (Position::Alibi, 16_384, 1);
    config.evaluation.context = 16_384;
    let longest = gpu.largest_binding() / (4 * 16_384);
    if longest >= 16_384 {
        return assert!(Plan::new(&config, 256, device).is_ok(), "this adapter takes any length");
    }
    let problem = problem(&config, device);
    let says = format!("evaluation.context is 16384; allowed: at most {longest} on ");
    assert!(problem.to_string().starts_with(&says), "{problem}");
    config.evaluation.context = longest as u32;
    assert!(Plan::new(&config, 256, device).is_ok());
    config.evaluation.context += 1;
    assert!(Plan::new(&config, 256, device).is_err());
}

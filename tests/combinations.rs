//! Options together: configs that have every pair of values train ten steps on every device, and agree.
//!
//! Goldens say whether an option is right; this says whether it stays right, on every device, beside any other.

pub mod cover;

use std::cell::OnceCell;

use cover::Cover;
use trainlab::config::{Config, Position, parse};
use trainlab::engine::Device;
use trainlab::parameters::Parameters;
use trainlab::random::{Random, Stream};

use crate::common::lab::Lab;
use crate::common::{gpu, random, tests};

tests![the_cpu_agrees_with_the_oracle, the_gpu_agrees_with_the_oracle, every_pair_is_covered];

const STEPS: u32 = 10;
/// With it token embeddings have more than 4,096 elements: fewer are never kept in 8 bits.
const VOCABULARY: usize = 263;

/// The GPU plays at least so many of them natively, and until every value has occurred: its shaders take long to
/// compile on software adapters. In the browser the first few will do.
const ON_THE_GPU: usize = 24;
const IN_THE_BROWSER: usize = 4;

/// Pairs that do not fit together.
const REFUSED: [&str; 1] = ["model.heads = 1 with model.kv_heads = 2"];

/// How far off f32 may be from f64. Losses and norms, relative: the worst is 5e-6.
const METRICS: f64 = 1e-4;
/// What the steps added to the parameters, ‖actual − expected‖ / ‖expected‖. It comes out at 1e-5, and at 3e-3 where
/// Lion or Sophia take the sign of a number that rounding decides: one of a thousand elements then steps the other way.
const CHANGES: f64 = 2e-2;

thread_local! {
    static COVER: OnceCell<&'static Cover> = const { OnceCell::new() };
}

fn cover() -> &'static Cover {
    COVER.with(|cover| *cover.get_or_init(|| Box::leak(Box::new(Cover::new()))))
}

async fn every_pair_is_covered() {
    let cover = cover();
    let (all, prefix) = (cover.combinations.len(), cover.until_every_value());
    println!("{all} configs of {} fields; the first {prefix} have every value", cover.factors.len());
    assert!(all >= 24, "only {all} configs");
    let refused: Vec<_> = cover.refused.iter().map(|pair| cover.describe(pair)).collect();
    assert_eq!(refused, REFUSED, "pairs that no accepted config has");
}

async fn the_cpu_agrees_with_the_oracle() {
    let few = if cfg!(target_arch = "wasm32") { IN_THE_BROWSER } else { usize::MAX };
    agree(&Device::Cpu, few).await;
}

async fn the_gpu_agrees_with_the_oracle() {
    let native = ON_THE_GPU.max(cover().until_every_value());
    agree(gpu().await, if cfg!(target_arch = "wasm32") { IN_THE_BROWSER } else { native }).await;
}

/// Plays the first combinations on a device and on the oracle.
async fn agree(device: &Device, count: usize) {
    let cover = cover();
    let mut worst = [0f64; 2];
    for combination in cover.combinations.iter().take(count) {
        let json = cover.config(combination);
        let config = parse(&json).unwrap_or_else(|error| panic!("{error}"));
        let (expected, actual) = (run(&config, None).await, run(&config, Some(device)).await);

        for (step, (actual, expected)) in actual.metrics.iter().zip(&expected.metrics).enumerate() {
            for (name, actual, expected) in
                [("loss", actual[0], expected[0]), ("gradient norm", actual[1], expected[1])]
            {
                let off = (actual - expected).abs() / expected;
                let step = step + 1;
                assert!(off <= METRICS, "{json}, step {step}: {name} is {actual}, expected {expected}");
                worst[0] = worst[0].max(off);
            }
        }
        let off = distance(&actual.change, &expected.change);
        assert!(off <= CHANGES, "{json}: after {STEPS} steps the parameters' change is off by {off:.1e}");
        worst[1] = worst[1].max(off);
    }
    println!("{}: losses and norms off by {:.1e}, changes by {:.1e}", device.name(), worst[0], worst[1]);
}

/// ‖actual − expected‖ / ‖expected‖
fn distance(actual: &[f64], expected: &[f64]) -> f64 {
    let off: f64 = actual.iter().zip(expected).map(|(a, e)| (a - e).powi(2)).sum();
    (off / expected.iter().map(|e| e.powi(2)).sum::<f64>()).sqrt()
}

struct Run {
    /// Loss and gradient norm of each step.
    metrics: Vec<[f64; 2]>,
    /// What the steps added to the parameters: their arena, with zeros where rounding alone decides.
    change: Vec<f64>,
}

async fn run(config: &Config, device: Option<&Device>) -> Run {
    let mut initial = vec![];
    let mut lab = Lab::starting(config, VOCABULARY, device, |parameters| {
        initial = arena(config, parameters);
        initial.clone()
    })
    .await;
    let mut tokens = Random::new(config.training.seed.into(), Stream::Other(1));
    let len = config.training.batch_size * (config.model.context + 1);
    let mut metrics = vec![];
    for step in 1..=STEPS {
        let batch: Vec<u32> = (0..len).map(|_| tokens.below(VOCABULARY as u32)).collect();
        metrics.push(lab.step(step, &batch).await);
    }

    let after = lab.read(lab.plan.weights).await;
    let mut change: Vec<_> = after.iter().zip(&initial).map(|(&after, &before)| after - f64::from(before)).collect();
    for parameter in &lab.plan.parameters.list {
        let change = &mut change[parameter.range.clone()];
        assert!(change.iter().any(|&x| x != 0.0), "{} stays as it was: {config:?}", parameter.name);
        // A key's bias adds the same to all scores of a query, so its gradient is zero but for rounding, out of which
        // some rules make steps of any size. Where rotations or a norm follow it, it is not.
        let model = &config.model;
        if parameter.name.ends_with("attn.qkv.bias") && keys_only_shift(config) {
            let width = model.width as usize;
            let values = (change.len() - width) / 2;
            change[width..width + values].fill(0.0);
        }
    }
    Run { metrics, change }
}

fn keys_only_shift(config: &Config) -> bool {
    config.model.position != Position::Rope && !config.model.qk_norm
}

/// A run's first parameters with noise, so that biases, gains and all matrices matter.
fn arena(config: &Config, parameters: &Parameters) -> Vec<f32> {
    let mut arena = parameters.initial(config);
    for (i, parameter) in parameters.list.iter().enumerate() {
        let noise = random(i as u32, parameter.range.len(), 0.3);
        for (value, noise) in arena[parameter.range.clone()].iter_mut().zip(noise) {
            *value += noise as f32;
        }
    }
    arena
}

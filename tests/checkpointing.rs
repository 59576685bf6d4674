//! Gradient checkpointing: what is computed twice is the same both times. Losses, gradients and parameters are those of
//! a run without it, bit for bit, on every device; what is planned is less memory and more arithmetic.

use trainlab::config::{Config, OptimizerConfig, OptimizerKind};
use trainlab::cost::Part;
use trainlab::engine::Device;
use trainlab::plan::{Plan, Summary};
use trainlab::tape::Recording;

use crate::common::lab::{Lab, SMALL, attention_variants, batches, block_variants, dataset};
use crate::common::{gpu, tests};

tests![
    the_oracle_takes_the_same_steps,
    the_cpu_takes_the_same_steps,
    the_gpu_takes_the_same_steps,
    blocks_are_played_twice_and_the_rest_once,
    memory_falls_and_arithmetic_rises,
];

/// Dropout; norms in the stream; gates; turned and normed queries and keys; micro-batches; Sophia's estimate.
fn configs() -> Vec<Config> {
    let [gated_post_norm, ..] = block_variants();
    let mut sophia = SMALL[0].config();
    sophia.optimizer = OptimizerConfig { estimate_every: 2, ..OptimizerConfig::defaults(OptimizerKind::Sophia) };
    (sophia.training.batch_size, sophia.training.accumulation, sophia.model.dropout) = (4, 2, 0.3);
    let mut split = attention_variants().swap_remove(4);
    (split.training.batch_size, split.training.accumulation, split.model.layers) = (6, 3, 3);
    // Turned in place, with nothing kept beside.
    let turned = attention_variants().swap_remove(3);
    vec![gated_post_norm, SMALL[1].config(), sophia, split, turned]
}

async fn the_oracle_takes_the_same_steps() {
    check(None).await;
}

async fn the_cpu_takes_the_same_steps() {
    check(Some(&Device::Cpu)).await;
}

async fn the_gpu_takes_the_same_steps() {
    check(Some(gpu().await)).await;
}

async fn check(device: Option<&Device>) {
    let dataset = dataset();
    let vocabulary = dataset.tokenizer.vocabulary_size();
    for mut config in configs() {
        let batches = batches(&config, &dataset);
        let mut runs = vec![];
        for checkpointing in [false, true] {
            config.training.checkpointing = checkpointing;
            let mut lab = Lab::new(&config, vocabulary, device).await;
            let mut metrics = vec![];
            let mut gradients = vec![];
            for step in 1..=3 {
                metrics.push(lab.step(step, &batches.batch(step, &dataset.train)).await);
                gradients.push(lab.read(lab.plan.gradients).await);
            }
            assert!(gradients.iter().all(|arena| arena.iter().any(|&gradient| gradient != 0.0)), "{config:?}");
            runs.push((metrics, gradients, lab.read(lab.plan.weights).await));
        }
        assert!(runs[0] == runs[1], "{config:?}: other bits");
    }
}

fn labels(recording: &Recording, label: &str) -> usize {
    recording.ops.iter().filter(|op| op.label == label).count()
}

async fn blocks_are_played_twice_and_the_rest_once() {
    let mut config = SMALL[0].config();
    config.training.checkpointing = true;
    let plan = Plan::new(&config, 20, &Device::Cpu).expect("it fits");
    for (label, times) in [
        ("embedding", 1),
        ("head", 1),
        ("norm_f", 1),
        ("blocks.0.norm1", 2),
        ("blocks.0.attn", 2),
        ("blocks.1.mlp.up", 2),
        // Nothing but the next block reads what it leaves.
        ("blocks.0.mlp.down", 1),
        ("blocks.1.mlp.down", 1),
    ] {
        assert_eq!(labels(&plan.train.recording, label), times, "{label}");
    }
    // Only training has gradients to play again for.
    assert_eq!(labels(&plan.validate.recording, "blocks.0.attn"), 1);
    assert_eq!(labels(&plan.decode.recording, "blocks.0.attn"), 1);
}

fn summary(layers: u32, checkpointing: bool) -> Summary {
    let mut config = Config::default();
    (config.model.layers, config.model.width, config.model.hidden) = (layers, 128, 512);
    (config.model.context, config.training.batch_size) = (256, 8);
    config.training.checkpointing = checkpointing;
    Plan::new(&config, 65, &Device::Cpu).expect("it fits").summary()
}

async fn memory_falls_and_arithmetic_rises() {
    let (kept, dropped) = (summary(8, false), summary(8, true));
    let share = dropped.bytes.activations as f64 / kept.bytes.activations as f64;
    assert!((0.15..0.4).contains(&share), "activations fall to {share}");
    // A layer more costs its input, 4 bytes for each of B·T·C numbers, and what its norms leave of their gradients.
    let layer = (summary(9, true).bytes.activations - dropped.bytes.activations) as f64;
    let input = f64::from(4 * 8 * 256 * 128);
    assert!((1.0..1.3).contains(&(layer / input)), "a layer takes {layer} bytes, its input {input}");

    let of = |summary: &Summary, part: Part| {
        summary.work.iter().find(|work| work.part == part).expect("every part").flops_per_token
    };
    // Products: 6 N without, 2 (N − that of mlp.down) more. Attention: 9 products of (T, T, D), and 2 more.
    let rise = |part| of(&dropped, part) / of(&kept, part);
    assert_eq!(rise(Part::Matmul), 1.0 + 2.0 * (12.0 - 4.0) / (6.0 * 12.0));
    assert_eq!(rise(Part::Attention), 11.0 / 9.0);
    assert_eq!(rise(Part::Head), 1.0);
    let whole = dropped.flops_per_token as f64 / kept.flops_per_token as f64;
    assert!((1.15..1.34).contains(&whole), "a step takes {whole} of the arithmetic");
}

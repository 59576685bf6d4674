//! Sequences that grow: a run whose context warms up is, at each length, bitwise the run of that length with as many
//! tokens a step, and goes on bitwise from a checkpoint in the middle.

use std::rc::Rc;

use trainlab::config::{Config, OptimizerConfig, OptimizerKind, Packing, Position, ScheduleKind, TokenizerKind};
use trainlab::data::{Corpus, Dataset, tiny_tales};
use trainlab::engine::Device;
use trainlab::plan::Plan;
use trainlab::trainer::{Metric, Trainer};

use crate::common::lab::{SMALL, dataset, train};
use crate::common::{gpu, tests};

tests![
    lengths_double_in_equal_shares,
    each_length_is_a_run_of_its_own,
    documents_stay_apart_at_each_length,
    positions_that_are_not_reached_stay,
    a_warmup_goes_on_bitwise,
    floating_point_operations_are_those_played,
    batches_of_many_shapes_are_not_exported,
];

/// 8, 16, then 32 tokens: two steps each of the first two.
fn config(position: Position) -> Config {
    let mut config = SMALL[0].config();
    (config.model.position, config.model.width, config.model.heads, config.model.context) = (position, 16, 2, 32);
    (config.training.batch_size, config.training.accumulation, config.training.steps) = (4, 2, 7);
    (config.schedule.kind, config.schedule.warmup_steps) = (ScheduleKind::Constant, 0);
    (config.schedule.context_start, config.schedule.context_warmup_steps) = (8, 4);
    config
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, Rc::new(dataset()), device, |_, _| ()).await.unwrap()
}

async fn lengths_double_in_equal_shares() {
    let mut config = Config::default();
    (config.model.context, config.schedule.context_start, config.schedule.context_warmup_steps) = (256, 32, 10);
    assert_eq!(config.shorter_contexts(), [(32, 3), (64, 6), (128, 10)]);
    config.schedule.context_warmup_steps = 1;
    assert_eq!(config.shorter_contexts(), [(32, 0), (64, 0), (128, 1)]);
    config.schedule.context_start = 256;
    assert_eq!(config.shorter_contexts(), []);
    config.schedule.context_start = 0;
    assert_eq!(config.shorter_contexts(), []);
}

fn shown(metrics: &[Metric]) -> Vec<(f64, f64, u64)> {
    metrics.iter().map(|metric| (metric.loss, metric.grad_norm, metric.at.tokens)).collect()
}

async fn each_length_is_a_run_of_its_own() {
    let gpu = gpu().await;
    for (kind, devices) in
        [(OptimizerKind::Adamw, vec![&Device::Cpu, gpu]), (OptimizerKind::Sophia, vec![&Device::Cpu])]
    {
        for device in devices {
            let mut config = config(Position::Rope);
            config.optimizer = OptimizerConfig { estimate_every: 2, ..OptimizerConfig::defaults(kind) };
            (config.model.dropout, config.model.layers) = (0.1, 1);
            let mut warmed = trainer(&config, device).await;
            let mut checkpoint: Option<Vec<u8>> = None;
            for (context, batch_size, until) in [(8, 16, 2), (16, 8, 4), (32, 4, 7)] {
                let mut plain = config.clone();
                (plain.model.context, plain.training.batch_size) = (context, batch_size);
                (plain.schedule.context_start, plain.schedule.context_warmup_steps) = (0, 0);
                let mut plain = trainer(&plain, device).await;
                if let Some(bytes) = &checkpoint {
                    plain.restore(bytes).unwrap();
                }
                let [expected, actual] =
                    [train(&mut plain, until).await.unwrap(), train(&mut warmed, until).await.unwrap()];
                assert_eq!(shown(&actual), shown(&expected), "{}, {kind:?} at {context} tokens", device.name());
                let weights = [plain.weights().await.unwrap(), warmed.weights().await.unwrap()];
                assert!(weights[0] == weights[1], "{}, {kind:?}: parameters after step {until}", device.name());
                let saved = plain.checkpoint().await.unwrap();
                checkpoint = Some(saved.to_bytes(&plain.plan.parameters));
            }
        }
    }
}

/// Whatever the length, rows are laid out as a run of that length lays them out, positions included.
async fn documents_stay_apart_at_each_length() {
    let text = tiny_tales(20_000, 3);
    let dataset = Dataset::new(&text, TokenizerKind::Characters, 0.2).unwrap();
    dataset.find_documents(&text, Corpus::TinyTales);
    let dataset = Rc::new(dataset);
    for packing in [Packing::Masked, Packing::Balanced] {
        let mut config = config(Position::Learned);
        (config.data.packing, config.model.layers) = (packing, 1);
        let mut warmed = Trainer::new(&config, Rc::clone(&dataset), &Device::Cpu, |_, _| ()).await.unwrap();
        let mut counted = 0;
        for (context, batch_size, from, until) in [(8, 16, 1, 2), (16, 8, 3, 4), (32, 4, 5, 7)] {
            let mut plain = config.clone();
            (plain.model.context, plain.training.batch_size) = (context, batch_size);
            (plain.schedule.context_start, plain.schedule.context_warmup_steps) = (0, 0);
            let plain = Trainer::new(&plain, Rc::clone(&dataset), &Device::Cpu, |_, _| ()).await.unwrap();
            let rows = plain.first_rows(until).unwrap();
            for metric in train(&mut warmed, until).await.unwrap() {
                assert!((from..=until).contains(&metric.at.step));
                counted += u64::from(rows[metric.at.step as usize - 1].counted);
                assert_eq!(metric.at.tokens, counted, "{packing:?} at step {}", metric.at.step);
                assert!(metric.loss.is_finite());
            }
        }
        let saved = warmed.checkpoint().await.unwrap().to_bytes(&warmed.plan.parameters);
        config.training.steps = 9;
        let resumed = Trainer::resume(&config, Rc::clone(&dataset), &Device::Cpu, &saved, |_, _| ()).await;
        let [mut resumed, mut longer] =
            [resumed.unwrap(), Trainer::new(&config, Rc::clone(&dataset), &Device::Cpu, |_, _| ()).await.unwrap()];
        let all = train(&mut longer, 9).await.unwrap();
        assert_eq!(shown(&train(&mut resumed, 9).await.unwrap()), shown(&all[7..]), "{packing:?}");
        assert_eq!(resumed.usage().tokens, longer.usage().tokens);
    }
}

/// Learned positions beyond the length of the steps so far have no gradient; without decay they stay where they began.
async fn positions_that_are_not_reached_stay() {
    // A software GPU takes long to begin, so it begins once.
    for device in [&Device::Cpu, gpu().await] {
        let mut config = config(Position::Learned);
        (config.optimizer.weight_decay, config.model.layers) = (0.0, 1);
        let mut trainer = trainer(&config, device).await;
        let range = trainer.plan.parameters.get("pos_emb.weight").range.clone();
        let initial = trainer.weights().await.unwrap()[range.clone()].to_vec();
        for (until, reached) in [(2, 8), (4, 16), (5, 32)] {
            train(&mut trainer, until).await.unwrap();
            let now = trainer.weights().await.unwrap()[range.clone()].to_vec();
            for (p, (now, initial)) in now.chunks_exact(16).zip(initial.chunks_exact(16)).enumerate() {
                assert_eq!(now != initial, p < reached, "{}: position {p} after step {until}", device.name());
            }
        }
    }
}

async fn a_warmup_goes_on_bitwise() {
    let device = &Device::Cpu;
    let config = config(Position::Learned);
    let mut whole = trainer(&config, device).await;
    let all = train(&mut whole, 7).await.unwrap();
    // Within a length, where one ends, and after them all.
    for stop in [1, 2, 3, 5] {
        let mut first = trainer(&config, device).await;
        train(&mut first, stop).await.unwrap();
        let saved = first.checkpoint().await.unwrap().to_bytes(&first.plan.parameters);
        let mut second = Trainer::resume(&config, Rc::new(dataset()), device, &saved, |_, _| ()).await.unwrap();
        let rest = train(&mut second, 7).await.unwrap();
        assert_eq!(shown(&rest), shown(&all[stop as usize..]), "from step {stop}");
        assert!(second.weights().await.unwrap() == whole.weights().await.unwrap(), "parameters");
    }
}

async fn floating_point_operations_are_those_played() {
    let config = config(Position::Alibi);
    let step = |context: u32, batch_size: u32| {
        let mut config = config.clone();
        (config.model.context, config.training.batch_size) = (context, batch_size);
        config.schedule.context_start = 0;
        Plan::new(&config, 20, &Device::Cpu).unwrap().flops(1)
    };
    let plan = Plan::new(&config, 20, &Device::Cpu).unwrap();
    let [short, middle, long] = [step(8, 16), step(16, 8), step(32, 4)];
    assert!(short < middle && middle < long);
    let mut expected = 0.0;
    for (steps, flops) in [short, short, middle, middle, long, long, long].into_iter().enumerate() {
        assert_eq!(plan.flops(steps as u32), expected, "of {steps} steps");
        expected += flops;
    }
    // The plan tells what the run comes to after its warm-up.
    assert_eq!(plan.summary().flops_per_token, long as u64 / 128);
}

async fn batches_of_many_shapes_are_not_exported() {
    let trainer = trainer(&config(Position::None), &Device::Cpu).await;
    let error = trainer.first_rows(1).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("schedule.context_start is 8; allowed: 0 to export batches"), "{error}");
}

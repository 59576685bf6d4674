//! Documents in one row that do not see each other train as documents in rows of their own; and what a packed run reads,
//! counts and says.

use std::rc::Rc;

use trainlab::config::{Config, OptimizerConfig, OptimizerKind, Packing, TokenizerKind};
use trainlab::data::{Batches, Corpus, Dataset, Rows, tiny_tales};
use trainlab::engine::Device;
use trainlab::error::Error;
use trainlab::random::{Random, Stream};
use trainlab::trainer::Trainer;

use crate::common::lab::{Lab, attention_variants, block_variants, dataset, train};
use crate::common::{assert_close, gpu, tests};

tests![
    the_oracle_packs_what_it_could_train_apart,
    the_cpu_packs_what_it_could_train_apart,
    the_gpu_packs_what_it_could_train_apart,
    micro_batches_of_packed_rows_are_the_whole_batch,
    what_is_not_seen_changes_nothing,
    windows_are_the_same_apart_or_not,
    a_run_counts_what_it_learns_from,
    a_run_that_goes_on_has_counted_the_same,
    a_packed_run_diverges_with_a_name,
];

/// Tokens of the documents in each row; what is left of a row is padding.
const ROWS: [&[usize]; 2] = [&[5, 1, 7, 4], &[3, 8, 2]];

/// Every encoding, grouped heads and QK-norm; and the other options of the loss and the blocks. No dropout, whose masks
/// go by the row.
fn configs() -> Vec<Config> {
    let [mut block, ..] = block_variants();
    block.model.dropout = 0.0;
    block.model.context = 17;
    let configs = attention_variants().into_iter().chain([block]);
    configs
        .map(|mut config| {
            (config.training.batch_size, config.data.packing) = (2, Packing::Masked);
            config.model.layers = 1;
            config
        })
        .collect()
}

/// The documents of [`ROWS`], random tokens.
fn documents(vocabulary: u32) -> Vec<Vec<Vec<u32>>> {
    let mut random = Random::new(4, Stream::Other(1));
    let mut document = |len: &usize| (0..*len).map(|_| random.below(vocabulary)).collect();
    ROWS.iter().map(|row| row.iter().map(&mut document).collect()).collect()
}

/// One row for each list of documents, by the definition alone. `junk` fills up whatever nobody may look at.
fn rows(documents: &[Vec<Vec<u32>>], context: usize, junk: u32) -> Rows {
    let all = documents.iter().flatten();
    let counted: usize = all.map(|document| document.len() - 1).sum();
    let mut rows = Rows { counted: counted as u32, ..Rows::default() };
    for row in documents {
        let begin = rows.first_keys.len();
        let mut tokens: Vec<u32> = row.concat();
        for document in row {
            let first = rows.first_keys.len() - begin;
            for t in 0..document.len() {
                rows.first_keys.push(first as u32);
                rows.weights.push(if t + 1 < document.len() { 1.0 / counted as f32 } else { 0.0 });
            }
        }
        for t in tokens.len()..context {
            rows.first_keys.push(t as u32);
            rows.weights.push(0.0);
        }
        tokens.resize(context + 1, junk);
        rows.tokens.extend(tokens);
    }
    rows
}

async fn the_oracle_packs_what_it_could_train_apart() {
    packed_and_apart(None, 1e-11).await;
}

async fn the_cpu_packs_what_it_could_train_apart() {
    packed_and_apart(Some(&Device::Cpu), 2e-5).await;
}

async fn the_gpu_packs_what_it_could_train_apart() {
    packed_and_apart(Some(gpu().await), 2e-5).await;
}

fn distance(actual: &[f64], expected: &[f64]) -> f64 {
    let off: f64 = actual.iter().zip(expected).map(|(a, e)| (a - e).powi(2)).sum();
    (off / expected.iter().map(|e| e.powi(2)).sum::<f64>()).sqrt()
}

/// One step: loss, gradient norm, each gradient and what was added to the parameters.
async fn packed_and_apart(device: Option<&Device>, tolerance: f64) {
    let vocabulary = 11;
    let together = documents(vocabulary);
    let apart: Vec<_> = together.iter().flatten().map(|document| vec![document.clone()]).collect();
    for mut config in configs() {
        // SGD, so that the update says no more than the gradient does.
        let packing = config.data.packing;
        config.optimizer = OptimizerConfig::defaults(OptimizerKind::Sgd);
        assert_eq!(packing, Packing::Masked);
        let mut results: Vec<(Vec<f64>, Vec<f64>, Vec<f64>)> = vec![];
        let mut names = vec![];
        for documents in [&together, &apart] {
            config.training.batch_size = documents.len() as u32;
            let mut lab = Lab::new(&config, vocabulary as usize, device).await;
            let metrics = lab.step_of(1, &rows(documents, config.model.context as usize, 0)).await;
            let (gradients, weights) = (lab.read(lab.plan.gradients).await, lab.read(lab.plan.weights).await);
            results.push((metrics.to_vec(), gradients, weights));
            names = lab.plan.parameters.list.clone();
        }
        let [(metrics, gradients, weights), (expected_metrics, expected_gradients, expected_weights)] = &results[..]
        else {
            panic!("two runs")
        };
        let what = format!("{:?}", config.model);
        assert!(metrics[0] > 1.0 && metrics[1] > 0.0, "{what}: {metrics:?}");
        assert_close(&format!("{what}: loss and norm"), metrics, expected_metrics, [tolerance, 0.0]);
        for parameter in &names {
            let range = parameter.range.clone();
            // A key's bias has a gradient of zero but for rounding.
            let (actual, expected) = (&gradients[range.clone()], &expected_gradients[range.clone()]);
            if !parameter.name.ends_with("qkv.bias") {
                let off = distance(actual, expected);
                assert!(off <= 10.0 * tolerance, "{what}: the gradient of {} is off by {off:.1e}", parameter.name);
            }
            assert_close(&parameter.name, actual, expected, [1e-2, tolerance]);
            assert_close(&parameter.name, &weights[range.clone()], &expected_weights[range], [tolerance, tolerance]);
        }
    }
}

/// Padding, other documents, and what a last token would predict: other tokens there change no bit of a loss or gradient.
async fn what_is_not_seen_changes_nothing() {
    let vocabulary = 11;
    let (all, gpu) = (documents(vocabulary), gpu().await);
    for device in [&Device::Cpu, gpu] {
        for config in configs().into_iter().skip(1).take(1) {
            let mut lab = Lab::new(&config, vocabulary as usize, Some(device)).await;
            let context = config.model.context as usize;
            let first = rows(&all, context, 0);
            let mut junk = rows(&all, context, 9);
            // The target of a document's last token is the next one's first, which that one needs as an input: only at the
            // end of a row may it be any.
            assert_ne!(first.tokens, junk.tokens);
            let mut seen = vec![];
            for rows in [&first, &junk] {
                lab.play_backward(rows);
                seen.push((lab.read(lab.plan.train.result).await, lab.read(lab.plan.gradients).await));
            }
            let (losses, gradients) = (&seen[0].0, &seen[0].1);
            assert_eq!(losses, &seen[1].0);
            assert_eq!(gradients, &seen[1].1, "{:?}", config.model);
            // The first document's losses do not know what the second one says, nor the other way round.
            for at in [5, 6] {
                junk.tokens[at] = (junk.tokens[at] + 1) % vocabulary;
            }
            lab.play_backward(&junk);
            let after = lab.read(lab.plan.train.result).await;
            assert_eq!(losses[..5], after[..5]);
            assert_ne!(losses[6..12], after[6..12]);
            assert_eq!(losses[13..], after[13..]);
        }
    }
}

async fn micro_batches_of_packed_rows_are_the_whole_batch() {
    let vocabulary = 11;
    let rows = rows(&documents(vocabulary), 17, 0);
    for mut config in configs().into_iter().take(2) {
        for device in [None, Some(&Device::Cpu)] {
            let mut results = vec![];
            for accumulation in [1, 2] {
                config.training.accumulation = accumulation;
                let mut lab = Lab::new(&config, vocabulary as usize, device).await;
                let metrics = lab.step_of(1, &rows).await;
                results.push((metrics, lab.read(lab.plan.gradients).await));
            }
            assert_close("loss and norm", &results[1].0, &results[0].0, [1e-5, 0.0]);
            assert_close("gradients", &results[1].1, &results[0].1, [1e-3, 1e-6]);
        }
    }
}

fn stories(kind: TokenizerKind) -> Dataset {
    let text = tiny_tales(60_000, 3);
    let dataset = Dataset::new(&text, kind, 0.1).expect("a good text");
    dataset.find_documents(&text, Corpus::TinyTales);
    dataset
}

/// A run over stories.
fn config(packing: Packing) -> Config {
    let mut config = configs().swap_remove(0);
    (config.model.context, config.model.layers) = (64, 1);
    (config.training.batch_size, config.training.accumulation) = (4, 2);
    (config.data.packing, config.evaluation.sample_every) = (packing, 0);
    config
}

async fn windows_are_the_same_apart_or_not() {
    let dataset = stories(TokenizerKind::Characters);
    let batches = Batches::new(dataset.train.len(), 4, 64, 5).expect("long enough");
    let of = |packing| batches.clone().packed(packing, dataset.documents()).expect("documents");
    let (whole, apart) = (of(Packing::Chunk), of(Packing::Masked));
    let (mut ends, mut rows) = (0, apart.rows());
    for step in 1..50 {
        apart.fill(step, &dataset.train, &mut rows);
        assert_eq!(rows.tokens, whole.batch(step, &dataset.train));
        assert_eq!(rows.tokens, batches.batch(step, &dataset.train));
        assert_eq!((rows.counted, 4 * 64), (apart.counted(step), whole.counted(step)));
        ends += 4 * 64 - rows.counted;
        // What counts is what is not followed by another document.
        for (row, tokens) in rows.tokens.chunks(65).enumerate() {
            for t in 0..64 {
                let at = row * 64 + t;
                let follows = t < 63 && rows.first_keys[at + 1] == t as u32 + 1;
                assert!(!(follows && rows.weights[at] > 0.0), "step {step}, row {row}, token {t}");
                assert!(rows.first_keys[at] <= t as u32);
                // A story ends with a blank line.
                if follows {
                    assert!(dataset.tokenizer.decode(&tokens[..=t]).ends_with('\n'));
                }
            }
        }
        let sum: f32 = rows.weights.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
    assert!(ends > 10, "{ends} ends in 196 windows");
}

async fn a_run_counts_what_it_learns_from() {
    let gpu = gpu().await;
    for packing in Packing::ALL {
        let dataset = Rc::new(stories(TokenizerKind::Characters));
        let mut losses = vec![];
        // Compiling takes software adapters long.
        let devices = if packing == Packing::Masked { vec![&Device::Cpu, gpu] } else { vec![&Device::Cpu] };
        for device in devices {
            let mut trainer =
                Trainer::new(&config(packing), Rc::clone(&dataset), device, |_, _| {}).await.expect("it fits");
            let metrics = train(&mut trainer, 4).await.expect("four steps");
            let counted = trainer.first_rows(4).unwrap().iter().map(|rows| u64::from(rows.counted)).sum::<u64>();
            assert_eq!(metrics[3].at.tokens, counted, "{packing:?}");
            let evaluation = trainer.evaluate().await.expect("a validation");
            assert_eq!(evaluation.at.tokens, counted);
            let usage = trainer.usage();
            match packing {
                Packing::Chunk => assert_eq!(counted, 4 * 4 * 64),
                _ => assert!(counted <= usage.tokens, "{packing:?}: {counted}"),
            }
            assert!(usage.tokens <= 4 * 4 * 64 && usage.tokens > 0);
            losses.push(metrics.iter().map(|metric| metric.loss).chain([evaluation.loss]).collect::<Vec<_>>());
        }
        let first = &losses[0];
        losses.iter().for_each(|other| assert_close(&format!("{packing:?}"), other, first, [1e-4, 0.0]));
    }
}

async fn a_run_that_goes_on_has_counted_the_same() {
    let dataset = Rc::new(stories(TokenizerKind::Bytes));
    let config = config(Packing::Rows);
    let new = || Trainer::new(&config, Rc::clone(&dataset), &Device::Cpu, |_, _| {});
    let mut trainer = new().await.expect("it fits");
    train(&mut trainer, 3).await.expect("three steps");
    let saved = trainer.checkpoint().await.expect("a checkpoint").to_bytes(&trainer.plan.parameters);
    let expected = train(&mut trainer, 6).await.expect("six steps");

    let mut other = new().await.expect("it fits");
    train(&mut other, 1).await.expect("a step");
    other.restore(&saved).expect("it fits");
    let actual = train(&mut other, 6).await.expect("six steps");
    for (actual, expected) in actual.iter().zip(&expected) {
        assert_eq!(
            (actual.at.step, actual.at.tokens, actual.loss),
            (expected.at.step, expected.at.tokens, expected.loss)
        );
    }
    assert_eq!(other.usage(), trainer.usage());
}

async fn a_packed_run_diverges_with_a_name() {
    let mut config = config(Packing::Masked);
    config.optimizer.learning_rate = 1e30;
    let mut trainer =
        Trainer::new(&config, Rc::new(dataset()), &Device::Cpu, |_, _| {}).await.expect("one document will do");
    let result = train(&mut trainer, 8).await;
    assert!(matches!(result, Err(Error::Diverged { step: 2, .. })), "{result:?}");
    assert!(trainer.find_bad_tensor().await.expect("the step can be played again").starts_with("blocks.0"));
}

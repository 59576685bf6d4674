//! What a model makes of its context, held against plain recounts: the loss by position, other lengths, what attention
//! looks at, induction, and runs that begin with another's parameters.

#[path = "context/naive_attention.rs"]
mod naive_attention;

use std::rc::Rc;

use naive_attention::naive_attention;
use trainlab::config::{Config, Norm, Position};
use trainlab::context::{self, Subject, attention, induction, lengths};
use trainlab::data::{ByPosition, Dataset, standard_error};
use trainlab::engine::Device;
use trainlab::error::Error;
use trainlab::kernels::position::Table;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, attention_variants, dataset, train};
use crate::common::{gpu, random, tests};

tests![
    the_loss_by_position_is_a_recount,
    the_same_text_is_read_at_every_length,
    lengths_without_figures_say_why,
    attention_is_that_of_a_naive_model,
    heads_that_look_nowhere_look_everywhere,
    induction_is_a_recount,
    a_run_begins_with_anothers_parameters,
    parameters_that_do_not_fit_are_refused,
    interpolated_positions_are_those_of_training,
];

fn config() -> Config {
    let mut config = SMALL[0].config();
    (config.training.steps, config.evaluation.bytes, config.evaluation.final_bytes) = (10, 256, 256);
    config.schedule.warmup_steps = 0;
    config
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    Trainer::new(config, Rc::new(dataset()), device, |_, _| ()).await.unwrap()
}

async fn saved(trainer: &mut Trainer) -> Vec<u8> {
    let checkpoint = trainer.checkpoint().await.unwrap();
    checkpoint.to_bytes(&trainer.plan.parameters)
}

async fn subject(trainer: &mut Trainer, device: &Device) -> Subject {
    let bytes = saved(trainer).await;
    Subject::of_checkpoint(&trainer.config, Rc::clone(&trainer.dataset), device, &bytes).unwrap()
}

fn assert_near(actual: f64, expected: f64, off: f64, what: &str) {
    assert!((actual - expected).abs() <= off, "{what} is {actual}, expected {expected}");
}

/// A token that was predicted.
struct Scored {
    window: usize,
    position: usize,
    nats: f64,
    bytes: u32,
}

/// Each token's loss and bytes by the number of tokens before it, from windows that are read one by one.
async fn recount(subject: &Subject, context: usize, bytes: usize) -> Vec<Scored> {
    let mut probe = subject.probe(1, context, false).await.unwrap();
    let mut all = vec![];
    for (number, window) in subject.dataset.validation_windows(context, bytes).into_iter().enumerate() {
        let losses = probe.losses(&[window.tokens]).await.unwrap();
        for (i, &token) in window.tokens.iter().enumerate().skip(1) {
            let (window, nats) = (number, f64::from(losses[i - 1]));
            all.push(Scored { window, position: i, nats, bytes: subject.dataset.tokenizer.token_bytes(token) });
        }
    }
    all
}

fn check_positions(by: &ByPosition, all: &[Scored], context: usize) {
    // 33 positions: 1, 2, 3–4, 5–8, 9–16, 17–32, 33.
    let mut from = 1;
    let mut before = None;
    let count = all.last().map_or(0, |scored| scored.window + 1);
    for (i, &last) in by.last.iter().enumerate() {
        let within: Vec<&Scored> =
            all.iter().filter(|scored| (from..=last as usize).contains(&scored.position)).collect();
        let mut windows = vec![(0.0, 0); count];
        for scored in &within {
            windows[scored.window].0 += scored.nats;
            windows[scored.window].1 += scored.bytes;
        }
        let nats: f64 = windows.iter().map(|(nats, _)| nats).sum();
        let bytes: u32 = windows.iter().map(|(_, bytes)| bytes).sum();
        let bits = nats / std::f64::consts::LN_2 / f64::from(bytes);
        assert_eq!(by.tokens[i], within.len() as u64, "tokens up to {last}");
        assert_near(by.loss[i], nats / within.len() as f64, 1e-5, "the loss");
        assert_near(by.bits_per_byte[i], bits, 1e-5, "bits per byte");
        assert_near(by.standard_error[i], standard_error(&windows), 1e-5, "the standard error");
        // Every token is one byte.
        let of_loss = by.loss_standard_error[i] / std::f64::consts::LN_2;
        assert_near(of_loss, by.standard_error[i], 1e-9, "the standard error of the loss");
        if let Some(before) = before.replace(bits) {
            assert_near(by.gain[i - 1], before - bits, 2e-5, "the gain");
        }
        from = last as usize + 1;
    }
    assert_eq!((from, by.gain.len() + 1), (context + 1, by.last.len()));
}

async fn the_loss_by_position_is_a_recount() {
    for device in [&Device::Cpu, gpu().await] {
        let mut trainer = trainer(&config(), device).await;
        train(&mut trainer, 10).await.unwrap();
        let evaluation = trainer.evaluate().await.unwrap();
        let by = &evaluation.by_position;
        assert_eq!(by.last, [1, 2, 4, 8, 16, 32, 33]);
        let oracle = subject(&mut trainer, &Device::Cpu).await;
        let all = recount(&oracle, 33, 256).await;
        check_positions(by, &all, 33);
        let whole: f64 = by.loss.iter().zip(&by.tokens).map(|(loss, &tokens)| loss * tokens as f64).sum();
        let tokens: u64 = by.tokens.iter().sum();
        assert_near(whole / tokens as f64, evaluation.loss, 1e-9, "the whole loss");
    }
}

async fn the_same_text_is_read_at_every_length() {
    for device in [&Device::Cpu, gpu().await] {
        let mut config = config();
        config.model.position = Position::Alibi;
        let mut trainer = trainer(&config, &Device::Cpu).await;
        train(&mut trainer, 10).await.unwrap();
        let evaluation = trainer.evaluate().await.unwrap();
        let oracle = self::subject(&mut trainer, &Device::Cpu).await;
        let subject = self::subject(&mut trainer, device).await;
        let mut told = vec![];
        let progress = async |done: usize, all: usize| {
            told.push((done, all));
            Ok(())
        };
        let found = lengths::at_lengths(&subject, &[5, 33, 66], 256, progress).await.unwrap();
        assert!(told.is_sorted() && told.last() == Some(&(3 * 157, 3 * 157)), "{told:?}");
        for length in &found {
            assert_eq!((length.tokens, length.bytes, length.reason.as_ref()), (157, 157, None));
            let all = recount(&oracle, length.length as usize, 256).await;
            let nats: f64 = all.iter().map(|scored| scored.nats).sum();
            assert_near(length.loss, nats / 157.0, 1e-5, "the loss");
            assert_near(length.bits_per_byte, length.loss / std::f64::consts::LN_2, 1e-9, "bits per byte");
            check_positions(&length.by_position, &all, length.length as usize);
        }
        assert_near(found[1].bits_per_byte, evaluation.bits_per_byte, 1e-5, "at the trained length");
        assert_ne!(found[0].bits_per_byte, found[2].bits_per_byte);
        let stop = lengths::at_lengths(&subject, &[5], 256, async |_, _| Err(Error::Stopped)).await;
        assert!(matches!(stop, Err(Error::Stopped)));
    }
    assert_eq!(lengths::usual(64), [8, 16, 32, 64, 128, 256]);
    assert_eq!(lengths::usual(33), [8, 16, 33, 66, 132]);
}

async fn lengths_without_figures_say_why() {
    let mut config = config();
    config.model.position = Position::Learned;
    let mut trainer = trainer(&config, &Device::Cpu).await;
    let subject = subject(&mut trainer, &Device::Cpu).await;
    let found = lengths::at_lengths(&subject, &[0, 16, 34, 20_000], 256, async |_, _| Ok(())).await.unwrap();
    let says = |at: usize| found[at].reason.clone().unwrap_or_default();
    assert!(says(0).contains("evaluation.context is 0"), "{}", says(0));
    assert!(found[1].reason.is_none() && found[1].bits_per_byte.is_finite());
    assert!(says(2).contains("at most model.context (33) with model.position learned"), "{}", says(2));
    assert!(says(3).contains("16384"), "{}", says(3));
    assert!(found[2].bits_per_byte.is_nan() && found[2].tokens == 0);
    config.model.position = Position::None;
    let mut trainer = self::trainer(&config, &Device::Cpu).await;
    let subject = self::subject(&mut trainer, &Device::Cpu).await;
    let found = lengths::at_lengths(&subject, &[5000], 256, async |_, _| Ok(())).await.unwrap();
    assert!(found[0].reason.as_ref().is_some_and(|reason| reason.contains("held-out tokens")), "{:?}", found[0].reason);
}

/// One layer of every encoding, with grouped heads and norms.
fn looked_at() -> Vec<Config> {
    let mut configs = attention_variants();
    configs[5].model.qk_norm = true;
    configs[3].model.norm = Norm::RmsNorm;
    for config in &mut configs {
        config.model.layers = 1;
        (config.training.steps, config.evaluation.every) = (10, 0);
    }
    configs
}

async fn attention_is_that_of_a_naive_model() {
    for device in [&Device::Cpu, gpu().await] {
        for config in looked_at() {
            let mut trainer = trainer(&config, &Device::Cpu).await;
            // Weights that all matter, and attention that is far from uniform.
            let noise: Vec<f32> =
                random(1, trainer.plan.parameters.len, 0.5).into_iter().map(|noise| noise as f32).collect();
            let mut weights = trainer.weights().await.unwrap();
            for parameter in &trainer.plan.parameters.list {
                let of_range = weights[parameter.range.clone()].iter_mut().zip(&noise[parameter.range.clone()]);
                of_range.for_each(|(weight, noise)| *weight += noise);
            }
            trainer.set_weights(&weights);
            let subject = subject(&mut trainer, device).await;
            let tokens = trainer.dataset.held_out[..12].to_vec();
            let found = attention::look(&subject, &tokens).await.unwrap();
            let expected = naive_attention(&config.model, &trainer.plan.parameters, &weights, &tokens);
            assert_eq!(found.weights.len(), expected.len());
            for (i, (&actual, &expected)) in found.weights.iter().zip(&expected).enumerate() {
                assert_near(actual.into(), expected, 2e-5, &format!("{:?}, weight {i}", config.model.position));
            }
            check_figures(&found, &expected);
        }
    }
}

fn check_figures(found: &context::Attention, weights: &[f64]) {
    let count = found.tokens.len();
    assert_eq!(found.figures.len(), found.layers * found.heads);
    for (figures, map) in found.figures.iter().zip(weights.chunks_exact(count * count)) {
        let [mut distance, mut first, mut previous, mut itself] = [0.0; 4];
        for (i, row) in map.chunks_exact(count).enumerate() {
            assert_near(row.iter().sum(), 1.0, 1e-9, "a row's sum");
            assert!(row[i + 1..].iter().all(|&weight| weight == 0.0), "no token sees those after it");
            distance += (0..=i).map(|j| row[j] * (i as f64 - j as f64)).sum::<f64>() / count as f64;
            itself += row[i] / count as f64;
            if i > 0 {
                first += row[0] / (count as f64 - 1.0);
                previous += row[i - 1] / (count as f64 - 1.0);
            }
        }
        for (what, actual, expected) in [
            ("distance", figures.distance, distance),
            ("on the first", figures.on_first, first),
            ("on the one before", figures.on_previous, previous),
            ("on itself", figures.on_itself, itself),
        ] {
            assert_near(actual, expected, 1e-4, what);
        }
    }
}

async fn heads_that_look_nowhere_look_everywhere() {
    let mut config = config();
    config.model.position = Position::None;
    let mut trainer = trainer(&config, &Device::Cpu).await;
    let mut weights = trainer.weights().await.unwrap();
    for layer in 0..2 {
        weights[trainer.plan.parameters.get(&format!("blocks.{layer}.attn.qkv.weight")).range.clone()].fill(0.0);
    }
    trainer.set_weights(&weights);
    let subject = subject(&mut trainer, &Device::Cpu).await;
    let tokens = trainer.dataset.held_out[..40].to_vec();
    let found = attention::look(&subject, &tokens).await.unwrap();
    assert_eq!((found.tokens.len(), found.left_out, found.uniform_distance), (33, 7, 8.0));
    assert_eq!(found.tokens.concat(), trainer.dataset.tokenizer.decode(&tokens[..33]));
    assert!(found.figures.iter().all(|head| (head.distance - 8.0).abs() < 1e-4), "{:?}", found.figures);
    let one = attention::look(&subject, &tokens[..1]).await.unwrap();
    assert_eq!((one.weights.as_slice(), one.figures[0].distance), ([1.0; 4].as_slice(), 0.0));
    for bad in [&[][..], &[9999]] {
        assert!(attention::look(&subject, bad).await.unwrap_err().to_string().contains("prompt"));
    }
}

async fn induction_is_a_recount() {
    assert_eq!(induction::distances(64), [4, 8, 16, 32]);
    assert_eq!(induction::distances(33), [4, 8, 16, 17]);
    for device in [&Device::Cpu, gpu().await] {
        let mut trainer = trainer(&config(), &Device::Cpu).await;
        train(&mut trainer, 10).await.unwrap();
        let subject = self::subject(&mut trainer, device).await;
        let found = induction::measure(&subject, async |_, _| Ok(())).await.unwrap();
        let vocabulary = trainer.dataset.tokenizer.vocabulary_size();
        assert_near(found.uniform, (vocabulary as f64).ln(), 1e-12, "a uniform guess");
        let oracle = self::subject(&mut trainer, &Device::Cpu).await;
        let mut probe = oracle.probe(1, 33, false).await.unwrap();
        for at in &found.by_distance {
            let n = at.distance as usize;
            let mut sums = [0.0; 2];
            for sequence in induction::sequences(vocabulary, n) {
                assert_eq!((sequence.len(), &sequence[..n]), (2 * n, &sequence[n..]));
                let losses = probe.losses(&[&sequence]).await.unwrap();
                for i in 1..n {
                    // What predicts token i stands at i − 1, and so for its second time.
                    sums[0] += f64::from(losses[i - 1]);
                    sums[1] += f64::from(losses[n + i - 1]);
                }
            }
            let each = f64::from(at.sequences) * (n - 1) as f64;
            let [first, second] = sums.map(|sum| sum / each);
            assert_near(at.first, first, 1e-4, "the first time");
            assert_near(at.second, second, 1e-4, "the second time");
            assert_near(at.gain, first - second, 2e-4, "the gain");
            assert!(at.sequences == 32 && at.standard_error > 0.0);
        }
    }
}

async fn a_run_begins_with_anothers_parameters() {
    let device = &Device::Cpu;
    for position in [Position::Learned, Position::Alibi] {
        let mut config = config();
        config.model.position = position;
        let mut first = trainer(&config, device).await;
        train(&mut first, 10).await.unwrap();
        let bytes = saved(&mut first).await;
        let expected = first.evaluate().await.unwrap();

        // The same model in a run of its own: as well as the first, and from step 1.
        config.training.steps = 3;
        let mut second = trainer(&config, device).await;
        second.begin_with(&bytes).unwrap();
        let found = second.evaluate().await.unwrap();
        assert_eq!((found.at.step, found.bits_per_byte), (0, expected.bits_per_byte), "{position:?}");
        let metrics = train(&mut second, 3).await.unwrap();
        assert_eq!((metrics[0].at.step, metrics.len()), (1, 3));

        // A shorter context needs fewer positions.
        config.model.context = 16;
        let mut shorter = trainer(&config, device).await;
        shorter.begin_with(&bytes).unwrap();
        let [ours, theirs] = [shorter.weights().await.unwrap(), first.weights().await.unwrap()];
        for parameter in &shorter.plan.parameters.list {
            let from = first.plan.parameters.get(&parameter.name).range.start;
            let len = parameter.range.len();
            assert_eq!(ours[parameter.range.clone()], theirs[from..from + len], "{}", parameter.name);
        }
    }
}

async fn parameters_that_do_not_fit_are_refused() {
    let config = config();
    let mut first = trainer(&config, &Device::Cpu).await;
    let bytes = saved(&mut first).await;
    let refused = async |change: &dyn Fn(&mut Config), text: Option<&str>| {
        let mut config = config.clone();
        change(&mut config);
        let dataset = text.map_or_else(dataset, |text| Dataset::new(text, config.tokenizer.kind, 0.4).unwrap());
        let mut other = Trainer::new(&config, Rc::new(dataset), &Device::Cpu, |_, _| ()).await.unwrap();
        let before = other.weights().await.unwrap();
        let error = other.begin_with(&bytes).unwrap_err().to_string();
        assert_eq!(other.weights().await.unwrap(), before, "a run that is refused parameters keeps its own");
        error
    };
    let longer = refused(&|config| config.model.context = 40, None).await;
    assert!(longer.contains("model.context is 40") && longer.contains("at most 33"), "{longer}");
    let wider = refused(&|config| config.model.hidden = 40, None).await;
    assert!(wider.contains("`blocks.0.mlp.up.weight` is F32 [36, 24], not F32 [40, 24]"), "{wider}");
    let deeper = refused(&|config| config.model.layers = 3, None).await;
    assert!(deeper.contains("`blocks.2.attn.qkv.weight` is missing"), "{deeper}");
    // As many characters, but others.
    let text = "the cat sat on the mat. the dog sat on the log. what sat on what? ".repeat(6).replace('c', "z");
    let other = refused(&|_| (), Some(&text)).await;
    assert!(other.contains("of a run on another text"), "{other}");
}

/// Four times the context with positions divided by four: every fourth position turns as one of training did, and a
/// text of the trained length that is told four times as slowly has the trained angles.
async fn interpolated_positions_are_those_of_training() {
    let turns = |context, interpolation| Table::Turns { context, head_size: 8, base: 500.0, interpolation }.values();
    let (trained, longer) = (turns(16, 1.0), turns(64, 4.0));
    for p in 0..16 {
        assert_eq!(trained[8 * p..8 * (p + 1)], longer[32 * p..32 * p + 8], "position {p}");
    }
    // No angle of the longer one was not met in training, but for those between positions.
    let fastest = (15.0f64 + 0.75).cos();
    assert!((longer[8 * 63] - fastest).abs() < 1e-12);

    // The run that begins so reads at the longer context, with these turns.
    let mut config = config();
    (config.model.position, config.model.width, config.model.heads) = (Position::Rope, 16, 2);
    config.model.context = 16;
    let mut first = trainer(&config, &Device::Cpu).await;
    train(&mut first, 10).await.unwrap();
    let bytes = saved(&mut first).await;
    (config.model.context, config.model.rope_interpolation) = (64, 4.0);
    let mut longer = trainer(&config, &Device::Cpu).await;
    longer.begin_with(&bytes).unwrap();
    let begun = longer.evaluate().await.unwrap();
    assert_eq!(begun.by_position.last.last(), Some(&64));
    let metrics = train(&mut longer, 10).await.unwrap();
    assert!(metrics[9].loss < metrics[0].loss, "it goes on learning");
}

//! Downstream tasks on every device: against JAX, against what models write by themselves, and at chance before training.
//!
//! `downstream/make.sh` made the goldens, with `downstream/score.py`.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::Deserialize;
use trainlab::checkpoint::Checkpoint;
use trainlab::config::{Config, Position, Task, TokenizerKind};
use trainlab::data::{Dataset, Practice, Tokenizer};
use trainlab::downstream::{self, OwnTasks, Scores, TaskItems};
use trainlab::engine::Device;
use trainlab::trainer::Trainer;

use crate::common::lab::{SMALL, train};
use crate::common::{gpu, tests};

tests![
    log_probabilities_are_those_of_jax,
    random_weights_score_chance,
    what_a_model_writes_is_right_and_nothing_else,
    scores_come_in_parts_and_change_nothing,
    scores_are_due_on_schedule,
];

const STORIES: [Task; 5] = [Task::Cloze, Task::Agreement, Task::Count, Task::Tracking, Task::Recall];
const PUZZLES: [Task; 3] = [Task::KeyValue, Task::Copy, Task::Reverse];

/// A small model on TinyTales.
fn config() -> Config {
    let mut config = SMALL[0].config();
    (config.model.position, config.model.context, config.training.batch_size) = (Position::Rope, 40, 4);
    config.data.text_bytes = 60_000;
    config.data.practice = vec![Practice::Copy];
    config.downstream.tasks = vec![Task::Agreement, Task::Copy];
    config.downstream.items = 12;
    (config.training.steps, config.evaluation.every) = (8, 0);
    config
}

async fn trainer(config: &Config, device: &Device) -> Trainer {
    let text = config.data.tiny_tales();
    let dataset = Dataset::new(&text, TokenizerKind::Characters, config.data.held_out_fraction).unwrap();
    let mut trainer = Trainer::new(config, Rc::new(dataset), device, |_, _| ()).await.unwrap();
    trainer.set_tasks(downstream::items(config, &text, None).unwrap(), None).unwrap();
    trainer
}

async fn random_weights_score_chance() {
    let mut config = config();
    config.downstream.tasks = [&STORIES[..], &PUZZLES].concat();
    config.downstream.items = 400;
    config.training.batch_size = 32;
    for seed in [1, 2] {
        config.training.seed = seed;
        let scores = trainer(&config, &Device::Cpu).await.score_tasks().await.unwrap();
        assert_eq!((scores.at.step, scores.tasks.len()), (0, 8));
        for score in scores.tasks {
            // Sixteen draws: some lie beyond two standard errors of chance, hardly one beyond three.
            let error = (score.chance * (1.0 - score.chance) / score.items as f64).sqrt();
            let off = (score.accuracy - score.chance).abs();
            assert!(off <= 3.0 * error, "seed {seed}: {score:?} is {:.1} standard errors from chance", off / error);
            assert_eq!(score.items, 400);
        }
    }
}

/// Of its own texts, the continuation that a model writes by greedy choice is exactly right, and any other is not.
async fn what_a_model_writes_is_right_and_nothing_else() {
    for device in [&Device::Cpu, gpu().await] {
        let mut config = config();
        (config.training.steps, config.schedule.warmup_steps) = (60, 5);
        (config.evaluation.temperature, config.evaluation.sample_tokens) = (0.0, 12);
        let mut trainer = trainer(&config, device).await;
        train(&mut trainer, 60).await.unwrap();
        let mut lines = vec![];
        for prompt in ["One day", "Copy abcde:", "The dog was", "It was a", "Tom had"] {
            config.evaluation.prompt = prompt.to_owned();
            let text = trainer.sample(&config.evaluation).await.unwrap().text();
            let mut other: Vec<char> = text.chars().collect();
            other[7] = if other[7] == 'e' { 'a' } else { 'e' };
            for choice in [text, other.into_iter().collect()] {
                lines.push(serde_json::json!({ "context": prompt, "choices": [choice], "answer": 0 }).to_string());
            }
        }
        let own = OwnTasks::parse(&lines.join("\n")).unwrap();
        let items = TaskItems { task: Task::Own, items: own.items, dropped: 0 };
        trainer.set_tasks(vec![items], None).unwrap();
        let scores = trainer.score_tasks().await.unwrap();
        let (exam, verdicts) = trainer.exam().unwrap();
        for (i, (row, verdict)) in exam.rows.iter().zip(verdicts).enumerate() {
            assert_eq!(verdict.written, i % 2 == 0, "{}: {row:?}", device.name());
            assert!(verdict.log_probability < 0.0);
        }
        assert_eq!((scores.tasks[0].accuracy, scores.tasks[0].chance), (0.5, 0.0));
    }
}

async fn scores_come_in_parts_and_change_nothing() {
    for device in [&Device::Cpu, gpu().await] {
        let config = config();
        let mut whole = trainer(&config, device).await;
        let mut parts = trainer(&config, device).await;
        let mut unasked = trainer(&config, device).await;
        for step in [0, 5] {
            for trainer in [&mut whole, &mut parts, &mut unasked] {
                train(trainer, step).await.unwrap();
            }
            let expected = whole.score_tasks().await.unwrap();
            let (mut calls, mut scores) = (0, None);
            while scores.is_none() {
                scores = parts.score_on(0.0).await.unwrap();
                calls += 1;
            }
            // 12 items of two choices and 12 of one, four rows at a time.
            assert_eq!(calls, 9);
            let untimed = |mut scores: Scores| {
                scores.at.seconds = 0.0;
                scores
            };
            assert_eq!(untimed(scores.unwrap()), untimed(expected));
        }
        for trainer in [&mut whole, &mut parts] {
            train(trainer, 8).await.unwrap();
        }
        train(&mut unasked, 8).await.unwrap();
        let expected = unasked.weights().await.unwrap();
        for trainer in [&mut whole, &mut parts] {
            assert!(trainer.weights().await.unwrap() == expected, "{}: asking changes the run", device.name());
        }
    }
}

async fn scores_are_due_on_schedule() {
    let mut config = config();
    for (every, expected) in [(3, vec![0, 3, 6, 8]), (0, vec![0, 8]), (100, vec![0, 8])] {
        config.downstream.every = every;
        let mut trainer = trainer(&config, &Device::Cpu).await;
        let mut due = vec![];
        for step in 0..=8 {
            train(&mut trainer, step).await.unwrap();
            if trainer.scores_due() {
                assert_eq!(trainer.score_tasks().await.unwrap().at.step, step);
                due.push(step);
            }
            assert!(!trainer.scores_due());
        }
        assert_eq!(due, expected);
    }
    config.downstream.tasks = vec![];
    assert!(!trainer(&config, &Device::Cpu).await.scores_due());
}

/// What JAX found for a saved run: by task, each item with the log-probabilities of its choices.
type Golden = BTreeMap<String, Vec<Answered>>;

#[derive(Deserialize)]
struct Answered {
    context: String,
    choices: Vec<String>,
    answer: usize,
    log_probabilities: Vec<f64>,
    chosen: Option<usize>,
}

async fn log_probabilities_are_those_of_jax() {
    let characters =
        (&include_bytes!("downstream/characters.safetensors")[..], include_str!("downstream/characters.json"));
    let bpe = (&include_bytes!("downstream/bpe.safetensors")[..], include_str!("downstream/bpe.json"));
    for (checkpoint, golden) in [characters, bpe] {
        let golden: Golden = serde_json::from_str(golden).unwrap();
        let Some(tokenizer) = tokenizer(checkpoint) else { continue };
        for device in [&Device::Cpu, gpu().await] {
            holds(checkpoint, &golden, &tokenizer, device).await;
        }
    }
}

/// The run's tokenizer, where this build has it.
fn tokenizer(checkpoint: &[u8]) -> Option<Tokenizer> {
    let config = Checkpoint::header(checkpoint).unwrap().config;
    match Checkpoint::tokenizer(checkpoint).unwrap() {
        None => Some(Tokenizer::train(config.tokenizer.kind, &config.data.tiny_tales()).unwrap()),
        #[cfg(feature = "tokenizers")]
        Some(json) => Some(Tokenizer::Subword(trainlab::data::Subword::load(json.as_bytes()).unwrap())),
        #[cfg(not(feature = "tokenizers"))]
        Some(_) => None,
    }
}

async fn holds(checkpoint: &[u8], golden: &Golden, tokenizer: &Tokenizer, device: &Device) {
    let config = Checkpoint::header(checkpoint).unwrap().config;
    let text = config.data.tiny_tales();
    let dataset = Dataset::with(&text, tokenizer.clone(), config.data.held_out_fraction).unwrap();
    let resumed = Trainer::resume(&config, Rc::new(dataset), device, checkpoint, |_, _| ()).await;
    let mut trainer = resumed.unwrap_or_else(|error| panic!("{error}"));
    trainer.set_tasks(downstream::items(&config, &text, None).unwrap(), None).unwrap();
    let scores = trainer.score_tasks().await.unwrap();
    let (exam, verdicts) = trainer.exam().unwrap();
    assert_eq!(exam.tasks.len(), golden.len());
    let mut worst = 0f64;
    for ((TaskItems { task, .. }, answers), score) in exam.answers(verdicts).zip(&scores.tasks) {
        let expected = &golden[&task.name()];
        assert_eq!(answers.len(), expected.len());
        for (answer, expected) in answers.iter().zip(expected) {
            let item = answer.item;
            assert_eq!(
                (&item.context, &item.choices, item.answer),
                (&expected.context, &expected.choices, expected.answer)
            );
            for (ours, theirs) in answer.log_probabilities.iter().zip(&expected.log_probabilities) {
                worst = worst.max((ours - theirs).abs());
            }
            assert_eq!(answer.chosen, expected.chosen, "{}: {item:?}", device.name());
        }
        let right = expected.iter().filter(|answered| answered.chosen == Some(answered.answer)).count();
        assert_eq!(score.accuracy, right as f64 / expected.len() as f64);
    }
    println!("{}, {:?}: log-probabilities are off by {worst:.1e}", device.name(), config.tokenizer.kind);
    assert!(worst <= 1e-4, "{}: log-probabilities are off by {worst:.1e}", device.name());
}

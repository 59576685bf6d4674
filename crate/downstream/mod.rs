//! Downstream tasks: what a model can do, and not only how well it predicts.
//!
//! item (a context and its candidates) → rows of tokens → log-probabilities → scores.
//!
//! - [`stories`] asks about TinyTales' stories, whose truth is known
//! - [`puzzles`] asks for pairs of words and for strings
//! - [`own`] reads a visitor's file
//! - [`overlap`] finds the items that occur in the training text: none of them is asked
//! - [`rows`] cuts context and candidate into tokens, as EleutherAI's lm-evaluation-harness does
//! - [`score`] makes figures of log-probabilities
//!
//! Nothing here knows a device; the trainer plays the rows through the recording that validates.

mod overlap;
pub mod own;
mod puzzles;
pub mod rows;
pub mod score;
mod stories;

use serde::Serialize;

use crate::config::{Config, DownstreamConfig, Task};
use crate::data::split;
use crate::error::{Error, Problem, Result};
use crate::random::{Random, Stream};
pub use own::OwnTasks;
pub use rows::{Exam, Row, Tokenised};
pub use score::{Answer, DistanceScore, Scores, TaskScore, scores};

/// A question with its candidates. The context ends without a space, a candidate begins with one and ends with a full
/// stop, so that none is another's beginning. A single candidate has to be written by the model itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    pub context: String,
    pub choices: Vec<String>,
    /// Which of them is right.
    pub answer: usize,
    /// How much lies between what decides the answer and the question: sentences of a story, pairs, letters of a string.
    /// None where nobody knows.
    pub distance: Option<usize>,
    /// Where in the context that which decides ends, in bytes; None where it is no one place, or nobody knows.
    pub fact: Option<usize>,
}

/// The items of one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskItems {
    pub task: Task,
    pub items: Vec<Item>,
    /// Of a visitor's items, those that were left out because they occur in the training text.
    pub dropped: usize,
}

/// The items of a config's tasks, none of which occurs in the part of `text` that is trained on. They depend on the
/// tasks' seed alone, but for those that are drawn again because they occur.
///
/// # Errors
/// Where own tasks are wanted and not there, or all that there are occur in the text.
pub fn items(config: &Config, text: &str, own: Option<&OwnTasks>) -> Result<Vec<TaskItems>> {
    let (training, _) = split(text, config.data.held_out_fraction)?;
    config.tasks().into_iter().map(|task| task_items(task, &config.downstream, training, own)).collect()
}

fn task_items(task: Task, config: &DownstreamConfig, training: &str, own: Option<&OwnTasks>) -> Result<TaskItems> {
    let wanted = config.items as usize;
    if task == Task::Own {
        let given = own.ok_or_else(no_file)?;
        let mut items = given.items.clone();
        leave_out_known(&mut items, training);
        let dropped = given.items.len() - items.len();
        if items.is_empty() {
            return Err(all_known(dropped));
        }
        items.truncate(wanted);
        return Ok(TaskItems { task, items, dropped });
    }
    let mut items: Vec<Item> = vec![];
    let mut number = 0;
    while items.len() < wanted {
        // As many as are missing, without those that the text has.
        let mut drawn = vec![];
        while items.len() + drawn.len() < wanted {
            // Tasks have streams of their own, a million each.
            let mut random = Random::new(config.seed.into(), Stream::Item((task as u32) << 24 | number));
            drawn.extend(draw(task, config.distance as usize, &mut random));
            number += 1;
        }
        leave_out_known(&mut drawn, training);
        items.extend(drawn);
    }
    Ok(TaskItems { task, items, dropped: 0 })
}

/// Drops the items that occur in the training text.
fn leave_out_known(items: &mut Vec<Item>, training: &str) {
    let known = overlap::occurring(training, &items.iter().map(Item::told).collect::<Vec<_>>());
    let mut known = known.into_iter();
    items.retain(|_| known.next() == Some(false));
}

/// An item of a task, where this draw gives one.
fn draw(task: Task, distance: usize, random: &mut Random) -> Option<Item> {
    let item = match task {
        Task::KeyValue => puzzles::key_value(random),
        Task::Copy | Task::Reverse => return Some(puzzles::string(task, random)),
        _ => stories::item(task, random)?,
    };
    (item.distance <= Some(distance)).then_some(item)
}

impl Item {
    /// The text with the right answer.
    fn told(&self) -> String {
        format!("{}{}", self.context, self.choices[self.answer])
    }

    /// What a guess reaches.
    pub fn chance(&self) -> f64 {
        if self.choices.len() == 1 { 0.0 } else { 1.0 / self.choices.len() as f64 }
    }

    /// With the right choice and the wrong ones in an order that says nothing.
    fn shuffled(context: String, right: String, wrong: Vec<String>, distance: usize, random: &mut Random) -> Self {
        // Where it lies is for those to say who know.
        let fact = None;
        let answer = random.below(wrong.len() as u32 + 1) as usize;
        let mut choices = wrong;
        choices.insert(answer, right);
        Self { context, choices, answer, distance: Some(distance), fact }
    }
}

fn no_file() -> Error {
    Error::refused(Problem::new(
        "downstream.tasks",
        "own, without a file",
        "own tasks with a file of JSON Lines: {\"context\": \"…\", \"choices\": [\"…\"], \"answer\": 0}",
        "Choose the file, or leave own tasks out.",
    ))
}

fn all_known(dropped: usize) -> Error {
    Error::refused(Problem::new(
        "downstream.tasks",
        format!("own tasks, all {dropped} of which occur in the training text"),
        "questions that the model has not read with their answers",
        "Take other questions, or leave own tasks out.",
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::STORY_LIMIT;

    const DRAWN: [Task; 8] = [
        Task::Cloze,
        Task::Agreement,
        Task::Count,
        Task::Tracking,
        Task::Recall,
        Task::KeyValue,
        Task::Copy,
        Task::Reverse,
    ];

    fn config(tasks: &[Task]) -> Config {
        let mut config = Config::default();
        (config.downstream.tasks, config.downstream.items) = (tasks.to_vec(), 200);
        config.data.text_bytes = 200_000;
        config
    }

    fn of(config: &Config) -> Vec<TaskItems> {
        items(config, &config.data.tiny_tales(), None).unwrap()
    }

    #[test]
    fn items_are_whole_and_different() {
        for TaskItems { task, items, dropped } in of(&config(&DRAWN)) {
            assert_eq!((items.len(), dropped), (200, 0), "{task:?}");
            let choices = match task {
                Task::Agreement => 2,
                Task::Copy | Task::Reverse => 1,
                _ => 4,
            };
            for item in &items {
                assert_eq!(item.choices.len(), choices, "{item:?}");
                assert_eq!(item.choices.iter().collect::<HashSet<_>>().len(), choices, "{item:?}");
                assert!(!item.context.is_empty() && !item.context.ends_with(' '), "{item:?}");
                assert!(item.choices.iter().all(|choice| choice.starts_with(' ') && choice.ends_with('.')), "{item:?}");
                let near = choices == 1 || item.distance <= Some(30);
                assert!(item.told().len() < STORY_LIMIT && near, "{item:?}");
            }
            assert_eq!(items.iter().map(Item::told).collect::<HashSet<_>>().len(), 200, "{task:?}");
            // Where the right answer stands says nothing: 200 draws, four standard deviations.
            let first = items.iter().filter(|item| item.answer == 0).count() as f64;
            let expected = 200.0 / choices as f64;
            assert!((first - expected).abs() <= 4.0 * (expected * (1.0 - 1.0 / choices as f64)).sqrt(), "{first}");
        }
    }

    #[test]
    fn a_seed_is_a_set_and_a_larger_one_begins_with_the_smaller() {
        let small = of(&config(&DRAWN));
        let mut larger = config(&DRAWN);
        larger.downstream.items = 230;
        for (small, larger) in small.iter().zip(of(&larger)) {
            assert_eq!(small.items, larger.items[..200]);
        }
        let mut other = config(&DRAWN);
        other.downstream.seed = 2;
        for (small, other) in small.iter().zip(of(&other)) {
            assert!(small.items.iter().zip(&other.items).filter(|(a, b)| a == b).count() < 5);
        }
    }

    #[test]
    fn what_lies_between_keeps_to_the_distance() {
        let mut config = config(&[Task::Cloze, Task::Count, Task::Tracking, Task::Recall]);
        let far = of(&config);
        config.downstream.distance = 0;
        for (near, far) in of(&config).iter().zip(far) {
            assert!(near.items.iter().all(|item| item.distance == Some(0)), "{near:?}");
            assert!(far.items.iter().any(|item| item.distance > Some(4)), "{:?}", far.task);
        }
    }

    #[test]
    fn no_item_occurs_in_the_training_text() {
        for task in DRAWN {
            let config = config(&[task]);
            let text = config.data.tiny_tales();
            let drawn = of(&config).swap_remove(0).items;
            // The same items, one of them in the part that is trained on, another in the held-out one.
            let [known, held_out] = [&drawn[3], &drawn[7]].map(Item::told);
            let polluted = format!("One day.\n\n{known}\n\n{text}\n\n{held_out}\n\n");
            let drawn_again = items(&config, &polluted, None).unwrap().swap_remove(0).items;
            assert_eq!(drawn_again.len(), 200);
            assert!(!drawn_again.contains(&drawn[3]), "{task:?}: it was trained on");
            assert!(drawn_again.contains(&drawn[7]), "{task:?}: it was not");
        }
    }

    #[test]
    fn own_items_that_are_known_are_left_out() {
        let own = OwnTasks::parse(concat!(
            r#"{"context": "Tom had", "choices": [" a hat.", " a cat."], "answer": 1}"#,
            "\n",
            r#"{"context": "Zog had", "choices": [" a hat.", " a cat."], "answer": 1}"#,
        ));
        let own = own.unwrap();
        let mut config = config(&[Task::Own, Task::Cloze]);
        config.data.corpus = crate::data::Corpus::Own;
        let text = "Tom had a cat. Tom had a hat. Zog had a hat. ".repeat(50);
        let all = items(&config, &text, Some(&own)).unwrap();
        assert_eq!(all.len(), 1, "stories are TinyTales'");
        assert_eq!((all[0].items.as_slice(), all[0].dropped), (&own.items[1..], 1));
        let error = items(&config, &text.replace("Zog had a hat", "Zog had a cat"), Some(&own)).unwrap_err();
        assert!(error.to_string().contains("all 2 of which occur"), "{error}");
        assert!(items(&config, &text, None).unwrap_err().to_string().contains("Choose the file"));
    }
}

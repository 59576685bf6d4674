//! What a model's log-probabilities come to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Exam, Item, TaskItems};
use crate::clock::Moment;
use crate::data::by_position::bucket;

/// What the model said to one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The candidate's log-probability, in nats: the sum over its tokens.
    pub log_probability: f64,
    /// Whether no other token was likelier at any place of the candidate: the model would have written it.
    pub written: bool,
}

/// What the model made of an item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer<'a> {
    #[serde(flatten)]
    pub item: &'a Item,
    /// Of each choice.
    pub log_probabilities: Vec<f64>,
    /// The likeliest; null where the only one was not what the model would have written.
    pub chosen: Option<usize>,
    /// The same by log-probability per byte of the choice.
    pub chosen_per_byte: Option<usize>,
    /// Tokens between the end of the fact and the answer; null where the item has no such fact.
    pub distance_in_tokens: Option<usize>,
}

/// What a model scored on one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskScore {
    pub task: String,
    pub items: usize,
    /// The share of items that were answered right.
    pub accuracy: f64,
    /// √(p (1 − p) / (n − 1)), as the lm-evaluation-harness has it.
    pub standard_error: f64,
    /// What guessing reaches.
    pub chance: f64,
    /// The same as `accuracy` where candidates are compared by log-probability per byte.
    pub accuracy_per_byte: f64,
    /// The same by how far back the fact lies, the nearest first; none for a task without such facts.
    pub by_distance: Vec<DistanceScore>,
}

/// What a model scored on the items whose facts lie at most `last` tokens back, and more than half of that: 1, 2, 3–4, …
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DistanceScore {
    pub last: u32,
    pub items: usize,
    pub accuracy: f64,
    pub standard_error: f64,
    pub chance: f64,
}

/// What a model scored after so many steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    #[serde(flatten)]
    pub at: Moment,
    /// The mean over the tasks.
    pub accuracy: f64,
    /// Of that mean: √Σ SE² / tasks.
    pub standard_error: f64,
    pub tasks: Vec<TaskScore>,
}

impl Exam {
    /// The answers, task by task. `verdicts` are those of the rows.
    pub fn answers<'a>(&'a self, verdicts: &'a [Verdict]) -> impl Iterator<Item = (&'a TaskItems, Vec<Answer<'a>>)> {
        assert_eq!(verdicts.len(), self.rows.len(), "a verdict for each row");
        let mut left = verdicts;
        let mut distances = self.distances.iter().copied();
        self.tasks.iter().map(move |task| {
            let answers = task.items.iter().map(|item| {
                let (verdicts, rest) = left.split_at(item.choices.len());
                left = rest;
                let distance_in_tokens = distances.next().flatten();
                Answer { distance_in_tokens, ..Answer::new(item, verdicts) }
            });
            let answers = answers.collect();
            (task, answers)
        })
    }
}

impl<'a> Answer<'a> {
    fn new(item: &'a Item, verdicts: &[Verdict]) -> Self {
        let log_probabilities: Vec<f64> = verdicts.iter().map(|verdict| verdict.log_probability).collect();
        if let [Verdict { written, .. }] = *verdicts {
            let chosen = written.then_some(0);
            return Self { item, log_probabilities, chosen, chosen_per_byte: chosen, distance_in_tokens: None };
        }
        let per_byte: Vec<f64> =
            log_probabilities.iter().zip(&item.choices).map(|(log, choice)| log / choice.len() as f64).collect();
        let (chosen, chosen_per_byte) = (likeliest(&log_probabilities), likeliest(&per_byte));
        Self { item, log_probabilities, chosen, chosen_per_byte, distance_in_tokens: None }
    }
}

/// The first of the largest.
fn likeliest(values: &[f64]) -> Option<usize> {
    (0..values.len()).reduce(|best, i| if values[i] > values[best] { i } else { best })
}

/// The scores by task, and their mean with its standard error.
pub fn scores(exam: &Exam, verdicts: &[Verdict]) -> (Vec<TaskScore>, f64, f64) {
    let tasks: Vec<TaskScore> = exam.answers(verdicts).map(|(task, answers)| score(task, &answers)).collect();
    let count = tasks.len() as f64;
    let accuracy = tasks.iter().map(|task| task.accuracy).sum::<f64>() / count;
    let variance: f64 = tasks.iter().map(|task| task.standard_error.powi(2)).sum();
    (tasks, accuracy, variance.sqrt() / count)
}

fn score(TaskItems { task, items, .. }: &TaskItems, answers: &[Answer]) -> TaskScore {
    let count = items.len() as f64;
    let share = |chosen: &dyn Fn(&Answer) -> Option<usize>| {
        answers.iter().filter(|answer| chosen(answer) == Some(answer.item.answer)).count() as f64 / count
    };
    let accuracy = share(&|answer| answer.chosen);
    TaskScore {
        task: task.name(),
        items: items.len(),
        accuracy,
        standard_error: standard_error(accuracy, items.len()),
        chance: items.iter().map(Item::chance).sum::<f64>() / count,
        accuracy_per_byte: share(&|answer| answer.chosen_per_byte),
        by_distance: by_distance(answers),
    }
}

/// √(p (1 − p) / (n − 1)); one item alone says nothing about others.
fn standard_error(accuracy: f64, items: usize) -> f64 {
    (accuracy * (1.0 - accuracy) / (items as f64 - 1.0).max(1.0)).sqrt()
}

fn by_distance(answers: &[Answer]) -> Vec<DistanceScore> {
    let mut buckets: BTreeMap<usize, Vec<&Answer>> = BTreeMap::new();
    for answer in answers {
        if let Some(distance) = answer.distance_in_tokens {
            buckets.entry(bucket(distance.max(1))).or_default().push(answer);
        }
    }
    let score = |(bucket, answers): (usize, Vec<&Answer>)| {
        let items = answers.len();
        let right = answers.iter().filter(|answer| answer.chosen == Some(answer.item.answer)).count();
        let accuracy = right as f64 / items as f64;
        DistanceScore {
            last: 1 << bucket,
            items,
            accuracy,
            standard_error: standard_error(accuracy, items),
            chance: answers.iter().map(|answer| answer.item.chance()).sum::<f64>() / items as f64,
        }
    };
    buckets.into_iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Task;
    use crate::downstream::rows::texts;

    fn exam() -> Exam {
        let item = |choices: &[&str], answer| Item {
            context: "a".to_owned(),
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            answer,
            distance: None,
            fact: None,
        };
        let first = vec![item(&[" b.", " ccccccc."], 1), item(&[" b.", " ccccccc."], 0), item(&[" x", " y"], 1)];
        let second = vec![item(&[" b."], 0), item(&[" b."], 0)];
        let tasks = vec![
            TaskItems { task: Task::Own, items: first, dropped: 0 },
            TaskItems { task: Task::Copy, items: second, dropped: 0 },
        ];
        let tokens = texts(&tasks).iter().map(|text| text.bytes().map(u32::from).collect()).collect();
        Exam::new(tasks, tokens, 64, 256).unwrap()
    }

    #[test]
    fn scores_by_distance_are_those_of_their_items() {
        let mut exam = exam();
        exam.distances = vec![Some(3), Some(9), Some(4), None, Some(0)];
        let verdicts: Vec<Verdict> = [-3.0, -6.0, -3.0, -6.0, -9.0, -1.0, -9.0, -0.1]
            .into_iter()
            .map(|log_probability| Verdict { log_probability, written: false })
            .collect();
        let (tasks, ..) = scores(&exam, &verdicts);
        let near = DistanceScore { last: 4, items: 2, accuracy: 0.5, standard_error: 0.5, chance: 0.5 };
        let far = DistanceScore { last: 16, items: 1, accuracy: 1.0, standard_error: 0.0, chance: 0.5 };
        assert_eq!(tasks[0].by_distance, [near, far]);
        assert_eq!(tasks[1].by_distance.iter().map(|at| (at.last, at.items)).collect::<Vec<_>>(), [(1, 1)]);
    }

    #[test]
    fn the_likeliest_choice_is_what_the_model_chose() {
        let exam = exam();
        let verdicts: Vec<Verdict> = [-3.0, -6.0, -3.0, -6.0, -1.0, -1.0, -9.0, -0.1]
            .into_iter()
            .enumerate()
            .map(|(i, log_probability)| Verdict { log_probability, written: i == 6 })
            .collect();
        let (tasks, accuracy, error) = scores(&exam, &verdicts);
        // Per byte, −6/9 is more than −3/3. Of equals the first is chosen.
        assert_eq!((tasks[0].accuracy, tasks[0].accuracy_per_byte, tasks[0].chance), (1.0 / 3.0, 1.0 / 3.0, 0.5));
        let all: Vec<_> = exam.answers(&verdicts).flat_map(|(_, answers)| answers).collect();
        let chosen: Vec<_> = all.iter().map(|answer| (answer.chosen, answer.chosen_per_byte)).collect();
        let expected = [(0, 1), (0, 1), (0, 0)].map(|(a, b)| (Some(a), Some(b)));
        assert_eq!(chosen[..3], expected);
        assert_eq!(all[0].log_probabilities, [-3.0, -6.0]);
        // Written or not, whatever the probability.
        assert_eq!(chosen[3..], [(Some(0), Some(0)), (None, None)]);
        assert_eq!((tasks[1].accuracy, tasks[1].chance, tasks[1].items), (0.5, 0.0, 2));
        let [a, b] = [(1.0 / 3.0 * 2.0 / 3.0 / 2.0f64).sqrt(), (0.25f64).sqrt()];
        assert!((tasks[0].standard_error - a).abs() < 1e-12 && (tasks[1].standard_error - b).abs() < 1e-12);
        assert!((accuracy - 5.0 / 12.0).abs() < 1e-12);
        assert!((error - (a * a + b * b).sqrt() / 2.0).abs() < 1e-12);
    }
}

//! Tasks that the model is asked to do while it trains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, Corpus, Task};

/// What the model can do: tasks with known answers, scored alike for every tokenizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DownstreamConfig {
    /// What it is asked. Tasks about stories need TinyTales; on other texts only your own are scored.
    ///
    /// Context and answer are cut into tokens together; the answer whose tokens have the largest summed log-probability
    /// is what the model chose, as in EleutherAI's lm-evaluation-harness. The questions are drawn apart from the text, and
    /// none of them occurs in what is trained on. Random guesses reach what is shown as chance.
    #[schemars(extend("uniqueItems" = true))]
    pub tasks: Vec<Task>,
    /// Questions of each task, at most. A score's standard error is about 0.5 / √questions: 7 points with 50, 3.5 with 200.
    #[schemars(range(min = 10, max = 5000), extend("x-unit" = "questions", "x-advanced" = true))]
    pub items: u32,
    /// Steps between scores; 0 scores at the start and the end only.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-unit" = "steps"))]
    pub every: u32,
    /// How many sentences may lie between what decides an answer and the question. Few ask for little memory; 30 are
    /// more than any story has.
    #[schemars(range(min = 0, max = 30), extend("x-unit" = "sentences", "x-advanced" = true))]
    pub distance: u32,
    /// Decides which questions are drawn.
    #[schemars(range(min = 0, max = 4_294_967_295_u32), extend("x-advanced" = true))]
    pub seed: u32,
}

impl Config {
    /// The tasks that are scored on this config's text.
    pub fn tasks(&self) -> Vec<Task> {
        let stories = self.data.corpus == Corpus::TinyTales;
        self.downstream.tasks.iter().copied().filter(|&task| stories || task == Task::Own).collect()
    }
}

impl Default for DownstreamConfig {
    fn default() -> Self {
        let tasks = vec![Task::Cloze, Task::Agreement, Task::Count, Task::Tracking, Task::Recall];
        Self { tasks, items: 50, every: 1000, distance: 30, seed: 1 }
    }
}

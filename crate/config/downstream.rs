//! Tasks that the model is asked to do while it trains.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, Corpus};

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

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// A story's word that an earlier sentence has fixed: where was the lamp put? Four containers to choose from
    /// (after LAMBADA; Paperno et al. 2016, arXiv 1606.06031).
    Cloze,
    /// “was” or “were”, next to the subject or with another noun between (after BLiMP; Warstadt et al. 2020,
    /// arXiv 1912.00582).
    Agreement,
    /// How many there are, after some were found, eaten or given away; four numbers in a row to choose from.
    Count,
    /// Who has it, after one to three changes of hands? Four of the story's people and animals to choose from.
    Tracking,
    /// The made-up name of one of four animals that were named; their four names to choose from.
    Recall,
    /// Four pairs of words, then one of the first words again: which word goes with it? (Zoology; Arora et al. 2023,
    /// arXiv 2312.04927.) Needs `data.practice` of the same name.
    KeyValue,
    /// Write a string of 5 to 40 letters again, all of it right; 20 is the longest in training. Needs `data.practice`
    /// (Kazemnejad et al. 2023, arXiv 2305.19466).
    Copy,
    /// The same backwards.
    Reverse,
    /// Your own questions, from a file of JSON Lines: {"context": "…", "choices": [" yes.", " no."], "answer": 0}.
    /// With a single choice the model has to write it by itself.
    Own,
}

impl Task {
    /// The name in configs and figures.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).expect("names are JSON");
        name.as_str().expect("names are text").to_owned()
    }
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

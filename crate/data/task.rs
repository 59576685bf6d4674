//! What a model can be asked: of stories, of exercises, of a visitor's own questions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

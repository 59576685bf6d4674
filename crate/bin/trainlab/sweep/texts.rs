//! The texts of a sweep's runs, tokenised: the last few stay, for neighbours share them.

use std::path::PathBuf;
use std::rc::Rc;

use serde_json::json;
use trainlab::config::Config;
use trainlab::data::{Dataset, Subword};
use trainlab::downstream::TaskItems;
use trainlab::error::Result;

use super::SweepArgs;
use crate::input;

/// Texts that are kept, tokens and all.
const KEPT: usize = 4;

pub struct Texts {
    text: Option<PathBuf>,
    tokenizer: Option<PathBuf>,
    tasks: Option<PathBuf>,
    /// The latest last, by what decides them.
    kept: Vec<(String, Rc<Text>)>,
}

pub struct Text {
    text: String,
    pub dataset: Rc<Dataset>,
    tasks: Option<PathBuf>,
}

impl Texts {
    pub fn new(args: &SweepArgs) -> Self {
        let SweepArgs { text, tokenizer, tasks, .. } = args;
        Self { text: text.clone(), tokenizer: tokenizer.clone(), tasks: tasks.clone(), kept: vec![] }
    }

    pub fn of(&mut self, config: &Config) -> Result<Rc<Text>> {
        let key = json!([config.data, config.tokenizer]).to_string();
        if let Some(at) = self.kept.iter().position(|(known, _)| *known == key) {
            let found = self.kept.remove(at);
            self.kept.push(found);
        } else {
            let text = input::text(config, self.text.as_deref())?;
            let file: Option<Subword> = self.tokenizer.as_deref().map(input::load_tokenizer).transpose()?;
            let dataset = Rc::new(input::tokenised(config, &text, file)?);
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push((key, Rc::new(Text { text, dataset, tasks: self.tasks.clone() })));
        }
        Ok(Rc::clone(&self.kept[self.kept.len() - 1].1))
    }
}

impl Text {
    /// What the models are asked.
    pub fn tasks(&self, config: &Config) -> Result<Vec<TaskItems>> {
        input::tasks(config, &self.text, self.tasks.as_deref())
    }
}

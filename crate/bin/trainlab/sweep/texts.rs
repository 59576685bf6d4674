//! The texts of a sweep's runs, tokenised: the last few stay, for neighbours share them.

use std::rc::Rc;

use serde_json::json;
use trainlab::config::Config;
use trainlab::data::Dataset;
use trainlab::downstream::TaskItems;
use trainlab::error::Result;

use crate::input::{self, FileArgs};

/// Texts that are kept, tokens and all.
const KEPT: usize = 4;

pub struct Texts {
    files: FileArgs,
    /// The latest last, by what decides them.
    kept: Vec<(String, Rc<Text>)>,
}

pub struct Text {
    text: String,
    pub dataset: Rc<Dataset>,
    files: FileArgs,
}

impl Texts {
    pub fn new(files: &FileArgs) -> Self {
        Self { files: files.clone(), kept: vec![] }
    }

    pub fn of(&mut self, config: &Config) -> Result<Rc<Text>> {
        let key = json!([config.data, config.tokenizer]).to_string();
        if let Some(at) = self.kept.iter().position(|(known, _)| *known == key) {
            let found = self.kept.remove(at);
            self.kept.push(found);
        } else {
            let text = self.files.text(config)?;
            let dataset = Rc::new(input::tokenised(config, &text, self.files.tokenizer()?)?);
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push((key, Rc::new(Text { text, dataset, files: self.files.clone() })));
        }
        Ok(Rc::clone(&self.kept[self.kept.len() - 1].1))
    }
}

impl Text {
    /// What the models are asked.
    pub fn tasks(&self, config: &Config) -> Result<Vec<TaskItems>> {
        self.files.tasks(config, &self.text)
    }
}

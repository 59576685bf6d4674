//! What a longer context costs: whole training steps and each of their kernels, timed over a grid of contexts and widths
//! with as many tokens in every step.
//!
//! [`report`](Report) says what follows: by how much each doubling slows training, which part of a step grows, where
//! attention overtakes the products and where the law of [`crate::cost`] puts that. The command line and the page both
//! print what is found here. [`published`] has others' measurements, [`stored`] what attention costs that stores its
//! matrix.

mod measure;
pub mod published;
mod report;
pub mod stored;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::{self, Config};
use crate::error::{Error, Problem, Result};

pub use measure::{Cell, PartTime, measure};
pub use report::{Crossover, Doubling, Prediction, Report};

/// A grid of contexts and widths.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Experiment {
    /// Everything that the grid leaves alone. Of its model it takes the size of a head, how many share keys and values,
    /// and the MLP's hidden size beside the width.
    pub base: Config,
    /// Contexts, in tokens, each longer than the one before.
    pub lengths: Vec<u32>,
    pub widths: Vec<u32>,
    /// Tokens of every step: a context more is a sequence less.
    pub tokens: u32,
    /// Seconds spent on each figure, about: on a cell's steps, and on each of its kernels a tenth of that.
    pub budget: f64,
}

impl Experiment {
    /// # Errors
    /// Where the grid is empty or not in order, a length does not divide the tokens, or a cell's config is refused.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, value: String, allowed: String, advice: &str| {
            Err(Error::refused(Problem::new(field, value, allowed, advice)))
        };
        for (field, list) in [("lengths", &self.lengths), ("widths", &self.widths)] {
            if list.is_empty() || !list.is_sorted_by(|a, b| a < b) {
                let allowed = "numbers, each larger than the one before".to_owned();
                return refuse(field, format!("{list:?}"), allowed, "Sort them, and name each once.");
            }
        }
        for &length in &self.lengths {
            if length == 0 || !self.tokens.is_multiple_of(length) {
                let allowed = format!("divisors of the tokens of a step ({})", self.tokens);
                return refuse("lengths", length.to_string(), allowed, "Take powers of two for both.");
            }
        }
        self.cells().try_for_each(|(width, length)| self.config(width, length).map(|_| ()))
    }

    /// (width, length), the lengths of each width together.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u32)> {
        self.widths.iter().flat_map(|&width| self.lengths.iter().map(move |&length| (width, length)))
    }

    /// # Errors
    /// Where the base's heads do not fit the width, or another option does not.
    pub fn config(&self, width: u32, length: u32) -> Result<Config> {
        let model = &self.base.model;
        let head_size = model.head_size().min(width);
        if !width.is_multiple_of(head_size) {
            let allowed = format!("multiples of the size of a head, model.width / model.heads ({head_size})");
            return Err(Error::refused(Problem::new("widths", width, allowed, "Change the width or model.heads.")));
        }
        let heads = width / head_size;
        let sharing = model.heads / model.key_value_heads();
        let mut config = self.base.clone();
        let of = &mut config.model;
        (of.width, of.context, of.heads) = (width, length, heads);
        of.hidden = (u64::from(model.hidden) * u64::from(width) / u64::from(model.width)).max(4) as u32 / 4 * 4;
        of.kv_heads = if sharing == 1 { 0 } else { (heads / sharing).max(1) };
        (config.training.batch_size, config.training.accumulation) = (self.tokens / length, 1);
        config.evaluation.context = 0;
        config::parse(&json!(config))
    }
}

/// Two layers whose heads of 32 channels fit all widths that are usually measured; fields of `model`.
pub fn usual_model() -> Value {
    json!({"layers": 2, "width": 128, "heads": 4, "hidden": 512})
}

/// What the page measures: within a minute or two on the CPU device in a browser.
pub fn lesson() -> Result<Experiment> {
    let base = config::parse(&json!({"model": usual_model()}))?;
    let (lengths, widths) = (vec![64, 128, 256, 512, 1024], vec![32, 64, 128]);
    Ok(Experiment { base, lengths, widths, tokens: 1024, budget: 0.3 })
}

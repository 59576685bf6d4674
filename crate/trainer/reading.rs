//! What steps read: a batch's rows laid out, for each length of sequence that a run has.

use crate::config::Config;
use crate::data::{Batches, Dataset, Rows};
use crate::error::Result;
use crate::kernels::embedding::EmbedShape;
use crate::plan::{Pass, Plan, Uploader};

/// The steps at one length.
pub(super) struct Reading {
    pub batches: Batches,
    /// Of the step that was last laid out.
    pub rows: Rows,
    pub uploader: Uploader,
}

impl Reading {
    fn new(config: &Config, pass: &Pass, dataset: &Dataset) -> Result<Self> {
        let EmbedShape { batch, context, .. } = pass.shape;
        let sequences = batch * config.training.accumulation as usize;
        let batches = Batches::new(dataset.train.len(), sequences, context, config.training.seed.into())?;
        let batches = batches.packed(config.data.packing, dataset.documents())?;
        Ok(Self { rows: batches.rows(), uploader: Uploader::new(pass.shape), batches })
    }

    /// Lays out the rows of a step.
    pub fn lay(&mut self, step: u32, dataset: &Dataset) {
        self.batches.fill(step, &dataset.train, &mut self.rows);
    }

    pub fn rows_of(&self, step: u32, dataset: &Dataset) -> Rows {
        let mut rows = self.batches.rows();
        self.batches.fill(step, &dataset.train, &mut rows);
        rows
    }
}

/// All lengths of a run: the whole context, and the shorter ones that the plan begins with.
pub(super) struct Readings {
    whole: Reading,
    shorter: Vec<Reading>,
}

impl Readings {
    pub fn new(config: &Config, plan: &Plan, dataset: &Dataset) -> Result<Self> {
        let shorter = plan.shorter.iter().map(|shorter| Reading::new(config, &shorter.train, dataset));
        Ok(Self { shorter: shorter.collect::<Result<_>>()?, whole: Reading::new(config, &plan.train, dataset)? })
    }

    /// That of the shorter length `shorter`, or of the whole context.
    pub fn at(&mut self, shorter: Option<usize>) -> &mut Reading {
        match shorter {
            Some(i) => &mut self.shorter[i],
            None => &mut self.whole,
        }
    }

    /// That of the whole context.
    pub fn whole(&self) -> &Reading {
        &self.whole
    }
}

//! How well the held-out text is predicted.

use std::rc::Rc;

use serde::Serialize;

use super::Trainer;
use crate::clock::Moment;
use crate::config::EvaluationConfig;
use crate::data::{self, ByPosition, Tally, Window, bits_per_byte};
use crate::error::Result;
use crate::kernels::Step;
use crate::kernels::embedding::EmbedShape;
use crate::plan::Pass;

/// What a validation showed.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    #[serde(flatten)]
    pub at: Moment,
    /// Nats per token of the held-out text.
    pub loss: f64,
    /// By the true bytes of the scored tokens.
    pub bits_per_byte: f64,
    /// Of the bits per byte, over the windows that were read; null where there was only one.
    pub standard_error: f64,
    /// The same by how much of its window a token has before it.
    pub by_position: ByPosition,
}

impl Trainer {
    /// Whether a validation is due after the steps so far: on schedule, at the start and at the end.
    pub fn evaluation_due(&self) -> bool {
        self.evaluated != Some(self.submitted) && self.on_schedule(self.config.evaluation.every)
    }

    /// Reads the held-out text and says how well the parameters predict it, after the steps so far.
    pub async fn evaluate(&mut self) -> Result<Evaluation> {
        self.pause();
        let EmbedShape { batch, context, .. } = self.plan.validate.shape;
        let dataset = Rc::clone(&self.dataset);
        let windows = dataset.validation_windows(context, self.validation_bytes());
        let mut read = vec![];
        let mut tally = Tally::default();
        for windows in windows.chunks(batch) {
            let tokens: Vec<&[u32]> = windows.iter().map(|window| window.tokens).collect();
            let losses = self.losses(&tokens).await?;
            for (&Window { tokens, first, scored_bytes }, losses) in windows.iter().zip(losses.chunks_exact(context)) {
                let losses = &losses[..tokens.len() - 1];
                read.push((losses.iter().map(|&loss| f64::from(loss)).sum(), scored_bytes));
                tally.add(losses, (first + 1..first + tokens.len()).map(|at| dataset.held_out_bytes_of(at)));
            }
        }
        self.evaluated = Some(self.submitted);
        let nats: f64 = read.iter().map(|(nats, _)| nats).sum();
        let scored: usize = windows.iter().map(|window| window.tokens.len() - 1).sum();
        let bytes: u64 = read.iter().map(|&(_, bytes)| u64::from(bytes)).sum();
        Ok(Evaluation {
            at: self.now(),
            loss: nats / scored as f64,
            bits_per_byte: bits_per_byte(nats, bytes),
            standard_error: data::standard_error(&read),
            by_position: tally.finish(context),
        })
    }

    /// How much of the held-out text a validation reads now: more after the last step, for that is what runs are
    /// compared by.
    pub fn validation_bytes(&self) -> usize {
        let EvaluationConfig { bytes, final_bytes, .. } = self.config.evaluation;
        let last = self.submitted == self.config.training.steps;
        (if last { bytes.max(final_bytes) } else { bytes }) as usize
    }

    /// Plays the recording that validates: the losses (B·T) of at most B rows of at most T+1 tokens. Shorter rows are
    /// filled up at the end, which changes nothing before it; what the filling scores is for the caller to leave out.
    pub(super) async fn losses(&mut self, rows: &[&[u32]]) -> Result<Vec<f32>> {
        let Pass { shape, batch, result, .. } = self.plan.validate;
        let program = self.programs.validate(&mut self.engine, &self.plan, &mut |_, _| ()).await?;
        let mut tokens = vec![0; shape.tokens_len()];
        for (row, tokens) in rows.iter().zip(tokens.chunks_exact_mut(shape.context + 1)) {
            tokens[..row.len()].copy_from_slice(row);
        }
        self.engine.write_ids(batch.tokens, &tokens);
        self.engine.run(program, 0..self.plan.validate.recording.ops.len(), &Step::default(), None)?;
        self.engine.read(result).await
    }
}

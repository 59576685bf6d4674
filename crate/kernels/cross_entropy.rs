//! Softmax cross-entropy, forward and backward fused: the logits are replaced by their gradient in place.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::{Real, max_of, sum_of, wide};

/// loss[r] = log Σ_v exp(logits[r, v]) − logits[r, target], in nats; then
/// logits ← (softmax − onehot(target)) · scale.
///
/// Works on the rows from `first_row` on of a batch of (B, T): large vocabularies are done in chunks.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    pub batch: usize,
    pub context: usize,
    pub vocabulary: usize,
    pub first_row: usize,
    pub rows: usize,
    /// The weight of each row's loss in what is differentiated: 1 / (B·T) for the mean. None: logits stay logits.
    pub gradient_scale: Option<f32>,
    /// Losses are added to what is there.
    pub accumulate: bool,
    /// On a GPU an invocation has a row alone, instead of a workgroup.
    pub alone: bool,
}

impl CrossEntropy {
    fn target(&self, row: usize) -> usize {
        let row = row + self.first_row;
        row / self.context * (self.context + 1) + row % self.context + 1
    }
}

impl Spec for CrossEntropy {
    fn bindings(&self) -> Vec<Binding> {
        let logits = if self.gradient_scale.is_some() { Binding::update } else { Binding::read };
        let losses = if self.accumulate { Binding::update } else { Binding::write };
        vec![
            Binding::read("tokens", self.batch * (self.context + 1)).ids(),
            logits("logits", self.rows * self.vocabulary),
            losses("losses", self.rows),
        ]
    }

    fn shader(&self) -> Shader {
        Shader::new("cross_entropy", self.bindings())
            .count("CONTEXT", self.context)
            .count("VOCABULARY", self.vocabulary)
            .count("FIRST_ROW", self.first_row)
            .count("ROWS", self.rows)
            .number("SCALE", self.gradient_scale.unwrap_or(0.0))
            .flag("GRADIENT", self.gradient_scale.is_some())
            .flag("ACCUMULATE", self.accumulate)
            .rows(self.rows, self.alone)
            .part(include_str!("../../shaders/cross_entropy.wgsl"))
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [tokens, logits, losses] = args.take();
        let (tokens, losses) = (tokens.ids(), losses.write());
        if !self.accumulate {
            losses.fill(R::ZERO);
        }
        // A sum of exponentials that were shifted by the row's maximum.
        let loss_and_shift = |row: usize, logits: &[R]| {
            let target = tokens[self.target(row)] as usize;
            let log_sum = wide(|| {
                let max = max_of(logits);
                max + sum_of(logits, |logit| (logit - max).exp()).ln()
            });
            (log_sum - logits[target], log_sum, target)
        };
        match self.gradient_scale {
            None => {
                for (row, logits) in logits.read().chunks_exact(self.vocabulary).enumerate() {
                    losses[row] += loss_and_shift(row, logits).0;
                }
            }
            Some(scale) => {
                let scale = R::of(scale.into());
                for (row, logits) in logits.write().chunks_exact_mut(self.vocabulary).enumerate() {
                    let (loss, log_sum, target) = loss_and_shift(row, logits);
                    losses[row] += loss;
                    wide(|| logits.iter_mut().for_each(|logit| *logit = (*logit - log_sum).exp() * scale));
                    logits[target] -= scale;
                }
            }
        }
    }
}

//! Sophia's estimate of the curvature: a second pass, every so many steps, on labels drawn from the model.

use super::clip;
use super::state::State;
use crate::config::{Config, OptimizerKind};
use crate::kernels::optimizer::curvature::{Curvature, scramble};
use crate::tape::{Tape, Tensor};

/// Whether a step begins with an estimate: the first one does, and every `estimate_every`-th after it.
pub fn estimates(config: &Config, step: u32) -> bool {
    config.optimizer.kind == OptimizerKind::Sophia && (step - 1).is_multiple_of(config.optimizer.estimate_every)
}

/// Decides the labels of a step. The 0 stands where a micro-batch's number once did, so that runs without them repeat.
pub fn estimate_seed(config: &Config, step: u32) -> u32 {
    scramble(scramble(config.training.seed, step), 0)
}

/// Records what follows the backward pass on drawn labels. It ends as a step does: its gradient is clipped as in the
/// authors' code, and one that is not finite halts the run.
pub fn record_estimate(tape: &mut Tape, config: &Config, losses: Tensor, gradients: Tensor, state: &State) {
    clip(tape, config, losses, gradients, state);
    let kernel = Curvature { len: gradients.len, beta2: config.optimizer.beta2 };
    tape.push_last(kernel, "curvature", &[state.control, gradients, state.tensor("h")]);
}

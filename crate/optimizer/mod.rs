//! From gradients to new parameters: clipping, the update rule, the learning rate's schedule.
//!
//! A rule that sees one parameter at a time is a file in [`crate::kernels::optimizer`] and its shader, no more. Those that
//! look at blocks or whole matrices are recorded by a file here each.

mod adafactor;
mod adamw_8bit;
mod muon;
mod schedule;
mod sophia;
mod state;

pub use schedule::learning_rate;
pub use sophia::{estimates, record_estimate};
pub use state::{Arena, Piece, State, least_bits};

use crate::config::{Config, OptimizerConfig, OptimizerKind};
use crate::kernels::Step;
use crate::kernels::dropout;
use crate::kernels::finish_step::FinishStep;
use crate::kernels::optimizer::update::Update;
use crate::kernels::reduce::SquaredNorm;
use crate::parameters::Parameters;
use crate::tape::{Tape, Tensor};
use state::Run;

/// What updates are recorded with.
struct Recorder<'a> {
    tape: &'a mut Tape,
    settings: &'a OptimizerConfig,
    parameters: &'a Parameters,
    /// Of a step.
    tokens: usize,
    weights: Tensor,
    gradients: Tensor,
    state: &'a State,
}

/// Records what follows the backward pass.
pub fn record(
    tape: &mut Tape,
    config: &Config,
    parameters: &Parameters,
    losses: Tensor,
    weights: Tensor,
    gradients: Tensor,
    state: &State,
) {
    clip(tape, config, losses, gradients, state);
    let tokens = tokens_per_step(config);
    let mut r = Recorder { tape, settings: &config.optimizer, parameters, tokens, weights, gradients, state };
    match config.optimizer.kind {
        OptimizerKind::Sgd
        | OptimizerKind::Adam
        | OptimizerKind::Adamw
        | OptimizerKind::Lion
        | OptimizerKind::Sophia => {
            let all = Run { parameters: 0..parameters.len, state: 0..parameters.len };
            let arenas: Vec<Tensor> = state.arenas.iter().map(|&(_, tensor)| tensor).collect();
            r.update(config.optimizer.clone(), &all, &arenas);
        }
        OptimizerKind::Adamw8bit => adamw_8bit::record(&mut r),
        OptimizerKind::Adafactor => adafactor::record(&mut r),
        OptimizerKind::Muon => muon::record(&mut r),
    }
}

/// The gradient's norm, the mean loss and the clipping scale.
fn clip(tape: &mut Tape, config: &Config, losses: Tensor, gradients: Tensor, state: &State) {
    let partials = tape.transient("gradient norm", SquaredNorm::partials(gradients.len));
    tape.push_last(SquaredNorm { len: gradients.len }, "gradient norm", &[gradients, partials]);
    let micro_batches = config.training.accumulation as usize;
    let clip_norm = (config.optimizer.clip_norm > 0.0).then_some(config.optimizer.clip_norm as f32);
    tape.push_last(
        FinishStep {
            rows: losses.len,
            micro_batches,
            weighted: config.data.packing.is_packed(),
            partials: partials.len,
            clip_norm,
        },
        "loss and clipping",
        &[losses, partials, state.control, state.metrics],
    );
}

fn tokens_per_step(config: &Config) -> usize {
    config.training.batch_size as usize * config.model.context as usize
}

impl Recorder<'_> {
    /// An elementwise rule over a run of parameters; `arenas` are what it keeps.
    fn update(&mut self, settings: OptimizerConfig, run: &Run, arenas: &[Tensor]) {
        let range = run.parameters.clone();
        let decayed = self.parameters.decayed.clamp(range.start, range.end) - range.start;
        let kernel = Update { len: range.len(), decayed, settings, tokens: self.tokens };
        let mut tensors = vec![self.state.control, self.gradients.slice(range.clone()), self.weights.slice(range)];
        tensors.extend(arenas.iter().map(|arena| arena.slice(run.state.clone())));
        self.tape.push_last(kernel, "update", &tensors);
    }

    /// AdamW over those parameters that another rule leaves to it, which keeps for them the arenas m and v.
    fn update_rest(&mut self, runs: &[Run]) {
        let settings = OptimizerConfig { kind: OptimizerKind::Adamw, ..self.settings.clone() };
        for run in runs {
            let arenas = [self.state.tensor("m"), self.state.tensor("v")];
            self.update(settings.clone(), run, &arenas);
        }
    }
}

/// The numbers of one step, counted from 1.
pub fn step(config: &Config, step: u32) -> Step {
    let correction = |beta: f64| (1.0 - beta.powi(step as i32)) as f32;
    let correction2 = match config.optimizer.kind {
        OptimizerKind::Adafactor => f64::from(step).powf(-0.8) as f32,
        _ => correction(config.optimizer.beta2),
    };
    Step {
        step,
        learning_rate: learning_rate(config, step) as f32,
        correction1: correction(config.optimizer.beta1),
        correction2,
        noise: dropout::key(config.training.seed, step),
        seed: sophia::estimate_seed(config, step),
        ..Step::default()
    }
}

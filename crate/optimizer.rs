//! From gradients to new parameters: clipping, the update rule, the learning rate's schedule.

use crate::config::{Config, OptimizerKind, ScheduleKind};
use crate::kernels::Step;
use crate::kernels::adamw::AdamW;
use crate::kernels::dropout;
use crate::kernels::finish_step::{self, FinishStep};
use crate::kernels::reduce::SquaredNorm;
use crate::parameters::Parameters;
use crate::tape::{Buffers, Purpose, Tape, Tensor};

/// The optimizer's memory.
pub struct State {
    /// One arena a moment, by name, of the parameters' length.
    pub moments: Vec<(&'static str, Tensor)>,
    /// Clipping's scale and whether the run has halted; see [`FinishStep`].
    pub control: Tensor,
    /// The last step's loss, gradient norm and halt.
    pub metrics: Tensor,
}

impl State {
    pub fn new(config: &Config, parameters: &Parameters, buffers: &mut Buffers) -> Self {
        let moment = |&name: &&'static str| (name, buffers.add(name, Purpose::Optimizer, parameters.len));
        let moments = moments(config).iter().map(moment).collect();
        Self {
            moments,
            control: buffers.add("control", Purpose::Traffic, finish_step::LEN),
            metrics: buffers.add("metrics", Purpose::Traffic, finish_step::LEN),
        }
    }
}

/// The names of the arenas that the optimizer keeps.
pub fn moments(config: &Config) -> &'static [&'static str] {
    match config.optimizer.kind {
        OptimizerKind::Adamw => &["m", "v"],
    }
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
    let optimizer = &config.optimizer;
    let len = parameters.len;
    let partials = tape.transient("gradient norm", SquaredNorm::partials(len));
    tape.push_last(SquaredNorm { len }, "gradient norm", &[gradients, partials]);
    let micro_batches = config.training.accumulation as usize;
    let clip_norm = (optimizer.clip_norm > 0.0).then_some(optimizer.clip_norm as f32);
    tape.push_last(
        FinishStep { rows: losses.len, micro_batches, partials: partials.len, clip_norm },
        "loss and clipping",
        &[losses, partials, state.control, state.metrics],
    );
    match optimizer.kind {
        OptimizerKind::Adamw => {
            let kernel = AdamW {
                len,
                decayed: parameters.decayed,
                beta1: optimizer.beta1,
                beta2: optimizer.beta2,
                epsilon: optimizer.epsilon,
                weight_decay: optimizer.weight_decay,
            };
            let tensors = [state.control, gradients, weights, state.moments[0].1, state.moments[1].1];
            tape.push_last(kernel, "update", &tensors);
        }
    }
}

/// The numbers of one step, counted from 1.
pub fn step(config: &Config, step: u32) -> Step {
    let correction = |beta: f64| (1.0 - beta.powi(step as i32)) as f32;
    Step {
        step,
        learning_rate: learning_rate(config, step) as f32,
        correction1: correction(config.optimizer.beta1),
        correction2: correction(config.optimizer.beta2),
        noise: dropout::key(config.training.seed, step),
        ..Step::default()
    }
}

/// Linear warm-up to the peak, then the schedule's shape down to `final_fraction` of it at the last step.
pub fn learning_rate(config: &Config, step: u32) -> f64 {
    let (peak, schedule) = (config.optimizer.learning_rate, &config.schedule);
    if step < schedule.warmup_steps {
        return peak * f64::from(step) / f64::from(schedule.warmup_steps);
    }
    let length = f64::from((config.training.steps - schedule.warmup_steps).max(1));
    let done = (f64::from(step - schedule.warmup_steps) / length).min(1.0);
    let remaining = match schedule.kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Linear => 1.0 - done,
        ScheduleKind::Cosine => 0.5 + 0.5 * (std::f64::consts::PI * done).cos(),
    };
    peak * (schedule.final_fraction + (1.0 - schedule.final_fraction) * remaining)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(kind: ScheduleKind, at: u32) -> f64 {
        let mut config = Config::default();
        config.optimizer.learning_rate = 2.0;
        config.schedule.kind = kind;
        config.schedule.warmup_steps = 10;
        config.schedule.final_fraction = 0.1;
        config.training.steps = 110;
        learning_rate(&config, at)
    }

    #[test]
    fn schedules_pass_through_their_points() {
        for kind in [ScheduleKind::Cosine, ScheduleKind::Linear, ScheduleKind::Constant] {
            assert_eq!(rate(kind, 1), 0.2, "{kind:?}");
            assert_eq!(rate(kind, 10), 2.0, "{kind:?}");
        }
        assert!((rate(ScheduleKind::Cosine, 60) - 1.1).abs() < 1e-12);
        assert!((rate(ScheduleKind::Cosine, 35) - (0.2 + 1.8 * (0.5 + 0.125f64.sqrt()))).abs() < 1e-12);
        assert!((rate(ScheduleKind::Linear, 35) - 1.55).abs() < 1e-12);
        assert!((rate(ScheduleKind::Cosine, 110) - 0.2).abs() < 1e-12);
        assert!((rate(ScheduleKind::Linear, 110) - 0.2).abs() < 1e-12);
        assert_eq!(rate(ScheduleKind::Constant, 110), 2.0);
    }
}

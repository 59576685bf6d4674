//! The end of a step's backward pass: the mean loss, the gradient's global norm, and what clipping makes of it.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// metrics = [loss, gradient norm, halted, 0] and control = [scale, halted, 0, 0].
///
/// `scale` = min(1, clip / norm) multiplies the gradient in the update (Pascanu et al. 2013, arXiv 1211.5063).
/// `halted` is set, for good, by the first loss or norm that is not finite: later updates then leave the parameters
/// as they were, whatever steps are still under way.
#[derive(Clone, Debug)]
pub struct FinishStep {
    pub rows: usize,
    /// Each row's loss is the sum over this many micro-batches.
    pub micro_batches: usize,
    /// Losses are weighted already, so that their sum is the mean.
    pub weighted: bool,
    pub partials: usize,
    /// The largest norm that passes unscaled; None switches clipping off.
    pub clip_norm: Option<f32>,
}

/// Elements of `control` and `metrics`.
pub const LEN: usize = 4;

impl FinishStep {
    /// What the sum of all losses is divided by.
    fn losses(&self) -> usize {
        if self.weighted { 1 } else { self.rows * self.micro_batches }
    }
}

impl Spec for FinishStep {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("losses", self.rows),
            Binding::read("partials", self.partials),
            Binding::update("control", LEN),
            Binding::write("metrics", LEN),
        ]
    }

    fn shader(&self) -> Shader {
        Shader::new("finish_step", self.bindings())
            .count("ROWS", self.rows)
            .count("LOSSES", self.losses())
            .count("PARTIALS", self.partials)
            .number("CLIP", self.clip_norm.unwrap_or(0.0))
            .flag("CLIPS", self.clip_norm.is_some())
            .part(include_str!("../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../shaders/finish_step.wgsl"))
            .workgroup([256, 1])
    }

    fn run<R: Real>(&self, args: Args<R>, _: &Step) {
        let [losses, partials, control, metrics] = args.take();
        let (control, metrics) = (control.write(), metrics.write());
        let loss = losses.read().iter().copied().sum::<R>() / R::of(self.losses() as f64);
        let norm = partials.read().iter().copied().sum::<R>().sqrt();
        if !(loss.is_finite() && norm.is_finite()) {
            control[1] = R::ONE;
        }
        control[0] = match self.clip_norm.map(|clip| R::of(clip.into())) {
            Some(clip) if norm > clip => clip / norm,
            _ => R::ONE,
        };
        metrics.copy_from_slice(&[loss, norm, control[1], R::ZERO]);
    }
}

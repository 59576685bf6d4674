//! AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) over a whole arena.

use super::{Args, Binding, Spec, Step, finish_step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
/// θ ← θ − lr · (m̂ / (√v̂ + ε) + λ θ) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ), g scaled by clipping.
#[derive(Clone, Debug)]
pub struct AdamW {
    pub len: usize,
    /// λ applies to the elements before this one: the matrices.
    pub decayed: usize,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
}

impl Spec for AdamW {
    fn bindings(&self) -> Vec<Binding> {
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.len).vec4(),
            Binding::update("parameters", self.len).vec4(),
            Binding::update("m", self.len).vec4(),
            Binding::update("v", self.len).vec4(),
        ]
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4) && self.decayed.is_multiple_of(4), "arenas are padded");
        Shader::new("adamw", self.bindings())
            .count("LEN4", self.len / 4)
            .count("DECAYED4", self.decayed / 4)
            .number("BETA1", self.beta1 as f32)
            .number("BETA2", self.beta2 as f32)
            // Subtracted before rounding: 1 − 0.999 in f32 is off by 1e-5.
            .number("REST1", (1.0 - self.beta1) as f32)
            .number("REST2", (1.0 - self.beta2) as f32)
            .number("EPSILON", self.epsilon as f32)
            .number("WEIGHT_DECAY", self.weight_decay as f32)
            .part(include_str!("../../shaders/adamw.wgsl"))
            .invocations(self.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [control, gradients, parameters, m, v] = args.take();
        let control = control.read();
        let (scale, halted) = (control[0], control[1] != R::ZERO);
        if halted {
            return;
        }
        let (beta1, beta2, epsilon) = (R::of(self.beta1), R::of(self.beta2), R::of(self.epsilon));
        let (rest1, rest2) = (R::of(1.0 - self.beta1), R::of(1.0 - self.beta2));
        let (correction1, correction2) = (R::of(step.correction1.into()), R::of(step.correction2.into()));
        let learning_rate = R::of(step.learning_rate.into());
        let update = |g: R, p: &mut R, m: &mut R, v: &mut R, decay: R| {
            let g = g * scale;
            *m = beta1 * *m + rest1 * g;
            *v = beta2 * *v + rest2 * g * g;
            let direction = *m / correction1 / ((*v / correction2).sqrt() + epsilon);
            *p -= learning_rate * (direction + decay * *p);
        };
        let (gradients, parameters) = (gradients.read(), parameters.write());
        let moments = m.write().iter_mut().zip(v.write());
        for (i, ((p, &g), (m, v))) in parameters.iter_mut().zip(gradients).zip(moments).enumerate() {
            update(g, p, m, v, if i < self.decayed { R::of(self.weight_decay) } else { R::ZERO });
        }
    }
}

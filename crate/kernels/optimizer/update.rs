//! A rule that sees one parameter at a time, over a whole arena.

use super::{adam, adamw, lion, sgd, sophia};
use crate::config::{OptimizerConfig, OptimizerKind};
use crate::gpu::shader::Shader;
use crate::kernels::{Args, Binding, Spec, Step, finish_step};
use crate::real::{Real, wide};

/// p ← update(p, g), with g scaled by clipping. What the rule keeps of each parameter is updated beside it.
#[derive(Clone, Debug)]
pub struct Update {
    pub len: usize,
    /// λ applies to the elements before this one: the matrices.
    pub decayed: usize,
    /// `kind` is one of those that [`state`] knows.
    pub settings: OptimizerConfig,
    /// Tokens whose mean loss the gradient is of.
    pub tokens: usize,
}

/// What an elementwise rule keeps of each parameter, by name; None for the other rules.
pub fn state(settings: &OptimizerConfig) -> Option<&'static [&'static str]> {
    match settings.kind {
        OptimizerKind::Sgd if settings.momentum == 0.0 => Some(&[]),
        OptimizerKind::Sgd => Some(&["momentum"]),
        OptimizerKind::Adam | OptimizerKind::Adamw => Some(&["m", "v"]),
        OptimizerKind::Lion => Some(&["m"]),
        OptimizerKind::Sophia => Some(&["m", "h"]),
        OptimizerKind::Adamw8bit | OptimizerKind::Adafactor | OptimizerKind::Muon => None,
    }
}

impl Update {
    fn state(&self) -> &'static [&'static str] {
        state(&self.settings).expect("an elementwise rule")
    }

    /// The file that defines `update`.
    fn wgsl(&self) -> &'static str {
        match self.settings.kind {
            OptimizerKind::Sgd => include_str!("../../../shaders/optimizer/sgd.wgsl"),
            OptimizerKind::Adam => include_str!("../../../shaders/optimizer/adam.wgsl"),
            OptimizerKind::Adamw => include_str!("../../../shaders/optimizer/adamw.wgsl"),
            OptimizerKind::Lion => include_str!("../../../shaders/optimizer/lion.wgsl"),
            OptimizerKind::Sophia => include_str!("../../../shaders/optimizer/sophia.wgsl"),
            other => panic!("{other:?} is no elementwise rule"),
        }
    }
}

/// What rules reckon with.
#[derive(Clone, Copy)]
pub struct Numbers<R> {
    pub learning_rate: R,
    pub momentum: R,
    pub nesterov: bool,
    pub beta1: R,
    pub beta2: R,
    /// 1 − β₁ and 1 − β₂.
    pub rest1: R,
    pub rest2: R,
    pub correction1: R,
    pub correction2: R,
    pub epsilon: R,
    /// ρ · tokens, for Sophia.
    pub bound: R,
}

impl<R: Real> Numbers<R> {
    fn new(update: &Update, step: &Step) -> Self {
        let settings = &update.settings;
        Self {
            learning_rate: R::of(step.learning_rate.into()),
            momentum: R::of(settings.momentum),
            nesterov: settings.nesterov,
            beta1: R::of(settings.beta1),
            beta2: R::of(settings.beta2),
            rest1: R::of(1.0 - settings.beta1),
            rest2: R::of(1.0 - settings.beta2),
            correction1: R::of(step.correction1.into()),
            correction2: R::of(step.correction2.into()),
            epsilon: R::of(settings.epsilon),
            bound: R::of(settings.rho * update.tokens as f64),
        }
    }
}

impl Spec for Update {
    fn bindings(&self) -> Vec<Binding> {
        let mut bindings = vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.len).vec4(),
            Binding::update("parameters", self.len).vec4(),
        ];
        bindings.extend(self.state().iter().map(|name| Binding::update(name, self.len).vec4()));
        bindings
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4) && self.decayed.is_multiple_of(4), "arenas are padded");
        let settings = &self.settings;
        Shader::new("update", self.bindings())
            .count("LEN4", self.len / 4)
            .count("DECAYED4", self.decayed / 4)
            .number("MOMENTUM", settings.momentum as f32)
            .number("BETA1", settings.beta1 as f32)
            .number("BETA2", settings.beta2 as f32)
            // Subtracted before rounding: 1 − 0.999 in f32 is off by 1e-5.
            .number("REST1", (1.0 - settings.beta1) as f32)
            .number("REST2", (1.0 - settings.beta2) as f32)
            .number("EPSILON", settings.epsilon as f32)
            .number("BOUND", (settings.rho * self.tokens as f64) as f32)
            .number("WEIGHT_DECAY", settings.weight_decay as f32)
            .flag("KEEPS", !self.state().is_empty())
            .flag("NESTEROV", settings.nesterov)
            .part(self.wgsl())
            .part(include_str!("../../../shaders/optimizer/update.wgsl"))
            .invocations(self.len / 4)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let n = Numbers::new(self, step);
        match self.settings.kind {
            OptimizerKind::Sgd if self.settings.momentum == 0.0 => {
                self.each(args, move |p, g, decay, []| sgd::plain(&n, p, g, decay));
            }
            OptimizerKind::Sgd => self.each(args, move |p, g, decay, state| sgd::update(&n, p, g, decay, state)),
            OptimizerKind::Adam => self.each(args, move |p, g, decay, state| adam::update(&n, p, g, decay, state)),
            OptimizerKind::Adamw => self.each(args, move |p, g, decay, state| adamw::update(&n, p, g, decay, state)),
            OptimizerKind::Lion => self.each(args, move |p, g, decay, state| lion::update(&n, p, g, decay, state)),
            OptimizerKind::Sophia => self.each(args, move |p, g, decay, state| sophia::update(&n, p, g, decay, state)),
            other => panic!("{other:?} is no elementwise rule"),
        }
    }
}

impl Update {
    /// Gives every parameter its new value by `update(p, g, λ, state)`.
    fn each<R: Real, const N: usize>(&self, args: Args<R>, update: impl Fn(R, R, R, [&mut R; N]) -> R + Copy) {
        let ([control, gradients, parameters], state) = args.take_with_rest();
        let state: Vec<&mut [R]> = state.map(|arena| arena.write()).collect();
        let mut state: [&mut [R]; N] = state.try_into().expect("the bindings promise it");
        let (control, gradients, parameters) = (control.read(), gradients.read(), parameters.write());
        let (scale, halted) = (control[0], control[1] != R::ZERO);
        if halted {
            return;
        }
        let (matrices, others) = (0..self.decayed, self.decayed..self.len);
        for (range, decay) in [(matrices, R::of(self.settings.weight_decay)), (others, R::ZERO)] {
            let (p, g) = (&mut parameters[range.clone()], &gradients[range.clone()]);
            let state = state.each_mut().map(|arena| &mut arena[range.clone()]);
            wide(move || {
                // Slices of one length, which nothing else can reach: the loop needs no checks and becomes vectors.
                let len = p.len();
                let (g, mut state) = (&g[..len], state.map(|arena| &mut arena[..len]));
                for i in 0..len {
                    p[i] = update(p[i], g[i] * scale, decay, state.each_mut().map(|arena| &mut arena[i]));
                }
            });
        }
    }
}

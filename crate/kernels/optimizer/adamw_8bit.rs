//! AdamW with its running means in 8 bits (Dettmers et al. 2021, arXiv 2110.02861).

use super::dynamic_code::{BLOCK, SIGNED, TINY, UNSIGNED, code_at, set_code, store};
use crate::config::OptimizerConfig;
use crate::gpu::shader::Shader;
use crate::kernels::{Args, Binding, Spec, Step, finish_step};
use crate::real::Real;

/// AdamW on one tensor. Both moments are read from their codes, updated, used in full precision, and stored again, to
/// the nearest code: nothing is drawn, so runs repeat.
#[derive(Clone, Debug)]
pub struct AdamW8bit {
    pub len: usize,
    pub decays: bool,
    pub settings: OptimizerConfig,
}

impl AdamW8bit {
    pub fn blocks(len: usize) -> usize {
        len.div_ceil(BLOCK)
    }
}

impl Spec for AdamW8bit {
    fn bindings(&self) -> Vec<Binding> {
        let (words, blocks) = (self.len.div_ceil(4), Self::blocks(self.len));
        vec![
            Binding::read("control", finish_step::LEN),
            Binding::read("gradients", self.len).vec4(),
            Binding::update("parameters", self.len).vec4(),
            Binding::update("m", words).ids(),
            Binding::update("v", words).ids(),
            Binding::update("m_scale", blocks),
            Binding::update("v_scale", blocks),
        ]
    }

    fn shader(&self) -> Shader {
        assert!(self.len.is_multiple_of(4), "rows are multiples of 4");
        let settings = &self.settings;
        Shader::new("adamw_8bit", self.bindings())
            .count("LEN4", self.len / 4)
            .count("BLOCKS", Self::blocks(self.len))
            .number("BETA1", settings.beta1 as f32)
            .number("BETA2", settings.beta2 as f32)
            .number("REST1", (1.0 - settings.beta1) as f32)
            .number("REST2", (1.0 - settings.beta2) as f32)
            .number("EPSILON", settings.epsilon as f32)
            .number("DECAY", if self.decays { settings.weight_decay as f32 } else { 0.0 })
            .number("TINY", TINY as f32)
            .part(include_str!("../../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../../shaders/optimizer/adamw_8bit.wgsl"))
            .workgroup([BLOCK / 4, 1])
            .workgroups(Self::blocks(self.len))
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [control, gradients, parameters, m_codes, v_codes, m_scale, v_scale] = args.take();
        let control = control.read();
        let (scale, halted) = (control[0], control[1] != R::ZERO);
        if halted {
            return;
        }
        let settings = &self.settings;
        let [beta1, beta2, epsilon] = [settings.beta1, settings.beta2, settings.epsilon].map(R::of);
        let [rest1, rest2] = [settings.beta1, settings.beta2].map(|beta| R::of(1.0 - beta));
        let [correction1, correction2] = [step.correction1, step.correction2].map(|n| R::of(n.into()));
        let learning_rate = R::of(step.learning_rate.into());
        let decay = R::of(if self.decays { settings.weight_decay } else { 0.0 });
        let (gradients, parameters) = (gradients.read(), parameters.write());
        let (m_codes, v_codes) = (m_codes.ids_mut(), v_codes.ids_mut());
        let (m_scale, v_scale) = (m_scale.write(), v_scale.write());
        let (mut m, mut v) = ([R::ZERO; BLOCK], [R::ZERO; BLOCK]);
        for block in 0..Self::blocks(self.len) {
            let first = block * BLOCK;
            let len = BLOCK.min(self.len - first);
            for i in 0..len {
                let (at, g) = (first + i, gradients[first + i] * scale);
                m[i] = beta1 * (R::of(SIGNED[code_at(m_codes, at)]) * m_scale[block]) + rest1 * g;
                v[i] = beta2 * (R::of(UNSIGNED[code_at(v_codes, at)]) * v_scale[block]) + rest2 * g * g;
                let direction = m[i] / correction1 / ((v[i] / correction2).sqrt() + epsilon);
                parameters[at] -= learning_rate * (direction + decay * parameters[at]);
            }
            m_scale[block] = store(&SIGNED, &m[..len], |i, code| set_code(m_codes, first + i, code));
            v_scale[block] = store(&UNSIGNED, &v[..len], |i, code| set_code(v_codes, first + i, code));
        }
    }
}

//! Sampling on the device: the next token is drawn where the logits are, so that a text grows without a round trip
//! to the CPU for each token.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// tokens[position + 1] ~ softmax(logits[position] / temperature), by inverting the cumulative sum at `step.draw`;
/// temperature 0 takes the most likely token. Logits are (T, V), tokens (T + 1).
#[derive(Clone, Debug)]
pub struct Pick {
    pub context: usize,
    pub vocabulary: usize,
}

impl Spec for Pick {
    fn bindings(&self) -> Vec<Binding> {
        vec![Binding::read("logits", self.context * self.vocabulary), Binding::update("tokens", self.context + 1).ids()]
    }

    fn shader(&self) -> Shader {
        const WORKGROUP: usize = 64;
        Shader::new("pick", self.bindings())
            .count("VOCABULARY", self.vocabulary)
            .count("SEGMENT", self.vocabulary.div_ceil(WORKGROUP))
            .part(include_str!("../../shaders/pick.wgsl"))
            .workgroup([WORKGROUP, 1])
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [logits, tokens] = args.take();
        let position = step.position as usize;
        let logits = &logits.read()[position * self.vocabulary..][..self.vocabulary];
        let (best, &max) = logits
            .iter()
            .enumerate()
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .expect("a vocabulary is never empty");
        let mut token = best;
        if step.temperature > 0.0 {
            let weight = |logit: R| ((logit - max) / R::of(step.temperature.into())).exp();
            let total: R = logits.iter().map(|&logit| weight(logit)).sum();
            let goal = total * R::of(step.draw.into());
            let mut sum = R::ZERO;
            for (id, &logit) in logits.iter().enumerate() {
                sum += weight(logit);
                if sum > goal {
                    token = id;
                    break;
                }
            }
        }
        tokens.ids_mut()[position + 1] = token as u32;
    }
}

//! Sampling on the device: the next token is drawn where the logits are, so that a text grows without a round trip
//! to the CPU for each token.

use super::soft_cap::SoftCap;
use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;
use crate::tape::Tensor;

/// How many of the likeliest tokens are kept beside the one that was drawn.
const CANDIDATES: usize = 5;

/// tokens[position + 1] is drawn from the logits (V) of the token at `step.position`, which are capped in place first
/// where the model caps them:
/// 1. p = softmax(logits / temperature); temperature 0 takes the likeliest token;
/// 2. of these, the `top_k` likeliest (0: all);
/// 3. of these, the fewest likeliest whose share of what 2 left is `top_p` or more (Holtzman et al. 2020);
/// 4. by inverting the cumulative sum of what is left, in the order of the vocabulary, at `step.draw`.
///
/// Of equal logits the one that comes first in the vocabulary counts as likelier, so the set is never ambiguous.
///
/// Row `position` of the candidates (T, N) then holds the likeliest tokens, and that of the probabilities (T, 1 + N)
/// those of the drawn token and of the candidates: the model's own, softmax(logits), whatever was done to them in 1 to 3.
#[derive(Clone, Debug)]
pub struct Pick {
    pub context: usize,
    pub vocabulary: usize,
    pub soft_cap: Option<SoftCap>,
}

/// What picks leave behind; see [`Pick`].
#[derive(Clone, Copy)]
pub struct Picks {
    pub candidates: Tensor,
    pub probabilities: Tensor,
}

impl Pick {
    /// Columns of the candidates.
    pub fn candidates(&self) -> usize {
        CANDIDATES.min(self.vocabulary)
    }

    pub fn candidates_len(&self) -> usize {
        self.context * self.candidates()
    }

    pub fn probabilities_len(&self) -> usize {
        self.context * (1 + self.candidates())
    }
}

impl Spec for Pick {
    fn bindings(&self) -> Vec<Binding> {
        let logits = if self.soft_cap.is_some() { Binding::update } else { Binding::read };
        vec![
            logits("logits", self.vocabulary),
            Binding::update("tokens", self.context + 1).ids(),
            Binding::update("candidates", self.candidates_len()).ids(),
            Binding::update("probabilities", self.probabilities_len()),
        ]
    }

    fn shader(&self) -> Shader {
        const WORKGROUP: usize = 64;
        let shader = Shader::new("pick", self.bindings())
            .count("VOCABULARY", self.vocabulary)
            .count("SEGMENT", self.vocabulary.div_ceil(WORKGROUP))
            .count("CANDIDATES", self.candidates())
            .part(include_str!("../../shaders/workgroup_sum.wgsl"))
            .part(include_str!("../../shaders/pick.wgsl"))
            .workgroup([WORKGROUP, 1]);
        SoftCap::part(self.soft_cap, shader)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [logits, tokens, candidates, probabilities] = args.take();
        let position = step.position as usize;
        let logits: &[R] = match self.soft_cap {
            None => logits.read(),
            Some(cap) => {
                let logits = logits.write();
                logits.iter_mut().for_each(|logit| *logit = cap.value_and_slope(*logit).0);
                logits
            }
        };
        let top_k = if step.top_k == 0 { self.vocabulary } else { self.vocabulary.min(step.top_k as usize) };

        // The likeliest first; what nobody asks the order of stays unsorted at the end.
        let by_likelihood =
            |&a: &usize, &b: &usize| logits[b].as_f64().total_cmp(&logits[a].as_f64()).then_with(|| a.cmp(&b));
        let mut order: Vec<usize> = (0..self.vocabulary).collect();
        let sorted = if step.top_p < 1.0 || step.top_k > 0 { top_k.max(self.candidates()) } else { self.candidates() };
        if sorted < self.vocabulary {
            order.select_nth_unstable_by(sorted, by_likelihood);
        }
        order[..sorted].sort_unstable_by(by_likelihood);
        let likeliest = order[0];

        let weight = |id: usize, temperature: R| ((logits[id] - logits[likeliest]) / temperature).exp();
        let total: R = (0..self.vocabulary).map(|id| weight(id, R::ONE)).sum();
        let probability = |id: usize| weight(id, R::ONE) / total;
        let columns = self.candidates();
        let row = &mut probabilities.write()[position * (1 + columns)..][..1 + columns];
        let ids = &mut candidates.ids_mut()[position * columns..][..columns];
        for (i, &id) in order[..columns].iter().enumerate() {
            ids[i] = id as u32;
            row[1 + i] = probability(id);
        }

        let mut token = likeliest;
        if step.temperature > 0.0 {
            let weight = |id: usize| weight(id, R::of(step.temperature.into()));
            let mut kept = &mut order[..top_k];
            if step.top_p < 1.0 {
                let goal = kept.iter().map(|&id| weight(id)).sum::<R>() * R::of(step.top_p.into());
                let mut sum = R::ZERO;
                let reached = kept.iter().position(|&id| {
                    sum += weight(id);
                    sum >= goal
                });
                let len = reached.map_or(kept.len(), |last| last + 1);
                kept = &mut kept[..len];
            }
            kept.sort_unstable();
            let goal = kept.iter().map(|&id| weight(id)).sum::<R>() * R::of(step.draw.into());
            let mut sum = R::ZERO;
            let drawn = kept.iter().find(|&&id| {
                sum += weight(id);
                sum > goal
            });
            token = drawn.copied().unwrap_or(likeliest);
        }
        row[0] = probability(token);
        tokens.ids_mut()[position + 1] = token as u32;
    }
}

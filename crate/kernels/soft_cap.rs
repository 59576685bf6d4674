//! A soft cap on logits, as in Gemma 2 (arXiv 2408.00118): cap · tanh(logit / cap).

use crate::gpu::shader::Shader;
use crate::real::Real;

#[derive(Clone, Copy, Debug)]
pub struct SoftCap(pub f32);

impl SoftCap {
    /// None for 0, which leaves logits as they are.
    pub fn new(cap: f64) -> Option<Self> {
        (cap > 0.0).then_some(Self(cap as f32))
    }

    /// (capped, slope) of a logit. What is not finite stays so, for the run to notice.
    #[inline(always)]
    pub fn value_and_slope<R: Real>(self, logit: R) -> (R, R) {
        let cap = R::of(self.0.into());
        let t = (logit / cap).tanh();
        (if logit.is_finite() { cap * t } else { logit }, R::ONE - t * t)
    }

    /// `shader` with the flag, the constant and the functions that cap, where there is a cap.
    pub fn part(cap: Option<Self>, shader: Shader) -> Shader {
        match cap {
            None => shader,
            Some(Self(cap)) => {
                shader.flag("SOFT_CAP", true).number("CAP", cap).part(include_str!("../../shaders/soft_cap.wgsl"))
            }
        }
    }
}

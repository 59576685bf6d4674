//! Activations: the reference function and the shader of each variant of [`Activation`].

use crate::config::Activation;
use crate::real::Real;

impl Activation {
    /// The file that defines `act` and `act_grad` on a `vec4f`.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::Gelu => include_str!("../../shaders/activation/gelu.wgsl"),
        }
    }

    /// (act(x), act′(x))
    #[inline(always)]
    pub fn value_and_slope<R: Real>(self, x: R) -> (R, R) {
        match self {
            Self::Gelu => gelu(x),
        }
    }
}

/// GELU by its tanh approximation, as in GPT-2 (Hendrycks & Gimpel 2016, arXiv 1606.08415):
/// x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
#[inline(always)]
fn gelu<R: Real>(x: R) -> (R, R) {
    let half = R::of(0.5);
    let root = R::of(0.797_884_560_802_865_4);
    let cubic = R::of(0.044_715);
    let t = (root * (x + cubic * x * x * x)).tanh();
    let dt = (R::ONE - t * t) * root * (R::ONE + R::of(3.0) * cubic * x * x);
    (half * x * (R::ONE + t), half * (R::ONE + t) + half * x * dt)
}

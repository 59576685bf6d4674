//! AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101).

use super::update::Numbers;
use crate::real::Real;

/// m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,
/// θ ← θ − lr · (m̂ / (√v̂ + ε) + λ θ) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
#[inline(always)]
pub fn update<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R, [m, v]: [&mut R; 2]) -> R {
    *m = n.beta1 * *m + n.rest1 * g;
    *v = n.beta2 * *v + n.rest2 * g * g;
    let direction = *m / n.correction1 / ((*v / n.correction2).sqrt() + n.epsilon);
    p - n.learning_rate * (direction + decay * p)
}

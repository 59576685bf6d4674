//! Sophia-G (Liu et al. 2023, arXiv 2305.14342, Algorithm 3), scaled as in the authors' code.

use super::lion::sign;
use super::update::Numbers;
use crate::real::Real;

/// m ← β₁ m + (1 − β₁) g, without correction of its beginning,
/// θ ← θ − lr · (sign(m) · min(|m| / (ρ · tokens · h + 10⁻¹⁵), 1) + λ θ).
///
/// h is made by [`super::curvature`]: tokens · h estimates the curvature, for ĝ is the gradient of a mean.
#[inline(always)]
pub fn update<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R, [m, h]: [&mut R; 2]) -> R {
    *m = n.beta1 * *m + n.rest1 * g;
    let size = (sign(*m) * *m) / (n.bound * *h + R::of(1e-15));
    let ratio = if size > R::ONE { R::ONE } else { size };
    p - n.learning_rate * (sign(*m) * ratio + decay * p)
}

//! Lion (Chen et al. 2023, arXiv 2302.06675).

use super::update::Numbers;
use crate::real::Real;

/// θ ← θ − lr · (sign(β₁ m + (1 − β₁) g) + λ θ), then m ← β₂ m + (1 − β₂) g. The sign of zero is zero.
#[inline(always)]
pub fn update<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R, [m]: [&mut R; 1]) -> R {
    let direction = sign(n.beta1 * *m + n.rest1 * g);
    *m = n.beta2 * *m + n.rest2 * g;
    p - n.learning_rate * (direction + decay * p)
}

#[inline(always)]
pub(super) fn sign<R: Real>(x: R) -> R {
    if x > R::ZERO {
        R::ONE
    } else if x < R::ZERO {
        -R::ONE
    } else {
        R::ZERO
    }
}

//! Stochastic gradient descent, with momentum (Sutskever et al. 2013, “On the importance of initialization and momentum
//! in deep learning”), as PyTorch and Optax write it.

use super::update::Numbers;
use crate::real::Real;

/// With g + λθ for g: u ← μ u + g,  θ ← θ − lr · u, or, looking ahead (Nesterov), θ ← θ − lr · (g + μ u).
#[inline(always)]
pub fn update<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R, [u]: [&mut R; 1]) -> R {
    let g = g + decay * p;
    *u = n.momentum * *u + g;
    p - n.learning_rate * if n.nesterov { g + n.momentum * *u } else { *u }
}

/// θ ← θ − lr · (g + λθ): nothing is kept.
#[inline(always)]
pub fn plain<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R) -> R {
    p - n.learning_rate * (g + decay * p)
}

//! Adam (Kingma & Ba 2015, arXiv 1412.6980).

use super::{adamw, update::Numbers};
use crate::real::Real;

/// AdamW without its decay, on g + λθ: L2 regularisation goes through the running means.
#[inline(always)]
pub fn update<R: Real>(n: &Numbers<R>, p: R, g: R, decay: R, state: [&mut R; 2]) -> R {
    adamw::update(n, p, g + decay * p, R::ZERO, state)
}

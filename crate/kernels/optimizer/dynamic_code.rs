//! The 8-bit code of optimizer states: dynamic tree quantisation (Dettmers 2016, arXiv 1511.04561), block by block
//! (Dettmers et al. 2021, arXiv 2110.02861).
//!
//! A block of 256 numbers is stored as its largest magnitude and 256 codes, each for a value in [−1, 1], or, unsigned,
//! in [0, 1]. Values lie in seven decades down to 10⁻⁷; each decade has twice as many as the one below it.

use std::sync::LazyLock;

use crate::real::Real;

/// Numbers that share a scale.
pub const BLOCK: usize = 256;

/// Blocks whose largest magnitude is smaller are stored as zeros.
pub const TINY: f64 = 1e-30;

/// The value of each code, ascending.
pub type Values = [f64; 256];

/// The m-th value up from zero: in decade e = ⌊log₂ m⌋ the middle of one of 2ᵉ equal parts of [0.1, 1], times
/// 10^(e − top): the top decade is the one below 1.
fn middle(m: usize, top: i32) -> f64 {
    let parts = m.ilog2();
    let part = m - (1 << parts);
    (0.1 + 0.9 * (part as f64 + 0.5) / f64::from(1u32 << parts)) * 10f64.powi(parts as i32 - top)
}

/// −127 … −1, 0, 1 … 127 and the largest magnitude itself, so that it is stored without loss. For the first moment.
pub static SIGNED: LazyLock<Values> = LazyLock::new(|| {
    std::array::from_fn(|code| match code as i32 - 127 {
        0 => 0.0,
        128 => 1.0,
        m if m < 0 => -middle(-m as usize, 6),
        m => middle(m as usize, 6),
    })
});

/// 0, then 254 values and the largest magnitude: twice as many to a decade. For the second moment.
pub static UNSIGNED: LazyLock<Values> = LazyLock::new(|| {
    std::array::from_fn(|code| match code {
        0 => 0.0,
        255 => 1.0,
        _ => middle(code + 1, 7),
    })
});

/// The code of the value nearest to x; of two that are as near, the upper.
pub fn nearest<R: Real>(values: &Values, x: R) -> usize {
    let low = values.partition_point(|&value| R::of(value) <= x).saturating_sub(1);
    let high = (low + 1).min(255);
    if R::of(values[high]) - x <= x - R::of(values[low]) { high } else { low }
}

/// Stores a block; returns its scale.
pub fn store<R: Real>(values: &Values, block: &[R], mut put: impl FnMut(usize, usize)) -> R {
    let largest = block.iter().fold(R::ZERO, |largest, &x| largest.max(if x < R::ZERO { -x } else { x }));
    let scale = if largest < R::of(TINY) { R::ZERO } else { largest };
    for (i, &x) in block.iter().enumerate() {
        let code = nearest(values, if scale > R::ZERO { x / scale } else { R::ZERO });
        // A second moment that is rounded to zero would make the next update huge: it keeps the smallest value instead
        // (Li et al. 2023, arXiv 2309.01507, on the zero point).
        let lifted = values[0] == 0.0 && code == 0 && x > R::ZERO && scale > R::ZERO;
        put(i, if lifted { 1 } else { code });
    }
    scale
}

/// The i-th of codes that lie four in an element.
pub fn code_at(codes: &[u32], i: usize) -> usize {
    (codes[i / 4] >> (8 * (i % 4)) & 0xff) as usize
}

/// Sets it.
pub fn set_code(codes: &mut [u32], i: usize, code: usize) {
    let shift = 8 * (i % 4);
    codes[i / 4] = codes[i / 4] & !(0xff << shift) | (code as u32) << shift;
}

//! The two number types of the CPU device: f32, which trains, and f64, which is the oracle of every shader.
//!
//! A kernel's twin is written once, generic over [`Real`]. Only what must be fast in f32 differs: the exponential
//! (a polynomial that the compiler can vectorise; wasm has no instruction for it) and the matrix product
//! (the crate `matrixmultiply`; in wasm `sgemm.rs`).

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

pub trait Real:
    Copy
    + Debug
    + PartialOrd
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + 'static
{
    const ZERO: Self;
    const ONE: Self;

    fn of(value: f64) -> Self;
    fn as_f64(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
    fn is_finite(self) -> bool;
    /// Φ(x), the standard normal distribution, as exact as the type wants it. `gaussian` is e^(−x²/2), which its density has,
    /// too.
    fn normal(self, gaussian: Self) -> Self;

    /// C = A B, or C += A B, where each matrix is a slice with a (row, column) stride.
    fn matmul(shape: MatMulShape, a: Strided<Self>, b: Strided<Self>, c: StridedMut<Self>, accumulate: bool);

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        if self > other { self } else { other }
    }

    /// tanh through the exponential: absolute error a few ulp of 1, which is what activations need.
    #[inline(always)]
    fn tanh(self) -> Self {
        let two = Self::ONE + Self::ONE;
        Self::ONE - two / ((self * two).exp() + Self::ONE)
    }
}

/// Runs a loop that is compiled by itself, for this processor's widest vectors: inside large functions compilers give
/// up on it. The results are the same bits as without: Rust neither reorders nor fuses what is written.
#[inline(always)]
pub fn wide<T>(body: impl FnOnce() -> T) -> T {
    #[inline(never)]
    fn apart<T>(body: impl FnOnce() -> T) -> T {
        body()
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        #[inline(never)]
        fn with_avx2<T>(body: impl FnOnce() -> T) -> T {
            body()
        }
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function was compiled for.
            return unsafe { with_avx2(body) };
        }
    }
    apart(body)
}

/// Sums and maxima go through this many chains, so that they need not wait for each other.
const LANES: usize = 16;

/// The sum of `f` over `values`, in a fixed order.
#[inline(always)]
pub fn sum_of<R: Real>(values: &[R], f: impl Fn(R) -> R) -> R {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [R::ZERO; LANES];
    for chunk in chunks {
        for (sum, &value) in sums.iter_mut().zip(chunk) {
            *sum += f(value);
        }
    }
    for (sum, &value) in sums.iter_mut().zip(rest) {
        *sum += f(value);
    }
    sums.into_iter().sum()
}

/// The largest of `values`, of which there is one at least.
#[inline(always)]
pub fn max_of<R: Real>(values: &[R]) -> R {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut largest = [values[0]; LANES];
    for chunk in chunks {
        for (largest, &value) in largest.iter_mut().zip(chunk) {
            *largest = largest.max(value);
        }
    }
    largest.into_iter().chain(rest.iter().copied()).fold(values[0], R::max)
}

/// C is (rows, columns), the product runs over `inner`.
#[derive(Clone, Copy)]
pub struct MatMulShape {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
}

impl MatMulShape {
    /// Elements that a product on the CPU copies its operands into, block by block; see `matrixmultiply`.
    pub fn panels(self) -> usize {
        self.inner.min(256) * (self.columns.min(1024) + self.rows.min(64))
    }
}

/// A matrix inside a slice: element (i, j) lies at `i * row + j * column`.
#[derive(Clone, Copy)]
pub struct Strided<'a, R> {
    pub data: &'a [R],
    pub row: usize,
    pub column: usize,
}

pub struct StridedMut<'a, R> {
    pub data: &'a mut [R],
    pub row: usize,
    pub column: usize,
}

fn last_index(rows: usize, columns: usize, row: usize, column: usize) -> usize {
    (rows - 1) * row + (columns - 1) * column
}

/// Whether every element that a product reads and writes lies inside its slice; false where there is nothing to do.
fn check<R>(shape: MatMulShape, a: &Strided<R>, b: &Strided<R>, c: &StridedMut<R>) -> bool {
    let MatMulShape { rows, inner, columns } = shape;
    if rows == 0 || columns == 0 {
        return false;
    }
    assert!(inner > 0, "a product over nothing");
    assert!(last_index(rows, inner, a.row, a.column) < a.data.len());
    assert!(last_index(inner, columns, b.row, b.column) < b.data.len());
    assert!(last_index(rows, columns, c.row, c.column) < c.data.len());
    true
}

macro_rules! matmul_through {
    ($gemm:path) => {
        fn matmul(shape: MatMulShape, a: Strided<Self>, b: Strided<Self>, c: StridedMut<Self>, accumulate: bool) {
            if !check(shape, &a, &b, &c) {
                return;
            }
            let MatMulShape { rows, inner, columns } = shape;
            let beta = if accumulate { 1.0 } else { 0.0 };
            // SAFETY: every access is inside its slice, as was checked, and `c` is borrowed mutably, so it overlaps
            // neither `a` nor `b`.
            unsafe {
                $gemm(
                    rows,
                    inner,
                    columns,
                    1.0,
                    a.data.as_ptr(),
                    a.row as isize,
                    a.column as isize,
                    b.data.as_ptr(),
                    b.row as isize,
                    b.column as isize,
                    beta,
                    c.data.as_mut_ptr(),
                    c.row as isize,
                    c.column as isize,
                );
            }
        }
    };
}

impl Real for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    fn as_f64(self) -> f64 {
        f64::from(self)
    }

    /// Relative error below 3e-7 (the unit test holds it to that); NaN stays NaN, the ends saturate.
    ///
    /// e^x = 2^n · 2^f with n = round(x / ln 2) and 2^f a polynomial on [-1/2, 1/2]
    /// (Taylor in f · ln 2; the remainder is below 1e-8). No branch, so that loops over it vectorise.
    #[inline(always)]
    fn exp(self) -> Self {
        /// Adding and subtracting 1.5 · 2^23 rounds to the nearest integer without a library call.
        const ROUND: f32 = 12_582_912.0;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        // ln 2 in two parts, so that n · ln 2 is subtracted almost exactly (Cody and Waite).
        let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
        let p = 1.0 / 5040.0;
        let p = p * r + 1.0 / 720.0;
        let p = p * r + 1.0 / 120.0;
        let p = p * r + 1.0 / 24.0;
        let p = p * r + 1.0 / 6.0;
        let p = p * r + 0.5;
        let p = p * r + 1.0;
        let p = p * r + 1.0;
        // The last bits of `shifted` are n: no conversion, which would check for overflow number by number.
        let n = shifted.to_bits().wrapping_sub(ROUND.to_bits());
        let scale = f32::from_bits(n.wrapping_add(127) << 23);
        p * scale
    }

    fn ln(self) -> Self {
        f32::ln(self)
    }

    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }

    fn is_finite(self) -> bool {
        f32::is_finite(self)
    }

    /// Φ(x) = erfc(−x / √2) / 2, by Abramowitz & Stegun 1964, 7.1.26 (after Hastings 1955): absolute error below 1e-7, and
    /// less in the tail, where it dies away with e^(−x²/2). The same formula as in `shaders/activation/gelu.wgsl`.
    #[inline(always)]
    fn normal(self, gaussian: Self) -> Self {
        let t = 1.0 / (1.0 + 0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2 * self.abs());
        let p = 0.5 * 1.061_405_4 * t - 0.5 * 1.453_152;
        let p = p * t + 0.5 * 1.421_413_7;
        let p = p * t - 0.5 * 0.284_496_74;
        let p = p * t + 0.5 * 0.254_829_6;
        let tail = p * t * gaussian;
        if self < 0.0 { tail } else { 1.0 - tail }
    }

    #[cfg(not(target_arch = "wasm32"))]
    matmul_through!(matrixmultiply::sgemm);

    #[cfg(target_arch = "wasm32")]
    fn matmul(shape: MatMulShape, a: Strided<Self>, b: Strided<Self>, c: StridedMut<Self>, accumulate: bool) {
        if check(shape, &a, &b, &c) {
            crate::sgemm::sgemm(shape, a, b, c, accumulate);
        }
    }
}

impl Real for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    fn as_f64(self) -> f64 {
        self
    }

    fn exp(self) -> Self {
        f64::exp(self)
    }

    fn ln(self) -> Self {
        f64::ln(self)
    }

    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }

    fn is_finite(self) -> bool {
        f64::is_finite(self)
    }

    fn normal(self, _: Self) -> Self {
        0.5 * erfc(-self * std::f64::consts::FRAC_1_SQRT_2)
    }

    matmul_through!(matrixmultiply::dgemm);
}

/// 1 − erf(x) to about 1e-15: erf by a series of positive terms, erfc by a continued fraction where erf is nearly 1
/// (Abramowitz & Stegun 1964, 7.1.6 and 7.1.14).
fn erfc(signed: f64) -> f64 {
    let x = signed.abs();
    let gaussian = (-x * x).exp() / std::f64::consts::PI.sqrt();
    let of_positive = if x < 2.5 {
        // erf(x) = 2 e^−x² / √π · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1))
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term > 1e-18 * sum {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        1.0 - 2.0 * gaussian * sum
    } else {
        // √π e^x² erfc(x) = 1 / (x + ½ / (x + 1 / (x + 3/2 / (x + 2 / …)))), from the inside out.
        gaussian / (1..=100).rev().fold(x, |fraction, n| x + 0.5 * f64::from(n) / fraction)
    };
    if signed < 0.0 { 2.0 - of_positive } else { of_positive }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_exponential_is_accurate_everywhere() {
        for i in -86_000..88_000 {
            let x = i as f32 * 1e-3 + 1.7e-4;
            let expected = f64::from(x).exp();
            let relative = (f64::from(Real::exp(x)) - expected).abs() / expected;
            assert!(relative < 3e-7, "exp({x}) is off by {relative:e}");
        }
        assert!(Real::exp(f32::NAN).is_nan());
        assert!(Real::exp(-1000.0f32) < 1e-37);
        assert!(Real::exp(1000.0f32) > 1e38);
    }

    #[test]
    fn erfc_is_that_of_the_tables() {
        // Abramowitz & Stegun 1964, table 7.1, and Python's math.erfc.
        for (x, expected) in [
            (0.0f64, 1.0f64),
            (0.1, 0.887_537_083_981_715_2),
            (0.5, 0.479_500_122_186_953_5),
            (1.0, 0.157_299_207_050_285_13),
            (2.0, 0.004_677_734_981_047_266),
            (2.5, 4.069_520_174_449_589e-4),
            (3.0, 2.209_049_699_858_544e-5),
            (5.0, 1.537_459_794_428_035e-12),
        ] {
            for (x, expected) in [(x, expected), (-x, 2.0 - expected)] {
                assert!((erfc(x) - expected).abs() < 1e-15, "erfc({x}) is {}", erfc(x));
                // Φ(x) = erfc(−x / √2) / 2
                let x = -x * std::f64::consts::SQRT_2;
                let share = Real::normal(x, (-0.5 * x * x).exp());
                assert!((share - expected / 2.0).abs() < 1e-15, "Φ({x}) is {share}");
                let x = x as f32;
                let single = f64::from(Real::normal(x, Real::exp(-0.5 * x * x)));
                assert!((single - expected / 2.0).abs() < 1.5e-7, "in f32, Φ({x}) is {single}");
            }
        }
        // In the tail the relative error counts.
        assert!((erfc(5.0) / 1.537_459_794_428_035e-12 - 1.0).abs() < 1e-13);
        assert!(erfc(40.0) == 0.0 && Real::normal(-40.0f32, Real::exp(-800.0f32)) < 1e-37);
    }

    #[test]
    fn tanh_saturates_and_is_odd() {
        for x in [-40.0f32, -3.0, -0.1, 0.0, 0.1, 3.0, 40.0] {
            assert!((Real::tanh(x) - x.tanh()).abs() < 3e-7, "tanh({x})");
        }
    }
}

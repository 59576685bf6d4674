//! Dropout (Srivastava et al. 2014): each element is zeroed with some probability, and what is left is scaled up, so that
//! the mean stays (“inverted” dropout).
//!
//! Which elements are kept is a pure function of the run's seed, the step, where in the model it happens and which
//! element it is ([`noise`]): the same bits on every device, nothing stored for the backward pass, and the same masks
//! however a step is cut into micro-batches.

use super::{Args, Binding, Spec, Step};
use crate::gpu::shader::Shader;
use crate::real::Real;

/// The finaliser of MurmurHash3 (Austin Appleby, in the public domain): every bit depends on every bit.
fn scramble(mut bits: u32) -> u32 {
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x85eb_ca6b);
    bits = (bits ^ (bits >> 13)).wrapping_mul(0xc2b2_ae35);
    bits ^ (bits >> 16)
}

/// Hashes one more counter into `hash`. The factor, 2³² over the golden ratio, keeps neighbouring counters far apart.
fn hashed(hash: u32, counter: u32) -> u32 {
    scramble(hash ^ counter.wrapping_mul(0x9e37_79b9))
}

/// What a step's noise begins with; uploaded as `Step::noise`.
pub fn key(seed: u32, step: u32) -> u32 {
    hashed(hashed(0x243f_6a88, seed), step)
}

/// 32 bits that look random, for an element of a site: a counter-based hash. `row` counts the rows (B·T) of the whole
/// step, over all of its micro-batches.
pub fn noise(key: u32, site: u32, row: u32, column: u32) -> u32 {
    hashed(hashed(hashed(key, site), row), column)
}

/// Which elements of a matrix (rows, columns) are dropped: those whose noise is below a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Where in the model.
    pub site: u32,
    /// The share that is dropped, of 2³².
    pub threshold: u32,
}

impl Mask {
    /// Drops `share` of the elements, below 1; None where that is none of them.
    pub fn new(site: u32, share: f64) -> Option<Self> {
        let threshold = (share * 2f64.powi(32)) as u32;
        (threshold > 0).then_some(Self { site, threshold })
    }

    fn scale(self) -> f64 {
        1.0 / (1.0 - f64::from(self.threshold) / 2f64.powi(32))
    }

    /// Drops from whole rows of `width`, the micro-batch's first at the front.
    pub fn apply<R: Real>(self, step: &Step, values: &mut [R], width: usize) {
        let scale = R::of(self.scale());
        let of_site = hashed(step.noise, self.site);
        for (row, values) in (step.first_row..).zip(values.chunks_exact_mut(width)) {
            let of_row = hashed(of_site, row);
            for (column, value) in (0..).zip(values) {
                let kept = hashed(of_row, column) >= self.threshold;
                *value = if kept { *value * scale } else { R::ZERO };
            }
        }
    }

    /// `shader` with the function that drops.
    pub fn part(self, shader: Shader) -> Shader {
        shader
            .size("DROPOUT_SITE", self.site as usize)
            .count("DROPOUT_THRESHOLD", self.threshold as usize)
            .number("DROPOUT_SCALE", self.scale() as f32)
            .part(include_str!("../../shaders/dropout/mask.wgsl"))
    }
}

/// y (R, C) = x · mask. Backward it is the same op, on the gradients.
#[derive(Clone, Debug)]
pub struct Dropout {
    pub mask: Mask,
    pub rows: usize,
    /// A multiple of 4.
    pub width: usize,
}

impl Spec for Dropout {
    fn bindings(&self) -> Vec<Binding> {
        let len = self.rows * self.width;
        vec![Binding::read("x", len).vec4(), Binding::write("y", len).vec4()]
    }

    fn shader(&self) -> Shader {
        let shader = Shader::new("dropout", self.bindings())
            .count("ROWS", self.rows)
            .count("WIDTH4", self.width / 4)
            .part(include_str!("../../shaders/dropout/apply.wgsl"))
            .invocations(self.rows * self.width / 4);
        self.mask.part(shader)
    }

    fn run<R: Real>(&self, args: Args<R>, step: &Step) {
        let [x, y] = args.take();
        let y = y.write();
        y.copy_from_slice(x.read());
        self.mask.apply(step, y, self.width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_even_and_differs_with_each_counter() {
        const COUNT: u32 = 1 << 16;
        type Counter = fn(u32) -> u32;
        let along: [(&str, Counter); 5] = [
            ("seed", |i| noise(key(i, 1), 0, 0, 0)),
            ("step", |i| noise(key(1, i), 0, 0, 0)),
            ("site", |i| noise(7, i, 3, 5)),
            ("row", |i| noise(7, 2, i, 5)),
            ("column", |i| noise(7, 2, 3, i)),
        ];
        for (name, along) in along {
            let words: Vec<u32> = (0..COUNT).map(along).collect();
            // A fair coin's count in 2¹⁶ throws has a deviation of 128.
            for bit in 0..32 {
                let ones = words.iter().filter(|&&word| word >> bit & 1 == 1).count() as i64;
                assert!((ones - i64::from(COUNT / 2)).abs() < 5 * 128, "{name}: bit {bit} is set {ones} times");
                // Nor does it say anything about its neighbour's.
                let same = words.windows(2).filter(|pair| (pair[0] ^ pair[1]) >> bit & 1 == 0).count() as i64;
                assert!((same - i64::from(COUNT / 2)).abs() < 5 * 128, "{name}: bit {bit} stays {same} times");
            }
        }
    }
}

//! The f32 matrix product of the CPU device in wasm.
//!
//! Blocks are packed as in BLIS (Van Zee & van de Geijn 2015, doi:10.1145/2764454). The inner tile is 3 × 12: its nine
//! sums, a row of B and a number of A fit into the 15 vector registers that a browser's compiler has on x86. The tiles
//! of the crate that multiplies natively do not.

#[cfg(feature = "relaxed-simd")]
use core::arch::wasm32::f32x4_relaxed_madd;
#[cfg(not(feature = "relaxed-simd"))]
use core::arch::wasm32::{f32x4_add, f32x4_mul};
use core::arch::wasm32::{f32x4_splat, v128, v128_load, v128_load32_splat, v128_store};
use std::cell::RefCell;

use crate::real::{MatMulShape, Strided, StridedMut};

/// Rows and columns of the inner tile.
const MR: usize = 3;
const NR: usize = 12;
/// A block of A is (MC, KC), a block of B (KC, NC).
const MC: usize = 32 * MR;
const KC: usize = 256;
const NC: usize = 64 * NR;

thread_local! {
    /// Packed blocks of A and B.
    static PACKED: RefCell<(Vec<f32>, Vec<f32>)> = RefCell::new((vec![0.0; MC * KC], vec![0.0; KC * NC]));
}

/// C = A B, or C += A B. The columns of C lie side by side.
pub fn sgemm(shape: MatMulShape, a: Strided<f32>, b: Strided<f32>, c: StridedMut<f32>, accumulate: bool) {
    assert_eq!(c.column, 1, "the columns of C lie side by side");
    let MatMulShape { rows, inner, columns } = shape;
    PACKED.with_borrow_mut(|(packed_a, packed_b)| {
        for k in (0..inner).step_by(KC) {
            let depth = KC.min(inner - k);
            for j in (0..columns).step_by(NC) {
                let width = NC.min(columns - j);
                pack::<NR>(packed_b, depth, width, &b.data[k * b.row + j * b.column..], [b.row, b.column]);
                for i in (0..rows).step_by(MC) {
                    let height = MC.min(rows - i);
                    pack::<MR>(packed_a, depth, height, &a.data[i * a.row + k * a.column..], [a.column, a.row]);
                    let c = StridedMut { data: &mut c.data[i * c.row + j..], row: c.row, column: 1 };
                    block(depth, [height, width], packed_a, packed_b, c, accumulate || k > 0);
                }
            }
        }
    });
}

/// Panels of `SIDE` neighbours, (depth, SIDE) each and one after the other, from a matrix whose element (k, i) lies at
/// `k · strides[0] + i · strides[1]`; zeros where `count` is no multiple of SIDE.
fn pack<const SIDE: usize>(to: &mut [f32], depth: usize, count: usize, from: &[f32], strides: [usize; 2]) {
    for (first, panel) in (0..count).step_by(SIDE).zip(to.chunks_exact_mut(depth * SIDE)) {
        let lines = panel.as_chunks_mut::<SIDE>().0;
        let from = &from[first * strides[1]..];
        let side = SIDE.min(count - first);
        match strides {
            // Neighbours lie side by side.
            [row, 1] if side == SIDE => {
                for (k, line) in lines.iter_mut().enumerate() {
                    line.copy_from_slice(&from[k * row..][..SIDE]);
                }
            }
            [row, column] => {
                lines.as_flattened_mut().fill(0.0);
                for i in 0..side {
                    let from = &from[i * column..];
                    if row == 1 {
                        lines.iter_mut().zip(from).for_each(|(line, &value)| line[i] = value);
                    } else {
                        lines.iter_mut().zip(from.iter().step_by(row)).for_each(|(line, &value)| line[i] = value);
                    }
                }
            }
        }
    }
}

/// The product of a packed block of A and one of B, stored in C or added to it.
fn block(depth: usize, [height, width]: [usize; 2], a: &[f32], b: &[f32], c: StridedMut<f32>, add: bool) {
    let columns = (0..width).step_by(NR).zip(b.chunks_exact(depth * NR));
    for (j, b) in columns {
        for (i, a) in (0..height).step_by(MR).zip(a.chunks_exact(depth * MR)) {
            let sums = tile(a, b);
            for (r, sums) in sums.iter().enumerate().take(height - i) {
                let at = (i + r) * c.row + j;
                let to = &mut c.data[at..at + NR.min(width - j)];
                if add {
                    to.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
                } else {
                    to.copy_from_slice(&sums[..to.len()]);
                }
            }
        }
    }
}

/// (MR, NR) sums over the lines of a panel of A (depth, MR) and one of B (depth, NR). With relaxed SIMD a product and its
/// sum are rounded once, where the processor can.
#[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
#[inline(never)]
fn tile(a: &[f32], b: &[f32]) -> [[f32; NR]; MR] {
    let (a, b) = (a.as_chunks::<MR>().0, b.as_chunks::<NR>().0);
    let mut sums = [[f32x4_splat(0.0); NR / 4]; MR];
    for (a, b) in a.iter().zip(b) {
        // SAFETY: each load reads four numbers of `b`, or one of `a`; wasm knows no alignment.
        let b: [v128; NR / 4] = std::array::from_fn(|j| unsafe { v128_load(b[4 * j..].as_ptr().cast()) });
        for (a, sums) in a.iter().zip(&mut sums) {
            let a = unsafe { v128_load32_splat(std::ptr::from_ref(a).cast()) };
            for (sum, &b) in sums.iter_mut().zip(&b) {
                #[cfg(feature = "relaxed-simd")]
                let next = f32x4_relaxed_madd(a, b, *sum);
                #[cfg(not(feature = "relaxed-simd"))]
                let next = f32x4_add(*sum, f32x4_mul(a, b));
                *sum = next;
            }
        }
    }
    let mut out = [[0.0; NR]; MR];
    for (out, sums) in out.iter_mut().zip(sums) {
        for (j, sum) in sums.into_iter().enumerate() {
            // SAFETY: four numbers of a row of twelve.
            unsafe { v128_store(out[4 * j..].as_mut_ptr().cast(), sum) };
        }
    }
    out
}

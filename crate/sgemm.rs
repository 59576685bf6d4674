//! The f32 matrix product of the CPU device in wasm.
//!
//! Blocks are packed as in BLIS (Van Zee & van de Geijn 2015, doi:10.1145/2764454). The inner tile is 3 × 12: its nine
//! sums, a row of B and a number of A fit into the 15 vector registers that a browser's compiler has on x86. The tiles
//! of the crate that multiplies natively do not.

#[cfg(not(feature = "relaxed-simd"))]
use core::arch::wasm32::f32x4_mul;
#[cfg(feature = "relaxed-simd")]
use core::arch::wasm32::f32x4_relaxed_madd;
use core::arch::wasm32::{
    f32x4_add, f32x4_splat, i32x4_shuffle, i64x2_shuffle, v128, v128_load, v128_load32_splat, v128_store,
};
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
#[inline(never)]
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
                    let from = &a.data[i * a.row + k * a.column..];
                    let c = StridedMut { data: &mut c.data[i * c.row + j..], row: c.row, column: 1 };
                    let add = accumulate || k > 0;
                    // Rows are read where they lie, each a stream of its own; columns too where few panels of B want them.
                    if a.column == 1 || width <= 4 * NR {
                        block(depth, [height, width], from, [MR * a.row, a.row, a.column], packed_b, c, add);
                    } else {
                        pack::<MR>(packed_a, depth, height, from, [a.column, a.row]);
                        block(depth, [height, width], packed_a, [depth * MR, 1, MR], packed_b, c, add);
                    }
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
            [row, 1] => {
                for (k, line) in lines.iter_mut().enumerate() {
                    line[..side].copy_from_slice(&from[k * row..][..side]);
                    line[side..].fill(0.0);
                }
            }
            [1, column] if side == SIDE && SIDE.is_multiple_of(4) => {
                for i in (0..side).step_by(4) {
                    let columns = std::array::from_fn(|j| &from[(i + j) * column..][..depth]);
                    pack_columns(lines, i, columns);
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

/// Four columns, `at` and the next, of lines of `SIDE`: four by four through registers.
fn pack_columns<const SIDE: usize>(lines: &mut [[f32; SIDE]], at: usize, columns: [&[f32]; 4]) {
    let (fours, rest) = lines.as_chunks_mut::<4>();
    for (k, lines) in fours.iter_mut().enumerate() {
        // SAFETY: four numbers of each column, and of each line; wasm knows no alignment.
        let [a, b, c, d] = columns.map(|column| unsafe { v128_load(column[4 * k..][..4].as_ptr().cast()) });
        let [ab, cd] = [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<0, 4, 1, 5>(c, d)];
        let [ab_high, cd_high] = [i32x4_shuffle::<2, 6, 3, 7>(a, b), i32x4_shuffle::<2, 6, 3, 7>(c, d)];
        let turned = [
            i64x2_shuffle::<0, 2>(ab, cd),
            i64x2_shuffle::<1, 3>(ab, cd),
            i64x2_shuffle::<0, 2>(ab_high, cd_high),
            i64x2_shuffle::<1, 3>(ab_high, cd_high),
        ];
        for (line, numbers) in lines.iter_mut().zip(turned) {
            unsafe { v128_store(line[at..][..4].as_mut_ptr().cast(), numbers) };
        }
    }
    let done = 4 * fours.len();
    for (k, line) in rest.iter_mut().enumerate() {
        for (to, column) in line[at..].iter_mut().zip(columns) {
            *to = column[done + k];
        }
    }
}

/// The product of a block of A and a packed one of B, stored in C or added to it. In A it is `panel` from MR rows to the next
/// ones, `row` from one of these to the next, and `step` along them.
fn block(
    depth: usize,
    [height, width]: [usize; 2],
    a: &[f32],
    [panel, row, step]: [usize; 3],
    b: &[f32],
    c: StridedMut<f32>,
    add: bool,
) {
    let columns = (0..width).step_by(NR).zip(b.chunks_exact(depth * NR));
    for (j, b) in columns {
        for i in (0..height).step_by(MR) {
            let a = &a[i / MR * panel..];
            // Where rows are missing the first is read again, for nothing.
            let rows = std::array::from_fn(|r| if i + r < height { &a[r * row..] } else { a });
            let sums = tile(depth, rows, step, b);
            for (r, sums) in sums.iter().enumerate().take(height - i) {
                let to = &mut c.data[(i + r) * c.row + j..];
                match to.first_chunk_mut::<NR>() {
                    Some(to) if width - j >= NR => store(to, sums, add),
                    _ => {
                        let mut edge = [0.0; NR];
                        let columns = NR.min(width - j);
                        edge[..columns].copy_from_slice(&to[..columns]);
                        store(&mut edge, sums, add);
                        to[..columns].copy_from_slice(&edge[..columns]);
                    }
                }
            }
        }
    }
}

/// A row of a tile.
type Line = [v128; NR / 4];

#[inline(always)]
fn store(to: &mut [f32; NR], sums: &Line, add: bool) {
    for (to, &sum) in to.as_chunks_mut::<4>().0.iter_mut().zip(sums) {
        let to = std::ptr::from_mut(to).cast();
        // SAFETY: four numbers; wasm knows no alignment.
        unsafe { v128_store(to, if add { f32x4_add(v128_load(to), sum) } else { sum }) };
    }
}

/// (MR, NR) sums over rows of A, `step` from one number to the next, and the lines of a panel of B (depth, NR). With relaxed
/// SIMD a product and its sum are rounded once, where the processor can.
#[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
#[inline(never)]
fn tile(depth: usize, a: [&[f32]; MR], step: usize, b: &[f32]) -> [Line; MR] {
    assert!(a.iter().all(|row| row.len() > (depth - 1) * step));
    let mut sums = [[f32x4_splat(0.0); NR / 4]; MR];
    for (k, b) in b.as_chunks::<NR>().0[..depth].iter().enumerate() {
        // SAFETY: each load reads four numbers of `b`, or one of a row of A, whose length was looked at; wasm knows no
        // alignment.
        let b: Line = std::array::from_fn(|j| unsafe { v128_load(b[4 * j..].as_ptr().cast()) });
        for (a, sums) in a.iter().zip(&mut sums) {
            let a = unsafe { v128_load32_splat(a.as_ptr().add(k * step).cast()) };
            for (sum, &b) in sums.iter_mut().zip(&b) {
                #[cfg(feature = "relaxed-simd")]
                let next = f32x4_relaxed_madd(a, b, *sum);
                #[cfg(not(feature = "relaxed-simd"))]
                let next = f32x4_add(*sum, f32x4_mul(a, b));
                *sum = next;
            }
        }
    }
    sums
}

//! How a matrix product is cut up among a GPU's invocations: the one choice that differs from adapter to adapter.
//!
//! Software adapters like large tiles in registers and small workgroups: nearly every load is a gather, so loads
//! dominate. Hardware likes tiles of workgroup memory that many invocations share. [`crate::tuning`] measures.

use serde::{Deserialize, Serialize};

/// Every tiling without slices adds up in the same order, k = 0, 1, 2, …, so that the choice among them never changes
/// a bit of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tiling {
    /// Rows and columns of C that an invocation keeps in registers; multiples of 4.
    pub tile: [usize; 2],
    /// Invocations of a workgroup along the columns and the rows of C.
    pub workgroup: [usize; 2],
    /// A and B pass through workgroup memory, in blocks of [`DEPTH`] along K.
    pub shared: bool,
    /// Parts of K. Each has invocations of its own, in the same workgroup; their sums are added at the end. More than
    /// one only where C is too small to keep the GPU busy, for it changes the order of additions.
    pub slices: usize,
}

/// How far along K a block of workgroup memory reaches.
pub const DEPTH: usize = 16;

const fn registers(rows: usize, columns: usize, workgroup: usize) -> Tiling {
    Tiling { tile: [rows, columns], workgroup: [workgroup, workgroup], shared: false, slices: 1 }
}

const fn shared(side: usize, workgroup: usize) -> Tiling {
    Tiling { tile: [side, side], workgroup: [workgroup, workgroup], shared: true, slices: 1 }
}

const SMALL: Tiling = registers(4, 4, 8);
const SLICED: Tiling = Tiling { slices: 4, ..SMALL };

/// What a measurement chooses from.
const SOFTWARE: &[Tiling] = &[registers(16, 16, 4), registers(16, 8, 4), registers(8, 8, 4), registers(8, 8, 8), SMALL];
const HARDWARE: &[Tiling] = &[shared(8, 8), shared(8, 16), shared(4, 8), registers(8, 8, 8), SMALL];

impl Tiling {
    /// What runs anywhere, if not best.
    pub const fn small() -> Self {
        SMALL
    }

    /// All that are tried anywhere.
    pub fn all() -> impl Iterator<Item = Self> {
        let of_software = SOFTWARE.iter().filter(|tiling| !HARDWARE.contains(tiling));
        HARDWARE.iter().chain(of_software).chain([&SLICED]).copied()
    }

    /// What a (m, n) product over k is tried with on an adapter; one tiling where there is nothing to choose.
    pub fn candidates(software: bool, m: usize, n: usize, k: usize) -> &'static [Self] {
        match (software, Self::rule(software, m, n, k).slices) {
            (true, _) => SOFTWARE,
            (false, 1) => HARDWARE,
            _ => std::slice::from_ref(&SLICED),
        }
    }

    /// The choice without a measurement: the largest tile that leaves enough workgroups.
    pub fn rule(software: bool, m: usize, n: usize, k: usize) -> Self {
        // A software adapter has a workgroup on each processor; a GPU hides its latencies behind many.
        let enough = if software { 8 } else { 128 };
        let leaves_enough = |tiling: &&Self| tiling.grid(m, n).iter().product::<usize>() >= enough;
        if software {
            return *SOFTWARE.iter().find(leaves_enough).unwrap_or(&SMALL);
        }
        const LONG: usize = 256;
        let otherwise = if k >= LONG { &SLICED } else { &SMALL };
        *[&shared(8, 8), &shared(4, 8)].into_iter().find(leaves_enough).unwrap_or(otherwise)
    }

    /// Rows and columns of C that a workgroup computes.
    pub fn block(self) -> [usize; 2] {
        [self.tile[0] * self.workgroup[1], self.tile[1] * self.workgroup[0]]
    }

    /// Workgroups along the columns and the rows of an (m, n) product.
    pub fn grid(self, m: usize, n: usize) -> [usize; 2] {
        let [rows, columns] = self.block();
        [n.div_ceil(columns), m.div_ceil(rows)]
    }
}

/// `16×16 registers, 4×4 invocations`, with `shared` or `4 slices` where that is so.
impl std::fmt::Display for Tiling {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self { tile: [rows, columns], workgroup: [x, y], shared, slices } = self;
        write!(f, "{rows}×{columns} registers, {y}×{x} invocations")?;
        if *shared {
            write!(f, ", shared")?;
        }
        if *slices > 1 {
            write!(f, ", {slices} slices")?;
        }
        Ok(())
    }
}

//! What follows from a grid of measurements.

use serde::Serialize;

use super::{Cell, Experiment};
use crate::cost::{Law, Part, counted_crossover};
use crate::error::Result;

/// A grid and what follows from it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub cells: Vec<Cell>,
    pub doublings: Vec<Doubling>,
    pub crossovers: Vec<Crossover>,
    pub predictions: Vec<Prediction>,
}

/// From one length to the next at one width.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Doubling {
    pub width: u32,
    pub from: u32,
    pub to: u32,
    /// Of the tokens per second, by which a doubling changes them: −0.2 is a fifth less.
    pub change: f64,
    /// The same of the fastest steps.
    pub of_fastest: f64,
    /// The same from the operations alone, as if all took equally long.
    pub by_flops: f64,
}

/// Where attention takes as long as something else, at one width.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Crossover {
    pub width: u32,
    /// The law's T* for attention beside the blocks' products; see [`Law`].
    pub law: Law,
    /// T* by the operations that this device's kernels do.
    pub counted: f64,
    /// T at which attention took as long as the blocks' products.
    pub beside_products: Measured,
    /// T at which attention took as long as all else of a step.
    pub beside_all: Measured,
    /// 10⁹ operations a second of attention and of the blocks' products, over all lengths. Their quotient is what moves the
    /// measured crossover away from the counted one.
    pub attention_gflops: f64,
    pub products_gflops: f64,
}

/// A length that was found between, or beyond, those that were measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Measured {
    pub length: f64,
    /// It lies outside the grid: attention's share there is taken to grow as the length does.
    pub beyond: bool,
}

/// What a cell's rate would be if each part did at every length what it does on average at this width.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Prediction {
    pub width: u32,
    pub length: u32,
    pub tokens_per_second: f64,
    /// Of attention's time in that of all kernels.
    pub attention_share: f64,
    /// Of attention's operations beside the blocks' products, by the law, counted causally.
    pub law_share: f64,
}

impl Report {
    pub fn new(experiment: &Experiment, cells: Vec<Cell>) -> Result<Self> {
        let (mut doublings, mut crossovers, mut predictions) = (vec![], vec![], vec![]);
        for row in cells.chunk_by(|a, b| a.width == b.width) {
            let law = Law::of(&experiment.config(row[0].width, row[0].length)?.model);
            doublings.extend(row.array_windows().map(|[a, b]| Doubling::of(a, b)));
            crossovers.push(Crossover::of(law, row));
            predictions.extend(row.iter().map(|cell| Prediction::of(law, row, cell)));
        }
        Ok(Self { cells, doublings, crossovers, predictions })
    }
}

impl Doubling {
    fn of(a: &Cell, b: &Cell) -> Self {
        let doublings = (f64::from(b.length) / f64::from(a.length)).log2();
        let change = |from: f64, to: f64| (to / from).powf(1.0 / doublings) - 1.0;
        let flops = |cell: &Cell| cell.parts.iter().map(|time| time.flops).sum::<f64>();
        Self {
            width: a.width,
            from: a.length,
            to: b.length,
            change: change(a.tokens_per_second, b.tokens_per_second),
            of_fastest: change(b.fastest_seconds, a.fastest_seconds),
            by_flops: change(flops(b), flops(a)),
        }
    }
}

/// Operations a second of a part, over all cells of a row; those without operations have none.
fn rate(row: &[Cell], part: Part) -> f64 {
    let sum = |of: fn(&Cell, Part) -> f64| row.iter().map(|cell| of(cell, part)).sum::<f64>();
    sum(|cell, part| cell.part(part).flops * cell.tokens as f64) / sum(|cell, part| cell.part(part).seconds)
}

impl Crossover {
    fn of(law: Law, row: &[Cell]) -> Self {
        let last = row.last().expect("a row has cells");
        let flops = |part| last.part(part).flops;
        let crossing = |of: fn(Part) -> bool| {
            let ratio =
                |cell: &Cell| cell.part(Part::Attention).seconds / (cell.seconds_per_token(of) * cell.tokens as f64);
            crossing(&row.iter().map(|cell| (f64::from(cell.length), ratio(cell))).collect::<Vec<_>>())
        };
        Self {
            width: last.width,
            law,
            counted: counted_crossover(f64::from(last.length), flops(Part::Attention), flops(Part::Matmul)),
            beside_products: crossing(|part| part == Part::Matmul),
            beside_all: crossing(|part| part != Part::Attention),
            attention_gflops: rate(row, Part::Attention) / 1e9,
            products_gflops: rate(row, Part::Matmul) / 1e9,
        }
    }
}

/// Where a ratio that grows with the length is 1: between two that were measured on a straight line of logarithms, beyond
/// them in proportion.
fn crossing(points: &[(f64, f64)]) -> Measured {
    let between = points.array_windows().find(|[(_, a), (_, b)]| *a < 1.0 && *b >= 1.0);
    if let Some(&[(from, a), (to, b)]) = between {
        let share = -a.ln() / (b / a).ln();
        return Measured { length: from * (to / from).powf(share), beyond: false };
    }
    let (length, ratio) = if points[0].1 >= 1.0 { points[0] } else { points[points.len() - 1] };
    Measured { length: length / ratio, beyond: ratio != 1.0 }
}

impl Prediction {
    fn of(law: Law, row: &[Cell], cell: &Cell) -> Self {
        let seconds = |part| {
            let mean = row.iter().map(|cell| cell.seconds_per_token(|other| other == part)).sum::<f64>();
            match part {
                Part::Attention => cell.part(part).flops / rate(row, part),
                // No more at one length than at another.
                _ => mean / row.len() as f64,
            }
        };
        let all: f64 = Part::ALL.into_iter().map(seconds).sum();
        Self {
            width: cell.width,
            length: cell.length,
            tokens_per_second: 1.0 / all,
            attention_share: seconds(Part::Attention) / all,
            law_share: law.share(f64::from(cell.length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_found_within_and_beyond() {
        // 1/8 at 64, and in proportion: 1 at 512.
        let points: Vec<_> = [64.0, 128.0, 256.0, 1024.0].map(|t| (t, t / 512.0)).to_vec();
        let within = crossing(&points);
        assert!((within.length - 512.0).abs() < 1e-9 && !within.beyond);
        for part in [&points[..2], &points[3..]] {
            let outside = crossing(part);
            assert!((outside.length - 512.0).abs() < 1e-9 && outside.beyond);
        }
    }
}

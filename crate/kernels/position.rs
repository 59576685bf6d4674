//! What positional encodings are made of: the table of an encoding that has one, and the slopes of ALiBi.

use crate::config::{ModelConfig, Position};

/// Numbers that depend on the position alone. They are computed once, in f64, and uploaded when a run begins: sines of
/// large angles differ between GPUs in their third digit, those of a table in none.
#[derive(Clone, Debug, PartialEq)]
pub enum Table {
    /// (T, C): channels 2i and 2i + 1 have sin and cos of p / 10000^(2i / C), times the deviation that token vectors begin
    /// with: in the paper (Vaswani et al. 2017, arXiv 1706.03762) both are of size 1.
    Sinusoids { context: usize, width: usize },
    /// (T, D): cos, then sin, of the D/2 angles p / interpolation · base^(−2i / D) (Su et al. 2021, arXiv 2104.09864;
    /// Chen et al. 2023, arXiv 2306.15595).
    Turns { context: usize, head_size: usize, base: f64, interpolation: f64 },
}

/// The deviation of an embedding's first values (GPT-2's). Sinusoids of size 1 would drown token vectors of this size:
/// after 400 steps of the default model the held-out text took 4.06 bits per byte, at this size 2.79.
pub const SIZE: f64 = 0.02;

impl Table {
    /// The table of a model's encoding for positions below `context`; None where it needs none.
    pub fn of(model: &ModelConfig, context: usize) -> Option<Self> {
        match model.position {
            Position::Sinusoidal => Some(Self::Sinusoids { context, width: model.width as usize }),
            Position::Rope => Some(Self::Turns {
                context,
                head_size: model.head_size() as usize,
                base: model.rope_base,
                interpolation: model.rope_interpolation,
            }),
            Position::None | Position::Learned | Position::Alibi => None,
        }
    }

    pub fn elements(&self) -> usize {
        match *self {
            Self::Sinusoids { context, width } => context * width,
            Self::Turns { context, head_size, .. } => context * head_size,
        }
    }

    /// Row after row.
    pub fn values(&self) -> Vec<f64> {
        let mut values = Vec::with_capacity(self.elements());
        match *self {
            Self::Sinusoids { context, width } => {
                for p in 0..context {
                    let angle = |i: usize| p as f64 * 10_000f64.powf(-((2 * i) as f64) / width as f64);
                    values
                        .extend((0..width / 2).flat_map(|i| [angle(i).sin(), angle(i).cos()].map(|wave| wave * SIZE)));
                }
            }
            Self::Turns { context, head_size, base, interpolation } => {
                for p in 0..context {
                    let angle = |i: usize| p as f64 / interpolation * base.powf(-((2 * i) as f64) / head_size as f64);
                    values.extend((0..head_size / 2).map(|i| angle(i).cos()));
                    values.extend((0..head_size / 2).map(|i| angle(i).sin()));
                }
            }
        }
        values
    }
}

/// What ALiBi takes off a score for each position between query and key: 2^(−8h/n) for head h of n, counted from 1.
/// Where n is no power of two, the heads beyond the largest one below it, n', take every other slope of 2n' heads, as in
/// the authors' code (Press et al. 2021, arXiv 2108.12409).
pub fn alibi_slope(head: usize, heads: usize) -> f64 {
    let whole = 1 << heads.ilog2();
    let of = |h: usize, n: usize| (-8.0 * h as f64 / n as f64).exp2();
    if head < whole { of(head + 1, whole) } else { of(2 * (head - whole) + 1, 2 * whole) }
}

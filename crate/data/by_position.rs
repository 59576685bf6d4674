//! The loss by position: how well a token is predicted with 1, 2, 3–4, 5–8, … tokens before it in its window, and what
//! each doubling of what is before it gains.

use std::f64::consts::LN_2;

use serde::Serialize;

/// What the tokens of one window in one bucket of positions come to.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    nats: f64,
    tokens: f64,
    bytes: f64,
}

/// Adds up the losses of windows, bucket by bucket.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Each window's sums: one a bucket that it reaches.
    windows: Vec<Vec<Sums>>,
}

/// A figure for each bucket of positions. A token's position is the number of tokens before it in its window: bucket k
/// holds those from 2^(k−1) + 1 to 2^k (1, 2, 3–4, 5–8, …), and the last one ends with the window.
///
/// Standard errors take windows as independent, as those of the whole loss do, and buckets as what they are: figures of
/// the same windows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ByPosition {
    /// The last position of each bucket.
    pub last: Vec<u32>,
    /// Tokens scored.
    pub tokens: Vec<u64>,
    /// Nats per token.
    pub loss: Vec<f64>,
    /// Of the loss; null where a single window was read.
    pub loss_standard_error: Vec<f64>,
    pub bits_per_byte: Vec<f64>,
    /// Of the bits per byte.
    pub standard_error: Vec<f64>,
    /// By how many bits per byte each bucket is better than the one before: one fewer than buckets.
    pub gain: Vec<f64>,
    pub gain_standard_error: Vec<f64>,
}

/// The bucket of a position, counted from 1: 1 → 0, 2 → 1, 3 and 4 → 2, …
pub fn bucket(position: usize) -> usize {
    position.next_power_of_two().ilog2() as usize
}

impl Tally {
    /// Takes in a window's losses, in nats, and the bytes of the tokens that they are of, in order from position 1 on.
    pub fn add(&mut self, losses: &[f32], bytes: impl IntoIterator<Item = u32>) {
        let mut sums: Vec<Sums> = vec![];
        for (i, (&loss, bytes)) in losses.iter().zip(bytes).enumerate() {
            let at = bucket(i + 1);
            sums.resize(sums.len().max(at + 1), Sums::default());
            sums[at].nats += f64::from(loss);
            sums[at].tokens += 1.0;
            sums[at].bytes += f64::from(bytes);
        }
        self.windows.push(sums);
    }

    /// The figures, for windows of `context` tokens.
    pub fn finish(&self, context: usize) -> ByPosition {
        let buckets = self.windows.iter().map(Vec::len).max().unwrap_or(0);
        let mut by = ByPosition::default();
        let mut before: Option<Ratio> = None;
        for at in 0..buckets {
            let sums = || self.windows.iter().map(|window| window.get(at).copied().unwrap_or_default());
            let loss = Ratio::of(sums().map(|sums| (sums.nats, sums.tokens)));
            let bits = Ratio::of(sums().map(|sums| (sums.nats / LN_2, sums.bytes)));
            by.last.push((1 << at).min(context) as u32);
            by.tokens.push(sums().map(|sums| sums.tokens as u64).sum());
            by.loss.push(loss.value);
            by.loss_standard_error.push(loss.standard_error());
            by.bits_per_byte.push(bits.value);
            by.standard_error.push(bits.standard_error());
            if let Some(before) = before {
                let gain = before.minus(&bits);
                by.gain.push(gain.value);
                by.gain_standard_error.push(gain.standard_error());
            }
            before = Some(bits);
        }
        by
    }
}

/// A ratio of two sums over windows, and how much each window pulls at it: (y − r x) / Σ x. Its standard error is
/// √(n / (n − 1) · Σ pull²) (Cochran 1977, section 6.4); pulls of two ratios over the same windows add up, so that what the
/// windows have in common is counted once.
struct Ratio {
    value: f64,
    pulls: Vec<f64>,
}

impl Ratio {
    fn of(windows: impl Iterator<Item = (f64, f64)> + Clone) -> Self {
        let (y, x) = windows.clone().fold((0.0, 0.0), |(y, x), (of_y, of_x)| (y + of_y, x + of_x));
        Self { value: y / x, pulls: windows.map(|(of_y, of_x)| (of_y - y / x * of_x) / x).collect() }
    }

    fn minus(&self, other: &Self) -> Self {
        let pulls = self.pulls.iter().zip(&other.pulls).map(|(a, b)| a - b).collect();
        Self { value: self.value - other.value, pulls }
    }

    /// NaN for a single window.
    fn standard_error(&self) -> f64 {
        let count = self.pulls.len() as f64;
        (count / (count - 1.0) * self.pulls.iter().map(|pull| pull * pull).sum::<f64>()).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::standard_error;
    use crate::random::{Random, Stream};

    #[test]
    fn buckets_double() {
        let expected = [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4), (16, 4), (17, 5)];
        for (position, at) in expected {
            assert_eq!(bucket(position), at, "{position}");
        }
    }

    #[test]
    fn a_known_tally() {
        let mut tally = Tally::default();
        tally.add(&[4.0, 3.0, 2.0, 1.0, 0.5], [1, 2, 1, 1, 1]);
        tally.add(&[2.0, 1.0], [1, 1]);
        let by = tally.finish(5);
        assert_eq!((by.last.as_slice(), by.tokens.as_slice()), ([1, 2, 4, 5].as_slice(), [2, 2, 2, 1].as_slice()));
        assert_eq!(by.loss, [3.0, 2.0, 1.5, 0.5]);
        let bits = [6.0 / 2.0, 4.0 / 3.0, 3.0 / 2.0, 0.5].map(|nats| nats / LN_2);
        assert!(by.bits_per_byte.iter().zip(bits).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((by.gain[0] - (bits[0] - bits[1])).abs() < 1e-12 && by.gain.len() == 3);
        assert!((by.standard_error[1] - standard_error(&[(3.0, 2), (1.0, 1)])).abs() < 1e-12);
    }

    /// Windows of many texts differ much, their buckets much less: the gain knows it, and strays as it says.
    #[test]
    fn a_gain_strays_as_its_error_says() {
        let (mut told, mut gains, mut losses) = (0.0, vec![], vec![]);
        for run in 0..400 {
            let mut random = Random::new(1, Stream::Other(run));
            let mut tally = Tally::default();
            for _ in 0..40 {
                let hard = 3.0 + random.normal();
                let losses = [hard, hard - 1.0].map(|loss| loss + 0.1 * random.normal());
                tally.add(&losses, [1, 1]);
            }
            let by = tally.finish(2);
            told += by.gain_standard_error[0] / 400.0;
            gains.push(by.gain[0]);
            losses.push(by.standard_error[0]);
        }
        let mean = gains.iter().sum::<f64>() / 400.0;
        let strays = (gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        assert!((mean * LN_2 - 1.0).abs() < 0.01, "{mean}");
        assert!((told / strays - 1.0).abs() < 0.12, "{told} told, {strays} seen");
        assert!(losses.iter().all(|&of_loss| of_loss > 4.0 * told), "windows in common cancel");
    }
}

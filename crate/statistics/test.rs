//! Two samples held against each other, and what many such tests cost.

use serde::Serialize;
use statrs::function::gamma::ln_gamma;

use super::{is_constant, largest, mean, quantile, sd, two_sided};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Both samples are of the same seeds: the differences, seed by seed, against zero.
    Paired,
    /// Independent samples whose spreads may differ (Welch 1947).
    Welch,
}

/// The first sample's mean less the second's, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    pub kind: Kind,
    /// Pairs, or values in both samples together.
    pub n: usize,
    pub difference: f64,
    /// None where there is no spread to judge by.
    pub certainty: Option<Certainty>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certainty {
    /// The interval of the difference.
    pub low: f64,
    pub high: f64,
    /// How often samples from equal means differ by as much.
    pub p: f64,
    /// Hedges' g (1981): the difference in standard deviations, less the bias of small samples. For independent samples
    /// the deviation is the pooled one, for pairs that of the differences (also called g_z). None for two pairs, of
    /// which nothing would be left.
    pub effect: Option<f64>,
}

impl Certainty {
    fn new(difference: f64, error: f64, degrees: f64, effect: Option<f64>) -> Self {
        let half = quantile(degrees) * error;
        let p = two_sided(difference / error, degrees);
        Self { low: difference - half, high: difference + half, p, effect }
    }
}

/// None where a sample has less than two values.
pub fn welch(a: &[f64], b: &[f64]) -> Option<Test> {
    let [n, m] = [a.len(), b.len()];
    if n < 2 || m < 2 {
        return None;
    }
    let difference = mean(a) - mean(b);
    let [size_a, size_b] = [n as f64, m as f64];
    let [variance_a, variance_b] = [sd(a).powi(2), sd(b).powi(2)];
    let [error_a, error_b] = [variance_a / size_a, variance_b / size_b];
    let error = error_a + error_b;
    let certainty = (error > 0.0).then(|| {
        let degrees = error.powi(2) / (error_a.powi(2) / (size_a - 1.0) + error_b.powi(2) / (size_b - 1.0));
        let all = size_a + size_b - 2.0;
        let pooled = (((size_a - 1.0) * variance_a + (size_b - 1.0) * variance_b) / all).sqrt();
        Certainty::new(difference, error.sqrt(), degrees, unbiased(difference / pooled, all))
    });
    Some(Test { kind: Kind::Welch, n: n + m, difference, certainty })
}

/// Of pairs of equal seeds. None where there are less than two.
pub fn paired(pairs: &[(f64, f64)]) -> Option<Test> {
    let n = pairs.len();
    if n < 2 {
        return None;
    }
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| a - b).collect();
    let scale = pairs.iter().fold(0.0, |most, &(a, b)| largest(&[a, b]).max(most));
    let difference = mean(&differences);
    let certainty = (!is_constant(&differences, scale)).then(|| {
        let (sd, degrees) = (sd(&differences), n as f64 - 1.0);
        Certainty::new(difference, sd / (n as f64).sqrt(), degrees, unbiased(difference / sd, degrees))
    });
    Some(Test { kind: Kind::Paired, n, difference, certainty })
}

/// A standardised difference, freed of its bias upwards: times Γ(ν/2) / (√(ν/2) · Γ((ν − 1)/2)), which is 0 at ν = 1.
fn unbiased(effect: f64, degrees: f64) -> Option<f64> {
    let half = degrees / 2.0;
    (degrees > 1.0).then(|| effect * (ln_gamma(half) - ln_gamma(half - 0.5)).exp() / half.sqrt())
}

/// Holm's correction (1979): what each p of a family amounts to, so that a false alarm anywhere in it is as rare as one p
/// says.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut corrected = vec![0.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max((p.len() - rank) as f64 * p[i]).min(1.0);
        corrected[i] = least;
    }
    corrected
}

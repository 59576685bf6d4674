//! What runs over several seeds say: means with intervals, tests of differences, and the sentence that the data support.
//!
//! All is small-sample statistics by Student's t: runs are few, and their spread is estimated from themselves. An
//! interval is the one that covers the true mean in 95 of 100 repetitions.

mod compare;
mod test;
mod words;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

pub use compare::{Comparison, Goal, Group, GroupSummary, MetricName, Pair, Question, Value, Verdict, compare};
pub use test::{Certainty, Kind, Test, holm, paired, welch};

/// Of differences and intervals alike.
pub const CONFIDENCE: f64 = 0.95;

/// Numbers that differ by less than this share of their size differ by rounding.
const ROUNDING: f64 = 1e-12;

/// A sample in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub n: usize,
    /// None where n is 0.
    pub mean: Option<f64>,
    /// Of the population that the sample is from (n − 1 below the line). None where n < 2.
    pub sd: Option<f64>,
    /// The interval of the mean, mean ± t · sd / √n. None where n < 2.
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Summary {
    /// Of finite numbers.
    pub fn of(values: &[f64]) -> Self {
        let n = values.len();
        let [mean, sd] = [(n > 0).then(|| mean(values)), (n > 1).then(|| sd(values))];
        let half = sd.map(|sd| quantile(n as f64 - 1.0) * sd / (n as f64).sqrt());
        let end = |sign: f64| Some(mean? + sign * half?);
        Self { n, mean, sd, low: end(-1.0), high: end(1.0) }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Zero where the values differ by rounding alone.
fn sd(values: &[f64]) -> f64 {
    if is_constant(values, largest(values)) {
        return 0.0;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| value.abs().max(most))
}

/// Whether values that were computed from numbers of size `scale` differ by rounding alone.
fn is_constant(values: &[f64], scale: f64) -> bool {
    let [least, most] = values.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], &v| [a.min(v), b.max(v)]);
    most - least <= ROUNDING * scale
}

fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees).expect("degrees of freedom are more than zero")
}

/// Where t leaves out half of 5 % on its right.
fn quantile(degrees: f64) -> f64 {
    student(degrees).inverse_cdf(0.5 + CONFIDENCE / 2.0)
}

/// How often t lies farther from zero, by chance.
fn two_sided(t: f64, degrees: f64) -> f64 {
    (2.0 * student(degrees).sf(t.abs())).min(1.0)
}

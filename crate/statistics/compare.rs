//! Groups of runs that differ in their seeds, compared by one figure: [`compare`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CONFIDENCE, Kind, Summary, Test, holm, largest, paired, welch, words};

/// What is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub metric: MetricName,
    pub groups: Vec<Group>,
}

/// The figure that groups are compared by.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricName {
    pub name: String,
    pub goal: Goal,
    #[serde(default)]
    pub unit: String,
}

/// Which end of a figure is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    Minimize,
    Maximize,
}

/// Runs that are alike but for their seeds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    pub values: Vec<Value>,
}

/// What a run came to. No number, where the run diverged.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    #[serde(default)]
    pub seed: Option<u32>,
    pub value: Option<f64>,
}

/// What the data say.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// In the order in which they were given.
    pub groups: Vec<GroupSummary>,
    /// The best group against each of the others, in that order.
    pub pairs: Vec<Pair>,
    /// The same in sentences.
    pub words: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct GroupSummary {
    pub name: String,
    /// Values that are no finite numbers, which the figures leave out.
    pub left_out: usize,
    #[serde(flatten)]
    pub summary: Summary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Chance alone would rarely do it: p, corrected, is below 5 %.
    Different,
    /// Chance alone does as much often enough.
    NotSeen,
    /// Too few values, or none that vary.
    Unknown,
}

/// `a`, the better of the two, less `b`.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    pub a: String,
    pub b: String,
    pub verdict: Verdict,
    /// None where a group has less than two values.
    pub test: Option<Kind>,
    /// Pairs of seeds, or values in both groups together.
    pub n: usize,
    pub difference: f64,
    /// The 95 % interval of the difference, before any correction.
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub p: Option<f64>,
    /// By Holm's correction for all pairs of groups there are; what the verdict goes by.
    pub p_corrected: Option<f64>,
    /// Hedges' g, for pairs of the differences; see [`super::Certainty`].
    pub effect: Option<f64>,
    pub words: String,
}

/// Compares the best group with each of the others.
///
/// Where two groups are of the same seeds, the test is the paired one, else Welch's. With more than two groups, p is
/// corrected for all pairs of them, not only for those with the best: which group is best was picked by looking.
pub fn compare(question: &Question) -> Comparison {
    let metric = &question.metric;
    let samples: Vec<Sample> = question.groups.iter().map(Sample::of).collect();
    let best = best(&samples, metric.goal);
    let corrected = corrected(&samples);
    let pair = |best: usize, other: usize| {
        let p = corrected.get(&(best.min(other), best.max(other))).copied();
        Pair::of(&samples[best], &samples[other], p, corrected.len(), metric)
    };
    let others = |best: usize| (0..samples.len()).filter(move |&other| other != best);
    let pairs: Vec<Pair> = best.map_or(vec![], |best| {
        others(best).filter(|&other| samples[other].summary.n > 0).map(|other| pair(best, other)).collect()
    });
    let groups = samples.iter().map(|sample| GroupSummary {
        name: sample.name.clone(),
        left_out: sample.left_out,
        summary: sample.summary,
    });
    let groups: Vec<GroupSummary> = groups.collect();
    let words = words::of_all(&groups, best, &pairs, corrected.len(), metric);
    Comparison { groups, pairs, words }
}

/// A group's values, those that are no finite numbers left out.
struct Sample {
    name: String,
    values: Vec<f64>,
    left_out: usize,
    summary: Summary,
    /// By seed, where each value has one of its own.
    by_seed: Option<BTreeMap<u32, Option<f64>>>,
}

impl Sample {
    fn of(group: &Group) -> Self {
        let finite = |value: &Value| value.value.filter(|value| value.is_finite());
        let values: Vec<f64> = group.values.iter().filter_map(finite).collect();
        let by_seed: Option<BTreeMap<_, _>> =
            group.values.iter().map(|value| Some((value.seed?, finite(value)))).collect();
        Self {
            name: group.name.clone(),
            left_out: group.values.len() - values.len(),
            summary: Summary::of(&values),
            by_seed: by_seed.filter(|by_seed| by_seed.len() == group.values.len()),
            values,
        }
    }

    fn test(&self, other: &Self) -> Option<Test> {
        self.paired(other).or_else(|| welch(&self.values, &other.values))
    }

    /// Where both are of the same seeds; a seed that gave one of them no number is left out of both.
    fn paired(&self, other: &Self) -> Option<Test> {
        let (a, b) = (self.by_seed.as_ref()?, other.by_seed.as_ref()?);
        if !a.keys().eq(b.keys()) {
            return None;
        }
        let pairs: Vec<(f64, f64)> = a.values().zip(b.values()).filter_map(|(&a, &b)| Some((a?, b?))).collect();
        paired(&pairs)
    }
}

/// The group with the best mean; one of a single run only where there are no two of more.
fn best(samples: &[Sample], goal: Goal) -> Option<usize> {
    let least = if samples.iter().filter(|sample| sample.summary.n > 1).count() > 1 { 2 } else { 1 };
    let means = samples.iter().enumerate().filter(|(_, sample)| sample.summary.n >= least);
    let means = means.filter_map(|(i, sample)| Some((i, sample.summary.mean?)));
    let means = means.map(|(i, mean)| (i, if goal == Goal::Minimize { mean } else { -mean }));
    // Of equal ones the first.
    means.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(i, _)| i)
}

/// p of all pairs of groups that have one, corrected.
fn corrected(samples: &[Sample]) -> BTreeMap<(usize, usize), f64> {
    let pairs = (0..samples.len()).flat_map(|i| (i + 1..samples.len()).map(move |j| (i, j)));
    let tested = pairs.filter_map(|(i, j)| Some(((i, j), samples[i].test(&samples[j])?.certainty?.p)));
    let (pairs, p): (Vec<_>, Vec<_>) = tested.unzip();
    pairs.into_iter().zip(holm(&p)).collect()
}

impl Pair {
    /// `tests`: how many `p_corrected` is corrected for.
    fn of(a: &Sample, b: &Sample, p_corrected: Option<f64>, tests: usize, metric: &MetricName) -> Self {
        let test = a.test(b);
        let certainty = test.and_then(|test| test.certainty);
        let [mean_a, mean_b] = [a, b].map(|sample| sample.summary.mean.expect("it has values"));
        let verdict = match p_corrected {
            Some(p) if p < 1.0 - CONFIDENCE => Verdict::Different,
            Some(_) => Verdict::NotSeen,
            None => Verdict::Unknown,
        };
        let mut pair = Self {
            a: a.name.clone(),
            b: b.name.clone(),
            verdict,
            test: test.map(|test| test.kind),
            n: test.map_or(a.summary.n + b.summary.n, |test| test.n),
            difference: test.map_or(mean_a - mean_b, |test| test.difference),
            low: certainty.map(|certainty| certainty.low),
            high: certainty.map(|certainty| certainty.high),
            p: certainty.map(|certainty| certainty.p),
            p_corrected,
            effect: certainty.and_then(|certainty| certainty.effect),
            words: String::new(),
        };
        pair.words = words::of_pair(&pair, largest(&[mean_a, mean_b]), tests, metric);
        pair
    }
}

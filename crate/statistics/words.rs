//! What a comparison says, in sentences.

use super::compare::{Goal, GroupSummary, MetricName, Pair, Verdict};
use super::{Kind, ROUNDING};

/// Of a group and the best one. `scale`: the larger of their means.
pub fn of_pair(pair: &Pair, scale: f64, tests: usize, metric: &MetricName) -> String {
    let Pair { a, b, difference, .. } = pair;
    let same = difference.abs() <= ROUNDING * scale;
    let Some(how) = certainty(pair, tests) else {
        return match (pair.test, same) {
            (Some(_), true) => format!("{a} and {b} came to the same in every run."),
            (None, _) => {
                let by = if same { format!("{a} and {b} came to the same") } else { by(pair, metric) };
                format!("{by}; chance cannot be judged with less than two runs of each.")
            }
            (Some(_), false) => {
                format!(
                    "{}, the same with every seed: without a spread there is nothing to test it by.",
                    by(pair, metric)
                )
            }
        };
    };
    match pair.verdict {
        Verdict::Different => format!("{} ({how}): more than chance explains.", by(pair, metric)),
        _ if same => format!("No difference seen at this budget: {a} and {b} have the same mean ({how})."),
        _ => format!("No difference seen at this budget: {}, but chance alone does as much ({how}).", by(pair, metric)),
    }
}

/// `tests`: how many pairs of groups were tested.
pub fn of_all(
    groups: &[GroupSummary],
    best: Option<usize>,
    pairs: &[Pair],
    tests: usize,
    metric: &MetricName,
) -> String {
    let mut sentences = vec![];
    match (best.map(|best| &groups[best]), pairs) {
        (None, _) => sentences.push("No run has come to a figure yet.".to_owned()),
        (Some(only), []) => {
            sentences.push(format!("There is nothing to compare {} with yet: {}.", only.name, mean(only, metric)))
        }
        (Some(_), _) if groups.iter().all(|group| group.summary.n < 2) => {
            sentences.push(
                "There is one run of each: what chance does cannot be told from one. Repeat them with other seeds."
                    .to_owned(),
            );
        }
        (Some(_), [pair]) => sentences.push(pair.words.clone()),
        (Some(best), _) => {
            let count = groups.iter().filter(|group| group.summary.n > 0).count();
            let end = if metric.goal == Goal::Minimize { "lowest" } else { "highest" };
            sentences.push(format!("Of {count}, {} is {end}: {}.", best.name, mean(best, metric)));
            let of = |verdict: Verdict| {
                let of: Vec<String> = pairs.iter().filter(|pair| pair.verdict == verdict).map(short).collect();
                (!of.is_empty()).then(|| of.join(", "))
            };
            match (of(Verdict::Different), of(Verdict::NotSeen)) {
                (Some(different), _) => sentences.push(format!("More than chance explains: against {different}.")),
                (None, Some(_)) => sentences.push("That may all be chance.".to_owned()),
                (None, None) => (),
            }
            sentences.extend(of(Verdict::NotSeen).map(|of| format!("No difference seen at this budget: from {of}.")));
            sentences.extend(of(Verdict::Unknown).map(|of| format!("Too few runs, or no spread to judge by: {of}.")));
            if tests > 1 {
                sentences.push(format!("Each p is corrected for the {tests} pairs that there are (Holm)."));
            }
        }
    }
    sentences.extend(groups.iter().filter(|group| group.left_out > 0).map(|group| {
        let all = group.summary.n + group.left_out;
        format!("{} of {all} runs of {} came to no finite number and are left out.", group.left_out, group.name)
    }));
    sentences.join(" ")
}

/// `rope is lower than learned by 0.080 bits per byte`
fn by(pair: &Pair, metric: &MetricName) -> String {
    let than = if pair.difference < 0.0 { "lower" } else { "higher" };
    let size = number(pair.difference.abs(), decimals(half(pair).unwrap_or(pair.difference)));
    format!("{} is {than} than {} by {}", pair.a, pair.b, with_unit(&size, metric))
}

/// `95 % interval −0.11 to −0.05, paired over 4 seeds, p = 0.003, Hedges’ g_z −3.2`; None where there is no test.
fn certainty(pair: &Pair, tests: usize) -> Option<String> {
    let (low, high, p, digits) = (pair.low?, pair.high?, pair.p_corrected?, decimals(half(pair)?));
    let (how, name) = match pair.test? {
        Kind::Paired => (format!("paired over {} seeds", pair.n), "g_z"),
        Kind::Welch => (format!("Welch’s test of {} runs", pair.n), "g"),
    };
    let holm = if tests > 1 { format!(" by Holm’s correction for {tests} pairs") } else { String::new() };
    let effect = pair.effect.map_or(String::new(), |effect| format!(", Hedges’ {name} {}", number(effect, 1)));
    Some(format!(
        "95 % interval {} to {}, {how}, {}{holm}{effect}",
        number(low, digits),
        number(high, digits),
        chance(p)
    ))
}

/// `learned (−0.080, p = 0.003)`
fn short(pair: &Pair) -> String {
    let difference = number(pair.difference, decimals(half(pair).unwrap_or(pair.difference)));
    let p = pair.p_corrected.map_or(String::new(), |p| format!(", {}", chance(p)));
    format!("{} ({difference}{p})", pair.b)
}

/// `0.780 bits per byte (95 % interval 0.76 to 0.80, n = 3)`
fn mean(group: &GroupSummary, metric: &MetricName) -> String {
    let summary = &group.summary;
    let mean = summary.mean.unwrap_or(f64::NAN);
    let half = summary.high.map(|high| high - mean).filter(|&half| half > 0.0);
    let digits = half.map_or_else(|| decimals(mean / 10.0), decimals);
    let interval = summary.low.zip(summary.high).map_or(String::new(), |(low, high)| {
        format!("95 % interval {} to {}, ", number(low, digits), number(high, digits))
    });
    format!("{} ({interval}n = {})", with_unit(&number(mean, digits), metric), summary.n)
}

fn half(pair: &Pair) -> Option<f64> {
    Some((pair.high? - pair.low?) / 2.0)
}

fn chance(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {}", number(p, decimals(p))) }
}

fn with_unit(number: &str, metric: &MetricName) -> String {
    let space = if metric.unit.is_empty() { "" } else { " " };
    format!("{number}{space}{}", metric.unit)
}

/// Digits after the point that leave two of something of this size.
fn decimals(size: f64) -> usize {
    if size == 0.0 || !size.is_finite() {
        return 2;
    }
    (1.0 - size.abs().log10().floor()).clamp(0.0, 12.0) as usize
}

/// With a true minus sign and commas between thousands.
fn number(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut text = String::from(if value < 0.0 && !zero { "−" } else { "" });
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

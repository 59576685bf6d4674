//! Statistics held against scipy (tests/statistics/make.py), and what they say of runs that are few, equal or broken.

use serde_json::{Value, json};
use trainlab::statistics::{self, Certainty, Comparison, Kind, Summary, Verdict, holm, paired, welch};

use crate::common::tests;

tests![
    summaries_are_scipys,
    tests_are_scipys,
    corrections_are_holms,
    few_values_have_few_figures,
    equal_values_are_not_tested,
    runs_of_the_same_seeds_are_paired,
    diverged_runs_are_left_out_and_said_so,
    many_groups_are_corrected_for_all_their_pairs,
    the_better_end_decides_who_is_best,
    words_say_what_the_data_support,
    nothing_to_compare_is_said
];

fn golden() -> Value {
    serde_json::from_str(include_str!("statistics/golden.json")).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_near(actual: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what}: {expected}"));
    let error = (actual - expected).abs();
    assert!(error <= 1e-9 * expected.abs() + 1e-300, "{what}: {actual} is not {expected}");
}

async fn summaries_are_scipys() {
    let golden = golden();
    for (name, expected) in golden["summaries"].as_object().unwrap() {
        let summary = Summary::of(&numbers(&golden["samples"][name]));
        for (field, actual) in
            [("mean", summary.mean), ("sd", summary.sd), ("low", summary.low), ("high", summary.high)]
        {
            assert_near(actual.unwrap(), &expected[field], &format!("{field} of {name}"));
        }
    }
}

async fn tests_are_scipys() {
    let golden = golden();
    let mut tested = 0;
    for (kind, name) in [(Kind::Welch, "welch"), (Kind::Paired, "paired")] {
        for expected in golden[name].as_array().unwrap() {
            let [a, b] = ["a", "b"].map(|side| numbers(&golden["samples"][expected[side].as_str().unwrap()]));
            let pairs: Vec<(f64, f64)> = a.iter().copied().zip(b.iter().copied()).collect();
            let test = if kind == Kind::Welch { welch(&a, &b) } else { paired(&pairs) }.unwrap();
            let what = |field: &str| format!("{field} of {name}, {} and {}", expected["a"], expected["b"]);
            assert_eq!((test.kind, test.n), (kind, if kind == Kind::Welch { a.len() + b.len() } else { a.len() }));
            assert_near(test.difference, &expected["difference"], &what("difference"));
            let Certainty { low, high, p, effect } = test.certainty.unwrap();
            for (field, actual) in [("low", low), ("high", high), ("p", p)] {
                assert_near(actual, &expected[field], &what(field));
            }
            match effect {
                Some(effect) => assert_near(effect, &expected["effect"], &what("effect")),
                None => assert!(expected["effect"].is_null()),
            }
            tested += 1;
        }
    }
    assert!(tested > 45, "{tested} tests");
}

async fn corrections_are_holms() {
    for family in golden()["holm"].as_array().unwrap() {
        let corrected = holm(&numbers(&family["p"]));
        for (i, expected) in family["corrected"].as_array().unwrap().iter().enumerate() {
            assert_near(corrected[i], expected, &format!("{i} of {family}"));
        }
    }
    assert!(holm(&[]).is_empty());
}

async fn few_values_have_few_figures() {
    let none = Summary::of(&[]);
    assert_eq!((none.n, none.mean, none.sd, none.low), (0, None, None, None));
    let one = Summary::of(&[2.5]);
    assert_eq!((one.n, one.mean, one.sd, one.low, one.high), (1, Some(2.5), None, None, None));
    assert_eq!((welch(&[1.0], &[1.0, 2.0]), paired(&[(1.0, 2.0)])), (None, None));
}

async fn equal_values_are_not_tested() {
    // Three times a tenth does not add up to a true mean of a tenth.
    let equal = Summary::of(&[0.1; 3]);
    assert_eq!((equal.sd, equal.low, equal.high), (Some(0.0), equal.mean, equal.mean));
    assert_eq!(welch(&[0.1; 3], &[0.2; 4]).unwrap().certainty, None);
    // The differences are 0.2, but for rounding.
    assert_eq!(paired(&[(0.3, 0.1), (0.5, 0.3), (0.9, 0.7)]).unwrap().certainty, None);
    // A spread on one side is one.
    assert!(welch(&[0.1; 3], &[0.2, 0.3]).unwrap().certainty.is_some());

    let same = compare("minimize", &[("a", &[0.1, 0.1]), ("b", &[0.1, 0.1])]);
    assert_eq!(same.pairs[0].verdict, Verdict::Unknown);
    assert_eq!(same.words, "a and b came to the same in every run.");
    let apart = compare("maximize", &[("a", &[0.25, 0.25]), ("b", &[1.0, 1.0])]);
    assert_eq!((apart.pairs[0].verdict, apart.pairs[0].p), (Verdict::Unknown, None));
    assert!(apart.words.contains("b is higher than a by 0.75 bits per byte"), "{}", apart.words);
    assert!(apart.words.contains("without a spread"), "{}", apart.words);
}

/// Groups of runs with the seeds 1, 2, 3 …
fn compare(goal: &str, groups: &[(&str, &[f64])]) -> Comparison {
    let groups: Vec<Value> = groups
        .iter()
        .map(|(name, values)| {
            let values = values.iter().enumerate().map(|(i, value)| json!({ "seed": i + 1, "value": value }));
            json!({ "name": name, "values": values.collect::<Vec<_>>() })
        })
        .collect();
    ask(json!({ "metric": { "name": "bits_per_byte", "goal": goal, "unit": "bits per byte" }, "groups": groups }))
}

fn ask(question: Value) -> Comparison {
    statistics::compare(&serde_json::from_value(question).unwrap())
}

async fn runs_of_the_same_seeds_are_paired() {
    let group = |name: &str, seeds: Value, values: [f64; 3]| {
        let seeds = seeds.as_array().unwrap().clone();
        let values = seeds.into_iter().zip(values).map(|(seed, value)| json!({ "seed": seed, "value": value }));
        json!({ "name": name, "values": values.collect::<Vec<_>>() })
    };
    let metric = json!({ "name": "loss", "goal": "minimize" });
    let (a, b) = ([1.0, 2.0, 3.0], [1.1, 2.1, 3.2]);
    for (seeds_a, seeds_b, expected) in [
        (json!([1, 2, 3]), json!([1, 2, 3]), Kind::Paired),
        (json!([1, 2, 3]), json!([1, 2, 4]), Kind::Welch),
        (json!([1, 2, 2]), json!([1, 2, 2]), Kind::Welch),
        (json!([1, 2, null]), json!([1, 2, null]), Kind::Welch),
    ] {
        let groups = [group("a", seeds_a.clone(), a), group("b", seeds_b, b)];
        let comparison = ask(json!({ "metric": metric, "groups": groups }));
        assert_eq!(comparison.pairs[0].test, Some(expected), "{seeds_a}");
    }
    // The order in which runs are given does not matter, their seeds do.
    let groups = [group("a", json!([1, 2, 3]), a), group("b", json!([3, 1, 2]), [3.2, 1.1, 2.1])];
    let pair = &ask(json!({ "metric": metric, "groups": groups })).pairs[0];
    let expected = paired(&[(1.0, 1.1), (2.0, 2.1), (3.0, 3.2)]).unwrap().certainty.unwrap();
    assert_eq!((pair.p, pair.low, pair.effect), (Some(expected.p), Some(expected.low), expected.effect));
    assert_eq!(pair.n, 3);
}

async fn diverged_runs_are_left_out_and_said_so() {
    for bad in [json!(null), json!(f64::NAN), json!(f64::INFINITY)] {
        let values = |values: [Value; 4]| -> Vec<Value> {
            values.into_iter().enumerate().map(|(seed, value)| json!({ "seed": seed, "value": value })).collect()
        };
        let comparison = ask(json!({
            "metric": { "name": "loss", "goal": "minimize" },
            "groups": [
                { "name": "a", "values": values([json!(1.0), bad.clone(), json!(1.2), json!(1.1)]) },
                { "name": "b", "values": values([json!(2.0), json!(2.5), json!(2.4), json!(2.2)]) },
            ],
        }));
        let [a, b] = &comparison.groups[..] else { panic!("two groups") };
        assert_eq!((a.summary.n, a.left_out, b.summary.n, b.left_out), (3, 1, 4, 0));
        // The seed that diverged in one group has no pair.
        assert_eq!((comparison.pairs[0].test, comparison.pairs[0].n), (Some(Kind::Paired), 3));
        assert!(comparison.words.ends_with("1 of 4 runs of a came to no finite number and are left out."));
    }
    // Not through JSON, which has no word for it.
    let nan = statistics::Value { seed: None, value: Some(f64::NAN) };
    let group = statistics::Group { name: "a".to_owned(), values: vec![nan] };
    let metric =
        statistics::MetricName { name: "loss".to_owned(), goal: statistics::Goal::Minimize, unit: String::new() };
    let comparison = statistics::compare(&statistics::Question { metric, groups: vec![group] });
    assert_eq!((comparison.groups[0].summary.n, comparison.groups[0].left_out), (0, 1));
}

async fn many_groups_are_corrected_for_all_their_pairs() {
    let groups: [(&str, &[f64]); 4] =
        [("best", &[1.0, 1.1, 1.05]), ("near", &[1.3, 1.1, 1.2]), ("far", &[2.0, 2.2, 2.05]), ("single", &[1.5])];
    let comparison = compare("minimize", &groups);
    let names: Vec<&str> = comparison.pairs.iter().map(|pair| pair.b.as_str()).collect();
    assert_eq!(names, ["near", "far", "single"]);
    assert!(comparison.pairs.iter().all(|pair| pair.a == "best"));
    let p = |a: &[f64], b: &[f64]| {
        let pairs: Vec<(f64, f64)> = a.iter().copied().zip(b.iter().copied()).collect();
        paired(&pairs).unwrap().certainty.unwrap().p
    };
    let [best, near, far] = [groups[0].1, groups[1].1, groups[2].1];
    let corrected = holm(&[p(best, near), p(best, far), p(near, far)]);
    assert_eq!(comparison.pairs[0].p_corrected, Some(corrected[0]));
    assert_eq!(comparison.pairs[1].p_corrected, Some(corrected[1]));
    assert_eq!(comparison.pairs[1].p, Some(p(best, far)));
    assert_eq!((comparison.pairs[2].verdict, comparison.pairs[2].test), (Verdict::Unknown, None));
    assert_eq!(comparison.pairs[1].verdict, Verdict::Different);
    assert_eq!(comparison.pairs[0].verdict, Verdict::NotSeen);
    let words = &comparison.words;
    assert!(words.contains("More than chance explains: against far (−1.0"), "{words}");
    assert!(words.contains("No difference seen at this budget: from near"), "{words}");
    assert!(words.contains("Too few runs, or no spread to judge by: single (−0.45)"), "{words}");
    assert!(words.contains("corrected for the 3 pairs that there are (Holm)"), "{words}");
}

async fn the_better_end_decides_who_is_best() {
    let groups: [(&str, &[f64]); 2] = [("low", &[1.0, 1.1]), ("high", &[2.0, 2.2])];
    for (goal, best) in [("minimize", "low"), ("maximize", "high")] {
        assert_eq!(compare(goal, &groups).pairs[0].a, best);
    }
    // One lucky run is no best group while others have more.
    let lucky: [(&str, &[f64]); 3] = [("lucky", &[0.1]), groups[0], groups[1]];
    assert_eq!(compare("minimize", &lucky).pairs[0].a, "low");
    assert_eq!(compare("minimize", &lucky[..2]).pairs[0].a, "lucky");
}

async fn words_say_what_the_data_support() {
    let groups: [(&str, &[f64]); 2] = [("rope", &[0.78, 0.79, 0.775]), ("learned", &[0.86, 0.872, 0.861])];
    assert_eq!(
        compare("minimize", &groups).words,
        "rope is lower than learned by 0.0827 bits per byte (95 % interval −0.0903 to −0.0751, paired over 3 seeds, \
         p < 0.001, Hedges’ g_z −15.3): more than chance explains."
    );
    let groups: [(&str, &[f64]); 2] = [("a", &[0.86, 0.87, 0.85]), ("b", &[0.87, 0.85, 0.88])];
    assert_eq!(
        compare("minimize", &groups).words,
        "No difference seen at this budget: a is lower than b by 0.007 bits per byte, but chance alone does as much \
         (95 % interval −0.069 to 0.056, paired over 3 seeds, p = 0.69, Hedges’ g_z −0.1)."
    );
    let mean_of_thousands = compare("maximize", &[("fast", &[123_400.0, 124_600.0, 124_000.0])]);
    assert_eq!(
        mean_of_thousands.words,
        "There is nothing to compare fast with yet: 124,000 bits per byte (95 % interval 122,510 to 125,490, n = 3)."
    );
}

async fn nothing_to_compare_is_said() {
    assert_eq!(compare("minimize", &[]).words, "No run has come to a figure yet.");
    let single: [(&str, &[f64]); 3] = [("a", &[1.0]), ("b", &[2.0]), ("c", &[3.0])];
    let comparison = compare("minimize", &single);
    assert_eq!(
        comparison.words,
        "There is one run of each: what chance does cannot be told from one. Repeat them with other seeds."
    );
    assert!(comparison.pairs.iter().all(|pair| pair.p.is_none() && pair.verdict == Verdict::Unknown));
    let words = compare("minimize", &[("a", &[1.0]), ("b", &[])]).words;
    assert_eq!(words, "There is nothing to compare a with yet: 1.00 bits per byte (n = 1).");
    let empty = compare("minimize", &[("a", &[]), ("b", &[1.0, 2.0]), ("c", &[3.0, 4.5])]);
    assert_eq!(empty.pairs.len(), 1, "a group without a figure is in no pair");
}

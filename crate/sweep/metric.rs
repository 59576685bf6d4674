//! What runs are compared by.

use serde::Serialize;
use serde_json::Value;

use crate::config;
use crate::error::Problem;
use crate::statistics::{Goal, MetricName};

/// (name, the better end, unit, what it is)
pub const ALL: [(&str, Goal, &str, &str); 6] = [
    ("bits_per_byte", Goal::Minimize, "bits per byte", "of the last validation"),
    ("best_bits_per_byte", Goal::Minimize, "bits per byte", "of the best validation"),
    ("loss", Goal::Minimize, "nats per token", "of the last validation; no measure between tokenizers"),
    ("accuracy", Goal::Maximize, "", "the mean over downstream tasks; `accuracy.cloze` is that of one task"),
    ("tokens_per_second", Goal::Maximize, "tokens per second", "over the whole run"),
    ("seconds", Goal::Minimize, "seconds", "spent training"),
];

/// `metric` of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    pub name: String,
    pub goal: Goal,
}

impl Metric {
    pub fn unit(&self) -> &'static str {
        find(&self.name).map_or("", |(_, _, unit, _)| unit)
    }

    /// As a comparison asks for it.
    pub fn question(&self) -> MetricName {
        MetricName { name: self.name.clone(), goal: self.goal, unit: self.unit().to_owned() }
    }

    /// Bits per byte, where nothing else is asked for.
    pub(super) fn parse(value: &Value, problems: &mut Vec<Problem>) -> Option<Self> {
        let names: Vec<&str> = ALL.iter().map(|&(name, ..)| name).collect();
        if value.is_null() {
            return Some(Self { name: names[0].to_owned(), goal: ALL[0].1 });
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let advice = match key.as_str() {
                "name" | "goal" => continue,
                "target" => "Remove it: every run of a sweep is made, for one lucky seed says little.",
                "impute" | "impute_while_running" => "Remove it: nothing is made up for runs that failed.",
                _ => "Remove it.",
            };
            problems.push(Problem::new(format!("metric.{key}"), value, "name and goal", advice));
        }
        let name = value["name"].as_str().unwrap_or_default();
        let Some((_, better, ..)) = find(name) else {
            let mut problem = config::unknown(name, &value["name"], &names);
            problem.field = "metric.name".to_owned();
            problems.push(problem);
            return None;
        };
        let better_name = serde_json::json!(better);
        match &value["goal"] {
            Value::Null => (),
            goal if *goal == better_name => (),
            goal => {
                let allowed = format!("{}, for {name}", better_name.as_str().unwrap_or_default());
                problems.push(Problem::new("metric.goal", goal, allowed, "Change it, or leave it out."));
                return None;
            }
        }
        Some(Self { name: name.to_owned(), goal: better })
    }
}

fn find(name: &str) -> Option<(&'static str, Goal, &'static str, &'static str)> {
    let of_task = name.strip_prefix("accuracy.").is_some_and(|task| !task.is_empty());
    let name = if of_task { "accuracy" } else { name };
    ALL.into_iter().find(|(known, ..)| *known == name)
}

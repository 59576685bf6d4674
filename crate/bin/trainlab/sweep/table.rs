//! What a sweep came to, group by group.

use std::fmt;

use trainlab::statistics::{self, Comparison, Goal, Group, MetricName, Question, Summary, Value};
use trainlab::sweep::{Metric, Sweep};

use super::folder::{Folder, Outcome};
use super::plan::Planned;

/// Groups by the sweep's metric and by their speed.
pub struct Table {
    metric: Metric,
    pub comparison: Comparison,
    speeds: Vec<Summary>,
}

impl Table {
    /// Of the runs that have ended.
    pub fn of(sweep: &Sweep, plans: &[Planned], folder: &Folder) -> Self {
        let ended: Vec<(&Planned, Outcome)> =
            plans.iter().filter_map(|planned| Some((planned, folder.outcome(&planned.run)?))).collect();
        let mut names: Vec<&str> = vec![];
        for (planned, _) in &ended {
            if !names.contains(&planned.run.group.as_str()) {
                names.push(&planned.run.group);
            }
        }
        let groups = |metric: &str| -> Vec<Group> {
            let values = |name: &str| {
                let of_group = ended.iter().filter(|(planned, _)| planned.run.group == name);
                let value = |(planned, outcome): &(&Planned, Outcome)| Value {
                    seed: Some(planned.run.config.training.seed),
                    value: figure(metric, outcome),
                };
                of_group.map(value).collect()
            };
            names.iter().map(|name| Group { name: (*name).to_owned(), values: values(name) }).collect()
        };
        let question = Question { metric: sweep.metric.question(), groups: groups(&sweep.metric.name) };
        let speed = MetricName { name: String::new(), goal: Goal::Maximize, unit: String::new() };
        let speeds = statistics::compare(&Question { metric: speed, groups: groups("tokens_per_second") });
        Self {
            metric: sweep.metric.clone(),
            comparison: statistics::compare(&question),
            speeds: speeds.groups.into_iter().map(|group| group.summary).collect(),
        }
    }
}

/// What a run came to by a metric of [`trainlab::sweep::metric`].
fn figure(metric: &str, outcome: &Outcome) -> Option<f64> {
    let scores = &outcome.result["downstream"];
    match metric.split_once('.') {
        Some((_, task)) => {
            let tasks = scores["tasks"].as_array().into_iter().flatten();
            tasks.into_iter().find(|score| score["task"] == task)?["accuracy"].as_f64()
        }
        None if metric == "accuracy" => scores["accuracy"].as_f64(),
        None => outcome.result.get(metric).or_else(|| outcome.timing.get(metric))?.as_f64(),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let head = ["group", "n", &self.metric.name, "95 % interval", "tokens/s", "95 % interval"].map(str::to_owned);
        let rows = self.comparison.groups.iter().zip(&self.speeds).map(|(group, speed)| {
            let Summary { n, mean, low, high, .. } = group.summary;
            [
                group.name.clone(),
                n.to_string(),
                told(mean, 4),
                interval(low, high, 4),
                told(speed.mean, 0),
                interval(speed.low, speed.high, 0),
            ]
        });
        let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..6).map(width).collect();
        for row in &rows {
            let mut line = format!("{:<width$}", row[0], width = widths[0]);
            for (cell, width) in row[1..].iter().zip(&widths[1..]) {
                line += &format!("  {cell:>width$}");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "{}", self.comparison.words)
    }
}

fn told(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.digits$}"))
}

fn interval(low: Option<f64>, high: Option<f64>, digits: usize) -> String {
    low.zip(high).map_or("–".to_owned(), |(low, high)| format!("{low:.digits$} to {high:.digits$}"))
}

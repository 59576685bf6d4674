//! Sweeps: many runs from one file, in the form that Weights & Biases reads
//! (<https://docs.wandb.ai/models/sweeps/sweep-config-keys>), so that such files go both ways. `docs/sweeps.md` is the
//! form as users see it.
//!
//! A parameter is a field of a config by its dotted path. Three are our own, and constants, so that the file stays one of
//! W&B's: `budget.…` (what every run may spend) and `sweep.seed` (what random draws go by). What all runs are repeated
//! with are the values of `training.seed`.

pub mod budget;
pub mod metric;
mod parameter;
mod runs;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config;
use crate::error::{Error, Problem, Result};
pub use budget::Budget;
pub use metric::Metric;
pub use parameter::Parameter;
pub use runs::{Run, hash, of_all_runs, runs};

const SEED: &str = "sweep.seed";

/// What is passed on as it is: it changes nothing about the runs.
const KEPT: [&str; 10] =
    ["name", "description", "program", "project", "entity", "command", "apiVersion", "kind", "controller", "job"];

/// What W&B knows and a sweep here does not do, and why.
const REFUSED: [(&str, &str); 4] = [
    ("early_terminate", "Remove it: runs that were stopped early spent less than the others, and cannot be compared."),
    ("scheduler", "Remove it: runs are listed before the first begins; take method grid or random."),
    ("metrics", "Name one in `metric`; the results have them all."),
    ("image_uri", "Remove it: runs are made here, not in containers."),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// All combinations of values, the last parameter's changing fastest.
    Grid,
    /// `run_cap` runs, each drawn by itself.
    Random,
}

/// A sweep that was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    pub method: Method,
    pub metric: Metric,
    /// By the paths of their fields, in the file's order.
    pub parameters: Vec<(String, Parameter)>,
    /// Runs at most.
    pub run_cap: Option<u32>,
    /// Of random draws.
    pub seed: u32,
    pub budget: Option<Budget>,
    kept: Map<String, Value>,
}

impl Sweep {
    /// # Errors
    /// All that is wrong with the file, but for what only its runs can show: [`runs`].
    pub fn parse(json: &Value) -> Result<Self> {
        let mut problems = vec![];
        let sweep = read(json, &mut problems);
        match sweep {
            Some(sweep) if problems.is_empty() => Ok(sweep),
            _ => Err(Error::Refused(problems)),
        }
    }

    /// The same as W&B reads it: nested parameters flat, by dotted paths. Reading it again gives the same sweep.
    pub fn to_json(&self) -> Value {
        let mut json = self.kept.clone();
        json.insert("method".to_owned(), json!(self.method));
        json.insert("metric".to_owned(), json!(self.metric));
        if let Some(cap) = self.run_cap {
            json.insert("run_cap".to_owned(), json!(cap));
        }
        let mut parameters: Map<String, Value> =
            self.parameters.iter().map(|(path, parameter)| (path.clone(), parameter.to_json())).collect();
        if let Some(budget) = self.budget {
            parameters.insert(budget.path(), json!({ "value": number(budget.amount) }));
        }
        if self.method == Method::Random || self.seed != 1 {
            parameters.insert(SEED.to_owned(), json!({ "value": self.seed }));
        }
        json.insert("parameters".to_owned(), parameters.into());
        json.into()
    }

    pub fn name(&self) -> Option<&str> {
        self.kept.get("name").and_then(Value::as_str)
    }
}

fn read(json: &Value, problems: &mut Vec<Problem>) -> Option<Sweep> {
    let Some(file) = json.as_object() else {
        let advice = "Write `method: grid` and `parameters:`, each with its `values:`.";
        problems.push(Problem::new("sweep", json, "an object", advice));
        return None;
    };
    let mut kept = Map::new();
    let known: Vec<&str> = KEPT.into_iter().chain(["method", "metric", "parameters", "run_cap"]).collect();
    for (key, value) in file.iter().filter(|(_, value)| !value.is_null()) {
        if let Some((_, advice)) = REFUSED.iter().find(|(refused, _)| refused == key) {
            problems.push(Problem::new(key, value, format!("one of {}", known.join(", ")), *advice));
        } else if KEPT.contains(&key.as_str()) {
            kept.insert(key.clone(), value.clone());
        } else if !known.contains(&key.as_str()) {
            problems.push(config::unknown(key, value, &known));
        }
    }
    for key in ["name", "description"] {
        if let Some(value) = kept.get(key).filter(|value| !value.is_string()) {
            problems.push(Problem::new(key, value, "a text", "Put it in quotation marks."));
        }
    }
    let method = method(file.get("method"), problems);
    let metric = Metric::parse(file.get("metric").unwrap_or(&Value::Null), problems);
    let run_cap = run_cap(file.get("run_cap"), problems);
    let mut specs = vec![];
    match file.get("parameters").and_then(Value::as_object) {
        Some(parameters) => parameter::flatten("", parameters, &mut specs, problems),
        None => {
            let value = file.get("parameters").unwrap_or(&Value::Null);
            let advice = "Write, say, `parameters: {training.seed: {values: [1, 2, 3]}}`.";
            problems.push(Problem::new("parameters", value, "an object of config fields", advice));
        }
    }
    let (own, fields): (Vec<_>, Vec<_>) =
        specs.into_iter().partition(|(path, _)| path == SEED || path.starts_with("budget."));
    let mut seed = 1;
    let mut budgets = vec![];
    for (path, spec) in own {
        let constant = spec.get("value").filter(|_| spec.len() == 1).cloned();
        match (constant, path.as_str()) {
            (None, _) => problems.push(Problem::new(
                path,
                Value::Object(spec),
                "a constant, {value: …}",
                "Every run of a sweep shares it; make a sweep of its own for each.",
            )),
            (Some(value), SEED) => match value.as_u64().and_then(|value| u32::try_from(value).ok()) {
                Some(value) => seed = value,
                None => problems.push(Problem::new(SEED, value, "a whole number from 0 to 4294967295", "Take 1.")),
            },
            (Some(value), _) => budgets.extend(Budget::parse(&path, &value, problems)),
        }
    }
    let mut parameters: Vec<(String, Parameter)> = vec![];
    for (path, spec) in fields {
        let Some(parameter) = Parameter::parse(&path, &spec, method, problems) else { continue };
        if parameters.iter().any(|(other, _)| *other == path) {
            let value = Value::Object(spec);
            problems.push(Problem::new(path, value, "each field once", "Remove one of them."));
        } else {
            parameters.push((path, parameter));
        }
    }
    if budgets.len() > 1 {
        let paths: Vec<String> = budgets.iter().map(Budget::path).collect();
        problems.push(Problem::new("budget", paths.join(", "), "one budget", "Remove the others."));
    }
    if let (Some(budget), Some((_, steps))) =
        (budgets.first(), parameters.iter().find(|(path, _)| path == "training.steps"))
    {
        let allowed = format!("left out, for {} decides about it", budget.path());
        problems.push(Problem::new("training.steps", steps.to_json(), allowed, "Remove one of them."));
    }
    if method == Some(Method::Random) && run_cap.is_none() && !file.contains_key("run_cap") {
        let allowed = "with method random, a whole number from 1 to 10000";
        problems.push(Problem::new("run_cap", "missing", allowed, "Say how many runs to draw."));
    }
    let budget = budgets.into_iter().next();
    Some(Sweep { method: method?, metric: metric?, parameters, run_cap, seed, budget, kept })
}

fn method(value: Option<&Value>, problems: &mut Vec<Problem>) -> Option<Method> {
    let value = value.unwrap_or(&Value::Null);
    let advice = match value.as_str() {
        Some("grid") => return Some(Method::Grid),
        Some("random") => return Some(Method::Random),
        Some("bayes") => {
            "Take random: a search that goes by earlier runs makes later ones depend on their noise, and its runs could not \
             be listed, checked and repeated."
        }
        Some("custom") => "Take grid or random: no other program draws the runs.",
        _ => "Take grid for all combinations, random for some.",
    };
    problems.push(Problem::new("method", value, "grid or random", advice));
    None
}

fn run_cap(value: Option<&Value>, problems: &mut Vec<Problem>) -> Option<u32> {
    let value = value.filter(|value| !value.is_null())?;
    let cap = value.as_u64().filter(|cap| (1..=runs::MOST as u64).contains(cap));
    if cap.is_none() {
        let allowed = format!("a whole number from 1 to {}", runs::MOST);
        problems.push(Problem::new("run_cap", value, allowed, "Change it to one of these."));
    }
    cap.map(|cap| cap as u32)
}

/// A whole number without a point.
fn number(value: f64) -> Value {
    // Integers above that are not all numbers of this type.
    if value.fract() == 0.0 && value.abs() < 9e15 { json!(value as i64) } else { json!(value) }
}

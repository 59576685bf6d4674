//! The runs of a sweep, in the order in which they are made.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::budget::MOST_STEPS;
use super::{Budget, Method, Parameter, Sweep};
use crate::config::{self, Config};
use crate::error::{Error, Problem, Result};
use crate::hash::fnv1a_64;
use crate::random::{Random, Stream};

/// A sweep's runs at most: as many as can be listed and looked through.
pub const MOST: usize = 10_000;

/// Draws in a row that were there before, after which no new one is hoped for.
const PATIENCE: u32 = 1000;

const SEED: &str = "training.seed";

/// One run of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// A hash of the config and the budget, the same on every machine.
    pub id: String,
    /// What tells it apart from the others: `position=rope seed=2`.
    pub name: String,
    /// The same without the seed: runs of one group are repetitions.
    pub group: String,
    /// The fields that vary, by their paths.
    pub values: Map<String, Value>,
    /// With a budget, its steps are the most there can be until [`Budget::steps`] has said how many they are.
    pub config: Config,
    pub budget: Option<Budget>,
}

/// # Errors
/// All that is wrong with any run's config, and with their number.
pub fn runs(sweep: &Sweep) -> Result<Vec<Run>> {
    let names = Names::of(sweep);
    let mut problems = vec![];
    let mut runs = vec![];
    match sweep.method {
        Method::Grid => {
            for values in grid(sweep)? {
                runs.extend(run(sweep, &names, values, &mut problems));
            }
        }
        Method::Random => random(sweep, &names, &mut runs, &mut problems)?,
    }
    let mut ids = BTreeSet::new();
    if let Some(run) = runs.iter().find(|run| !ids.insert(&run.id)) {
        let advice = "Remove a value that is there twice, such as 1 and 1.0.";
        problems.push((Problem::new("parameters", "", "runs that differ", advice), run.name.clone()));
    }
    if problems.is_empty() { Ok(runs) } else { Err(Error::Refused(of_all_runs(problems))) }
}

type Values = Map<String, Value>;

/// Every combination, or as many as the cap allows.
fn grid(sweep: &Sweep) -> Result<Vec<Values>> {
    let most = sweep.run_cap.map_or(MOST, |cap| cap as usize);
    let varying: Vec<(&String, u64, &Parameter)> =
        sweep.parameters.iter().filter_map(|(path, p)| Some((path, p.count()?, p))).collect();
    let all = varying.iter().fold(1u64, |all, (_, count, _)| all.saturating_mul(*count));
    if all > MOST as u64 && sweep.run_cap.is_none() {
        let allowed = format!("at most {MOST} runs");
        let advice = "Leave values out, set run_cap, or take method random.";
        return Err(Error::refused(Problem::new("parameters", format!("{all} runs"), allowed, advice)));
    }
    let combination = |mut rank: u64| -> Values {
        // The last parameter's values change fastest.
        let digits: Vec<u64> = varying.iter().rev().map(|(_, count, _)| digit(&mut rank, *count)).collect();
        varying.iter().zip(digits.into_iter().rev()).map(|((path, _, p), i)| ((*path).clone(), p.nth(i))).collect()
    };
    Ok((0..all.min(most as u64)).map(combination).collect())
}

fn digit(rank: &mut u64, base: u64) -> u64 {
    let digit = *rank % base;
    *rank /= base;
    digit
}

/// Draws runs until there are `run_cap`. Draw i is a function of the sweep's seed and i; what was drawn before is drawn
/// again. Where seeds are listed, each draw is repeated with every one of them.
fn random(sweep: &Sweep, names: &Names, runs: &mut Vec<Run>, problems: &mut Vec<(Problem, String)>) -> Result<()> {
    let cap = sweep.run_cap.unwrap_or(1) as usize;
    let seeds = sweep.parameters.iter().find_map(|(path, parameter)| match parameter {
        Parameter::Values { values, .. } if path == SEED => Some(values.clone()),
        _ => None,
    });
    let drawn = sweep
        .parameters
        .iter()
        .filter(|(path, parameter)| parameter.count().is_some() && (path != SEED || seeds.is_none()));
    let drawn: Vec<&(String, Parameter)> = drawn.collect();
    let mut seen = BTreeSet::new();
    let mut made = 0;
    for i in 0.. {
        if made == cap {
            return Ok(());
        }
        let mut draws = Random::new(sweep.seed.into(), Stream::Other(i));
        let mut draw = || -> Values { drawn.iter().map(|(path, p)| (path.clone(), p.draw(&mut draws))).collect() };
        let Some(values) = (0..PATIENCE).map(|_| draw()).find(|values| seen.insert(json!(values).to_string())) else {
            let allowed = format!("at most {made}: all that could be drawn");
            let problem = Problem::new("run_cap", cap, allowed, "Lower it, or take method grid.");
            return Err(Error::refused(problem));
        };
        for seed in seeds.clone().map_or(vec![None], |seeds| seeds.into_iter().map(Some).collect()) {
            if made == cap {
                return Ok(());
            }
            // In the file's order, the seed among them.
            let value =
                |path: &String| if path == SEED { seed.clone() } else { None }.or_else(|| values.get(path).cloned());
            let values = sweep.parameters.iter().filter_map(|(path, _)| Some((path.clone(), value(path)?))).collect();
            runs.extend(run(sweep, names, values, problems));
            made += 1;
        }
    }
    Ok(())
}

/// None where its config has problems, which are added to the others with the run's name.
fn run(sweep: &Sweep, names: &Names, values: Values, problems: &mut Vec<(Problem, String)>) -> Option<Run> {
    let name = names.of_run(&values, false);
    let mut found = |error: Error| {
        if let Error::Refused(of_run) = error {
            problems.extend(of_run.into_iter().map(|problem| (problem, name.clone())));
        }
    };
    let config = config(sweep, &values).map_err(&mut found).ok()?;
    let id = hash(&json!([config, sweep.budget]));
    let group = names.of_run(&values, true);
    Some(Run { id, name, group, values, config, budget: sweep.budget })
}

/// Twelve digits that tell values apart, the same on every machine.
pub fn hash(value: &Value) -> String {
    let mut hash = format!("{:016x}", fnv1a_64(value.to_string().bytes()));
    hash.truncate(12);
    hash
}

fn config(sweep: &Sweep, values: &Values) -> Result<Config> {
    let constants = sweep.parameters.iter().filter_map(|(path, parameter)| match parameter {
        Parameter::Constant(value) => Some((path, value)),
        _ => None,
    });
    let mut fields: Vec<(&String, &Value)> = constants.chain(values).collect();
    config::decisive_first(&mut fields);
    let mut json = json!({});
    for (path, value) in fields {
        config::set_value(&mut json, path, value.clone())?;
    }
    if sweep.budget.is_some() {
        config::set_value(&mut json, "training.steps", json!(MOST_STEPS))?;
    }
    config::parse(&json)
}

/// The same problem of many runs once, with the name of the first.
pub fn of_all_runs(problems: Vec<(Problem, String)>) -> Vec<Problem> {
    let mut once: Vec<(Problem, String, usize)> = vec![];
    for (problem, run) in problems {
        match once.iter_mut().find(|(other, ..)| *other == problem) {
            Some((.., runs)) => *runs += 1,
            None => once.push((problem, run, 1)),
        }
    }
    let named = once.into_iter().map(|(problem, run, runs)| {
        let others = match runs {
            1 => String::new(),
            2 => " and in one other".to_owned(),
            _ => format!(" and in {} others", runs - 1),
        };
        // What mends a config mends no sweep.
        Problem { value: format!("{} in the run `{run}`{others}", problem.value), fixes: vec![], ..problem }
    });
    named.collect()
}

/// How the fields that vary are called: by their last part, where that names one of them.
struct Names(Vec<(String, String)>);

impl Names {
    fn of(sweep: &Sweep) -> Self {
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let varying = sweep.parameters.iter().filter(|(_, parameter)| parameter.count().is_some());
        let paths: Vec<&String> = varying.map(|(path, _)| path).collect();
        let short = |path: &String| {
            let alone = paths.iter().filter(|other| last(other) == last(path)).count() == 1;
            (path.clone(), if alone { last(path) } else { path.clone() })
        };
        Self(paths.iter().map(|path| short(path)).collect())
    }

    fn of_run(&self, values: &Values, without_seed: bool) -> String {
        let named = self.0.iter().filter(|(path, _)| !(without_seed && path == SEED));
        let parts: Vec<String> =
            named.filter_map(|(path, name)| Some(format!("{name}={}", plain(values.get(path)?)))).collect();
        if parts.is_empty() { "all alike".to_owned() } else { parts.join(" ") }
    }
}

/// As it is written on a command line.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(","),
        _ => value.to_string(),
    }
}

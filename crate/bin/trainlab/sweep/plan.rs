//! What the runs of a sweep will take: looked at before the first begins.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trainlab::engine::Device;
use trainlab::error::{Error, Problem, Result};
use trainlab::plan::{Plan, Summary};
use trainlab::sweep::{Run, of_all_runs};

use super::folder::Folder;
use super::texts::Texts;

/// A run, its config with the steps that it will have.
pub struct Planned {
    pub run: Run,
    /// None where only a trial could tell.
    pub steps: Option<u32>,
    /// Of all its steps.
    pub flops: Option<f64>,
    pub summary: Summary,
}

/// What runs share that differ in their seeds alone.
#[derive(Clone)]
struct Group {
    steps: Option<u32>,
    flops: Option<f64>,
    summary: Summary,
}

/// Plans every run. With `measure`, the steps of budgets in seconds are found by trials, and kept in the folder.
///
/// # Errors
/// All that is wrong with any run.
pub fn all(
    runs: &[Run],
    folder: Option<&Folder>,
    texts: &mut Texts,
    device: &Device,
    measure: bool,
) -> Result<Vec<Planned>> {
    let mut steps = folder.map(Folder::steps).unwrap_or_default();
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    let mut problems: Vec<(Problem, String)> = vec![];
    let mut plans = vec![];
    for run in runs {
        let key = alike(run);
        let known = steps.get(&key).and_then(Value::as_u64).map(|steps| steps as u32);
        let group = match groups.get(&key) {
            Some(group) => Ok(group.clone()),
            None => group(run, known, texts, device, measure),
        };
        match group {
            Ok(group) => {
                if run.budget.is_some() && measure && known.is_none() {
                    steps.insert(key.clone(), json!(group.steps));
                    folder.map_or(Ok(()), |folder| folder.keep_steps(&steps))?;
                }
                let mut run = run.clone();
                run.config.training.steps = group.steps.unwrap_or(run.config.training.steps);
                let Group { steps, flops, summary } = group.clone();
                plans.push(Planned { run, steps, flops, summary });
                groups.insert(key, group);
            }
            Err(Error::Refused(of_run)) => {
                problems.extend(of_run.into_iter().map(|problem| (problem, run.name.clone())));
            }
            Err(error) => return Err(error),
        }
    }
    if problems.is_empty() { Ok(plans) } else { Err(Error::Refused(of_all_runs(problems))) }
}

fn group(run: &Run, known: Option<u32>, texts: &mut Texts, device: &Device, measure: bool) -> Result<Group> {
    let text = texts.of(&run.config)?;
    // Whether there are such.
    text.tasks(&run.config)?;
    let steps = match (run.budget, known) {
        (None, _) => Some(run.config.training.steps),
        (Some(_), Some(known)) => Some(known),
        (Some(budget), None) if budget.is_measured() && !measure => None,
        (Some(budget), None) => Some(pollster::block_on(budget.steps(&run.config, &text.dataset, device))?),
    };
    let plan = Plan::for_dataset(&run.config, &text.dataset, device)?;
    Ok(Group { steps, flops: steps.map(|steps| plan.flops(steps)), summary: plan.summary() })
}

/// What decides how long a step takes: repetitions with other seeds get the same steps.
fn alike(run: &Run) -> String {
    let mut config = run.config.clone();
    config.training.seed = 0;
    trainlab::sweep::hash(&json!([config, run.budget]))
}

/// A line a run, and what that comes to.
pub fn print(plans: &[Planned], folder: Option<&Folder>) -> Result<()> {
    for Planned { run, steps, flops, summary } in plans {
        let done = folder.is_some_and(|folder| !folder.is_open(run));
        let tokens = steps.map(|steps| u64::from(steps) * summary.tokens_per_step as u64);
        let seconds = run.budget.filter(|budget| budget.is_measured()).map(|budget| budget.amount);
        println!(
            "{}",
            json!({
                "id": run.id, "name": run.name, "group": run.group, "steps": steps, "tokens": tokens, "flops": flops,
                "seconds": seconds, "parameters": summary.parameters, "bytes": summary.bytes.total, "done": done,
            })
        );
    }
    let open: Vec<&Planned> =
        plans.iter().filter(|planned| folder.is_none_or(|folder| folder.is_open(&planned.run))).collect();
    let flops: f64 = open.iter().filter_map(|planned| planned.flops).sum();
    let most = plans.iter().map(|planned| planned.summary.bytes.total).max().unwrap_or(0);
    eprintln!(
        "{} runs, {} to be made: {flops:.3e} FLOPs, at most {} MiB at a time",
        plans.len(),
        open.len(),
        most >> 20
    );
    let budgets: Option<f64> =
        open.iter().map(|planned| planned.run.budget.filter(|b| b.is_measured()).map(|b| b.amount)).sum();
    let told = folder.and_then(|folder| speed(plans, folder)).map(|speed| flops / speed);
    if let Some(seconds) = budgets.filter(|_| !open.is_empty()).or(told) {
        eprintln!("about {} of training, one after the other", super::queue::duration(seconds));
    }
    Ok(())
}

/// FLOPs a second of the runs that are done.
fn speed(plans: &[Planned], folder: &Folder) -> Option<f64> {
    let of = |planned: &Planned| {
        let outcome = folder.outcome(&planned.run)?;
        Some((outcome.result.get("flops")?.as_f64()?, outcome.timing.get("seconds")?.as_f64()?))
    };
    let (flops, seconds) = plans.iter().filter_map(of).fold((0.0, 0.0), |sums, of| (sums.0 + of.0, sums.1 + of.1));
    (seconds > 0.0).then(|| flops / seconds)
}

//! A sweep's folder: what it is of, which runs are done, and their results.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trainlab::error::{Error, Problem, Result};
use trainlab::sweep::{Run, Sweep};

use super::file;
use super::plan::Planned;
use crate::files;

/// A run that failed is begun so often in all.
const ATTEMPTS: u32 = 2;

/// What a run came to: `result` is the same whenever it is made, `timing` is not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    pub result: Map<String, Value>,
    pub timing: Map<String, Value>,
    /// How often it was begun.
    pub attempts: u32,
}

impl Outcome {
    pub fn state(&self) -> &str {
        self.result["state"].as_str().unwrap_or_default()
    }

    /// Whether it is to be begun again.
    fn is_open(&self) -> bool {
        self.state() == "failed" && self.attempts < ATTEMPTS
    }
}

pub struct Folder {
    path: PathBuf,
    inputs: Map<String, Value>,
    /// Held as long as the program lives: two at once would write the same files.
    _lock: Option<File>,
}

impl Folder {
    /// # Errors
    /// Where it holds another sweep, or one of other files (`inputs`), or another program is at it.
    pub fn open(path: &Path, sweep: &Sweep, inputs: Map<String, Value>, only_look: bool) -> Result<Self> {
        let lock = if only_look { None } else { Some(lock(path)?) };
        let folder = Self { path: path.to_owned(), inputs, _lock: lock };
        if let Ok(text) = files::read_text(&folder.sweep_file()) {
            let there = file::from_yaml(&text).ok().and_then(|json| Sweep::parse(&json).ok());
            let inputs = files::read_text(&folder.inputs_file()).unwrap_or_default();
            let inputs = serde_json::from_str(&inputs).unwrap_or_default();
            differ(path, (there.as_ref(), &inputs), (sweep, &folder.inputs))?;
        }
        Ok(folder)
    }

    fn inputs_file(&self) -> PathBuf {
        self.path.join("inputs.json")
    }

    fn sweep_file(&self) -> PathBuf {
        self.path.join("sweep.yaml")
    }

    /// Says which sweep it is of.
    pub fn write(&self, sweep: &str) -> Result<()> {
        files::replace(&self.inputs_file(), json!(self.inputs).to_string().as_bytes())?;
        files::replace(&self.sweep_file(), sweep.as_bytes())
    }

    pub fn of_run(&self, run: &Run) -> PathBuf {
        self.path.join("runs").join(&run.id)
    }

    fn outcome_file(&self, run: &Run) -> PathBuf {
        self.of_run(run).join("result.json")
    }

    /// None where the run has not ended yet.
    pub fn outcome(&self, run: &Run) -> Option<Outcome> {
        let text = files::read_text(&self.outcome_file(run)).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub fn keep(&self, run: &Run, outcome: &Outcome) -> Result<()> {
        files::replace(&self.outcome_file(run), json!(outcome).to_string().as_bytes())
    }

    pub fn is_open(&self, run: &Run) -> bool {
        self.outcome(run).is_none_or(|outcome| outcome.is_open())
    }

    pub fn done(&self, plans: &[Planned]) -> usize {
        plans.iter().filter(|planned| self.outcome(&planned.run).is_some()).count()
    }

    /// The steps that budgets came to, by group: measured once.
    pub fn steps(&self) -> Map<String, Value> {
        let text = files::read_text(&self.path.join("steps.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub fn keep_steps(&self, steps: &Map<String, Value>) -> Result<()> {
        files::replace(&self.path.join("steps.json"), json!(steps).to_string().as_bytes())
    }

    /// results.jsonl and timings.jsonl: the runs that have ended, in the sweep's order.
    pub fn write_results(&self, plans: &[Planned]) -> Result<()> {
        let outcomes: Vec<Outcome> = plans.iter().filter_map(|planned| self.outcome(&planned.run)).collect();
        let lines = |of: fn(&Outcome) -> &Map<String, Value>| -> String {
            outcomes.iter().map(|outcome| format!("{}\n", json!(of(outcome)))).collect()
        };
        files::replace(&self.path.join("results.jsonl"), lines(|outcome| &outcome.result).as_bytes())?;
        files::replace(&self.path.join("timings.jsonl"), lines(|outcome| &outcome.timing).as_bytes())
    }

    /// # Errors
    /// Where runs failed.
    pub fn verdict(&self, plans: &[Planned]) -> Result<()> {
        let outcomes = plans.iter().filter_map(|planned| Some((planned, self.outcome(&planned.run)?)));
        let failed: Vec<String> = outcomes
            .filter(|(_, outcome)| outcome.state() == "failed")
            .map(|(planned, outcome)| {
                let again = if outcome.is_open() { "; it is tried once more at the next start" } else { "" };
                format!("{}: {}{again}", planned.run.name, outcome.result["message"].as_str().unwrap_or_default())
            })
            .collect();
        if failed.is_empty() { Ok(()) } else { Err(Error::Device(format!("runs failed\n{}", failed.join("\n")))) }
    }
}

fn lock(path: &Path) -> Result<File> {
    files::make_folder(&path.join("runs"))?;
    let name = path.join("lock");
    let failed = |error: std::io::Error| Error::File(format!("{}: {error}", name.display()));
    let file = File::create(&name).map_err(failed)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::Error(error) => failed(error),
        std::fs::TryLockError::WouldBlock => {
            let advice = "Wait until it has ended, or take another folder.";
            Error::refused(Problem::new("--out", path.display(), "a folder that no other sweep is at", advice))
        }
    })?;
    Ok(file)
}

/// A sweep, and the files that its runs read.
type Made<'a> = (Option<&'a Sweep>, &'a Map<String, Value>);

/// Refuses another sweep than the one that is there, with what differs.
fn differ(path: &Path, there: Made, (sweep, inputs): (&Sweep, &Map<String, Value>)) -> Result<()> {
    let [ours, theirs] = [(Some(sweep), inputs), there].map(decisive);
    let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.sort();
    keys.dedup();
    let told = |value: Option<&Value>| value.map_or("not there".to_owned(), Value::to_string);
    let file = path.join("sweep.yaml");
    let problems = keys.into_iter().filter(|key| ours.get(*key) != theirs.get(*key)).map(|key| {
        let allowed = format!("{}, as in {}", told(theirs.get(key)), file.display());
        Problem::new(key, told(ours.get(key)), allowed, "Take another folder, or that sweep.")
    });
    let mut problems: Vec<Problem> = problems.collect();
    if problems.is_empty() && !ours.keys().eq(theirs.keys()) {
        let allowed = format!("in the order of {}", file.display());
        let advice = "Take another folder, or that sweep: the order decides which runs come first.";
        problems.push(Problem::new("parameters", "in another order", allowed, advice));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Refused(problems)) }
}

/// What decides about the runs and their results: not how the sweep is called.
fn decisive((sweep, inputs): Made) -> Map<String, Value> {
    let Some(sweep) = sweep else { return Map::new() };
    let json = sweep.to_json();
    let mut all = json["parameters"].as_object().cloned().unwrap_or_default();
    for key in ["method", "metric", "run_cap"] {
        if let Some(value) = json.get(key) {
            all.insert(key.to_owned(), value.clone());
        }
    }
    all.extend(inputs.clone());
    all
}

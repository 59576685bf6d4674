//! metrics.jsonl of a run: a line a step, a validation, scores or a sample, and what they come to.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use trainlab::error::{Error, Result};
use trainlab::trainer::Metric;

use crate::files;
use crate::train::Told;

const NAME: &str = "metrics.jsonl";

/// A run's lines as they come.
pub struct Recorder<'a> {
    path: PathBuf,
    file: File,
    /// Told each step.
    progress: &'a mut dyn FnMut(&Metric),
}

impl<'a> Recorder<'a> {
    /// Goes on after what is there.
    pub fn open(folder: &Path, progress: &'a mut dyn FnMut(&Metric)) -> Result<Self> {
        let path = folder.join(NAME);
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.map_err(|error| Error::File(format!("{}: {error}", path.display())))?;
        Ok(Self { path, file, progress })
    }

    fn line(&mut self, line: &Value) -> Result<()> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| Error::File(format!("{}: {error}", self.path.display())))
    }
}

impl Told for Recorder<'_> {
    fn metric(&mut self, metric: &Metric) -> Result<()> {
        self.line(&json!(metric))?;
        (self.progress)(metric);
        Ok(())
    }

    fn look(&mut self, name: &str, found: Value) -> Result<()> {
        self.line(&json!({ name: found }))
    }
}

/// The lines of a run's file. The last one may have been cut off.
fn lines(folder: &Path) -> Vec<Value> {
    let text = files::read(&folder.join(NAME)).unwrap_or_default();
    text.split(|&byte| byte == b'\n').map_while(|line| serde_json::from_slice(line).ok()).collect()
}

/// Drops what a run that goes on after so many steps will show again: later steps, and what was looked at then or later.
/// False where lines are missing, so that the run has to begin anew.
pub fn rewind(folder: &Path, step: u32) -> Result<bool> {
    let keeps = |line: &Value| match (line["step"].as_u64(), look(line)) {
        (Some(of_metric), _) => of_metric <= step.into(),
        (None, Some((_, found))) => found["step"].as_u64().is_some_and(|at| at < step.into()),
        (None, None) => false,
    };
    let kept: Vec<Value> = lines(folder).into_iter().filter(keeps).collect();
    let text: String = kept.iter().map(|line| format!("{line}\n")).collect();
    files::replace(&folder.join(NAME), text.as_bytes())?;
    let steps = kept.iter().filter_map(|line| line["step"].as_u64());
    Ok(steps.eq(1..=step.into()))
}

/// A line that is not a step's.
fn look(line: &Value) -> Option<(&String, &Value)> {
    line.as_object().filter(|line| line.len() == 1)?.iter().next()
}

/// Seconds spent training, and tokens trained on, up to the last step.
pub fn spent(folder: &Path) -> (f64, f64) {
    let lines = lines(folder);
    let last = lines.iter().rev().find(|line| line["step"].is_u64()).unwrap_or(&Value::Null);
    (last["seconds"].as_f64().unwrap_or(0.0), last["tokens"].as_f64().unwrap_or(0.0))
}

/// What a run came to, out of its lines: all that does not depend on the machine's speed.
pub fn results(folder: &Path) -> Map<String, Value> {
    let lines = lines(folder);
    let found = |name: &str| -> Vec<&Value> {
        lines.iter().filter_map(look).filter(|(known, _)| *known == name).map(|(_, found)| found).collect()
    };
    let validations = found("validation");
    let last = validations.last().copied().unwrap_or(&Value::Null);
    let bits = validations.iter().filter_map(|found| found["bits_per_byte"].as_f64());
    let mut scores = found("downstream").last().map_or(Value::Null, |found| (*found).clone());
    if let Some(scores) = scores.as_object_mut() {
        scores.shift_remove("seconds");
    }
    let mut results = Map::new();
    results.insert("bits_per_byte".to_owned(), last["bits_per_byte"].clone());
    results.insert("best_bits_per_byte".to_owned(), json!(bits.reduce(f64::min)));
    results.insert("standard_error".to_owned(), last["standard_error"].clone());
    results.insert("loss".to_owned(), last["loss"].clone());
    results.insert("downstream".to_owned(), scores);
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_drops_what_it_will_show_again() {
        let folder = std::env::temp_dir().join(format!("trainlab-metrics-{}", std::process::id()));
        files::make_folder(&folder).unwrap();
        let write = |text: &str| files::replace(&folder.join(NAME), text.as_bytes()).unwrap();
        let look = |at: u32, bits: f64| format!("{{\"validation\":{{\"step\":{at},\"bits_per_byte\":{bits}}}}}\n");
        let step = |at: u32| format!("{{\"step\":{at},\"loss\":1.5}}\n");
        let whole: String = [look(0, 8.5), step(1), step(2), look(2, 4.5), step(3), step(4), look(4, 5.5)].concat();
        // Saved after step 2, where it was looked at, and killed in the middle of a line.
        write(&(whole.clone() + "{\"step\":5,\"lo"));
        assert!(rewind(&folder, 2).unwrap());
        let left = files::read_text(&folder.join(NAME)).unwrap();
        assert_eq!(left, [look(0, 8.5), step(1), step(2)].concat());
        // Saved before any step.
        write(&whole);
        assert!(rewind(&folder, 0).unwrap());
        assert_eq!(files::read_text(&folder.join(NAME)).unwrap(), "");
        // Lines that the disk never got.
        write(&[look(0, 8.5), step(1)].concat());
        assert!(!rewind(&folder, 3).unwrap());
        write(&whole);
        let results = results(&folder);
        assert_eq!((&results["bits_per_byte"], &results["best_bits_per_byte"]), (&json!(5.5), &json!(4.5)));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

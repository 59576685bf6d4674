//! The runs of a sweep, made one after the other or side by side.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use trainlab::checkpoint::Checkpoint;
use trainlab::engine::Device;
use trainlab::error::{Error, Result};
use trainlab::trainer::{Metric, Trainer};

use super::SweepArgs;
use super::folder::{Folder, Outcome};
use super::metrics::{self, Recorder};
use super::plan::Planned;
use super::texts::Texts;
use crate::files::{self, CHECKPOINT};
use crate::saves::Saves;
use crate::{tilings, train};

/// Makes the runs that are not done yet.
///
/// # Errors
/// What ends the sweep: files that cannot be written, a GPU that is lost, [`Error::Stopped`]. Runs that diverge or fail end
/// nothing but themselves.
pub fn make(
    args: &SweepArgs,
    plans: &[Planned],
    folder: &Folder,
    texts: &mut Texts,
    device: &Device,
    stop: &AtomicBool,
) -> Result<()> {
    let open: VecDeque<&Planned> = plans.iter().filter(|planned| folder.is_open(&planned.run)).collect();
    let progress = Progress::new(plans.len(), &open);
    let queue = Mutex::new(open);
    let work = Work { folder, queue, stop, progress };
    let record = |planned: &Planned, outcome: &Outcome| {
        folder.write_results(plans)?;
        println!("{}", told(outcome));
        work.progress.ended(planned, outcome);
        Ok(())
    };
    if args.jobs == 1 {
        return work.through(texts, device, &mut |planned, outcome| record(planned, &outcome));
    }
    thread::scope(|scope| {
        let (send, receive) = mpsc::channel();
        let workers: Vec<_> = (0..args.jobs)
            .map(|_| {
                let (work, send) = (&work, send.clone());
                scope.spawn(move || {
                    let ended = &mut |planned, outcome| {
                        // Whoever does not listen any more has failed, and says why.
                        send.send((planned, outcome)).map_err(|_| Error::Stopped)
                    };
                    let worked = work.through(&mut Texts::new(&args.files), &Device::Cpu, ended);
                    if worked.is_err() {
                        // The others save and end.
                        stop.store(true, Ordering::Relaxed);
                    }
                    worked
                })
            })
            .collect();
        drop(send);
        let recorded = receive.iter().try_for_each(|(planned, outcome)| record(planned, &outcome));
        if recorded.is_err() {
            stop.store(true, Ordering::Relaxed);
        }
        let worked = workers.into_iter().map(|worker| worker.join().expect("panics are caught, run by run"));
        // What went wrong says more than who stopped because of it.
        let mut ends: Vec<Error> = std::iter::once(recorded).chain(worked).filter_map(Result::err).collect();
        ends.sort_by_key(|error| matches!(error, Error::Stopped));
        ends.into_iter().next().map_or(Ok(()), Err)
    })
}

/// The line of a run that has ended: what it came to and how long it took.
fn told(outcome: &Outcome) -> Value {
    let mut line = outcome.result.clone();
    line.extend(outcome.timing.clone());
    line.into()
}

struct Work<'a> {
    folder: &'a Folder,
    queue: Mutex<VecDeque<&'a Planned>>,
    stop: &'a AtomicBool,
    progress: Progress,
}

impl<'a> Work<'a> {
    /// Run after run, until none is left.
    fn through(
        &self,
        texts: &mut Texts,
        device: &Device,
        ended: &mut dyn FnMut(&'a Planned, Outcome) -> Result<()>,
    ) -> Result<()> {
        while let Some(planned) = self.next() {
            ended(planned, self.attempt(planned, texts, device)?)?;
        }
        if self.stop.load(Ordering::Relaxed) { Err(Error::Stopped) } else { Ok(()) }
    }

    fn next(&self) -> Option<&'a Planned> {
        let mut queue = self.queue.lock().expect("nobody panics with it");
        if self.stop.load(Ordering::Relaxed) { None } else { queue.pop_front() }
    }

    /// A run, begun or gone on with, and what it came to.
    fn attempt(&self, planned: &Planned, texts: &mut Texts, device: &Device) -> Result<Outcome> {
        let run = &planned.run;
        let attempts = 1 + self.folder.outcome(run).map_or(0, |outcome| outcome.attempts);
        let trained = catch_unwind(AssertUnwindSafe(|| pollster::block_on(self.train(planned, texts, device))));
        let (state, steps, message) = match trained {
            Ok(Ok(())) => ("finished", Some(run.config.training.steps), None),
            Ok(Err(error @ Error::Diverged { step, .. })) => ("diverged", Some(step - 1), Some(error.to_string())),
            Ok(Err(Error::DeviceLost(reason))) => {
                return Err(Error::DeviceLost(format!(
                    "{reason}); the same command goes on (the run was {}",
                    run.name
                )));
            }
            Ok(Err(error @ (Error::Refused(_) | Error::File(_) | Error::Stopped))) => return Err(error),
            Ok(Err(error)) => ("failed", None, Some(error.to_string())),
            Err(panic) => ("failed", None, Some(format!("a fault of the program: {}", said(panic.as_ref())))),
        };
        let path = self.folder.of_run(run);
        let (seconds, tokens) = metrics::spent(&path);
        let mut result = object(json!({
            "id": run.id,
            "name": run.name,
            "group": run.group,
            "seed": run.config.training.seed,
            "values": run.values,
            "state": state,
            "message": message,
            "steps": steps,
            "tokens": steps.map(|steps| u64::from(steps) * planned.summary.tokens_per_step as u64),
            "flops": planned.flops.filter(|_| state == "finished"),
            "parameters": planned.summary.parameters,
        }));
        let mut figures = metrics::results(&path);
        if state != "finished" {
            // Figures of a model that was not trained to its end.
            figures
                .iter_mut()
                .filter(|(name, _)| *name != "best_bits_per_byte")
                .for_each(|(_, value)| *value = Value::Null);
        }
        result.extend(figures);
        let timing = object(json!({
            "id": run.id,
            "name": run.name,
            "group": run.group,
            "device": device.name(),
            "seconds": seconds,
            "tokens_per_second": (seconds > 0.0).then(|| tokens / seconds),
        }));
        let outcome = Outcome { result, timing, attempts };
        self.folder.keep(run, &outcome)?;
        Ok(outcome)
    }

    async fn train(&self, planned: &Planned, texts: &mut Texts, device: &Device) -> Result<()> {
        let run = &planned.run;
        let path = self.folder.of_run(run);
        files::make_folder(&path)?;
        files::replace(&path.join("config.json"), json!(run.config).to_string().as_bytes())?;
        let saved = path.join(CHECKPOINT);
        let mut saved = if saved.exists() { Some(files::read(&saved)?) } else { None };
        let step = saved.as_ref().map(|bytes| Checkpoint::header(bytes)).transpose()?.map_or(0, |header| header.step);
        if !metrics::rewind(&path, step)? {
            metrics::rewind(&path, 0)?;
            saved = None;
        }
        let text = texts.of(&run.config)?;
        let dataset = Rc::clone(&text.dataset);
        let mut trainer = match &saved {
            None => Trainer::new(&run.config, dataset, device, |_, _| ()).await?,
            Some(bytes) => Trainer::resume(&run.config, dataset, device, bytes, |_, _| ()).await?,
        };
        tilings::keep(device);
        trainer.set_tasks(text.tasks(&run.config)?, None)?;
        let mut saves = Saves::new(Some(&path), saved.is_some().then_some(step));
        let mut begun = 0.0;
        let progress = &mut |metric: &Metric| {
            self.progress.step(run.name.as_str(), metric, metric.at.flops - begun);
            begun = metric.at.flops;
        };
        let mut recorder = Recorder::open(&path, progress)?;
        train::run(&mut trainer, &mut saves, self.stop, &mut recorder).await
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// On standard error: a bar where there is a terminal, a line a run in any case.
struct Progress {
    bar: ProgressBar,
    begin: Instant,
    /// Runs in all.
    runs: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    done: usize,
    /// FLOPs since the beginning, and those that are left.
    spent: f64,
    left: f64,
}

impl Progress {
    fn new(runs: usize, open: &VecDeque<&Planned>) -> Self {
        let left: f64 = open.iter().filter_map(|planned| planned.flops).sum();
        let bar = ProgressBar::new(mega(left));
        bar.set_style(ProgressStyle::with_template("{bar:40} {percent} % {msg}").expect("the template is right"));
        if open.len() < runs {
            eprintln!("{} of {runs} runs are done already", runs - open.len());
        }
        let state = Mutex::new(State { done: runs - open.len(), spent: 0.0, left });
        Self { bar, begin: Instant::now(), runs, state }
    }

    fn step(&self, name: &str, metric: &Metric, flops: f64) {
        let mut state = self.state.lock().expect("nobody panics with it");
        // A run that went on has more behind it than was done now; it counts at once.
        state.spent += flops;
        state.left = (state.left - flops).max(0.0);
        self.bar.set_position(mega(state.spent));
        let left = self.time_left(&state).map_or(String::new(), |left| format!(", {left} left"));
        let runs = format!("run {} of {}{left}", (state.done + 1).min(self.runs), self.runs);
        self.bar.set_message(format!("{runs}; {name}: step {}, loss {:.3}", metric.at.step, metric.loss));
    }

    fn ended(&self, planned: &Planned, outcome: &Outcome) {
        let mut state = self.state.lock().expect("nobody panics with it");
        state.done += 1;
        let came_to = match outcome.result["bits_per_byte"].as_f64() {
            Some(bits) => format!("{bits:.3} bits per byte"),
            None => outcome.result["message"].as_str().unwrap_or("no figure").to_owned(),
        };
        let left = self.time_left(&state).filter(|_| state.done < self.runs);
        let left = left.map_or(String::new(), |left| format!("; about {left} left"));
        let line =
            format!("{} of {}: {} {}: {came_to}{left}", state.done, self.runs, planned.run.name, outcome.state());
        self.bar.suspend(|| eprintln!("{line}"));
        if state.done == self.runs {
            self.bar.finish_and_clear();
        }
    }

    /// At the speed so far.
    fn time_left(&self, state: &State) -> Option<String> {
        let speed = state.spent / self.begin.elapsed().as_secs_f64();
        (speed > 0.0).then(|| duration(state.left / speed))
    }
}

fn mega(flops: f64) -> u64 {
    (flops / 1e6) as u64
}

/// `3 h 20 min`
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    if seconds < 90.0 {
        format!("{seconds:.0} s")
    } else if minutes < 90.0 {
        format!("{minutes:.0} min")
    } else {
        format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0)
    }
}

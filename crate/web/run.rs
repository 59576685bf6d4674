//! A run, as the worker pumps it.

use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;
use web_time::{Duration, Instant};

use super::{from_js, to_json};
use crate::config::{self, EvaluationConfig, Task};
use crate::downstream::{self, Answer, TaskItems};
use crate::error::{Error, Result};
use crate::js::{throw, to_js};
use crate::trainer::{Metric, Trainer};

/// A run that the worker pumps.
#[wasm_bindgen]
pub struct Run {
    pub(super) trainer: Trainer,
    /// What the model is to be asked, until it is there in tokens.
    pub(super) waiting: Option<Vec<TaskItems>>,
    /// What ended the run.
    pub(super) bad: Option<Error>,
}

#[derive(Serialize)]
struct Pumped {
    /// `running`, `waiting` (for the GPU, or to be looked at: pump again soon), `finished`, `failed`, `lost`.
    state: &'static str,
    /// The last step whose metrics have arrived, and the last that was started.
    step: u32,
    started: u32,
    metrics: Vec<Metric>,
    message: Option<String>,
    /// It failed because a loss or a gradient was not finite.
    diverged: bool,
    /// All steps that were started have arrived: the run can be saved.
    settled: bool,
    /// It is settled, and a validation or a sample is due.
    evaluation_due: bool,
    sample_due: bool,
    scores_due: bool,
}

/// Some items of a task, and what the model made of them.
#[derive(Serialize)]
struct Examples<'a> {
    task: Task,
    /// Of the visitor's items, those that were left out because they occur in the training text.
    dropped: usize,
    answers: Vec<Answer<'a>>,
}

#[wasm_bindgen]
impl Run {
    /// Starts steps for about `budget_ms` and collects the metrics that have arrived; never waits for the GPU.
    /// Starts no step while a validation or a sample is due: `evaluate` and `begin_sample` come first.
    pub fn pump(&mut self, budget_ms: f64) -> std::result::Result<JsValue, JsValue> {
        self.advance(budget_ms, u32::MAX)
    }

    /// Starts one step, unless a validation or a sample is due first.
    pub fn step(&mut self) -> std::result::Result<JsValue, JsValue> {
        self.advance(0.0, 1)
    }

    /// Collects metrics without starting a step.
    pub fn collect(&mut self) -> std::result::Result<JsValue, JsValue> {
        self.advance(0.0, 0)
    }

    fn advance(&mut self, budget_ms: f64, most: u32) -> std::result::Result<JsValue, JsValue> {
        let trainer = &mut self.trainer;
        let begin = Instant::now();
        let budget = Duration::from_secs_f64(budget_ms.max(0.0) / 1000.0);
        let mut metrics = vec![];
        let mut started = 0;
        let mut work = || -> Result<()> {
            if let Some(bad) = &self.bad {
                return Err(bad.clone());
            }
            loop {
                metrics.extend(trainer.collect()?);
                let due = trainer.evaluation_due() || trainer.sample_due() || trainer.scores_due();
                if started >= most || !trainer.has_room() || due {
                    return Ok(());
                }
                trainer.step()?;
                started += 1;
                if begin.elapsed() >= budget {
                    return trainer.collect().map(|arrived| metrics.extend(arrived));
                }
            }
        };
        let result = work();
        if let Err(error) = &result {
            self.bad = Some(error.clone());
        }
        let settled = trainer.finished() == trainer.submitted();
        let state = match &result {
            Err(Error::DeviceLost(_)) => "lost",
            Err(_) => "failed",
            Ok(()) if trainer.is_done() => "finished",
            Ok(()) if started == 0 => "waiting",
            Ok(()) => "running",
        };
        to_js(&Pumped {
            state,
            step: trainer.finished(),
            started: trainer.submitted(),
            metrics,
            diverged: matches!(result, Err(Error::Diverged { .. })),
            message: result.err().map(|error| error.to_string()),
            settled,
            evaluation_due: settled && trainer.evaluation_due(),
            sample_due: settled && trainer.sample_due(),
            scores_due: settled && trainer.scores_due(),
        })
    }

    /// How many workers share each batch.
    pub fn workers(&self) -> usize {
        self.trainer.workers()
    }

    /// Why no workers share them any more, where they did.
    pub fn workers_lost(&self) -> Option<String> {
        self.trainer.workers_lost().map(str::to_owned)
    }

    /// How often the run has read its text so far: [`crate::data::usage::Report`].
    pub fn usage(&self) -> std::result::Result<JsValue, JsValue> {
        to_js(&self.trainer.usage())
    }

    /// Stops the run's clock.
    pub fn pause(&mut self) {
        self.trainer.pause();
    }

    pub async fn evaluate(&mut self) -> std::result::Result<JsValue, JsValue> {
        to_js(&self.trainer.evaluate().await.map_err(|error| throw(&error))?)
    }

    /// With a tokenizer that the core has not itself: the texts that it needs in tokens, for [`Self::use_items`].
    pub fn item_texts(&self) -> Option<Vec<String>> {
        self.waiting.as_ref().map(|tasks| downstream::rows::texts(tasks))
    }

    /// Hands these over, one after the other, and how many each has.
    pub fn use_items(&mut self, tokens: &[u32], lengths: &[u32]) -> std::result::Result<(), JsValue> {
        let mut left = tokens;
        let split = lengths.iter().map(|&length| {
            let (first, rest) = left.split_at(left.len().min(length as usize));
            left = rest;
            first.to_vec()
        });
        let tokens = split.collect();
        let tasks = self.waiting.take().unwrap_or_default();
        self.trainer.set_tasks(tasks, Some(tokens)).map_err(|error| throw(&error))
    }

    /// Asks the downstream tasks for about `budget_ms`: the scores, once all are asked.
    pub async fn score(&mut self, budget_ms: f64) -> std::result::Result<JsValue, JsValue> {
        let scores = self.trainer.score_on(budget_ms / 1000.0).await.map_err(|error| throw(&error))?;
        scores.map_or(Ok(JsValue::UNDEFINED), |scores| to_js(&scores))
    }

    /// The first `count` items of each task, as they were answered last.
    pub fn examples(&self, count: usize) -> std::result::Result<JsValue, JsValue> {
        let Some((exam, verdicts)) = self.trainer.exam().filter(|(exam, verdicts)| exam.rows.len() == verdicts.len())
        else {
            return to_js(&[(); 0]);
        };
        let examples = exam.answers(verdicts).map(|(&TaskItems { task, dropped, .. }, mut answers)| {
            answers.truncate(count);
            Examples { task, dropped, answers }
        });
        to_js(&examples.collect::<Vec<_>>())
    }

    /// Begins a text, with some of the config's `evaluation` fields set anew; `write` goes on with it. With a subword
    /// tokenizer, `prompt_tokens` are the prompt's.
    pub fn begin_sample(
        &mut self,
        evaluation: JsValue,
        prompt_tokens: Option<Vec<u32>>,
    ) -> std::result::Result<JsValue, JsValue> {
        let evaluation = self.evaluation_with(evaluation).map_err(|error| throw(&error))?;
        to_js(&self.trainer.begin_sample(&evaluation, prompt_tokens).map_err(|error| throw(&error))?)
    }

    fn evaluation_with(&self, fields: JsValue) -> Result<EvaluationConfig> {
        let mut config = to_json(&self.trainer.config);
        if let Value::Object(fields) = from_js(fields)? {
            for (name, value) in fields {
                config["evaluation"][name] = value;
            }
        }
        Ok(config::parse(&config)?.evaluation)
    }

    /// Writes on for about `budget_ms`: `{pieces, done}`.
    pub async fn write(&mut self, budget_ms: f64) -> std::result::Result<JsValue, JsValue> {
        to_js(&self.trainer.write_on(budget_ms / 1000.0).await.map_err(|error| throw(&error))?)
    }

    /// The run's state as a file, once it is settled.
    pub async fn checkpoint(&mut self) -> std::result::Result<Vec<u8>, JsValue> {
        if self.trainer.finished() != self.trainer.submitted() {
            return Err(js_sys::Error::new("steps are still under way: collect them first").into());
        }
        let checkpoint = self.trainer.checkpoint().await.map_err(|error| throw(&error))?;
        Ok(checkpoint.to_bytes(&self.trainer.plan.parameters))
    }

    /// After `failed`: the whole story, with the first tensor that is not finite where the run diverged.
    pub async fn explain(&mut self) -> std::result::Result<String, JsValue> {
        match self.bad.clone() {
            Some(Error::Diverged { step, .. }) => {
                let tensor = self.trainer.find_bad_tensor().await.map_err(|error| throw(&error))?;
                Ok(Error::Diverged { step, tensor }.to_string())
            }
            Some(error) => Ok(error.to_string()),
            None => Ok(String::new()),
        }
    }
}

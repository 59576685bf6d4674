//! What each run of a sweep may spend, and how many steps that is.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use web_time::Instant;

use crate::config::{self, Config};
use crate::data::Dataset;
use crate::engine::Device;
use crate::error::{Error, Problem, Result};
use crate::optimizer;
use crate::plan::Plan;
use crate::trainer::Trainer;

/// What `training.steps` may be at most.
pub const MOST_STEPS: u32 = 1_000_000;

/// A trial's seconds, after its first steps; and its steps at least.
const TRIAL: f64 = 1.5;
const WARM_UP: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Trained on.
    Tokens,
    /// Of text, by the training text's mean bytes per token: the same text, whatever the tokenizer.
    Bytes,
    Flops,
    /// Of training, on this device, at the speed that a short trial measures.
    Seconds,
}

const KINDS: [(&str, Kind); 4] =
    [("tokens", Kind::Tokens), ("bytes", Kind::Bytes), ("flops", Kind::Flops), ("seconds", Kind::Seconds)];

/// Equal for all runs, in place of equal steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    pub kind: Kind,
    pub amount: f64,
}

impl Budget {
    /// `budget.tokens` and the like.
    pub fn path(&self) -> String {
        let name = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        format!("budget.{name}")
    }

    /// Whether only a trial on the device can tell how many steps it gives.
    pub fn is_measured(&self) -> bool {
        self.kind == Kind::Seconds
    }

    pub(super) fn parse(path: &str, value: &Value, problems: &mut Vec<Problem>) -> Option<Self> {
        let Some((_, kind)) = KINDS.iter().find(|(name, _)| path.strip_prefix("budget.") == Some(name)) else {
            let known = KINDS.map(|(name, _)| format!("budget.{name}"));
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            problems.push(config::unknown(path, value, &known));
            return None;
        };
        let amount = value.as_f64().filter(|amount| amount.is_finite() && *amount > 0.0);
        if amount.is_none() {
            problems.push(Problem::new(path, value, "a number above 0", "Say how much each run may spend."));
        }
        Some(Self { kind: *kind, amount: amount? })
    }

    /// The steps that come nearest to it, at least one. For seconds, a scratch run is trained for a moment.
    ///
    /// # Errors
    /// Where that is more than a run may have, or does not fit the rest of the config, or the run does not fit the device.
    pub async fn steps(&self, config: &Config, dataset: &Rc<Dataset>, device: &Device) -> Result<u32> {
        let tokens_per_step = f64::from(config.training.batch_size) * f64::from(config.model.context);
        let steps = match self.kind {
            Kind::Tokens => self.amount / tokens_per_step,
            Kind::Bytes => self.amount / (tokens_per_step * dataset.train_bytes_per_token()),
            Kind::Flops => steps_for_flops(&Plan::for_dataset(config, dataset, device)?, self.amount),
            Kind::Seconds => self.amount / seconds_per_step(config, dataset, device).await?,
        };
        let steps = steps.round().max(1.0);
        if steps > f64::from(MOST_STEPS) {
            let value = format!("{}, or {steps} steps", self.amount);
            let allowed = format!("what {MOST_STEPS} steps can spend");
            return Err(Error::refused(Problem::new(self.path(), value, allowed, "Lower it, or take larger batches.")));
        }
        let mut whole = json!(config);
        whole["training"]["steps"] = json!(steps as u32);
        config::parse(&whole).map(|config| config.training.steps)
    }
}

/// Steps cost alike, but for those that estimate curvature.
fn steps_for_flops(plan: &Plan, flops: f64) -> f64 {
    let (mut less, mut more) = (0, MOST_STEPS + 1);
    while more - less > 1 {
        let middle = less.midpoint(more);
        if plan.flops(middle) <= flops { less = middle } else { more = middle }
    }
    // The nearer of the two.
    let over = |steps: u32| (plan.flops(steps) - flops).abs();
    f64::from(if over(less) <= over(more) { less } else { more })
}

/// As long as a step takes, what validates and samples left out: a run's clock stands then.
async fn seconds_per_step(config: &Config, dataset: &Rc<Dataset>, device: &Device) -> Result<f64> {
    let mut scratch = config.clone();
    // Long enough, and never diverging.
    (scratch.training.steps, scratch.optimizer.learning_rate) = (MOST_STEPS, 0.0);
    let mut trainer = Trainer::for_training(&scratch, Rc::clone(dataset), device).await?;
    // Some optimizers do more every so many steps.
    let period = if optimizer::estimates(config, 1) { config.optimizer.estimate_every } else { 1 };
    let warm_up = WARM_UP.next_multiple_of(period);
    while trainer.finished() < warm_up {
        step(&mut trainer, warm_up).await?;
    }
    let (begin, first) = (Instant::now(), trainer.finished());
    loop {
        let until = (trainer.finished() + WARM_UP).next_multiple_of(period);
        while trainer.finished() < until {
            step(&mut trainer, until).await?;
        }
        let seconds = begin.elapsed().as_secs_f64();
        if seconds >= TRIAL {
            return Ok(seconds / f64::from(trainer.finished() - first));
        }
    }
}

/// As many steps as may be under way at once, up to `until`, and waits for them.
async fn step(trainer: &mut Trainer, until: u32) -> Result<()> {
    while trainer.submitted() < until && trainer.has_room() {
        trainer.step()?;
    }
    trainer.arrive().await.map(drop)
}

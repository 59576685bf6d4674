//! The measurement: for each width, all lengths' runs are made side by side, and their steps take turns, so that what
//! else the machine does falls on all of them; then each kernel is timed alone.

use serde::Serialize;
use web_time::Instant;

use super::Experiment;
use crate::config::Config;
use crate::cost::Part;
use crate::engine::{Device, Engine, ProgramId};
use crate::error::Result;
use crate::kernels::embedding::TokenIndex;
use crate::optimizer;
use crate::plan::Plan;
use crate::profile::{self, KernelTime};
use crate::random::{Random, Stream};
use crate::tuning;

/// Turns that each length gets at least: enough for a median.
const FEWEST_ROUNDS: usize = 3;
const MOST_ROUNDS: usize = 99;

/// One width at one length.
#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    pub width: u32,
    /// T, the context.
    pub length: u32,
    /// Of a step.
    pub tokens: usize,
    pub layers: u32,
    /// Planned, of all that the run would allocate.
    pub bytes: u64,
    /// Steps that were timed.
    pub rounds: usize,
    /// Of a step, waited for: the median.
    pub step_seconds: f64,
    /// Half of the steps took from here to there.
    pub quartiles: [f64; 2],
    /// The fastest step: what a machine that does other things too would take without them.
    pub fastest_seconds: f64,
    pub tokens_per_second: f64,
    /// In the order of [`Part::ALL`].
    pub parts: Vec<PartTime>,
}

/// What a part of a step takes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct PartTime {
    pub part: Part,
    /// Floating-point operations for each token, as this device does them.
    pub flops: f64,
    /// Bytes for each token that its kernels are bound to.
    pub bytes: f64,
    /// Of a step: its kernels, each timed alone.
    pub seconds: f64,
    /// Of the time of all kernels.
    pub share: f64,
    /// Of the operations of all kernels.
    pub flops_share: f64,
}

impl Cell {
    pub fn part(&self, part: Part) -> PartTime {
        *self.parts.iter().find(|time| time.part == part).expect("every part is timed")
    }

    /// Seconds a token that one part's kernels take, or all others'.
    pub fn seconds_per_token(&self, of: impl Fn(Part) -> bool) -> f64 {
        self.parts.iter().filter(|time| of(time.part)).map(|time| time.seconds).sum::<f64>() / self.tokens as f64
    }
}

/// Measures a grid. `progress` is told the share that is done, before each piece of work, and each cell once it is
/// known; an error of its own ends the measurement.
pub async fn measure(
    experiment: &Experiment,
    vocabulary: usize,
    device: &Device,
    mut progress: impl AsyncFnMut(f64, Option<&Cell>) -> Result<()>,
) -> Result<Vec<Cell>> {
    experiment.check()?;
    let mut cells: Vec<Cell> = vec![];
    let all = (experiment.widths.len() * experiment.lengths.len()) as f64;
    // Steps take about as long as kernels.
    for &width in &experiment.widths {
        let configs = experiment.lengths.iter().map(|&length| experiment.config(width, length));
        let configs: Vec<Config> = configs.collect::<Result<_>>()?;
        let done = cells.len() as f64;
        let steps = steps(&configs, vocabulary, device, experiment.budget, async |share: f64| {
            progress((done + share * configs.len() as f64 / 2.0) / all, None).await
        });
        let steps = steps.await?;
        for (config, seconds) in configs.iter().zip(steps) {
            let half = (done + configs.len() as f64 / 2.0 + (cells.len() as f64 - done) / 2.0) / all;
            let plan = Plan::new(config, vocabulary, device)?;
            let kernels = profile::profile(&plan, device, experiment.budget / 10.0, async |at, of| {
                progress(half + at as f64 / of as f64 / 2.0 / all, None).await
            });
            let cell = cell(config, &plan, seconds, &kernels.await?);
            progress(half + 0.5 / all, Some(&cell)).await?;
            cells.push(cell);
        }
    }
    Ok(cells)
}

/// Seconds of the steps of each config, in turns.
async fn steps(
    configs: &[Config],
    vocabulary: usize,
    device: &Device,
    budget: f64,
    mut progress: impl AsyncFnMut(f64) -> Result<()>,
) -> Result<Vec<Vec<f64>>> {
    let mut runs = vec![];
    for (i, config) in configs.iter().enumerate() {
        progress(i as f64 / configs.len() as f64 / 2.0).await?;
        let mut run = Run::new(config, vocabulary, device).await?;
        // Pages are touched and pipelines compiled when they are first used.
        run.step().await?;
        runs.push(run);
    }
    let mut seconds = vec![vec![]; configs.len()];
    let limit = budget * configs.len() as f64;
    let begin = Instant::now();
    for round in 0..MOST_ROUNDS {
        let spent = begin.elapsed().as_secs_f64() / limit;
        if round >= FEWEST_ROUNDS && spent >= 1.0 {
            break;
        }
        for (run, seconds) in runs.iter_mut().zip(&mut seconds) {
            progress(0.5 + spent.min(1.0) / 2.0).await?;
            seconds.push(run.step().await?);
        }
    }
    Ok(seconds)
}

/// A run that trains on random tokens.
struct Run {
    config: Config,
    plan: Plan,
    engine: Engine,
    program: ProgramId,
    /// (B, T+1)
    tokens: Vec<u32>,
    index: TokenIndex,
    step: u32,
}

impl Run {
    async fn new(config: &Config, vocabulary: usize, device: &Device) -> Result<Self> {
        let mut plan = Plan::new(config, vocabulary, device)?;
        let mut engine = Engine::new(device, &plan.buffers, plan.state.metrics.len)?;
        tuning::choose(&mut engine, device, &mut [&mut plan.train.recording]).await?;
        let program = engine.add(&plan.train.recording, &mut |_, _| ()).await?;
        engine.write(plan.weights, &plan.parameters.initial(config));
        let shape = plan.train.shape;
        let mut random = Random::new(0, Stream::Other(0));
        let tokens: Vec<u32> = (0..shape.tokens_len()).map(|_| random.below(vocabulary as u32)).collect();
        let mut index = TokenIndex::new(shape);
        index.fill(shape, &tokens);
        Ok(Self { config: config.clone(), plan, engine, program, tokens, index, step: 0 })
    }

    /// Seconds of a step, from its upload to its loss.
    async fn step(&mut self) -> Result<f64> {
        self.step += 1;
        let numbers = optimizer::step(&self.config, self.step);
        let (batch, ops) = (self.plan.train.batch, 0..self.plan.train.recording.ops.len());
        let begin = Instant::now();
        self.engine.write_ids(batch.tokens, &self.tokens);
        self.engine.write_ids(batch.starts, &self.index.starts);
        self.engine.write_ids(batch.order, &self.index.order);
        self.engine.run(self.program, ops, &numbers, None)?;
        self.engine.read(self.plan.state.metrics).await?;
        Ok(begin.elapsed().as_secs_f64())
    }
}

fn cell(config: &Config, plan: &Plan, mut seconds: Vec<f64>, kernels: &[KernelTime]) -> Cell {
    seconds.sort_by(f64::total_cmp);
    let quantile = |share: f64| seconds[((seconds.len() - 1) as f64 * share).round() as usize];
    let tokens = plan.tokens_per_step();
    let sum = |part: Option<Part>, of: fn(&KernelTime) -> f64| -> f64 {
        let kernels = kernels.iter().filter(|time| part.is_none_or(|part| time.part == part));
        kernels.map(|time| time.count as f64 * of(time)).sum()
    };
    let seconds_of = |part| sum(part, |time| time.milliseconds / 1e3);
    let flops_of = |part| sum(part, |time| time.flops as f64);
    let parts = Part::ALL.map(|part| PartTime {
        part,
        flops: flops_of(Some(part)) / tokens as f64,
        bytes: sum(Some(part), |time| time.bytes as f64) / tokens as f64,
        seconds: seconds_of(Some(part)),
        share: seconds_of(Some(part)) / seconds_of(None),
        flops_share: flops_of(Some(part)) / flops_of(None),
    });
    Cell {
        width: config.model.width,
        length: config.model.context,
        tokens,
        layers: config.model.layers,
        bytes: plan.bytes.total,
        rounds: seconds.len(),
        step_seconds: quantile(0.5),
        fastest_seconds: seconds[0],
        quartiles: [quantile(0.25), quantile(0.75)],
        tokens_per_second: tokens as f64 / quantile(0.5),
        parts: parts.to_vec(),
    }
}

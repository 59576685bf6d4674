//! A run: the caller pumps, the trainer submits steps and hands back the numbers that have arrived.
//!
//! Nothing here waits for the GPU between steps. A step uploads a batch, replays the training tape and asks for its
//! metrics, which arrive some steps later. Validation, samples and the search for a bad tensor do wait; they are
//! `async`, and the caller decides when.
//!
//! - here: a run begins, steps, and says what each step showed
//! - [`spread`] has workers make the gradients
//! - [`programs`] compiles the plan's recordings, [`reading`] lays out what steps read
//! - [`validation`] reads the held-out text, [`scoring`] asks the downstream tasks, [`writing`] writes texts
//! - [`saving`] takes a run's state out and puts it back

mod programs;
mod reading;
mod saving;
mod scoring;
mod spread;
mod validation;
mod writing;

use std::collections::VecDeque;
use std::rc::Rc;

use serde::Serialize;
use web_time::Instant;

use crate::clock::{Clock, Moment, Speed};
use crate::config::Config;
use crate::data::{Dataset, Entropy, Rows, Usage, bits_per_byte, usage};
use crate::downstream::Exam;
use crate::downstream::score::Verdict;
use crate::engine::{Device, Engine};
use crate::error::{Error, Problem, Result};
use crate::kernels::embedding::EmbedShape;
use crate::kernels::{Access, Element};
use crate::optimizer;
use crate::plan::Plan;
use crate::sampler::Writing;
use crate::tuning;
use programs::Programs;
use reading::{Reading, Readings};
use spread::Spread;
pub use validation::Evaluation;

/// Room for the steps that may be under way, more than any engine takes.
const UNDER_WAY: usize = 16;

/// What one step showed.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// This step included.
    #[serde(flatten)]
    pub at: Moment,
    /// Mean over the batch, before the step's update, in nats per token.
    pub loss: f64,
    /// The same loss by the training text's mean bytes per token.
    pub bits_per_byte: f64,
    pub learning_rate: f64,
    /// Of the whole gradient, before clipping.
    pub grad_norm: f64,
    /// Over the last second or so.
    pub tokens_per_second: f64,
}

pub struct Trainer {
    pub config: Config,
    pub plan: Plan,
    pub dataset: Rc<Dataset>,
    readings: Readings,
    engine: Engine,
    programs: Programs,
    /// Where workers make the gradients.
    spread: Option<Spread>,
    /// Why they do no longer.
    workers_lost: Option<String>,
    /// What the steps submitted have read.
    usage: Usage,
    /// Targets that count, of the steps submitted and of those finished.
    counted: [u64; 2],
    /// Of each step between them, the oldest first.
    under_way: VecDeque<u32>,
    /// Steps submitted.
    submitted: u32,
    /// Steps whose metrics have arrived.
    finished: u32,
    /// The steps after which the last validation and the last sample were taken.
    evaluated: Option<u32>,
    sampled: Option<u32>,
    /// The text that is being written.
    writing: Option<Writing>,
    /// What the model is asked, once it is in tokens.
    exam: Option<Exam>,
    /// What it said so far after the steps so far, row by row.
    verdicts: Vec<Verdict>,
    /// The step after which it was last asked everything.
    scored: Option<u32>,
    clock: Clock,
    speed: Speed,
}

impl Trainer {
    /// Prepares everything, so that the first step is as quick as the others. `progress` is told (done, all).
    ///
    /// # Errors
    /// Whatever does not fit, before any work; then what the device refuses.
    pub async fn new(
        config: &Config,
        dataset: Rc<Dataset>,
        device: &Device,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self> {
        let mut trainer = Self::at_start(config, dataset, device).await?;
        let Self { programs, engine, plan, .. } = &mut trainer;
        let [validate, decode] =
            [&plan.validate.recording, &plan.decode.recording].map(|recording| recording.ops.len());
        let all: usize = plan.recordings().iter().map(|recording| recording.ops.len()).sum();
        let train = all - validate - decode;
        programs.train(engine, plan, false, &mut |done, _| progress(done, all)).await?;
        programs.validate(engine, plan, &mut |done, _| progress(train + done, all)).await?;
        programs.decode(engine, plan, &mut |done, _| progress(train + validate + done, all)).await?;
        Ok(trainer)
    }

    /// The run that goes on from a checkpoint's bytes. It trains as soon as it can: what validates and samples is
    /// prepared when it is first due.
    ///
    /// # Errors
    /// As [`Self::new`] and [`Self::restore`].
    pub async fn resume(
        config: &Config,
        dataset: Rc<Dataset>,
        device: &Device,
        bytes: &[u8],
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Self> {
        let mut trainer = Self::at_start(config, dataset, device).await?;
        trainer.restore(bytes)?;
        trainer.programs.train(&mut trainer.engine, &trainer.plan, false, &mut progress).await?;
        Ok(trainer)
    }

    /// A run that is there to be timed: what validates and samples is prepared only when it is first due.
    pub(crate) async fn for_training(config: &Config, dataset: Rc<Dataset>, device: &Device) -> Result<Self> {
        let mut trainer = Self::at_start(config, dataset, device).await?;
        trainer.programs.train(&mut trainer.engine, &trainer.plan, false, &mut |_, _| ()).await?;
        Ok(trainer)
    }

    /// With its buffers filled and nothing compiled.
    async fn at_start(config: &Config, dataset: Rc<Dataset>, device: &Device) -> Result<Self> {
        let mut plan = Plan::for_dataset(config, &dataset, device)?;
        let readings = Readings::new(config, &plan, &dataset)?;

        let mut engine = Engine::new(device, &plan.buffers, plan.state.metrics.len)?;
        tuning::choose(&mut engine, device, &mut plan.recordings_mut()).await?;
        engine.write(plan.weights, &plan.parameters.initial(config));
        Ok(Self {
            config: config.clone(),
            usage: Usage::new(dataset.documents()),
            counted: [0; 2],
            under_way: VecDeque::with_capacity(UNDER_WAY),
            plan,
            dataset,
            readings,
            engine,
            programs: Programs::default(),
            spread: None,
            workers_lost: None,
            submitted: 0,
            finished: 0,
            evaluated: None,
            sampled: None,
            writing: None,
            exam: None,
            verdicts: vec![],
            scored: None,
            clock: Clock::default(),
            speed: Speed::default(),
        })
    }

    /// How many workers share each batch.
    pub fn workers(&self) -> usize {
        self.spread.as_ref().map_or(1, Spread::workers)
    }

    /// Steps whose metrics have been handed out.
    pub fn finished(&self) -> u32 {
        self.finished
    }

    /// Steps that have been started.
    pub fn submitted(&self) -> u32 {
        self.submitted
    }

    pub fn is_done(&self) -> bool {
        self.finished == self.config.training.steps
    }

    /// Whether another step can be started now.
    pub fn has_room(&self) -> bool {
        let spread = self.spread.as_ref().is_none_or(|spread| !spread.busy());
        spread && self.submitted < self.config.training.steps && self.engine.has_room()
    }

    /// Starts the next step. On the CPU it is done when this returns, unless workers have a part in it.
    pub fn step(&mut self) -> Result<()> {
        assert!(self.has_room(), "the caller asks has_room first");
        self.look();
        self.clock.run(Instant::now());
        let step = self.submitted + 1;
        self.draw(step);
        let (train, estimate) = self.plan.passes_at(step);
        let estimate = estimate.filter(|_| optimizer::estimates(&self.config, step));
        let passes = estimate.into_iter().chain([train]);
        if let Some(spread) = &mut self.spread {
            spread.begin(step, passes);
            self.scatter()?;
        } else {
            passes.into_iter().try_for_each(|pass| self.play(step, pass))?;
        }
        self.submitted = step;
        let Reading { batches, rows, .. } = self.readings.at(self.plan.shorter_at(step));
        self.usage.add(batches.spans(step));
        self.counted[0] += u64::from(rows.counted);
        self.under_way.push_back(rows.counted);
        Ok(())
    }

    /// Draws a step's batch.
    fn draw(&mut self, step: u32) {
        self.readings.at(self.plan.shorter_at(step)).lay(step, &self.dataset);
    }

    /// Plays one of a step's passes, micro-batch by micro-batch. What the step showed arrives with the pass that trains.
    fn play(&mut self, step: u32, pass: usize) -> Result<()> {
        let program = self.programs.pass(pass);
        let recording = &self.plan.pass(pass).recording;
        let (rounds, end) = (recording.rounds(), recording.ops.len());
        let trains = pass == self.plan.passes_at(step).0;
        let numbers = optimizer::step(&self.config, step);
        for (micro_batch, ops) in rounds.enumerate() {
            self.upload(step, micro_batch);
            let last = trains && ops.end == end;
            let numbers = numbers.of_micro_batch(micro_batch, self.plan.train.shape.rows());
            self.engine.run(program, ops, &numbers, last.then_some(self.plan.state.metrics))?;
        }
        Ok(())
    }

    /// Uploads one of a step's micro-batches, in order with what is played before and after.
    fn upload(&mut self, step: u32, micro_batch: usize) {
        let pass = self.plan.pass(self.plan.passes_at(step).0);
        let Reading { rows, uploader, .. } = self.readings.at(self.plan.shorter_at(step));
        let EmbedShape { batch, context, .. } = pass.shape;
        let part = rows.part(micro_batch * batch..(micro_batch + 1) * batch, context);
        uploader.upload(&mut self.engine, pass, part);
    }

    /// The metrics that have arrived since the last call. Never waits.
    ///
    /// # Errors
    /// [`Error::Diverged`] without a tensor's name at the first loss or gradient that is not finite; the parameters are
    /// those before that step. [`Self::find_bad_tensor`] finds the name.
    pub fn collect(&mut self) -> Result<Vec<Metric>> {
        self.look();
        self.gather()?;
        let mut metrics = vec![];
        while let Some((_, numbers)) = self.engine.poll()? {
            metrics.push(self.metric(&numbers)?);
        }
        if self.finished == self.submitted && self.is_done() {
            self.clock.stop();
        }
        Ok(metrics)
    }

    /// Waits for the steps under way without blocking the page, and hands out their metrics. Slower than [`Self::settle`].
    pub(crate) async fn arrive(&mut self) -> Result<Vec<Metric>> {
        let mut metrics = self.collect()?;
        while self.finished < self.submitted {
            // Whoever waits for a read lets the metrics arrive too.
            self.engine.read(self.plan.state.metrics).await?;
            metrics.extend(self.collect()?);
        }
        Ok(metrics)
    }

    /// Waits for the steps under way, and hands out their metrics. Not for the page: a worker collects and yields.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn settle(&mut self) -> Result<Vec<Metric>> {
        while let Some(spread) = self.spread.as_mut().filter(|spread| spread.busy()) {
            spread.wait();
            self.gather()?;
        }
        let mut metrics = vec![];
        while let Some((_, numbers)) = self.engine.wait()? {
            self.look();
            metrics.push(self.metric(&numbers)?);
        }
        Ok(metrics)
    }

    fn metric(&mut self, numbers: &[f32]) -> Result<Metric> {
        let step = self.finished + 1;
        let [loss, grad_norm, halted, _] = numbers[..] else { panic!("four metrics a step") };
        if halted != 0.0 {
            return Err(Error::Diverged { step, tensor: String::new() });
        }
        self.finished = step;
        self.counted[1] += u64::from(self.under_way.pop_front().expect("the step was submitted"));
        let loss = f64::from(loss);
        let at = self.moment(step, self.counted[1]);
        Ok(Metric {
            at,
            loss,
            bits_per_byte: bits_per_byte(loss, 1) / self.dataset.train_bytes_per_token(),
            learning_rate: optimizer::learning_rate(&self.config, step),
            grad_norm: grad_norm.into(),
            tokens_per_second: self.speed.update(at.seconds, at.tokens),
        })
    }

    /// Of the steps submitted.
    fn now(&self) -> Moment {
        self.moment(self.submitted, self.counted[0])
    }

    fn moment(&self, step: u32, tokens: u64) -> Moment {
        Moment { step, tokens, seconds: self.clock.seconds(), flops: self.plan.flops(step) }
    }

    /// Stops the clock: a pause is no training time.
    pub fn pause(&mut self) {
        self.look();
        self.clock.stop();
    }

    /// Brings the clock up to now.
    fn look(&mut self) {
        let under_way = self.counted[0] - self.counted[1];
        self.clock.look(Instant::now(), self.speed.time_for(under_way));
    }

    /// At the start, at the end, and every `every` steps between them; 0 is never between.
    fn on_schedule(&self, every: u32) -> bool {
        let step = self.submitted;
        step == 0 || step == self.config.training.steps || (every > 0 && step.is_multiple_of(every))
    }

    /// After divergence: plays the bad step again, op by op, and names the first that computes a number that is not
    /// finite. The parameters are still those before that step.
    pub async fn find_bad_tensor(&mut self) -> Result<String> {
        let step = self.finished + 1;
        self.draw(step);
        let weights = self.engine.read(self.plan.weights).await?;
        let bad = |values: &[f32]| values.iter().any(|value| !value.is_finite());
        for parameter in &self.plan.parameters.list {
            if bad(&weights[parameter.range.clone()]) {
                return Ok(parameter.name.clone());
            }
        }
        let pass = self.plan.passes_at(step).0;
        let recording = self.plan.pass(pass).recording.clone();
        let program = match self.spread {
            None => self.programs.pass(pass),
            Some(_) => self.engine.add(&recording, &mut |_, _| ()).await?,
        };
        for (micro_batch, ops) in recording.rounds().enumerate() {
            self.upload(step, micro_batch);
            let numbers = optimizer::step(&self.config, step).of_micro_batch(micro_batch, self.plan.train.shape.rows());
            for i in ops {
                let op = &recording.ops[i];
                self.engine.run(program, i..i + 1, &numbers, None)?;
                for (binding, &tensor) in op.kernel.bindings().iter().zip(&op.tensors) {
                    let writes = binding.access != Access::Read && binding.element != Element::U32;
                    if writes && bad(&self.engine.read(tensor).await?) {
                        return Ok(op.label.clone());
                    }
                }
            }
        }
        Ok("loss".to_owned())
    }

    /// How often the steps so far have read the text, document by document.
    pub fn usage(&self) -> usage::Report {
        self.usage.report()
    }

    /// What the first `count` steps read: all that an outside program needs to repeat the run.
    ///
    /// # Errors
    /// Where the first steps read shorter sequences, so that their batches have other shapes.
    pub fn first_rows(&self, count: u32) -> Result<Vec<Rows>> {
        if !self.plan.shorter.is_empty() {
            let start = self.config.schedule.context_start;
            let advice = "Export the batches of a run without a warm-up of the context.";
            return Err(Error::refused(Problem::new("schedule.context_start", start, "0 to export batches", advice)));
        }
        Ok((1..=count).map(|step| self.readings.whole().rows_of(step, &self.dataset)).collect())
    }

    /// What a model that knows only how often each token occurs would reach.
    pub fn unigram_entropy(&self) -> Entropy {
        self.dataset.unigram_entropy()
    }
}

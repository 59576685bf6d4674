//! A run: the caller pumps, the trainer submits steps and hands back the numbers that have arrived.
//!
//! Nothing here waits for the GPU between steps. A step uploads a batch, replays the training tape and asks for its
//! metrics, which arrive some steps later. Validation, samples and the search for a bad tensor do wait; they are
//! `async`, and the caller decides when.

mod reading;

use std::collections::VecDeque;
use std::rc::Rc;

use serde::Serialize;
use web_time::Instant;

use crate::checkpoint::{Checkpoint, Header};
use crate::clock::{Clock, Speed};
use crate::config::{Config, EvaluationConfig};
use crate::data;
use crate::data::{ByPosition, Dataset, Entropy, Rows, Tally, Tokenizer, Usage, Window, bits_per_byte, usage};
use crate::downstream::score::Verdict;
use crate::downstream::{self, Exam, Row, Scores, TaskItems, Tokenised};
use crate::engine::{Device, Engine, ProgramId};
use crate::error::{Error, Problem, Result};
use crate::kernels::embedding::{EmbedShape, TokenIndex};
use crate::kernels::{Access, Element, Step};
use crate::optimizer;
use crate::plan::{Pass, Plan};
use crate::sampler::{Beginning, Sample, Writing, Written};
use crate::tape::Recording;
use crate::tuning;
use reading::{Reading, Readings};

/// Room for the steps that may be under way, more than any engine takes.
const UNDER_WAY: usize = 16;

/// What one step showed.
#[derive(Clone, Debug, Serialize)]
pub struct Metric {
    /// Counted from 1.
    pub step: u32,
    /// Trained on so far, this step included: targets that count.
    pub tokens: u64,
    /// Spent training so far: pauses, validation, samples and time in which the machine slept left out.
    pub seconds: f64,
    pub flops: f64,
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

/// What a validation showed.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    pub step: u32,
    pub tokens: u64,
    pub seconds: f64,
    pub flops: f64,
    /// Nats per token of the held-out text.
    pub loss: f64,
    /// By the true bytes of the scored tokens.
    pub bits_per_byte: f64,
    /// Of the bits per byte, over the windows that were read; null where there was only one.
    pub standard_error: f64,
    /// The same by how much of its window a token has before it.
    pub by_position: ByPosition,
}

pub struct Trainer {
    pub config: Config,
    pub plan: Plan,
    pub dataset: Rc<Dataset>,
    readings: Readings,
    engine: Engine,
    programs: Programs,
    index: TokenIndex,
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
        programs.train(engine, plan, &mut |done, _| progress(done, all)).await?;
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
        trainer.programs.train(&mut trainer.engine, &trainer.plan, &mut progress).await?;
        Ok(trainer)
    }

    /// A run that is there to be timed: what validates and samples is prepared only when it is first due.
    pub(crate) async fn for_training(config: &Config, dataset: Rc<Dataset>, device: &Device) -> Result<Self> {
        let mut trainer = Self::at_start(config, dataset, device).await?;
        trainer.programs.train(&mut trainer.engine, &trainer.plan, &mut |_, _| ()).await?;
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
            index: TokenIndex::new(plan.train.shape),
            usage: Usage::new(dataset.documents()),
            counted: [0; 2],
            under_way: VecDeque::with_capacity(UNDER_WAY),
            plan,
            dataset,
            readings,
            engine,
            programs: Programs::default(),
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
        self.submitted < self.config.training.steps && self.engine.has_room()
    }

    /// Starts the next step. On the CPU it is done when this returns.
    pub fn step(&mut self) -> Result<()> {
        assert!(self.has_room(), "the caller asks has_room first");
        self.look();
        self.clock.run(Instant::now());
        let step = self.submitted + 1;
        self.draw(step);
        let numbers = optimizer::step(&self.config, step);
        if optimizer::estimates(&self.config, step) {
            self.estimate(&numbers)?;
        }
        let program = self.programs.training(self.plan.shorter_at(step));
        let recording = &self.plan.passes_at(step).0.recording;
        let (rounds, end) = (recording.rounds(), recording.ops.len());
        for (micro_batch, ops) in rounds.enumerate() {
            self.upload(step, micro_batch);
            let last = ops.end == end;
            let numbers = numbers.of_micro_batch(micro_batch, self.plan.train.shape.rows());
            self.engine.run(program, ops, &numbers, last.then_some(self.plan.state.metrics))?;
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

    /// Plays what comes before some steps, on the step's batch.
    fn estimate(&mut self, numbers: &Step) -> Result<()> {
        let Some(program) = self.programs.estimating(self.plan.shorter_at(numbers.step)) else { return Ok(()) };
        let Some(pass) = self.plan.passes_at(numbers.step).1 else { return Ok(()) };
        for (micro_batch, ops) in pass.recording.rounds().enumerate() {
            self.upload(numbers.step, micro_batch);
            let seed = optimizer::estimate_seed(&self.config, numbers.step, micro_batch as u32);
            let numbers = numbers.of_micro_batch(micro_batch, self.plan.train.shape.rows());
            self.engine.run(program, ops, &Step { seed, ..numbers }, None)?;
        }
        Ok(())
    }

    /// Uploads one of a step's micro-batches, in order with what is played before and after.
    fn upload(&mut self, step: u32, micro_batch: usize) {
        let Pass { shape, batch, .. } = *self.plan.passes_at(step).0;
        let Reading { rows, positions, .. } = self.readings.at(self.plan.shorter_at(step));
        let tokens = &rows.tokens[micro_batch * shape.tokens_len()..][..shape.tokens_len()];
        self.index.fill(shape, tokens);
        self.engine.write_ids(batch.tokens, tokens);
        self.engine.write_ids(batch.starts, &self.index.starts);
        self.engine.write_ids(batch.order, &self.index.order);
        let Some(packed) = batch.packed else { return };
        let part = micro_batch * shape.rows()..(micro_batch + 1) * shape.rows();
        let first_keys = &rows.first_keys[part.clone()];
        self.engine.write_ids(packed.first_keys, first_keys);
        self.engine.write(packed.weights, &rows.weights[part]);
        if let Some([starts, order]) = packed.positions {
            positions.fill_positions(shape, first_keys);
            self.engine.write_ids(starts, &positions.starts);
            self.engine.write_ids(order, &positions.order);
        }
    }

    /// The metrics that have arrived since the last call. Never waits.
    ///
    /// # Errors
    /// [`Error::Diverged`] without a tensor's name at the first loss or gradient that is not finite; the parameters are
    /// those before that step. [`Self::find_bad_tensor`] finds the name.
    pub fn collect(&mut self) -> Result<Vec<Metric>> {
        self.look();
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
        let seconds = self.clock.seconds();
        let loss = f64::from(loss);
        let tokens = self.counted[1];
        Ok(Metric {
            step,
            tokens,
            seconds,
            flops: self.flops_at(step),
            loss,
            bits_per_byte: bits_per_byte(loss, 1) / self.dataset.train_bytes_per_token(),
            learning_rate: optimizer::learning_rate(&self.config, step),
            grad_norm: grad_norm.into(),
            tokens_per_second: self.speed.update(seconds, tokens),
        })
    }

    fn flops_at(&self, step: u32) -> f64 {
        self.plan.flops(step)
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

    /// Whether a validation is due after the steps so far: on schedule, at the start and at the end.
    pub fn evaluation_due(&self) -> bool {
        self.evaluated != Some(self.submitted) && self.on_schedule(self.config.evaluation.every)
    }

    pub fn sample_due(&self) -> bool {
        let every = self.config.evaluation.sample_every;
        every > 0 && self.sampled != Some(self.submitted) && self.on_schedule(every)
    }

    /// At the start, at the end, and every `every` steps between them; 0 is never between.
    fn on_schedule(&self, every: u32) -> bool {
        let step = self.submitted;
        step == 0 || step == self.config.training.steps || (every > 0 && step.is_multiple_of(every))
    }

    /// Reads the held-out text and says how well the parameters predict it, after the steps so far.
    pub async fn evaluate(&mut self) -> Result<Evaluation> {
        self.pause();
        let EmbedShape { batch, context, .. } = self.plan.validate.shape;
        let dataset = Rc::clone(&self.dataset);
        let windows = dataset.validation_windows(context, self.validation_bytes());
        let mut read = vec![];
        let mut tally = Tally::default();
        for windows in windows.chunks(batch) {
            let tokens: Vec<&[u32]> = windows.iter().map(|window| window.tokens).collect();
            let losses = self.losses(&tokens).await?;
            for (&Window { tokens, first, scored_bytes }, losses) in windows.iter().zip(losses.chunks_exact(context)) {
                let losses = &losses[..tokens.len() - 1];
                read.push((losses.iter().map(|&loss| f64::from(loss)).sum(), scored_bytes));
                tally.add(losses, (first + 1..first + tokens.len()).map(|at| dataset.held_out_bytes_of(at)));
            }
        }
        self.evaluated = Some(self.submitted);
        let nats: f64 = read.iter().map(|(nats, _)| nats).sum();
        let scored: usize = windows.iter().map(|window| window.tokens.len() - 1).sum();
        let bytes: u64 = read.iter().map(|&(_, bytes)| u64::from(bytes)).sum();
        Ok(Evaluation {
            step: self.submitted,
            tokens: self.counted[0],
            seconds: self.clock.seconds(),
            flops: self.flops_at(self.submitted),
            loss: nats / scored as f64,
            bits_per_byte: bits_per_byte(nats, bytes),
            standard_error: data::standard_error(&read),
            by_position: tally.finish(context),
        })
    }

    /// How much of the held-out text a validation reads now: more after the last step, for that is what runs are
    /// compared by.
    pub fn validation_bytes(&self) -> usize {
        let EvaluationConfig { bytes, final_bytes, .. } = self.config.evaluation;
        let last = self.submitted == self.config.training.steps;
        (if last { bytes.max(final_bytes) } else { bytes }) as usize
    }

    /// Plays the recording that validates: the losses (B·T) of at most B rows of at most T+1 tokens. Shorter rows are
    /// filled up at the end, which changes nothing before it; what the filling scores is for the caller to leave out.
    async fn losses(&mut self, rows: &[&[u32]]) -> Result<Vec<f32>> {
        let Pass { shape, batch, result, .. } = self.plan.validate;
        let program = self.programs.validate(&mut self.engine, &self.plan, &mut |_, _| ()).await?;
        let mut tokens = vec![0; shape.tokens_len()];
        for (row, tokens) in rows.iter().zip(tokens.chunks_exact_mut(shape.context + 1)) {
            tokens[..row.len()].copy_from_slice(row);
        }
        self.engine.write_ids(batch.tokens, &tokens);
        self.engine.run(program, 0..self.plan.validate.recording.ops.len(), &Step::default(), None)?;
        self.engine.read(result).await
    }

    /// Takes what the model is to be asked from now on. `tokens` are those of [`downstream::rows::texts`], where the
    /// tokenizer is elsewhere.
    ///
    /// # Errors
    /// Where the tokenizer makes nothing of an item.
    pub fn set_tasks(&mut self, tasks: Vec<TaskItems>, tokens: Option<Tokenised>) -> Result<()> {
        let tokenizer = &self.dataset.tokenizer;
        let encode = || downstream::rows::texts(&tasks).iter().map(|text| tokenizer.encode(text)).collect();
        let tokens = tokens.map_or_else(encode, Ok)?;
        let exam = Exam::new(tasks, tokens, self.plan.validate.shape.context, tokenizer.vocabulary_size())?;
        (self.exam, self.verdicts, self.scored) = (Some(exam), vec![], None);
        Ok(())
    }

    /// Whether the tasks are due after the steps so far: on schedule, at the start and at the end.
    pub fn scores_due(&self) -> bool {
        let asked = self.exam.as_ref().is_some_and(|exam| !exam.rows.is_empty());
        asked && self.scored != Some(self.submitted) && self.on_schedule(self.config.downstream.every)
    }

    /// Asks the model everything.
    pub async fn score_tasks(&mut self) -> Result<Scores> {
        loop {
            if let Some(scores) = self.score_on(f64::INFINITY).await? {
                return Ok(scores);
            }
        }
    }

    /// Asks for about `budget` seconds; at the end there are the scores after the steps so far.
    pub async fn score_on(&mut self, budget: f64) -> Result<Option<Scores>> {
        self.pause();
        let begin = Instant::now();
        let exam = self.exam.take().expect("the caller sets the tasks first");
        if self.verdicts.len() == exam.rows.len() {
            // Another time.
            self.verdicts.clear();
        }
        let asked = self.ask(&exam, begin, budget).await;
        let done = self.verdicts.len() == exam.rows.len();
        let (tasks, accuracy, standard_error) =
            if done { downstream::scores(&exam, &self.verdicts) } else { Default::default() };
        self.exam = Some(exam);
        asked?;
        if !done {
            return Ok(None);
        }
        self.scored = Some(self.submitted);
        Ok(Some(Scores {
            step: self.submitted,
            tokens: self.counted[0],
            seconds: self.clock.seconds(),
            flops: self.flops_at(self.submitted),
            accuracy,
            standard_error,
            tasks,
        }))
    }

    async fn ask(&mut self, exam: &Exam, begin: Instant, budget: f64) -> Result<()> {
        let EmbedShape { batch, context, .. } = self.plan.validate.shape;
        while self.verdicts.len() < exam.rows.len() {
            let rows = &exam.rows[self.verdicts.len()..];
            let rows = &rows[..batch.min(rows.len())];
            let tokens: Vec<&[u32]> = rows.iter().map(|row| row.tokens.as_slice()).collect();
            let losses = self.losses(&tokens).await?;
            // Reading waits for the device, and most rows need no margins.
            let margins = match rows.iter().any(|row| row.alone) {
                true => self.engine.read(self.plan.margins).await?,
                false => vec![0.0; losses.len()],
            };
            let by_row = losses.chunks_exact(context).zip(margins.chunks_exact(context));
            self.verdicts.extend(rows.iter().zip(by_row).map(|(Row { candidate, .. }, (losses, margins))| {
                // What predicts a token stands in the place before it.
                let places = candidate.start - 1..candidate.end - 1;
                Verdict {
                    log_probability: -losses[places.clone()].iter().map(|&loss| f64::from(loss)).sum::<f64>(),
                    written: margins[places].iter().all(|&margin| margin == 0.0),
                }
            }));
            if begin.elapsed().as_secs_f64() >= budget {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What the model was asked, and what it said when everything was last asked.
    pub fn exam(&self) -> Option<(&Exam, &[Verdict])> {
        self.exam.as_ref().map(|exam| (exam, self.verdicts.as_slice()))
    }

    /// Begins to write a text with the parameters after the steps so far, in place of one that is not finished.
    /// The same step, prompt and choices of `evaluation` give the same text. `prompt` is `evaluation.prompt` in tokens,
    /// where these were made elsewhere.
    ///
    /// # Errors
    /// Where the prompt becomes no token, or ones that the model does not know.
    pub fn begin_sample(&mut self, evaluation: &EvaluationConfig, prompt: Option<Vec<u32>>) -> Result<Beginning> {
        self.pause();
        let tokenizer = &self.dataset.tokenizer;
        let tokens = prompt.map_or_else(|| tokenizer.encode(&evaluation.prompt), Ok)?;
        let vocabulary = tokenizer.vocabulary_size() as u32;
        if tokens.is_empty() || tokens.iter().any(|&id| id >= vocabulary) {
            return Err(Error::refused(Problem::new(
                "evaluation.prompt",
                format!("{:?}, {} tokens", evaluation.prompt, tokens.len()),
                format!("a text of at least one of the tokenizer's {vocabulary} tokens"),
                "Write a word.",
            )));
        }
        self.sampled = Some(self.submitted);
        self.writing = Some(Writing::new(tokens, evaluation, self.submitted, self.plan.decode.context));
        Ok(Beginning::new(self.submitted, evaluation))
    }

    /// Writes on for about `budget` seconds. To train on in between is allowed, but the text is then one of no step.
    pub async fn write_on(&mut self, budget: f64) -> Result<Written> {
        let Some(writing) = &mut self.writing else { return Ok(Written { pieces: vec![], done: true }) };
        let program = self.programs.decode(&mut self.engine, &self.plan, &mut |_, _| ()).await?;
        let tokenizer = &self.dataset.tokenizer;
        let written = writing.go_on(&mut self.engine, program, &self.plan.decode, tokenizer, budget).await?;
        if written.done {
            self.writing = None;
        }
        Ok(written)
    }

    /// A whole text.
    pub async fn sample(&mut self, evaluation: &EvaluationConfig) -> Result<Sample> {
        let mut sample = Sample { beginning: self.begin_sample(evaluation, None)?, pieces: vec![] };
        loop {
            let written = self.write_on(f64::INFINITY).await?;
            sample.pieces.extend(written.pieces);
            if written.done {
                return Ok(sample);
            }
        }
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
        let recording = self.plan.passes_at(step).0.recording.clone();
        let program = self.programs.training(self.plan.shorter_at(step));
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

    /// The run's state after the steps so far, which must all have arrived.
    pub async fn checkpoint(&mut self) -> Result<Checkpoint> {
        assert_eq!(self.finished, self.submitted, "the caller collects first");
        let mut state = vec![];
        for (arena, tensor) in &self.plan.state.arenas {
            let words = match arena.codes {
                true => self.engine.read_ids(*tensor).await?,
                false => self.engine.read(*tensor).await?.into_iter().map(f32::to_bits).collect(),
            };
            state.push((arena.clone(), words));
        }
        let header = Header {
            config: self.config.clone(),
            step: self.finished,
            seconds: self.clock.seconds(),
            text: self.dataset.fingerprint(),
        };
        let tokenizer = match &self.dataset.tokenizer {
            Tokenizer::Subword(subword) => Some(subword.json().to_owned()),
            _ => None,
        };
        Ok(Checkpoint { header, weights: self.engine.read(self.plan.weights).await?, state, tokenizer })
    }

    /// Goes on from a checkpoint's bytes instead of the first step.
    ///
    /// # Errors
    /// Where it is no checkpoint of this config's model on this text; the run is then as it was.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let header = Checkpoint::header(bytes)?;
        header.check_text(&self.dataset.fingerprint())?;
        if header.step > self.config.training.steps {
            let steps = self.config.training.steps;
            let allowed = format!("at least the checkpoint's {} steps", header.step);
            let problem = Problem::new("training.steps", steps, allowed, "Ask for more steps.");
            return Err(Error::refused(problem));
        }
        let (ours, theirs) = (self.config.optimizer.kind, header.config.optimizer.kind);
        if ours != theirs {
            return Err(Error::refused(Problem::new(
                "optimizer.kind",
                serde_json::json!(ours),
                format!("{}, as the run began", serde_json::json!(theirs)),
                "What one optimizer keeps means nothing to another: keep it, or start a run anew.",
            )));
        }
        let arenas = self.plan.state.arenas.iter().map(|(arena, _)| arena);
        let Checkpoint { weights, state, .. } = Checkpoint::from_bytes(bytes, &self.plan.parameters, arenas)?;
        self.engine.write(self.plan.weights, &weights);
        for ((_, tensor), (arena, words)) in self.plan.state.arenas.iter().zip(&state) {
            match arena.codes {
                true => self.engine.write_ids(*tensor, words),
                false => self.engine.write(*tensor, bytemuck::cast_slice(words)),
            }
        }
        (self.submitted, self.finished) = (header.step, header.step);
        self.count_anew();
        (self.verdicts, self.scored) = (vec![], None);
        self.clock = Clock::after(header.seconds);
        self.speed = Speed::default();
        Ok(())
    }

    /// Counts what the steps so far have read: batches are a pure function of seed and step.
    fn count_anew(&mut self) {
        self.usage = Usage::new(self.dataset.documents());
        let mut counted = 0;
        for step in 1..=self.submitted {
            let Reading { batches, .. } = self.readings.at(self.plan.shorter_at(step));
            self.usage.add(batches.spans(step));
            counted += u64::from(batches.counted(step));
        }
        self.counted = [counted; 2];
        self.under_way.clear();
    }

    /// How often the steps so far have read the text, document by document.
    pub fn usage(&self) -> usage::Report {
        self.usage.report()
    }

    /// Begins with the parameters of another run's checkpoint: all the rest, the optimizer, the steps and the clock, is
    /// that of a new run. Before the first step.
    ///
    /// # Errors
    /// Where the bytes are no checkpoint of a model with these parameters and tokens.
    pub fn begin_with(&mut self, bytes: &[u8]) -> Result<()> {
        assert_eq!(self.submitted, 0, "a run begins once");
        let weights = Checkpoint::parameters(bytes, &self.config.model, &self.plan.parameters)?;
        // Characters are numbered as the text has them; bytes are bytes, and a subword tokenizer comes along.
        if matches!(self.dataset.tokenizer, Tokenizer::Characters(_)) {
            Checkpoint::header(bytes)?.check_text(&self.dataset.fingerprint())?;
        }
        self.set_weights(&weights);
        Ok(())
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

    /// The parameters' arena.
    pub async fn weights(&mut self) -> Result<Vec<f32>> {
        self.engine.read(self.plan.weights).await
    }

    /// Goes on from other parameters, laid out as [`Self::weights`] gives them.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.engine.write(self.plan.weights, weights);
    }

    /// What a model that knows only how often each token occurs would reach.
    pub fn unigram_entropy(&self) -> Entropy {
        self.dataset.unigram_entropy()
    }
}

/// The plan's recordings on the engine, as far as they are compiled.
#[derive(Default)]
struct Programs {
    train: Option<ProgramId>,
    /// Beside `train`, where there is one.
    estimate: Option<ProgramId>,
    /// The same of each of the plan's shorter lengths.
    shorter: Vec<(Option<ProgramId>, Option<ProgramId>)>,
    validate: Option<ProgramId>,
    decode: Option<ProgramId>,
}

type Progress<'a> = &'a mut dyn FnMut(usize, usize);

impl Programs {
    async fn train(&mut self, engine: &mut Engine, plan: &Plan, progress: Progress<'_>) -> Result<ProgramId> {
        self.shorter.resize(plan.shorter.len(), (None, None));
        let whole = (&mut self.train, &plan.train);
        let mut all = vec![whole];
        all.extend(plan.estimate.as_ref().map(|pass| (&mut self.estimate, pass)));
        for ((train, estimate), shorter) in self.shorter.iter_mut().zip(&plan.shorter) {
            all.push((train, &shorter.train));
            all.extend(shorter.estimate.as_ref().map(|pass| (estimate, pass)));
        }
        let ops: usize = all.iter().map(|(_, pass)| pass.recording.ops.len()).sum();
        let mut before = 0;
        for (program, Pass { recording, .. }) in all {
            compiled(program, engine, recording, &mut |done, _| progress(before + done, ops)).await?;
            before += recording.ops.len();
        }
        Ok(self.training(None))
    }

    /// What a step plays at one of the plan's shorter lengths, or at the whole context.
    fn training(&self, shorter: Option<usize>) -> ProgramId {
        shorter.map_or(self.train, |i| self.shorter[i].0).expect("it is compiled before the first step")
    }

    /// What comes before it, where there is such.
    fn estimating(&self, shorter: Option<usize>) -> Option<ProgramId> {
        shorter.map_or(self.estimate, |i| self.shorter[i].1)
    }

    async fn validate(&mut self, engine: &mut Engine, plan: &Plan, progress: Progress<'_>) -> Result<ProgramId> {
        compiled(&mut self.validate, engine, &plan.validate.recording, progress).await
    }

    async fn decode(&mut self, engine: &mut Engine, plan: &Plan, progress: Progress<'_>) -> Result<ProgramId> {
        compiled(&mut self.decode, engine, &plan.decode.recording, progress).await
    }
}

async fn compiled(
    program: &mut Option<ProgramId>,
    engine: &mut Engine,
    recording: &Recording,
    progress: Progress<'_>,
) -> Result<ProgramId> {
    match *program {
        Some(program) => Ok(program),
        None => Ok(*program.insert(engine.add(recording, progress).await?)),
    }
}

//! Steps whose gradients workers make, each of a shard of the batch: see [`crate::replicas`].

use std::collections::VecDeque;
use std::rc::Rc;

use super::Trainer;
use super::reading::Reading;
use crate::config::Config;
use crate::data::Dataset;
use crate::engine::Device;
use crate::error::{Error, Problem, Result};
use crate::optimizer;
use crate::plan::fits_cpu;
use crate::replicas::{self, Replicas, Workers};

/// The replicas of a run, and how far the step under way is.
pub(super) struct Spread {
    replicas: Replicas,
    step: u32,
    /// Its passes that are still to be played to their end.
    passes: VecDeque<usize>,
}

impl Spread {
    pub fn begin(&mut self, step: u32, passes: impl Iterator<Item = usize>) {
        (self.step, self.passes) = (step, passes.collect());
    }

    pub fn workers(&self) -> usize {
        self.replicas.count()
    }

    pub fn busy(&self) -> bool {
        self.replicas.busy()
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&mut self) {
        self.replicas.wait();
    }
}

impl Trainer {
    /// A run on the CPU whose batches are spread over `workers` and the caller; as [`Trainer::new`] where there is only one
    /// sequence to be spread.
    ///
    /// # Errors
    /// As [`Trainer::new`], and where so many replicas do not fit.
    pub async fn replicated(config: &Config, dataset: Rc<Dataset>, workers: Box<dyn Workers>) -> Result<Self> {
        let mut trainer = Self::at_start(config, dataset, &Device::Cpu).await?;
        let vocabulary = trainer.dataset.tokenizer.vocabulary_size();
        let bytes = replicas::bytes(config, vocabulary, &trainer.plan, workers.count());
        if !fits_cpu(bytes) {
            let (count, mib) = (workers.count() + 1, bytes.replicas >> 20);
            let allowed = format!("fewer, for all of them would take {mib} MiB");
            return Err(Error::refused(Problem::new("replicas", count, allowed, "Take fewer, or leave them out.")));
        }
        if let Some(replicas) = Replicas::new(config, vocabulary, workers).await? {
            trainer.plan.bytes = bytes;
            trainer.spread = Some(Spread { replicas, step: 0, passes: VecDeque::new() });
        }
        let Self { programs, engine, plan, spread, .. } = &mut trainer;
        programs.train(engine, plan, spread.is_some(), &mut |_, _| ()).await?;
        Ok(trainer)
    }

    /// Hands the next pass of the step under way to all, and plays a part of it.
    pub(super) fn scatter(&mut self) -> Result<()> {
        let Some(Spread { replicas, step, passes }) = &mut self.spread else { return Ok(()) };
        let Some(&pass) = passes.front() else { return Ok(()) };
        let numbers = optimizer::step(&self.config, *step);
        let Reading { rows, .. } = self.readings.at(self.plan.shorter_at(*step));
        let parameters = self.engine.peek(self.plan.weights).expect("replicas work for the CPU");
        replicas.scatter(pass, &numbers, rows, self.plan.pass(pass).shape, parameters)
    }

    /// Goes on with the step under way as far as the replicas have come. Never waits.
    pub(super) fn gather(&mut self) -> Result<()> {
        while let Some(Spread { replicas, step, passes }) = &mut self.spread {
            let sum = match replicas.gather() {
                Ok(Some(sum)) => sum,
                Ok(None) => return Ok(()),
                Err(lost) => return self.go_on_alone(&lost),
            };
            let (step, pass) = (*step, passes.pop_front().expect("a pass is under way"));
            self.engine.write(self.plan.gradients, &sum.gradients);
            self.engine.write(self.plan.pass(pass).result, &sum.losses);
            let trains = pass == self.plan.passes_at(step).0;
            let end = self.plan.pass(pass).recording.end_len();
            let read = trains.then_some(self.plan.state.metrics);
            self.engine.run(self.programs.pass(pass), 0..end, &optimizer::step(&self.config, step), read)?;
            self.scatter()?;
        }
        Ok(())
    }

    /// Without workers, one of which is lost: nothing of the run was theirs. What is left of the step is played here.
    fn go_on_alone(&mut self, lost: &Error) -> Result<()> {
        let Some(Spread { step, passes, .. }) = self.spread.take() else { return Ok(()) };
        self.workers_lost = Some(lost.to_string());
        self.programs.train_now(&mut self.engine, &self.plan);
        passes.into_iter().try_for_each(|pass| self.play(step, pass))
    }

    /// Why no workers share the batches any more, where they did.
    pub fn workers_lost(&self) -> Option<&str> {
        self.workers_lost.as_deref()
    }
}

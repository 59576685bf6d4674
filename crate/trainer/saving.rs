//! A run's state, taken out and put back.

use super::Trainer;
use super::reading::Reading;
use crate::checkpoint::{Checkpoint, Header};
use crate::clock::{Clock, Speed};
use crate::data::{Tokenizer, Usage};
use crate::error::{Error, Problem, Result};

impl Trainer {
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

    /// The parameters' arena.
    pub async fn weights(&mut self) -> Result<Vec<f32>> {
        self.engine.read(self.plan.weights).await
    }

    /// Goes on from other parameters, laid out as [`Self::weights`] gives them.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.engine.write(self.plan.weights, weights);
    }
}

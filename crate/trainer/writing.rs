//! Texts that the model writes.

use super::Trainer;
use crate::config::EvaluationConfig;
use crate::error::{Error, Problem, Result};
use crate::sampler::{Beginning, Sample, Writing, Written};

impl Trainer {
    pub fn sample_due(&self) -> bool {
        let every = self.config.evaluation.sample_every;
        every > 0 && self.sampled != Some(self.submitted) && self.on_schedule(every)
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
}

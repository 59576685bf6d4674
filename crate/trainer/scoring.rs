//! What the model is asked, and how its answers are scored: downstream tasks.

use web_time::Instant;

use super::Trainer;
use crate::downstream::score::Verdict;
use crate::downstream::{self, Exam, Row, Scores, TaskItems, Tokenised};
use crate::error::Result;
use crate::kernels::embedding::EmbedShape;

impl Trainer {
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
        Ok(Some(Scores { at: self.now(), accuracy, standard_error, tasks }))
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
}

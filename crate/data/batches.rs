//! What a training step reads: windows at random places of the training part. A batch is a pure function of
//! (seed, step), so a run that is resumed, or repeated on another device, reads the same text.

use crate::error::{Error, Problem, Result};
use crate::random::{Random, Stream};

#[derive(Clone, Debug)]
pub struct Batches {
    batch_size: usize,
    context: usize,
    seed: u64,
    /// Places where a window of (T+1) tokens can begin.
    starts: u32,
}

impl Batches {
    /// `tokens` is the length of the training part.
    pub fn new(tokens: usize, batch_size: usize, context: usize, seed: u64) -> Result<Self> {
        if batch_size == 0 {
            return Err(Error::refused(Problem::new("training.batch_size", 0, "1 or more", "Take at least 1.")));
        }
        if context == 0 || context >= tokens {
            return Err(Error::refused(Problem::new(
                "model.context",
                context,
                format!("1 to {} on a training part of {tokens} tokens", tokens.saturating_sub(1)),
                "Shorten the context or take a longer text.",
            )));
        }
        let starts = u32::try_from(tokens - context).expect("a text has at most 64 Mi tokens");
        Ok(Self { batch_size, context, seed, starts })
    }

    /// Tokens of a batch: B (T+1).
    pub fn tokens_len(&self) -> usize {
        self.batch_size * (self.context + 1)
    }

    /// (B, T+1): inputs are the first T tokens of a row, targets the last T.
    pub fn batch(&self, step: u32, tokens: &[u32]) -> Vec<u32> {
        let mut batch = vec![0; self.tokens_len()];
        self.fill(step, tokens, &mut batch);
        batch
    }

    /// The same into `batch`, for the training loop, which does not allocate.
    pub fn fill(&self, step: u32, tokens: &[u32], batch: &mut [u32]) {
        let width = self.context + 1;
        assert_eq!(batch.len(), self.batch_size * width, "a batch is (B, T+1)");
        let mut random = Random::new(self.seed, Stream::Batch(step));
        for row in batch.chunks_exact_mut(width) {
            let start = random.below(self.starts) as usize;
            row.copy_from_slice(&tokens[start..start + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens that are their own places, so that a row shows where it comes from.
    fn places(n: u32) -> Vec<u32> {
        (0..n).collect()
    }

    #[test]
    fn rows_are_windows_of_the_text() {
        let batch = Batches::new(1000, 5, 16, 3).unwrap().batch(7, &places(1000));
        assert_eq!(batch.len(), 5 * 17);
        for row in batch.chunks(17) {
            assert!(row.windows(2).all(|pair| pair[1] == pair[0] + 1), "{row:?}");
        }
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone() {
        let tokens = places(100_000);
        let batches = Batches::new(tokens.len(), 4, 8, 3).unwrap();
        let later = batches.batch(2, &tokens);
        let first = batches.batch(1, &tokens);
        assert_eq!(first, Batches::new(tokens.len(), 4, 8, 3).unwrap().batch(1, &tokens));
        assert_ne!(first, later);
        assert_ne!(first, Batches::new(tokens.len(), 4, 8, 4).unwrap().batch(1, &tokens));
    }

    #[test]
    fn every_place_is_read_the_last_one_too() {
        let tokens = places(20);
        let batches = Batches::new(20, 8, 4, 0).unwrap();
        let mut starts = [0; 16];
        for step in 0..400 {
            batches.batch(step, &tokens).chunks(5).for_each(|row| starts[row[0] as usize] += 1);
        }
        // 3,200 draws over 16 places: 200 each, and 60 is more than four standard deviations.
        assert!(starts.iter().all(|n| (140..260).contains(n)), "{starts:?}");
    }

    #[test]
    fn a_window_as_long_as_the_text_is_allowed_and_a_longer_one_refused() {
        assert_eq!(Batches::new(9, 1, 8, 0).unwrap().batch(0, &places(9)), places(9));
        for (tokens, batch_size, context, field) in [
            (9, 1, 9, "model.context"),
            (0, 1, 1, "model.context"),
            (9, 1, 0, "model.context"),
            (9, 0, 4, "training.batch_size"),
        ] {
            let Err(Error::Refused(problems)) = Batches::new(tokens, batch_size, context, 0) else {
                panic!("accepted")
            };
            assert_eq!(problems[0].field, field);
        }
    }
}

//! What a training step reads: windows at random places of the training part, or documents of it. A batch is a pure
//! function of (seed, step), so a run that is resumed, or repeated on another device, reads the same text.

use std::ops::Range;
use std::rc::Rc;

use super::documents::Documents;
use super::lengths::bucket;
use super::packing::{Packing, Rows};
use crate::error::{Error, Problem, Result};
use crate::random::{Random, Stream};

/// The inputs of a row: `len` tokens of the training part from `begin` on, T of them but where a document is shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub begin: usize,
    pub len: usize,
}

#[derive(Clone, Debug)]
pub struct Batches {
    batch_size: usize,
    context: usize,
    seed: u64,
    /// Places where a window of (T+1) tokens can begin.
    starts: u32,
    packing: Packing,
    documents: Rc<Documents>,
    /// Documents that a row may have, and their ranges in that list by the power of two that their lengths are in; where a
    /// row has one document.
    drawn: Vec<u32>,
    buckets: Vec<Range<usize>>,
}

impl Batches {
    /// Windows of a text of `tokens`, the length of the training part.
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
        let (packing, documents) = (Packing::Chunk, Rc::new(Documents::whole(tokens)));
        Ok(Self { batch_size, context, seed, starts, packing, documents, drawn: vec![], buckets: vec![] })
    }

    /// The same of documents, put into rows as `packing` says.
    ///
    /// # Errors
    /// Where a row is to have one document and none is long enough to predict a token.
    pub fn packed(self, packing: Packing, documents: Rc<Documents>) -> Result<Self> {
        let mut drawn = vec![];
        if packing.is_one_each() {
            drawn = (0..documents.len() as u32).filter(|&i| documents.range(i as usize).len() > 1).collect();
            if drawn.is_empty() {
                return Err(Error::refused(Problem::new(
                    "data.packing",
                    packing.name(),
                    "chunk or masked on a text whose documents have one token each",
                    "Take one of these, or a text with longer documents.",
                )));
            }
            drawn.sort_by_key(|&i| bucket(documents.range(i as usize).len()));
        }
        let mut buckets: Vec<Range<usize>> = vec![];
        let of = |i: usize| bucket(documents.range(drawn[i] as usize).len());
        for i in 0..drawn.len() {
            match buckets.last_mut() {
                Some(last) if of(last.start) == of(i) => last.end = i + 1,
                _ => buckets.push(i..i + 1),
            }
        }
        Ok(Self { packing, documents, drawn, buckets, ..self })
    }

    pub fn documents(&self) -> &Rc<Documents> {
        &self.documents
    }

    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// Rows to be filled.
    pub fn rows(&self) -> Rows {
        Rows::new(self.packing, self.batch_size, self.context)
    }

    /// What each row of a step reads.
    pub fn spans(&self, step: u32) -> impl Iterator<Item = Span> + use<'_> {
        let mut random = Random::new(self.seed, Stream::Batch(step));
        (0..self.batch_size).map(move |_| self.span(&mut random))
    }

    fn span(&self, random: &mut Random) -> Span {
        let among = match self.packing {
            Packing::Chunk | Packing::Masked => {
                return Span { begin: random.below(self.starts) as usize, len: self.context };
            }
            Packing::Rows => 0..self.drawn.len(),
            Packing::Balanced => random.choose(&self.buckets).clone(),
        };
        let range = self.documents.range(*random.choose(&self.drawn[among]) as usize);
        let excess = range.len().saturating_sub(self.context);
        // Wherever it is cut, the last input has a target.
        let begin = range.start + if excess > 0 { random.below(excess as u32) as usize } else { 0 };
        Span { begin, len: range.len().min(self.context) }
    }

    /// Targets of a step that count, without laying it out.
    pub fn counted(&self, step: u32) -> u32 {
        let targets = |span: Span| {
            let last = |(document, part): (usize, Range<usize>)| {
                u32::from(self.packing.is_packed() && part.end == self.documents.range(document).end)
            };
            let ends: u32 = self.documents.within(span.begin..span.begin + span.len).map(last).sum();
            span.len as u32 - ends
        };
        self.spans(step).map(targets).sum()
    }

    /// (B, T+1) of windows: inputs are the first T tokens of a row, targets the last T.
    pub fn batch(&self, step: u32, tokens: &[u32]) -> Vec<u32> {
        let mut rows = self.rows();
        self.fill(step, tokens, &mut rows);
        rows.tokens
    }

    /// Lays out the rows of a step of the text `tokens`. Allocates nothing.
    pub fn fill(&self, step: u32, tokens: &[u32], rows: &mut Rows) {
        let width = self.context + 1;
        assert_eq!(rows.tokens.len(), self.batch_size * width, "a batch is (B, T+1)");
        if !self.packing.is_packed() {
            for (row, Span { begin, .. }) in rows.tokens.chunks_exact_mut(width).zip(self.spans(step)) {
                row.copy_from_slice(&tokens[begin..begin + width]);
            }
            rows.counted = (self.batch_size * self.context) as u32;
            return;
        }
        for (row, span) in self.spans(step).enumerate() {
            rows.lay(row, self.context, &span, tokens, &self.documents);
        }
        rows.weigh();
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

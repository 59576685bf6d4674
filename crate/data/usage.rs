//! How often each document has been read in a run so far. Batches are a pure function of (seed, step), so this is exact,
//! and is worked out beside the training from the same spans.

use std::rc::Rc;

use serde::Serialize;

use super::Documents;
use super::batches::Span;
use super::lengths::{Bucket, MOST_EPOCHS, bucket};

#[derive(Clone, Debug)]
pub struct Usage {
    documents: Rc<Documents>,
    /// Of each document, how many of its tokens have been read; one that was read twice counts twice.
    read: Vec<u64>,
}

/// What was read of the documents of one bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BucketUse {
    #[serde(flatten)]
    pub of: Bucket,
    pub read: u64,
    /// Tokens read for each of its tokens.
    pub epochs: f64,
    /// Of the document that was read most often.
    pub most: f64,
}

/// How often a run has read its text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Tokens read, padding left out.
    pub tokens: u64,
    /// Tokens read for each token of the text.
    pub whole: f64,
    pub buckets: Vec<BucketUse>,
    /// Documents that have been read more than four times.
    pub often: usize,
    /// What is wrong with that, if anything.
    pub warning: Option<String>,
}

impl Usage {
    pub fn new(documents: Rc<Documents>) -> Self {
        Self { read: vec![0; documents.len()], documents }
    }

    /// Counts what the rows of a step read. Allocates nothing.
    pub fn add(&mut self, spans: impl Iterator<Item = Span>) {
        for Span { begin, len } in spans {
            for (document, part) in self.documents.within(begin..begin + len) {
                self.read[document] += part.len() as u64;
            }
        }
    }

    /// How often each document has been read: its tokens read for each of its tokens.
    pub fn epochs(&self) -> impl Iterator<Item = f64> + use<'_> {
        self.read.iter().enumerate().map(|(i, &read)| read as f64 / self.documents.range(i).len() as f64)
    }

    pub fn report(&self) -> Report {
        let buckets = self.documents.buckets();
        let first = buckets.first().map_or(0, |first| bucket(first.from));
        let mut buckets: Vec<BucketUse> =
            buckets.into_iter().map(|of| BucketUse { of, read: 0, epochs: 0.0, most: 0.0 }).collect();
        let mut often = 0;
        for (i, epochs) in self.epochs().enumerate() {
            let bucket = &mut buckets[bucket(self.documents.range(i).len()) - first];
            bucket.read += self.read[i];
            bucket.most = bucket.most.max(epochs);
            often += usize::from(epochs > MOST_EPOCHS);
        }
        for bucket in &mut buckets {
            bucket.epochs = bucket.read as f64 / (bucket.of.tokens as f64).max(1.0);
        }
        let tokens = self.read.iter().sum();
        let whole = tokens as f64 / (self.documents.tokens() as f64).max(1.0);
        Report { tokens, whole, warning: warning(whole, &buckets), buckets, often }
    }
}

/// Says that some lengths are worn out while the text as a whole is not.
fn warning(whole: f64, buckets: &[BucketUse]) -> Option<String> {
    let worn: Vec<&BucketUse> = buckets.iter().filter(|bucket| bucket.epochs > MOST_EPOCHS).collect();
    let most = worn.iter().max_by(|a, b| a.epochs.total_cmp(&b.epochs))?;
    if whole > MOST_EPOCHS {
        return None;
    }
    let Bucket { from, to, documents, .. } = most.of;
    Some(format!(
        "The {documents} documents of {from} to {to} tokens have been read {:.1} times each, the text as a whole {whole:.1} \
         times. Up to 4 times text is nearly as good as new (arXiv 2305.16264).",
        most.epochs
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(begin: usize, len: usize) -> Span {
        Span { begin, len }
    }

    #[test]
    fn what_is_read_is_counted_for_each_document() {
        let mut usage = Usage::new(Rc::new(Documents::of_ends([4, 8, 40])));
        usage.add([span(2, 8), span(8, 32), span(4, 4)].into_iter());
        assert_eq!(usage.read, [2, 8, 34]);
        assert_eq!(usage.epochs().collect::<Vec<_>>(), [0.5, 2.0, 34.0 / 32.0]);
        let report = usage.report();
        assert_eq!((report.tokens, report.whole, report.often), (44, 1.1, 0));
        let shown: Vec<_> = report.buckets.iter().map(|b| (b.of.from, b.read, b.epochs, b.most)).collect();
        assert_eq!(shown, [(4, 10, 1.25, 2.0), (8, 0, 0.0, 0.0), (16, 0, 0.0, 0.0), (32, 34, 1.0625, 1.0625)]);
    }

    #[test]
    fn it_warns_where_some_lengths_are_worn_out_and_the_whole_is_not() {
        let mut usage = Usage::new(Rc::new(Documents::of_ends([16, 516])));
        (0..4).for_each(|_| usage.add([span(0, 16)].into_iter()));
        assert_eq!(usage.report().warning, None);
        usage.add([span(0, 16)].into_iter());
        let report = usage.report();
        assert_eq!(report.often, 1);
        let warning = report.warning.unwrap();
        assert!(warning.contains("1 documents of 16 to 31 tokens have been read 5.0 times"), "{warning}");
        // Once the whole is worn out too, the lengths are not to blame.
        (0..5).for_each(|_| usage.add([span(16, 500)].into_iter()));
        assert_eq!(usage.report().warning, None);
    }
}

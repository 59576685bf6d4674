//! Is there enough long text? How long a text's documents are, and how often a run reads those of each length.

use serde::Serialize;

use super::{Dataset, Documents, Packing};

/// Of documents, the longest by name.
const LONGEST: usize = 10;
/// Characters of a name.
const NAME: usize = 60;
/// Tokens that a name is looked for in.
const NAME_TOKENS: usize = 400;

/// Up to so many times a text is nearly as good as new text: Muennighoff et al. 2023, arXiv 2305.16264.
pub const MOST_EPOCHS: f64 = 4.0;

/// The power of two at or below a length: bucket k has the lengths from 2ᵏ to 2ᵏ⁺¹ − 1.
pub fn bucket(len: usize) -> usize {
    len.max(1).ilog2() as usize
}

/// How many sequences a run reads, of how many tokens at most.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Steps × sequences.
    pub sequences: u64,
    /// T
    pub context: usize,
}

/// Documents of one bucket.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bucket {
    /// The shortest and the longest length that belongs to it, in tokens.
    pub from: usize,
    pub to: usize,
    pub documents: usize,
    pub tokens: u64,
}

/// A document that is among the longest.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Longest {
    /// What it begins with.
    pub name: String,
    pub tokens: usize,
}

/// What is to be expected of one way to put documents into sequences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    pub packing: Packing,
    /// How often a token of a bucket is read, bucket by bucket.
    pub epochs: Vec<f64>,
    /// The same of the whole text.
    pub whole: f64,
    /// The share of the sequences' tokens that is text, and not padding.
    pub filled: f64,
}

/// The lengths of the documents of a training part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lengths {
    pub documents: usize,
    pub tokens: usize,
    pub context: usize,
    /// Documents that have as many tokens as the context at least, and the share of all tokens that is in them.
    pub long_documents: usize,
    pub long_share: f64,
    pub mean: f64,
    pub median: usize,
    /// From the bucket of the shortest to that of the longest.
    pub buckets: Vec<Bucket>,
    /// The longest first.
    pub longest: Vec<Longest>,
    /// One of each packing.
    pub expected: Vec<Expected>,
}

impl Documents {
    fn lengths(&self) -> impl Iterator<Item = usize> + use<'_> {
        (0..self.len()).map(|i| self.range(i).len())
    }

    /// Documents by length, none left out between the shortest and the longest.
    pub fn buckets(&self) -> Vec<Bucket> {
        let mut all: Vec<Bucket> = vec![];
        for len in self.lengths() {
            while all.len() <= bucket(len) {
                let from = 1 << all.len();
                all.push(Bucket { from, to: 2 * from - 1, documents: 0, tokens: 0 });
            }
            let bucket = &mut all[bucket(len)];
            bucket.documents += 1;
            bucket.tokens += len as u64;
        }
        let first = all.iter().position(|bucket| bucket.documents > 0).unwrap_or(0);
        all.split_off(first)
    }

    /// What a run may expect to read of each of `buckets`.
    fn expected(&self, packing: Packing, buckets: &[Bucket], reading: Reading) -> Expected {
        let Reading { sequences, context } = reading;
        let (sequences, all) = (sequences as f64, self.tokens() as f64);
        if !packing.is_one_each() {
            // Places near the ends of the text are in fewer windows, which is forgotten here.
            let whole = sequences * context as f64 / all;
            return Expected { packing, epochs: vec![whole; buckets.len()], whole, filled: 1.0 };
        }
        // Documents of one token are never drawn.
        let drawn = |bucket: &&Bucket| bucket.from > 1 && bucket.documents > 0;
        let of_bucket = |bucket: &Bucket| match packing {
            Packing::Balanced => 1.0 / buckets.iter().filter(drawn).count() as f64,
            _ => bucket.documents as f64 / buckets.iter().filter(drawn).map(|b| b.documents as f64).sum::<f64>(),
        };
        let mut sums = vec![0; buckets.len()];
        for len in self.lengths().filter(|&len| len > 1) {
            sums[bucket(len) - bucket(buckets[0].from)] += len.min(context) as u64;
        }
        let read: Vec<f64> = buckets
            .iter()
            .zip(sums)
            .map(|(bucket, sum)| match Some(bucket).filter(drawn) {
                Some(bucket) => sequences * of_bucket(bucket) * sum as f64 / bucket.documents as f64,
                None => 0.0,
            })
            .collect();
        let total: f64 = read.iter().sum();
        let epochs = read.iter().zip(buckets).map(|(read, bucket)| read / (bucket.tokens as f64).max(1.0)).collect();
        Expected { packing, epochs, whole: total / all, filled: total / (sequences * context as f64) }
    }
}

impl Dataset {
    /// The lengths of the training part's documents, beside what a run reads.
    pub fn lengths(&self, reading: Reading) -> Lengths {
        let documents = self.documents();
        let mut by_length: Vec<usize> = (0..documents.len()).collect();
        by_length.sort_by_key(|&i| (std::cmp::Reverse(documents.range(i).len()), i));
        let long = by_length.partition_point(|&i| documents.range(i).len() >= reading.context);
        let long_tokens: usize = by_length[..long].iter().map(|&i| documents.range(i).len()).sum();
        let (count, tokens) = (documents.len(), documents.tokens());
        let buckets = documents.buckets();
        let longest = by_length
            .iter()
            .take(LONGEST)
            .map(|&i| Longest { name: self.document_name(i), tokens: documents.range(i).len() });
        Lengths {
            documents: count,
            tokens,
            context: reading.context,
            long_documents: long,
            long_share: long_tokens as f64 / tokens.max(1) as f64,
            mean: tokens as f64 / count.max(1) as f64,
            median: by_length.get(count / 2).map_or(0, |&i| documents.range(i).len()),
            longest: longest.collect(),
            expected: Packing::ALL.map(|packing| documents.expected(packing, &buckets, reading)).to_vec(),
            buckets,
        }
    }

    /// What a document begins with: its first line that has something on it, cut to a few words.
    pub fn document_name(&self, document: usize) -> String {
        let range = self.documents().range(document);
        let text = self.tokenizer.decode(&self.train[range.start..range.end.min(range.start + NAME_TOKENS)]);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        match line.char_indices().nth(NAME) {
            None => line.to_owned(),
            Some((end, _)) => format!("{}…", line[..end].trim_end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::usage::Usage;
    use crate::data::{Batches, Corpus, TokenizerKind};

    /// Documents of these lengths, with names.
    fn dataset(lengths: &[usize]) -> Dataset {
        let document = |(i, &len): (usize, &usize)| format!("{:w$}\n\n\n", format!("n{i}"), w = len - 3);
        let text: String = lengths.iter().enumerate().map(document).collect();
        let all = text.clone() + &"h".repeat(text.len());
        let dataset = Dataset::new(&all, TokenizerKind::Bytes, 0.5).unwrap();
        assert_eq!(dataset.train_bytes, text.len());
        dataset.find_documents(&all, Corpus::Own);
        dataset
    }

    #[test]
    fn lengths_are_those_of_the_documents() {
        let dataset = dataset(&[10, 70, 15, 16, 200, 8]);
        let lengths = dataset.lengths(Reading { sequences: 10, context: 16 });
        assert_eq!((lengths.documents, lengths.tokens, lengths.context), (6, 319, 16));
        assert_eq!((lengths.long_documents, lengths.median), (3, 15));
        assert!((lengths.long_share - 286.0 / 319.0).abs() < 1e-12);
        let shown: Vec<_> = lengths.buckets.iter().map(|b| (b.from, b.to, b.documents, b.tokens)).collect();
        assert_eq!(shown, [(8, 15, 3, 33), (16, 31, 1, 16), (32, 63, 0, 0), (64, 127, 1, 70), (128, 255, 1, 200)]);
        let longest: Vec<_> = lengths.longest.iter().map(|one| (one.name.as_str(), one.tokens)).collect();
        assert_eq!(longest[..3], [("n4", 200), ("n1", 70), ("n3", 16)]);
    }

    #[test]
    fn names_are_short() {
        let text = format!("\n  {} ü \nsecond", "word ".repeat(40));
        let dataset = Dataset::new(&(text.clone() + &text), TokenizerKind::Bytes, 0.5).unwrap();
        let name = dataset.document_name(0);
        assert!(name.starts_with("word word") && name.ends_with("word…") && name.chars().count() <= NAME + 1, "{name}");
    }

    #[test]
    fn what_is_expected_is_what_comes() {
        let dataset = dataset(&[10, 70, 15, 16, 200, 8, 9, 11, 12, 40, 90]);
        let reading = Reading { sequences: 40_000, context: 32 };
        for expected in dataset.lengths(reading).expected {
            let batches = Batches::new(dataset.train.len(), 4, 32, 3).unwrap();
            let batches = batches.packed(expected.packing, dataset.documents()).unwrap();
            let mut usage = Usage::new(dataset.documents());
            (1..=10_000).for_each(|step| usage.add(batches.spans(step)));
            let counted = usage.report();
            assert!((counted.whole / expected.whole - 1.0).abs() < 0.01, "{expected:?} {}", counted.whole);
            assert!((counted.tokens as f64 / (40_000.0 * 32.0) / expected.filled - 1.0).abs() < 0.01, "{expected:?}");
            for (bucket, &epochs) in counted.buckets.iter().zip(&expected.epochs) {
                // Windows reach the first and the last document less often.
                let tolerance = if expected.packing.is_one_each() { 0.03 } else { 0.4 };
                assert!((bucket.epochs - epochs).abs() <= tolerance * epochs, "{expected:?} {bucket:?}");
            }
        }
    }
}

//! A text made ready for training: tokenised, its last part held out, and the bytes behind every token known,
//! so that a loss can be given in bits per byte, the one figure that can be compared between tokenizers.

use std::cell::RefCell;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{Corpus, DOCUMENT_END, Documents, Encoded, Tokenizer, TokenizerKind};
use crate::error::{Error, Problem, Result};
use crate::hash::fnv1a_64;

pub struct Dataset {
    pub tokenizer: Tokenizer,
    pub train: Vec<u32>,
    /// The last part of the text, never trained on.
    pub held_out: Vec<u32>,
    pub train_bytes: usize,
    pub held_out_bytes: usize,
    /// Bytes of the text that each token of `held_out` covers, where that is not what the token stands for: where a
    /// tokenizer changes text, drops some of it, or has one token for all that it does not know.
    held_out_covered: Option<Vec<u32>>,
    /// The same of `train`.
    train_covered: Option<Vec<u32>>,
    /// Where the documents of the training part are, by the rule of a corpus, once that was asked for.
    documents: RefCell<Option<(Corpus, Rc<Documents>)>>,
}

/// Of which text tokens are, how it was split, and by which tokenizer: what was prepared elsewhere is held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// A hash of the whole text.
    pub text: String,
    pub train_bytes: usize,
    pub held_out_bytes: usize,
    /// The kind that learns such a tokenizer, where there is one.
    pub kind: Option<TokenizerKind>,
    /// The vocabulary that was asked for, where it was learned and not loaded.
    pub vocabulary: Option<usize>,
    /// The vocabulary that there is.
    pub size: usize,
}

impl Origin {
    /// # Errors
    /// Where the fraction is out of range.
    pub fn of(text: &str, held_out_fraction: f64) -> Result<Self> {
        let (train, held_out) = split(text, held_out_fraction)?;
        let (train_bytes, held_out_bytes) = (train.len(), held_out.len());
        let text = format!("{:016x}", fnv1a_64(text.bytes()));
        Ok(Self { text, train_bytes, held_out_bytes, kind: None, vocabulary: None, size: 0 })
    }

    /// Whether these tokens are what a config of this kind and vocabulary means on the text of `other`. A tokenizer that
    /// was loaded counts as learned where it is of the kind and no larger: a checkpoint brings its own.
    pub fn serves(&self, other: &Self, kind: TokenizerKind, vocabulary: usize) -> bool {
        let place = |origin: &Self| (origin.text.clone(), origin.train_bytes, origin.held_out_bytes);
        let learned = self.kind == Some(kind)
            && self.vocabulary.map_or(self.size <= vocabulary, |asked_for| asked_for == vocabulary);
        place(self) == place(other) && (learned || kind == TokenizerKind::File)
    }
}

/// What a model that knows only how often each token occurs would score: the line that a model must get below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entropy {
    pub nats_per_token: f64,
    pub bits_per_byte: f64,
}

/// One stretch of held-out text: the model reads `tokens[..T]` and is scored on `tokens[1..]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window<'a> {
    /// (T+1), fewer in the last window
    pub tokens: &'a [u32],
    /// Which token of the held-out part is the first of them.
    pub first: usize,
    /// Bytes of UTF-8 that all of them but the first stand for.
    pub scored_bytes: u32,
}

impl Dataset {
    /// With a tokenizer that is made of the text alone: [`Tokenizer::train`].
    ///
    /// It is trained on the whole text. For characters, all that the model could learn from this about
    /// the held-out part is which characters occur in it, and it saves every run from a token that is met for the
    /// first time in the test.
    pub fn new(text: &str, kind: TokenizerKind, held_out_fraction: f64) -> Result<Self> {
        split(text, held_out_fraction)?;
        Self::with(text, Tokenizer::train(kind, text)?, held_out_fraction)
    }

    /// The same with a tokenizer that is there already.
    pub fn with(text: &str, tokenizer: Tokenizer, held_out_fraction: f64) -> Result<Self> {
        let (train, held_out) = split(text, held_out_fraction)?;
        let (train_bytes, held_out_bytes) = (train.len(), held_out.len());
        let [train, held_out] = [tokenizer.encode_covering(train)?, tokenizer.encode_covering(held_out)?];
        Ok(Self {
            train: train.tokens,
            held_out: held_out.tokens,
            train_bytes,
            held_out_bytes,
            held_out_covered: held_out.covered,
            train_covered: train.covered,
            documents: RefCell::default(),
            tokenizer,
        })
    }

    /// Of tokens that were made elsewhere.
    ///
    /// # Errors
    /// Where they are not those of such a tokenizer, or do not cover the held-out part to the byte.
    pub fn of_tokens(tokenizer: Tokenizer, train: Encoded, held_out: Encoded, origin: &Origin) -> Result<Self> {
        let vocabulary = tokenizer.vocabulary_size() as u32;
        let known = train.tokens.iter().chain(&held_out.tokens).all(|&id| id < vocabulary);
        let bytes: u64 = match &held_out.covered {
            Some(covered) => covered.iter().map(|&bytes| u64::from(bytes)).sum(),
            None => held_out.tokens.iter().map(|&id| u64::from(tokenizer.token_bytes(id))).sum(),
        };
        let one_each = [&train, &held_out]
            .iter()
            .all(|part| part.covered.as_ref().is_none_or(|covered| covered.len() == part.tokens.len()));
        if !known || !one_each || (bytes != origin.held_out_bytes as u64 && !held_out.tokens.is_empty()) {
            return Err(Error::refused(Problem::new(
                "tokenizer.kind",
                format!("tokens of {bytes} bytes"),
                format!("those of this tokenizer, over {} bytes of held-out text", origin.held_out_bytes),
                "Prepare the tokenizer again.",
            )));
        }
        let Origin { train_bytes, held_out_bytes, .. } = *origin;
        Ok(Self {
            tokenizer,
            train: train.tokens,
            held_out: held_out.tokens,
            train_bytes,
            held_out_bytes,
            held_out_covered: held_out.covered,
            train_covered: train.covered,
            documents: RefCell::default(),
        })
    }

    /// Looks for the documents of the training part of `text`, which must be the dataset's own.
    pub fn find_documents(&self, text: &str, corpus: Corpus) {
        let known = self.documents.borrow().as_ref().is_some_and(|(of, _)| *of == corpus);
        if known {
            return;
        }
        let text = &text[..self.train_bytes];
        let documents = match &self.train_covered {
            Some(covered) => Documents::of_tokens(text, corpus, covered.iter().copied()),
            None => {
                let lengths = self.train.iter().map(|&token| self.tokenizer.token_bytes(token));
                Documents::of_tokens(text, corpus, lengths)
            }
        };
        *self.documents.borrow_mut() = Some((corpus, Rc::new(documents)));
    }

    /// The documents of the training part; all of it is one where nobody has looked for them.
    pub fn documents(&self) -> Rc<Documents> {
        match &*self.documents.borrow() {
            Some((_, documents)) => Rc::clone(documents),
            None => Rc::new(Documents::whole(self.train.len())),
        }
    }

    /// Tells texts (and tokenizers) apart: the length and the 64-bit FNV-1a hash of the training tokens.
    pub fn fingerprint(&self) -> String {
        let hash = fnv1a_64(self.train.iter().flat_map(|token| token.to_le_bytes()));
        format!("{}-{hash:016x}", self.train.len())
    }

    /// Refuses a context that the training part cannot fill once, or one for validation that the held-out part cannot.
    pub fn check_context(&self, context: usize, of_validation: usize) -> Result<()> {
        let (train, held_out) = (self.train.len(), self.held_out.len());
        let check = |field: &str, context: usize, tokens: usize, advice: &str| {
            let longest = tokens.saturating_sub(1);
            if (1..=longest).contains(&context) {
                return Ok(());
            }
            let allowed = format!("1 to {longest} on this text ({train} training and {held_out} held-out tokens)");
            Err(Error::refused(Problem::new(field, context, allowed, advice)))
        };
        let advice = "Shorten the context or take a longer text.";
        if context == of_validation {
            return check("model.context", context, train.min(held_out), advice);
        }
        check("model.context", context, train, advice)?;
        let advice = "Shorten it, hold out more of the text (data.held_out_fraction) or take a longer one.";
        check("evaluation.context", of_validation, held_out, advice)
    }

    /// Of the training part.
    pub fn train_bytes_per_token(&self) -> f64 {
        self.train_bytes as f64 / self.train.len() as f64
    }

    /// Of the held-out part.
    pub fn bytes_per_token(&self) -> f64 {
        self.held_out_bytes as f64 / self.held_out.len() as f64
    }

    /// Of the held-out part, under the training part's frequencies. One is added to each count, so that a token
    /// that the training part lacks costs much but not infinity.
    pub fn unigram_entropy(&self) -> Entropy {
        let mut counts = vec![1u64; self.tokenizer.vocabulary_size()];
        self.train.iter().for_each(|&id| counts[id as usize] += 1);
        let total = (counts.len() + self.train.len()) as f64;
        let nats: f64 = self.held_out.iter().map(|&id| (total / counts[id as usize] as f64).ln()).sum();
        Entropy {
            nats_per_token: nats / self.held_out.len() as f64,
            bits_per_byte: bits_per_byte(nats, self.held_out_bytes as u64),
        }
    }

    /// Consecutive windows of the held-out part. Each begins with the last token of the one before, so every
    /// token is scored once, but for the first.
    ///
    /// They end with the last token that lies within the first `max_bytes` bytes: whatever the tokenizer and the context,
    /// the same stretch of text is scored, to within a token at either end.
    ///
    /// There is one at least.
    pub fn validation_windows(&self, context: usize, max_bytes: usize) -> Vec<Window<'_>> {
        let mut bytes = 0;
        let within = (0..self.held_out.len()).take_while(|&at| {
            bytes += self.held_out_bytes_of(at) as usize;
            bytes <= max_bytes
        });
        let end = within.count().max(2).min(self.held_out.len());
        let windows = (0..end.saturating_sub(1)).step_by(context).map(|begin| {
            let last = (begin + context).min(end - 1);
            let scored_bytes = (begin + 1..=last).map(|at| self.held_out_bytes_of(at)).sum();
            Window { tokens: &self.held_out[begin..=last], first: begin, scored_bytes }
        });
        windows.collect()
    }

    /// Bytes of the text that a token of the held-out part covers.
    pub fn held_out_bytes_of(&self, at: usize) -> u32 {
        match &self.held_out_covered {
            Some(covered) => covered[at],
            None => self.tokenizer.token_bytes(self.held_out[at]),
        }
    }
}

/// Of the bits per byte of windows of these nats and bytes, as of a ratio of two sums, taking windows as independent:
/// √(n / (n − 1) · Σ (nats − r · bytes)²) / (ln 2 · Σ bytes), r = Σ nats / Σ bytes (Cochran 1977, section 6.4).
/// NaN for a single window.
pub fn standard_error(windows: &[(f64, u32)]) -> f64 {
    let count = windows.len() as f64;
    let nats: f64 = windows.iter().map(|(nats, _)| nats).sum();
    let bytes: f64 = windows.iter().map(|&(_, bytes)| f64::from(bytes)).sum();
    let off = |&(own, of): &(f64, u32)| (own - nats / bytes * f64::from(of)).powi(2);
    let sum: f64 = windows.iter().map(off).sum();
    (count / (count - 1.0) * sum).sqrt() / (std::f64::consts::LN_2 * bytes)
}

/// `total_nats` is the summed loss over tokens that stand for `bytes_scored` bytes.
pub fn bits_per_byte(total_nats: f64, bytes_scored: u64) -> f64 {
    total_nats / (std::f64::consts::LN_2 * bytes_scored as f64)
}

/// The training part and the held-out part. They depend on the text and the fraction only, so every tokenizer is tested
/// on the same bytes.
///
/// # Errors
/// Where the fraction is out of range.
pub fn split(text: &str, held_out_fraction: f64) -> Result<(&str, &str)> {
    if held_out_fraction > 0.0 && held_out_fraction <= 0.5 {
        return Ok(text.split_at(cut(text, held_out_fraction)));
    }
    Err(Error::refused(Problem::new(
        "data.held_out_fraction",
        held_out_fraction,
        "more than 0, at most 0.5",
        "Take 0.1 if in doubt.",
    )))
}

/// Where the held-out part begins: at the end of a document, else of a line, else of a character, at most a tenth
/// of that part's size before the exact fraction.
fn cut(text: &str, held_out_fraction: f64) -> usize {
    let held_out = ((text.len() as f64 * held_out_fraction) as usize).max(1);
    let exact = text.floor_char_boundary(text.len().saturating_sub(held_out));
    let earliest = text.ceil_char_boundary(exact.saturating_sub(held_out / 10));
    let near = text.get(earliest..exact).unwrap_or_default();
    [DOCUMENT_END, "\n"].iter().find_map(|end| near.rfind(end).map(|at| earliest + at + end.len())).unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tiny_tales;

    const KINDS: [TokenizerKind; 2] = [TokenizerKind::Characters, TokenizerKind::Bytes];

    fn problem<T>(result: Result<T>) -> Problem {
        match result {
            Err(Error::Refused(mut problems)) => problems.remove(0),
            _ => panic!("not refused"),
        }
    }

    #[test]
    fn the_parts_are_the_text_and_the_same_for_every_tokenizer() {
        let stories = tiny_tales(50_000, 1);
        let lines = "四十二行。\n".repeat(500);
        let unbroken = "é".repeat(3000);
        for text in [&stories, &lines, &unbroken] {
            for fraction in [0.001, 0.1, 0.333, 0.5] {
                let [a, b] = KINDS.map(|kind| Dataset::new(text, kind, fraction).unwrap());
                for dataset in [&a, &b] {
                    let train = dataset.tokenizer.decode(&dataset.train);
                    let held_out = dataset.tokenizer.decode(&dataset.held_out);
                    assert_eq!(&(train.clone() + &held_out), text);
                    assert_eq!((dataset.train_bytes, dataset.held_out_bytes), (train.len(), held_out.len()));
                }
                assert_eq!(a.held_out_bytes, b.held_out_bytes);
                let share = a.held_out_bytes as f64 / text.len() as f64;
                assert!((fraction - 0.0001..1.1 * fraction + 0.001).contains(&share), "{share} held out of {fraction}");
            }
        }
    }

    #[test]
    fn the_cut_is_at_a_document_then_a_line_then_a_character() {
        let stories = tiny_tales(50_000, 1);
        assert!(stories[..cut(&stories, 0.3)].ends_with(DOCUMENT_END));
        let verses = "first line\nsecond line\nthird line\n\n".repeat(100);
        assert!(verses[..cut(&verses, 0.295)].ends_with(DOCUMENT_END));
        let lines = "a line of text\n".repeat(100);
        assert!(lines[..cut(&lines, 0.3)].ends_with('\n'));
        assert_eq!(cut(&"é".repeat(100), 0.1), 180);
        assert_eq!(cut("é", 0.5), 0);
    }

    #[test]
    fn a_fraction_out_of_range_is_refused() {
        for fraction in [0.0, -0.1, 0.51, f64::NAN, f64::INFINITY] {
            let problem = problem(Dataset::new("some text", TokenizerKind::Bytes, fraction));
            assert_eq!(problem.field, "data.held_out_fraction");
        }
    }

    #[test]
    fn unigram_entropy_of_a_known_text() {
        // Training part "aaab", held-out part "ab": with one added, p(a) = 4/7, p(b) = 2/7, p(unknown) = 1/7.
        let dataset = Dataset::new("aaabab", TokenizerKind::Characters, 0.34).unwrap();
        assert_eq!((dataset.train.len(), dataset.held_out.len()), (4, 2));
        let expected = ((7.0 / 4.0f64).ln() + (7.0 / 2.0f64).ln()) / 2.0;
        let entropy = dataset.unigram_entropy();
        assert!((entropy.nats_per_token - expected).abs() < 1e-12);
        assert!((entropy.bits_per_byte - expected / std::f64::consts::LN_2).abs() < 1e-12);
    }

    #[test]
    fn bits_per_byte_counts_bytes_and_not_characters() {
        // Two characters of three bytes, each one bit: 2 bits over 6 bytes.
        assert!((bits_per_byte(2.0 * std::f64::consts::LN_2, 6) - 1.0 / 3.0).abs() < 1e-12);
        let dataset = Dataset::new(&"山川".repeat(1000), TokenizerKind::Characters, 0.5).unwrap();
        assert_eq!(dataset.bytes_per_token(), 3.0);
        assert_eq!(dataset.validation_windows(10, usize::MAX)[0].scored_bytes, 30);
    }

    #[test]
    fn windows_score_every_token_once() {
        let text = tiny_tales(20_000, 1) + "naïve 山";
        for kind in KINDS {
            let dataset = Dataset::new(&text, kind, 0.2).unwrap();
            for context in [1, 7, 64, dataset.held_out.len() - 1] {
                let windows = dataset.validation_windows(context, usize::MAX);
                let scored: Vec<u32> = windows.iter().flat_map(|window| window.tokens[1..].to_vec()).collect();
                assert_eq!(scored, dataset.held_out[1..]);
                let bytes: u32 = windows.iter().map(|window| window.scored_bytes).sum();
                let expected: u32 = scored.iter().map(|&id| dataset.tokenizer.token_bytes(id)).sum();
                assert_eq!(bytes, expected);
                let (last, whole) = windows.split_last().unwrap();
                assert!(whole.iter().all(|window| window.tokens.len() == context + 1));
                assert!((2..=context + 1).contains(&last.tokens.len()));
            }
        }
    }

    #[test]
    fn the_same_bytes_are_scored_whatever_the_context_and_the_tokenizer() {
        let text = tiny_tales(20_000, 1);
        for kind in KINDS {
            let dataset = Dataset::new(&text, kind, 0.2).unwrap();
            for context in [3, 7, 64, 999, 1500] {
                let windows = dataset.validation_windows(context, 1000);
                let bytes: u32 = windows.iter().map(|window| window.scored_bytes).sum();
                assert_eq!(bytes, 999, "all but the first of 1,000 bytes");
            }
        }
        // Tokens of three bytes: the last one that fits ends at 999.
        let dataset = Dataset::new(&"山川".repeat(1000), TokenizerKind::Characters, 0.5).unwrap();
        let bytes: u32 = dataset.validation_windows(10, 1000).iter().map(|window| window.scored_bytes).sum();
        assert_eq!(bytes, 996);
        assert_eq!(dataset.validation_windows(10, 1).len(), 1, "one at least");
    }

    #[test]
    fn the_standard_error_is_that_of_a_ratio() {
        let windows = [(1.0, 2), (3.0, 2), (2.0, 4)];
        // r = 6/8; off by −0.5, 1.5, −1: Σ = 3.5, times 3/2.
        let expected = 5.25f64.sqrt() / (std::f64::consts::LN_2 * 8.0);
        assert!((standard_error(&windows) - expected).abs() < 1e-12);
        assert_eq!(standard_error(&[(1.5, 3); 5]), 0.0);
        assert!(standard_error(&windows[..1]).is_nan());
        // Of many windows that differ by chance alone, it is how far their ratio strays.
        let mut ratios = vec![];
        let mut told = 0.0;
        for run in 0..400 {
            let mut random = crate::random::Random::new(1, crate::random::Stream::Other(run));
            let draw: Vec<(f64, u32)> = (0..50)
                .map(|_| {
                    let bytes = 20 + random.below(40);
                    (f64::from(bytes) * (1.0 + 0.5 * f64::from(random.normal())), bytes)
                })
                .collect();
            told += standard_error(&draw) / 400.0;
            let bytes: u32 = draw.iter().map(|(_, bytes)| bytes).sum();
            ratios.push(bits_per_byte(draw.iter().map(|(nats, _)| nats).sum(), bytes.into()));
        }
        let mean = ratios.iter().sum::<f64>() / 400.0;
        let strays = (ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        assert!((told / strays - 1.0).abs() < 0.12, "{told} told, {strays} seen");
    }

    #[test]
    fn a_context_that_the_text_cannot_fill_is_refused() {
        let dataset = Dataset::new(&"a".repeat(1000), TokenizerKind::Bytes, 0.1).unwrap();
        assert_eq!(dataset.held_out.len(), 100);
        assert!(dataset.check_context(99, 99).is_ok());
        assert_eq!(dataset.validation_windows(99, usize::MAX).len(), 1);
        for context in [0, 100, 5000] {
            for (model, field) in [(context, "model.context"), (8, "evaluation.context")] {
                let problem = problem(dataset.check_context(model, context));
                assert_eq!((problem.field.as_str(), problem.value), (field, context.to_string()));
                assert!(problem.allowed.starts_with("1 to 99"), "{}", problem.allowed);
            }
        }
        // What is only trained with need not fit the held-out part.
        assert!(dataset.check_context(899, 99).is_ok());
        let problem = problem(dataset.check_context(900, 99));
        assert_eq!(problem.field, "model.context");
        assert!(problem.allowed.starts_with("1 to 899"), "{}", problem.allowed);
    }

    #[test]
    fn tokens_serve_the_text_and_the_tokenizer_that_they_are_of() {
        let (text, other) = ("some text\n".repeat(50), "other text".repeat(50));
        let of = |text: &str, fraction| Origin::of(text, fraction).unwrap();
        let kind = Some(TokenizerKind::Bpe);
        let learned = Origin { kind, vocabulary: Some(300), size: 280, ..of(&text, 0.2) };
        let loaded = Origin { vocabulary: None, ..learned.clone() };
        let (bpe, file) = (TokenizerKind::Bpe, TokenizerKind::File);
        for (origin, needed, kind, vocabulary, serves) in [
            (&learned, of(&text, 0.2), bpe, 300, true),
            (&learned, of(&text, 0.2), bpe, 400, false),
            (&learned, of(&text, 0.2), TokenizerKind::Unigram, 300, false),
            (&learned, of(&other, 0.2), bpe, 300, false),
            (&learned, of(&text, 0.5), bpe, 300, false),
            (&loaded, of(&text, 0.2), bpe, 300, true),
            (&loaded, of(&text, 0.2), bpe, 270, false),
            (&loaded, of(&text, 0.2), file, 300, true),
            (&loaded, of(&other, 0.2), file, 300, false),
        ] {
            assert_eq!(origin.serves(&needed, kind, vocabulary), serves, "{origin:?} {needed:?} {kind:?} {vocabulary}");
        }
    }

    #[test]
    fn tokens_that_do_not_cover_the_text_are_refused() {
        let text = "some text\n".repeat(50);
        let origin = Origin::of(&text, 0.2).unwrap();
        let tokens = |n: usize| vec![u32::from(b'a'); n];
        let (train, held_out) = (tokens(origin.train_bytes), tokens(origin.held_out_bytes));
        let make = |train: Vec<u32>, held_out: Vec<u32>, covered| {
            let tokenizer = Tokenizer::train(TokenizerKind::Bytes, "").unwrap();
            let train = Encoded { tokens: train, covered: None };
            Dataset::of_tokens(tokenizer, train, Encoded { tokens: held_out, covered }, &origin)
        };
        assert!(make(train.clone(), held_out.clone(), None).is_ok());
        assert!(make(train.clone(), held_out.clone(), Some(vec![1; held_out.len()])).is_ok());
        for (train, held_out, covered) in [
            (vec![256], held_out.clone(), None),
            (train.clone(), tokens(3), None),
            (train.clone(), held_out.clone(), Some(vec![2; held_out.len()])),
            (train.clone(), held_out.clone(), Some(vec![1; held_out.len() + 1])),
        ] {
            assert_eq!(problem(make(train, held_out, covered)).field, "tokenizer.kind");
        }
    }

    #[test]
    fn tiny_texts_do_not_panic() {
        for text in ["", "a", "é", "\n\n", "a\n\nb"] {
            for kind in KINDS {
                let dataset = Dataset::new(text, kind, 0.5).unwrap();
                assert!(dataset.check_context(8, 8).is_err());
                dataset.unigram_entropy();
            }
        }
    }
}

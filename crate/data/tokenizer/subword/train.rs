//! Learning a tokenizer from a text: Hugging Face's trainers, given words in a fixed order, so that the same text gives
//! the same tokenizer on every machine.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::models::unigram::{Unigram, UnigramTrainer};
use tokenizers::{AddedToken, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, PreTokenizerWrapper};

use super::parts::parts;
use super::pieces::byte_signs;
use crate::data::TokenizerKind;
use crate::data::tokenizer::{LARGEST_TRAINED, SMALLEST_TRAINED};
use crate::error::{Error, Problem, Result};

/// How much of a text is learned from, in bytes, and in how many stretches it is spread over a longer one.
const SAMPLE: usize = 4 << 20;
const STRETCHES: usize = 64;

/// The share of a text's characters that get tokens of their own before rare ones are left to their bytes, as in
/// SentencePiece.
const COVERAGE: f64 = 0.9995;

/// A longer word, in characters, is learned from in pieces: text without spaces has no words.
const LONGEST_WORD: usize = 128;

/// SentencePiece's limit, in characters.
const LONGEST_PIECE: usize = 16;

const UNKNOWN: &str = "<unk>";

/// The tokenizer.json of a tokenizer of at most `vocabulary` tokens. `progress` is told a share from 0 to 1.
pub fn train(kind: TokenizerKind, vocabulary: usize, text: &str, progress: &mut dyn FnMut(f64)) -> Result<Value> {
    if !(SMALLEST_TRAINED..=LARGEST_TRAINED).contains(&vocabulary) {
        return Err(Error::refused(Problem::new(
            "tokenizer.vocabulary",
            vocabulary,
            format!("a whole number from {SMALLEST_TRAINED} to {LARGEST_TRAINED}"),
            "Change it to one of these.",
        )));
    }
    let pre_tokenizer = match kind {
        TokenizerKind::Bpe => json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true
        }),
        TokenizerKind::SentencepieceBpe | TokenizerKind::Unigram => json!({
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": NAMES}, "behavior": "Isolated", "invert": false},
                {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Isolated", "invert": false},
            ]
        }),
        TokenizerKind::Wordpiece => json!({"type": "BertPreTokenizer"}),
        TokenizerKind::Characters | TokenizerKind::Bytes | TokenizerKind::File => {
            let kind = serde_json::to_value(kind).expect("names are JSON");
            let allowed = "bpe, sentencepiece_bpe, unigram, wordpiece";
            return Err(Error::refused(Problem::new("tokenizer.kind", kind, allowed, "Choose one that is learned.")));
        }
    };
    let words = Words::count(text, &pre_tokenizer, &mut |share| progress(0.3 * share))?;
    let (model, decoder) = match kind {
        TokenizerKind::Bpe => (
            byte_level(&words, vocabulary)?,
            json!({
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": true
            }),
        ),
        TokenizerKind::SentencepieceBpe => (sentencepiece_bpe(words, vocabulary)?, byte_decoder()),
        TokenizerKind::Unigram => (unigram(words, vocabulary)?, byte_decoder()),
        _ => (wordpiece(words, vocabulary)?, json!({"type": "WordPiece", "prefix": "##", "cleanup": false})),
    };
    progress(0.9);
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": decoder, "model": model,
    }))
}

/// The beginning of a name that a token has for a byte or for the unknown, here or within the trainer. Where a text holds
/// such a name, it is never one piece, and so is not taken for that token.
const NAMES: &str = "<(?=(0x[0-9A-F]{2}|unk|UNK)>)";

/// A word with the space before it, further spaces, or line ends: what is left when SentencePiece splits at spaces and
/// reads line by line, with nothing dropped.
const WORDS: &str = " +(?= [^ \\n])| ?[^ \\n]+| +|\\n+";

fn byte_decoder() -> Value {
    json!({"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]})
}

/// How often each word occurs.
struct Words(BTreeMap<String, u32>);

impl Words {
    fn count(text: &str, pre_tokenizer: &Value, progress: &mut dyn FnMut(f64)) -> Result<Self> {
        let pre_tokenizer: PreTokenizerWrapper =
            serde_json::from_value(pre_tokenizer.clone()).expect("ours are the library's");
        let mut words = BTreeMap::new();
        let stretches = sample(text);
        for (i, stretch) in stretches.iter().enumerate() {
            for part in parts(stretch) {
                let mut split = PreTokenizedString::from(part);
                pre_tokenizer.pre_tokenize(&mut split).map_err(|error| impossible(&error.to_string()))?;
                for (word, ..) in split.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
                    *words.entry(word.to_owned()).or_default() += 1;
                }
            }
            progress((i + 1) as f64 / stretches.len() as f64);
        }
        Ok(Self(words).cut(|_| true))
    }

    /// The words, cut where `keep` drops a character, and where they are too long.
    fn cut(self, keep: impl Fn(char) -> bool) -> Self {
        let mut words = BTreeMap::new();
        for (word, count) in self.0 {
            for piece in word.split(|c| !keep(c)).filter(|piece| !piece.is_empty()) {
                let mut piece = piece;
                while !piece.is_empty() {
                    let end = piece.char_indices().nth(LONGEST_WORD).map_or(piece.len(), |(at, _)| at);
                    *words.entry(piece[..end].to_owned()).or_default() += count;
                    piece = &piece[end..];
                }
            }
        }
        Self(words)
    }

    /// The characters that make up nearly all of the text, at most `room`, and the words made of them.
    fn within_alphabet(self, room: usize) -> (BTreeSet<char>, Self) {
        let mut counts: BTreeMap<char, u64> = BTreeMap::new();
        for (word, &count) in &self.0 {
            word.chars().for_each(|c| *counts.entry(c).or_default() += u64::from(count));
        }
        let total: u64 = counts.values().sum();
        let mut order: Vec<(char, u64)> = counts.into_iter().collect();
        order.sort_by_key(|&(c, count)| (std::cmp::Reverse(count), c));
        let mut covered = 0;
        let rare = |&(_, count): &(char, u64)| {
            let more = (covered as f64) < COVERAGE * total as f64;
            covered += count;
            more
        };
        let alphabet: BTreeSet<char> = order.into_iter().take(room.max(1)).take_while(rare).map(|(c, _)| c).collect();
        let words = self.cut(|c| alphabet.contains(&c));
        (alphabet, words)
    }
}

/// Stretches of the text, spread evenly, that are 4 MB at most.
fn sample(text: &str) -> Vec<&str> {
    if text.len() <= SAMPLE {
        return vec![text];
    }
    let length = SAMPLE / STRETCHES;
    let begins = (0..STRETCHES).map(|i| (text.len() - length) / (STRETCHES - 1) * i);
    begins.map(|begin| &text[text.ceil_char_boundary(begin)..text.floor_char_boundary(begin + length)]).collect()
}

fn bpe(words: &Words, trainer: BpeTrainer) -> Result<Value> {
    let mut model = BPE::default();
    let counts = words.0.iter().map(|(word, &count)| (word.as_str().into(), count.into())).collect();
    trainer.do_train(&counts, &mut model).map_err(|error| impossible(&error.to_string()))?;
    Ok(serde_json::to_value(&model).expect("models are JSON"))
}

/// Pairs that occur once are no pattern.
const OFTEN: u64 = 2;

/// GPT-2's (Radford et al. 2019): BPE (Sennrich et al. 2016, arXiv 1508.07909) over bytes.
fn byte_level(words: &Words, vocabulary: usize) -> Result<Value> {
    let trainer = BpeTrainer::builder().show_progress(false).vocab_size(vocabulary).min_frequency(OFTEN);
    bpe(words, trainer.initial_alphabet(byte_signs().collect()).build())
}

/// The token for what nothing else writes, and one for each byte.
fn reserved() -> Vec<String> {
    let bytes = (0..=u8::MAX).map(|byte| format!("<0x{byte:02X}>"));
    std::iter::once(UNKNOWN.to_owned()).chain(bytes).collect()
}

fn first(tokens: impl IntoIterator<Item = String>) -> Vec<AddedToken> {
    tokens.into_iter().map(|token| AddedToken::from(token, false)).collect()
}

fn sentencepiece_bpe(words: Words, vocabulary: usize) -> Result<Value> {
    let reserved = reserved();
    let (_, words) = words.within_alphabet((vocabulary - reserved.len()) / 2);
    let trainer = BpeTrainer::builder().show_progress(false).vocab_size(vocabulary).min_frequency(OFTEN);
    let trainer = trainer.max_token_length(Some(LONGEST_PIECE)).special_tokens(first(reserved)).build();
    let mut model = bpe(&words, trainer)?;
    (model["unk_token"], model["fuse_unk"]) = (json!(UNKNOWN), json!(true));
    model["byte_fallback"] = json!(true);
    Ok(model)
}

/// BERT's (Devlin et al. 2019, arXiv 1810.04805): learned as BPE is, with signs on what goes on a word.
fn wordpiece(words: Words, vocabulary: usize) -> Result<Value> {
    let (alphabet, words) = words.within_alphabet((vocabulary - 1) / 4);
    // All single characters come first, in order.
    let begins = alphabet.iter().map(char::to_string);
    let goes_on = alphabet.iter().map(|c| format!("##{c}"));
    let tokens = std::iter::once("[UNK]".to_owned()).chain(begins).chain(goes_on);
    let trainer = BpeTrainer::builder().show_progress(false).vocab_size(vocabulary).min_frequency(OFTEN);
    let trainer = trainer.continuing_subword_prefix("##".to_owned()).special_tokens(first(tokens)).build();
    let vocabulary = bpe(&words, trainer)?["vocab"].take();
    Ok(json!({
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100, "vocab": vocabulary,
    }))
}

/// Kudo 2018, arXiv 1804.10959.
fn unigram(words: Words, vocabulary: usize) -> Result<Value> {
    let reserved = reserved();
    let room = vocabulary - reserved.len();
    let (_, words) = words.within_alphabet(room / 2);
    let trainer = UnigramTrainer::builder()
        .show_progress(false)
        .vocab_size(1 + room as u32)
        .max_piece_length(LONGEST_PIECE)
        .special_tokens(first([UNKNOWN.to_owned()]))
        .unk_token(Some(UNKNOWN.to_owned()))
        .build()
        .map_err(|error| impossible(&error.to_string()))?;
    let words: Vec<(String, u32)> = words.0.into_iter().collect();
    let mut model = Unigram::default();
    // Of nothing, the trainer would learn nothing, but not say so.
    if !words.is_empty() {
        alone(|| trainer.do_train(words, &mut model)).map_err(|error| impossible(&error.to_string()))?;
    }
    let learned = model.iter().skip(1);
    let pieces = settled(learned.map(|(piece, score)| (piece.clone(), rounded(*score))).collect());
    // Where only its bytes can write a character, they cost what the model says of the unknown, not this.
    let worst = pieces.last().map_or(0.0, |(_, score)| *score);
    let vocabulary: Vec<(String, f64)> = std::iter::once((UNKNOWN.to_owned(), 0.0))
        .chain(reserved.into_iter().skip(1).map(|byte| (byte, worst)))
        .chain(pieces)
        .collect();
    Ok(json!({"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": true}))
}

/// Runs it on one thread: the trainer adds up numbers in as many groups as there are threads.
#[cfg(not(target_arch = "wasm32"))]
fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one more thread");
    pool.install(work)
}

#[cfg(target_arch = "wasm32")]
fn alone<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Logarithms differ between systems in their last digits.
fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

/// The pieces by falling score, equal ones by name.
///
/// The trainer gives characters that it had lost scores that rise from the worst one in steps of 0.0001, in an order
/// that changes from run to run. Here they get these scores in the order of their names.
fn settled(mut pieces: Vec<(String, f64)>) -> Vec<(String, f64)> {
    let worst = pieces.iter().map(|&(_, score)| score).fold(f64::INFINITY, f64::min);
    let step = |score: f64| {
        let steps = (score - worst) / 1e-4;
        ((steps - steps.round()).abs() < 0.02).then(|| steps.round() as usize)
    };
    let single = |(piece, score): &(String, f64)| piece.chars().count() == 1 && step(*score).is_some();
    let steps: BTreeSet<usize> =
        pieces.iter().filter(|piece| single(piece)).filter_map(|piece| step(piece.1)).collect();
    let unbroken = (0..).take_while(|i| steps.contains(i)).count();
    let (mut lost, kept): (Vec<_>, Vec<_>) =
        pieces.drain(..).partition(|piece| single(piece) && step(piece.1).is_some_and(|i| i < unbroken));
    let mut scores: Vec<f64> = lost.iter().map(|&(_, score)| score).collect();
    scores.sort_by(f64::total_cmp);
    lost.sort_by(|a, b| a.0.cmp(&b.0));
    let lost = lost.into_iter().zip(scores).map(|((piece, _), score)| (piece, score));
    let mut pieces: Vec<(String, f64)> = kept.into_iter().chain(lost).collect();
    pieces.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    pieces
}

fn impossible(why: &str) -> Error {
    Error::refused(Problem::new(
        "tokenizer.vocabulary",
        format!("a size that this text gives no tokenizer of ({why})"),
        "a vocabulary that has room for the text's characters",
        "Take a larger vocabulary, or another kind of tokenizer.",
    ))
}

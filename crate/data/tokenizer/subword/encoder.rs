//! Cutting text into tokens with the `tokenizers` crate, part by part, with the bytes that each token covers.

use std::fmt;

use serde_json::{Value, json};
use tokenizers::Tokenizer as Library;

use super::parts::parts;
use super::{Encoded, Subword};
use crate::data::TokenizerKind;
use crate::data::tokenizer::decode;
use crate::error::{Error, Problem, Result};

pub struct Encoder {
    pub family: Family,
    /// Every text comes back from its tokens, and the table says what each covers.
    pub byte_complete: bool,
    whole: Library,
    /// For all parts but a text's first, where the first gets something prepended.
    rest: Option<Library>,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Encoder").field("family", &self.family).finish_non_exhaustive()
    }
}

/// What a tokenizer's file says about how it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    ByteLevelBpe,
    SentencePieceBpe,
    OtherBpe,
    Unigram,
    WordPiece,
    Words,
}

impl Family {
    fn of(json: &Value) -> Self {
        match json["model"]["type"].as_str() {
            Some("Unigram") => Self::Unigram,
            Some("WordPiece") => Self::WordPiece,
            Some("WordLevel") => Self::Words,
            _ if is_byte_level(json) => Self::ByteLevelBpe,
            _ if json["model"]["byte_fallback"] == true => Self::SentencePieceBpe,
            _ => Self::OtherBpe,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::ByteLevelBpe => "byte-level BPE",
            Self::SentencePieceBpe => "SentencePiece BPE",
            Self::OtherBpe => "BPE",
            Self::Unigram => "unigram",
            Self::WordPiece => "WordPiece",
            Self::Words => "whole words",
        }
    }

    pub fn kind(self) -> Option<TokenizerKind> {
        match self {
            Self::ByteLevelBpe => Some(TokenizerKind::Bpe),
            Self::SentencePieceBpe => Some(TokenizerKind::SentencepieceBpe),
            Self::Unigram => Some(TokenizerKind::Unigram),
            Self::WordPiece => Some(TokenizerKind::Wordpiece),
            Self::OtherBpe | Self::Words => None,
        }
    }
}

/// Whether the model sees a sign for each byte instead of characters.
pub fn is_byte_level(json: &Value) -> bool {
    steps(&json["pre_tokenizer"]).chain(steps(&json["normalizer"])).any(|step| step["type"] == "ByteLevel")
}

/// The steps of a normaliser or pre-tokenizer, those of sequences one by one.
pub fn steps(json: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    let inner = ["normalizers", "pretokenizers"].into_iter().filter_map(|key| json[key].as_array()).flatten();
    match json["type"].as_str() {
        None => Box::new(std::iter::empty()),
        Some("Sequence") => Box::new(inner.flat_map(steps)),
        Some(_) => Box::new(std::iter::once(json)),
    }
}

impl Encoder {
    /// `json` has passed the door, `table` is made of it.
    pub fn new(json: &Value, table: &Subword) -> Result<Self> {
        let whole = library(json)?;
        let mut without = json.clone();
        forget_prefixes(&mut without["normalizer"]);
        forget_prefixes(&mut without["pre_tokenizer"]);
        let rest = if without == *json { None } else { Some(library(&without)?) };
        let mut encoder = Self { family: Family::of(json), byte_complete: false, whole, rest };
        // Lossless by its steps, and by what traps exist for them.
        encoder.byte_complete = is_lossless(json)
            && TRAPS.iter().all(|&text| encoder.tokens(text).is_ok_and(|tokens| decode(table, &tokens) == text));
        Ok(encoder)
    }

    pub fn encode(&self, text: &str, progress: &mut dyn FnMut(f64)) -> Result<Encoded> {
        let mut encoded = Encoded::default();
        let (mut done, mut told) = (0, 0);
        let mut covered = vec![];
        // Bytes that no token covers yet: the next one does.
        let mut left = 0;
        for part in parts(text) {
            let library = if done == 0 { &self.whole } else { self.rest.as_ref().unwrap_or(&self.whole) };
            if self.byte_complete {
                encoded.tokens.extend(library.encode_fast(part, false).map_err(failed)?.get_ids());
            } else {
                let encoding = library.encode(part, false).map_err(failed)?;
                let mut end = 0;
                for &(_, upto) in encoding.get_offsets() {
                    let upto = upto.max(end);
                    covered.push((left + upto - end) as u32);
                    (end, left) = (upto, 0);
                }
                encoded.tokens.extend(encoding.get_ids());
                left += part.len() - end;
            }
            done += part.len();
            if done - told >= 1 << 18 || done == text.len() {
                told = done;
                progress(done as f64 / text.len() as f64);
            }
        }
        if !self.byte_complete {
            if let Some(last) = covered.last_mut() {
                *last += left as u32;
            }
            encoded.covered = Some(covered);
        }
        Ok(encoded)
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.whole.encode_fast(text, false).map_err(failed)?.get_ids().to_vec())
    }
}

fn library(json: &Value) -> Result<Library> {
    // The library spreads work over threads of its own otherwise; what it counts would depend on how many.
    tokenizers::utils::parallelism::set_parallelism(false);
    let library: Library = serde_json::from_value(json.clone()).map_err(|error| refused(&error.to_string()))?;
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        let content = token["content"].as_str().unwrap_or_default();
        if library.token_to_id(content).map(u64::from) != token["id"].as_u64() {
            return Err(refused(&format!("the added token {content:?} does not come after the others")));
        }
    }
    Ok(library)
}

/// Takes out what prepends something to a text.
fn forget_prefixes(json: &mut Value) {
    for key in ["normalizers", "pretokenizers"] {
        if let Some(steps) = json.get_mut(key).and_then(Value::as_array_mut) {
            steps.iter_mut().for_each(forget_prefixes);
            steps.retain(|step| !step.is_null());
        }
    }
    match json["type"].as_str() {
        Some("Prepend") => *json = Value::Null,
        Some("Metaspace") => {
            json["prepend_scheme"] = json!("never");
            json["add_prefix_space"] = json!(false);
        }
        Some("ByteLevel") if json["add_prefix_space"] == true => json["add_prefix_space"] = json!(false),
        _ => (),
    }
}

/// Whether no step changes or drops anything, and every byte has a token.
fn is_lossless(json: &Value) -> bool {
    let keeps = |step: &Value| match step["type"].as_str() {
        Some("ByteLevel") => step["add_prefix_space"] == false,
        Some("Metaspace") => step["replacement"] == " " && step["prepend_scheme"] == "never",
        Some("Split" | "Punctuation") => step["behavior"] != "Removed",
        Some("Digits" | "UnicodeScripts") => true,
        _ => false,
    };
    let added = json["added_tokens"].as_array().into_iter().flatten();
    let strips = added.into_iter().any(|token| token["lstrip"] == true || token["rstrip"] == true);
    let model = &json["model"];
    let bytes_known = match Family::of(json) {
        Family::ByteLevelBpe => super::pieces::byte_signs().all(|sign| model["vocab"].get(sign.to_string()).is_some()),
        _ => model["byte_fallback"] == true,
    };
    json["normalizer"].is_null()
        && steps(&json["pre_tokenizer"]).all(keeps)
        && !strips
        && bytes_known
        && model["end_of_word_suffix"].as_str().is_none_or(str::is_empty)
        && model["continuing_subword_prefix"].as_str().is_none_or(str::is_empty)
}

/// Texts that come back changed from tokenizers that are not as lossless as their steps look.
pub const TRAPS: [&str; 6] = [
    " two  spaces, \t a tab\r\n\n lines ",
    "\u{2581}a\u{2581} \u{2581}",
    "<0x41> <0x0A><unk> [UNK] <s>",
    "e\u{301}\u{fffd}\u{0}\u{7f}\u{85}\u{a0}\u{3000}",
    "字\u{1f469}\u{200d}\u{1f467}\u{feff}",
    "\u{10ffff}\u{e000}\u{ad}",
];

fn refused(why: &str) -> Error {
    super::json::refused(format!("unusable: {why}"), "a tokenizer whose parts fit together")
}

fn failed(error: tokenizers::Error) -> Error {
    Error::refused(Problem::new(
        "tokenizer.kind",
        format!("a tokenizer that cannot write this text ({error})"),
        "one that has a token for everything in the text, or one for the unknown",
        "Take another tokenizer, or a text of the kind that it was made for.",
    ))
}

//! Subword tokenizers for the page: a wasm module of its own, loaded when one is first asked for, in a worker of its own,
//! so that learning and encoding never hold up a run. What it makes is handed to the lab's module (`web.rs`).

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::data::{self, TokenizerKind, split};
use crate::error::{Error, Problem, Result};
use crate::js::{throw, to_js};

type Thrown<T> = std::result::Result<T, JsValue>;

#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// The byte order mark that some editors put first; the lab drops it too.
const MARK: char = '\u{FEFF}';

/// A subword tokenizer.
#[wasm_bindgen]
pub struct Subword(data::Subword);

/// Learns a tokenizer of at most `vocabulary` tokens from a text. `progress` is told a share from 0 to 1.
#[wasm_bindgen]
pub fn train(kind: &str, vocabulary: u32, text: &str, progress: Option<js_sys::Function>) -> Thrown<Subword> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let learn = || {
        let kind: TokenizerKind = serde_json::from_value(kind.into()).map_err(|_| {
            let allowed = "bpe, sentencepiece_bpe, unigram, wordpiece";
            Error::refused(Problem::new("tokenizer.kind", kind, allowed, "Choose one that is learned."))
        })?;
        data::Subword::train(kind, vocabulary as usize, text, &mut |share| tell(&progress, share))
    };
    learn().map(Subword).map_err(|error| throw(&error))
}

/// Reads a tokenizer.json or a SentencePiece .model, whichever the bytes are.
#[wasm_bindgen]
pub fn load(file: &[u8]) -> Thrown<Subword> {
    data::Subword::load(file).map(Subword).map_err(|error| throw(&error))
}

fn tell(progress: &Option<js_sys::Function>, share: f64) {
    if let Some(progress) = progress {
        // A listener that throws is the page's own affair.
        let _ = progress.call1(&JsValue::NULL, &share.into());
    }
}

#[wasm_bindgen]
impl Subword {
    /// The tokenizer as a file: `load` of its bytes is the same tokenizer.
    pub fn json(&self) -> String {
        self.0.json().to_owned()
    }

    /// In words, such as `byte-level BPE, 512 tokens`.
    pub fn name(&self) -> String {
        self.0.name()
    }

    pub fn vocabulary_size(&self) -> usize {
        self.0.token_lengths().len()
    }

    /// Whether every text comes back byte for byte.
    pub fn byte_complete(&self) -> bool {
        self.0.byte_complete()
    }

    pub fn encode(&self, text: &str) -> Thrown<Vec<u32>> {
        Ok(self.0.encode_covering(text).map_err(|error| throw(&error))?.tokens)
    }

    /// The tokens of a text, and for each the bytes of the text that it covers, one array after the other: `[tokens,
    /// bytes]`. The bytes add up to the text's, also where a tokenizer changes or drops something.
    pub fn encode_covering(&self, text: &str) -> Thrown<js_sys::Array> {
        let encoded = self.0.encode_covering(text).map_err(|error| throw(&error))?;
        let lengths = self.0.token_lengths();
        let by_table = || encoded.tokens.iter().map(|&id| lengths[id as usize]).collect();
        let covered: Vec<u32> = encoded.covered.clone().unwrap_or_else(by_table);
        Ok(js_sys::Array::of2(&array(&encoded.tokens), &array(&covered)))
    }

    /// The two parts of a text, cut as every tokenizer's are: `{train, held_out, covered, train_covered, of}`, what the lab's
    /// `use_tokens` takes. `covered` and `train_covered` are undefined where the tokens' lengths say it. `progress` is told a share from 0 to 1.
    pub fn encode_parts(
        &self,
        text: &str,
        held_out_fraction: f64,
        progress: Option<js_sys::Function>,
    ) -> Thrown<js_sys::Object> {
        let text = text.strip_prefix(MARK).unwrap_or(text);
        let work = || -> Result<_> {
            let (train, held_out) = split(text, held_out_fraction)?;
            let share = train.len() as f64 / text.len().max(1) as f64;
            let train = self.0.encode_with(train, &mut |done| tell(&progress, share * done))?;
            let held_out = self.0.encode_with(held_out, &mut |done| tell(&progress, share + (1.0 - share) * done))?;
            Ok((train, held_out, self.0.origin(text, held_out_fraction)?))
        };
        let (train, held_out, origin) = work().map_err(|error| throw(&error))?;
        let [covered, train_covered] = [held_out.covered, train.covered]
            .map(|covered| covered.map_or(JsValue::UNDEFINED, |covered| array(&covered).into()));
        let object = js_sys::Object::new();
        for (name, value) in [
            ("train", array(&train.tokens).into()),
            ("held_out", array(&held_out.tokens).into()),
            ("covered", covered),
            ("train_covered", train_covered),
            ("of", plain(&origin)?),
        ] {
            // Setting a property of a fresh object cannot fail.
            let _ = js_sys::Reflect::set(&object, &name.into(), &value);
        }
        Ok(object)
    }

    /// Bytes of UTF-8 that each id stands for.
    pub fn token_lengths(&self) -> Vec<u32> {
        self.0.token_lengths()
    }

    /// The bytes of all ids, one after the other.
    pub fn token_bytes(&self) -> Vec<u8> {
        self.0.all_bytes().to_vec()
    }
}

fn array(numbers: &[u32]) -> js_sys::Uint32Array {
    js_sys::Uint32Array::from(numbers)
}

fn plain(value: &impl Serialize) -> Thrown<JsValue> {
    to_js(value)
}

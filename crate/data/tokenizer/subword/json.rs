//! The door for tokenizer files. What passes is a tokenizer.json of the parts that are known, whose numbers are true
//! and whose sizes are bounded: the library, which trusts its files, sees nothing else.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use tokenizers::utils::SysRegex;

use super::encoder::{TRAPS, steps};
use super::{LARGEST_VOCABULARY, charsmap, sentencepiece};
use crate::error::{Error, Problem, Result};

/// In bytes. The largest that are in use have 33 MB.
const LARGEST_FILE: usize = 48 << 20;
/// In bytes.
const LONGEST_TOKEN: usize = 4096;
const LONGEST_PATTERN: usize = 1 << 16;
const MOST_ADDED: usize = 1 << 16;
const MOST_STEPS: usize = 64;
/// How many times longer normalisers may make a text.
const LARGEST_GROWTH: usize = 64;

pub fn refused(value: impl std::fmt::Display, allowed: &str) -> Error {
    let advice = "Choose another file: a tokenizer.json of Hugging Face's format, or a SentencePiece .model.";
    Error::refused(Problem::new("tokenizer.file", value, allowed, advice))
}

fn bad(why: impl std::fmt::Display) -> Error {
    refused(format!("unusable: {why}"), "a tokenizer.json or a SentencePiece .model")
}

/// A file's tokenizer.json, or what a SentencePiece .model is as one.
pub fn read(file: &[u8]) -> Result<Value> {
    if file.len() > LARGEST_FILE {
        let allowed = "a tokenizer.json or a SentencePiece .model of at most 48 MB";
        return Err(refused(format!("{} bytes long", file.len()), allowed));
    }
    let text = file.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file);
    if text.trim_ascii_start().first() == Some(&b'{') {
        return serde_json::from_slice(text).map_err(|error| bad(format!("it is not JSON ({error})")));
    }
    sentencepiece::read(file)
}

/// The tokenizer.json with all that is used, and with nothing else.
///
/// # Errors
/// At the first thing that is wrong.
pub fn check(json: &Value) -> Result<Value> {
    if !json.is_object() {
        return Err(bad("it is no object"));
    }
    if !(json["version"].is_null() || json["version"] == "1.0") {
        return Err(bad(format!("it is of version {}, not 1.0", json["version"])));
    }
    check_steps(&json["normalizer"], &NORMALIZERS)?;
    check_steps(&json["pre_tokenizer"], &PRE_TOKENIZERS)?;
    let mut ids = Ids::default();
    let model = check_model(&json["model"], &mut ids)?;
    let added = check_added(&json["added_tokens"], &mut ids)?;
    ids.check()?;
    Ok(json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": json["normalizer"], "pre_tokenizer": json["pre_tokenizer"], "post_processor": null,
        "decoder": json["decoder"], "model": model,
    }))
}

/// The ids that tokens have, by name.
#[derive(Default)]
struct Ids(HashMap<String, u64>);

impl Ids {
    fn add(&mut self, token: &str, id: u64) -> Result<()> {
        if token.is_empty() || token.len() > LONGEST_TOKEN {
            return Err(bad(format!("token {id} has {} bytes; 1 to {LONGEST_TOKEN} are allowed", token.len())));
        }
        if id >= LARGEST_VOCABULARY as u64 {
            return Err(bad(format!(
                "the token {token:?} has the id {id}; ids below {LARGEST_VOCABULARY} are allowed"
            )));
        }
        match self.0.insert(token.to_owned(), id) {
            Some(other) if other != id => Err(bad(format!("the token {token:?} has two ids, {other} and {id}"))),
            _ => Ok(()),
        }
    }

    /// They are 0..n, each once.
    fn check(&self) -> Result<()> {
        let mut seen = HashSet::new();
        for (token, &id) in &self.0 {
            if id >= self.0.len() as u64 || !seen.insert(id) {
                return Err(bad(format!(
                    "the ids of its {} tokens are not 0 to {}, each once: {token:?} has {id}",
                    self.0.len(),
                    self.0.len().saturating_sub(1)
                )));
            }
        }
        if self.0.is_empty() { Err(bad("it has no tokens")) } else { Ok(()) }
    }
}

const NORMALIZERS: [&str; 14] = [
    "BertNormalizer",
    "Strip",
    "StripAccents",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Lowercase",
    "Nmt",
    "Precompiled",
    "Replace",
    "Prepend",
    "ByteLevel",
    "Sequence",
];
const PRE_TOKENIZERS: [&str; 12] = [
    "BertPreTokenizer",
    "ByteLevel",
    "CharDelimiterSplit",
    "Metaspace",
    "Whitespace",
    "WhitespaceSplit",
    "Split",
    "Punctuation",
    "Digits",
    "UnicodeScripts",
    "FixedLength",
    "Sequence",
];

/// Of a normaliser or a pre-tokenizer: known steps, few, none of which makes text long or takes long to prepare.
fn check_steps(json: &Value, known: &[&str]) -> Result<()> {
    if json.is_null() {
        return Ok(());
    }
    check_types(json, known)?;
    if steps(json).count() > MOST_STEPS {
        return Err(bad(format!("it has more than {MOST_STEPS} steps in a row")));
    }
    let mut growth = 1usize;
    for step in steps(json) {
        let pattern = step["pattern"]["String"].as_str().or(step["pattern"]["Regex"].as_str()).unwrap_or_default();
        if pattern.len() > LONGEST_PATTERN {
            return Err(bad(format!("a pattern has {} bytes; {LONGEST_PATTERN} are allowed", pattern.len())));
        }
        let content = step["content"].as_str().or(step["prepend"].as_str()).unwrap_or_default();
        let factor = match step["type"].as_str() {
            Some("Prepend") if content.is_empty() => return Err(bad("it prepends nothing")),
            Some("Replace") if pattern.is_empty() => return Err(bad(BETWEEN)),
            Some("Replace") if step["pattern"]["String"].is_string() => content.len().div_ceil(pattern.len()),
            Some("Replace") => {
                check_replaced(pattern)?;
                content.len() + 1
            }
            Some("Prepend") => content.len() + 1,
            Some("FixedLength") if step["length"] == 0 => return Err(bad("it splits into pieces of length 0")),
            Some("Precompiled") => {
                charsmap::check(step["precompiled_charsmap"].as_str().unwrap_or_default()).map_err(bad)?;
                1
            }
            _ => 1,
        };
        growth = growth.saturating_mul(factor.max(1));
    }
    if growth > LARGEST_GROWTH {
        return Err(bad(format!("its normaliser can make text {growth} times longer; {LARGEST_GROWTH} are allowed")));
    }
    Ok(())
}

const BETWEEN: &str = "it replaces what is between characters";

/// A pattern must not match between characters: the library loses count of what it then inserts.
fn check_replaced(pattern: &str) -> Result<()> {
    let pattern = SysRegex::new(pattern).map_err(bad)?;
    let matches = |text: &str| pattern.find_iter(text).any(|(begin, end)| begin == end);
    if TRAPS.iter().chain(&["", "a"]).any(|text| matches(text)) {
        return Err(bad(BETWEEN));
    }
    Ok(())
}

fn check_types(json: &Value, known: &[&str]) -> Result<()> {
    let kind = json["type"].as_str().unwrap_or_default();
    if !known.contains(&kind) {
        return Err(bad(format!("the step {} is not one of {}", json["type"], known.join(", "))));
    }
    let inner = ["normalizers", "pretokenizers"].into_iter().filter_map(|key| json[key].as_array()).flatten();
    inner.into_iter().try_for_each(|step| check_types(step, known))
}

fn check_model(model: &Value, ids: &mut Ids) -> Result<Value> {
    // Old files do not say what they are.
    let kind = model["type"].as_str().unwrap_or_else(|| match () {
        () if model["merges"].is_array() => "BPE",
        () if model["vocab"].is_array() => "Unigram",
        () if model["continuing_subword_prefix"].is_string() => "WordPiece",
        () => "WordLevel",
    });
    let optional = |key: &str| match &model[key] {
        Value::Null => Ok(None),
        Value::String(text) if text.len() <= LONGEST_TOKEN => Ok(Some(text.as_str())),
        other => Err(bad(format!("the model's {key} is {other}, no text"))),
    };
    let unknown = optional("unk_token")?;
    let has_unknown = |unknown: &str| {
        let known = model["vocab"].get(unknown).is_some();
        if known {
            Ok(())
        } else {
            Err(bad(format!("the token for the unknown, {unknown:?}, is not among its tokens")))
        }
    };
    match kind {
        "BPE" => {
            let vocabulary = named_ids(model, ids)?;
            unknown.map(has_unknown).transpose()?;
            if !matches!(model["dropout"].as_f64(), None | Some(0.0)) {
                return Err(bad("it drops merges at random (dropout); text must become the same tokens each time"));
            }
            let (prefix, suffix) = (optional("continuing_subword_prefix")?, optional("end_of_word_suffix")?);
            let merges = check_merges(&model["merges"], vocabulary, prefix.unwrap_or_default())?;
            Ok(json!({
                "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": prefix,
                "end_of_word_suffix": suffix, "fuse_unk": model["fuse_unk"] == true,
                "byte_fallback": model["byte_fallback"] == true, "ignore_merges": model["ignore_merges"] == true,
                "vocab": vocabulary, "merges": merges,
            }))
        }
        "Unigram" => {
            let vocabulary = scored(model, ids)?;
            let unknown = &model["unk_id"];
            if !(unknown.is_null() || unknown.as_u64().is_some_and(|id| id < vocabulary.len() as u64)) {
                return Err(bad(format!("the id of the unknown, {unknown}, is none of its tokens'")));
            }
            let fallback = model["byte_fallback"] == true;
            Ok(json!({"type": "Unigram", "unk_id": unknown, "vocab": vocabulary, "byte_fallback": fallback}))
        }
        "WordPiece" => {
            let vocabulary = named_ids(model, ids)?;
            let unknown = unknown.unwrap_or("[UNK]");
            has_unknown(unknown)?;
            let longest = model["max_input_chars_per_word"].as_u64().unwrap_or(100);
            if longest > 1000 {
                return Err(bad(format!("it cuts words of {longest} characters; 1000 are allowed")));
            }
            let prefix = optional("continuing_subword_prefix")?.unwrap_or("##");
            Ok(json!({
                "type": "WordPiece", "unk_token": unknown, "continuing_subword_prefix": prefix,
                "max_input_chars_per_word": longest, "vocab": vocabulary,
            }))
        }
        "WordLevel" => {
            let vocabulary = named_ids(model, ids)?;
            let unknown = unknown.unwrap_or("<unk>");
            has_unknown(unknown)?;
            Ok(json!({"type": "WordLevel", "unk_token": unknown, "vocab": vocabulary}))
        }
        other => Err(bad(format!("its model is {other:?}, not one of BPE, Unigram, WordPiece, WordLevel"))),
    }
}

/// Tokens and their ids, as an object.
fn named_ids<'a>(model: &'a Value, ids: &mut Ids) -> Result<&'a Map<String, Value>> {
    let vocabulary = model["vocab"].as_object().ok_or_else(|| bad("its vocabulary is no object"))?;
    for (token, id) in vocabulary {
        ids.add(token, id.as_u64().ok_or_else(|| bad(format!("the id of {token:?} is {id}")))?)?;
    }
    Ok(vocabulary)
}

/// Tokens and their scores, as a list of pairs.
fn scored<'a>(model: &'a Value, ids: &mut Ids) -> Result<&'a Vec<Value>> {
    let vocabulary = model["vocab"].as_array().ok_or_else(|| bad("its vocabulary is no list"))?;
    if vocabulary.len() > LARGEST_VOCABULARY {
        return Err(bad(format!("it has {} tokens; {LARGEST_VOCABULARY} are allowed", vocabulary.len())));
    }
    for (id, entry) in vocabulary.iter().enumerate() {
        let pair = entry.as_array().map(Vec::as_slice);
        let Some([Value::String(token), score]) = pair else {
            return Err(bad(format!("token {id} is {entry}, not a text and a score")));
        };
        // Sums of scores along a text stay finite.
        if !score.as_f64().is_some_and(|score| score.abs() <= 1e30) {
            return Err(bad(format!("the score of {token:?} is {score}")));
        }
        ids.add(token, id as u64)?;
    }
    Ok(vocabulary)
}

/// Pairs of tokens whose joint is a token, each once. Old files write them as `left right`.
fn check_merges<'a>(merges: &'a Value, vocabulary: &Map<String, Value>, prefix: &str) -> Result<Vec<[&'a str; 2]>> {
    let merges = merges.as_array().ok_or_else(|| bad("its merges are no list"))?;
    let mut seen = HashSet::with_capacity(merges.len());
    let mut pairs = Vec::with_capacity(merges.len());
    for merge in merges {
        if merge.as_str().is_some_and(|line| line.starts_with("#version")) {
            continue;
        }
        let pair = match merge {
            Value::String(line) => line.split_once(' ').map(|(left, right)| [left, right]),
            Value::Array(pair) => match &pair[..] {
                [Value::String(left), Value::String(right)] => Some([left.as_str(), right.as_str()]),
                _ => None,
            },
            _ => None,
        };
        let pair = pair.ok_or_else(|| bad(format!("the merge {merge} is no pair of tokens")))?;
        let joint = pair[1].strip_prefix(prefix).map(|rest| format!("{}{rest}", pair[0]));
        let known = |token: &str| vocabulary.contains_key(token);
        if !(known(pair[0]) && known(pair[1]) && joint.is_some_and(|joint| known(&joint))) {
            return Err(bad(format!("the merge {merge} is of or makes what is no token")));
        }
        if !seen.insert(pair) {
            return Err(bad(format!("the merge {merge} comes twice")));
        }
        pairs.push(pair);
    }
    Ok(pairs)
}

fn check_added(added: &Value, ids: &mut Ids) -> Result<Vec<Value>> {
    let added = match added {
        Value::Null => return Ok(vec![]),
        Value::Array(added) if added.len() <= MOST_ADDED => added,
        _ => return Err(bad(format!("its added tokens are no list of at most {MOST_ADDED}"))),
    };
    let mut seen = HashSet::new();
    let mut tokens = vec![];
    for token in added {
        let (Some(id), Some(content)) = (token["id"].as_u64(), token["content"].as_str()) else {
            return Err(bad(format!("the added token {token} has no id or no content")));
        };
        if !seen.insert(content) {
            return Err(bad(format!("the added token {content:?} comes twice")));
        }
        ids.add(content, id)?;
        let flag = |key: &str| token[key] == true;
        tokens.push(json!({
            "id": id, "content": content, "single_word": flag("single_word"), "lstrip": flag("lstrip"),
            "rstrip": flag("rstrip"), "normalized": flag("normalized"), "special": flag("special"),
        }));
    }
    // The library numbers those that are new in their order.
    tokens.sort_by_key(|token| token["id"].as_u64());
    Ok(tokens)
}

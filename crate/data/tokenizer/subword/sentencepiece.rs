//! SentencePiece's .model files, as the tokenizer.json that encodes as they do. The format is `ModelProto` of
//! <https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto>.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::json::refused;
use super::protobuf::{Fields, Wire};
use super::{LARGEST_VOCABULARY, base64};
use crate::error::{Error, Result};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Byte,
    Unused,
}

struct Piece {
    text: String,
    score: f32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Algorithm {
    Unigram,
    Bpe,
}

struct Model {
    pieces: Vec<Piece>,
    algorithm: Algorithm,
    byte_fallback: bool,
    charsmap: Vec<u8>,
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
}

/// What stands for a space in pieces.
const SPACE: &str = "\u{2581}";

fn bad(why: impl std::fmt::Display) -> Error {
    refused(format!("unusable: {why}"), "a SentencePiece .model of the unigram or BPE kind")
}

/// The tokenizer.json of a .model's bytes.
pub fn read(bytes: &[u8]) -> Result<Value> {
    Ok(convert(&parse(bytes)?))
}

fn fields<'a>(message: &'a [u8], name: &'a str) -> impl Iterator<Item = Result<(u64, Wire<'a>)>> {
    Fields(message).map(move |field| field.ok_or_else(|| bad(format!("its {name} is cut off or no message"))))
}

fn parse(bytes: &[u8]) -> Result<Model> {
    let mut model = Model {
        pieces: vec![],
        algorithm: Algorithm::Unigram,
        byte_fallback: false,
        charsmap: vec![],
        add_dummy_prefix: true,
        remove_extra_whitespaces: true,
    };
    for field in fields(bytes, "file") {
        match field? {
            (1, piece) => {
                if model.pieces.len() >= LARGEST_VOCABULARY {
                    return Err(bad(format!("it has more than {LARGEST_VOCABULARY} pieces")));
                }
                let piece = piece.bytes().ok_or_else(|| bad("a piece is no message"))?;
                model.pieces.push(parse_piece(piece)?);
            }
            (2, spec) => {
                for field in fields(spec.bytes().unwrap_or_default(), "trainer's part") {
                    match field? {
                        (3, kind) => {
                            model.algorithm = match kind.number() {
                                Some(1) => Algorithm::Unigram,
                                Some(2) => Algorithm::Bpe,
                                other => return Err(bad(format!("its model type is {other:?}, not unigram or BPE"))),
                            }
                        }
                        (24, suffix) if suffix.number() != Some(0) => {
                            return Err(bad("it puts spaces behind words (treat_whitespace_as_suffix)"));
                        }
                        (35, fallback) => model.byte_fallback = fallback.number() == Some(1),
                        _ => (),
                    }
                }
            }
            (3, spec) => {
                for field in fields(spec.bytes().unwrap_or_default(), "normaliser's part") {
                    match field? {
                        (2, charsmap) => model.charsmap = charsmap.bytes().unwrap_or_default().to_vec(),
                        (3, dummy) => model.add_dummy_prefix = dummy.number() != Some(0),
                        (4, remove) => model.remove_extra_whitespaces = remove.number() != Some(0),
                        (5, escape) if escape.number() == Some(0) => {
                            return Err(bad("it keeps spaces as they are (escape_whitespaces is off)"));
                        }
                        _ => (),
                    }
                }
            }
            _ => (),
        }
    }
    if model.pieces.is_empty() {
        return Err(bad("it has no pieces"));
    }
    if !model.pieces.iter().any(|piece| piece.kind == Kind::Unknown) {
        return Err(bad("it has no piece for the unknown"));
    }
    Ok(model)
}

fn parse_piece(bytes: &[u8]) -> Result<Piece> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: Kind::Normal };
    for field in fields(bytes, "list of pieces") {
        match field? {
            (1, text) => piece.text = text.text().ok_or_else(|| bad("a piece is not UTF-8"))?.to_owned(),
            (2, score) => piece.score = score.float().ok_or_else(|| bad("a score is no number"))?,
            (3, kind) => {
                piece.kind = match kind.number() {
                    Some(1) => Kind::Normal,
                    Some(2) => Kind::Unknown,
                    Some(3) => Kind::Control,
                    Some(4) => Kind::UserDefined,
                    Some(5) => Kind::Unused,
                    Some(6) => Kind::Byte,
                    other => return Err(bad(format!("a piece is of kind {other:?}"))),
                }
            }
            _ => (),
        }
    }
    if piece.text.is_empty() || !piece.score.is_finite() {
        return Err(bad("a piece is empty, or its score is no finite number"));
    }
    Ok(piece)
}

fn convert(model: &Model) -> Value {
    let unknown = model.pieces.iter().position(|piece| piece.kind == Kind::Unknown).unwrap_or(0);
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": normalizer(model), "pre_tokenizer": user_defined(model), "post_processor": null,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ]},
        "model": match model.algorithm {
            Algorithm::Unigram => unigram(model, unknown),
            Algorithm::Bpe => bpe(model, unknown),
        },
    })
}

/// The charsmap; then runs of spaces and those at the ends, where the model drops them; then the sign for spaces.
fn normalizer(model: &Model) -> Value {
    let mut steps = vec![];
    if !model.charsmap.is_empty() {
        steps.push(json!({"type": "Precompiled", "precompiled_charsmap": base64::encode(&model.charsmap)}));
    }
    if model.remove_extra_whitespaces {
        steps.push(json!({"type": "Strip", "strip_left": true, "strip_right": true}));
        steps.push(json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}));
    }
    if model.add_dummy_prefix {
        steps.push(json!({"type": "Prepend", "prepend": SPACE}));
    }
    steps.push(json!({"type": "Replace", "pattern": {"String": " "}, "content": SPACE}));
    json!({"type": "Sequence", "normalizers": steps})
}

/// BPE leaves the symbols that a model's maker chose whole, and merges them with nothing.
fn user_defined(model: &Model) -> Value {
    let chosen = model.pieces.iter().filter(|piece| piece.kind == Kind::UserDefined);
    let mut symbols: Vec<&str> = chosen.map(|piece| piece.text.as_str()).collect();
    if symbols.is_empty() || model.algorithm == Algorithm::Unigram {
        return Value::Null;
    }
    // The longest that fits comes first.
    symbols.sort_by_key(|symbol| (std::cmp::Reverse(symbol.len()), *symbol));
    let escape = |c: char| if c.is_ascii_punctuation() { format!("\\{c}") } else { c.to_string() };
    let pattern: Vec<String> = symbols.iter().map(|symbol| symbol.chars().map(escape).collect()).collect();
    json!({"type": "Split", "pattern": {"Regex": pattern.join("|")}, "behavior": "Isolated", "invert": false})
}

fn unigram(model: &Model, unknown: usize) -> Value {
    let normal = model.pieces.iter().filter(|piece| piece.kind == Kind::Normal).map(|piece| piece.score);
    let (best, worst) = normal.fold((f32::MIN, f32::MAX), |(best, worst), score| (best.max(score), worst.min(score)));
    // Pieces that text never becomes are not to be found in it: they keep their places under a name of their own.
    let vocabulary: Vec<(String, f32)> = (model.pieces.iter().enumerate())
        .map(|(id, piece)| match piece.kind {
            Kind::Normal => (piece.text.clone(), piece.score),
            // So much that nothing made of other pieces outweighs it.
            Kind::UserDefined => (piece.text.clone(), piece.text.len() as f32 * best.max(-1e6) - 0.1),
            Kind::Byte => (piece.text.clone(), worst.min(1e6)),
            Kind::Unknown | Kind::Control | Kind::Unused => (hidden(id, &piece.text), 0.0),
        })
        .collect();
    json!({"type": "Unigram", "unk_id": unknown, "vocab": vocabulary, "byte_fallback": model.byte_fallback})
}

/// A name that no normalised text holds, for it has spaces.
fn hidden(id: usize, name: &str) -> String {
    format!("{name} ({id})")
}

fn bpe(model: &Model, unknown: usize) -> Value {
    let merged = |piece: &&Piece| piece.kind == Kind::Normal;
    let ids: HashMap<&str, usize> = (model.pieces.iter().enumerate())
        .filter(|(_, piece)| matches!(piece.kind, Kind::Normal | Kind::UserDefined))
        .map(|(id, piece)| (piece.text.as_str(), id))
        .collect();
    // A pair is merged by the score of what it makes: best first, then by the pieces' ids.
    let mut merges: Vec<(f32, usize, usize, &str, &str)> = vec![];
    for piece in model.pieces.iter().filter(merged) {
        for (at, _) in piece.text.char_indices().skip(1) {
            let (left, right) = piece.text.split_at(at);
            if let (Some(&a), Some(&b)) = (ids.get(left), ids.get(right)) {
                merges.push((-piece.score, a, b, left, right));
            }
        }
    }
    merges.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
    let name = |(id, piece): (usize, &Piece)| match piece.kind {
        // No merge leads to them; only a single character could be taken for one.
        Kind::Control | Kind::Unknown | Kind::Unused if piece.text.chars().count() == 1 => hidden(id, &piece.text),
        _ => piece.text.clone(),
    };
    let names: Vec<String> = model.pieces.iter().enumerate().map(name).collect();
    let unknown = names[unknown].clone();
    let vocabulary: serde_json::Map<String, Value> =
        names.into_iter().enumerate().map(|(id, name)| (name, id.into())).collect();
    json!({
        "type": "BPE", "dropout": null, "unk_token": unknown, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": model.byte_fallback,
        "ignore_merges": model.pieces.iter().any(|piece| piece.kind == Kind::UserDefined),
        "vocab": vocabulary,
        "merges": merges.into_iter().map(|(.., left, right)| json!([left, right])).collect::<Vec<_>>(),
    })
}

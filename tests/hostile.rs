//! Files that lie. Whatever the bytes are, reading them ends with a tokenizer that works or with a `Problem`: in the page
//! a panic would take the module with it.
//!
//! `cargo test --test hostile` reads the seeds and some thousand of their mutants; `cargo test --release --test hostile
//! -- --ignored --nocapture fuzz` reads a million for each parser.
#![cfg(feature = "tokenizers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainlab::checkpoint::{self, Checkpoint};
use trainlab::data::Subword;
use trainlab::error::Error;
use trainlab::random::{Random, Stream};

/// What a tokenizer that was accepted is made to encode.
const TEXTS: [&str; 4] =
    ["ab  a b\n\nc <0x41> \u{2581}", "e\u{301}\u{fffd}\u{0}字\u{1f469}\u{200d}\u{1f467}", "   ", "abababababababab ab"];

fn added(id: u32, content: &str) -> Value {
    json!({"id": id, "content": content, "single_word": false, "lstrip": true, "rstrip": false, "normalized": true,
        "special": false})
}

/// Small tokenizers of every kind of part, all good.
fn seeds() -> Vec<Value> {
    let ids = json!({"<unk>": 0, "a": 1, "b": 2, "ab": 3, "Ġ": 4, "Ġa": 5, " ": 6, "▁": 7, "<0x41>": 8, "##b": 9});
    let merges = json!([["a", "b"], ["Ġ", "a"]]);
    let bpe = |rest: Value| {
        let mut model = json!({"type": "BPE", "unk_token": "<unk>", "vocab": ids, "merges": merges});
        rest.as_object().unwrap().iter().for_each(|(key, value)| model[key] = value.clone());
        model
    };
    let words = json!({"[UNK]": 0, "a": 1, "##b": 2, "ab": 3, "##a": 4, ".": 5});
    let scores = json!([["<unk>", 0.0], ["a", -1.5], ["b", -2.0], ["ab", -1.0], [" ", -3.0], ["<0x41>", -9.0]]);
    let file = |normalizer: Value, pre_tokenizer: Value, model: Value, added_tokens: Value| {
        json!({"version": "1.0", "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "model": model,
            "added_tokens": added_tokens, "decoder": {"type": "Fuse"}})
    };
    let split = json!({"type": "Split", "pattern": {"Regex": " ?\\p{L}+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated",
        "invert": false});
    vec![
        file(
            Value::Null,
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
            bpe(json!({})),
            json!([added(10, "<end>")]),
        ),
        file(
            json!({"type": "NFC"}),
            split,
            bpe(json!({"byte_fallback": true, "fuse_unk": true, "ignore_merges": true})),
            json!([added(10, "ZZ")]),
        ),
        file(
            json!({"type": "Sequence", "normalizers": [
                {"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
                {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}, {"type": "Lowercase"}]}),
            Value::Null,
            bpe(json!({"byte_fallback": true})),
            json!([]),
        ),
        file(
            json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null,
                "lowercase": true}),
            json!({"type": "BertPreTokenizer"}),
            json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": words}),
            json!([added(0, "[UNK]")]),
        ),
        file(
            json!({"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Nmt"}]}),
            json!({"type": "Sequence", "pretokenizers": [
                {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Removed"},
                {"type": "Digits", "individual_digits": true}, {"type": "UnicodeScripts"},
                {"type": "FixedLength", "length": 2}, {"type": "Whitespace"}]}),
            json!({"type": "WordLevel", "unk_token": "<unk>", "vocab": {"<unk>": 0, "a": 1, "ab": 2}}),
            json!([]),
        ),
        file(
            Value::Null,
            json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true}),
            json!({"type": "Unigram", "unk_id": 0, "vocab": scores, "byte_fallback": true}),
            json!([added(6, "<x>")]),
        ),
        file(
            json!({"type": "Precompiled", "precompiled_charsmap": charsmap()}),
            Value::Null,
            json!({"type": "Unigram", "unk_id": 0, "vocab": scores}),
            json!([]),
        ),
        file(
            Value::Null,
            json!({"type": "CharDelimiterSplit", "delimiter": " "}),
            bpe(json!({"continuing_subword_prefix": "##", "end_of_word_suffix": "</w>", "merges": [["a", "##b"]]})),
            json!([]),
        ),
    ]
}

/// A trie that knows nothing, and no texts, in base64.
fn charsmap() -> String {
    let mut bytes = 1024u32.to_le_bytes().to_vec();
    bytes.extend(std::iter::repeat_n(0, 1024));
    bytes[5] = 0;
    let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes.resize(bytes.len().div_ceil(3) * 3, 0);
    let number = |chunk: &[u8]| chunk.iter().fold(0u32, |number, &byte| number << 8 | u32::from(byte));
    let text = |chunk: &[u8]| [18, 12, 6, 0].map(|shift| char::from(signs[(number(chunk) >> shift) as usize & 63]));
    bytes.chunks(3).flat_map(text).collect()
}

/// A SentencePiece .model: its pieces with their scores and kinds, and what its two specs hold.
fn model(pieces: &[(&str, f32, u8)], trainer: &[u8], normalizer: &[u8]) -> Vec<u8> {
    let field = |key: u8, bytes: &[u8]| [&[key, bytes.len() as u8][..], bytes].concat();
    let mut file = vec![];
    for &(text, score, kind) in pieces {
        let piece = [field(0x0A, text.as_bytes()), vec![0x15], score.to_le_bytes().to_vec(), vec![0x18, kind]].concat();
        file.extend(field(0x0A, &piece));
    }
    file.extend(field(0x12, trainer));
    file.extend(field(0x1A, normalizer));
    file
}

fn models() -> [Vec<u8>; 2] {
    let pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("▁", -1.0, 1), ("a", -2.0, 1), ("▁a", -0.5, 1), ("xy", 0.0, 4)];
    let bytes = [("<0x41>", 0.0, 6), ("b", -3.0, 1), ("ab", -1.5, 1)];
    let all: Vec<_> = pieces.into_iter().chain(bytes).collect();
    [model(&all, &[0x18, 1], &[0x18, 1, 0x20, 1]), model(&all, &[0x18, 2, 0x98, 0x02, 1], &[0x18, 0, 0x20, 0])]
}

/// Reads it; encodes with what was accepted. True where it was.
fn survives(file: &[u8]) -> bool {
    match Subword::load(file) {
        Ok(subword) => {
            for text in TEXTS {
                if let Ok(encoded) = subword.encode_covering(text) {
                    let size = subword.token_lengths().len() as u32;
                    assert!(encoded.tokens.iter().all(|&id| id < size), "an id outside the vocabulary");
                    let covered: Option<u32> = encoded.covered.map(|covered| covered.iter().sum());
                    assert!(covered.is_none_or(|sum| sum as usize == text.len() || encoded.tokens.is_empty()));
                }
            }
            true
        }
        Err(Error::Refused(problems)) => {
            assert_eq!(problems.len(), 1);
            assert!(problems[0].field.starts_with("tokenizer.") && !problems[0].advice.is_empty());
            false
        }
        Err(error) => panic!("not refused: {error}"),
    }
}

/// One thing changed in a value.
fn mutate(value: &mut Value, others: &[Value], random: &mut Random) {
    let odd = |random: &mut Random| match random.below(16) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(random.next_u32()),
        3 => json!(u64::MAX),
        4 => json!(-1),
        5 => json!(1e300),
        6 => json!(""),
        7 => json!("a".repeat(5000)),
        8 => json!("\u{0}\u{10ffff}字"),
        9 => json!([]),
        10 => json!({}),
        11 => json!({"type": "Sequence", "normalizers": [null], "pretokenizers": [{}]}),
        12 => json!("(?:(?:a*)*)*b|(?=\\S)"),
        13 => json!("ByteLevel"),
        14 => json!(random.below(12)),
        _ => json!(["a", "b"]),
    };
    let mut at = value;
    loop {
        let children = match at {
            Value::Array(list) => list.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        if children == 0 || random.below(5) == 0 {
            break;
        }
        let child = random.below(children as u32) as usize;
        at = match at {
            Value::Array(list) => &mut list[child],
            Value::Object(map) => map.iter_mut().nth(child).expect("it is one of them").1,
            _ => unreachable!("only these have children"),
        };
    }
    match (random.below(6), at) {
        (0, Value::Array(list)) if !list.is_empty() => {
            let copy = list[random.below(list.len() as u32) as usize].clone();
            list.push(copy);
        }
        (1, Value::Array(list)) if !list.is_empty() => {
            list.remove(random.below(list.len() as u32) as usize);
        }
        (1, Value::Object(map)) if !map.is_empty() => {
            let key = map.keys().nth(random.below(map.len() as u32) as usize).expect("it is one of them").clone();
            map.shift_remove(&key);
        }
        (2, Value::Object(map)) => {
            let (key, value) = (odd(random), odd(random));
            map.insert(key.as_str().unwrap_or("type").to_owned(), value);
        }
        (3, at) => {
            // The part of that place in another file.
            let other = &others[random.below(others.len() as u32) as usize];
            let keys = ["normalizer", "pre_tokenizer", "model", "added_tokens"];
            *at = other[keys[random.below(4) as usize]].clone();
        }
        (_, at) => *at = odd(random),
    }
}

/// Some bytes changed, cut off, put in or repeated.
fn mutate_bytes(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len() as u32) as usize;
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next_u32() as u8),
            2 => drop(bytes.remove(at)),
            3 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF, b'{'][random.below(6) as usize],
            4 => {
                let end = (at + 1 + random.below(12) as usize).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            _ => bytes[at] = random.next_u32() as u8,
        }
    }
}

/// Reads `count` inputs; fails with the first that panics, and where one takes longer than seconds.
fn fuzz(name: &str, count: u32, make: impl Fn(&mut Random) -> Vec<u8>, read: impl Fn(&[u8]) -> bool) {
    let (mut accepted, mut slowest) = (0, Duration::ZERO);
    for i in 0..count {
        let input = make(&mut Random::new(11, Stream::Other(i)));
        let begin = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| read(&input)));
        let taken = begin.elapsed();
        let shown = String::from_utf8_lossy(&input[..input.len().min(3000)]).into_owned();
        let Ok(fine) = result else { panic!("{name}: input {i} panics: {shown}") };
        assert!(taken < Duration::from_secs(20), "{name}: input {i} takes {taken:?}: {shown}");
        accepted += u32::from(fine);
        slowest = slowest.max(taken);
    }
    println!("{name}: {count} inputs, {accepted} accepted, the slowest in {slowest:?}");
    assert!((1..count).contains(&accepted), "{name}: {accepted} of {count} were accepted");
}

fn fuzz_json(count: u32) {
    let seeds = seeds();
    let make = |random: &mut Random| {
        let mut value = seeds[random.below(seeds.len() as u32) as usize].clone();
        for _ in 0..=random.below(3) {
            mutate(&mut value, &seeds, random);
        }
        let mut bytes = value.to_string().into_bytes();
        if random.below(8) == 0 {
            mutate_bytes(&mut bytes, random);
        }
        bytes
    };
    fuzz("tokenizer.json", count, make, survives);
}

fn fuzz_models(count: u32) {
    let seeds = models();
    let make = |random: &mut Random| {
        let mut bytes = seeds[random.below(2) as usize].clone();
        mutate_bytes(&mut bytes, random);
        bytes
    };
    fuzz(".model", count, make, survives);
}

fn fuzz_checkpoints(count: u32) {
    let config = trainlab::config::Config::default();
    let header = json!({"config": config, "step": 3, "seconds": 1.5, "text": "abc"}).to_string();
    let tokens = [1, 2, 3, 4];
    let entries = vec![checkpoint::ids("tokenizer.json", vec![2, 2], &tokens)];
    let seed = checkpoint::serialize(entries, Some(header));
    let make = |random: &mut Random| {
        let mut bytes = seed.clone();
        mutate_bytes(&mut bytes, random);
        bytes
    };
    let read = |bytes: &[u8]| Checkpoint::header(bytes).is_ok() & Checkpoint::tokenizer(bytes).is_ok();
    fuzz("checkpoint", count, make, read);
}

#[test]
fn the_seeds_are_good() {
    for (i, seed) in seeds().iter().enumerate() {
        let read = Subword::load(seed.to_string().as_bytes());
        assert!(read.is_ok(), "seed {i}: {}", read.unwrap_err());
        assert!(survives(seed.to_string().as_bytes()));
    }
    for model in models() {
        let read = Subword::load(&model);
        assert!(read.is_ok(), "{}", read.unwrap_err());
        assert!(survives(&model));
    }
}

#[test]
fn mutants_are_read_or_refused() {
    fuzz_json(2000);
    fuzz_models(2000);
    fuzz_checkpoints(5_000);
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn fuzz_tokenizer_json() {
    fuzz_json(1_000_000);
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn fuzz_sentencepiece_models() {
    fuzz_models(1_000_000);
}

#[test]
#[ignore = "takes a quarter of an hour"]
fn fuzz_checkpoint_files() {
    fuzz_checkpoints(1_000_000);
}

#[test]
fn what_lies_is_refused_with_the_reason() {
    let with = |seed: usize, pointer: &str, value: Value| {
        let mut file = seeds()[seed].clone();
        *file.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        file.to_string()
    };
    let grow = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaa"});
    let cases: Vec<(String, &str)> = vec![
        (String::new(), "no pieces"),
        ("{".into(), "not JSON"),
        ("{}".into(), "no object"),
        (format!("{{\"model\":{}", "[".repeat(1_000_000)), "not JSON"),
        (with(0, "/version", json!("2.0")), "version"),
        (with(0, "/model/vocab/a", json!(4_000_000_000_u32)), "ids below"),
        (with(0, "/model/vocab/a", json!(2)), "each once"),
        (with(0, "/model/vocab/a", json!(-1)), "the id of \"a\""),
        (with(0, "/added_tokens/0/id", json!(12)), "each once"),
        (with(0, "/added_tokens/0/content", json!("")), "0 bytes"),
        (with(0, "/added_tokens/0/content", json!("x".repeat(10_000))), "10000 bytes"),
        (with(0, "/model/merges", json!([["a", "b"], ["a", "b"]])), "comes twice"),
        (with(0, "/model/merges", json!([["a", "c"]])), "no token"),
        (with(0, "/model/merges", json!([["b", "a"]])), "no token"),
        (with(0, "/model/merges", json!([["a"]])), "no pair"),
        (with(0, "/model/merges/0", json!("a b c")), "no token"),
        (with(7, "/model/merges", json!([["a", "b"]])), "no token"),
        (with(0, "/model/unk_token", json!("none")), "unknown"),
        (with(1, "/model/type", json!("GPT")), "not one of"),
        (with(3, "/model/max_input_chars_per_word", json!(1_000_000)), "1000 are allowed"),
        (with(5, "/model/vocab/1/1", json!(1e300)), "score"),
        (with(5, "/model/vocab/1/0", json!("b")), "two ids"),
        (with(5, "/model/unk_id", json!(99)), "the id of the unknown"),
        (with(4, "/pre_tokenizer/pretokenizers/4/length", json!(0)), "length 0"),
        (with(2, "/normalizer/normalizers", json!(vec![grow; 8])), "times longer"),
        (with(2, "/normalizer/normalizers", json!(vec![json!({"type": "NFC"}); 65])), "steps in a row"),
        (with(2, "/normalizer/normalizers/1/prepend", json!("")), "prepends nothing"),
        (with(2, "/normalizer/normalizers/3/pattern/Regex", json!("^")), "between characters"),
        (with(2, "/normalizer/normalizers/2/pattern/String", json!("")), "between characters"),
        (with(2, "/normalizer/normalizers/0/type", json!("Execute")), "not one of"),
        (with(1, "/pre_tokenizer/pattern/Regex", json!("(")), "unusable"),
        (with(1, "/pre_tokenizer/pattern/Regex", json!("a".repeat(100_000))), "pattern"),
        (with(6, "/normalizer/precompiled_charsmap", json!("AAAA")), "charsmap"),
        (with(6, "/normalizer/precompiled_charsmap", json!("/////w==")), "charsmap"),
    ];
    for (file, says) in cases {
        let begin = Instant::now();
        let error = match Subword::load(file.as_bytes()) {
            Err(Error::Refused(problems)) => problems[0].to_string(),
            other => panic!("{says}: {other:?}"),
        };
        assert!(error.starts_with("tokenizer.file is unusable") && error.contains(says), "{says}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{says}");
    }
    let error = Subword::load(&vec![b' '; 50 << 20]).unwrap_err().to_string();
    assert!(error.contains("52428800 bytes long"), "{error}");
}

#[test]
fn models_that_lie_are_refused_with_the_reason() {
    let unknown = ("<unk>", 0.0, 2);
    for (file, says) in [
        (model(&[("a", 0.0, 1)], &[], &[]), "no piece for the unknown"),
        (model(&[unknown, ("", 0.0, 1)], &[], &[]), "empty"),
        (model(&[unknown, ("a", f32::NAN, 1)], &[], &[]), "no finite number"),
        (model(&[unknown, ("a", 0.0, 1), ("a", 0.0, 1)], &[], &[]), "two ids"),
        (model(&[unknown, ("a", 0.0, 9)], &[], &[]), "of kind"),
        (model(&[unknown], &[0x18, 3], &[]), "model type"),
        (model(&[unknown], &[0xC0, 0x01, 1], &[]), "treat_whitespace_as_suffix"),
        (model(&[unknown], &[], &[0x28, 0]), "escape_whitespaces"),
        (model(&[unknown], &[], &[0x12, 3, 1, 2, 3]), "charsmap"),
        (vec![0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "cut off"),
        (vec![0x0A; 100_000], "cut off"),
    ] {
        let Err(error) = Subword::load(&file) else { panic!("{says}: accepted") };
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}

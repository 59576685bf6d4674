//! Subword tokenizers against the libraries that everyone trusts: `tokenizers/golden.json`, made by
//! `tokenizers/make.py`. The pretrained files are fetched by `npm run tokenizer-files`.
#![cfg(feature = "tokenizers")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value, json};
use trainlab::checkpoint::Checkpoint;
use trainlab::config::{Config, EvaluationConfig, TokenizerKind};
use trainlab::data::{Corpus, Dataset, Subword, Tokenizer, tiny_tales};
use trainlab::engine::Device;
use trainlab::trainer::Trainer;

const LEARNED: [(TokenizerKind, &str); 4] = [
    (TokenizerKind::Bpe, "bpe"),
    (TokenizerKind::SentencepieceBpe, "sentencepiece_bpe"),
    (TokenizerKind::Unigram, "unigram"),
    (TokenizerKind::Wordpiece, "wordpiece"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tokenizers")
}

fn read(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; `npm run tokenizer-files` fetches them", path.display()))
}

fn parse(name: &str) -> Value {
    serde_json::from_slice(&read(name)).unwrap()
}

fn texts() -> BTreeMap<String, String> {
    serde_json::from_value(parse("texts.json")).unwrap()
}

fn load(file: &[u8]) -> Subword {
    Subword::load(file).unwrap_or_else(|error| panic!("{error}"))
}

/// GPT-2's two files as one.
fn gpt2() -> Vec<u8> {
    let merges = String::from_utf8(read("files/gpt2-vocab.bpe")).unwrap();
    let merges: Vec<&str> = merges.lines().filter(|line| !line.is_empty()).collect();
    let vocabulary: Map<String, Value> = serde_json::from_slice(&read("files/gpt2-encoder.json")).unwrap();
    let step = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true});
    let model = json!({"type": "BPE", "vocab": vocabulary, "merges": merges});
    json!({"version": "1.0", "pre_tokenizer": step, "decoder": step, "model": model}).to_string().into_bytes()
}

/// What the learned files are learned from: English, and some of every other text.
fn lesson() -> String {
    tiny_tales(200_000, 1) + &texts().values().map(String::as_str).collect::<Vec<_>>().join("\n").repeat(4)
}

fn learn(kind: TokenizerKind) -> Subword {
    Subword::train(kind, 600, &lesson(), &mut |_| ()).unwrap_or_else(|error| panic!("{error}"))
}

/// Every text becomes the tokens that the reference made of it, and its bytes are all accounted for.
fn agree(name: &str, subword: &Subword) {
    let golden = parse("golden.json");
    for (of, text) in texts() {
        let expected: Vec<u32> = serde_json::from_value(golden[name][&of].clone()).unwrap();
        let encoded = subword.encode_covering(&text).unwrap();
        if encoded.tokens != expected {
            let at = encoded.tokens.iter().zip(&expected).take_while(|(a, b)| a == b).count();
            let near = |tokens: &[u32]| format!("{:?}", &tokens[at.min(tokens.len())..tokens.len().min(at + 8)]);
            panic!("{name}, {of}: from token {at} on {}, not {}", near(&encoded.tokens), near(&expected));
        }
        let lengths = subword.token_lengths();
        let by_table = || encoded.tokens.iter().map(|&id| lengths[id as usize]).collect();
        let covered: Vec<u32> = encoded.covered.clone().unwrap_or_else(by_table);
        let bytes = covered.iter().sum::<u32>() as usize;
        // Where nothing is left of a text, no token covers it.
        assert!(bytes == text.len() || covered.is_empty(), "{name}, {of}: {bytes} of {} bytes", text.len());
    }
}

#[test]
fn gpt_neox_encodes_as_its_library_does() {
    let neox = load(&read("files/neox.json"));
    assert_eq!(neox.name(), "byte-level BPE, 50277 tokens");
    assert!(!neox.byte_complete(), "it composes characters");
    agree("neox", &neox);
}

#[test]
fn gpt_2_encodes_as_its_library_does() {
    let gpt2 = load(&gpt2());
    assert_eq!((gpt2.name().as_str(), gpt2.byte_complete()), ("byte-level BPE, 50257 tokens", true));
    agree("gpt2", &gpt2);
}

#[test]
fn sentencepiece_models_encode_as_sentencepiece_does() {
    for (name, is) in [("mistral", "SentencePiece BPE, 32000 tokens"), ("toy", "unigram, 1000 tokens")] {
        let model = load(&read(&format!("files/{name}.model")));
        assert_eq!((model.name().as_str(), model.byte_complete()), (is, false));
        agree(name, &model);
        let again = load(model.json().as_bytes());
        assert!(again.json() == model.json(), "{name} differs after its own file");
        agree(name, &again);
    }
}

#[test]
fn learned_tokenizers_encode_as_hugging_faces_library_does() {
    for (_, name) in LEARNED {
        agree(name, &load(&read(&format!("learned/{name}.json"))));
    }
}

#[test]
fn learning_gives_the_very_files() {
    for (kind, name) in LEARNED {
        let file = String::from_utf8(read(&format!("learned/{name}.json"))).unwrap();
        assert!(learn(kind).json() == file, "{name} differs; write it anew with `-- --ignored write_learned`");
    }
}

#[test]
#[ignore = "writes the files that make.py reads"]
fn write_learned() {
    fs::create_dir_all(folder().join("learned")).unwrap();
    for (kind, name) in LEARNED {
        fs::write(folder().join(format!("learned/{name}.json")), learn(kind).json()).unwrap();
    }
}

/// A run with a subword tokenizer, saved and gone on with from its file alone.
#[test]
fn a_run_brings_its_tokenizer() {
    for (kind, _) in LEARNED {
        let mut config = Config::default();
        let model = &mut config.model;
        (model.layers, model.width, model.heads, model.hidden, model.context) = (1, 16, 2, 32, 16);
        (config.training.steps, config.schedule.warmup_steps, config.evaluation.bytes) = (4, 0, 2000);
        (config.tokenizer.kind, config.tokenizer.vocabulary, config.evaluation.sample_tokens) = (kind, 300, 20);
        config.evaluation.final_bytes = config.evaluation.bytes;
        let text = tiny_tales(30_000, 1);
        let learned = Subword::train(kind, 300, &text, &mut |_| ()).unwrap();
        let dataset = |subword| Rc::new(Dataset::with(&text, Tokenizer::Subword(subword), 0.2).unwrap());

        let whole = pollster::block_on(async {
            let mut trainer = Trainer::new(&config, dataset(learned), &Device::Cpu, |_, _| ()).await.unwrap();
            let bytes = {
                trainer.step().unwrap();
                trainer.settle().unwrap();
                trainer.checkpoint().await.unwrap().to_bytes(&trainer.plan.parameters)
            };
            (bytes, finish(&mut trainer).await)
        });
        let json = Checkpoint::tokenizer(&whole.0).unwrap().expect("the run's tokenizer");
        let loaded = dataset(load(json.as_bytes()));
        let (again, evaluation, windows) = pollster::block_on(async {
            let mut trainer =
                Trainer::resume(&config, Rc::clone(&loaded), &Device::Cpu, &whole.0, |_, _| ()).await.unwrap();
            let again = finish(&mut trainer).await;
            let windows = loaded.validation_windows(16, 2000);
            (again, trainer.evaluate().await.unwrap(), windows)
        });
        assert_eq!(again, whole.1, "{kind:?}");
        // Nats a token, over the bytes of the text that these tokens cover.
        let tokens: usize = windows.iter().map(|window| window.tokens.len() - 1).sum();
        let bytes: u32 = windows.iter().map(|window| window.scored_bytes).sum();
        let expected = evaluation.loss * tokens as f64 / std::f64::consts::LN_2 / f64::from(bytes);
        assert!((evaluation.bits_per_byte / expected - 1.0).abs() < 1e-9, "{kind:?}");
    }
}

/// Takes it to its last step, and lets it write.
async fn finish(trainer: &mut Trainer) -> (Vec<f32>, String) {
    while !trainer.is_done() {
        trainer.step().unwrap();
        trainer.settle().unwrap();
    }
    let evaluation = trainer.config.evaluation.clone();
    let text = trainer.sample(&evaluation).await.unwrap().text();
    assert!(!text.is_empty());
    let nothing = EvaluationConfig { prompt: "\u{0}".into(), ..evaluation };
    let refused = trainer.begin_sample(&nothing, Some(vec![])).unwrap_err();
    assert!(refused.to_string().starts_with("evaluation.prompt"), "{refused}");
    assert!(trainer.begin_sample(&nothing, Some(vec![1 << 20])).is_err());
    (trainer.weights().await.unwrap(), text)
}

/// Every story is a document, whatever the tokens are: its first token is the first that starts at its first byte or after it.
#[test]
fn stories_are_documents_in_the_tokens_of_every_tokenizer() {
    let text = tiny_tales(40_000, 9);
    for (_, name) in LEARNED {
        let subword = load(&read(&format!("learned/{name}.json")));
        let dataset = Dataset::with(&text, Tokenizer::Subword(subword.clone()), 0.2).unwrap();
        dataset.find_documents(&text, Corpus::TinyTales);
        let documents = dataset.documents();
        let train = &text[..dataset.train_bytes];
        let stories: Vec<&str> = train.split_inclusive("\n\n").collect();
        assert_eq!((documents.len(), documents.tokens()), (stories.len(), dataset.train.len()), "{name}");
        let encoded = subword.encode_covering(train).unwrap();
        let lengths = subword.token_lengths();
        let covers = |at: usize| encoded.covered.as_ref().map_or(lengths[encoded.tokens[at] as usize], |all| all[at]);
        let starts: Vec<usize> = (0..encoded.tokens.len())
            .scan(0, |start, at| {
                *start += covers(at) as usize;
                Some(*start - covers(at) as usize)
            })
            .collect();
        let mut begin = 0;
        for (i, story) in stories.iter().enumerate() {
            let first = documents.range(i).start;
            assert!(starts[first] >= begin && (first == 0 || starts[first - 1] < begin), "{name}, story {i}");
            begin += story.len();
            if name == "bpe" {
                assert_eq!(dataset.tokenizer.decode(&dataset.train[documents.range(i)]), *story);
                assert!(story.starts_with(dataset.document_name(i).trim_end_matches('…')));
            }
        }
    }
}

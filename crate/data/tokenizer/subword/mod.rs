//! Subword tokenizers: pieces of words, learned from a text or read from a file.
//!
//! What a model and its figures need of one is a table: the bytes that each token stands for. That table, and the
//! tokenizer as a file, is a [`Subword`]; it is all that the lab's wasm module knows. Encoding, training and reading
//! files take Hugging Face's `tokenizers` crate (<https://github.com/huggingface/tokenizers>), which is the reference
//! that others are held against; it is there with the feature `tokenizers`: in the command line, and in the page in a
//! wasm module of its own.

#[cfg(feature = "tokenizers")]
mod base64;
#[cfg(feature = "tokenizers")]
mod charsmap;
#[cfg(feature = "tokenizers")]
mod encoder;
#[cfg(feature = "tokenizers")]
mod json;
#[cfg(feature = "tokenizers")]
mod parts;
#[cfg(feature = "tokenizers")]
mod pieces;
#[cfg(feature = "tokenizers")]
mod protobuf;
#[cfg(feature = "tokenizers")]
mod sentencepiece;
#[cfg(feature = "tokenizers")]
mod train;

use super::{Tokenize, UNKNOWN, printable};
use crate::error::{Error, Problem, Result};

#[cfg(feature = "tokenizers")]
use {super::TokenizerKind, crate::data::Origin, encoder::Encoder};

/// More tokens than any known tokenizer has; a table of them is small beside their embedding.
pub const LARGEST_VOCABULARY: usize = 1 << 20;

/// A subword tokenizer: a table of tokens, and the file that says how text is cut into them.
#[derive(Clone, Debug)]
pub struct Subword {
    json: String,
    /// Where each token's bytes end in `bytes`.
    ends: Vec<u32>,
    bytes: Vec<u8>,
    #[cfg(feature = "tokenizers")]
    encoder: Option<std::rc::Rc<Encoder>>,
    /// The vocabulary that was asked for, where it was learned here.
    #[cfg(feature = "tokenizers")]
    asked_for: Option<usize>,
}

/// Two are the same where their files are.
impl PartialEq for Subword {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

/// A text as tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    pub tokens: Vec<u32>,
    /// Bytes of the text that each of `tokens` covers; None where that is what the table says of it.
    pub covered: Option<Vec<u32>>,
}

impl Subword {
    /// From what another module, or a checkpoint, knows of it: `json` is Hugging Face's tokenizer.json, `bytes` those of
    /// all tokens, one after the other. Such a tokenizer decodes, but does not encode.
    ///
    /// # Errors
    /// Where the lengths are not those of the bytes.
    pub fn from_table(json: String, lengths: &[u32], bytes: Vec<u8>) -> Result<Self> {
        let mut end = 0u64;
        let ends = lengths.iter().map(|&length| {
            end += u64::from(length);
            end as u32
        });
        let ends: Vec<u32> = ends.collect();
        if ends.is_empty() || ends.len() > LARGEST_VOCABULARY || end != bytes.len() as u64 {
            return Err(Error::refused(Problem::new(
                "tokenizer.kind",
                format!("a table of {} tokens and {} bytes", ends.len(), bytes.len()),
                "one length for each token, and as many bytes as the lengths say",
                "Prepare the tokenizer again.",
            )));
        }
        Ok(Self {
            json,
            ends,
            bytes,
            #[cfg(feature = "tokenizers")]
            encoder: None,
            #[cfg(feature = "tokenizers")]
            asked_for: None,
        })
    }

    /// The tokenizer as a file: Hugging Face's tokenizer.json.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Bytes that each id stands for.
    pub fn token_lengths(&self) -> Vec<u32> {
        std::iter::once(0).chain(self.ends.iter().copied()).zip(&self.ends).map(|(begin, end)| end - begin).collect()
    }

    /// The bytes of all ids, one after the other.
    pub fn all_bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn piece(&self, id: u32) -> Option<&[u8]> {
        let end = *self.ends.get(id as usize)? as usize;
        let begin = (id as usize).checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.bytes[begin..end])
    }
}

#[cfg(feature = "tokenizers")]
impl Subword {
    /// Learns a tokenizer of at most `vocabulary` tokens from a text. The same text and settings give the same
    /// tokenizer. `progress` is told a share from 0 to 1, stage by stage.
    ///
    /// # Errors
    /// For a kind that is not learned, or a vocabulary out of range.
    pub fn train(kind: TokenizerKind, vocabulary: usize, text: &str, progress: &mut dyn FnMut(f64)) -> Result<Self> {
        let learned = Self::from_json(&train::train(kind, vocabulary, text, progress)?)?;
        progress(1.0);
        Ok(Self { asked_for: Some(vocabulary), ..learned })
    }

    /// Reads a tokenizer.json or a SentencePiece .model, whichever the bytes are.
    ///
    /// # Errors
    /// Where they are neither, or hold what cannot be used; in bounded time and memory, whatever they are.
    pub fn load(file: &[u8]) -> Result<Self> {
        Self::from_json(&json::read(file)?)
    }

    fn from_json(json: &serde_json::Value) -> Result<Self> {
        let checked = json::check(json)?;
        let table = pieces::bytes(&checked);
        let mut bytes = vec![];
        let mut ends = Vec::with_capacity(table.len());
        for piece in &table {
            bytes.extend_from_slice(piece);
            ends.push(bytes.len() as u32);
        }
        let mut subword = Self { json: checked.to_string(), ends, bytes, encoder: None, asked_for: None };
        subword.encoder = Some(std::rc::Rc::new(Encoder::new(&checked, &subword)?));
        Ok(subword)
    }

    /// In words, such as `byte-level BPE, 512 tokens`.
    pub fn name(&self) -> String {
        let algorithm = self.encoder.as_ref().map_or("subwords", |encoder| encoder.family.words());
        format!("{algorithm}, {} tokens", self.ends.len())
    }

    /// Of which text, and by which tokenizer, the tokens of a text's two parts are.
    pub fn origin(&self, text: &str, held_out_fraction: f64) -> Result<Origin> {
        let kind = self.encoder.as_ref().and_then(|encoder| encoder.family.kind());
        let (vocabulary, size) = (self.asked_for, self.ends.len());
        Ok(Origin { kind, vocabulary, size, ..Origin::of(text, held_out_fraction)? })
    }

    /// Whether every text comes back byte for byte.
    pub fn byte_complete(&self) -> bool {
        self.encoder.as_ref().is_some_and(|encoder| encoder.byte_complete)
    }

    /// The text as tokens, with the bytes that each covers: those add up to the text's.
    ///
    /// # Errors
    /// Where the file has no token for something in the text and no token for the unknown either.
    pub fn encode_covering(&self, text: &str) -> Result<Encoded> {
        self.encode_with(text, &mut |_| ())
    }

    /// The same, telling `progress` the share that is done.
    pub fn encode_with(&self, text: &str, progress: &mut dyn FnMut(f64)) -> Result<Encoded> {
        match &self.encoder {
            Some(encoder) => encoder.encode(text, progress),
            None => Err(unable()),
        }
    }
}

fn unable() -> Error {
    Error::refused(Problem::new(
        "tokenizer.kind",
        "a subword tokenizer that is known by its tokens alone",
        "one that can cut text into tokens",
        "Prepare the tokenizer anew, from the text or from its file.",
    ))
}

impl Tokenize for Subword {
    #[cfg(feature = "tokenizers")]
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.encode_covering(text)?.tokens)
    }

    #[cfg(not(feature = "tokenizers"))]
    fn encode(&self, _: &str) -> Result<Vec<u32>> {
        Err(unable())
    }

    fn vocabulary_size(&self) -> usize {
        self.ends.len()
    }

    fn token_bytes(&self, id: u32) -> u32 {
        self.piece(id).map_or(0, |piece| piece.len() as u32)
    }

    fn token_utf8(&self, id: u32) -> Vec<u8> {
        // 0xFF occurs nowhere in UTF-8, so an unknown id decodes to U+FFFD.
        self.piece(id).map_or(vec![0xFF], <[u8]>::to_vec)
    }

    fn token_text(&self, id: u32) -> String {
        let Some(piece) = self.piece(id) else { return UNKNOWN.into() };
        let mut text = String::new();
        for chunk in piece.utf8_chunks() {
            chunk.valid().chars().for_each(|c| text += &printable(c));
            chunk.invalid().iter().for_each(|byte| text += &format!("<{byte:02X}>"));
        }
        if text.is_empty() { format!("<{id}>") } else { text }
    }
}

#[cfg(all(test, feature = "tokenizers"))]
mod tests {
    use super::*;
    use crate::data::tokenizer::decode;
    use crate::data::{Dataset, Tokenizer, tiny_tales};
    use crate::random::{Random, Stream};

    const TEXTS: [&str; 6] = [
        "Ruby put the lamp in the bag. \"Hello!\" said Tom.\n\nThe end.\n",
        "从前有一个小女孩。她有一只猫。",
        "🙂👩\u{200d}👩\u{200d}👧 naïve café 🇫🇷 e\u{301}",
        "fn main() {\n\tlet x: &[u8] = b\"\\n\"; // 1 << 3\r\n}\n",
        " \u{2581} <0x41><0x0A> <unk> [UNK] \u{0}\u{fffd}   \u{a0}\t\n\n ",
        "",
    ];
    const LEARNED: [TokenizerKind; 4] =
        [TokenizerKind::Bpe, TokenizerKind::SentencepieceBpe, TokenizerKind::Unigram, TokenizerKind::Wordpiece];

    fn learn(kind: TokenizerKind, vocabulary: usize, text: &str) -> Subword {
        Subword::train(kind, vocabulary, text, &mut |_| ()).unwrap_or_else(|error| panic!("{kind:?}: {error}"))
    }

    fn stories() -> String {
        tiny_tales(60_000, 1) + &TEXTS.concat().repeat(3) + &"the <unk> cat <0x41> and <UNK> ".repeat(300)
    }

    /// Bytes that are mostly no text, as an editor would show them.
    fn noise(seed: u32) -> String {
        let mut random = Random::new(7, Stream::Other(seed));
        let bytes: Vec<u8> = (0..3000).map(|_| random.next_u32() as u8).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    #[test]
    fn every_text_comes_back_from_kinds_that_promise_it() {
        for kind in LEARNED {
            let subword = learn(kind, 400, &stories());
            assert_eq!(subword.byte_complete(), kind != TokenizerKind::Wordpiece, "{kind:?}");
            assert_eq!(subword.vocabulary_size(), 400, "{kind:?}");
            if subword.byte_complete() {
                let noises: Vec<String> = (0..20).map(noise).collect();
                for text in TEXTS.iter().copied().chain(noises.iter().map(String::as_str)) {
                    let Encoded { tokens, covered } = subword.encode_covering(text).unwrap();
                    assert_eq!(decode(&subword, &tokens), text, "{kind:?}");
                    assert_eq!(covered, None);
                    let bytes: u32 = tokens.iter().map(|&id| subword.token_bytes(id)).sum();
                    assert_eq!(bytes as usize, text.len(), "{kind:?} {text:?}");
                }
            }
        }
    }

    #[test]
    fn words_come_back_from_wordpiece_and_every_byte_is_accounted_for() {
        let subword = learn(TokenizerKind::Wordpiece, 400, &stories());
        // The long one is encoded in parts that end with what no token covers.
        let long = "一二三。\n\n".repeat(5000);
        for text in TEXTS.iter().copied().chain([long.as_str()]) {
            let Encoded { tokens, covered } = subword.encode_covering(text).unwrap();
            let covered = covered.unwrap();
            assert_eq!(covered.len(), tokens.len());
            assert_eq!(covered.iter().sum::<u32>() as usize, text.len(), "{text:?}");
        }
        let tokens = subword.encode("Tom said the end.").unwrap();
        assert_eq!(decode(&subword, &tokens), " Tom said the end .");
        let unknown = subword.encode("Tom ~~\u{4e00}~").unwrap();
        assert!(decode(&subword, &unknown).ends_with(" [UNK]"));
    }

    #[test]
    fn learning_is_repeatable_and_order_of_hash_maps_has_no_say() {
        for kind in LEARNED {
            let [a, b] = [0; 2].map(|_| learn(kind, 500, &stories()));
            assert_eq!(a.json(), b.json(), "{kind:?}");
        }
    }

    #[test]
    fn learned_pieces_are_longer_than_bytes() {
        let text = tiny_tales(60_000, 1);
        for (kind, least) in [
            (TokenizerKind::Bpe, 2.5),
            (TokenizerKind::SentencepieceBpe, 2.5),
            (TokenizerKind::Unigram, 2.5),
            (TokenizerKind::Wordpiece, 2.5),
        ] {
            let subword = learn(kind, 600, &text);
            let each = text.len() as f64 / subword.encode(&text).unwrap().len() as f64;
            assert!(each > least, "{kind:?}: {each} bytes a token");
        }
    }

    #[test]
    fn a_file_of_it_is_the_same_tokenizer() {
        for kind in LEARNED {
            let subword = learn(kind, 300, &stories());
            let loaded = Subword::load(subword.json().as_bytes()).unwrap();
            assert_eq!((loaded.json(), &loaded.ends, &loaded.bytes), (subword.json(), &subword.ends, &subword.bytes));
            assert_eq!((loaded.name(), loaded.byte_complete()), (subword.name(), subword.byte_complete()));
            for text in TEXTS {
                assert_eq!(loaded.encode(text).unwrap(), subword.encode(text).unwrap());
            }
        }
    }

    #[test]
    fn a_long_text_encodes_as_its_lines_do() {
        let text = tiny_tales(100_000, 2);
        for kind in LEARNED {
            let subword = learn(kind, 400, &text);
            let lines: Vec<u32> = text.split_inclusive('\n').flat_map(|line| subword.encode(line).unwrap()).collect();
            // Line ends that follow each other may be one piece.
            if subword.encode("\n\n").unwrap().len() != 1 {
                assert_eq!(subword.encode(&text).unwrap(), lines, "{kind:?}");
            }
        }
    }

    #[test]
    fn windows_count_the_bytes_of_the_text() {
        let text = tiny_tales(60_000, 1);
        for kind in LEARNED {
            let dataset = Dataset::with(&text, Tokenizer::Subword(learn(kind, 400, &text)), 0.2).unwrap();
            let windows = dataset.validation_windows(16, usize::MAX);
            let scored: u32 = windows.iter().map(|window| window.scored_bytes).sum();
            // All but the first token and an incomplete window.
            assert!((dataset.held_out_bytes as u32 - 17 * 16..dataset.held_out_bytes as u32).contains(&scored));
        }
    }

    #[test]
    fn a_table_decodes_and_does_not_encode() {
        let subword = learn(TokenizerKind::Bpe, 300, &stories());
        let bytes = subword.all_bytes().to_vec();
        let table = Subword::from_table(subword.json().into(), &subword.token_lengths(), bytes.clone()).unwrap();
        let tokens = subword.encode(TEXTS[2]).unwrap();
        assert_eq!(decode(&table, &tokens), TEXTS[2]);
        assert!(table.encode(TEXTS[2]).unwrap_err().to_string().contains("tokenizer.kind"));
        assert_eq!(decode(&table, &[u32::MAX]), "\u{fffd}");
        for lengths in [vec![], vec![1], vec![u32::MAX; 3]] {
            assert!(Subword::from_table(String::new(), &lengths, bytes.clone()).is_err());
        }
    }

    #[test]
    fn what_cannot_be_learned_is_refused() {
        for vocabulary in [0, 259, 65_537] {
            let error = Subword::train(TokenizerKind::Bpe, vocabulary, "text", &mut |_| ()).unwrap_err();
            assert!(error.to_string().starts_with("tokenizer.vocabulary is"), "{error}");
        }
        let error = Subword::train(TokenizerKind::File, 300, "text", &mut |_| ()).unwrap_err();
        assert!(error.to_string().starts_with("tokenizer.kind is"), "{error}");
    }

    #[test]
    fn odd_texts_are_learned_from() {
        let texts = [
            String::new(),
            " ".into(),
            "a".into(),
            "字".repeat(5000),
            "ab".repeat(50_000),
            noise(1),
            "\n".repeat(9000),
        ];
        for text in &texts {
            for kind in LEARNED {
                for vocabulary in [260, 300, 5000] {
                    let subword = learn(kind, vocabulary, text);
                    assert!(subword.vocabulary_size() <= vocabulary);
                    let bytes = subword.encode_covering(text).unwrap();
                    assert!(kind == TokenizerKind::Wordpiece || decode(&subword, &bytes.tokens) == *text, "{kind:?}");
                }
            }
        }
    }
}

//! Tokenizers: text to numbers and back. A new one is a file here that implements [`Tokenize`], a variant of
//! [`TokenizerKind`], and a variant of [`Tokenizer`] with its arm in `train` and in `inner`. Those of subwords share one
//! type, a table made outside ([`subword`]).

mod bytes;
mod characters;
mod decoder;
pub mod subword;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem, Result};
pub use bytes::Bytes;
pub use characters::Characters;
pub use decoder::Decoder;
pub use subword::{Encoded, Subword};

/// Vocabularies that can be learned: the bytes have to fit, and so has the model that embeds it.
pub const SMALLEST_TRAINED: usize = 260;
pub const LARGEST_TRAINED: usize = 65_536;

/// What one token of the text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerKind {
    /// One token for each character. The vocabulary is every character that occurs in the text, at most 4,096.
    #[default]
    Characters,
    /// One token for each byte of the text in UTF-8. The vocabulary is always 256, and any text in any language
    /// can be written; a letter outside English takes two to four tokens.
    Bytes,
    /// Byte-level BPE, as in GPT-2: starts from bytes, then joins the pair that occurs most often into a new token, again
    /// and again (Sennrich et al. 2016, arXiv 1508.07909). Any text can be written and comes back exactly.
    #[schemars(title = "Byte-level BPE")]
    Bpe,
    /// BPE over characters that keeps spaces, as in Llama 2: characters too rare for a token are written as bytes, so any
    /// text comes back exactly (Kudo & Richardson 2018, arXiv 1808.06226). Of the vocabulary, 257 tokens are bytes and
    /// the unknown.
    #[schemars(title = "SentencePiece BPE")]
    SentencepieceBpe,
    /// Starts from many pieces, drops those that the text's probability misses least, and cuts text into the likeliest
    /// pieces (Kudo 2018, arXiv 1804.10959), as in T5. Rare characters are written as bytes. Learning it takes longest.
    #[schemars(title = "Unigram")]
    Unigram,
    /// Cuts each word into the longest pieces that it knows, as in BERT (Devlin et al. 2019, arXiv 1810.04805). It loses
    /// something: spaces and line ends are forgotten, and a word with an unknown character becomes [UNK].
    #[schemars(title = "WordPiece")]
    Wordpiece,
    /// A tokenizer from a file: a tokenizer.json of Hugging Face's format, as of GPT-NeoX or Llama 3, or a
    /// SentencePiece .model, as of Llama 2.
    #[schemars(title = "From a file")]
    File,
}

impl TokenizerKind {
    /// Whether it takes a [`Subword`], prepared from the text or from a file.
    pub fn is_subword(self) -> bool {
        !matches!(self, Self::Characters | Self::Bytes)
    }

    /// The name in configs.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).expect("names are JSON");
        name.as_str().expect("names are text").to_owned()
    }
}

/// A tokenizer, ready to use.
#[derive(Clone, Debug, PartialEq)]
pub enum Tokenizer {
    Characters(Characters),
    Bytes(Bytes),
    Subword(Subword),
}

/// What every tokenizer can do. Token ids are 0..vocabulary_size.
trait Tokenize {
    fn encode(&self, text: &str) -> Result<Vec<u32>>;
    fn vocabulary_size(&self) -> usize;
    fn token_bytes(&self, id: u32) -> u32;
    fn token_utf8(&self, id: u32) -> Vec<u8>;
    fn token_text(&self, id: u32) -> String;
}

impl Tokenizer {
    /// One that takes nothing but the text.
    ///
    /// # Errors
    /// For subword kinds: they are prepared apart, see [`Subword`].
    pub fn train(kind: TokenizerKind, text: &str) -> Result<Self> {
        match kind {
            TokenizerKind::Characters => Ok(Self::Characters(Characters::train(text)?)),
            TokenizerKind::Bytes => Ok(Self::Bytes(Bytes {})),
            _ => Err(unprepared(kind)),
        }
    }

    fn inner(&self) -> &dyn Tokenize {
        match self {
            Self::Characters(inner) => inner,
            Self::Bytes(inner) => inner,
            Self::Subword(inner) => inner,
        }
    }

    /// # Errors
    /// Where a subword tokenizer is known by its table alone, or has no token for something in the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.inner().encode(text)
    }

    /// The same, with the bytes that each token covers where they differ from the table's.
    pub fn encode_covering(&self, text: &str) -> Result<Encoded> {
        match self {
            #[cfg(feature = "tokenizers")]
            Self::Subword(subword) => subword.encode_covering(text),
            _ => Ok(Encoded { tokens: self.encode(text)?, covered: None }),
        }
    }

    /// The text of the tokens. Bytes that are not UTF-8, and ids outside the vocabulary, become U+FFFD.
    pub fn decode(&self, tokens: &[u32]) -> String {
        decode(self.inner(), tokens)
    }

    pub fn vocabulary_size(&self) -> usize {
        self.inner().vocabulary_size()
    }

    /// How many bytes of UTF-8 the token stands for: what bits per byte divides by.
    pub fn token_bytes(&self, id: u32) -> u32 {
        self.inner().token_bytes(id)
    }

    /// The bytes that the token stands for; a character may need those of several tokens.
    pub fn token_utf8(&self, id: u32) -> Vec<u8> {
        self.inner().token_utf8(id)
    }

    /// The token as a reader may see it: blanks and control characters are made visible.
    pub fn token_text(&self, id: u32) -> String {
        self.inner().token_text(id)
    }
}

fn decode(tokenizer: &dyn Tokenize, tokens: &[u32]) -> String {
    let mut decoder = Decoder::default();
    let mut text: String = tokens.iter().map(|&id| decoder.push(&tokenizer.token_utf8(id))).collect();
    text += &decoder.finish();
    text
}

/// What says that a subword tokenizer is asked for that is not there.
pub fn unprepared(kind: TokenizerKind) -> Error {
    Error::refused(Problem::new(
        "tokenizer.kind",
        format!("\"{}\", which has not been prepared for this text", kind.name()),
        "a tokenizer that was learned from this text, or loaded from a file",
        "Prepare the tokenizer first.",
    ))
}

/// What stands for a character that a tokenizer does not know.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// A character that can be seen: signs for the blanks, code points for other control characters.
fn printable(c: char) -> String {
    match c {
        ' ' => "␣".into(),
        '\n' => "↵".into(),
        '\t' => "⇥".into(),
        c if c.is_control() || c.is_whitespace() => format!("<U+{:04X}>", u32::from(c)),
        c => c.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 5] = [
        "Ruby put the lamp in the bag. \"Hello!\" said Tom.\n\nThe end.\n",
        "从前有一个小女孩。她有一只猫。",
        "🙂👩‍👩‍👧 naïve café 🇫🇷 e\u{301}",
        "fn main() {\n\tlet x: &[u8] = b\"\\n\"; // 1 << 3\r\n}\n",
        "",
    ];
    const KINDS: [TokenizerKind; 2] = [TokenizerKind::Characters, TokenizerKind::Bytes];

    #[test]
    fn every_text_comes_back() {
        for text in TEXTS {
            for kind in KINDS {
                let tokenizer = Tokenizer::train(kind, text).unwrap();
                let tokens = tokenizer.encode(text).unwrap();
                assert_eq!(tokenizer.decode(&tokens), text, "{kind:?}");
                assert!(tokens.iter().all(|&id| (id as usize) < tokenizer.vocabulary_size()), "{kind:?}");
            }
        }
    }

    #[test]
    fn token_bytes_add_up_to_the_text() {
        for text in TEXTS {
            for kind in KINDS {
                let tokenizer = Tokenizer::train(kind, text).unwrap();
                let bytes: u32 = tokenizer.encode(text).unwrap().iter().map(|&id| tokenizer.token_bytes(id)).sum();
                assert_eq!(bytes as usize, text.len(), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn token_text_can_be_seen() {
        for kind in KINDS {
            let tokenizer = Tokenizer::train(kind, "a b\n\t\u{7}\u{a0}\r").unwrap();
            let shown: Vec<String> =
                tokenizer.encode("a b\n").unwrap().into_iter().map(|id| tokenizer.token_text(id)).collect();
            assert_eq!(shown, ["a", "␣", "b", "↵"]);
            for id in 0..tokenizer.vocabulary_size() as u32 {
                let text = tokenizer.token_text(id);
                assert!(!text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control()), "{text:?}");
            }
        }
    }

    #[test]
    fn ids_outside_the_vocabulary_do_no_harm() {
        for kind in KINDS {
            let tokenizer = Tokenizer::train(kind, "abc").unwrap();
            assert_eq!(tokenizer.decode(&[u32::MAX]), "\u{fffd}", "{kind:?}");
            tokenizer.token_bytes(u32::MAX);
            tokenizer.token_text(u32::MAX);
        }
    }

    #[test]
    fn kinds_are_written_in_snake_case() {
        assert_eq!(serde_json::to_string(&KINDS).unwrap(), r#"["characters","bytes"]"#);
    }
}

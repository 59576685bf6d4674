//! Tokenizers: text to numbers and back. A new one is a file here that implements [`Tokenize`], a variant of
//! [`TokenizerKind`], and a variant of [`Tokenizer`] with its arm in `train` and in `inner`.

mod bytes;
mod characters;
mod decoder;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Result;
pub use bytes::Bytes;
pub use characters::Characters;
pub use decoder::Decoder;

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
}

/// A trained tokenizer, ready to use and to be saved with a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Tokenizer {
    Characters(Characters),
    Bytes(Bytes),
}

/// What every tokenizer can do. Token ids are 0..vocabulary_size.
trait Tokenize {
    fn encode(&self, text: &str) -> Vec<u32>;
    fn vocabulary_size(&self) -> usize;
    fn token_bytes(&self, id: u32) -> u32;
    fn token_utf8(&self, id: u32) -> Vec<u8>;
    fn token_text(&self, id: u32) -> String;
}

impl Tokenizer {
    pub fn train(kind: TokenizerKind, text: &str) -> Result<Self> {
        Ok(match kind {
            TokenizerKind::Characters => Self::Characters(Characters::train(text)?),
            TokenizerKind::Bytes => Self::Bytes(Bytes {}),
        })
    }

    pub fn kind(&self) -> TokenizerKind {
        match self {
            Self::Characters(_) => TokenizerKind::Characters,
            Self::Bytes(_) => TokenizerKind::Bytes,
        }
    }

    fn inner(&self) -> &dyn Tokenize {
        match self {
            Self::Characters(inner) => inner,
            Self::Bytes(inner) => inner,
        }
    }

    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.inner().encode(text)
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
                let tokens = tokenizer.encode(text);
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
                let bytes: u32 = tokenizer.encode(text).iter().map(|&id| tokenizer.token_bytes(id)).sum();
                assert_eq!(bytes as usize, text.len(), "{kind:?} {text}");
            }
        }
    }

    #[test]
    fn token_text_can_be_seen() {
        for kind in KINDS {
            let tokenizer = Tokenizer::train(kind, "a b\n\t\u{7}\u{a0}\r").unwrap();
            let shown: Vec<String> = tokenizer.encode("a b\n").into_iter().map(|id| tokenizer.token_text(id)).collect();
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
    fn a_saved_tokenizer_is_the_same_tokenizer() {
        for kind in KINDS {
            let tokenizer = Tokenizer::train(kind, TEXTS[2]).unwrap();
            let saved = serde_json::to_string(&tokenizer).unwrap();
            let loaded: Tokenizer = serde_json::from_str(&saved).unwrap();
            assert_eq!(loaded, tokenizer, "{saved}");
            assert_eq!(loaded.encode(TEXTS[2]), tokenizer.encode(TEXTS[2]));
            assert_eq!(loaded.kind(), kind);
        }
    }

    #[test]
    fn kinds_are_written_in_snake_case() {
        assert_eq!(serde_json::to_string(&KINDS).unwrap(), r#"["characters","bytes"]"#);
    }
}

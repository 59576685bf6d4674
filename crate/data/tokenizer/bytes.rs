//! One token a byte of UTF-8: nothing to train, nothing unknown.

use super::{Tokenize, UNKNOWN, printable};
use crate::error::Result;

#[derive(Clone, Debug, PartialEq)]
pub struct Bytes {}

impl Tokenize for Bytes {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(text.bytes().map(u32::from).collect())
    }

    fn token_utf8(&self, id: u32) -> Vec<u8> {
        // 0xFF occurs nowhere in UTF-8, so an id that is no byte decodes to U+FFFD.
        vec![u8::try_from(id).unwrap_or(0xFF)]
    }

    fn vocabulary_size(&self) -> usize {
        256
    }

    fn token_bytes(&self, _: u32) -> u32 {
        1
    }

    fn token_text(&self, id: u32) -> String {
        match u8::try_from(id) {
            Ok(byte) if byte.is_ascii() => printable(byte.into()),
            Ok(byte) => format!("<{byte:02X}>"),
            Err(_) => UNKNOWN.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn half_a_letter_is_no_letter() {
        let tokens = Bytes {}.encode("né").unwrap();
        assert_eq!(tokens, [0x6E, 0xC3, 0xA9]);
        assert_eq!(decode(&Bytes {}, &tokens[..2]), "n\u{fffd}");
        assert_eq!(Bytes {}.token_text(0xC3), "<C3>");
    }
}

//! UTF-8 that arrives in parts, for a token may end within a character.

use super::UNKNOWN;

/// Gives the text of bytes as soon as its characters are complete. Together that is what `String::from_utf8_lossy`
/// makes of them all.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// The beginning of a character.
    begun: Vec<u8>,
}

impl Decoder {
    /// The characters that are complete now.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.begun.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            match std::str::from_utf8(&self.begun) {
                Ok(rest) => {
                    text += rest;
                    self.begun.clear();
                    return text;
                }
                Err(error) => {
                    let valid = self.begun.drain(..error.valid_up_to());
                    text += std::str::from_utf8(&valid.collect::<Vec<_>>()).expect("valid up to here");
                    let Some(bad) = error.error_len() else { return text };
                    self.begun.drain(..bad);
                    text.push(UNKNOWN);
                }
            }
        }
    }

    /// What stands for a character that stays incomplete, if one was begun.
    pub fn finish(&mut self) -> String {
        let text = if self.begun.is_empty() { String::new() } else { UNKNOWN.into() };
        self.begun.clear();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_when_they_are_complete() {
        let mut decoder = Decoder::default();
        let parts: Vec<String> = "aé🙂".bytes().map(|byte| decoder.push(&[byte])).collect();
        assert_eq!(parts, ["a", "", "é", "", "", "", "🙂"]);
        assert_eq!(decoder.finish(), "");
    }

    #[test]
    fn what_is_no_utf_8_is_replaced_as_ever() {
        let pieces: [&[u8]; 6] = [b"a\xC3", b"b\xFF", b"\xF0\x9F", b"\x99", b"\xE2\x82", b"\xAC\xE2\x82"];
        for cut in 1..=5 {
            let bytes: Vec<u8> = pieces.concat();
            let mut decoder = Decoder::default();
            let mut text: String = bytes.chunks(cut).map(|part| decoder.push(part)).collect();
            text += &decoder.finish();
            assert_eq!(text, String::from_utf8_lossy(&bytes), "{cut} bytes at a time");
        }
    }
}

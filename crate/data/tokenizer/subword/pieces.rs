//! The bytes that each token of a tokenizer.json stands for.

use serde_json::Value;

use super::encoder::{is_byte_level, steps};

/// By id. `json` has passed the door: its ids are 0..n.
pub fn bytes(json: &Value) -> Vec<Vec<u8>> {
    let reading = Reading::of(json);
    let mut table = vec![];
    let mut put = |id: u64, bytes: Vec<u8>| {
        let id = id as usize;
        if table.len() <= id {
            table.resize(id + 1, vec![]);
        }
        table[id] = bytes;
    };
    match &json["model"]["vocab"] {
        Value::Object(vocabulary) => {
            for (token, id) in vocabulary {
                put(id.as_u64().unwrap_or_default(), reading.bytes(token));
            }
        }
        Value::Array(vocabulary) => {
            for (id, entry) in vocabulary.iter().enumerate() {
                put(id as u64, reading.bytes(entry[0].as_str().unwrap_or_default()));
            }
        }
        _ => (),
    }
    // These are looked for in the text as it is.
    for token in json["added_tokens"].as_array().into_iter().flatten() {
        put(token["id"].as_u64().unwrap_or_default(), token["content"].as_str().unwrap_or_default().into());
    }
    table
}

/// How a token's name is read.
struct Reading<'a> {
    byte_level: bool,
    byte_fallback: bool,
    /// What stands for a space.
    space: Option<&'a str>,
    /// Before a piece that goes on a word; all others begin one, after a space.
    goes_on: Option<&'a str>,
    /// After a piece that ends a word.
    ends: Option<&'a str>,
}

impl<'a> Reading<'a> {
    fn of(json: &'a Value) -> Self {
        let model = &json["model"];
        let words = matches!(model["type"].as_str(), Some("WordPiece" | "WordLevel"));
        let filled = |value: &'a Value| value.as_str().filter(|text| !text.is_empty());
        let metaspace = steps(&json["pre_tokenizer"]).find(|step| step["type"] == "Metaspace");
        let replaced = steps(&json["normalizer"])
            .find(|step| step["type"] == "Replace" && step["pattern"]["String"] == " ")
            .map(|step| &step["content"]);
        Self {
            byte_level: is_byte_level(json),
            byte_fallback: model["byte_fallback"] == true,
            space: metaspace.map(|step| &step["replacement"]).or(replaced).and_then(filled),
            goes_on: if words { model["continuing_subword_prefix"].as_str().or(Some("")) } else { None },
            ends: filled(&model["end_of_word_suffix"]),
        }
    }

    fn bytes(&self, token: &str) -> Vec<u8> {
        if self.byte_level {
            let bytes: Option<Vec<u8>> = token.chars().map(byte_of).collect();
            // What is written in other signs stands for itself.
            return bytes.unwrap_or_else(|| token.into());
        }
        if let Some(byte) = self.byte_fallback.then(|| fallback_byte(token)).flatten() {
            return vec![byte];
        }
        if let Some(prefix) = self.goes_on {
            return match token.strip_prefix(prefix).filter(|_| !prefix.is_empty()) {
                Some(rest) => rest.into(),
                None => format!(" {token}").into_bytes(),
            };
        }
        let text = self.space.map_or_else(|| token.to_owned(), |space| token.replace(space, " "));
        match self.ends.and_then(|suffix| text.strip_suffix(suffix)) {
            Some(word) => format!("{word} ").into_bytes(),
            None => text.into_bytes(),
        }
    }
}

/// The byte of a token such as `<0x0A>`, as the library writes it.
pub fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    (format!("{byte:02X}") == digits).then_some(byte)
}

/// GPT-2's sign for each byte: itself where it is printable in Latin-1, else one from U+0100 on, in order.
fn sign_of(byte: u8) -> char {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    if printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&byte| !printable(byte)).count() as u32;
    char::from_u32(0x100 + before).expect("a letter of Latin Extended-A")
}

/// The signs of all bytes.
pub fn byte_signs() -> impl Iterator<Item = char> {
    (0..=u8::MAX).map(sign_of)
}

fn byte_of(sign: char) -> Option<u8> {
    match u32::from(sign) {
        // In the order of the bytes that have no sign of their own.
        code @ 0x100..=0x120 => Some((code - 0x100) as u8),
        code @ 0x121..=0x142 => Some((0x7F + code - 0x121) as u8),
        0x143 => Some(0xAD),
        code => u8::try_from(code).ok().filter(|&byte| sign_of(byte) == sign),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_sign_and_every_sign_its_byte() {
        for byte in 0..=u8::MAX {
            assert_eq!(byte_of(sign_of(byte)), Some(byte));
        }
        assert_eq!([b' ', b'\n', b'a', 0xAD].map(sign_of), ['Ġ', 'Ċ', 'a', 'Ń']);
        assert_eq!(['字', ' ', '\u{ad}', '\u{144}'].map(byte_of), [None; 4]);
    }

    #[test]
    fn names_of_bytes_are_read_as_the_library_writes_them() {
        assert_eq!(fallback_byte("<0x0A>"), Some(10));
        for other in ["<0x0a>", "<0xA>", "<0x+A>", "0x0A", "<0x0A", "<0x100>", "<0x>"] {
            assert_eq!(fallback_byte(other), None, "{other}");
        }
    }
}

//! The texts to choose from, and the check that every text passes before anything is made of it.
//! Where a text comes from is the host's business: the page fetches a file, the command line reads one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Problem, Result};

/// The text to train on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Corpus {
    /// Simple children's stories, written by a generator from a few hundred words. A tiny model learns to write
    /// them within minutes, and because the generator knows what is true in each story, the model's
    /// understanding can be tested.
    #[schemars(title = "TinyTales")]
    #[default]
    TinyTales,
    /// Herman Melville's novel of 1851, 1.2 MB: real, difficult English. A tiny model learns its words and its
    /// tone rather than its sense.
    MobyDick,
    /// Your own text, pasted or dropped: 1 KB to 64 MB in UTF-8. It never leaves your machine.
    Own,
}

/// Less than this cannot be split, let alone learned from.
pub const TEXT_MIN_BYTES: usize = 1 << 10;
/// More than this does not fit beside a model in a browser tab: tokens take four bytes each.
pub const TEXT_MAX_BYTES: usize = 64 << 20;

/// The text in these bytes, without the byte order mark that some editors put first, if it can be trained on.
pub fn check_text(bytes: &[u8]) -> Result<&str> {
    let refuse = |value: String, allowed: &str, advice: &str| {
        Err(Error::refused(Problem::new("data.text", value, allowed, advice)))
    };
    let size = "1 KB (1,024 bytes) to 64 MB (67,108,864 bytes) of text";
    if bytes.trim_ascii().is_empty() {
        return refuse("empty".into(), size, "Paste some text or choose a file that has some.");
    }
    if bytes.len() > TEXT_MAX_BYTES {
        return refuse(format!("{} bytes long", bytes.len()), size, "Take a part of the text.");
    }
    // Before the length: of a binary file, its being binary is the news.
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return refuse("text in UTF-16".into(), "text in UTF-8", "Save the file as UTF-8 and choose it again.");
    }
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let offset = error.valid_up_to();
            return refuse(
                format!("not UTF-8 at byte {offset} (0x{:02X})", bytes[offset]),
                "text in UTF-8",
                "Save the file as UTF-8, or remove what is not text, and choose it again.",
            );
        }
    };
    if bytes.len() < TEXT_MIN_BYTES {
        return refuse(format!("{} bytes long", bytes.len()), size, "Add more text: 100 KB or more is better.");
    }
    Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> Problem {
        match check_text(bytes) {
            Err(Error::Refused(mut problems)) => problems.remove(0),
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn good_text_passes_untouched() {
        let text = "Émile lit. ".repeat(100);
        assert_eq!(check_text(text.as_bytes()).unwrap(), text);
        assert_eq!(check_text(format!("\u{FEFF}{text}").as_bytes()).unwrap(), text);
        assert!(check_text(&vec![b'a'; TEXT_MIN_BYTES]).is_ok());
        assert!(check_text(&vec![b'a'; TEXT_MAX_BYTES]).is_ok());
    }

    #[test]
    fn bad_text_is_refused_with_the_reason() {
        let mut not_utf8 = vec![b'a'; 5000];
        not_utf8[4321] = 0xFF;
        let mut cut_short = vec![b'a'; 5000];
        cut_short.push(0xC3);
        for (bytes, value) in [
            (vec![], "empty"),
            (b" \n\t\r".repeat(1000), "empty"),
            (vec![b'a'; TEXT_MIN_BYTES - 1], "1023 bytes long"),
            (vec![b'a'; TEXT_MAX_BYTES + 1], "67108865 bytes long"),
            (not_utf8, "not UTF-8 at byte 4321 (0xFF)"),
            (cut_short, "not UTF-8 at byte 5000 (0xC3)"),
            (b"\xFF\xFEa\0b\0".repeat(1000), "text in UTF-16"),
        ] {
            let problem = refusal(&bytes);
            assert_eq!((problem.field.as_str(), problem.value.as_str()), ("data.text", value));
            assert!(!problem.allowed.is_empty() && !problem.advice.is_empty());
        }
    }

    #[test]
    fn names_are_written_in_snake_case() {
        let names = serde_json::to_string(&[Corpus::TinyTales, Corpus::MobyDick, Corpus::Own]).unwrap();
        assert_eq!(names, r#"["tiny_tales","moby_dick","own"]"#);
    }
}

//! One token a character of the text.

use super::{Tokenize, UNKNOWN, printable};
use crate::error::{Error, Problem, Result};

/// Beyond this the embedding alone outweighs a tiny model, and most characters occur too seldom to be learned.
const LIMIT: usize = 4096;

/// The vocabulary in the order of the code points, with [`UNKNOWN`] among it: a prompt may hold a character
/// that the text does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Characters {
    vocabulary: Vec<char>,
    /// Ids of the ASCII characters, because nearly all lookups are for these.
    ascii: Vec<u32>,
    unknown: u32,
}

impl Characters {
    pub(super) fn train(text: &str) -> Result<Self> {
        let vocabulary = distinct(text);
        if vocabulary.len() > LIMIT {
            return Err(Error::refused(Problem::new(
                "tokenizer.kind",
                format!("\"characters\" on a text of {} different characters", vocabulary.len() - 1),
                format!("at most {} different characters", LIMIT - 1),
                "Take the tokenizer \"bytes\", which writes any text, or a text with a smaller alphabet.",
            )));
        }
        Ok(Self::new(vocabulary))
    }

    /// `vocabulary` is sorted and holds [`UNKNOWN`].
    fn new(vocabulary: Vec<char>) -> Self {
        let find = |c| vocabulary.binary_search(&c).ok().map(|id| id as u32);
        let unknown = find(UNKNOWN).expect("every vocabulary holds the character for the unknown");
        let ascii = ('\0'..='\x7F').map(|c| find(c).unwrap_or(unknown)).collect();
        Self { vocabulary, ascii, unknown }
    }

    fn id(&self, c: char) -> u32 {
        match self.ascii.get(c as usize) {
            Some(&id) => id,
            None => self.vocabulary.binary_search(&c).map_or(self.unknown, |id| id as u32),
        }
    }

    fn character(&self, id: u32) -> char {
        *self.vocabulary.get(id as usize).unwrap_or(&UNKNOWN)
    }
}

/// The different characters of a text and [`UNKNOWN`], sorted.
fn distinct(text: &str) -> Vec<char> {
    let mut seen = vec![false; char::MAX as usize + 1];
    text.chars().chain([UNKNOWN]).for_each(|c| seen[c as usize] = true);
    ('\0'..=char::MAX).filter(|&c| seen[c as usize]).collect()
}

impl Tokenize for Characters {
    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(text.chars().map(|c| self.id(c)).collect())
    }

    fn token_utf8(&self, id: u32) -> Vec<u8> {
        self.character(id).to_string().into_bytes()
    }

    fn vocabulary_size(&self) -> usize {
        self.vocabulary.len()
    }

    fn token_bytes(&self, id: u32) -> u32 {
        self.character(id).len_utf8() as u32
    }

    fn token_text(&self, id: u32) -> String {
        printable(self.character(id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::decode;
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted_and_knows_the_unknown() {
        let characters = Characters::train("banana é").unwrap();
        assert_eq!(characters.vocabulary, [' ', 'a', 'b', 'n', 'é', UNKNOWN]);
        assert_eq!(decode(&characters, &characters.encode("bé😀x").unwrap()), "bé\u{fffd}\u{fffd}");
        assert_eq!(characters.token_bytes(4), 2);
    }

    #[test]
    fn a_text_that_holds_the_unknown_needs_no_second_one() {
        assert_eq!(Characters::train("a\u{fffd}").unwrap().vocabulary_size(), 2);
    }

    #[test]
    fn too_many_characters_are_refused() {
        let alphabet = |n: usize| ('\u{4E00}'..).take(n).collect::<String>();
        assert_eq!(Characters::train(&alphabet(LIMIT - 1)).unwrap().vocabulary_size(), LIMIT);
        let Err(Error::Refused(problems)) = Characters::train(&alphabet(LIMIT)) else { panic!("accepted") };
        assert_eq!(problems[0].field, "tokenizer.kind");
        assert!(problems[0].value.contains("4096") && problems[0].allowed.contains("4095"), "{}", problems[0]);
    }
}

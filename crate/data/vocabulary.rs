//! What a text makes of a vocabulary: which of its tokens occur, how often, and how any text is split into them.

use std::cmp::Reverse;

use serde::Serialize;

use super::{Dataset, Decoder};

/// Enough to see what a vocabulary spends its tokens on.
const FEW: usize = 12;

/// A token, and how often it occurs in the text, both parts of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Use {
    pub token: u32,
    /// As a reader may see it.
    pub label: String,
    /// Of UTF-8 that it stands for.
    pub bytes: u32,
    pub count: u64,
}

/// How a text uses the vocabulary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usage {
    pub vocabulary: usize,
    /// How many of its tokens occur at all.
    pub used: usize,
    /// Those that occur most often, and least often but once; of equals those with the smaller ids.
    pub frequent: Vec<Use>,
    pub rare: Vec<Use>,
}

/// A token of a text that was split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    #[serde(flatten)]
    pub of: Use,
    /// What it adds to the text: nothing where it only begins a character.
    pub text: String,
}

impl Dataset {
    /// How often each token occurs, by id.
    fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.tokenizer.vocabulary_size()];
        self.train.iter().chain(&self.held_out).for_each(|&token| counts[token as usize] += 1);
        counts
    }

    fn token_use(&self, token: u32, counts: &[u64]) -> Use {
        let count = counts.get(token as usize).copied().unwrap_or_default();
        Use { token, label: self.tokenizer.token_text(token), bytes: self.tokenizer.token_bytes(token), count }
    }

    /// How its text uses the vocabulary, and how other text, given as tokens, is split.
    pub fn vocabulary_use(&self, tokens: &[u32]) -> (Usage, Vec<Part>) {
        let counts = self.counts();
        let mut used: Vec<u32> = (0..counts.len() as u32).filter(|&token| counts[token as usize] > 0).collect();
        let few = |tokens: &[u32]| tokens.iter().take(FEW).map(|&token| self.token_use(token, &counts)).collect();
        used.sort_by_key(|&token| (Reverse(counts[token as usize]), token));
        let frequent = few(&used);
        used.sort_by_key(|&token| (counts[token as usize], token));
        let usage = Usage { vocabulary: counts.len(), used: used.len(), frequent, rare: few(&used) };

        let mut decoder = Decoder::default();
        let part = |&token: &u32| Part {
            of: self.token_use(token, &counts),
            text: decoder.push(&self.tokenizer.token_utf8(token)),
        };
        let mut parts: Vec<Part> = tokens.iter().map(part).collect();
        if let Some(last) = parts.last_mut() {
            last.text += &decoder.finish();
        }
        (usage, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::TokenizerKind;

    fn dataset(text: &str, kind: TokenizerKind) -> Dataset {
        Dataset::new(text, kind, 0.5).unwrap()
    }

    #[test]
    fn tokens_are_counted_in_both_parts() {
        // "a" three times, "b" twice, "c" once, in the training part and in the held-out one.
        let dataset = dataset("aabacb", TokenizerKind::Characters);
        let (usage, _) = dataset.vocabulary_use(&[]);
        let shown = |uses: &[Use]| uses.iter().map(|one| (one.label.clone(), one.count)).collect::<Vec<_>>();
        let expected = [("a", 3), ("b", 2), ("c", 1)].map(|(label, count)| (label.to_owned(), count));
        assert_eq!(shown(&usage.frequent), expected);
        assert_eq!(shown(&usage.rare), expected.iter().rev().cloned().collect::<Vec<_>>());
        assert_eq!(usage.used, 3);
        assert_eq!(usage.vocabulary, dataset.tokenizer.vocabulary_size());
    }

    #[test]
    fn equals_come_in_the_order_of_their_ids_and_only_a_few() {
        let text: String = ('a'..='z').collect();
        let (usage, _) = dataset(&text, TokenizerKind::Bytes).vocabulary_use(&[]);
        assert_eq!((usage.vocabulary, usage.used), (256, 26));
        let ids: Vec<u32> = usage.rare.iter().map(|one| one.token).collect();
        assert_eq!(ids, (97..97 + FEW as u32).collect::<Vec<_>>());
        assert_eq!(usage.frequent, usage.rare);
    }

    #[test]
    fn parts_join_to_the_text_that_was_split() {
        let dataset = dataset("one and two and three", TokenizerKind::Bytes);
        let text = "né 🙂 and";
        let (_, parts) = dataset.vocabulary_use(&dataset.tokenizer.encode(text).unwrap());
        assert_eq!(parts.iter().map(|part| part.text.as_str()).collect::<String>(), text);
        assert_eq!(parts.len(), text.len());
        // The two bytes of "é": the first adds nothing yet.
        assert_eq!((parts[1].text.as_str(), parts[2].text.as_str()), ("", "é"));
        let a = parts.iter().find(|part| part.text == "a").unwrap();
        assert_eq!((a.of.token, a.of.bytes, a.of.count), (97, 1, 2));
        // Cut off in the middle of a character.
        let (_, parts) = dataset.vocabulary_use(&[0xf0, 0x9f]);
        assert_eq!(parts.last().unwrap().text, "\u{fffd}");
        let (_, parts) = dataset.vocabulary_use(&[u32::MAX]);
        assert_eq!((parts[0].of.count, parts[0].text.as_str()), (0, "\u{fffd}"));
    }
}

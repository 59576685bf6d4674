//! Where one document of a text ends and the next begins: the one place for the rule.
//!
//! - TinyTales: each story and each exercise, with the blank line after it.
//! - Moby-Dick: each chapter, and the etymology, the extracts and the epilogue.
//! - Your own text: a line `<|endoftext|>` ends a document; in a text without such a line, two blank lines in a row do; a text
//!   with neither is one document.
//!
//! What separates documents belongs to the one before it, so that a model learns to end them, and documents make up the
//! text.

use super::Corpus;

/// A line that ends a document of the visitor's own text, as GPT-2's separator does.
pub const SEPARATOR: &str = "<|endoftext|>";

/// The documents of a training part, as ranges of its tokens, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// Where each ends, ascending; none is empty.
    ends: Vec<u32>,
}

impl Documents {
    /// All of it is one.
    pub fn whole(tokens: usize) -> Self {
        Self::of_ends([tokens].into_iter().filter(|&end| end > 0))
    }

    /// Of ends in tokens, ascending.
    pub fn of_ends(ends: impl IntoIterator<Item = usize>) -> Self {
        let mut all: Vec<u32> = ends.into_iter().map(|end| end as u32).filter(|&end| end > 0).collect();
        all.dedup();
        Self { ends: all }
    }

    /// The documents of a text in tokens that cover these many bytes each. A token that belongs to two documents belongs to
    /// the first: the next begins with the first token that starts at its own first byte or after it. A document without
    /// a token is none.
    pub fn of_tokens(text: &str, corpus: Corpus, covered: impl IntoIterator<Item = u32>) -> Self {
        let mut bytes = byte_ends(text, corpus).into_iter().peekable();
        let (mut start, mut count, mut ends) = (0, 0, vec![]);
        for covers in covered {
            while bytes.next_if(|&end| end <= start).is_some() {
                ends.push(count);
            }
            start += covers as usize;
            count += 1;
        }
        ends.push(count);
        Self::of_ends(ends)
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Tokens of all of them.
    pub fn tokens(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// The tokens of a document.
    pub fn range(&self, document: usize) -> std::ops::Range<usize> {
        let start = if document == 0 { 0 } else { self.ends[document - 1] };
        start as usize..self.ends[document] as usize
    }

    /// The document that a token belongs to.
    pub fn at(&self, token: usize) -> usize {
        self.ends.partition_point(|&end| end as usize <= token)
    }

    /// The parts of documents that lie in a range of tokens: (document, its tokens there).
    pub fn within(
        &self,
        tokens: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> + use<'_> {
        let first = self.at(tokens.start);
        let parts = (first..self.len()).map(move |document| {
            let range = self.range(document);
            (document, range.start.max(tokens.start)..range.end.min(tokens.end))
        });
        parts.take_while(|(_, part)| !part.is_empty())
    }
}

/// Where the documents of a text end, in bytes; the last ends with the text.
pub fn byte_ends(text: &str, corpus: Corpus) -> Vec<usize> {
    match corpus {
        Corpus::TinyTales => ends_before(text, |before, _| before.blank > 0),
        Corpus::MobyDick => ends_before(text, |before, line| before.blank > 0 && is_heading(line)),
        Corpus::Own if text.lines().any(is_separator) => ends_before(text, |before, _| before.separator),
        Corpus::Own => ends_before(text, |before, _| before.blank > 1),
    }
}

fn is_separator(line: &str) -> bool {
    line.trim() == SEPARATOR
}

/// The novel's own headings: “CHAPTER 1. Loomings.”
fn is_heading(line: &str) -> bool {
    ["CHAPTER ", "ETYMOLOGY. ", "EXTRACTS. ", "Epilogue "].iter().any(|heading| line.starts_with(heading))
}

/// What lies between the last line with something on it and the present one.
#[derive(Default)]
struct Before {
    blank: usize,
    separator: bool,
}

/// Where a line with something on it begins a document, by what came before it.
fn ends_before(text: &str, begins: impl Fn(&Before, &str) -> bool) -> Vec<usize> {
    let (mut at, mut before, mut ends) = (0, Before::default(), vec![]);
    let mut any = false;
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            before.blank += 1;
        } else if is_separator(line) {
            before.separator = true;
        } else {
            // What comes before the first line with something on it is no document.
            if any && begins(&before, line) {
                ends.push(at);
            }
            (any, before) = (true, Before::default());
        }
        at += line.len();
    }
    ends.push(at);
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DOCUMENT_END, tiny_tales};

    fn documents(text: &str, corpus: Corpus) -> Vec<&str> {
        let ends = byte_ends(text, corpus);
        let starts = std::iter::once(0).chain(ends.clone());
        starts.zip(&ends).map(|(start, &end)| &text[start..end]).collect()
    }

    #[test]
    fn stories_are_documents_with_the_blank_line_after_them() {
        let text = tiny_tales(20_000, 1);
        let expected: Vec<&str> = text.split_inclusive(DOCUMENT_END).collect();
        assert!(expected.len() > 20);
        assert_eq!(documents(&text, Corpus::TinyTales), expected);
    }

    #[test]
    fn chapters_begin_with_their_headings() {
        let text = "ETYMOLOGY. (Supplied.)\n\nThe pale Usher.\n\nEXTRACTS. (Also.)\n\nA CHAPTER 9. of it\n\nCHAPTER 1. \
                    Loomings.\n\nCall me\nCHAPTER 7. no heading\n\nIshmael.\n\nCHAPTER 2. The Bag.\n\nI stuffed\n\n\
                    Epilogue \"AND I\"\n\nThe drama's done.\n";
        let heads: Vec<&str> = documents(text, Corpus::MobyDick).iter().map(|text| &text[..9]).collect();
        assert_eq!(heads, ["ETYMOLOGY", "EXTRACTS.", "CHAPTER 1", "CHAPTER 2", "Epilogue "]);
    }

    #[test]
    fn own_texts_are_cut_at_separators_or_else_at_two_blank_lines_or_not_at_all() {
        let own = |text| documents(text, Corpus::Own);
        let text = "one\n\n\n\ntwo\n<|endoftext|>\nthree <|endoftext|> four\n <|endoftext|>\r\n\nfive";
        assert_eq!(
            own(text),
            ["one\n\n\n\ntwo\n<|endoftext|>\n", "three <|endoftext|> four\n <|endoftext|>\r\n\n", "five"]
        );
        assert_eq!(own("one\n\ntwo\r\n \r\n\t\r\nthree\n\n\n\n"), ["one\n\ntwo\r\n \r\n\t\r\n", "three\n\n\n\n"]);
        assert_eq!(own("one\n\ntwo\nthree"), ["one\n\ntwo\nthree"]);
        // Nothing but separators is no document of its own.
        assert_eq!(own("\n\n\none\n\n\n"), ["\n\n\none\n\n\n"]);
        assert_eq!(
            own("<|endoftext|>\none\n<|endoftext|>\n<|endoftext|>\ntwo"),
            ["<|endoftext|>\none\n<|endoftext|>\n<|endoftext|>\n", "two"]
        );
        for text in ["", "\n", "a"] {
            assert_eq!(own(text).concat(), text);
        }
    }

    #[test]
    fn a_token_across_a_boundary_belongs_to_the_document_that_it_begins_in() {
        // "one\n\n" "two\n\n" "x": bytes 0..5, 5..10, 10..11.
        let text = "one\n\ntwo\n\nx";
        let of = |covered: &[u32]| {
            let documents = Documents::of_tokens(text, Corpus::TinyTales, covered.iter().copied());
            (0..documents.len()).map(|i| documents.range(i)).collect::<Vec<_>>()
        };
        assert_eq!(of(&[1; 11]), [0..5, 5..10, 10..11]);
        assert_eq!(of(&[3, 2, 5, 1]), [0..2, 2..3, 3..4]);
        // The second token reaches over the first boundary.
        assert_eq!(of(&[3, 3, 4, 1]), [0..2, 2..3, 3..4]);
        // The first token is all of the first document and of the second.
        assert_eq!(of(&[10, 1]), [0..1, 1..2]);
        assert_eq!(of(&[11]), vec![0..1; 1]);
        // A token that covers nothing, at a boundary, belongs to what follows.
        assert_eq!(of(&[5, 0, 5, 1]), [0..1, 1..3, 3..4]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn parts_of_a_range_are_those_of_its_documents() {
        let documents = Documents::of_ends([3, 7, 7, 8, 20]);
        assert_eq!((documents.len(), documents.tokens()), (4, 20));
        let within = |range| documents.within(range).collect::<Vec<_>>();
        assert_eq!(within(1..9), [(0, 1..3), (1, 3..7), (2, 7..8), (3, 8..9)]);
        assert_eq!(within(3..7), [(1, 3..7)]);
        assert_eq!(within(10..20), [(3, 10..20)]);
        assert_eq!([0, 2, 3, 6, 7, 8, 19].map(|token| documents.at(token)), [0, 0, 1, 1, 2, 3, 3]);
        assert!(Documents::whole(0).is_empty());
    }
}

//! Where a long text can be cut so that its parts encode as the whole would: texts of any length are encoded in little
//! memory, and no word can be so long that it costs time beyond measure.

/// Parts are about this long, in bytes: long beside every word, short beside what the library takes for each.
const LENGTH: usize = 1 << 14;

/// The parts of a text, in order.
///
/// A part ends before a space between two characters that are none, or else after a line, or else, in a stretch of
/// 16 KiB without either, at a character. Every regular expression that splits words in wide use begins a piece at
/// such a space, and SentencePiece at the sign that stands for it. Only a cut at a character can change tokens, and
/// only those beside it.
pub fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (part, after) = rest.split_at(cut(rest));
        rest = after;
        (!part.is_empty()).then_some(part)
    })
}

fn cut(text: &str) -> usize {
    if text.len() <= LENGTH {
        return text.len();
    }
    let end = text.floor_char_boundary(LENGTH);
    let begin = text.floor_char_boundary(LENGTH / 2);
    let window = &text[begin..end];
    let starts_word = |at: usize| {
        let (before, after) = window.split_at(at);
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        !blank(before.chars().next_back()) && !blank(after.chars().nth(1))
    };
    let space = window.rmatch_indices(' ').map(|(at, _)| at).find(|&at| starts_word(at));
    let line = || {
        let ends = window.rmatch_indices('\n').map(|(at, _)| at + 1);
        ends.into_iter().find(|&at| window[at..].chars().next().is_some_and(|c| !c.is_whitespace()))
    };
    begin + space.or_else(line).unwrap_or(end - begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_up_the_text_and_are_short() {
        for unit in ["word ", "字", "a\n", " ", "ab  cd\n\n", "\u{301}e", "🙂"] {
            let text = unit.repeat(100_000 / unit.len());
            let all: Vec<&str> = parts(&text).collect();
            assert_eq!(all.concat(), text);
            assert!(all.iter().all(|part| (1..=LENGTH).contains(&part.len())));
            assert!(all.len() < 16, "{} parts of {unit:?}", all.len());
        }
        assert_eq!(parts("").count(), 0);
    }

    #[test]
    fn a_part_begins_with_the_space_before_a_word_or_else_with_a_line() {
        let words = "some words  and more ".repeat(5000);
        assert!(parts(&words).skip(1).all(|part| part.starts_with(' ') && !part[1..].starts_with(' ')));
        let lines = "一二三。\n\n".repeat(5000);
        assert!(parts(&lines).skip(1).all(|part| part.starts_with('一')));
    }
}

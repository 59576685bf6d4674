//! Items in tokens, as EleutherAI's lm-evaluation-harness makes them: context and candidate are encoded together, and what
//! follows as many tokens as the context has by itself is the candidate's. Blanks at the context's end count as the
//! candidate's. Where the two merge into one token at the border, that token is scored with the candidate if it is the
//! last one of all, and not otherwise. What does not fit the model's context is cut off from the left.

use std::ops::Range;

use super::{Item, TaskItems};
use crate::config::Task;
use crate::error::{Error, Problem, Result};

/// A candidate on its way through the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Context and candidate: at most one token more than the model's context.
    pub tokens: Vec<u32>,
    /// Which of `tokens` are the candidate's. None is the first: nothing predicts that one.
    pub candidate: Range<usize>,
    /// Whether the model has to write the candidate by itself.
    pub alone: bool,
}

/// Items, and the rows of their candidates one after the other.
pub struct Exam {
    pub tasks: Vec<TaskItems>,
    pub rows: Vec<Row>,
    /// For each item, one after the other, the tokens between the end of the fact and the answer, where it has a fact.
    pub distances: Vec<Option<usize>>,
}

/// Texts in tokens, in the order of [`texts`].
pub type Tokenised = Vec<Vec<u32>>;

/// What has to be encoded: for each item its context, its context up to the end of the fact where it has one, and its
/// context with each of its choices.
pub fn texts(tasks: &[TaskItems]) -> Vec<String> {
    let items = tasks.iter().flat_map(|task| &task.items);
    let texts = items.flat_map(|Item { context, choices, fact, .. }| {
        let whole = choices.iter().map(move |choice| format!("{context}{choice}"));
        let fact = fact.map(|end| context[..end].to_owned());
        std::iter::once(context.trim_end().to_owned()).chain(fact).chain(whole)
    });
    texts.collect()
}

impl Exam {
    /// `context` is the model's, in tokens.
    ///
    /// # Errors
    /// Where the tokens are not those of the texts, or a text has none.
    pub fn new(tasks: Vec<TaskItems>, tokens: Tokenised, context: usize, vocabulary: usize) -> Result<Self> {
        let refuse = |value: String| {
            let allowed = "items whose context has a token at least, all of them the tokenizer's";
            Err(Error::refused(Problem::new("downstream.tasks", value, allowed, "Change the item or the tokenizer.")))
        };
        let mut tokens = tokens.into_iter();
        let (mut rows, mut distances) = (vec![], vec![]);
        for TaskItems { task, items, .. } in &tasks {
            for (i, item) in items.iter().enumerate() {
                let before = tokens.next().unwrap_or_default().len();
                let told = item.fact.map(|_| tokens.next().unwrap_or_default().len());
                distances.push(told.map(|told| before.saturating_sub(told)));
                for choice in &item.choices {
                    let whole = tokens.next().unwrap_or_default();
                    if before == 0 || whole.len() < 2 || whole.iter().any(|&id| id as usize >= vocabulary) {
                        return refuse(format!("{}, item {}: no tokens of {choice:?}", Task::name(*task), i + 1));
                    }
                    rows.push(row(whole, before, context, item.choices.len() == 1));
                }
            }
        }
        if tokens.next().is_some() {
            return refuse("tokens of other items".to_owned());
        }
        Ok(Self { tasks, rows, distances })
    }
}

/// `before`: how many tokens the context has by itself.
fn row(mut tokens: Vec<u32>, before: usize, context: usize, alone: bool) -> Row {
    let first = before.min(tokens.len() - 1);
    let cut = tokens.len().saturating_sub(context + 1);
    tokens.drain(..cut);
    Row { candidate: first.saturating_sub(cut).max(1)..tokens.len(), tokens, alone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Tokenizer, TokenizerKind};

    fn task(context: &str, choices: &[&str]) -> Vec<TaskItems> {
        let choices = choices.iter().map(|&choice| choice.to_owned()).collect();
        let item = Item { context: context.to_owned(), choices, answer: 0, distance: None, fact: None };
        vec![TaskItems { task: Task::Own, items: vec![item], dropped: 0 }]
    }

    fn exam(tasks: Vec<TaskItems>, context: usize) -> Result<Vec<Row>> {
        let bytes = Tokenizer::train(TokenizerKind::Bytes, "").unwrap();
        let tokens = texts(&tasks).iter().map(|text| bytes.encode(text).unwrap()).collect();
        Exam::new(tasks, tokens, context, 256).map(|exam| exam.rows)
    }

    #[test]
    fn distances_are_counted_in_tokens() {
        let mut tasks = task("The cat hid. Then it slept in the", &[" sun.", " box."]);
        tasks[0].items[0].fact = Some(12);
        tasks.extend(task("The dog ran to the", &[" sun.", " box."]));
        let bytes = Tokenizer::train(TokenizerKind::Bytes, "").unwrap();
        let tokens: Tokenised = texts(&tasks).iter().map(|text| bytes.encode(text).unwrap()).collect();
        assert_eq!(tokens.len(), 7, "two contexts, one up to its fact, four with a choice");
        let exam = Exam::new(tasks, tokens, 64, 256).unwrap();
        assert_eq!(exam.distances, [Some(21), None]);
        assert_eq!((exam.rows.len(), exam.rows[0].tokens.len()), (4, 38));
    }

    #[test]
    fn candidates_are_what_follows_the_context() {
        let rows = exam(task("a bag", &[" b.", " cc."]), 64).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].tokens.as_slice(), rows[0].candidate.clone()), (&b"a bag b.".map(u32::from)[..], 5..8));
        assert_eq!((rows[1].candidate.clone(), rows[1].alone), (5..9, false));
        // Blanks at the end go to the candidate.
        let rows = exam(task("a bag  ", &["b."]), 64).unwrap();
        assert_eq!((rows[0].tokens.len(), rows[0].candidate.clone(), rows[0].alone), (9, 5..9, true));
    }

    #[test]
    fn what_is_too_long_is_cut_from_the_left() {
        let row = |context| exam(task("abcdef", &[" gh"]), context).unwrap().swap_remove(0);
        assert_eq!((row(8).tokens.len(), row(8).candidate), (9, 6..9));
        assert_eq!((row(7).tokens[0], row(7).candidate), (u32::from(b'b'), 5..8));
        assert_eq!((row(3).tokens.len(), row(3).candidate), (4, 1..4));
        // Longer than the context by itself: what is left of it.
        assert_eq!((row(2).tokens.len(), row(2).candidate), (3, 1..3));
    }

    #[test]
    fn a_merge_across_the_border_leaves_the_candidate_a_token() {
        // "ab" and " c" encoded together are three tokens, the context by itself is two or three.
        let tokens = |before: usize| vec![vec![1; before], vec![7, 8, 9]];
        let candidate =
            |before| Exam::new(task("ab", &[" c"]), tokens(before), 64, 10).unwrap().rows.swap_remove(0).candidate;
        assert_eq!([candidate(1), candidate(2), candidate(3)], [1..3, 2..3, 2..3]);
    }

    #[test]
    fn tokens_that_are_not_of_the_items_are_refused() {
        for tokens in [
            vec![],
            vec![vec![1]],
            vec![vec![], vec![1, 2]],
            vec![vec![1], vec![2]],
            vec![vec![1], vec![1, 256]],
            vec![vec![1], vec![1, 2], vec![1, 2]],
        ] {
            let result = Exam::new(task("a", &["b"]), tokens.clone(), 64, 256);
            assert!(result.is_err(), "{tokens:?}");
        }
    }
}

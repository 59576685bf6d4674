//! A visitor's own questions, from a file of JSON Lines.

use serde::Deserialize;

use super::Item;
use crate::error::{Error, Problem, Result};

/// Limits of a file, so that no file takes for ever.
pub const LARGEST_FILE: usize = 16 << 20;
const MOST_LINES: usize = 20_000;
const MOST_CHOICES: usize = 20;
const LONGEST_CONTEXT: usize = 64 << 10;
const LONGEST_CHOICE: usize = 1 << 10;

/// Questions that a visitor brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTasks {
    pub items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    context: String,
    choices: Vec<String>,
    answer: usize,
}

impl OwnTasks {
    /// # Errors
    /// The first few lines that cannot be used, each by its number.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |value: String, allowed: String, advice: &str| {
            Err(Error::refused(Problem::new("downstream.tasks", value, allowed, advice)))
        };
        if text.len() > LARGEST_FILE {
            let value = format!("a file of {} bytes", text.len());
            return refuse(value, format!("at most {LARGEST_FILE} bytes"), "Take a part of the questions.");
        }
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let lines: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
        if !(1..=MOST_LINES).contains(&lines.len()) {
            let value = format!("a file of {} questions", lines.len());
            return refuse(value, format!("1 to {MOST_LINES}, a line each"), "Write at least one, or take a part.");
        }
        let (mut items, mut problems) = (vec![], vec![]);
        for (number, line) in lines {
            match item(line) {
                Ok(item) => items.push(item),
                Err(Problem { field, value, allowed, advice, .. }) => {
                    let value = format!("{value} in line {} of the own tasks", number + 1);
                    problems.push(Problem::new(field, value, allowed, advice));
                }
            }
            if problems.len() == 3 {
                break;
            }
        }
        if problems.is_empty() { Ok(Self { items }) } else { Err(Error::Refused(problems)) }
    }
}

fn item(line: &str) -> Result<Item, Problem> {
    let Line { context, choices, answer } = serde_json::from_str(line).map_err(|error| {
        let allowed = "{\"context\": \"…\", \"choices\": [\" one.\", \" another.\"], \"answer\": 0}";
        Problem::new("own tasks", error, allowed, "Write each question on one line, as JSON.")
    })?;
    let check = |good: bool, field: &str, value: String, allowed: &str, advice: &str| {
        if good { Ok(()) } else { Err(Problem::new(field, value, allowed, advice)) }
    };
    let bytes = |text: &str| format!("{} bytes long", text.len());
    let good = !context.trim().is_empty() && context.len() <= LONGEST_CONTEXT;
    check(good, "context", bytes(&context), "1 to 65,536 bytes, not only blanks", "Write what the model is to read.")?;
    let count = choices.len();
    let good = (1..=MOST_CHOICES).contains(&count);
    check(good, "choices", format!("a list of {count}"), "1 to 20 texts", "Offer at least the right answer.")?;
    for (i, choice) in choices.iter().enumerate() {
        let good = !choice.is_empty() && choice.len() <= LONGEST_CHOICE;
        check(good, "choices", bytes(choice), "texts of 1 to 1,024 bytes", "Write what the context may go on with.")?;
        let value = format!("{choice:?} twice");
        check(!choices[..i].contains(choice), "choices", value, "different texts", "Leave one out.")?;
    }
    let allowed = format!("0 to {}: which choice is right, counted from 0", count - 1);
    check(answer < count, "answer", answer.to_string(), &allowed, "Name one of the choices by its place.")?;
    Ok(Item { context, choices, answer, distance: None, fact: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_lines_become_items() {
        let text = concat!(
            "\u{FEFF}{\"context\": \"Two and two make\", \"choices\": [\" four.\", \" five.\"], \"answer\": 0}\r\n",
            "\n",
            "  {\"answer\": 0, \"choices\": [\" Ä\"], \"context\": \"Sag \"}  \n",
        );
        let OwnTasks { items } = OwnTasks::parse(text).unwrap();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].choices, [" four.", " five."]);
        assert_eq!((items[1].context.as_str(), items[1].answer, items[1].distance), ("Sag ", 0, None));
    }

    #[test]
    fn bad_lines_are_named_with_what_is_wrong() {
        let good = r#"{"context": "a", "choices": ["b", "c"], "answer": 1}"#;
        let long = format!(r#"{{"context": "a", "choices": ["{}"], "answer": 0}}"#, "b".repeat(2000));
        for (line, field, says) in [
            ("{", "own tasks", "EOF"),
            ("3", "own tasks", "invalid type"),
            (r#"{"context": "a", "choices": ["b"]}"#, "own tasks", "missing field `answer`"),
            (r#"{"context": "a", "choices": ["b"], "answer": 0, "x": 1}"#, "own tasks", "unknown field `x`"),
            (r#"{"context": " ", "choices": ["b"], "answer": 0}"#, "context", "not only blanks"),
            (r#"{"context": "a", "choices": [], "answer": 0}"#, "choices", "1 to 20"),
            (r#"{"context": "a", "choices": [""], "answer": 0}"#, "choices", "0 bytes long"),
            (long.as_str(), "choices", "2000 bytes long"),
            (r#"{"context": "a", "choices": ["b", "b"], "answer": 0}"#, "choices", "\"b\" twice"),
            (r#"{"context": "a", "choices": ["b", "c"], "answer": 2}"#, "answer", "0 to 1"),
            (r#"{"context": "a", "choices": ["b", "c"], "answer": -1}"#, "own tasks", "-1"),
        ] {
            let text = format!("{good}\n\n{line}\n{good}");
            let Err(Error::Refused(problems)) = OwnTasks::parse(&text) else { panic!("accepted: {line}") };
            assert_eq!((problems.len(), problems[0].field.as_str()), (1, field), "{line}");
            let told = problems[0].to_string();
            assert!(told.contains(says) && told.contains("in line 3") && !problems[0].advice.is_empty(), "{told}");
        }
    }

    #[test]
    fn files_have_limits() {
        let line = "{\"context\": \"a\", \"choices\": [\"b\"], \"answer\": 0}\n";
        assert_eq!(OwnTasks::parse(&line.repeat(MOST_LINES)).unwrap().items.len(), MOST_LINES);
        for text in ["", "\n \n", &line.repeat(MOST_LINES + 1), &" ".repeat(LARGEST_FILE + 1)] {
            assert!(OwnTasks::parse(text).is_err());
        }
        let Err(Error::Refused(problems)) = OwnTasks::parse(&"x\n".repeat(9)) else { panic!("accepted") };
        assert_eq!(problems.len(), 3, "enough to see what is wrong");
    }
}

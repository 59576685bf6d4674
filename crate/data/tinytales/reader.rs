//! A reader that knows nothing of events: it takes a story's plain text, keeps track of what the sentences say, and
//! checks every sentence whose end follows from what came before. For tests.

use std::collections::{HashMap, HashSet};

use super::words::{FOODS, NUMBERS};

#[derive(Default)]
pub struct Reader {
    holder: HashMap<String, String>,
    container: HashMap<String, String>,
    count: HashMap<(String, String), usize>,
    name: HashMap<String, String>,
    subject: String,
    /// How many answers of each kind were found to be right.
    pub checked: HashMap<&'static str, usize>,
}

impl Reader {
    pub fn read(&mut self, story: &str, people: &HashSet<&str>) {
        for sentence in story.split_inclusive(". ") {
            let words: Vec<&str> =
                sentence.split(' ').map(|word| word.trim_matches(|c: char| !c.is_alphabetic())).collect();
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            if sentence.starts_with('"') || words.len() < 3 {
                self.remember_subject(&words, people);
                continue;
            }
            self.sentence(&words);
            self.remember_subject(&words, people);
        }
    }

    fn remember_subject(&mut self, words: &[&str], people: &HashSet<&str>) {
        let named: Vec<&str> = words.iter().copied().filter(|word| people.contains(word)).collect();
        match named[..] {
            [one] => self.subject = one.into(),
            [] if ["He", "She"].contains(&words[0]) => {}
            _ => self.subject.clear(),
        }
    }

    fn sentence(&mut self, words: &[&str]) {
        let line = words.join(" ");
        let last = words[words.len() - 1].to_string();
        // The one or two words that a sentence begins with: "Tom", "The dog", "He".
        let (who, rest) = match words {
            ["He" | "She", rest @ ..] => {
                assert!(!self.subject.is_empty(), "who is meant? {line}");
                (self.subject.clone(), rest)
            }
            ["The", animal, rest @ ..] => (animal.to_string(), rest),
            ["Somebody", "gave", who, rest @ ..] => (who.to_string(), rest),
            ["Later", "the", animal, rest @ ..] => (animal.to_string(), rest),
            ["Now" | "Later", who, rest @ ..] | ["In", "the", "end", who, rest @ ..] if *who != "the" => {
                (who.to_string(), rest)
            }
            [who, rest @ ..] => (who.to_string(), rest),
            [] => return,
        };
        let number = |word: &str| NUMBERS.iter().position(|&number| number == word);
        let food = |word: &str| {
            FOODS.iter().find(|food| [food.one, food.many].contains(&word)).expect("a food").one.to_string()
        };
        match rest {
            ["had" | "carried", "a" | "an", _, thing] | ["picked", "up", "a" | "an", _, thing] => {
                self.holder.insert(thing.to_string(), who);
            }
            ["gave" | "handed", "the", thing, "to", ..] => {
                assert_eq!(self.holder.insert(thing.to_string(), last), Some(who), "{line}");
            }
            ["took", "the", thing, "from", ..] => {
                assert_eq!(self.holder.insert(thing.to_string(), who), Some(last), "{line}");
            }
            ["put" | "hid" | "left", .., thing, "in", "the", container] => {
                assert_eq!(self.container.insert(thing.to_string(), container.to_string()), None, "{line}");
            }
            ["found", "the", thing, "in", "the", container]
            | ["looked", "for", "the", thing, "in", "the", container]
            | ["remembered", "that", "the", thing, "was", "in", "the", container] => {
                self.check("place", self.container[*thing] == *container, &line);
            }
            ["called", "the", animal, name] => {
                assert_eq!(self.name.insert(animal.to_string(), name.to_string()), None, "{line}");
            }
            ["was", "called", name] => {
                assert_eq!(self.name.insert(who, name.to_string()), None, "{line}");
            }
            ["of", "the", animal, "was", name] if who == "name" => {
                assert_eq!(self.name.insert(animal.to_string(), name.to_string()), None, "{line}");
            }
            ["remembered", "that", "the", "name", "of", "the", animal, "was", name]
            | ["knew", "that", "the", animal, "was", "called", name] => {
                self.check("name", self.name[*animal] == *name, &line);
            }
            [_, "saw", "the", animal, "he" | "she", "shouted", name] => {
                self.check("name", self.name[*animal] == *name, &line);
            }
            ["counted", amount, what] if number(amount).is_some() => {
                let known = self.count[&(who, food(what))];
                self.check("count", Some(known) == number(amount), &line);
            }
            ["had" | "picked" | "brought", amount, what] if number(amount).is_some() => {
                let amount = number(amount).unwrap();
                let key = (who, food(what));
                if ["Now", "In"].contains(&words[0]) {
                    self.check("count", self.count[&key] == amount, &line);
                } else {
                    assert_eq!(self.count.insert(key, amount), None, "{line}");
                }
            }
            ["found" | "got", amount, "more", what] | [amount, "more", what] if number(amount).is_some() => {
                *self.count.get_mut(&(who, food(what))).unwrap() += number(amount).unwrap();
            }
            ["ate" | "lost", amount, what] | ["gave", "away", amount, what] if number(amount).is_some() => {
                *self.count.get_mut(&(who, food(what))).unwrap() -= number(amount).unwrap();
            }
            _ => {
                for start in ["In the end the ", "After that the ", "So the one who had the "] {
                    if let Some(thing) = line.strip_prefix(start).and_then(|rest| rest.split(' ').next()) {
                        self.check("holder", self.holder[thing] == last, &line);
                    }
                }
            }
        }
    }

    fn check(&mut self, kind: &'static str, right: bool, line: &str) {
        assert!(right, "not what the story said: {line}");
        *self.checked.entry(kind).or_default() += 1;
    }
}

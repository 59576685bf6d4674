//! Exercises: short documents that practise what stories alone do not teach within a small budget. Mixed into a text
//! they are training data; the tasks of the same names ask for the same with answers that are left out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tinytales::cast::Cast;
use super::tinytales::plot::{Plot, take};
use super::tinytales::words::{ANIMALS, THINGS};
use super::tinytales::{Event, Story};
use crate::random::Random;

/// What documents between the stories practise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Practice {
    /// Animals are given made-up names, and these are asked for again and again, soon at first.
    Recall,
    /// Pairs of words, one to four of them, asked for again and again, soon at first: “dog: lamp. dog: lamp. cow: key. dog:
    /// lamp.”
    KeyValue,
    /// Strings of 2 to 20 letters, written twice: “Copy kdfaq: kdfaq.”
    Copy,
    /// Strings of 2 to 20 letters, and backwards: “Reverse kdfaq: qafdk.”
    Reverse,
}

/// The most pairs that are told in one document.
const MOST_PAIRS: u32 = 4;
/// The longest string that is copied or reversed while training.
pub const LONGEST_PRACTISED: usize = 20;

impl Practice {
    /// One line, shorter than a story can be.
    pub fn document(self, random: &mut Random) -> String {
        match self {
            Self::Recall => recall(random),
            Self::KeyValue => key_value(random),
            Self::Copy | Self::Reverse => {
                let length = 2 + random.below(LONGEST_PRACTISED as u32 - 1) as usize;
                self.string(length, random).concat()
            }
        }
    }

    /// A string of letters to be copied, or to be reversed: the question and its answer.
    pub fn string(self, length: usize, random: &mut Random) -> [String; 2] {
        let letters: String = (0..length).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
        match self {
            Self::Reverse => {
                let reversed: String = letters.chars().rev().collect();
                [format!("Reverse {letters}:"), format!(" {reversed}.")]
            }
            _ => [format!("Copy {letters}:"), format!(" {letters}.")],
        }
    }
}

/// Each animal is named, and one of those that have a name by then is remembered; at the end all are.
fn recall(random: &mut Random) -> String {
    let mut cast = Cast::draw(random);
    let mut animals = ANIMALS.to_vec();
    cast.animals = (0..2 + random.below(3)).map(|_| take(&mut animals, random)).collect();
    let mut plot = Plot::new(&cast);
    let mut events: Vec<Event> = vec![];
    for i in 0..cast.animals.len() {
        plot.call(cast.animals[i], &mut events, random);
        plot.remember(cast.animals[random.below(i as u32 + 1) as usize], &mut events, random);
    }
    let mut left = cast.animals.clone();
    while !left.is_empty() {
        plot.remember(take(&mut left, random), &mut events, random);
    }
    Story::tell(cast, events, random).render().0
}

/// After each pair one of those that are known by then is told again; at the end all are.
fn key_value(random: &mut Random) -> String {
    let pairs = Pairs::draw(1 + random.below(MOST_PAIRS) as usize, random);
    let mut told: Vec<usize> = vec![];
    for i in 0..pairs.0.len() {
        told.extend([i, random.below(i as u32 + 1) as usize]);
    }
    let mut left: Vec<usize> = (0..pairs.0.len()).collect();
    while !left.is_empty() {
        told.push(take(&mut left, random));
    }
    let told: Vec<String> = told.into_iter().map(|i| pairs.question(i).concat()).collect();
    told.join(" ")
}

/// Animals and the things that stand for them here, each once: multi-query associative recall (Arora et al. 2023,
/// arXiv 2312.04927).
pub struct Pairs(pub Vec<[&'static str; 2]>);

impl Pairs {
    pub fn draw(count: usize, random: &mut Random) -> Self {
        let mut keys: Vec<&str> = ANIMALS.iter().map(|animal| animal.one).collect();
        let mut values = THINGS.to_vec();
        Self((0..count).map(|_| [take(&mut keys, random), take(&mut values, random)]).collect())
    }

    /// All of them, for the first time.
    pub fn told(&self) -> String {
        self.told_to(self.0.len())
    }

    /// The first so many of them.
    pub fn told_to(&self, count: usize) -> String {
        let told: Vec<String> = (0..count).map(|i| self.question(i).concat()).collect();
        told.join(" ")
    }

    /// The question for one of them, and its answer.
    pub fn question(&self, i: usize) -> [String; 2] {
        let [key, value] = self.0[i];
        [format!("{key}:"), format!(" {value}.")]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::data::STORY_LIMIT;
    use crate::data::tinytales::reader::Reader;
    use crate::random::Stream;

    fn documents(practice: Practice) -> Vec<String> {
        (0..500).map(|i| practice.document(&mut Random::new(5, Stream::Practice(i)))).collect()
    }

    #[test]
    fn documents_are_one_short_line_and_different() {
        for practice in [Practice::Recall, Practice::KeyValue, Practice::Copy, Practice::Reverse] {
            let documents = documents(practice);
            for document in &documents {
                assert!(document.len() + 2 < STORY_LIMIT && !document.contains('\n'), "{document}");
                assert!(document.ends_with('.') && document.is_ascii(), "{document}");
            }
            assert!(documents.iter().collect::<HashSet<_>>().len() > 450, "{practice:?}");
        }
    }

    #[test]
    fn names_are_remembered_rightly() {
        let mut checked = 0;
        for document in documents(Practice::Recall) {
            let mut reader = Reader::default();
            reader.read(&document, &HashSet::new());
            assert!(reader.checked["name"] >= 4, "{document}");
            checked += reader.checked["name"];
        }
        assert!(checked > 2500, "{checked}");
    }

    #[test]
    fn values_follow_their_keys() {
        let mut counts = HashSet::new();
        for document in documents(Practice::KeyValue) {
            let mut known = HashMap::new();
            let mut asked = 0;
            for pair in document.split_inclusive('.') {
                let (key, value) = pair.trim().split_once(": ").unwrap();
                if let Some(before) = known.insert(key, value) {
                    assert_eq!(before, value, "{document}");
                    asked += 1;
                }
            }
            assert_eq!(asked, 2 * known.len(), "{document}");
            counts.insert(known.len());
        }
        assert_eq!(counts, HashSet::from([1, 2, 3, 4]));
    }

    #[test]
    fn strings_are_copied_and_reversed() {
        let mut lengths = HashSet::new();
        for practice in [Practice::Copy, Practice::Reverse] {
            for document in documents(practice) {
                let (question, answer) = document.trim_end_matches('.').split_once(": ").unwrap();
                let string = question.split_once(' ').unwrap().1;
                let mut expected: Vec<char> = string.chars().collect();
                if practice == Practice::Reverse {
                    expected.reverse();
                }
                assert_eq!(answer.chars().collect::<Vec<_>>(), expected);
                lengths.insert(string.len());
            }
        }
        assert_eq!((lengths.iter().min(), lengths.iter().max()), (Some(&2), Some(&LONGEST_PRACTISED)));
    }
}

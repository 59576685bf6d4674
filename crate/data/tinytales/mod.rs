//! TinyTales: simple children's stories, made up by a seeded generator that knows what is true in them.
//!
//! - [`words`]: what the stories are made of
//! - [`world`]: what can happen, and what is true after it
//! - [`cast`]: who is in a story
//! - [`plot`]: threads of events
//! - [`scenes`]: openings, fillers and closings
//! - [`sentences`]: how an event is told, and where in the telling an answer begins
//! - [`story`]: all this woven into one text
//!
//! Anything that asks a model what it understood is made from the same parts: a [`Story`] out of chosen events, its
//! text up to an answer's place as the question, the same sentence told of other events as the wrong answers.

pub mod cast;
pub mod plot;
#[cfg(test)]
pub mod reader;
pub mod scenes;
pub mod sentences;
pub mod story;
pub mod words;
pub mod world;

pub use sentences::Sentence;
pub use story::{Fact, STORY_LIMIT, Story};
pub use world::{Being, Event, World};

use super::practice::Practice;
use crate::random::{Random, Stream};

/// What separates documents, here and in any text of several documents: a blank line.
pub const DOCUMENT_END: &str = "\n\n";

/// Whole stories, at least `bytes` of them and less than one story more. The stories of a seed are always the
/// same: a longer text begins with the shorter one.
pub fn tiny_tales(bytes: usize, seed: u64) -> String {
    tiny_tales_with(&[], 0.0, bytes, seed)
}

/// The same with exercises between the stories, which take about `share` of the text.
pub fn tiny_tales_with(practice: &[Practice], share: f64, bytes: usize, seed: u64) -> String {
    let mut text = String::with_capacity(bytes + STORY_LIMIT);
    let (mut stories, mut exercises, mut practised) = (0, 0, 0);
    while text.len() < bytes {
        let begin = text.len();
        if !practice.is_empty() && (practised as f64) < share * begin as f64 {
            let mut random = Random::new(seed, Stream::Practice(exercises));
            text += &random.choose(practice).document(&mut random);
            exercises += 1;
            practised += text.len() + DOCUMENT_END.len() - begin;
        } else {
            text += &Story::draw(&mut Random::new(seed, Stream::Text(stories))).render().0;
            stories += 1;
        }
        text += DOCUMENT_END;
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::words::{BOYS, CONTAINERS, GIRLS, THINGS};
    use super::*;
    use crate::data::Task;

    fn stories(n: u32) -> impl Iterator<Item = Story> {
        (0..n).map(|number| Story::draw(&mut Random::new(11, Stream::Text(number))))
    }

    #[test]
    fn a_seed_is_a_text_and_a_longer_text_begins_with_the_shorter() {
        let text = tiny_tales(20_000, 5);
        assert_eq!(text, tiny_tales(20_000, 5));
        assert!(tiny_tales(50_000, 5).starts_with(&text));
        assert_ne!(text[..100], tiny_tales(20_000, 6)[..100]);
        assert_eq!(tiny_tales(0, 5), "");
    }

    #[test]
    fn exercises_take_their_share_and_leave_the_stories_as_they_are() {
        let practice = [Practice::Recall, Practice::Copy];
        let text = tiny_tales_with(&practice, 0.25, 200_000, 5);
        assert!(tiny_tales_with(&practice, 0.25, 300_000, 5).starts_with(&text));
        let is_exercise = |document: &&str| {
            document.starts_with("Copy ") || document.starts_with("The name of") || document.contains(" called ")
        };
        let is_story = |document: &&str| STARTS.iter().any(|start| document.contains(start));
        let documents = || text.split_terminator(DOCUMENT_END);
        let stories: Vec<&str> = documents().filter(is_story).collect();
        let pure = tiny_tales(200_000, 5);
        assert!(pure.starts_with(&stories.join(DOCUMENT_END)));
        let rest: Vec<&str> = documents().filter(|document| !is_story(document)).collect();
        assert!(rest.iter().all(is_exercise), "{rest:?}");
        let share = rest.iter().map(|document| document.len() + 2).sum::<usize>() as f64 / text.len() as f64;
        assert!((0.24..0.26).contains(&share), "{share}");
        assert_eq!(tiny_tales_with(&[], 0.5, 20_000, 5), tiny_tales(20_000, 5));
    }

    /// Every story has one of these, and no exercise.
    const STARTS: [&str; 3] = [" went ", " on their way ", " took "];

    #[test]
    fn documents_are_short_plain_and_different() {
        let text = tiny_tales(1_000_000, 1);
        assert!((1_000_000..1_000_000 + STORY_LIMIT).contains(&text.len()));
        assert!(text.is_ascii() && text.ends_with(DOCUMENT_END));
        let documents: Vec<&str> = text.split_terminator(DOCUMENT_END).collect();
        for document in &documents {
            assert!((150..1000).contains(&document.len()), "{document}");
            assert!(!document.contains('\n'));
        }
        assert_eq!(documents.iter().collect::<HashSet<_>>().len(), documents.len());
    }

    #[test]
    fn the_small_words_are_right() {
        for document in tiny_tales(500_000, 2).split_terminator(DOCUMENT_END) {
            let words: Vec<&str> = document.split(' ').map(|word| word.trim_matches('"')).collect();
            for pair in words.windows(2) {
                let vowel = pair[1].starts_with(['a', 'e', 'i', 'o', 'u']);
                let wrong = match pair[0] {
                    "a" | "A" => vowel,
                    "an" | "An" => !vowel,
                    "one" => pair[1].starts_with(|c: char| c.is_uppercase()),
                    word => word == pair[1] || word.ends_with('.') && pair[1].starts_with(|c: char| c.is_lowercase()),
                };
                assert!(!wrong, "{} in: {document}", pair.join(" "));
                assert!(!pair.contains(&""), "two spaces in: {document}");
            }
        }
    }

    /// Nobody does something with themselves, and no scene is about "the old hut near the old hut".
    #[test]
    fn scenes_do_not_repeat_themselves() {
        let nouns = words::SIGHTS.iter().chain(&words::ANIMALS).flat_map(|noun| [noun.one, noun.many]);
        let names = GIRLS.into_iter().chain(BOYS);
        let words: HashSet<&str> = nouns.chain(names).chain(words::LOOKS).chain(words::MOODS).collect();
        for story in stories(1000) {
            for sentence in &story.sentences {
                if let Event::Scene { text, .. } = &sentence.event {
                    let mut told = HashSet::new();
                    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| words.contains(word)) {
                        assert!(told.insert(word), "{word} twice in: {text}");
                    }
                }
            }
        }
    }

    /// In the order of the telling, each event must be possible, and what is told of the state of things true.
    #[test]
    fn stories_are_true_in_their_world() {
        for story in stories(2000) {
            let mut world = World::default();
            for sentence in &story.sentences {
                assert!(world.apply(&sentence.event), "{:?} in: {}", sentence.event, story.render().0);
            }
        }
    }

    /// The same from the text alone.
    #[test]
    fn stories_are_true_to_a_reader() {
        let people: HashSet<&str> = GIRLS.into_iter().chain(BOYS).collect();
        let mut checked = std::collections::HashMap::new();
        for document in tiny_tales(700_000, 3).split_terminator(DOCUMENT_END) {
            let mut reader = reader::Reader::default();
            reader.read(document, &people);
            reader.checked.into_iter().for_each(|(kind, n)| *checked.entry(kind).or_insert(0) += n);
        }
        for kind in ["place", "holder", "count", "name"] {
            assert!(checked[kind] > 400, "{kind}: {checked:?}");
        }
    }

    #[test]
    fn facts_point_at_their_answers() {
        let mut seen = Vec::new();
        for story in stories(300) {
            let (text, facts) = story.render();
            for fact in facts {
                let expected = match &story.sentences[fact.sentence].event {
                    Event::Find { container, .. } => format!(" {container}."),
                    Event::Keep { who, .. } => {
                        let mut name = String::from(" ");
                        who.write(&mut name);
                        name + "."
                    }
                    Event::Total { food, count, .. } => format!(" {}.", world::number_of(*food, *count, "")),
                    Event::Recall { name, .. } => format!(" {}.", name.concat()),
                    Event::Look { subject, look, .. } => format!(" {} {look}.", subject.was()),
                    other => panic!("{other:?} has no answer"),
                };
                assert_eq!(text[fact.answer.clone()], expected);
                seen.push(fact.task);
            }
        }
        for task in [Task::Cloze, Task::Agreement, Task::Count, Task::Tracking, Task::Recall] {
            assert!(seen.iter().filter(|&&other| other == task).count() > 100, "{task:?} is rare");
        }
    }

    #[test]
    fn answers_cannot_be_confused() {
        let lists = [&THINGS[..], &CONTAINERS, &GIRLS, &BOYS].concat();
        assert_eq!(lists.iter().collect::<HashSet<_>>().len(), lists.len());
        let names: HashSet<String> =
            words::NAME_STARTS.iter().flat_map(|start| words::NAME_ENDS.map(|end| format!("{start}{end}"))).collect();
        assert_eq!(names.len(), 256);
        assert!(GIRLS.iter().chain(&BOYS).all(|&person| !names.contains(person)));
    }
}

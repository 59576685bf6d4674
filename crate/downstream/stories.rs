//! Questions about stories: a story up to a place where what comes next follows from what came before, and the same
//! sentence told of other events as the wrong answers.

use super::Item;
use crate::config::Task;
use crate::data::tinytales::plot::take;
use crate::data::tinytales::words::{CONTAINERS, NUMBERS};
use crate::data::tinytales::world::Counted;
use crate::data::tinytales::{Event, Fact, Sentence, Story};
use crate::random::Random;

/// Wrong answers, but for "was" and "were".
const WRONG: usize = 3;

/// Draws a story and asks about it, where the story has something to ask that is hard enough.
pub fn item(task: Task, random: &mut Random) -> Option<Item> {
    let story = Story::draw(random);
    let (text, facts) = story.render();
    let facts: Vec<&Fact> = facts.iter().filter(|fact| fact.task == task).collect();
    if facts.is_empty() {
        return None;
    }
    let Fact { sentence, ref answer, .. } = **random.choose(&facts);
    let wrong = wrong(&story, sentence, random)?.into_iter().map(|event| ending(&story, sentence, event)).collect();
    let decided_by = decided_by(&story, sentence);
    // By the sentence itself, where by none before.
    let distance = decided_by.map_or(0, |before| sentence - before - 1);
    let context = text[..answer.start].to_owned();
    let fact = match decided_by {
        Some(before) => Some(story.told_to(before).len()),
        None => subject_end(&story, sentence, &context),
    };
    let item = Item::shuffled(context, text[answer.clone()].to_owned(), wrong, distance, random);
    Some(Item { fact, ..item })
}

/// What else could have happened in place of a sentence's event: as likely as the truth to someone who has not paid
/// attention, and as long. None where the story offers too little.
fn wrong(story: &Story, sentence: usize, random: &mut Random) -> Option<Vec<Event>> {
    let truth = &story.sentences[sentence].event;
    let with = |change: &dyn Fn(&mut Event)| {
        let mut event = truth.clone();
        change(&mut event);
        event
    };
    let before = || story.sentences[..sentence].iter().map(|sentence| &sentence.event);
    match *truth {
        // Containers of the story first.
        Event::Find { container: right, .. } => {
            let told = before().filter_map(|event| match event {
                Event::Put { container, .. } if *container != right => Some(*container),
                _ => None,
            });
            let told: Vec<_> = told.collect();
            let new = CONTAINERS.into_iter().filter(|other| *other != right && !told.contains(other)).collect();
            let containers = some(told.clone(), new, random);
            let other = |new| {
                with(&|event| {
                    if let Event::Find { container, .. } = event {
                        *container = new
                    }
                })
            };
            Some(containers.into_iter().map(other).collect())
        }
        Event::Look { subject, .. } => {
            let other = Counted { plural: !subject.plural, ..subject };
            Some(vec![with(&|event| {
                if let Event::Look { subject, .. } = event {
                    *subject = other
                }
            })])
        }
        // Four numbers in a row, so that none is the likelier for being middling.
        Event::Total { count: right, .. } => {
            let least = right.saturating_sub(random.below(WRONG as u32 + 1) as usize);
            let least = least.clamp(1, NUMBERS.len() - 1 - WRONG);
            let others = (least..=least + WRONG).filter(|&other| other != right);
            let other = |new| {
                with(&|event| {
                    if let Event::Total { count, .. } = event {
                        *count = new
                    }
                })
            };
            Some(others.map(other).collect())
        }
        // All of the story, so that knowing who is in it does not help.
        Event::Keep { who: right, .. } => {
            let others: Vec<_> = story.cast.beings().into_iter().filter(|being| *being != right).collect();
            if others.len() < WRONG {
                return None;
            }
            let other = |new| {
                with(&|event| {
                    if let Event::Keep { who, .. } = event {
                        *who = new
                    }
                })
            };
            Some(some(others, vec![], random).into_iter().map(other).collect())
        }
        Event::Recall { animal: asked, .. } => {
            let others = before().filter_map(|event| match event {
                Event::Call { animal, name } if *animal != asked => Some(*name),
                _ => None,
            });
            let others: Vec<_> = others.collect();
            let other = |new| {
                with(&|event| {
                    if let Event::Recall { name, .. } = event {
                        *name = new
                    }
                })
            };
            (others.len() == WRONG).then(|| others.into_iter().map(other).collect())
        }
        _ => None,
    }
}

/// Three of the first ones, and of the second ones where these do not suffice.
fn some<T>(mut first: Vec<T>, mut second: Vec<T>, random: &mut Random) -> Vec<T> {
    let draw = |_| take(if first.is_empty() { &mut second } else { &mut first }, random);
    (0..WRONG).map(draw).collect()
}

/// How the sentence would end if it told of this event.
fn ending(story: &Story, sentence: usize, event: Event) -> String {
    let mut text = String::new();
    let told = Sentence { event, template: story.sentences[sentence].template };
    let before = sentence.checked_sub(1).map(|before| &story.sentences[before]);
    let answer = told.write(before, &mut text).expect("it has an answer, as the true one has");
    text.split_off(answer)
}

/// The last sentence before this one that says what its answer is.
fn decided_by(story: &Story, sentence: usize) -> Option<usize> {
    let decides = |before: &Sentence| match (&story.sentences[sentence].event, &before.event) {
        (Event::Find { thing: asked, .. }, Event::Put { thing, .. })
        | (Event::Keep { thing: asked, .. }, Event::Give { thing, .. }) => asked == thing,
        (
            Event::Total { who: asked, food: of, .. },
            Event::Own { who, food, .. } | Event::Gain { who, food, .. } | Event::Lose { who, food, .. },
        ) => (asked, of) == (who, food),
        (Event::Recall { animal: asked, .. }, Event::Call { animal, .. }) => asked == animal,
        _ => false,
    };
    story.sentences[..sentence].iter().rposition(decides)
}

/// Where in `context` the subject ends that the verb of a sentence has to agree with.
fn subject_end(story: &Story, sentence: usize, context: &str) -> Option<usize> {
    let Event::Look { subject, .. } = story.sentences[sentence].event else { return None };
    let begin = sentence.checked_sub(1).map_or(0, |before| story.told_to(before).len());
    // "The dogs near the cat", "the dogs": the first article's.
    let noun = format!("he {}", subject.word());
    context[begin..].find(&noun).map(|at| begin + at + noun.len())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::data::tinytales::reader::Reader;
    use crate::data::tinytales::words::{BOYS, GIRLS};
    use crate::random::Stream;

    fn items(task: Task) -> Vec<Item> {
        let mut drawn = (0..).filter_map(|i| item(task, &mut Random::new(3, Stream::Item(i))));
        drawn.by_ref().take(300).collect()
    }

    /// A reader that knows nothing of events finds each right answer true, and each wrong one not.
    #[test]
    fn the_right_answers_are_true_and_the_wrong_ones_are_not() {
        let people: HashSet<&str> = GIRLS.into_iter().chain(BOYS).collect();
        for (task, kind) in
            [(Task::Cloze, "place"), (Task::Count, "count"), (Task::Tracking, "holder"), (Task::Recall, "name")]
        {
            for item in items(task) {
                for (i, choice) in item.choices.iter().enumerate() {
                    let story = format!("{}{choice}", item.context);
                    let read = std::panic::catch_unwind(|| {
                        let mut reader = Reader::default();
                        reader.read(&story, &people);
                        reader.checked[kind]
                    });
                    assert_eq!(read.is_ok(), i == item.answer, "{choice} in: {story}");
                }
            }
        }
        let grammar = |item: &Item| {
            let subject = item.choices.iter().position(|choice| choice.starts_with(" were ")).unwrap();
            let [plural, answer] = [subject, item.answer];
            (item.context.clone(), plural == answer)
        };
        let many: HashSet<&str> = NOUNS.iter().map(|noun| noun.many).collect();
        for item in items(Task::Agreement) {
            let (context, is_plural) = grammar(&item);
            let sentence = context.rsplit(". ").next().unwrap();
            let noun = sentence.split(' ').find(|word| ALL.contains(word)).unwrap();
            assert_eq!(many.contains(noun), is_plural, "{context}");
        }
    }

    use std::sync::LazyLock;

    use crate::data::tinytales::words::{ANIMALS, Noun, SIGHTS};

    static NOUNS: LazyLock<Vec<Noun>> = LazyLock::new(|| ANIMALS.iter().chain(&SIGHTS).copied().collect());
    static ALL: LazyLock<HashSet<&str>> =
        LazyLock::new(|| NOUNS.iter().flat_map(|noun| [noun.one, noun.many]).collect());

    /// The sentence that decides ends where the item says: the last one up to there tells the answer, and those between
    /// it and the question are as many as the distance.
    #[test]
    fn facts_lie_where_items_say() {
        for task in [Task::Cloze, Task::Tracking, Task::Recall] {
            for item in items(task) {
                let (told, between) = item.context.split_at(item.fact.expect("a sentence decides"));
                let last = told.trim_end_matches('.').rsplit(". ").next().unwrap();
                let answer = item.choices[item.answer].trim_matches([' ', '.']);
                assert!(
                    told.ends_with('.') && last.to_lowercase().contains(&answer.to_lowercase()),
                    "{answer} in `{last}` of {}",
                    item.context
                );
                // A question and its answer are one filler.
                let answers = ["\"Yes, ", "\"No, "].map(|answer| between.matches(answer).count());
                let told = between.matches('.').count() - answers.iter().sum::<usize>();
                assert_eq!(told, item.distance.unwrap(), "{between}");
            }
        }
        assert!(items(Task::Count).iter().all(|item| item.fact < Some(item.context.len())));
        for item in items(Task::Agreement) {
            let (told, between) = item.context.split_at(item.fact.expect("a subject decides"));
            let subject = told.rsplit(' ').next().unwrap();
            assert!(ALL.contains(subject), "{subject} in {}", item.context);
            // The other noun of the sentence, if any, is told after it.
            let nouns = between.split(' ').filter(|word| ALL.contains(word)).count();
            assert!(nouns <= 1 && !between.contains('.'), "{between}");
        }
    }

    #[test]
    fn what_was_told_is_among_the_wrong_answers() {
        // Whoever is asked for, and all the others, are in the story.
        for task in [Task::Tracking, Task::Recall] {
            for item in items(task) {
                for choice in &item.choices {
                    let named = choice.trim_matches([' ', '.']).trim_start_matches("the ");
                    assert!(item.context.contains(named), "{choice} in {}", item.context);
                }
            }
        }
        // Numbers stand in a row, and the right one anywhere in it.
        let mut ranks = [0; 4];
        for item in items(Task::Count) {
            let number = |choice: &str| {
                let word = choice.split(' ').nth(1).unwrap();
                NUMBERS.iter().position(|number| *number == word).unwrap()
            };
            let mut numbers: Vec<usize> = item.choices.iter().map(|choice| number(choice)).collect();
            let right = numbers[item.answer];
            numbers.sort();
            assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]) && numbers[0] > 0, "{numbers:?}");
            ranks[numbers.iter().position(|&n| n == right).unwrap()] += 1;
        }
        assert!(ranks.iter().all(|&n| n > 40), "{ranks:?}");
    }
}

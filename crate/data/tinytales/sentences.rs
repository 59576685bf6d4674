//! How an event is told: several ways for each, with slots in braces.
//!
//! In the sentences whose end can be known, `|` stands where the knowing begins: what follows is the answer.

use super::words::Noun;
use super::world::{Being, Event, number_of};
use crate::data::Task;

impl Event {
    /// What its sentence asks of a reader, where its end can be known.
    pub fn task(&self) -> Option<Task> {
        match self {
            Self::Find { .. } => Some(Task::Cloze),
            Self::Look { .. } => Some(Task::Agreement),
            Self::Total { .. } => Some(Task::Count),
            Self::Keep { .. } => Some(Task::Tracking),
            Self::Recall { .. } => Some(Task::Recall),
            _ => None,
        }
    }

    /// The ways to tell it.
    pub fn templates(&self) -> &'static [&'static str] {
        match self {
            Self::Scene { .. } => &["{text}"],
            Self::Have { .. } => &[
                "{who} had {a} {look} {thing}.",
                "{who} carried {a} {look} {thing}.",
                "{who} picked up {a} {look} {thing}.",
            ],
            Self::Put { .. } => &[
                "{who} put {it} in the {container}.",
                "{who} hid {it} in the {container}.",
                "{who} left {it} in the {container}.",
            ],
            Self::Find { .. } => &[
                "{who} found the {thing} in the| {container}.",
                "{who} remembered that the {thing} was in the| {container}.",
                "Later, {who} looked for the {thing} in the| {container}.",
            ],
            Self::Give { .. } => &[
                "{from} gave the {thing} to {to}.",
                "{from} handed the {thing} to {to}.",
                "{to} took the {thing} from {from}.",
            ],
            Self::Keep { .. } => &[
                "In the end, the {thing} was with| {who}.",
                "After that, the {thing} belonged to| {who}.",
                "So the one who had the {thing} was| {who}.",
            ],
            Self::Own { .. } => &["{who} had {count}.", "{who} picked {count}.", "{who} brought {count}."],
            Self::Gain { .. } => &["{who} found {count}.", "{who} got {count}.", "Somebody gave {who} {count}."],
            Self::Lose { .. } => &["{who} ate {count}.", "{who} lost {count}.", "{who} gave away {count}."],
            Self::Total { .. } => {
                &["Now {who} had| {count}.", "In the end, {who} had| {count}.", "{who} counted| {count}."]
            }
            Self::Call { .. } => &[
                "The {animal} was called {name}.",
                "The name of the {animal} was {name}.",
                "Everyone called the {animal} {name}.",
            ],
            Self::Recall { .. } => &[
                "{who} knew that the {animal} was called| {name}.",
                "{who} remembered that the name of the {animal} was| {name}.",
                "When {who} saw the {animal}, {they} shouted| {name}.",
            ],
            Self::Look { place: None, .. } => {
                &["The {subject}| {was} {look}.", "All day long, the {subject}| {was} {look}."]
            }
            Self::Look { place: Some(_), .. } => &[
                "The {subject} {near} the {other}| {was} {look}.",
                "All day long, the {subject} {near} the {other}| {was} {look}.",
            ],
        }
    }

    fn slot(&self, slot: &str, out: &mut String) {
        match (self, slot) {
            (Self::Scene { text, .. }, "text") => out.push_str(text),
            (Self::Give { from: being, .. }, "from") | (Self::Give { to: being, .. }, "to") => being.write(out),
            (
                Self::Have { who, .. }
                | Self::Put { who, .. }
                | Self::Find { who, .. }
                | Self::Keep { who, .. }
                | Self::Own { who, .. }
                | Self::Gain { who, .. }
                | Self::Lose { who, .. }
                | Self::Total { who, .. }
                | Self::Recall { who, .. },
                "who",
            ) => who.write(out),
            (Self::Recall { who, .. }, "they") => out.push_str(who.pronoun()),
            (
                Self::Have { thing, .. }
                | Self::Put { thing, .. }
                | Self::Find { thing, .. }
                | Self::Give { thing, .. }
                | Self::Keep { thing, .. },
                "thing",
            ) => out.push_str(thing),
            (Self::Put { thing, new: None, .. }, "it") => *out += &format!("the {thing}"),
            (Self::Put { thing, new: Some(look), .. }, "it") => {
                fill_slots("{a} {look} {thing}", out, |slot, out| {
                    out.push_str(if slot == "look" { look } else { thing })
                });
            }
            (Self::Put { container, .. } | Self::Find { container, .. }, "container") => out.push_str(container),
            (Self::Gain { food, count, .. }, "count") => out.push_str(&number_of(*food, *count, "more ")),
            (
                Self::Own { food, count, .. } | Self::Lose { food, count, .. } | Self::Total { food, count, .. },
                "count",
            ) => out.push_str(&number_of(*food, *count, "")),
            (Self::Call { animal, .. } | Self::Recall { animal, .. }, "animal") => out.push_str(animal.one),
            (Self::Call { name, .. } | Self::Recall { name, .. }, "name") => {
                name.iter().for_each(|part| out.push_str(part))
            }
            (Self::Have { look, .. } | Self::Look { look, .. }, "look") => out.push_str(look),
            (Self::Look { subject, .. }, "subject") => out.push_str(subject.word()),
            (Self::Look { subject, .. }, "was") => out.push_str(subject.was()),
            (Self::Look { place: Some((near, _)), .. }, "near") => out.push_str(near),
            (Self::Look { place: Some((_, other)), .. }, "other") => out.push_str(other.word()),
            _ => unreachable!("{self:?} has no {slot}"),
        }
    }

    /// Whom the sentence is about, if that is one person, so that the next one can say "he" or "she".
    fn about(&self) -> Option<Being> {
        match *self {
            Self::Scene { about, .. } => about,
            Self::Have { who, .. }
            | Self::Put { who, .. }
            | Self::Find { who, .. }
            | Self::Own { who, .. }
            | Self::Gain { who, .. }
            | Self::Lose { who, .. }
            | Self::Total { who, .. }
            | Self::Recall { who, .. } => (!matches!(who, Being::Animal(_))).then_some(who),
            Self::Give { .. } | Self::Keep { .. } | Self::Call { .. } | Self::Look { .. } => None,
        }
    }
}

impl Being {
    pub fn write(self, out: &mut String) {
        match self {
            Self::Girl(name) | Self::Boy(name) => out.push_str(name),
            Self::Animal(noun) => {
                out.push_str("the ");
                out.push_str(noun.one);
            }
        }
    }

    fn pronoun(self) -> &'static str {
        match self {
            Self::Girl(_) => "she",
            Self::Boy(_) => "he",
            Self::Animal(_) => "it",
        }
    }
}

/// An event and the way it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Sentence {
    pub event: Event,
    pub template: &'static str,
}

impl Sentence {
    /// Appends the sentence, and says where its answer begins if it has one. A person just spoken of, alone, is
    /// "he" or "she" at the start of a sentence; in a sentence with an answer, everyone is named.
    pub fn write(&self, before: Option<&Sentence>, out: &mut String) -> Option<usize> {
        let start = out.len();
        let answer = expand(self.template, out, |slot, out| self.event.slot(slot, out));
        if let Some(person) = self.event.about()
            && answer.is_none()
            && before.and_then(|sentence| sentence.event.about()) == Some(person)
        {
            let (Being::Girl(name) | Being::Boy(name) | Being::Animal(Noun { one: name, .. })) = person;
            if out[start..].starts_with(name) {
                out.replace_range(start..start + name.len(), person.pronoun());
                capitalise(start, out);
            }
        }
        answer
    }
}

/// Appends a sentence made of `template`, its first letter a capital. See [`fill_slots`].
pub fn expand(template: &str, out: &mut String, fill: impl FnMut(&str, &mut String)) -> Option<usize> {
    let start = out.len();
    let mark = fill_slots(template, out, fill);
    capitalise(start, out);
    mark
}

/// Appends `template` with its slots filled. `{a}` becomes "a" or "an", as the slot after it asks, and `|` is left
/// out: its place is returned.
fn fill_slots(template: &str, out: &mut String, mut fill: impl FnMut(&str, &mut String)) -> Option<usize> {
    let mut mark = None;
    let mut article = None;
    for part in template.split_inclusive(['{', '}', '|']) {
        let (text, end) = part.split_at(part.len() - 1);
        match end {
            "}" if text == "a" => {
                out.push('a');
                article = Some(out.len());
            }
            "}" => {
                fill(text, out);
                if let Some(at) = article.take()
                    && out[at + 1..].starts_with(['a', 'e', 'i', 'o', 'u'])
                {
                    out.insert(at, 'n');
                }
            }
            "{" => out.push_str(text),
            "|" => {
                out.push_str(text);
                mark = Some(out.len());
            }
            _ => out.push_str(part),
        }
    }
    mark
}

fn capitalise(at: usize, out: &mut str) {
    if let Some(letter) = out.get_mut(at..at + 1) {
        letter.make_ascii_uppercase();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tinytales::words::{ANIMALS, FOODS, SIGHTS};
    use crate::data::tinytales::world::Counted;

    const TOM: Being = Being::Boy("Tom");

    fn tell(event: Event, way: usize) -> Sentence {
        Sentence { template: event.templates()[way], event }
    }

    #[test]
    fn an_answer_is_marked_to_the_end_of_the_sentence() {
        let mut text = String::from("Tom put the key in the box. ");
        let event = Event::Find { who: Being::Animal(ANIMALS[0]), thing: "key", container: "box" };
        let answer = tell(event, 0).write(None, &mut text).unwrap();
        assert_eq!(text, "Tom put the key in the box. The dog found the key in the box.");
        assert_eq!(&text[answer..], " box.");
    }

    #[test]
    fn every_task_has_a_marked_answer_and_nothing_else_has() {
        let who = TOM;
        let food = FOODS[0];
        let [animal, name] = [ANIMALS[0], ANIMALS[1]];
        let subject = Counted { noun: SIGHTS[0], plural: true };
        for event in [
            Event::Put { who, thing: "key", new: None, container: "box" },
            Event::Have { who, thing: "key", look: "old" },
            Event::Give { from: who, to: Being::Animal(name), thing: "key" },
            Event::Own { who, food, count: 1 },
            Event::Gain { who, food, count: 1 },
            Event::Lose { who, food, count: 1 },
            Event::Call { animal, name: ["Bi", "mo"] },
            Event::Scene { text: "It rained.".into(), about: None },
            Event::Find { who, thing: "key", container: "box" },
            Event::Keep { who, thing: "key" },
            Event::Total { who, food, count: 1 },
            Event::Recall { who, animal, name: ["Bi", "mo"] },
            Event::Look { subject, place: None, look: "old" },
            Event::Look { subject, place: Some(("near", subject)), look: "old" },
        ] {
            for way in 0..event.templates().len() {
                let mut text = String::new();
                let answer = tell(event.clone(), way).write(None, &mut text);
                assert_eq!(answer.is_some(), event.task().is_some(), "{text}");
                if let Some(at) = answer {
                    assert!(text[at..].starts_with(' ') && text.ends_with('.') && !text[..at].ends_with(' '), "{text}");
                }
                assert!(!text.contains(['{', '}', '|']) && !text.contains("  "), "{text}");
            }
        }
    }

    #[test]
    fn words_agree() {
        let mut text = String::new();
        let subject = Counted { noun: SIGHTS[0], plural: true };
        let other = Counted { noun: SIGHTS[1], plural: false };
        tell(Event::Look { subject, place: Some(("near", other)), look: "old" }, 0).write(None, &mut text);
        text.push(' ');
        tell(Event::Have { who: TOM, thing: "key", look: "old" }, 0).write(None, &mut text);
        text.push(' ');
        tell(Event::Gain { who: TOM, food: FOODS[0], count: 1 }, 0).write(None, &mut text);
        assert_eq!(text, "The trees near the house were old. Tom had an old key. Tom found one more apple.");
    }

    #[test]
    fn he_is_the_one_just_spoken_of() {
        let have = tell(Event::Have { who: TOM, thing: "key", look: "red" }, 0);
        let put = tell(Event::Put { who: TOM, thing: "key", new: None, container: "box" }, 0);
        let find = tell(Event::Find { who: TOM, thing: "key", container: "box" }, 0);
        let give = tell(Event::Give { from: TOM, to: Being::Girl("Anna"), thing: "key" }, 0);
        let told = |sentence: &Sentence, before| {
            let mut text = String::new();
            sentence.write(Some(before), &mut text);
            text
        };
        assert_eq!(told(&put, &have), "He put the key in the box.");
        assert_eq!(told(&put, &give), "Tom put the key in the box.");
        assert_eq!(told(&find, &put), "Tom found the key in the box.");
    }
}

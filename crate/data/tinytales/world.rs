//! Who is in a story, what happens in it, and what is true after that.

use super::words::{NUMBERS, Noun};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Being {
    Girl(&'static str),
    Boy(&'static str),
    Animal(Noun),
}

/// A made-up name, such as "Bimo".
pub type Name = [&'static str; 2];

/// One thing that happens or is said, told in one sentence. The last five only tell what follows from what came
/// before: a reader who paid attention knows how such a sentence ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `new` is what the thing looks like if this is the first we hear of it.
    Put {
        who: Being,
        thing: &'static str,
        new: Option<&'static str>,
        container: &'static str,
    },
    Have {
        who: Being,
        thing: &'static str,
        look: &'static str,
    },
    Give {
        from: Being,
        to: Being,
        thing: &'static str,
    },
    Own {
        who: Being,
        food: Noun,
        count: usize,
    },
    Gain {
        who: Being,
        food: Noun,
        count: usize,
    },
    Lose {
        who: Being,
        food: Noun,
        count: usize,
    },
    Call {
        animal: Noun,
        name: Name,
    },
    /// A sentence that changes nothing, and whom it is about, if it is about one person.
    Scene {
        text: String,
        about: Option<Being>,
    },

    Find {
        who: Being,
        thing: &'static str,
        container: &'static str,
    },
    Keep {
        who: Being,
        thing: &'static str,
    },
    Total {
        who: Being,
        food: Noun,
        count: usize,
    },
    Recall {
        who: Being,
        animal: Noun,
        name: Name,
    },
    Look {
        subject: Counted,
        place: Option<(&'static str, Counted)>,
        look: &'static str,
    },
}

/// A noun in the singular or in the plural.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub noun: Noun,
    pub plural: bool,
}

impl Counted {
    pub fn word(self) -> &'static str {
        if self.plural { self.noun.many } else { self.noun.one }
    }

    pub fn was(self) -> &'static str {
        if self.plural { "were" } else { "was" }
    }
}

/// "one apple", "two apples"; `between` may hold "more ".
pub fn number_of(food: Noun, count: usize, between: &str) -> String {
    let word = if count == 1 { food.one } else { food.many };
    format!("{} {between}{word}", NUMBERS[count])
}

/// What is true at a point of a story: who has which thing or which container does, who owns how much, who is
/// called what.
#[derive(Clone, Debug, Default)]
pub struct World {
    held: Vec<(&'static str, Being)>,
    stored: Vec<(&'static str, &'static str)>,
    owned: Vec<((Being, Noun), usize)>,
    called: Vec<(Noun, Name)>,
}

impl World {
    pub fn holder(&self, thing: &'static str) -> Option<Being> {
        get(&self.held, thing)
    }

    pub fn container(&self, thing: &'static str) -> Option<&'static str> {
        get(&self.stored, thing)
    }

    pub fn count(&self, who: Being, food: Noun) -> Option<usize> {
        get(&self.owned, (who, food))
    }

    pub fn name(&self, animal: Noun) -> Option<Name> {
        get(&self.called, animal)
    }

    /// Lets an event happen. False, and nothing happens, if it cannot happen in this world or tells a lie.
    #[must_use]
    pub fn apply(&mut self, event: &Event) -> bool {
        match *event {
            Event::Scene { .. } | Event::Look { .. } => true,
            Event::Have { who, thing, .. } => {
                self.container(thing).is_none() && self.holder(thing).is_none() && set(&mut self.held, thing, who)
            }
            Event::Put { who, thing, new, container } => {
                self.container(thing).is_none()
                    && self.holder(thing) == new.is_none().then_some(who)
                    && set(&mut self.stored, thing, container)
            }
            Event::Give { from, to, thing } => {
                self.container(thing).is_none()
                    && from != to
                    && self.holder(thing) == Some(from)
                    && set(&mut self.held, thing, to)
            }
            Event::Own { who, food, count } => {
                self.count(who, food).is_none() && set(&mut self.owned, (who, food), count)
            }
            Event::Gain { who, food, count } => match self.count(who, food) {
                Some(before) => set(&mut self.owned, (who, food), before + count),
                None => false,
            },
            Event::Lose { who, food, count } => match self.count(who, food) {
                Some(before) if before >= count => set(&mut self.owned, (who, food), before - count),
                _ => false,
            },
            Event::Call { animal, name } => {
                self.called.iter().all(|&(other, taken)| other != animal && taken != name)
                    && set(&mut self.called, animal, name)
            }
            Event::Find { thing, container, .. } => self.container(thing) == Some(container),
            Event::Keep { who, thing } => self.container(thing).is_none() && self.holder(thing) == Some(who),
            Event::Total { who, food, count } => self.count(who, food) == Some(count),
            Event::Recall { animal, name, .. } => self.name(animal) == Some(name),
        }
    }
}

// A story has a handful of facts: a list is faster than a map.

fn get<K: PartialEq, V: Copy>(list: &[(K, V)], key: K) -> Option<V> {
    list.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
}

fn set<K: PartialEq, V>(list: &mut Vec<(K, V)>, key: K, value: V) -> bool {
    list.retain(|(k, _)| *k != key);
    list.push((key, value));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tinytales::words::{ANIMALS, FOODS};

    const TOM: Being = Being::Boy("Tom");
    const ANNA: Being = Being::Girl("Anna");

    #[test]
    fn a_thing_goes_from_hand_to_hand() {
        let mut world = World::default();
        assert!(world.apply(&Event::Have { who: TOM, thing: "key", look: "old" }));
        assert!(!world.apply(&Event::Give { from: ANNA, to: TOM, thing: "key" }), "Anna does not have it");
        assert!(world.apply(&Event::Give { from: TOM, to: ANNA, thing: "key" }));
        assert!(world.apply(&Event::Keep { who: ANNA, thing: "key" }));
        assert!(!world.apply(&Event::Keep { who: TOM, thing: "key" }), "Tom gave it away");
        assert!(
            !world.apply(&Event::Put { who: TOM, thing: "key", new: None, container: "box" }),
            "nor can he put it anywhere"
        );
        assert!(world.apply(&Event::Put { who: ANNA, thing: "key", new: None, container: "box" }));
        assert!(world.apply(&Event::Find { who: TOM, thing: "key", container: "box" }));
        assert!(!world.apply(&Event::Find { who: TOM, thing: "key", container: "bag" }));
    }

    #[test]
    fn sums_are_right() {
        let mut world = World::default();
        let food = FOODS[0];
        assert!(world.apply(&Event::Own { who: TOM, food, count: 3 }));
        assert!(world.apply(&Event::Gain { who: TOM, food, count: 2 }));
        assert!(!world.apply(&Event::Lose { who: TOM, food, count: 6 }), "there are five");
        assert!(world.apply(&Event::Lose { who: TOM, food, count: 1 }));
        assert!(world.apply(&Event::Total { who: TOM, food, count: 4 }));
        assert!(!world.apply(&Event::Total { who: TOM, food, count: 5 }));
        assert!(!world.apply(&Event::Total { who: ANNA, food, count: 4 }));
    }

    #[test]
    fn names_belong_to_one_animal() {
        let mut world = World::default();
        let [dog, cat, ..] = ANIMALS;
        assert!(world.apply(&Event::Call { animal: dog, name: ["Bi", "mo"] }));
        assert!(!world.apply(&Event::Call { animal: cat, name: ["Bi", "mo"] }));
        assert!(!world.apply(&Event::Call { animal: dog, name: ["Zu", "li"] }));
        assert!(world.apply(&Event::Recall { who: TOM, animal: dog, name: ["Bi", "mo"] }));
        assert!(!world.apply(&Event::Recall { who: TOM, animal: cat, name: ["Bi", "mo"] }));
    }
}

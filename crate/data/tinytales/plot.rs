//! What happens in a story: threads of events, each of which ends with something that can be known by then.

use super::cast::Cast;
use super::words::*;
use super::world::{Counted, Event, World};
use crate::random::Random;

/// Plans threads that do not meddle with one another: each has its own things, containers and food. The world
/// says how each will end.
pub struct Plot<'a> {
    cast: &'a Cast,
    world: World,
    things: Vec<&'static str>,
    containers: Vec<&'static str>,
    foods: Vec<Noun>,
    /// Animals that have no made-up name yet.
    pub nameless: Vec<Noun>,
    name_starts: Vec<&'static str>,
    name_ends: Vec<&'static str>,
}

impl<'a> Plot<'a> {
    pub fn new(cast: &'a Cast) -> Self {
        Self {
            cast,
            world: World::default(),
            things: THINGS.to_vec(),
            containers: CONTAINERS.to_vec(),
            foods: FOODS.to_vec(),
            nameless: cast.animals.clone(),
            name_starts: NAME_STARTS.to_vec(),
            name_ends: NAME_ENDS.to_vec(),
        }
    }

    fn happen(&mut self, thread: &mut Vec<Event>, event: Event) {
        let possible = self.world.apply(&event);
        debug_assert!(possible, "{event:?} after {thread:?}");
        thread.push(event);
    }

    /// A thing is put somewhere and found there.
    pub fn hide(&mut self, random: &mut Random) -> Vec<Event> {
        let mut thread = Vec::new();
        let who = self.cast.person(random);
        let thing = take(&mut self.things, random);
        let container = take(&mut self.containers, random);
        let mut new = Some(word(&LOOKS, random));
        if random.below(2) == 0
            && let Some(look) = new.take()
        {
            self.happen(&mut thread, Event::Have { who, thing, look });
        }
        self.happen(&mut thread, Event::Put { who, thing, new, container });
        let container = self.world.container(thing).expect("it was just put there");
        self.happen(&mut thread, Event::Find { who: self.cast.anyone(random), thing, container });
        thread
    }

    /// A thing goes from hand to hand, one to three times.
    pub fn pass(&mut self, random: &mut Random) -> Vec<Event> {
        let mut thread = Vec::new();
        let thing = take(&mut self.things, random);
        let who = self.cast.anyone(random);
        self.happen(&mut thread, Event::Have { who, thing, look: word(&LOOKS, random) });
        let mut from = who;
        for _ in 0..1 + random.below(3) {
            let to = loop {
                let to = self.cast.anyone(random);
                if to != from {
                    break to;
                }
            };
            self.happen(&mut thread, Event::Give { from, to, thing });
            from = to;
        }
        let who = self.world.holder(thing).expect("someone has it");
        self.happen(&mut thread, Event::Keep { who, thing });
        thread
    }

    /// Food becomes more or less, once or twice.
    pub fn count(&mut self, random: &mut Random) -> Vec<Event> {
        let mut thread = Vec::new();
        let who = self.cast.person(random);
        let food = take(&mut self.foods, random);
        self.happen(&mut thread, Event::Own { who, food, count: 1 + random.below(8) as usize });
        for _ in 0..1 + random.below(2) {
            let now = self.world.count(who, food).expect("it was just counted");
            // At least one is left, and there is a word for the sum.
            let least = now.saturating_sub(4).max(1);
            let most = (now + 4).min(NUMBERS.len() - 1);
            let then = loop {
                let then = least + random.below((most - least + 1) as u32) as usize;
                if then != now {
                    break then;
                }
            };
            let event = if then > now {
                Event::Gain { who, food, count: then - now }
            } else {
                Event::Lose { who, food, count: now - then }
            };
            self.happen(&mut thread, event);
        }
        let count = self.world.count(who, food).expect("it was just counted");
        self.happen(&mut thread, Event::Total { who, food, count });
        thread
    }

    /// The animals are given made-up names, and someone remembers one or two of them.
    pub fn name(&mut self, random: &mut Random) -> Vec<Event> {
        let mut thread = Vec::new();
        for animal in std::mem::take(&mut self.nameless) {
            self.call(animal, &mut thread, random);
        }
        for _ in 0..1 + random.below(2) {
            let animal = *random.choose(&self.cast.animals);
            self.remember(animal, &mut thread, random);
        }
        thread
    }

    /// An animal is given a made-up name that no other has.
    pub fn call(&mut self, animal: Noun, thread: &mut Vec<Event>, random: &mut Random) {
        let name = [take(&mut self.name_starts, random), take(&mut self.name_ends, random)];
        self.happen(thread, Event::Call { animal, name });
    }

    /// Someone remembers the name of an animal that has one.
    pub fn remember(&mut self, animal: Noun, thread: &mut Vec<Event>, random: &mut Random) {
        let name = self.world.name(animal).expect("it was given one");
        self.happen(thread, Event::Recall { who: self.cast.person(random), animal, name });
    }

    /// What something looked like: no one can know that, but everyone knows whether it was or they were. Only what
    /// is not in the story otherwise is spoken of, so that there is no doubt who is meant.
    pub fn look(&self, random: &mut Random) -> Event {
        let plural = random.below(2) == 1;
        let (noun, look) = if random.below(2) == 0 {
            let absent = |animal: &Noun| !self.cast.animals.contains(animal);
            (choose_if(&ANIMALS, absent, random), word(&MOODS, random))
        } else {
            (*random.choose(&SIGHTS), word(&LOOKS, random))
        };
        let place = (random.below(3) > 0).then(|| {
            let other = choose_if(&SIGHTS, |&other| other != noun, random);
            (word(&NEAR, random), Counted { noun: other, plural: random.below(2) == 1 })
        });
        Event::Look { subject: Counted { noun, plural }, place, look }
    }
}

fn choose_if<T: Copy>(from: &[T], allowed: impl Fn(&T) -> bool, random: &mut Random) -> T {
    loop {
        let chosen = *random.choose(from);
        if allowed(&chosen) {
            return chosen;
        }
    }
}

/// Draws without putting back.
pub fn take<T>(from: &mut Vec<T>, random: &mut Random) -> T {
    from.swap_remove(random.below(from.len() as u32) as usize)
}

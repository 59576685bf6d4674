//! Who is in a story.

use super::plot::take;
use super::words::{ANIMALS, BOYS, GIRLS, Noun};
use super::world::Being;
use crate::random::Random;

/// The first two people are the main characters.
#[derive(Clone, Debug, PartialEq)]
pub struct Cast {
    pub people: Vec<Being>,
    pub animals: Vec<Noun>,
}

impl Cast {
    pub fn draw(random: &mut Random) -> Self {
        let girls = GIRLS.into_iter().map(Being::Girl);
        let mut people = girls.chain(BOYS.into_iter().map(Being::Boy)).collect();
        let mut animals = ANIMALS.to_vec();
        Self {
            people: (0..2 + random.below(3)).map(|_| take(&mut people, random)).collect(),
            animals: (0..1 + random.below(4)).map(|_| take(&mut animals, random)).collect(),
        }
    }

    /// All of them: people first, then animals.
    pub fn beings(&self) -> Vec<Being> {
        (0..self.people.len() + self.animals.len()).map(|i| self.being(i)).collect()
    }

    /// People first, then animals.
    pub fn being(&self, i: usize) -> Being {
        match self.people.get(i) {
            Some(&person) => person,
            None => Being::Animal(self.animals[i - self.people.len()]),
        }
    }

    pub fn person(&self, random: &mut Random) -> Being {
        *random.choose(&self.people)
    }

    pub fn anyone(&self, random: &mut Random) -> Being {
        self.being(random.below((self.people.len() + self.animals.len()) as u32) as usize)
    }
}

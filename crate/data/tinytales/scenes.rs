//! Sentences that fill a story without changing anything in it, each drawn from a pattern and the words.

use super::cast::Cast;
use super::sentences::expand;
use super::words::*;
use super::world::{Being, Event};
use crate::random::Random;

const OPENINGS: [&str; 6] = [
    "One {weather} {time}, {one} and {two} went {place}.",
    "It was {a} {weather} {time}, and {one} and {two} went {place}.",
    "Once upon a time, {one} and {two} went {place}. It was {a} {weather} {time}.",
    "{one} and {two} were {mood}, because they were on their way {place}.",
    "One {weather} {time}, {one} took {two} {place}.",
    "{one} and {two} went {place} to look for {a} {look} {sight}.",
];

const MEETINGS: [&str; 3] = ["There they met {others}.", "On the way, they met {others}.", "They soon met {others}."];

const FILLERS: [&str; 40] = [
    // about one person or animal
    "{who} {moved} the {look} {sight}.",
    "{who} {moved} the {sight}.",
    "{who} was {mood}.",
    "Nobody knew why, but {who} was {mood}.",
    "{who} saw {a} {look} {sight} and {a} {look} {sight}.",
    "{who} wanted to {wish} the {sight}.",
    "{who} had never seen such {a} {look} {sight} before.",
    "{who} dreamed of {look} {foods}.",
    "{who} liked {animals} more than anything else in the world.",
    "{who} heard {a} {temper} {animal} {near} the {sight}.",
    "{who} was too {mood} to {wish} the {sight}.",
    "{who} smiled at {a} {temper} {animal}.",
    "{who} thought about it for a long time.",
    "{who} looked up at the sky and smiled.",
    // said by one person
    "\"I am so {mood},\" said {person}.",
    "\"What {a} {look} {sight}!\" said {person}.",
    "\"Look, there is {a} {animal} {near} the {sight}!\" said {person}.",
    "\"Let us {wish} the {sight},\" said {person}.",
    "\"Where is the {look} {sight}?\" asked {person}.",
    "\"This is the best day of my life,\" said {person}.",
    "\"I would like to live here,\" said {person}.",
    // about two
    "{one} and {two} {game}.",
    "{one} and {two} {game} {near} the {sight}.",
    "{one} and {two} were {mood}.",
    "{one} told {two} about {a} {temper} {animal}.",
    "{one} asked {two} to {wish} the {sight}.",
    "{one} followed {two} to the {look} {sight}.",
    "\"Do you like {foods}?\" asked {one}. \"Yes, I do,\" said {two}.",
    "\"Are you {mood}?\" asked {one}. \"No, I am {mood},\" said {two}.",
    // about nobody
    "{a} {temper} {animal} {moved} the {sight}.",
    "There was {a} {look} {sight} {near} the {sight}.",
    "Two {temper} {animals} {moved} the {sight}.",
    "Soon {a} {temper} {animal} came and sat down with them.",
    "The wind blew over the {sights}.",
    "The way to the {sight} was long.",
    "Somewhere, music was playing.",
    "A soft wind was blowing, and the clouds looked like {animals}.",
    "It was getting late, but nobody wanted to go home.",
    "Everybody laughed.",
    "Far away, somebody was singing a song about {a} {temper} {animal}.",
];

const CLOSINGS: [&str; 8] = [
    "Then they all went home.",
    "In the evening, everyone was {mood}.",
    "That night, {who} dreamed of {a} {look} {sight}.",
    "\"What {a} {outing} day!\" said {person}.",
    "Then {one} and {two} went home, and the {animals} went to sleep.",
    "When it got dark, {who} was {mood}.",
    "They all wanted to come back on {weekday}.",
    "It had been {a} {outing} day, and {one} and {two} were {mood}.",
];

impl Cast {
    pub fn opening(&self, random: &mut Random) -> Vec<Event> {
        let mut events = vec![self.scene(word(&OPENINGS, random), random)];
        if self.people.len() + self.animals.len() > 2 {
            events.push(self.scene(word(&MEETINGS, random), random));
        }
        events
    }

    pub fn filler(&self, random: &mut Random) -> Event {
        self.scene(word(&FILLERS, random), random)
    }

    pub fn closing(&self, random: &mut Random) -> Event {
        self.scene(word(&CLOSINGS, random), random)
    }

    fn scene(&self, pattern: &str, random: &mut Random) -> Event {
        let mut text = String::new();
        let mut about = None;
        // {one} and {two} are the ones that the story begins with, in either order.
        let swap = random.below(2) as usize;
        expand(pattern, &mut text, |slot, out| match slot {
            "one" => self.people[swap].write(out),
            "two" => self.people[1 - swap].write(out),
            "others" => self.write_others(out),
            "who" | "person" => {
                let beings = if slot == "who" { self.people.len() + self.animals.len() } else { self.people.len() };
                let who = self.being(random.below(beings as u32) as usize);
                about = (!matches!(who, Being::Animal(_))).then_some(who);
                who.write(out);
            }
            _ => {
                // No word twice in a sentence, and no animal that could be taken for one of the story's.
                let mut drawn = draw(slot, random);
                while out.contains(drawn)
                    || self.animals.iter().any(|animal| [animal.one, animal.many].contains(&drawn))
                {
                    drawn = draw(slot, random);
                }
                out.push_str(drawn);
            }
        });
        Event::Scene { text, about }
    }

    /// "a cow, Lucy and an owl"
    fn write_others(&self, out: &mut String) {
        let people = &self.people[2..];
        let total = people.len() + self.animals.len();
        for i in 0..total {
            match i {
                0 => {}
                i if i + 1 == total => out.push_str(" and "),
                _ => out.push_str(", "),
            }
            match self.animals.get(i) {
                Some(animal) => {
                    out.push_str(if animal.one.starts_with(['a', 'e', 'i', 'o', 'u']) { "an " } else { "a " });
                    out.push_str(animal.one);
                }
                None => people[i - self.animals.len()].write(out),
            }
        }
    }
}

fn draw(slot: &str, random: &mut Random) -> &'static str {
    match slot {
        "weather" => word(&WEATHERS, random),
        "outing" => word(&OUTINGS, random),
        "weekday" => word(&WEEKDAYS, random),
        "time" => word(&TIMES, random),
        "place" => word(&PLACES, random),
        "mood" => word(&MOODS, random),
        "look" => word(&LOOKS, random),
        "temper" => word(&TEMPERS, random),
        "sight" => random.choose(&SIGHTS).one,
        "sights" => random.choose(&SIGHTS).many,
        "animal" => random.choose(&ANIMALS).one,
        "animals" => random.choose(&ANIMALS).many,
        "foods" => random.choose(&FOODS).many,
        "moved" => word(&MOVES, random),
        "near" => word(&NEAR, random),
        "game" => word(&GAMES, random),
        "wish" => word(&WISHES, random),
        _ => unreachable!("no list of words for {slot}"),
    }
}

//! The words of the stories. Every list is drawn from evenly, so its length is its entropy.

use crate::random::Random;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noun {
    pub one: &'static str,
    pub many: &'static str,
}

const fn noun(one: &'static str, many: &'static str) -> Noun {
    Noun { one, many }
}

pub const GIRLS: [&str; 12] =
    ["Ruby", "Lucy", "Anna", "Mia", "Lily", "Emma", "Nora", "Zoe", "Ella", "Rose", "Jane", "Kate"];
pub const BOYS: [&str; 12] =
    ["Tom", "Ben", "Max", "Sam", "Leo", "Jack", "Finn", "Owen", "Hugo", "Adam", "Luke", "Noah"];

pub const ANIMALS: [Noun; 20] = [
    noun("dog", "dogs"),
    noun("cat", "cats"),
    noun("cow", "cows"),
    noun("hen", "hens"),
    noun("pig", "pigs"),
    noun("duck", "ducks"),
    noun("horse", "horses"),
    noun("goat", "goats"),
    noun("rabbit", "rabbits"),
    noun("mouse", "mice"),
    noun("fox", "foxes"),
    noun("frog", "frogs"),
    noun("bear", "bears"),
    noun("bird", "birds"),
    noun("owl", "owls"),
    noun("donkey", "donkeys"),
    noun("goose", "geese"),
    noun("turtle", "turtles"),
    noun("squirrel", "squirrels"),
    noun("hedgehog", "hedgehogs"),
];

/// What can be held, hidden and passed on.
pub const THINGS: [&str; 20] = [
    "ball", "lamp", "book", "key", "hat", "cup", "kite", "drum", "doll", "coin", "spoon", "ring", "map", "bell",
    "rope", "clock", "shell", "flute", "scarf", "letter",
];

/// What things are put in.
pub const CONTAINERS: [&str; 12] =
    ["bag", "box", "basket", "drawer", "bucket", "jar", "chest", "cupboard", "pot", "sack", "barrel", "bowl"];

/// What is counted: all of it can be eaten.
pub const FOODS: [Noun; 12] = [
    noun("apple", "apples"),
    noun("pear", "pears"),
    noun("plum", "plums"),
    noun("cherry", "cherries"),
    noun("berry", "berries"),
    noun("egg", "eggs"),
    noun("nut", "nuts"),
    noun("cookie", "cookies"),
    noun("cake", "cakes"),
    noun("carrot", "carrots"),
    noun("bun", "buns"),
    noun("peach", "peaches"),
];

/// What stands about outside.
pub const SIGHTS: [Noun; 16] = [
    noun("tree", "trees"),
    noun("house", "houses"),
    noun("fence", "fences"),
    noun("gate", "gates"),
    noun("bench", "benches"),
    noun("bush", "bushes"),
    noun("rock", "rocks"),
    noun("hut", "huts"),
    noun("tent", "tents"),
    noun("bridge", "bridges"),
    noun("wagon", "wagons"),
    noun("wall", "walls"),
    noun("log", "logs"),
    noun("barn", "barns"),
    noun("boat", "boats"),
    noun("stone", "stones"),
];

/// With the word that goes before them.
pub const PLACES: [&str; 12] = [
    "to the park",
    "to the farm",
    "to the garden",
    "to the beach",
    "to the forest",
    "to the village",
    "to the lake",
    "to the river",
    "to the market",
    "to the old mill",
    "to the castle",
    "up the hill",
];

/// For things, sights and food alike.
pub const LOOKS: [&str; 10] = ["red", "blue", "green", "yellow", "white", "small", "big", "old", "new", "pretty"];

/// For people and animals.
pub const MOODS: [&str; 12] =
    ["happy", "sad", "tired", "hungry", "sleepy", "excited", "proud", "calm", "brave", "cheerful", "quiet", "cold"];

pub const TEMPERS: [&str; 10] =
    ["little", "young", "old", "friendly", "clever", "lazy", "noisy", "gentle", "hungry", "sleepy"];

pub const WEATHERS: [&str; 8] = ["sunny", "windy", "rainy", "snowy", "warm", "cold", "foggy", "lovely"];

pub const TIMES: [&str; 6] = ["morning", "day", "afternoon", "evening", "Sunday", "Saturday"];

pub const WEEKDAYS: [&str; 4] = ["Sunday", "Monday", "Friday", "Saturday"];

/// What a day can have been.
pub const OUTINGS: [&str; 8] = ["long", "good", "lovely", "busy", "strange", "happy", "wonderful", "lucky"];

/// How to get past a sight.
pub const MOVES: [&str; 12] = [
    "jumped over",
    "ran around",
    "walked past",
    "hid behind",
    "slept beside",
    "sat near",
    "danced around",
    "looked behind",
    "hopped past",
    "waited by",
    "played near",
    "climbed onto",
];

pub const NEAR: [&str; 5] = ["near", "behind", "beside", "by", "next to"];

/// What two people do together.
pub const GAMES: [&str; 12] = [
    "sang a song",
    "told a story",
    "played a game",
    "had a rest",
    "laughed",
    "sat down",
    "drew a picture",
    "danced",
    "drank some milk",
    "had a picnic",
    "looked at the clouds",
    "played in the mud",
];

/// What one may want to do to a sight.
pub const WISHES: [&str; 8] = ["paint", "see", "draw", "visit", "clean", "find", "look at", "run to"];

pub const NUMBERS: [&str; 13] =
    ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// Made-up names are one syllable from each list: 256 of them, none of which is one of the people's.
pub const NAME_STARTS: [&str; 16] =
    ["Bi", "Zi", "Mo", "La", "Te", "Ri", "Fe", "Du", "Ka", "Pi", "Lo", "Wi", "Ju", "Ve", "Yo", "Gu"];
pub const NAME_ENDS: [&str; 16] =
    ["mo", "li", "na", "ro", "du", "ta", "ki", "bo", "nu", "lu", "ri", "po", "vi", "zo", "fi", "my"];

pub fn word(from: &[&'static str], random: &mut Random) -> &'static str {
    from[random.below(from.len() as u32) as usize]
}

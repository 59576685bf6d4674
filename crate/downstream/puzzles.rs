//! Questions that need no story: pairs of words, and strings.

use super::Item;
use crate::config::Task;
use crate::data::Practice;
use crate::data::practice::Pairs;
use crate::random::Random;

/// Pairs to choose from.
const PAIRS: usize = 4;
/// Lengths of the strings: shorter ones would all occur in training, and half of them are longer than any there.
const SHORTEST: usize = 5;
const LONGEST: usize = 40;

/// One of a few pairs is asked for.
pub fn key_value(random: &mut Random) -> Item {
    let pairs = Pairs::draw(PAIRS, random);
    let asked = random.below(PAIRS as u32) as usize;
    let [question, answer] = pairs.question(asked);
    let others = (0..PAIRS).filter(|&i| i != asked).map(|i| pairs.question(i)[1].clone()).collect();
    let fact = pairs.told_to(asked + 1).len();
    let item = Item::shuffled(format!("{} {question}", pairs.told()), answer, others, PAIRS - 1 - asked, random);
    Item { fact: Some(fact), ..item }
}

/// A string, to be copied or reversed.
pub fn string(task: Task, random: &mut Random) -> Item {
    let practice = if task == Task::Reverse { Practice::Reverse } else { Practice::Copy };
    let length = SHORTEST + random.below((LONGEST - SHORTEST + 1) as u32) as usize;
    let [context, answer] = practice.string(length, random);
    Item { context, choices: vec![answer], answer: 0, distance: Some(length), fact: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn a_pair_is_told_where_its_item_says() {
        for i in 0..100 {
            let item = key_value(&mut Random::new(1, Stream::Item(i)));
            let told = &item.context[..item.fact.unwrap()];
            let key = item.context.rsplit(' ').next().unwrap();
            assert!(told.ends_with(&format!("{key}{}", item.choices[item.answer])), "{told} in {}", item.context);
        }
    }
}

//! Which of some passages occur in a text, in one pass over it (Karp & Rabin 1987).

use std::collections::HashMap;

/// Any odd number that spreads bytes over the upper bits.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of a hash that are looked up first: nearly all places of a text end there.
const FILTER_BITS: u32 = 16;

/// For each passage, whether it occurs.
pub fn occurring(text: &str, passages: &[String]) -> Vec<bool> {
    let text = text.as_bytes();
    let mut occurs = vec![false; passages.len()];
    // What is compared first: as much as every passage has.
    let length = passages.iter().map(String::len).min().unwrap_or(0);
    if length == 0 || text.len() < length {
        return passages.iter().map(String::is_empty).collect();
    }
    let hash = |bytes: &[u8]| bytes.iter().fold(0u64, |hash, &byte| roll(hash, byte));
    let place = |hash: u64| (hash >> (64 - FILTER_BITS)) as usize;
    let mut by_hash: HashMap<u64, Vec<usize>> = HashMap::new();
    let mut filter = vec![false; 1 << FILTER_BITS];
    for (i, passage) in passages.iter().enumerate() {
        let hash = hash(&passage.as_bytes()[..length]);
        by_hash.entry(hash).or_default().push(i);
        filter[place(hash)] = true;
    }
    // What the byte that leaves the window had come to.
    let oldest = (1..length).fold(BASE, |power, _| power.wrapping_mul(BASE));
    let mut rolling = hash(&text[..length]);
    for start in 0.. {
        if filter[place(rolling)] {
            for &i in by_hash.get(&rolling).into_iter().flatten() {
                occurs[i] |= text[start..].starts_with(passages[i].as_bytes());
            }
        }
        let Some(&next) = text.get(start + length) else { return occurs };
        rolling = roll(rolling, next).wrapping_sub(oldest.wrapping_mul(value(text[start])));
    }
    occurs
}

/// The hash of one byte more: Σ value(byte) · BASE^(how far from the end).
fn roll(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(value(byte))
}

fn value(byte: u8) -> u64 {
    u64::from(byte) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Random, Stream};

    #[test]
    fn passages_are_found_wherever_they_stand() {
        let text = "one two three four";
        let found = |passages: &[&str]| occurring(text, &passages.iter().map(|&s| s.into()).collect::<Vec<_>>());
        assert_eq!(
            found(&["one", "four", "two thr", "three two", "two  three", text]),
            [true, true, true, false, false, true]
        );
        assert_eq!(found(&["fourteen", "one two three four five"]), [false, false]);
        assert_eq!(found(&[]), [] as [bool; 0]);
        assert_eq!(found(&["", "x"]), [true, false]);
    }

    #[test]
    fn as_a_search_for_each_finds_them() {
        let mut random = Random::new(1, Stream::Other(0));
        let mut draw = |length: u32| (0..length).map(|_| char::from(b'a' + random.below(3) as u8)).collect::<String>();
        for length in [1, 3, 7] {
            let text = draw(500);
            let passages: Vec<String> = (0..100).map(|i| draw(length + i % 4)).collect();
            let expected: Vec<bool> = passages.iter().map(|passage| text.contains(passage)).collect();
            assert_eq!(occurring(&text, &passages), expected);
            assert!(length > 6 || expected.contains(&true));
        }
    }
}

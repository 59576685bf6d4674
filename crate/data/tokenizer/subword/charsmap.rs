//! SentencePiece's normalisation rules, as far as they have to be checked: a double-array trie over bytes whose values
//! are places in a text (<https://github.com/s-yata/darts-clone>). Readers follow its links unchecked.

use super::base64;

/// Units of four bytes.
const LARGEST_TRIE: usize = 1 << 18;
/// In bytes; Unicode's longest compatibility decomposition has 33.
const LONGEST_REPLACEMENT: usize = 256;

/// `map`, in base64, is the trie's size in bytes, the trie, and the texts, each ended by a zero.
///
/// # Errors
/// Where a walk could leave the trie, or a value the texts.
pub fn check(map: &str) -> Result<(), &'static str> {
    let bytes = base64::decode(map).ok_or("its charsmap is not base64")?;
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or("its charsmap is cut off")?;
    let size = u32::from_le_bytes(*size) as usize;
    let (trie, texts) = rest.split_at_checked(size).ok_or("its charsmap is cut off")?;
    let texts = str::from_utf8(texts).map_err(|_| "its charsmap's texts are not UTF-8")?;
    let (units, []) = trie.as_chunks::<4>() else { return Err("its charsmap's trie is cut off") };
    let units: Vec<u32> = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
    if units.is_empty() || units.len() > LARGEST_TRIE {
        return Err("its charsmap's trie is empty or too large");
    }
    let mut seen = vec![false; units.len()];
    // Of each node that can be reached, the place that its children's lie around.
    let mut waiting = vec![offset(units[0])];
    while let Some(base) = waiting.pop() {
        for label in 1..=0xFF {
            let place = base ^ label;
            let unit = *units.get(place).ok_or("its charsmap's trie leads out of itself")?;
            if unit & (1 << 31 | 0xFF) != label as u32 || std::mem::replace(&mut seen[place], true) {
                continue;
            }
            let base = place ^ offset(unit);
            if unit >> 8 & 1 == 1 {
                let value = *units.get(base).ok_or("its charsmap's trie leads out of itself")? & !(1 << 31);
                let text = texts.get(value as usize..).ok_or("its charsmap's trie leads out of the texts")?;
                if text.bytes().take_while(|&byte| byte != 0).count() > LONGEST_REPLACEMENT {
                    return Err("its charsmap replaces a character by a long text");
                }
            }
            waiting.push(base);
        }
    }
    Ok(())
}

fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & 1 << 9) >> 6)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trie of 256 units that knows one character, `a`, whose value lies at the unit `to`.
    fn map(to: u32, value: u32, texts: &str) -> String {
        let mut units = [0u32; 256];
        let a = u32::from(b'a');
        units[a as usize] = (a ^ to) << 10 | 1 << 8 | a;
        if let Some(unit) = units.get_mut(to as usize) {
            *unit = value;
        }
        let trie = units.iter().flat_map(|unit| unit.to_le_bytes());
        base64::encode(&1024u32.to_le_bytes().into_iter().chain(trie).chain(texts.bytes()).collect::<Vec<u8>>())
    }

    #[test]
    fn links_stay_in_the_trie_and_values_in_the_texts() {
        assert_eq!(check(&map(200, 0, "A\0")), Ok(()));
        assert_eq!(check(&map(200, 2, "A\0B\0")), Ok(()));
        assert_eq!(check(&map(300, 0, "A\0")), Err("its charsmap's trie leads out of itself"));
        assert_eq!(check(&map(200, 9, "A\0")), Err("its charsmap's trie leads out of the texts"));
        // Within a character.
        assert_eq!(check(&map(200, 1, "é\0")), Err("its charsmap's trie leads out of the texts"));
        assert_eq!(check(&map(200, 0, &"A".repeat(1000))), Err("its charsmap replaces a character by a long text"));
    }
}

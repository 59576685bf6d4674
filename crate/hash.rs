//! FNV-1a: a stable number for some bytes, the same on every machine. It tells things apart; it keeps no secrets.
//!
//! By Fowler, Noll and Vo: <https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>.

/// A seed for what goes by a name.
pub fn fnv1a_32(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes.into_iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A fingerprint of a text.
pub fn fnv1a_64(bytes: impl IntoIterator<Item = u8>) -> u64 {
    let begin = 0xcbf2_9ce4_8422_2325;
    bytes.into_iter().fold(begin, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_published_tests() {
        for (text, of_32, of_64) in [
            ("", 0x811c_9dc5, 0xcbf2_9ce4_8422_2325),
            ("a", 0xe40c_292c, 0xaf63_dc4c_8601_ec8c),
            ("foobar", 0xbf9c_f968, 0x8594_4171_f739_67e8),
        ] {
            assert_eq!((fnv1a_32(text.bytes()), fnv1a_64(text.bytes())), (of_32, of_64), "{text:?}");
        }
    }
}

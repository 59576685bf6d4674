//! Bytes as text: RFC 4648 with padding, <https://datatracker.ietf.org/doc/html/rfc4648>.

const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|i| u32::from(chunk.get(i).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for (i, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let sign = if i <= chunk.len() { char::from(SIGNS[(bits >> shift) as usize & 63]) } else { '=' };
            text.push(sign);
        }
    }
    text
}

/// The bytes of which this is the text, to the last bit; None where it is none's.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let signs = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(signs.len() / 4 * 3 + 2);
    for chunk in signs.chunks(4) {
        let mut bits = 0u32;
        for i in 0..4 {
            bits = bits << 6 | chunk.get(i).map_or(Some(0), |&sign| six_bits(sign))?;
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    // Other texts say the same and are not allowed: wrong padding, bits too many.
    (encode(&bytes) == text).then_some(bytes)
}

fn six_bits(sign: u8) -> Option<u32> {
    Some(u32::from(match sign {
        b'A'..=b'Z' => sign - b'A',
        b'a'..=b'z' => sign - b'a' + 26,
        b'0'..=b'9' => sign - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_those_of_the_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        for bad in ["Zg-=", "Zg", "Zh==", "Zm9v=", "Zm9vY", "=", "Zm9v\n"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}

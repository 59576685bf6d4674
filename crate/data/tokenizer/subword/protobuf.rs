//! The few wire types of protocol buffers, read with every length checked before it is believed:
//! <https://protobuf.dev/programming-guides/encoding>.

/// A field's value; the meaning is the message's business.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wire<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
    Fixed64([u8; 8]),
}

impl<'a> Wire<'a> {
    pub fn bytes(self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub fn text(self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    pub fn number(self) -> Option<u64> {
        if let Self::Varint(number) = self { Some(number) } else { None }
    }

    pub fn float(self) -> Option<f32> {
        if let Self::Fixed32(bytes) = self { Some(f32::from_le_bytes(bytes)) } else { None }
    }
}

/// The fields of a message in order, by number; `None` once the bytes are not a message's.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(self.take(8)?.try_into().ok()?),
            2 => {
                let length = self.varint()?;
                Wire::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => Wire::Fixed32(self.take(4)?.try_into().ok()?),
            // Groups have not been written for a long time.
            _ => return None,
        };
        (key >> 3 > 0).then_some((key >> 3, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; ten bytes at most.
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7F).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_examples_are_read() {
        let message = [0x08, 0x96, 0x01, 0x12, 0x07, b't', b'e', b's', b't', b'i', b'n', b'g', 0x1D, 0, 0, 0x80, 0x3F];
        let fields: Option<Vec<_>> = Fields(&message).collect();
        let [(1, number), (2, text), (3, float)] = fields.unwrap()[..] else { panic!("three fields") };
        assert_eq!((number.number(), text.text(), float.float()), (Some(150), Some("testing"), Some(1.0)));
    }

    #[test]
    fn what_is_cut_off_or_lies_is_no_message() {
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            &[0x12, 0x05, b'a'],
            &[0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            &[0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            &[0x1D, 0, 0],
            &[0x0B],
            &[0x00, 0x01],
        ] {
            assert_eq!(Fields(bytes).last(), Some(None), "{bytes:?}");
        }
    }
}

//! Eight bytes of a text at a time, without a branch for each: answers have the highest bit of each byte set that is meant.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// Eight bytes, the first one lowest.
#[derive(Clone, Copy)]
pub(super) struct Eight(u64);

impl Eight {
    pub const BYTES: usize = 8;

    pub fn at(text: &[u8], at: usize) -> Option<Self> {
        text.get(at..)?.first_chunk().map(|bytes| Self(u64::from_le_bytes(*bytes)))
    }

    /// Up to eight bytes, and zeros after them.
    pub fn padded(bytes: &[u8]) -> Self {
        let mut eight = [0; Self::BYTES];
        eight.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = *byte);
        Self(u64::from_le_bytes(eight))
    }

    /// Bytes that are not ASCII.
    #[inline]
    pub fn wide(self) -> u64 {
        self.0 & HIGH
    }

    /// Bytes that are this one.
    #[inline]
    pub fn equal(self, byte: u8) -> u64 {
        let differing = self.0 ^ (ONES * u64::from(byte));
        let low = (differing & !HIGH) + (HIGH - ONES);
        !(low | differing) & HIGH
    }

    /// ASCII bytes from `first` to `last`.
    #[inline]
    pub fn between(self, first: u8, last: u8) -> u64 {
        let low = self.0 & !HIGH;
        let reached = low + ONES * u64::from(0x80 - first);
        let passed = low + ONES * u64::from(0x7F - last);
        reached & !passed & !self.0 & HIGH
    }

    /// The highest bits side by side.
    #[inline]
    pub fn bits(high: u64) -> u8 {
        ((high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told_apart() {
        for byte in 0..=u8::MAX {
            let eight = Eight::padded(&[b'a', byte, b'-', 0xFF, 0, b'0', byte, b'z']);
            let told = |is: &dyn Fn(u8) -> bool| {
                let bytes = [b'a', byte, b'-', 0xFF, 0, b'0', byte, b'z'];
                bytes.iter().rev().fold(0, |bits, b| bits << 1 | u8::from(is(*b)))
            };
            assert_eq!(Eight::bits(eight.wide()), told(&|b| b >= 0x80), "{byte}");
            assert_eq!(Eight::bits(eight.equal(byte)), told(&|b| b == byte), "{byte}");
            assert_eq!(Eight::bits(eight.between(b'0', b'9')), told(&|b| b.is_ascii_digit()), "{byte}");
            assert_eq!(Eight::bits(eight.between(b'A', b'Z')), told(&|b| b.is_ascii_uppercase()), "{byte}");
        }
    }
}

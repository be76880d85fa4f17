//! Goods and services tax numbers: state, permanent account number, place of business, letter, check character in base 36.

/// True if these 15 capital letters and digits are a number with its check character.
pub fn is_valid(chars: &[u8]) -> bool {
    let &[s0, s1, p0, p1, p2, p3, p4, d0, d1, d2, d3, p9, entity, letter, check] = chars else { return false };
    let state = u32::from(s0.wrapping_sub(b'0')) * 10 + u32::from(s1.wrapping_sub(b'0'));
    let digits = [s0, s1, d0, d1, d2, d3].iter().all(u8::is_ascii_digit);
    let letters = [p0, p1, p2, p3, p4, p9, letter].iter().all(u8::is_ascii_uppercase);
    let place = entity.is_ascii_alphanumeric() && entity != b'0';
    let known = matches!(state, 1..=38 | 97 | 99);
    digits && letters && place && known && check_character(chars) == Some(check)
}

/// The last character of the number that begins with these 14.
fn check_character(chars: &[u8]) -> Option<u8> {
    let sum = chars.iter().take(14).enumerate().try_fold(0u32, |sum, (place, byte)| {
        let value = char::from(*byte).to_digit(36)?;
        let product = value * if place % 2 == 0 { 1 } else { 2 };
        Some(sum + product / 36 + product % 36)
    })?;
    char::from_digit((36 - sum % 36) % 36, 36).and_then(|c| u8::try_from(c.to_ascii_uppercase()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_hold() {
        // The portal's sample, and numbers that companies print on their invoices.
        for number in ["27AAPFU0939F1ZV", "27AAACR5055K1Z7", "29AAGCB7383J1Z4", "06AABCS0581D1ZT", "33GSPTN0231G1ZM"] {
            println!("{number} {:?}", check_character(number.as_bytes()).map(char::from));
        }
        assert!(is_valid(b"27AAPFU0939F1ZV"));
        for wrong in ["27AAPFU0939F1ZW", "27AAPFU0939F1Z", "47AAPFU0939F1ZV", "27AAPFU093OF1ZV", ""] {
            assert!(!is_valid(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn one_wrong_character_is_always_seen() {
        let good = *b"27AAPFU0939F1ZV";
        for place in 0..good.len() {
            for c in (b'0'..=b'9').chain(b'A'..=b'Z') {
                let mut number = good;
                number[place] = c;
                assert_eq!(is_valid(&number), number == good, "{}", String::from_utf8_lossy(&number));
            }
        }
    }
}

//! International bank account numbers (ISO 13616): length by country, ISO 7064 mod 97-10.

/// Lengths of the SWIFT registry.
const LENGTHS: &[(&[u8; 2], u8)] = &[
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HN", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"VG", 24),
    (b"XK", 20),
    (b"YE", 30),
];

/// Length of the numbers of the country with which these characters begin.
pub fn length(chars: &[u8]) -> Option<usize> {
    let country = chars.first_chunk::<2>()?;
    let place = LENGTHS.binary_search_by(|(code, _)| (*code).cmp(country)).ok()?;
    LENGTHS.get(place).map(|(_, len)| usize::from(*len))
}

/// True if these capital letters and digits have their country's length and their check digits are right.
pub fn is_valid(chars: &[u8]) -> bool {
    let Some((head, body)) = chars.split_at_checked(4) else { return false };
    if length(chars) != Some(chars.len()) || !head.iter().skip(2).all(u8::is_ascii_digit) {
        return false;
    }
    let rest = body.iter().chain(head).try_fold(0u32, |rest, byte| {
        let value = char::from(*byte).to_digit(36)?;
        Some((rest * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    rest == Some(1)
}

/// True for the shape of a number whose check digits are wrong.
pub fn is_wrong(chars: &[u8]) -> bool {
    length(chars) == Some(chars.len()) && matches!(chars, [_, _, b'0'..=b'9', b'0'..=b'9', ..]) && !is_valid(chars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_s_examples_hold() {
        for number in [
            "AD1200012030200359100100",
            "AE070331234567890123456",
            "AT611904300234573201",
            "BE68539007547034",
            "BR1800360305000010009795493C1",
            "CH9300762011623852957",
            "DE89370400440532013000",
            "ES9121000418450200051332",
            "FR1420041010050500013M02606",
            "GB29NWBK60161331926819",
            "IE29AIBK93115212345678",
            "MT84MALT011000012345MTLCAST001S",
            "NL91ABNA0417164300",
            "NO9386011117947",
            "SA0380000000608010167519",
        ] {
            assert!(is_valid(number.as_bytes()), "{number}");
        }
        for wrong in [
            "DE89370400440532013001",
            "DE8937040044053201300",
            "XX89370400440532013000",
            "",
            "GB",
            "DEAB370400440532013000",
        ] {
            assert!(!is_valid(wrong.as_bytes()), "{wrong}");
        }
        assert!(LENGTHS.is_sorted());
    }
}

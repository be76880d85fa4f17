//! The check digit of Aadhaar numbers (J. Verhoeff, 1969): catches every single wrong digit and every swap of neighbours.

/// Multiplication in the dihedral group of order 10.
const TIMES: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// The permutation applied once per place, counted from the right.
const PERMUTED: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// True if the last of these ASCII digits is the check digit of the others.
pub fn is_valid(digits: &[u8]) -> bool {
    let step = |sum: u8, (place, byte): (usize, &u8)| {
        let digit = usize::from(byte.checked_sub(b'0')?);
        let permuted = *PERMUTED.get(place % 8)?.get(digit)?;
        TIMES.get(usize::from(sum))?.get(usize::from(permuted)).copied()
    };
    !digits.is_empty() && digits.iter().rev().enumerate().try_fold(0, step) == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors_hold() {
        // 236 has check digit 3, 12345 has 1, 142857 has 0 (Wikipedia, Rosetta Code); 12-digit ones of Rosetta Code too.
        for valid in ["2363", "123451", "1428570", "1234567890120", "84736430954837284567892"] {
            assert!(is_valid(valid.as_bytes()), "{valid}");
        }
        for wrong in ["2369", "123459", "1428571", "1234567890129", "", "12a4", "2３63"] {
            assert!(!is_valid(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn one_wrong_digit_or_a_swap_is_always_seen() {
        let good = b"876345380680";
        assert!(is_valid(good));
        for place in 0..good.len() {
            for digit in b'0'..=b'9' {
                let mut wrong = *good;
                wrong[place] = digit;
                assert_eq!(is_valid(&wrong), wrong == *good);
            }
            let mut swapped = *good;
            swapped.swap(place, (place + 1) % good.len());
            if place + 1 < good.len() {
                assert_eq!(is_valid(&swapped), swapped == *good);
            }
        }
    }
}

//! Letters of states and union territories on vehicles and licences, former ones too; sorted.

const STATES: &[&str] = &[
    "AN", "AP", "AR", "AS", "BR", "CG", "CH", "DD", "DL", "DN", "GA", "GJ", "HP", "HR", "JH", "JK", "KA", "KL", "LA",
    "LD", "MH", "ML", "MN", "MP", "MZ", "NL", "OD", "OR", "PB", "PY", "RJ", "SK", "TG", "TN", "TR", "TS", "UA", "UK",
    "UP", "WB",
];

/// For each first letter the second ones, as bits.
const BITS: [u32; 26] = {
    let mut bits = [0; 26];
    let mut rest: &[&str] = STATES;
    while let [state, tail @ ..] = rest {
        if let [first, second] = state.as_bytes() {
            let mut slots: &mut [u32] = &mut bits;
            let mut skip = *first - b'A';
            while let [slot, after @ ..] = slots {
                if skip == 0 {
                    *slot |= 1 << (*second - b'A');
                    break;
                }
                skip -= 1;
                slots = after;
            }
        }
        rest = tail;
    }
    bits
};

/// True for the two letters of a state, in any case.
pub(in crate::pii) fn is_state_code(first: u8, second: u8) -> bool {
    let place = |letter: u8| letter.to_ascii_uppercase().wrapping_sub(b'A');
    let seconds = BITS.get(usize::from(place(first))).copied().unwrap_or_default();
    place(second) < 26 && seconds >> place(second) & 1 == 1
}

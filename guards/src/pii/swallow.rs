//! The rest of a secret that is left out as it comes, without being held back.
//!
//! # Invariants
//! * At most [`BLOCK_BYTES_MAX`] bytes of a private key are left out, and at most [`HELD_BYTES_MAX`] are held back meanwhile
//!   (`long_secrets_are_not_held_back`).

use memchr::memmem;

/// A private key that does not end after so many bytes is over.
const BLOCK_BYTES_MAX: usize = 16 << 10;
/// Most bytes that are held back inside a secret: the line that ends a private key.
const HELD_BYTES_MAX: usize = 72;

/// The characters of which a token is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// Letters, digits, `_` and `-`.
    Word,
    /// The same and `.`.
    Dotted,
    /// Capital letters and digits.
    Capitals,
    Hex,
    /// What base64 is made of, `_`, `-` and `.`.
    Base64,
    /// The same and what URLs are made of.
    Path,
    /// What passwords are made of: visible, and no sign that ends a value.
    Value,
}

impl Alphabet {
    pub fn has(self, class: u8) -> bool {
        let word = class.is_ascii_alphanumeric() || matches!(class, b'_' | b'-');
        match self {
            Self::Word => word,
            Self::Dotted => word || class == b'.',
            Self::Capitals => class.is_ascii_uppercase() || class.is_ascii_digit(),
            Self::Hex => class.is_ascii_hexdigit(),
            Self::Base64 => word || matches!(class, b'+' | b'/' | b'=' | b'.'),
            Self::Path => word || matches!(class, b'/' | b'.' | b'%'),
            Self::Value => {
                class.is_ascii_graphic()
                    && !matches!(
                        class,
                        b'"' | b'\''
                            | b'`'
                            | b','
                            | b';'
                            | b'<'
                            | b'>'
                            | b')'
                            | b']'
                            | b'}'
                            | b'|'
                            | b'\\'
                            | b'&'
                            | b'('
                            | b'['
                    )
            }
        }
    }
}

/// What is being left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swallow {
    Token(Alphabet),
    /// The block of a private key, with the bytes that may still come.
    Block(usize),
}

/// Up to where the text belongs to the secret, and whether the secret goes on after it.
pub(super) struct Swallowed {
    pub to: usize,
    pub goes_on: bool,
}

impl Swallow {
    pub const fn token(alphabet: Alphabet) -> Self {
        Self::Token(alphabet)
    }

    pub const fn block() -> Self {
        Self::Block(BLOCK_BYTES_MAX)
    }

    /// Goes over what has come; what stands after `to` is held back if the secret goes on.
    pub fn run(&mut self, text: &str, finished: bool) -> Swallowed {
        match self {
            Self::Token(alphabet) => token(*alphabet, text, finished),
            Self::Block(left) => {
                let swallowed = block(text, *left, finished);
                *left = left.saturating_sub(swallowed.to);
                swallowed
            }
        }
    }
}

/// A full stop or colon at the end of a token ends the sentence and does not belong to it.
fn token(alphabet: Alphabet, text: &str, finished: bool) -> Swallowed {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|b| !alphabet.has(*b)).unwrap_or(bytes.len());
    let whole = bytes.get(..end).unwrap_or_default();
    let stops = whole.iter().rev().take_while(|b| matches!(b, b'.' | b':')).count();
    let goes_on = end == bytes.len() && !finished;
    // Stops without end are part of it: so nothing is held back for long.
    let stops = if goes_on && stops > 8 { 0 } else { stops };
    Swallowed { to: end - stops, goes_on }
}

fn block(text: &str, left: usize, finished: bool) -> Swallowed {
    const END: &[u8] = b"-----END";
    let bytes = text.as_bytes();
    let body = |b: &u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'+' | b'/' | b'=' | b'-' | b':' | b',' | b'\\' | b'.' | b' ' | b'\n' | b'\r' | b'\t')
    };
    let reach = bytes.iter().position(|b| !body(b)).unwrap_or(bytes.len()).min(left);
    let inside = bytes.get(..reach).unwrap_or_default();
    let more = reach == bytes.len() && !finished;
    if let Some(at) = memmem::find(inside, END) {
        let from = at + END.len();
        let after = inside.get(from..).unwrap_or_default();
        return match memmem::find(after, b"-----") {
            Some(close) => Swallowed { to: from + close + 5, goes_on: false },
            None if more && after.len() < HELD_BYTES_MAX - END.len() => Swallowed { to: at, goes_on: true },
            None => Swallowed { to: from.min(reach), goes_on: false },
        };
    }
    if more {
        // The line that ends it may have begun.
        let begun = (1..END.len()).rev().find(|n| inside.ends_with(END.get(..*n).unwrap_or_default())).unwrap_or(0);
        return Swallowed { to: reach - begun, goes_on: true };
    }
    let trimmed = inside.trim_ascii_end().len();
    Swallowed { to: trimmed, goes_on: false }
}

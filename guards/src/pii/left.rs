//! What stands before the place that is decided: the end of what was given out, and what the table's header says.
//!
//! # Invariants
//! * It depends on the text given out and not on how it was cut (`a_masked_stream_is_the_masked_whole`), so that a masked text
//!   that is masked again is seen in the same way (`masking_twice_is_masking_once`).

use super::columns::Columns;
use super::fold::{HARD, ZERO_WIDTH, fold, is_alnum};
use super::inserts::Inserts;
use super::markup::Markup;
use super::words::Meaning;

/// Bytes of the text before a place that its decision may depend on.
pub(super) const WINDOW_BYTES: usize = 96;
const BUFFER_BYTES: usize = 512;
/// Up to here one look for all signs is cheaper than one for each.
const SHORT_BYTES: usize = 64;

/// The text before the undecided text.
pub(super) struct Left {
    tail: [u8; BUFFER_BYTES],
    len: usize,
    columns: Columns,
    inserts: Inserts,
    markup: Markup,
}

impl Default for Left {
    fn default() -> Self {
        Self {
            tail: [0; BUFFER_BYTES],
            len: 0,
            columns: Columns::default(),
            inserts: Inserts::default(),
            markup: Markup::default(),
        }
    }
}

impl Left {
    pub fn push(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let bytes = text.as_bytes();
        // Most pieces are short and have nothing that begins a line, a list or a tag.
        let begins = bytes.len() > SHORT_BYTES
            || bytes.iter().fold(false, |any, byte| any | matches!(byte, b'\n' | b'(' | b'<'));
        if begins {
            self.columns.push(text);
        } else {
            self.columns.part(bytes);
        }
        if begins || !self.inserts.is_idle() {
            self.inserts.push(text);
        }
        if begins || !self.markup.is_idle() {
            self.markup.push(text);
        }
        let bytes = bytes.get(bytes.len().saturating_sub(WINDOW_BYTES)..).unwrap_or_default();
        if self.len + bytes.len() > BUFFER_BYTES {
            let keep = self.len.min(WINDOW_BYTES);
            self.tail.copy_within(self.len - keep..self.len, 0);
            self.len = keep;
        }
        if let Some(room) = self.tail.get_mut(self.len..self.len + bytes.len()) {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    /// What the head of a table says of the cell that is being read; `None` outside of tables.
    pub fn cell(&self) -> Option<Meaning> {
        self.inserts.meaning().or_else(|| self.markup.meaning()).or_else(|| self.columns.meaning())
    }

    /// The last bytes; may begin in the middle of a character.
    pub fn window(&self) -> &[u8] {
        self.tail.get(self.len.saturating_sub(WINDOW_BYTES)..self.len).unwrap_or_default()
    }

    /// True if the window holds the text from its very beginning.
    pub fn is_whole(&self) -> bool {
        self.len < WINDOW_BYTES
    }

    /// The last character.
    pub fn last(&self) -> char {
        last_char(self.window()).map_or('\0', |(c, _)| c)
    }

    /// Classes of the last three characters; the last one stands last.
    pub fn before(&self) -> Before {
        let mut classes = [HARD; 3];
        let mut rest = self.window();
        if let Some(last) = rest.last_chunk::<3>().filter(|last| last.is_ascii()) {
            return Before(last.map(|byte| fold(char::from(byte))));
        }
        for slot in classes.iter_mut().rev() {
            let Some((c, len)) = last_char(rest) else { break };
            *slot = fold(c);
            rest = rest.get(..rest.len() - len).unwrap_or_default();
        }
        Before(classes)
    }
}

/// The character at the end of these bytes, and its length.
pub(super) fn last_char(bytes: &[u8]) -> Option<(char, usize)> {
    let last = *bytes.last()?;
    if last < 0x80 {
        return Some((char::from(last), 1));
    }
    let len =
        (1..=4).find(|len| bytes.len().checked_sub(*len).and_then(|i| bytes.get(i)).is_some_and(|b| *b >= 0xC0))?;
    let c = std::str::from_utf8(bytes.get(bytes.len() - len..)?).ok()?.chars().next()?;
    Some((c, len))
}

/// Classes of the last three characters of what was given out.
#[derive(Clone, Copy, Default)]
pub(super) struct Before(pub [u8; 3]);

impl Before {
    pub fn last(self) -> u8 {
        self.0[2]
    }

    /// True if a letter or digit here belongs to what stands before it: the same word, a decimal number, or a word with
    /// something invisible in it. Mirrors where a chain of digits ends a group.
    pub fn continues_in(self, class: u8) -> bool {
        match self.0 {
            // What raw JSON writes for the end of a line stands between words.
            [_, b'\\', b'n' | b't' | b'r'] => false,
            [_, _, last] if is_alnum(last) => true,
            [_, b'0'..=b'9', b'.'] => class.is_ascii_digit(),
            [_, before, ZERO_WIDTH] if before != ZERO_WIDTH => is_alnum(before),
            [before, ZERO_WIDTH, ZERO_WIDTH] => is_alnum(before),
            _ => false,
        }
    }
}

//! What the first row of an HTML table says about the cell that is being read.
//!
//! # Invariants
//! * Bounded: at most [`COLUMNS_MAX`] columns, and [`NAME_BYTES_MAX`] bytes of a name, are remembered.
//! * The state depends on the text and not on how it was cut (`a_masked_stream_is_the_masked_whole`).

use super::words::{self, Meaning};
use memchr::memchr;

const COLUMNS_MAX: usize = 24;
const NAME_BYTES_MAX: usize = 48;
/// Longest name of a tag that matters, with its slash.
const TAG_BYTES: usize = 6;
/// A `<` that nothing closes for so long begins no tag.
const TAG_BYTES_MAX: usize = 256;

/// The state of one text.
#[derive(Default)]
pub(super) struct Markup {
    tag: [u8; TAG_BYTES],
    /// Bytes of the tag that is being read, with its `<`; 0: none is.
    tag_len: usize,
    /// Rows of the table so far.
    rows: usize,
    column: usize,
    in_cell: bool,
    name: NameBytes,
    meanings: [Meaning; COLUMNS_MAX],
    /// The first row has a name that says something.
    known: bool,
}

/// A cell of the first row.
struct NameBytes {
    bytes: [u8; NAME_BYTES_MAX],
    len: usize,
}

impl Default for NameBytes {
    fn default() -> Self {
        Self { bytes: [0; NAME_BYTES_MAX], len: 0 }
    }
}

impl NameBytes {
    fn push(&mut self, part: &[u8]) {
        for (slot, byte) in self.bytes.iter_mut().skip(self.len).zip(part) {
            *slot = *byte;
        }
        self.len = (self.len + part.len()).min(NAME_BYTES_MAX);
    }
}

impl Markup {
    /// What the first row says of the cell that is being read; `None` outside of cells.
    pub fn meaning(&self) -> Option<Meaning> {
        (self.known && self.in_cell && self.rows > 1)
            .then(|| self.meanings.get(self.column).copied().unwrap_or_default())
    }

    /// Only a `<` begins something.
    pub fn is_idle(&self) -> bool {
        self.tag_len == 0 && !(self.in_cell && self.rows == 1)
    }

    pub fn push(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            if self.tag_len == 0 {
                let open = memchr(b'<', rest);
                if self.in_cell && self.rows == 1 {
                    self.name.push(rest.get(..open.unwrap_or(rest.len())).unwrap_or_default());
                }
                let Some(open) = open else { return };
                self.tag_len = 1;
                rest = rest.get(open + 1..).unwrap_or_default();
                continue;
            }
            let Some((byte, after)) = rest.split_first() else { return };
            self.in_tag(*byte);
            rest = after;
        }
    }

    fn in_tag(&mut self, byte: u8) {
        match byte {
            b'>' => {
                self.end_tag();
                self.tag_len = 0;
            }
            b'<' => self.tag_len = 1,
            _ if self.tag_len >= TAG_BYTES_MAX => self.tag_len = 0,
            _ => {
                if let Some(slot) = self.tag.get_mut(self.tag_len - 1) {
                    *slot = byte.to_ascii_lowercase();
                }
                self.tag_len += 1;
            }
        }
    }

    fn end_tag(&mut self) {
        let tag = self.tag.get(..(self.tag_len - 1).min(TAG_BYTES)).unwrap_or_default();
        let name = tag.split(|b| b.is_ascii_whitespace()).next().unwrap_or_default();
        match name {
            b"table" | b"/table" => (self.rows, self.known, self.in_cell) = (0, false, false),
            b"tr" => (self.rows, self.column, self.in_cell) = (self.rows + 1, 0, false),
            b"td" | b"th" => (self.in_cell, self.name.len) = (true, 0),
            b"/td" | b"/th" if self.in_cell => self.end_cell(),
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        if self.rows == 1
            && let Some(slot) = self.meanings.get_mut(self.column)
        {
            *slot = words::meaning_of(self.name.bytes.get(..self.name.len).unwrap_or_default());
            self.known |= *slot != Meaning::default();
        }
        (self.column, self.in_cell) = (self.column + 1, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raptorgate_config::model::PiiType;

    #[test]
    fn the_first_row_names_the_cells_below() {
        let table = "<p>a < b</p><TABLE class=x><tr><th>Name</th><th scope=\"col\">Passport no</th></tr>\n<tr><td>Asha</td><td>";
        for cut in 0..=table.len() {
            let mut markup = Markup::default();
            markup.push(&table[..cut]);
            markup.push(&table[cut..]);
            assert_eq!(markup.meaning().map(|m| m.for_kinds), Some(words::bit(PiiType::Passport)), "cut at {cut}");
        }
        let mut markup = Markup::default();
        markup.push("<tr><td>a</td></tr><tr><td>");
        assert_eq!(markup.meaning(), None);
    }
}

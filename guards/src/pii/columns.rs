//! What the header of a table says about the cell that is being read: CSV, tab-separated and Markdown tables.
//!
//! # Invariants
//! * Bounded: at most [`COLUMNS_MAX`] columns of a header of at most [`HEADER_BYTES_MAX`] bytes are remembered.
//! * The state depends on the text and not on how it was cut (`a_masked_stream_is_the_masked_whole`).

use super::words::{self, Meaning};
use memchr::memchr;

const COLUMNS_MAX: usize = 24;
const HEADER_BYTES_MAX: usize = 320;
/// Longest name of a column.
const NAME_BYTES_MAX: usize = 48;

/// What the line that is being read may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    /// The first line of a text or of a block: kept, it may be a header.
    First,
    /// A line of the table under the header.
    Row,
    /// Another line.
    Other,
}

/// The state of one text.
pub(super) struct Columns {
    line: Line,
    header: [u8; HEADER_BYTES_MAX],
    /// Bytes of the line so far; of longer ones the beginning counts.
    len: usize,
    /// The last byte of the line so far.
    last: u8,
    delimiter: u8,
    meanings: [Meaning; COLUMNS_MAX],
    /// Columns before this place of the row.
    column: usize,
    quoted: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            line: Line::First,
            header: [0; HEADER_BYTES_MAX],
            len: 0,
            last: 0,
            delimiter: 0,
            meanings: [Meaning::default(); COLUMNS_MAX],
            column: 0,
            quoted: false,
        }
    }
}

impl Columns {
    /// What the header says of the cell that is being read; `None` outside of tables.
    pub fn meaning(&self) -> Option<Meaning> {
        (self.line == Line::Row).then(|| self.meanings.get(self.column).copied().unwrap_or_default())
    }

    pub fn push(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while let Some(end) = memchr(b'\n', rest) {
            self.part(rest.get(..end).unwrap_or_default());
            self.end_line();
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.part(rest);
    }

    /// A part of a line.
    pub fn part(&mut self, part: &[u8]) {
        if self.line == Line::Row {
            for byte in part {
                match *byte {
                    b'"' => self.quoted = !self.quoted,
                    byte if byte == self.delimiter && !self.quoted => self.column += 1,
                    _ => {}
                }
            }
        }
        self.last = part.last().copied().unwrap_or(self.last);
        // Of other lines only the beginning tells something.
        let most = if self.line == Line::First { HEADER_BYTES_MAX } else { 4 };
        let room = self.header.get_mut(self.len.min(most)..most).unwrap_or_default();
        let kept = part.len().min(room.len());
        if let (Some(room), Some(part)) = (room.get_mut(..kept), part.get(..kept)) {
            room.copy_from_slice(part);
        }
        self.len = self.len.saturating_add(part.len());
    }

    fn end_line(&mut self) {
        let line = self.header.get(..self.len.min(4)).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let opens = line.is_empty() || line.starts_with(b"```") || self.last == b':';
        let header = self.line == Line::First && self.len < HEADER_BYTES_MAX && self.read_header();
        self.line = match self.line {
            Line::Row if self.column > 0 => Line::Row,
            _ if header => Line::Row,
            _ if opens => Line::First,
            Line::First | Line::Row | Line::Other => Line::Other,
        };
        (self.len, self.last, self.column, self.quoted) = (0, 0, 0, false);
    }

    /// Reads the line as a header; false if it is none.
    fn read_header(&mut self) -> bool {
        let line = self.header.get(..self.len).unwrap_or_default();
        let count = |delimiter: u8| line.iter().filter(|b| **b == delimiter).count();
        let Some(delimiter) = [b'\t', b'|', b';', b','].into_iter().find(|d| count(*d) > 0) else { return false };
        let mut meanings = [Meaning::default(); COLUMNS_MAX];
        let mut known = false;
        for (place, name) in line.split(|b| *b == delimiter).enumerate() {
            let words = name.split(|b| *b == b' ').filter(|word| !word.is_empty()).count();
            let digits = name.iter().filter(|b| b.is_ascii_digit()).count();
            if name.len() > NAME_BYTES_MAX || words > 4 || digits > 3 || name.contains(&b'@') {
                return false;
            }
            let meaning = words::meaning_of(name);
            known |= meaning != Meaning::default();
            if let Some(slot) = meanings.get_mut(place) {
                *slot = meaning;
            }
        }
        if known {
            (self.delimiter, self.meanings) = (delimiter, meanings);
        }
        known
    }
}

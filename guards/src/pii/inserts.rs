//! What the list of columns of an SQL `INSERT` says about the value that is being read.
//!
//! # Invariants
//! * Bounded: the names of one list, at most [`LIST_BYTES_MAX`] bytes, are remembered.
//! * The state depends on the text and not on how it was cut (`a_masked_stream_is_the_masked_whole`).

use super::words::{self, Meaning};
use memchr::memchr;

const LIST_BYTES_MAX: usize = 480;
const COLUMNS_MAX: usize = 24;
const VALUES: &[u8] = b"values";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// Inside of parentheses that may hold names.
    List,
    /// After them: so many letters of `values` were read.
    Keyword(usize),
    /// Inside of the parentheses of a row.
    Row,
    /// Between two rows.
    Between,
}

/// The state of one text.
pub(super) struct Inserts {
    state: State,
    list: [u8; LIST_BYTES_MAX],
    len: usize,
    meanings: [Meaning; COLUMNS_MAX],
    column: usize,
    quoted: bool,
}

impl Default for Inserts {
    fn default() -> Self {
        Self {
            state: State::Idle,
            list: [0; LIST_BYTES_MAX],
            len: 0,
            meanings: [Meaning::default(); COLUMNS_MAX],
            column: 0,
            quoted: false,
        }
    }
}

impl Inserts {
    /// What the list says of the value that is being read; `None` outside of rows.
    pub fn meaning(&self) -> Option<Meaning> {
        (self.state == State::Row).then(|| self.meanings.get(self.column).copied().unwrap_or_default())
    }

    /// Only a `(` begins something.
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    pub fn push(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        loop {
            if self.state == State::Idle {
                let Some(open) = memchr(b'(', rest) else { return };
                rest = rest.get(open..).unwrap_or_default();
            }
            let Some((byte, after)) = rest.split_first() else { return };
            self.step(*byte);
            rest = after;
        }
    }

    fn step(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Row, b'\'') => {
                self.quoted = !self.quoted;
                State::Row
            }
            (State::Row, _) if self.quoted => State::Row,
            (State::Row, b',') => {
                self.column += 1;
                State::Row
            }
            (State::Row, b')') => State::Between,
            (State::Row, _) => State::Row,
            (State::Keyword(read), b'(') if read == VALUES.len() => self.open_row(),
            (State::Between, b'(') => self.open_row(),
            (State::Idle | State::List | State::Keyword(_), b'(') => {
                self.len = 0;
                State::List
            }
            (State::List, b')') => State::Keyword(0),
            (State::List, _) => self.name(byte),
            (State::Keyword(read), _) if VALUES.get(read) == Some(&byte.to_ascii_lowercase()) => {
                State::Keyword(read + 1)
            }
            (State::Keyword(0 | 6) | State::Between, b' ' | b'\n' | b'\r' | b'\t') => self.state,
            (State::Between, b',') => State::Between,
            (State::Keyword(_) | State::Between | State::Idle, _) => State::Idle,
        };
    }

    fn name(&mut self, byte: u8) -> State {
        match self.list.get_mut(self.len) {
            Some(slot) if byte != b'\'' => *slot = byte,
            Some(_) | None => return State::Idle,
        }
        self.len += 1;
        State::List
    }

    fn open_row(&mut self) -> State {
        (self.column, self.quoted) = (0, false);
        if self.state != State::Between {
            self.meanings = [Meaning::default(); COLUMNS_MAX];
            let list = self.list.get(..self.len).unwrap_or_default();
            for (name, slot) in list.split(|b| *b == b',').zip(&mut self.meanings) {
                *slot = words::meaning_of(name.trim_ascii());
            }
        }
        State::Row
    }
}

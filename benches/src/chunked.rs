//! The chunked transfer coding, undone as it comes (RFC 9112 §7.1).
//!
//! # Invariants
//! * Where the bytes are cut changes nothing (`every_cut_gives_the_same_body`).

/// The coding is broken here.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the line with a chunk's size, whose digits so far have this value; `None` before the first.
    Size(Option<usize>),
    /// Behind the size, in an extension or at the line's end.
    SizeEnd(usize),
    /// So many bytes of this chunk are missing.
    Data(usize),
    /// In the line break behind a chunk.
    DataEnd,
    /// In a line behind the last chunk, which has so many bytes so far.
    Trailer(usize),
    Done,
}

/// Undoes the coding of one body.
#[derive(Debug)]
pub struct Dechunker(State);

impl Default for Dechunker {
    fn default() -> Self {
        Self(State::Size(None))
    }
}

impl Dechunker {
    /// The last chunk and the trailers have come.
    pub fn is_done(&self) -> bool {
        self.0 == State::Done
    }

    /// Appends what these bytes hold of the body; tells how many were read, which is all of them until the body ends.
    ///
    /// # Errors
    /// A size that is no number, or a chunk without a line break behind it.
    pub fn decode(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> Result<usize, Malformed> {
        let mut at = 0;
        while let (false, Some(&byte)) = (self.is_done(), bytes.get(at)) {
            if let State::Data(missing) = self.0 {
                let end = bytes.len().min(at.saturating_add(missing));
                let data = bytes.get(at..end).ok_or(Malformed)?;
                body.extend_from_slice(data);
                let missing = missing.saturating_sub(data.len());
                self.0 = if missing == 0 { State::DataEnd } else { State::Data(missing) };
                at = end;
            } else {
                self.0 = self.after(byte)?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// The state behind a byte that is no data.
    fn after(&self, byte: u8) -> Result<State, Malformed> {
        Ok(match (self.0, byte) {
            (State::Size(Some(size)), b'\r' | b';' | b' ') => State::SizeEnd(size),
            (State::Size(size), _) => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                let shifted = size.unwrap_or(0).checked_mul(16).ok_or(Malformed)?;
                State::Size(Some(shifted.saturating_add(digit as usize)))
            }
            (State::SizeEnd(0), b'\n') => State::Trailer(0),
            (State::SizeEnd(size), b'\n') => State::Data(size),
            (State::SizeEnd(size), _) => State::SizeEnd(size),
            (State::DataEnd, b'\r') => State::DataEnd,
            (State::DataEnd, b'\n') => State::Size(None),
            (State::DataEnd, _) => return Err(Malformed),
            (State::Trailer(0), b'\n') => State::Done,
            (State::Trailer(_), b'\n') => State::Trailer(0),
            (State::Trailer(length), b'\r') => State::Trailer(length),
            (State::Trailer(length), _) => State::Trailer(length.saturating_add(1)),
            (state @ (State::Data(_) | State::Done), _) => state,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const CODED: &[u8] = b"5\r\ndata:\r\nc;a=b\r\n one\n\ndata: \r\n06 \r\ntwo\n\nx\r\n0\r\nA: b\r\n\r\nHTTP";

    #[test]
    fn every_cut_gives_the_same_body() {
        for size in 1..CODED.len() {
            let (mut dechunker, mut body, mut read) = (Dechunker::default(), Vec::new(), 0);
            for piece in CODED.chunks(size) {
                read += dechunker.decode(piece, &mut body).unwrap();
            }
            assert!(dechunker.is_done(), "pieces of {size}");
            assert_eq!(body, b"data: one\n\ndata: two\n\nx", "pieces of {size}");
            assert_eq!(&CODED[read..], b"HTTP", "what follows the body is left alone");
        }
    }

    #[test]
    fn what_is_no_chunk_is_malformed() {
        for coded in [&b"\r\n"[..], b"x\r\n", b"1\r\nabc", b"-1\r\n", b"fffffffffffffffff\r\n"] {
            assert_eq!(Dechunker::default().decode(coded, &mut Vec::new()), Err(Malformed), "{coded:?}");
        }
    }

    #[test]
    fn a_body_without_its_last_chunk_is_not_done() {
        let mut dechunker = Dechunker::default();
        dechunker.decode(b"3\r\nabc\r\n0\r\n", &mut Vec::new()).unwrap();
        assert!(!dechunker.is_done());
    }
}

//! The chunked coding as bytes (RFC 9112 §7.1), scanned while it passes.
//!
//! # Invariants
//! * The end is found wherever the bytes are cut (`every_cut_finds_the_same_end`).
//! * Nothing but the exact form passes: sizes in hexadecimal digits, lines that end in CR LF (`other_forms_are_refused`).

use super::fields::{fields, is_token, is_value};

/// Bytes of all chunk extensions of one message; nobody is known to use any.
const EXTENSION_BYTES_MAX: usize = 4 << 10;
/// Bytes of a trailer section.
const TRAILER_BYTES_MAX: usize = 8 << 10;
/// Hexadecimal digits of a chunk's size: 2^60 - 1 bytes.
const SIZE_DIGITS_MAX: u8 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the digits of a size, of which so many have come.
    Size(u8),
    Extension,
    SizeLf,
    /// So much of the data is to come.
    Data,
    DataCr,
    DataLf,
    /// In the trailer section, which is gathered.
    Trailer,
    End,
}

/// A chunked body on its way.
#[derive(Debug)]
pub struct Chunks {
    at: At,
    left: u64,
    extension_bytes: usize,
    /// Bytes since the last data: of a line or section that is not whole yet.
    unfinished: usize,
    trailer: Vec<u8>,
}

impl Default for Chunks {
    /// Before its first byte.
    fn default() -> Self {
        Self { at: At::Size(0), left: 0, extension_bytes: 0, unfinished: 0, trailer: Vec::new() }
    }
}

impl Chunks {
    /// True when its last byte has passed.
    pub fn is_over(&self) -> bool {
        self.at == At::End
    }

    /// How many of the last bytes that were taken belong to a line or section that is not whole: another reader could think
    /// that the body ends there.
    pub fn unfinished(&self) -> usize {
        if self.is_over() { 0 } else { self.unfinished }
    }

    /// Takes the next bytes; says how many of them belong to this body.
    ///
    /// # Errors
    /// The rule that they break.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut taken = 0_usize;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.at {
                At::End => break,
                At::Data => taken = taken.saturating_add(self.data(rest.len())),
                _ => {
                    let Some(byte) = rest.first() else { break };
                    self.byte(*byte)?;
                    self.unfinished = if self.at == At::Data { 0 } else { self.unfinished.saturating_add(1) };
                    taken = taken.saturating_add(1);
                }
            }
        }
        Ok(taken)
    }

    fn data(&mut self, available: usize) -> usize {
        let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(available);
        self.left = self.left.saturating_sub(take as u64);
        if self.left == 0 {
            self.at = At::DataCr;
        }
        take
    }

    fn byte(&mut self, byte: u8) -> Result<(), &'static str> {
        const CHUNK: &str = "a chunk is not valid";
        self.at = match (self.at, byte) {
            (At::Size(digits), b) if b.is_ascii_hexdigit() => {
                if digits == SIZE_DIGITS_MAX {
                    return Err("a chunk's size is too large");
                }
                let value = char::from(b).to_digit(16).unwrap_or(0);
                self.left = (self.left << 4) | u64::from(value);
                At::Size(digits + 1)
            }
            (At::Size(1..), b';') => At::Extension,
            (At::Size(1..) | At::Extension, b'\r') => At::SizeLf,
            (At::Extension, b) if is_value(&[b]) => {
                self.extension_bytes += 1;
                if self.extension_bytes > EXTENSION_BYTES_MAX {
                    return Err("the chunk extensions are too large");
                }
                At::Extension
            }
            (At::SizeLf, b'\n') if self.left == 0 => At::Trailer,
            (At::SizeLf, b'\n') => At::Data,
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size(0),
            (At::Trailer, b) => self.trailer_byte(b)?,
            (At::Size(_) | At::Extension | At::SizeLf | At::DataCr | At::DataLf | At::Data | At::End, _) => {
                return Err(CHUNK);
            }
        };
        Ok(())
    }

    fn trailer_byte(&mut self, byte: u8) -> Result<At, &'static str> {
        self.trailer.push(byte);
        if self.trailer.len() > TRAILER_BYTES_MAX {
            return Err("the trailers are too large");
        }
        if self.trailer == b"\r\n" {
            return Ok(At::End);
        }
        if !self.trailer.ends_with(b"\r\n\r\n") {
            return Ok(At::Trailer);
        }
        let section = self.trailer.strip_suffix(b"\r\n\r\n").unwrap_or_default();
        for field in fields(section) {
            let field = field?;
            if !is_token(field.name) || !is_value(field.value) {
                return Err("a trailer field is not valid");
            }
        }
        Ok(At::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"5\r\nhello\r\n00A;ext=\"x\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\nGET /";

    #[test]
    fn every_cut_finds_the_same_end() {
        let end = BODY.len() - 5;
        for cut in 0..BODY.len() {
            let mut chunks = Chunks::default();
            let first = chunks.scan(&BODY[..cut]).unwrap();
            assert_eq!(first, cut.min(end));
            assert_eq!(first + chunks.scan(&BODY[first..]).unwrap(), end, "cut at {cut}");
            assert!(chunks.is_over());
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for body in [
            "+5\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhelloo\r\n0\r\n\r\n",
            "5;a\nb\r\nhello\r\n0\r\n\r\n",
            "\r\n",
            "ffffffffffffffff\r\n",
            "0\r\nX\r\n\r\n",
            "0\r\nX y: z\r\n\r\n",
            "0\r\n X: z\r\n\r\n",
        ] {
            assert!(Chunks::default().scan(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}

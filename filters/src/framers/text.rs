//! Plain text in pieces that are never cut inside a character.
//!
//! # Invariants
//! * At most three bytes are held back (`only_a_cut_character_is_held_back`).

use super::FrameError;
use crate::frame::Frame;

/// Cuts a stream of bytes at characters.
#[derive(Debug, Default)]
pub struct TextFramer {
    /// The start of a character; at most three bytes.
    partial: Vec<u8>,
    failed: bool,
}

impl TextFramer {
    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<Frame>) -> Result<(), FrameError> {
        if self.failed {
            return Err(FrameError::NotUtf8);
        }
        let mut all = std::mem::take(&mut self.partial);
        all.extend_from_slice(bytes);
        if let Err(e) = std::str::from_utf8(&all) {
            self.partial = all.split_off(e.valid_up_to());
            // `None` says that more bytes could still complete the character.
            self.failed = e.error_len().is_some();
        }
        if let Some(text) = String::from_utf8(all).ok().filter(|text| !text.is_empty()) {
            out.push(Frame::Text(text));
        }
        if self.failed { Err(FrameError::NotUtf8) } else { Ok(()) }
    }

    /// The stream is over; half a character is an error.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        if self.failed || !self.partial.is_empty() { Err(FrameError::NotUtf8) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(frames: &[Frame]) -> Vec<&str> {
        frames.iter().map(|f| if let Frame::Text(t) = f { t.as_str() } else { panic!("text") }).collect()
    }

    #[test]
    fn only_a_cut_character_is_held_back() {
        let mut framer = TextFramer::default();
        let mut out = Vec::new();
        for byte in "aé😀z".bytes() {
            framer.push(&[byte], &mut out).unwrap();
            assert!(framer.partial.len() <= 3);
        }
        framer.finish().unwrap();
        assert_eq!(texts(&out), ["a", "é", "😀", "z"]);
    }

    #[test]
    fn invalid_bytes_fail_the_stream_after_what_was_valid() {
        let mut framer = TextFramer::default();
        let mut out = Vec::new();
        assert_eq!(framer.push(b"ok\xff more", &mut out), Err(FrameError::NotUtf8));
        assert_eq!(texts(&out), ["ok"]);
        assert!(framer.push(b"x", &mut out).is_err());
        let mut cut = TextFramer::default();
        cut.push(b"\xe2\x82", &mut out).unwrap();
        assert_eq!(cut.finish(), Err(FrameError::NotUtf8));
    }
}

//! How one record stands in a segment.
//!
//! ```text
//! length u32 │ CRC-32 u32 │ sequence u64 │ durable u64 │ payload        (little endian)
//! ```
//! The checksum covers everything behind it. `durable` is the last sequence number that was known to be on disk when this
//! frame was written: it tells a tail that a power cut tore from a record that was damaged later. A length of zero ends
//! the segment, whose unwritten rest is zeros.

/// Bytes before the payload.
pub const HEADER_BYTES: usize = 24;

/// Largest payload. Longer: the record is refused.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// A record that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Its number.
    pub sequence: u64,
    /// The last number that was on disk when it was written.
    pub durable: u64,
    /// Its content.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Bytes it takes.
    pub fn bytes(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }

    /// Writes it behind what is in `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.durable.to_le_bytes());
        out.extend_from_slice(self.payload);
        let sum = crc32fast::hash(out.get(start + 8..).unwrap_or_default());
        if let Some(place) = out.get_mut(start + 4..start + 8) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
    }
}

/// What stands at a place of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// A whole record.
    Frame(Frame<'a>),
    /// Nothing was written here.
    End,
    /// Something that is no record.
    Bad,
}

/// Reads what stands at the beginning of `bytes`.
pub fn read(bytes: &[u8]) -> Read<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return if bytes.iter().all(|b| *b == 0) { Read::End } else { Read::Bad };
    };
    if *head == [0; HEADER_BYTES] {
        return Read::End;
    }
    let ([length, sum, ..], [sequence, durable]) = numbers(head);
    let payload = match usize::try_from(length) {
        Ok(length) if length <= PAYLOAD_BYTES_MAX => rest.get(..length),
        Ok(_) | Err(_) => None,
    };
    let Some(payload) = payload else { return Read::Bad };
    let covered = bytes.get(8..HEADER_BYTES + payload.len()).unwrap_or_default();
    if crc32fast::hash(covered) == sum { Read::Frame(Frame { sequence, durable, payload }) } else { Read::Bad }
}

/// The numbers of the record that may begin here, without a look at its checksum: sequence, then durable.
pub fn claimed(bytes: &[u8]) -> Option<(u64, u64)> {
    let (_, [sequence, durable]) = numbers(bytes.first_chunk()?);
    Some((sequence, durable))
}

fn numbers(head: &[u8; HEADER_BYTES]) -> ([u32; 2], [u64; 2]) {
    let four = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_le_bytes);
    let eight = |at: usize| head.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes);
    ([four(0), four(4)], [eight(8), eight(16)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_no_bit_of_it_can_change() {
        let frame = Frame { sequence: 7, durable: 5, payload: b"hello" };
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        assert_eq!(read(&bytes), Read::Frame(frame));
        assert_eq!(bytes.len(), frame.bytes());
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&changed), Read::Bad, "bit {bit}");
        }
        for cut in 1..bytes.len() {
            assert_eq!(read(&bytes[..cut]), Read::Bad, "cut at {cut}");
        }
        assert_eq!(read(&[0; 40]), Read::End);
        assert_eq!(read(&[]), Read::End);
    }
}

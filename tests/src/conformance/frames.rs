//! HTTP/2 frames, written and read byte by byte: no library in between that would refuse to send what is wrong.

use super::client::NoReply;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// RFC 9113 §3.4.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Frame types, RFC 9113 §6.
pub const DATA: u8 = 0;
/// RFC 9113 §6.2.
pub const HEADERS: u8 = 1;
/// RFC 9113 §6.3.
pub const PRIORITY: u8 = 2;
/// RFC 9113 §6.4.
pub const RST_STREAM: u8 = 3;
/// RFC 9113 §6.5.
pub const SETTINGS: u8 = 4;
/// RFC 9113 §6.6.
pub const PUSH_PROMISE: u8 = 5;
/// RFC 9113 §6.7.
pub const PING: u8 = 6;
/// RFC 9113 §6.8.
pub const GOAWAY: u8 = 7;
/// RFC 9113 §6.9.
pub const WINDOW_UPDATE: u8 = 8;
/// RFC 9113 §6.10.
pub const CONTINUATION: u8 = 9;
/// Flags.
pub const ACK: u8 = 1;
/// No more frames of this side on the stream.
pub const END_STREAM: u8 = 1;
/// The field block is complete.
pub const END_HEADERS: u8 = 4;
/// The payload is padded.
pub const PADDED: u8 = 8;
/// The payload begins with a priority.
pub const PRIORITISED: u8 = 0x20;

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream.
    pub stream: u32,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// The bytes of a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a payload of less than 4 GiB").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A whole field section in one HEADERS frame.
pub fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, &block(fields))
}

/// A SETTINGS frame.
pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let pairs = values.iter().map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
    frame(SETTINGS, 0, 0, &pairs.collect::<Vec<_>>().concat())
}

/// A field block of literals without indexing and without Huffman codes (RFC 7541 §6.2.2).
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().flat_map(|(name, value)| [vec![0], string(name), string(value)].concat()).collect()
}

/// A string literal (RFC 7541 §5.2).
fn string(text: &str) -> Vec<u8> {
    [integer(text.len(), 7, 0), text.as_bytes().to_vec()].concat()
}

/// An integer with a prefix of so many bits (RFC 7541 §5.1).
pub fn integer(mut value: usize, bits: u32, first: u8) -> Vec<u8> {
    let most = (1usize << bits) - 1;
    let byte = |v: usize| u8::try_from(v & 0xff).expect("a byte");
    if value < most {
        return vec![first | byte(value)];
    }
    let mut out = vec![first | byte(most)];
    value -= most;
    while value >= 128 {
        out.push(byte(value % 128 + 128));
        value /= 128;
    }
    out.push(byte(value));
    out
}

/// What became of a stream or its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A whole reply with this status.
    Status(u16),
    /// RST_STREAM with this code.
    Reset(u32),
    /// GOAWAY with this code.
    GoAway(u32),
    /// Closed without a word.
    Closed,
    /// Nothing within the time.
    Silent,
}

/// A connection that speaks raw frames.
pub struct RawH2 {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// Every frame that has come.
    pub seen: Vec<Frame>,
    /// The connection is over.
    pub over: Option<Fate>,
}

impl RawH2 {
    /// Connects without saying anything.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connect to the gateway");
        stream.set_nodelay(true).expect("nodelay");
        stream.set_write_timeout(Some(Duration::from_secs(2))).expect("a write timeout");
        Self { stream, bytes: Vec::new(), seen: Vec::new(), over: None }
    }

    /// Connects, greets and asks for field blocks without a dynamic table.
    pub fn greet(address: SocketAddr) -> Self {
        let mut client = Self::connect(address);
        client.send(&[PREFACE, &settings(&[(1, 0)])].concat());
        client
    }

    /// Sends bytes; false if the connection takes no more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Reads what comes until `done` or the time is over; acknowledges SETTINGS meanwhile.
    pub fn read_until(&mut self, patience: Duration, mut done: impl FnMut(&Self) -> bool) -> Result<(), NoReply> {
        let deadline = Instant::now() + patience;
        let mut buffer = [0; 16 << 10];
        while !done(self) && self.over.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NoReply::Silent(format!("after {:?}", self.seen.last())));
            }
            self.stream.set_read_timeout(Some(left)).expect("a read timeout");
            match self.stream.read(&mut buffer) {
                Ok(n @ 1..) => {
                    self.bytes.extend_from_slice(&buffer[..n]);
                    self.take_frames();
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Ok(0) | Err(_) => self.over = Some(Fate::Closed),
            }
        }
        Ok(())
    }

    fn take_frames(&mut self) {
        while let Some(head) = self.bytes.first_chunk::<9>() {
            let [a, b, c, kind, flags, stream @ ..] = *head;
            let length = u32::from_be_bytes([0, a, b, c]) as usize;
            if self.bytes.len() < 9 + length {
                return;
            }
            let payload = self.bytes.drain(..9 + length).skip(9).collect();
            let frame = Frame { kind, flags, stream: u32::from_be_bytes(stream) & 0x7fff_ffff, payload };
            match frame.kind {
                SETTINGS if frame.flags & ACK == 0 => drop(self.send(&self::frame(SETTINGS, ACK, 0, &[]))),
                GOAWAY => self.over = Some(Fate::GoAway(code(frame.payload.get(4..8)))),
                _ => {}
            }
            self.seen.push(frame);
        }
    }

    /// What becomes of a stream.
    pub fn fate(&mut self, stream: u32, patience: Duration) -> Fate {
        let ended = |c: &Self| {
            let of = |f: &&Frame| f.stream == stream;
            c.seen.iter().filter(of).any(|f| f.kind == RST_STREAM || (f.kind <= HEADERS && f.flags & END_STREAM != 0))
        };
        let silent = self.read_until(patience, ended).is_err();
        let of_stream: Vec<_> = self.seen.iter().filter(|f| f.stream == stream).collect();
        let status = of_stream.iter().filter(|f| f.kind == HEADERS).map(|f| status(&f.payload)).find(|s| *s >= 200);
        let whole = of_stream.iter().any(|f| f.kind <= HEADERS && f.flags & END_STREAM != 0);
        let reset = of_stream.iter().find(|f| f.kind == RST_STREAM).map(|f| code(f.payload.get(..4)));
        match (status, whole, reset) {
            (Some(status), true, _) => Fate::Status(status),
            (_, _, Some(code)) => Fate::Reset(code),
            _ => self.over.unwrap_or(if silent { Fate::Silent } else { Fate::Closed }),
        }
    }

    /// Content of a stream's reply.
    pub fn body(&self, stream: u32) -> String {
        let data = self.seen.iter().filter(|f| f.stream == stream && f.kind == DATA);
        String::from_utf8_lossy(&data.flat_map(|f| f.payload.clone()).collect::<Vec<_>>()).into_owned()
    }
}

fn code(bytes: Option<&[u8]>) -> u32 {
    bytes.and_then(|b| b.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
}

/// `:status` of a reply's field block, which stands first (RFC 9113 §8.3); 0 if it is not there.
fn status(block: &[u8]) -> u16 {
    // updates of the table's size come before
    let updates = block.iter().take_while(|b| **b & 0xe0 == 0x20).count();
    match block.get(updates..) {
        Some([indexed @ 0x88..=0x8e, ..]) => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        Some([0x48 | 0x08 | 0x18, 0x03, digits @ ..]) => {
            digits.get(..3).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse().ok()).unwrap_or(0)
        }
        Some([0x48 | 0x08 | 0x18, length, rest @ ..]) if length & 0x80 != 0 => huffman_digits(rest),
        _ => 0,
    }
}

/// Three digits in the Huffman code of RFC 7541 appendix B: 0 to 2 have five bits, the others six from 0x19 on.
fn huffman_digits(bytes: &[u8]) -> u16 {
    let word = bytes.iter().take(4).fold(0u32, |word, b| (word << 8) | u32::from(*b));
    let mut bits = word << (32 - 8 * bytes.len().min(4));
    let mut number = 0;
    for _ in 0..3 {
        let (digit, length) = match bits >> 27 {
            five @ 0..=2 => (five, 5),
            _ => ((bits >> 26).wrapping_sub(0x19) + 3, 6),
        };
        number = number * 10 + digit;
        bits <<= length;
    }
    u16::try_from(number).unwrap_or(0)
}

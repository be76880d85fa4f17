//! A client on a bare socket: sends any bytes and reads replies strictly.

use super::message::{Message, reply};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Patience with a reply. Longer than every time-out that the corpus configures.
const REPLY_TIMEOUT: Duration = Duration::from_secs(4);

/// What came instead of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoReply {
    /// The connection was closed, with nothing unread.
    Closed,
    /// The connection ended in the middle of a reply.
    Cut(String),
    /// Nothing more came.
    Silent(String),
    /// What came is no HTTP.
    Garbage(String),
}

/// A connection to the gateway.
pub struct RawClient {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// Statuses of the interim replies so far.
    pub interim: Vec<u16>,
}

impl RawClient {
    /// Connects.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connect to the gateway");
        stream.set_nodelay(true).expect("nodelay");
        stream.set_read_timeout(Some(REPLY_TIMEOUT)).expect("a read timeout");
        stream.set_write_timeout(Some(REPLY_TIMEOUT)).expect("a write timeout");
        Self { stream, bytes: Vec::new(), interim: Vec::new() }
    }

    /// Sends bytes. Whoever has refused already need not read the rest.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Says that nothing more will come.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next final reply, to a request of this method.
    pub fn reply(&mut self, method: &str) -> Result<Message, NoReply> {
        loop {
            let message = self.message(method)?;
            match message.head.status() {
                status @ (100 | 102..200) => self.interim.push(status),
                _ => return Ok(message),
            }
        }
    }

    /// The next interim reply.
    pub fn interim(&mut self) -> Result<u16, NoReply> {
        let status = self.message("GET")?.head.status();
        self.interim.push(status);
        Ok(status)
    }

    fn message(&mut self, method: &str) -> Result<Message, NoReply> {
        let mut buffer = [0; 16 << 10];
        loop {
            let parsed = reply(&self.bytes, method).map_err(|e| NoReply::Garbage(format!("{e}; {}", self.unread())))?;
            if let Some((message, used)) = parsed {
                self.bytes.drain(..used);
                return Ok(message);
            }
            match self.stream.read(&mut buffer) {
                Ok(n @ 1..) => self.bytes.extend_from_slice(&buffer[..n]),
                Ok(0) => return Err(self.ended()),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(NoReply::Silent(self.unread()));
                }
                Err(_) => return Err(self.ended()),
            }
        }
    }

    fn ended(&self) -> NoReply {
        if self.bytes.is_empty() { NoReply::Closed } else { NoReply::Cut(self.unread()) }
    }

    fn unread(&self) -> String {
        let shown = &self.bytes[..self.bytes.len().min(400)];
        format!("unread: {:?}", String::from_utf8_lossy(shown))
    }
}

/// One plain GET on a connection of its own, closed afterwards.
pub fn get(address: SocketAddr, target: &str) -> Result<Message, NoReply> {
    let mut client = RawClient::connect(address);
    client.send(format!("GET {target} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n").as_bytes());
    client.reply("GET")
}

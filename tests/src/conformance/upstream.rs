//! A recording upstream on bare sockets: reads requests strictly, keeps every byte, and answers what it is told to.

use super::message::{Message, head, request};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One thing that the upstream does after it has read a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends these bytes as they are.
    Send(Vec<u8>),
    /// Closes the connection.
    Close,
}

/// When a reply is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// As soon as the request is whole.
    Whole,
    /// As soon as its head is there.
    Head,
}

/// What a request is answered with.
pub type Answer = Arc<dyn Fn(&Message) -> (When, Vec<Action>) + Send + Sync>;

/// What has arrived since the last look.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Whole requests in their order, each with the number of its connection.
    pub requests: Vec<(usize, Message)>,
    /// What was no HTTP, with the raw bytes.
    pub errors: Vec<String>,
    /// Bytes of requests that never became whole.
    pub partial: Vec<Vec<u8>>,
}

#[derive(Default)]
struct Log {
    seen: Seen,
    pending: BTreeMap<usize, Vec<u8>>,
    connections: usize,
    closed: Vec<usize>,
    /// Connections whose pending bytes were told already.
    told: BTreeSet<usize>,
}

/// A running upstream; it ends with the test.
pub struct RawUpstream {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl RawUpstream {
    /// Starts one on a free port.
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (log, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                let connection = {
                    let mut log = log.lock().expect("the log");
                    log.connections += 1;
                    log.connections
                };
                std::thread::spawn(move || serve(stream, connection, &log, &answer));
            }
        });
        Self { address, log }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes what has arrived since the last call. Requests that are still arriving count as partial.
    pub fn take(&self) -> Seen {
        let mut log = self.log.lock().expect("the log");
        let mut seen = std::mem::take(&mut log.seen);
        let untold: Vec<_> =
            log.pending.iter().filter(|(c, bytes)| !bytes.is_empty() && !log.told.contains(c)).collect();
        seen.partial.extend(untold.iter().map(|(_, bytes)| bytes.to_vec()));
        let untold: Vec<usize> = untold.iter().map(|(connection, _)| **connection).collect();
        log.told.extend(untold);
        seen
    }

    /// Number of requests that are whole, without taking them.
    pub fn count(&self) -> usize {
        self.log.lock().expect("the log").seen.requests.len()
    }

    /// True once the gateway has closed this connection.
    pub fn is_closed(&self, connection: usize) -> bool {
        self.log.lock().expect("the log").closed.contains(&connection)
    }
}

/// The reply to everything that is not scripted: says what arrived, so that the client can tell replies apart.
pub fn plain_reply(request: &Message) -> Vec<u8> {
    let line = request.head.start.strip_suffix(" HTTP/1.1").unwrap_or(&request.head.start);
    let body = format!("saw {line}");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", body.len());
    if request.head.method() == "HEAD" { head.into() } else { (head + &body).into() }
}

/// Answers upgrades with a 101 and everything else with [`plain_reply`].
pub fn plain_answers() -> Answer {
    Arc::new(|request| {
        let upgrade = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        let wants_upgrade = request.head.list("connection").iter().any(|c| c == "upgrade");
        let bytes = if wants_upgrade { upgrade.into() } else { plain_reply(request) };
        (When::Whole, vec![Action::Send(bytes)])
    })
}

fn serve(mut stream: TcpStream, connection: usize, log: &Mutex<Log>, answer: &Answer) {
    let _ = stream.set_nodelay(true);
    let (mut bytes, mut answered, mut continued) = (Vec::new(), false, false);
    let mut buffer = [0; 16 << 10];
    loop {
        let message = match request(&bytes) {
            Ok(message) => message,
            Err(why) => {
                let raw = String::from_utf8_lossy(&bytes).into_owned();
                log.lock().expect("the log").seen.errors.push(format!("{why}; the bytes were {raw:?}"));
                break;
            }
        };
        if let Some((message, used)) = message {
            bytes.drain(..used);
            {
                let mut log = log.lock().expect("the log");
                log.pending.insert(connection, bytes.clone());
                log.told.remove(&connection);
                log.seen.requests.push((connection, message.clone()));
            }
            if !answered && !act(&mut stream, answer(&message).1) {
                break;
            }
            (answered, continued) = (false, false);
            continue;
        }
        if let Ok(Some((head, _))) = head(&bytes) {
            if !continued && head.list("expect").contains(&"100-continue".to_owned()) {
                continued = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok();
            }
            let message = Message { head, ..Message::default() };
            if let ((When::Head, actions), false) = (answer(&message), answered) {
                answered = true;
                if !act(&mut stream, actions) {
                    break;
                }
            }
        }
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => {
                bytes.extend_from_slice(&buffer[..n]);
                log.lock().expect("the log").pending.insert(connection, bytes.clone());
            }
            Ok(0) | Err(_) => break,
        }
    }
    let mut log = log.lock().expect("the log");
    log.closed.push(connection);
    let rest = log.pending.remove(&connection).filter(|rest| !rest.is_empty());
    if !log.told.contains(&connection) {
        log.seen.partial.extend(rest);
    }
}

/// False if the connection is over.
fn act(stream: &mut TcpStream, actions: Vec<Action>) -> bool {
    for action in actions {
        match action {
            Action::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return false;
                }
            }
            Action::Close => {
                let _ = stream.shutdown(Shutdown::Both);
                return false;
            }
        }
    }
    true
}

//! A recording upstream on bare sockets: reads requests strictly, keeps every byte, and answers what it is told to.

use super::message::{Message, head, request};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A connection on which nothing came for so long says so.
const IDLE: Duration = Duration::from_millis(4);
/// Patience with connections that never get idle.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

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
    /// Connections whose pending bytes were told already.
    told: BTreeSet<usize>,
    /// When nothing was left to read on a connection, by its number; open connections only.
    idle: BTreeMap<usize, Option<Instant>>,
    /// The far ends of accepted connections.
    accepted: BTreeSet<SocketAddr>,
}

/// The log, and a bell that rings when it has changed.
#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
    changed: Condvar,
}

/// A running upstream; it ends with the test.
pub struct RawUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl RawUpstream {
    /// Starts one on a free port.
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, answer) = (Arc::clone(&of_thread), Arc::clone(&answer));
                let connection = shared.opened(stream.peer_addr().ok());
                std::thread::spawn(move || serve(stream, connection, &shared, &answer));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes what has arrived since the last call. Requests that are still arriving count as partial.
    pub fn take(&self) -> Seen {
        self.settle();
        let mut log = self.shared.log.lock().expect("the log");
        let mut seen = std::mem::take(&mut log.seen);
        let untold: Vec<_> =
            log.pending.iter().filter(|(c, bytes)| !bytes.is_empty() && !log.told.contains(c)).collect();
        seen.partial.extend(untold.iter().map(|(_, bytes)| bytes.to_vec()));
        let untold: Vec<usize> = untold.iter().map(|(connection, _)| **connection).collect();
        log.told.extend(untold);
        seen
    }

    /// Waits until everything that was sent to it before this call is read.
    fn settle(&self) {
        // whoever waits to be accepted comes before this one
        let last =
            TcpStream::connect(self.address).and_then(|marker| marker.local_addr()).expect("the upstream accepts");
        let now = Instant::now();
        let busy = |log: &mut Log| {
            let unread = log.idle.values().any(|idle| idle.is_none_or(|since| since < now));
            !log.accepted.contains(&last) || unread
        };
        let log = self.shared.log.lock().expect("the log");
        let (_log, waited) = self.shared.changed.wait_timeout_while(log, SETTLE_TIMEOUT, busy).expect("the log");
        assert!(!waited.timed_out(), "the upstream is never idle");
    }
}

impl Shared {
    fn opened(&self, far_end: Option<SocketAddr>) -> usize {
        let mut log = self.log.lock().expect("the log");
        log.connections += 1;
        let connection = log.connections;
        log.idle.insert(connection, None);
        log.accepted.extend(far_end);
        self.changed.notify_all();
        connection
    }

    fn whole(&self, connection: usize, message: &Message, rest: &[u8]) {
        let mut log = self.log.lock().expect("the log");
        log.pending.insert(connection, rest.to_vec());
        log.told.remove(&connection);
        log.seen.requests.push((connection, message.clone()));
    }

    fn idle(&self, connection: usize) {
        self.log.lock().expect("the log").idle.insert(connection, Some(Instant::now()));
        self.changed.notify_all();
    }

    fn closed(&self, connection: usize) {
        let mut log = self.log.lock().expect("the log");
        log.idle.remove(&connection);
        let rest = log.pending.remove(&connection).filter(|rest| !rest.is_empty());
        if !log.told.contains(&connection) {
            log.seen.partial.extend(rest);
        }
        self.changed.notify_all();
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

fn serve(mut stream: TcpStream, connection: usize, shared: &Shared, answer: &Answer) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(IDLE));
    let (mut bytes, mut answered, mut continued) = (Vec::new(), false, false);
    loop {
        match request(&bytes) {
            Err(why) => {
                let raw = String::from_utf8_lossy(&bytes).into_owned();
                shared.log.lock().expect("the log").seen.errors.push(format!("{why}; the bytes were {raw:?}"));
                break;
            }
            Ok(Some((message, used))) => {
                bytes.drain(..used);
                shared.whole(connection, &message, &bytes);
                if !answered && !act(&mut stream, answer(&message).1) {
                    break;
                }
                (answered, continued) = (false, false);
                continue;
            }
            Ok(None) => {}
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
        if !more(&mut stream, connection, shared, &mut bytes) {
            break;
        }
    }
    shared.closed(connection);
}

/// Reads on; false at the end of the connection.
fn more(stream: &mut TcpStream, connection: usize, shared: &Shared, bytes: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 16 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => {
                bytes.extend_from_slice(&buffer[..n]);
                shared.log.lock().expect("the log").pending.insert(connection, bytes.clone());
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => shared.idle(connection),
            Ok(0) | Err(_) => return false,
        }
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

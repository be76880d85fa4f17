//! A name server that says what a test wants: addresses, errors, or nothing at all (RFC 1035, over UDP).

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const TYPE_A: u16 = 1;
const NAME_ERROR: u8 = 3;
const SERVER_FAILURE: u8 = 2;

/// What it says of a name.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These addresses; for other types than A there is no data.
    Addresses(Vec<Ipv4Addr>),
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL.
    Failure,
    /// It does not answer.
    Silence,
}

/// A running name server.
pub struct DnsStub {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<HashMap<String, u64>>,
}

impl DnsStub {
    /// Starts one on a free port of loopback.
    pub async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(serve(socket, shared.clone()));
        Self { address, shared, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says of a name from now on; of unknown names it says that they do not exist.
    pub fn set(&self, name: &str, answer: Answer) {
        self.shared.answers.lock().expect("answers").insert(name.to_owned(), answer);
    }

    /// How often it was asked for the addresses of a name.
    pub fn asked(&self, name: &str) -> u64 {
        self.shared.asked.lock().expect("asked").get(name).copied().unwrap_or(0)
    }
}

impl Drop for DnsStub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = [0; 4096];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.expect("a query");
        if let Some(reply) = reply(&buffer[..length], &shared) {
            socket.send_to(&reply, peer).await.expect("send the reply");
        }
    }
}

/// The reply to a query with one question.
fn reply(query: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    let (name, end) = question(query);
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    if kind == TYPE_A {
        *shared.asked.lock().expect("asked").entry(name.clone()).or_default() += 1;
    }
    let answer = shared.answers.lock().expect("answers").get(&name).cloned().unwrap_or(Answer::NoSuchName);
    let (code, addresses) = match answer {
        Answer::Silence => return None,
        Answer::NoSuchName => (NAME_ERROR, Vec::new()),
        Answer::Failure => (SERVER_FAILURE, Vec::new()),
        Answer::Addresses(addresses) if kind == TYPE_A => (0, addresses),
        Answer::Addresses(_) => (0, Vec::new()),
    };
    let count = u16::try_from(addresses.len()).expect("few addresses").to_be_bytes();
    let mut reply = query[..2].to_vec();
    // a response to a recursive query, recursion available
    reply.extend([0x81, 0x80 | code, 0, 1, count[0], count[1], 0, 0, 0, 0]);
    reply.extend(&query[12..end + 4]);
    for address in addresses {
        // the name of the question, A, IN, a time to live of 0
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        reply.extend(address.octets());
    }
    Some(reply)
}

/// Name of the question, in lower case, and where its type stands.
fn question(query: &[u8]) -> (String, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while query[at] != 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), at + 1)
}

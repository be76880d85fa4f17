//! The recording upstream: a server in a process of its own that does what each request asks for and writes down what
//! it really received and served.
//!
//! # Invariants
//! * Its log is written by it alone: the tests read it as the truth about what the gateway sent.
//! * Whoever has the last byte of a reply finds it on record, whole, and a reply that was cut is on record as such
//!   (`a_reply_is_on_record_before_its_last_byte_is_read`).

pub mod chat;
pub mod h1_server;
pub mod h2_server;
pub mod record;
pub mod script;
pub mod state;

use crate::h1::{H1, Request};
use crate::machine;
use crate::poll::{SOON, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running upstream, killed when dropped.
pub struct Upstream {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Upstream {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Starts one at an address.
    pub fn start_at(address: SocketAddr) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (child, address) = run(&folder, address);
        Self { child, folder, address }
    }

    /// Kills it: its port is closed, its connections are reset, its log stays.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill it");
        self.child.wait().expect("its end");
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.child = run(&self.folder, self.address).0;
    }

    /// Where it listens, for HTTP/1.1 and HTTP/2 with prior knowledge.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything it has served so far.
    pub fn records(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("log.jsonl")).expect("its log");
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|l| serde_json::from_str(l).expect("a JSON line")).collect()
    }

    /// What it has served so far to requests with this `x-test-id`.
    pub fn records_of(&self, id: &str) -> Vec<Value> {
        self.records().into_iter().filter(|r| r["id"] == id).collect()
    }

    /// The one request with this `x-test-id`, as soon as it is over.
    pub async fn record(&self, id: &str) -> Value {
        let found = until(&format!("the upstream has served {id}"), SOON, async || self.records_of(id).pop()).await;
        assert_eq!(self.records_of(id).len(), 1, "the upstream got {id} more than once");
        found
    }

    /// Lets one `await=NAME` go on.
    pub async fn release(&self, name: &str) {
        self.control(&format!("release/{name}")).await;
    }

    /// From now on `/healthz` says that it is sick (503), or well.
    pub async fn say(&self, health: &str) {
        assert!(matches!(health, "sick" | "well"), "{health}");
        self.control(&format!("health/{health}")).await;
    }

    /// Bytes of body that have arrived of requests with this `x-test-id`.
    pub async fn arrived(&self, id: &str) -> u64 {
        self.control(&format!("arrived/{id}")).await.parse().expect("a number")
    }

    /// Waits until a script waits for this name.
    pub async fn until_waiting(&self, name: &str) {
        let command = format!("arrived/waiting-{name}");
        until(&format!("the upstream waits for {name}"), SOON, async || {
            (self.control(&command).await != "0").then_some(())
        })
        .await;
    }

    async fn control(&self, command: &str) -> String {
        let mut client = H1::connect(self.address).await;
        let reply = client.send(&Request::get(format!("/__control/{command}"))).await.expect("the upstream answers");
        reply.text().to_owned()
    }
}

fn run(folder: &TempDir, address: SocketAddr) -> (Child, SocketAddr) {
    let mut child = Command::new(machine::program("recording-upstream"))
        .arg(folder.path().join("log.jsonl"))
        .arg(address.to_string())
        .stdout(Stdio::piped())
        .stdin(Stdio::null())
        .spawn()
        .expect("start the recording upstream");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
    let address = line.trim().parse().expect("an address");
    (child, address)
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

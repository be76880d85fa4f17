//! The real Python around the gateway: servers behind it (FastAPI, gRPC, WebSocket) and clients before it.

use crate::machine;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The interpreter that has the packages of `tests/python/requirements.txt`.
fn interpreter() -> PathBuf {
    let path = machine::workspace().join(".deps/venv/bin/python");
    assert!(
        path.exists(),
        "the Python packages of the tests are not installed (no {}); run: make deps",
        path.display()
    );
    path
}

fn script(name: &str) -> Command {
    let mut command = Command::new(interpreter());
    // Proxies of the machine are not between the client and the gateway.
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    command
        .arg(machine::workspace().join("tests/python").join(name))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

/// What a program of `tests/guard_sets` prints.
pub fn guard_set(name: &str, arguments: &[&str]) -> Vec<u8> {
    let path = machine::workspace().join("tests/guard_sets").join(name);
    let output = Command::new(interpreter()).arg("-B").arg(path).args(arguments).output().expect("python");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A running server, killed when dropped.
pub struct PythonServer {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl PythonServer {
    /// Starts the FastAPI agent backend on a free port.
    pub fn agent_backend() -> Self {
        Self::start("agent_backend.py", &[])
    }

    /// Starts the gRPC server on a free port.
    pub fn grpc() -> Self {
        Self::start("grpc_peer.py", &["serve"])
    }

    /// Starts the WebSocket server on a free port.
    pub fn websocket() -> Self {
        Self::start("websocket_peer.py", &["serve"])
    }

    fn start(name: &str, arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut child = script(name)
            .args(arguments)
            .arg(folder.path().join("log.jsonl"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the server");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its address");
        let address = line.trim().parse().unwrap_or_else(|_| panic!("{name} could not start; run: make deps"));
        Self { child, folder, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its own log of what it was told and what it served.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("log.jsonl")).expect("its log");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|l| serde_json::from_str(l).expect("a JSON line")).collect()
    }
}

impl Drop for PythonServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running HTTPS server on Python's ssl, killed when dropped.
pub struct TlsUpstream {
    child: Child,
    address: SocketAddr,
    handshakes: Arc<Mutex<Vec<Value>>>,
}

impl TlsUpstream {
    /// Starts one on a free port with `NAME.pem` and `NAME.key` of `folder`; `clients` is the file of the authorities of clients.
    pub fn start(folder: &Path, name: &str, clients: Option<&str>) -> Self {
        let mut child = script("tls_upstream.py")
            .args([folder.join(format!("{name}.pem")), folder.join(format!("{name}.key"))])
            .args(clients.map(|file| folder.join(file)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the TLS upstream");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let address = lines.next().and_then(|line| line.parse().ok()).expect("an address: the server could not start");
        let handshakes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&handshakes);
        std::thread::spawn(move || {
            let lines = lines.filter_map(|line| serde_json::from_str(&line).ok());
            lines.for_each(|line| seen.lock().expect("handshakes").push(line));
        });
        Self { child, address, handshakes }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its handshakes so far: `sni`, `ok`, `error`.
    pub fn handshakes(&self) -> Vec<Value> {
        self.handshakes.lock().expect("handshakes").clone()
    }
}

impl Drop for TlsUpstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one scenario of `openai_client.py` to its end and returns what it saw.
pub async fn openai_client(gateway: SocketAddr, key: &str, scenario: &str) -> Value {
    run("openai_client.py", &[&format!("http://{gateway}/v1"), key, scenario]).await
}

/// Runs one scenario of the gRPC client to its end and returns what it saw.
pub async fn grpc_client(gateway: SocketAddr, scenario: &str) -> Value {
    run("grpc_peer.py", &["call", &gateway.to_string(), scenario]).await
}

/// Runs one scenario of the WebSocket client on a path to its end and returns what it saw.
pub async fn websocket_client(gateway: SocketAddr, path: &str, scenario: &str) -> Value {
    run("websocket_peer.py", &["call", &gateway.to_string(), path, scenario]).await
}

async fn run(name: &str, arguments: &[&str]) -> Value {
    let what = format!("{name} {}", arguments.last().copied().unwrap_or_default());
    let mut command = script(name);
    command.args(arguments);
    let output =
        tokio::task::spawn_blocking(move || command.output()).await.expect("a thread").expect("run the client");
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

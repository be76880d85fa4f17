//! A real Redis server on a port of loopback, with a folder of its own.

use crate::machine::free_port;
use crate::poll::{SOON, until};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A running server, killed when dropped.
pub struct Redis {
    child: Child,
    folder: TempDir,
    port: u16,
}

impl Redis {
    /// Starts one that keeps an append-only file.
    pub async fn start() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let port = free_port();
        let server = Self { child: run(port, &folder), folder, port };
        server.is_up().await;
        server
    }

    /// `redis://` and its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it as `kill -9` would.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill it");
        self.child.wait().expect("its end");
    }

    /// Starts it again on what it has written.
    pub async fn restart(&mut self) {
        self.child = run(self.port, &self.folder);
        self.is_up().await;
    }

    async fn is_up(&self) {
        let ping = async || {
            let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
            connection.write_all(b"PING\r\n").await.ok()?;
            let mut answer = [0; 5];
            connection.read_exact(&mut answer).await.ok()?;
            (&answer == b"+PONG").then_some(())
        };
        until("redis-server answers", SOON, ping).await;
    }
}

fn run(port: u16, folder: &TempDir) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "yes", "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("no redis-server: run `scripts/deps test`, or install it (Debian: apt-get install redis-server)")
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

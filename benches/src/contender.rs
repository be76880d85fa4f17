//! A proxy under load: a child process on a processor of its own.

use crate::Failure;
use crate::process::Tree;
use crate::workload::{Front, Workload};
use serde_json::Value;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// The API key that requests carry.
pub const API_KEY: &str = "a-key-for-benchmarks-only";

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
    /// Its processes.
    pub tree: Tree,
}

/// What a proxy is started with.
pub struct Place {
    /// Folder of the built programs.
    pub programs: PathBuf,
    /// Folder for configurations; `leaf.pem` and `leaf.key` are in it where TLS is asked for.
    pub folder: PathBuf,
    /// The upstream.
    pub upstream: SocketAddr,
    /// What it will be asked.
    pub workload: Workload,
}

impl Contender {
    /// Pingora with nothing added.
    pub fn bare_pingora(place: &Place) -> Result<Self, Failure> {
        let (address, upstream) = (free_address()?.to_string(), place.upstream.to_string());
        let (certificate, key) = place.certificate_and_key();
        let mut arguments = vec![address.as_str(), &upstream];
        match place.workload.front() {
            Front::Http1 => {}
            Front::Http2 => arguments.push("h2c"),
            Front::Tls => arguments.extend([certificate.as_str(), &key]),
        }
        Self::listening("bare Pingora", address.parse()?, &place.programs.join("bare-pingora"), &arguments)
    }

    /// raptorgate with these blocks on its one route, and this access log.
    pub fn raptorgate(name: &str, place: &Place, blocks: &[&str], access_log: &str) -> Result<Self, Failure> {
        let folder = place.folder.join(name.replace([' ', ',', ':'], "_"));
        std::fs::create_dir_all(&folder)?;
        let (file, ready) = (folder.join("raptorgate.yaml"), folder.join("ready.json"));
        std::fs::write(&file, configuration(place, blocks, access_log))?;
        drop(std::fs::remove_file(&ready));
        let (file, ready) = (file.to_string_lossy(), ready.to_string_lossy());
        let arguments = ["run", "-c", &file, "--ready-file", &ready];
        let mut tree = Tree::start(&place.programs.join("raptorgate"), &arguments)?;
        let text = tree.wait_for(|| std::fs::read_to_string(&*ready).ok()).map_err(|e| format!("{name}: {e}"))?;
        let ready: Value = serde_json::from_str(&text)?;
        let address = ready.pointer("/listeners/0").and_then(Value::as_str).ok_or("no listener")?.parse()?;
        Ok(Self { name: name.into(), address, tree })
    }

    /// A program that accepts at this address some time after its start.
    pub fn listening(name: &str, address: SocketAddr, program: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut tree = Tree::start(program, arguments)?;
        tree.wait_for(|| TcpStream::connect(address).ok()).map_err(|e| format!("{name}: {e}"))?;
        Ok(Self { name: name.into(), address, tree })
    }
}

impl Place {
    /// Files of the certificate and of its key.
    pub fn certificate_and_key(&self) -> (String, String) {
        let file = |name| self.folder.join(name).to_string_lossy().into_owned();
        (file("leaf.pem"), file("leaf.key"))
    }
}

/// An address that nobody listens at.
pub fn free_address() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn configuration(place: &Place, blocks: &[&str], access_log: &str) -> String {
    let blocks: String = blocks.iter().map(|block| format!("    {block}\n")).collect();
    let (certificate, key) = place.certificate_and_key();
    let tls = match place.workload.front() {
        Front::Tls => format!(", tls: {{ certificate: \"{certificate}\", key: \"{key}\", min_version: \"1.3\" }}"),
        Front::Http1 | Front::Http2 => String::new(),
    };
    format!(
        "version: 1
listeners: [{{ address: \"127.0.0.1:0\"{tls} }}]
ops: {{ address: \"127.0.0.1:0\" }}
admin: {{ address: \"127.0.0.1:0\", token: for-benchmarks-only }}
access_log: {{ output: {access_log} }}
tenants: {{ acme: {{}} }}
prices: {{ gpt-4o-mini: {{ input: 12.50 INR, output: 50.00 INR }} }}
upstreams: {{ agents: {{ endpoints: [{{ address: \"{}\" }}] }} }}
routes:
  - name: chat
    match: {{ path: /v1/* }}
    upstream: agents
{blocks}",
        place.upstream
    )
}

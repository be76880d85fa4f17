//! A gateway process: started on free ports from a YAML text, watched, reloaded and stopped like an operator would.

use crate::h1::{H1, Request};
use crate::h2_client::H2;
use crate::machine;
use crate::poll::{SOON, until};
use crate::reply::Reply;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// The admin token of every gateway that the tests start.
pub const ADMIN_TOKEN: &str = "admin-token-of-the-tests";

/// Listeners of a test's gateway; the rest of its file follows.
pub fn listeners() -> String {
    format!(
        "version: 1\nlisteners: [{{ address: \"127.0.0.1:0\" }}]\nops: {{ address: \"127.0.0.1:0\" }}\n\
         admin: {{ address: \"127.0.0.1:0\", token: {ADMIN_TOKEN} }}\n"
    )
}

/// The program under test: `RAPTORGATE_BIN`, or what cargo built beside the running test.
pub fn binary() -> PathBuf {
    std::env::var_os("RAPTORGATE_BIN").map_or_else(|| machine::program("raptorgate"), PathBuf::from)
}

/// Runs the program to its end, like a person at a shell would.
pub fn command_line(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).stdin(Stdio::null()).output().expect("run raptorgate")
}

/// How the file is laid out on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A plain file.
    File,
    /// As Kubernetes mounts a ConfigMap: a link to a link to a folder that is swapped.
    ConfigMap,
}

/// The surroundings of a gateway.
pub struct Launch {
    /// Its folder, which may hold files that the configuration names.
    pub folder: TempDir,
    /// How its file lies there.
    pub layout: Layout,
    /// Its environment, besides the test's own.
    pub environment: Vec<(&'static str, &'static str)>,
}

impl Default for Launch {
    fn default() -> Self {
        Self { folder: TempDir::new().expect("a temporary folder"), layout: Layout::File, environment: Vec::new() }
    }
}

/// A running gateway, killed when dropped.
pub struct Gateway {
    child: Child,
    folder: TempDir,
    layout: Layout,
    environment: Vec<(&'static str, &'static str)>,
    version: std::sync::atomic::AtomicU32,
    output: Arc<Mutex<String>>,
    /// Addresses that accept requests, in the order of the file.
    pub listeners: Vec<SocketAddr>,
    /// Metrics and health.
    pub ops: Option<SocketAddr>,
    /// The admin API.
    pub admin: SocketAddr,
}

impl Gateway {
    /// Starts one from this text.
    pub async fn start(yaml: &str) -> Self {
        Self::launch(Launch::default(), yaml).await
    }

    /// Starts one with surroundings of its own.
    pub async fn launch(launch: Launch, yaml: &str) -> Self {
        let Launch { folder, layout, environment } = launch;
        let file = folder.path().join("raptorgate.yaml");
        match layout {
            Layout::File => std::fs::write(&file, yaml).expect("write the configuration"),
            Layout::ConfigMap => {
                mount_version(folder.path(), 0, yaml);
                symlink("..data/raptorgate.yaml", &file).expect("link the file");
            }
        }
        let output = Arc::new(Mutex::new(String::new()));
        let (child, ready) = spawn(folder.path(), &environment, &output).await;
        let mut gateway = Self {
            listeners: Vec::new(),
            ops: None,
            admin: ([127, 0, 0, 1], 0).into(),
            version: 1.into(),
            child,
            folder,
            layout,
            environment,
            output,
        };
        gateway.found(&ready);
        gateway
    }

    fn found(&mut self, ready: &Value) {
        let address = |v: &Value| v.as_str().map(|a| a.parse::<SocketAddr>().expect("an address"));
        self.listeners = ready["listeners"].as_array().expect("listeners").iter().filter_map(address).collect();
        self.ops = address(&ready["ops"]);
        self.admin = address(&ready["admin"]).expect("an admin address");
    }

    /// Kills it as `kill -9` would, and starts it again in the same folder, on other ports.
    pub async fn kill_and_restart(&mut self) {
        self.child.kill().expect("kill raptorgate");
        self.child.wait().expect("its end");
        self.restart().await;
    }

    /// Starts it again in the same folder after it has ended.
    pub async fn restart(&mut self) {
        let (child, ready) = spawn(self.folder.path(), &self.environment, &self.output).await;
        self.child = child;
        self.found(&ready);
    }

    /// Address of the first listener.
    pub fn address(&self) -> SocketAddr {
        self.listeners[0]
    }

    /// A new HTTP/1.1 connection to the first listener.
    pub async fn h1(&self) -> H1 {
        H1::connect(self.address()).await
    }

    /// A new HTTP/2 connection to the first listener.
    pub async fn h2(&self) -> H2 {
        H2::connect(self.address()).await
    }

    /// Sends one request on a connection of its own; panics if no reply comes back.
    pub async fn send(&self, request: &Request) -> Reply {
        let reply = self.h1().await.send(request).await;
        reply.unwrap_or_else(|e| panic!("no reply to {} {}: {e:?}\n{}", request.method, request.target, self.output()))
    }

    /// The folder of its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has printed so far.
    pub fn output(&self) -> String {
        self.output.lock().expect("its output").clone()
    }

    /// A request to the admin API with the right token.
    pub async fn admin(&self, request: Request) -> Reply {
        let request = request.header("authorization", format!("Bearer {ADMIN_TOKEN}"));
        H1::connect(self.admin).await.send(&request).await.expect("the admin API answers")
    }

    /// A GET on the ops listener.
    pub async fn ops(&self, path: &str) -> Reply {
        let address = self.ops.expect("an ops listener");
        H1::connect(address).await.send(&Request::get(path)).await.expect("the ops listener answers")
    }

    /// Value of a metric, all its label sets summed; 0 if it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = self.ops("/metrics").await.text().to_owned();
        let is_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        text.lines().filter(is_it).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Writes the file as an editor or a deployment would: over itself, or by a swap of the mounted folder.
    pub fn write_config(&self, yaml: &str) {
        match self.layout {
            Layout::File => std::fs::write(self.config_file(), yaml).expect("write the configuration"),
            Layout::ConfigMap => {
                let version = self.version.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                mount_version(self.folder.path(), version, yaml);
            }
        }
    }

    /// Replaces the file by renaming a new one over it.
    pub fn rename_config(&self, yaml: &str) {
        let new = self.folder.path().join(".raptorgate.yaml.new");
        std::fs::write(&new, yaml).expect("write the configuration");
        std::fs::rename(new, self.config_file()).expect("rename the configuration");
    }

    /// The file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("raptorgate.yaml")
    }

    /// `POST /api/v1/reload`.
    pub async fn reload(&self) -> Reply {
        self.admin(Request::post("/api/v1/reload", "")).await
    }

    /// Sends a signal, by its name without `SIG`.
    pub fn signal(&self, name: &str) {
        // The shell's own `kill`: a bare machine has no other, and calling the kernel directly is unsafe code.
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid())]).status();
        assert!(status.expect("run sh").success(), "the gateway is gone before SIG{name}\n{}", self.output());
    }

    /// Waits for its end.
    pub async fn exit(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the gateway ends", SOON, || std::future::ready(child.try_wait().expect("its status"))).await
    }

    /// True as long as it runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the gateway printed ---\n{}", self.output());
        }
    }
}

/// Starts the program on the file of a folder, and waits until it serves; what it wrote about its addresses.
async fn spawn(
    folder: &Path,
    environment: &[(&'static str, &'static str)],
    output: &Arc<Mutex<String>>,
) -> (Child, Value) {
    let ready = folder.join("ready.json");
    let _ = std::fs::remove_file(&ready);
    let mut child = Command::new(binary())
        .args(["run", "-c"])
        .arg(folder.join("raptorgate.yaml"))
        .arg("--ready-file")
        .arg(&ready)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("start raptorgate");
    collect(child.stdout.take().expect("its stdout"), output);
    collect(child.stderr.take().expect("its stderr"), output);
    let addresses = wait_ready(&mut child, &ready, output).await;
    (child, addresses)
}

/// One version of a ConfigMap: a new folder, then one rename of the link that names it, as the kubelet does it.
fn mount_version(folder: &Path, version: u32, yaml: &str) {
    let name = format!("..version_{version}");
    std::fs::create_dir(folder.join(&name)).expect("a folder");
    std::fs::write(folder.join(&name).join("raptorgate.yaml"), yaml).expect("write the configuration");
    symlink(&name, folder.join("..data_tmp")).expect("link the folder");
    std::fs::rename(folder.join("..data_tmp"), folder.join("..data")).expect("swap the link");
    if let Some(old) = version.checked_sub(1) {
        std::fs::remove_dir_all(folder.join(format!("..version_{old}"))).expect("remove the old folder");
    }
}

fn collect(stream: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            let mut output = output.lock().expect("the output");
            output.push_str(&String::from_utf8_lossy(&line));
            output.push('\n');
        }
    });
}

async fn wait_ready(child: &mut Child, file: &Path, output: &Mutex<String>) -> Value {
    let read = || serde_json::from_slice::<Value>(&std::fs::read(file).ok()?).ok();
    let started = until("the gateway is ready", SOON, || {
        let ended = child.try_wait().expect("its status");
        std::future::ready(ended.map(Err).or_else(|| read().map(Ok)))
    })
    .await;
    match started {
        Ok(addresses) => addresses,
        Err(status) => {
            // Its last lines may still be on their way through the pipe.
            until("its output", SOON, async || (!output.lock().expect("output").is_empty()).then_some(())).await;
            panic!("the gateway ended with {status} instead of serving:\n{}", output.lock().expect("output"));
        }
    }
}

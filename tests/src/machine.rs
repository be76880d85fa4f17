//! What the machine under the tests can tell and lend: ports, files of the build, processor time, memory.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

/// An address on which nothing listens: connecting is refused.
pub fn dead_address() -> SocketAddr {
    // Port 1 of loopback needs root to listen on and nothing does; a port that was free a moment ago might be taken by now.
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    assert!(std::net::TcpStream::connect(address).is_err(), "something listens on port 1 of this machine");
    address
}

/// A port that was free a moment ago, for the few programs that cannot be told to choose one themselves.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// The folder of this workspace.
pub fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is a folder of the workspace").to_owned()
}

/// A program that cargo built beside the running test; panics with what to do if it is not there.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the running test");
    // target/<profile>/deps/<test> -> target/<profile>/<name>; a program of ours stands there itself
    let in_deps = test.parent().is_some_and(|folder| folder.ends_with("deps"));
    let path = test.ancestors().nth(if in_deps { 2 } else { 1 }).expect("a target folder").join(name);
    assert!(path.is_file(), "{name} is not built (looked for {}); run: cargo build --workspace --bins", path.display());
    path
}

/// User and system time that a process has taken, in clock ticks (1/100 s on Linux).
pub fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a living process");
    let after_name = stat.rsplit(')').next().expect("a process name");
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
}

/// Open files and sockets of a process.
pub fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a living process").count()
}

/// Resident memory of a process in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    status_kib(pid, "VmRSS:") * 1024
}

/// Most memory a process has ever had resident, in bytes.
pub fn peak_resident_bytes(pid: u32) -> u64 {
    status_kib(pid, "VmHWM:") * 1024
}

fn status_kib(pid: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a living process");
    let line = status.lines().find_map(|l| l.strip_prefix(field)).expect("a field of the status");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

//! What a measurement ran on, and which programs it measured.

use crate::peers::Peers;
use std::path::Path;
use std::process::Command;

const LOCK: &str = include_str!("../../Cargo.lock");

/// Processors, memory, kernel and distribution, in one sentence.
pub fn description() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let (cpu, memory, release) = (read("/proc/cpuinfo"), read("/proc/meminfo"), read("/etc/os-release"));
    let processors = cpu.lines().filter(|l| l.starts_with("processor")).count();
    let model = field(&cpu, "model name", ':').unwrap_or("unknown");
    let kind = if cpu.contains(" hypervisor") { "virtual machine" } else { "machine" };
    let kib = field(&memory, "MemTotal", ':').and_then(|v| v.trim_end_matches(" kB").parse::<f64>().ok());
    let kernel = read("/proc/sys/kernel/osrelease");
    let system = field(&release, "PRETTY_NAME", '=').unwrap_or("unknown").trim_matches('"');
    format!(
        "a {kind} with {processors} processors ({model}) and {:.0} GiB, Linux {}, {system}",
        kib.unwrap_or(f64::NAN) / 1024.0 / 1024.0,
        kernel.split('-').next().unwrap_or_default().trim()
    )
}

/// Names and versions of all contenders and of what built ours.
pub fn versions(peers: &Peers, programs: &Path) -> String {
    let versions = [
        first_number("nginx", &output(&peers.nginx, "-v")),
        first_number("HAProxy", &output(&peers.haproxy, "-v")),
        // `envoy  version: COMMIT/1.40.0/Clean/…`
        format!("Envoy {}", output(&peers.envoy, "--version").split('/').rev().nth(3).unwrap_or("unknown")),
        format!("Pingora {}", locked("pingora-core").unwrap_or("unknown")),
        first_number("raptorgate", &output(&programs.join("raptorgate"), "--version")),
        first_number("Rust", &output(Path::new("rustc"), "--version")),
    ];
    versions.join(", ")
}

/// The value of the first line with this name.
fn field<'a>(text: &'a str, name: &str, separator: char) -> Option<&'a str> {
    let line = text.lines().find(|l| l.starts_with(name))?;
    line.split_once(separator).map(|(_, value)| value.trim())
}

fn output(program: &Path, argument: &str) -> String {
    let Ok(output) = Command::new(program).arg(argument).output() else { return String::new() };
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// A name and the first word that holds a version: `nginx version: nginx/1.22.1`.
fn first_number(name: &str, text: &str) -> String {
    let words = text.split([' ', '/', '\n', '-']);
    let version = words.into_iter().find(|w| w.starts_with(|c: char| c.is_ascii_digit()) && w.contains('.'));
    format!("{name} {}", version.unwrap_or("unknown"))
}

fn locked(name: &str) -> Option<&'static str> {
    let package = LOCK.split(&format!("name = \"{name}\"\nversion = \"")).nth(1)?;
    package.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        assert_eq!(first_number("nginx", "nginx version: nginx/1.22.1\n"), "nginx 1.22.1");
        assert_eq!(first_number("HAProxy", "HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https"), "HAProxy 2.6.12");
        assert_eq!(first_number("raptorgate", ""), "raptorgate unknown");
        assert_eq!(locked("pingora-core"), Some("0.9.1"));
    }

    #[test]
    fn a_machine_has_processors_and_a_kernel() {
        let text = description();
        assert!(!text.contains("unknown") && !text.contains("NaN") && !text.contains(" 0 processors"), "{text}");
    }
}

//! What testssl.sh finds about a TLS listener: nothing, besides what comes of a test's own certificate.
//!
//! All its checks take minutes on a busy machine; without `RAPTORGATE_TESTSSL=full` only versions, the server's choices and what
//! it shows are looked at, with one kind of certificate.

use raptorgate_tests::gateway::{Gateway, Launch, listeners};
use raptorgate_tests::machine;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Checks that run beside each other, since testssl.sh mostly waits: versions and forward secrecy, ciphers, the server's
/// choices and its certificate, vulnerabilities in two parts.
const FULL: [&[&str]; 5] = [
    &["-p", "-f"],
    &["-s"],
    &["-P", "-S"],
    &["-R", "-H", "-I", "-T", "-C", "-B", "-O", "-Z"],
    &["-BB", "-W", "-A", "-L", "-F", "-J", "-D", "-4"],
];

/// What is looked at always.
const FAST: [&[&str]; 2] = [&["-p", "-P"], &["-S"]];

/// Findings about the certificate that this test makes, or about the machine that it runs on, and none about the gateway.
const EXCUSED: [(&str, &str); 5] = [
    ("cert_chain_of_trust", "signed by itself"),
    ("cert_revocation", "nobody could ask whether it is revoked"),
    ("cert_expirationStatus", "made for a few days"),
    ("cert_notAfter", "made for a few days"),
    ("engine_problem", "the machine's openssl has no GOST"),
];

/// Some of what must have been looked at, so that a run that looked at nothing is no success.
const LOOKED_AT_FULL: [&str; 12] = [
    "SSLv2",
    "SSLv3",
    "TLS1",
    "TLS1_1",
    "TLS1_2",
    "TLS1_3",
    "cipherlist_NULL",
    "cipher_order",
    "heartbleed",
    "secure_client_renego",
    "ROBOT",
    "RC4",
];

const LOOKED_AT_FAST: [&str; 8] =
    ["SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "cipher_order", "TLS_session_ticket"];

/// Severities by which testssl.sh says that something is to be done.
const BAD: [&str; 6] = ["LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL"];

fn testssl() -> PathBuf {
    // Debian calls it `testssl`, upstream `testssl.sh`
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&paths).flat_map(|p| [p.join("testssl"), p.join("testssl.sh")]);
    found
        .find(|path| path.is_file())
        .expect("testssl.sh is missing: run `make deps` (Debian: apt-get install testssl.sh)")
}

fn certificate(folder: &Path, name: &str, kind: &[&str]) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=gateway.test"])
        .args(["-addext", "subjectAltName=DNS:gateway.test,IP:127.0.0.1"])
        .args(kind)
        .args(["-keyout".into(), folder.join(format!("{name}.key"))])
        .args(["-out".into(), folder.join(format!("{name}.pem"))])
        .output()
        .expect("run openssl; it is missing: run `make deps` (Debian: apt-get install openssl)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn findings(address: SocketAddr, folder: &Path, group: usize, checks: &[&str]) -> Vec<Value> {
    let file = folder.join(format!("findings-{}-{group}.json", address.port()));
    let output = Command::new(testssl())
        .args(["--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--jsonfile"])
        .arg(&file)
        .args(checks)
        .arg(address.to_string())
        .stdin(Stdio::null())
        .output()
        .expect("run testssl.sh");
    let text = std::fs::read(&file).unwrap_or_default();
    let said = || String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    serde_json::from_slice(&text).unwrap_or_else(|e| panic!("no findings ({e}): {}", said()))
}

#[tokio::test]
async fn testssl_finds_nothing_about_the_listener() {
    let full = std::env::var_os("RAPTORGATE_TESTSSL").is_some_and(|mode| mode == "full");
    let (groups, looked_at) = if full { (&FULL[..], &LOOKED_AT_FULL[..]) } else { (&FAST[..], &LOOKED_AT_FAST[..]) };
    let launch = Launch::default();
    let folder = launch.folder.path().to_owned();
    certificate(&folder, "ec", &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    certificate(&folder, "rsa", &["-newkey", "rsa:2048"]);
    let listener = |name: &str| {
        format!(
            "{{ address: \"127.0.0.1:0\", tls: {{ certificates: [{{ certificate: {name}.pem, key: {name}.key }}] }} }}"
        )
    };
    let plain = "listeners: [{ address: \"127.0.0.1:0\" }]";
    let encrypted = format!("listeners: [{}, {}]", listener("ec"), listener("rsa"));
    let yaml = format!(
        "{}upstreams: {{ none: {{ endpoints: [{{ address: \"{}\" }}] }} }}\n\
         routes: [{{ name: all, match: {{ path: /* }}, upstream: none }}]\n",
        listeners().replace(plain, &encrypted),
        machine::dead_address()
    );
    let gateway = Gateway::launch(launch, &yaml).await;
    let addresses = if full { &gateway.listeners[..] } else { &gateway.listeners[..1] };
    let runs: Vec<_> = addresses
        .iter()
        .flat_map(|address| groups.iter().enumerate().map(|(group, checks)| (*address, group, *checks)))
        .map(|(address, group, checks)| {
            let folder = folder.clone();
            tokio::task::spawn_blocking(move || (address, findings(address, &folder, group, checks)))
        })
        .collect();
    let mut seen: Vec<(SocketAddr, Value)> = Vec::new();
    for run in runs {
        let (address, found) = run.await.expect("a run");
        seen.extend(found.into_iter().map(|finding| (address, finding)));
    }
    for address in addresses {
        for id in looked_at {
            assert!(seen.iter().any(|(at, f)| at == address && f["id"] == *id), "{id} was not looked at");
        }
    }
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let excused = |id: &str| EXCUSED.iter().any(|(excused, _)| id.starts_with(excused));
    let bad: Vec<_> = seen
        .iter()
        .filter(|(_, f)| BAD.contains(&text(f, "severity").as_str()) && !excused(&text(f, "id")))
        .map(|(_, f)| format!("{} {}: {}", text(f, "severity"), text(f, "id"), text(f, "finding")))
        .collect();
    assert!(bad.is_empty(), "{bad:#?}");
    // the protocols are as documented, by testssl.sh's own words
    for (id, said) in [("TLS1", "not offered"), ("TLS1_1", "not offered"), ("TLS1_2", "offered"), ("TLS1_3", "offered")]
    {
        let all: Vec<_> = seen.iter().filter(|(_, f)| f["id"] == id).map(|(_, f)| text(f, "finding")).collect();
        assert!(all.len() >= addresses.len() && all.iter().all(|f| f.starts_with(said)), "{id}: {all:?}");
    }
}

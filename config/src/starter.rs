//! Configurations for those who have none yet: a commented first file, and none at all.
//!
//! # Invariants
//! * The first file loads as it is, and with every commented-out setting turned on (`the_first_file_loads`).

use crate::load::{Loaded, Origin, parse};
use crate::problem::{Code, Finding, Position, Problems};
use crate::source::Source;
use std::net::{IpAddr, SocketAddr};

/// The file that `raptorgate init` writes. Lines that start with `#` and a letter are settings to turn on.
pub fn init_template() -> &'static str {
    include_str!("starter.yaml")
}

/// The configuration of `raptorgate run --upstream URL`: everything on 127.0.0.1:8080 goes to this upstream, under its own
/// name if the URL has one. A server at a plain address is asked for what the client named.
pub fn for_upstream(url: &str) -> Result<Loaded, Problems> {
    let origin = Origin { file: "--upstream".to_owned(), folder: ".".into() };
    let refused = |why: &str| {
        let finding = Finding::new(Position::START, Code::WrongValue, format!("`--upstream` {why}"));
        Source::new(&origin.file, "").problems(vec![finding.help("for example `--upstream http://127.0.0.1:8000`")])
    };
    let plain = url.strip_prefix("http://").map(|rest| (rest, Scheme { port: 80, tls: "" }));
    let encrypted = || url.strip_prefix("https://").map(|rest| (rest, Scheme { port: 443, tls: ", tls: {}" }));
    let Some((rest, scheme)) = plain.or_else(encrypted) else {
        return Err(refused("needs a URL that starts with `http://` or `https://`"));
    };
    let address = rest.strip_suffix('/').unwrap_or(rest);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-:[]".contains(c);
    if address.is_empty() || !address.chars().all(allowed) {
        return Err(refused("takes scheme, host and port, without a path"));
    }
    // The port that the scheme means when there is none.
    let with_port = address.rsplit(']').next().is_some_and(|tail| tail.contains(':'));
    let named = !scheme.tls.is_empty() || !is_plain_address(address);
    let host = if named { format!(", host: \"{address}\"") } else { String::new() };
    let address = if with_port { address.to_owned() } else { format!("{address}:{}", scheme.port) };
    parse(&yaml(&address, scheme.tls, &host), &origin, &|_| None)
}

fn is_plain_address(address: &str) -> bool {
    let ip = address.trim_start_matches('[').trim_end_matches(']');
    ip.parse::<IpAddr>().is_ok() || address.parse::<SocketAddr>().is_ok()
}

/// What a URL's scheme means.
struct Scheme {
    port: u16,
    tls: &'static str,
}

fn yaml(address: &str, tls: &str, host: &str) -> String {
    format!(
        "version: 1\n\
         listeners: [{{ address: \"127.0.0.1:8080\" }}]\n\
         upstreams: {{ upstream: {{ endpoints: [{{ address: \"{address}\" }}]{tls}{host} }} }}\n\
         routes: [{{ name: all, match: {{ path: \"/*\" }}, upstream: upstream }}]\n"
    )
}

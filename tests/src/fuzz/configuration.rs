//! The loader of configurations: any text gives a configuration or problems that stand in it.

use raptorgate_config::units::{Currency, Money};
use raptorgate_config::{Loaded, Origin, Problems, effective, parse};
use std::path::PathBuf;
use std::time::Duration;

/// Words with which a text asks for files; such texts are left out, so that fuzzing reads nothing of the machine.
const FILES: [&str; 3] = ["file", "tls", "\\"];

/// Any text is read twice to the same end; every problem stands in it and can be shown.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if FILES.iter().any(|word| text.contains(word)) {
        return;
    }
    match (read(text), read(text)) {
        (Ok(one), Ok(two)) => {
            assert_eq!(one.hash, two.hash);
            assert!(one.files().is_empty(), "a file was read");
            for route in &one.config.routes {
                let shown = effective(&one.config, &route.name).expect("a route of this configuration");
                assert!(!shown.is_empty());
            }
        }
        (Err(one), Err(two)) => {
            assert_eq!(one.to_string(), two.to_string());
            assert!(one.iter().len() > 0, "refused without a problem");
            let lines = text.split(['\n', '\r']).count();
            for problem in one.iter() {
                assert!((1..=lines).contains(&problem.line) && problem.column >= 1, "{problem:?}");
                assert!(!problem.message.contains(['\n', '\u{1b}']), "{problem:?}");
            }
        }
        (one, two) => panic!("one text, two ends: {} and {}", one.is_ok(), two.is_ok()),
    }
}

fn read(text: &str) -> Result<Loaded, Problems> {
    let origin = Origin { file: "fuzzed.yaml".to_owned(), folder: PathBuf::from("no-such-folder") };
    parse(text, &origin, &|name| (name == "NUMBER").then(|| "3".to_owned()))
}

/// Durations, sizes and amounts mean what they say, or are refused.
pub fn units(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(money) = Money::parse(text) {
        assert_eq!(Money::parse(&money.to_string()), Some(money), "{text}");
        assert_eq!(Money::parse_amount(text.trim().split_once(' ').unwrap().0, money.currency()), Some(money));
        assert_eq!(Currency::parse(money.currency().as_str()), Some(money.currency()));
    }
    if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') || text.contains(['\'', '$', '\\']) {
        return;
    }
    let file = |key: &str| {
        format!(
            "version: 1\nlisteners: [{{ address: 127.0.0.1:8080 }}]\nlimits: {{ {key}: '{text}' }}\n\
             upstreams: {{ a: {{ endpoints: [{{ address: 127.0.0.1:8000 }}] }} }}\n\
             routes: [{{ name: a, match: {{ path: /* }}, upstream: a }}]\n"
        )
    };
    if let Ok(loaded) = read(&file("request_body_timeout")) {
        let seen = loaded.config.routes[0].request_body_timeout;
        let scales = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        assert_eq!(Some(seen), plain(text, &scales).map(Duration::from_millis), "{text}");
    }
    if let Ok(loaded) = read(&file("buffered")) {
        let scales = [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
        assert_eq!(Some(loaded.config.limits.buffered_bytes_max), plain(text, &scales), "{text}");
    }
}

/// A whole number and one of these units, with at most one space between.
fn plain(text: &str, scales: &[(&str, u64)]) -> Option<u64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    scales.iter().find(|(name, _)| *name == unit)?.1.checked_mul(number)
}

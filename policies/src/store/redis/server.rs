//! Whether a server is set up to keep money: what is found is warned of, or refused, by whoever starts the gateway.

use redis::Value;
use std::collections::BTreeMap;

/// The first version whose scripts can say what they need.
const VERSION_MIN: (u32, u32) = (7, 0);

/// Something about a server that may lose what it was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerFinding {
    /// Older than what is needed.
    #[error("the server is version {found}, and 7.0 is needed: update it")]
    TooOld {
        /// What it calls itself.
        found: String,
    },
    /// What it holds is lost when it stops.
    #[error("the server keeps no append-only file, so that a restart loses what was charged: set `appendonly yes`")]
    NotAppendOnly,
    /// It removes keys when its memory is full.
    #[error("the server drops keys when its memory is full (`maxmemory-policy {policy}`): set `noeviction`")]
    Evicts {
        /// How it chooses.
        policy: String,
    },
    /// A primary cut off from its replicas goes on and is replaced.
    #[error(
        "the server has {replicas} replicas and takes writes without any of them, which a failover loses: set `min-replicas-to-write 1`"
    )]
    WritesAlone {
        /// How many replicas it has.
        replicas: u64,
    },
    /// It is one.
    #[error("the server is a replica and takes no writes: name its primary")]
    Replica,
    /// It does not tell.
    #[error("the server does not tell its `{setting}`, so it is not known whether it keeps what it is told")]
    Silent {
        /// What it was asked for.
        setting: String,
    },
}

/// What a server tells of itself.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Lines of INFO.
    pub info: BTreeMap<String, String>,
    /// Answers of CONFIG GET; none where it is forbidden.
    pub config: BTreeMap<String, String>,
}

/// Settings that are asked for.
pub(super) const SETTINGS: [&str; 3] = ["appendonly", "maxmemory-policy", "min-replicas-to-write"];

/// `name:value` in lines.
pub(super) fn info(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim_end().to_owned()));
    text.lines().filter_map(pair).collect()
}

/// Names and values in turn.
pub(super) fn config(value: Value) -> BTreeMap<String, String> {
    let text = |value: Value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    };
    let mut settings = BTreeMap::new();
    if let Value::Array(items) = value {
        let mut items = items.into_iter();
        while let (Some(name), Some(setting)) = (items.next(), items.next()) {
            if let (Some(name), Some(setting)) = (text(name), text(setting)) {
                settings.insert(name, setting);
            }
        }
    }
    settings
}

/// What is wrong.
pub(super) fn findings(told: &Told) -> Vec<ServerFinding> {
    let mut findings = Vec::new();
    findings.extend(version(told));
    if told.info.get("role").is_some_and(|role| role != "master") {
        findings.push(ServerFinding::Replica);
    }
    for setting in SETTINGS {
        let Some(value) = told.config.get(setting) else {
            findings.push(ServerFinding::Silent { setting: setting.to_owned() });
            continue;
        };
        match setting {
            "appendonly" if value != "yes" => findings.push(ServerFinding::NotAppendOnly),
            "maxmemory-policy" if value != "noeviction" => {
                findings.push(ServerFinding::Evicts { policy: value.clone() });
            }
            "min-replicas-to-write" if value == "0" => findings.extend(writes_alone(told)),
            _ => {}
        }
    }
    findings
}

fn version(told: &Told) -> Option<ServerFinding> {
    let Some(found) = told.info.get("redis_version") else {
        return Some(ServerFinding::Silent { setting: "redis_version".to_owned() });
    };
    let mut numbers = found.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (version < VERSION_MIN).then(|| ServerFinding::TooOld { found: found.clone() })
}

fn writes_alone(told: &Told) -> Option<ServerFinding> {
    let replicas = told.info.get("connected_slaves")?.parse().ok()?;
    (replicas > 0).then_some(ServerFinding::WritesAlone { replicas })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(version: &str, settings: &[(&str, &str)]) -> Told {
        let config = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Told { info: info(&format!("# Server\r\nredis_version:{version}\r\nrole:master\r\n")), config }
    }

    const GOOD: [(&str, &str); 3] =
        [("appendonly", "yes"), ("maxmemory-policy", "noeviction"), ("min-replicas-to-write", "0")];

    #[test]
    fn a_server_that_keeps_what_it_is_told_is_not_complained_of() {
        assert_eq!(findings(&told("7.0.15", &GOOD)), []);
        assert_eq!(findings(&told("10.0", &GOOD)), []);
    }

    #[test]
    fn what_is_wrong_is_told_all_at_once() {
        let bad = [("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")];
        let found = findings(&told("6.2.6", &bad));
        assert_eq!(
            found,
            [
                ServerFinding::TooOld { found: "6.2.6".to_owned() },
                ServerFinding::NotAppendOnly,
                ServerFinding::Evicts { policy: "allkeys-lru".to_owned() },
                ServerFinding::Silent { setting: "min-replicas-to-write".to_owned() },
            ]
        );
    }

    #[test]
    fn replicas_that_are_not_waited_for_are_told() {
        let mut server = told("7.2.4", &GOOD);
        server.info.insert("connected_slaves".to_owned(), "2".to_owned());
        assert_eq!(findings(&server), [ServerFinding::WritesAlone { replicas: 2 }]);
        server.config.insert("min-replicas-to-write".to_owned(), "1".to_owned());
        assert_eq!(findings(&server), []);
    }
}

//! What the file may hold about how an upstream is used: balance, pool, health checks, ejection, names.

use crate::decode::{At, Context, Decode, FromText, Some1, Wrong};
use crate::model::{AddressFamily, Balance, HashKey, StatusRange};
use crate::patterns::{header_name, is_host};
use crate::shape::{Shape, block, words};
use crate::values::{Label, OrZero, Percent, Whole};
use crate::words::{Words, decode_word, is_scalar};
use crate::yaml::Node;
use serde_json::{Value as Json, json};
use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Longest value of `Host`: a name of 255 characters, and a port.
const HOST_CHARS_MAX: usize = 261;

/// A value of `Host`: a name or an address, and a port where it is not the scheme's.
pub(crate) struct HostField(pub String);

impl FromText for HostField {
    const LABEL: &'static str = "a host";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
            Some(_) | None => (text, None),
        };
        let is_ip6 =
            host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).is_some_and(|h| h.parse::<Ipv6Addr>().is_ok());
        let is_port = port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
        if text.len() > HOST_CHARS_MAX || !is_port || !(is_ip6 || is_host(&host.to_ascii_lowercase())) {
            return Err(Wrong::because("no `Host` can have this value")
                .help("`api.example.com`, or `10.0.0.7:8080`; no scheme, no path"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9._:\\[\\]-]{1,261}$" })
    }
}

impl fmt::Display for HostField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

block! {
    /// Bounds towards an upstream.
    pub(crate) struct PoolBlock {
        /// Requests at the upstream at once; with `http1` each has a connection of its own. Further ones wait.
        requests_max: Whole<1, 1_000_000> = default("1024"),
        /// Requests that may wait for room; further ones get 503 `upstream_overloaded`.
        pending_max: Whole<0, 1_000_000> = default("1024"),
        /// How long one of them waits before it gets 503 `upstream_overloaded`.
        pending_timeout: Duration = default("5s"),
        /// How long an idle connection is kept. Less than the upstream keeps it, or a request may meet its end.
        idle_timeout: Duration = default("60s"),
        /// Requests on one connection at once, with `http2`.
        streams_max: Whole<1, 10_000> = default("100"),
    }
}

block! {
    /// Active health checks: each endpoint is asked for `path` now and then, on a new connection.
    pub(crate) struct HealthCheckBlock {
        /// Path and query that are asked for.
        path: ProbePath = required,
        /// Time between two checks of an endpoint; up to a tenth is added at random.
        interval: Duration = default("5s"),
        /// Time for connection and head of the reply. Not above `interval`.
        timeout: At<Duration> = default("2s"),
        /// Passed checks in a row that make an endpoint healthy. The first check of all decides alone.
        healthy_after: Whole<1, 100> = default("2"),
        /// Failed checks in a row that make it unhealthy.
        unhealthy_after: Whole<1, 100> = default("3"),
        /// Statuses that pass: `200`, `200-299`.
        expect_status: Some1<StatusRange> = default("[200-299]"),
        /// Value of `Host`; that of the upstream if left out, else the endpoint's address as it is written here.
        host: Label = optional,
    }
}

block! {
    /// Passive ejection: an endpoint that fails requests is left out for a while, and comes back slowly. `off`: never.
    pub(crate) struct EjectionBlock {
        /// Failed attempts in a row that eject an endpoint: no connection, a broken one, a time-out, 502, 503 or 504.
        consecutive_failures: Whole<1, 1_000> = default("5"),
        /// How long it is left out the first time; doubled each time it fails again soon after.
        open_for: Duration = default("30s"),
        /// Longest time it is left out; 5 minutes if left out, or `open_for` if that is longer.
        open_max: At<Duration> = optional,
        /// Share of the endpoints that may be left out at once. A single endpoint is never ejected by less than 100.
        max_ejected: Percent = default("50"),
        /// How long a returning endpoint takes from a tenth of its weight to all of it.
        slow_start: OrZero = default("30s"),
    }
}

block! {
    /// How host names of endpoints are looked up: in the background, never while a request waits for it.
    pub(crate) struct DnsBlock {
        /// Name servers; those of the system if left out. The system's hosts file comes first either way.
        servers: Vec<SocketAddr> = default("[]"),
        /// Time between two look-ups of a name. A failed one is repeated after a second at the latest.
        refresh: Duration = default("5s"),
        /// How long one look-up may take.
        timeout: Duration = default("2s"),
        /// How long the last answer is used on while look-ups fail; then the name has no endpoints.
        stale_max: OrZero = default("5m"),
        /// Which addresses of a name are endpoints.
        family: AddressFamily = default("ipv4_first"),
    }
}

words!(AddressFamily {
    "ipv4_first" => AddressFamily::Ipv4First, "IPv4 addresses; IPv6 addresses if there are none";
    "ipv6_first" => AddressFamily::Ipv6First, "IPv6 addresses; IPv4 addresses if there are none";
    "both" => AddressFamily::Both, "all of them";
});

/// A word, or a block when the word alone does not say enough.
#[derive(Clone)]
pub(crate) struct BalanceChoice(pub Balance);

/// The words of `BalanceChoice`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum BalanceWord {
    RoundRobin,
    LeastRequests,
}

words!(BalanceWord {
    "round_robin" => BalanceWord::RoundRobin, "in turn, by weight";
    "least_requests" => BalanceWord::LeastRequests, "the one with the fewest requests in flight for its weight";
});

block! {
    /// Consistent hashing: requests with the same key go to the same endpoint.
    pub(crate) struct HashBlock {
        /// The key: `user` (the verified caller), `address` (the client's), or `header:` and a name. Requests without it go in turn.
        hash: HashKey = required,
    }
}

impl Decode for BalanceChoice {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        if !is_scalar(node) {
            return HashBlock::decode(node, cx).map(|block| Self(Balance::Hash(block.hash)));
        }
        decode_word(node, cx).map(|word| match word {
            BalanceWord::RoundRobin => Self(Balance::RoundRobin),
            BalanceWord::LeastRequests => Self(Balance::LeastRequests),
        })
    }

    fn shape() -> Shape {
        Shape::Either(vec![BalanceWord::shape(), HashBlock::shape()])
    }
}

/// Writes a balance as a file would: its word, or the key of its hash.
pub(crate) fn balance_text(balance: &Balance) -> Result<&'static str, String> {
    match balance {
        Balance::RoundRobin => Ok(BalanceWord::RoundRobin.word()),
        Balance::LeastRequests => Ok(BalanceWord::LeastRequests.word()),
        Balance::Hash(HashKey::User) => Err("user".to_owned()),
        Balance::Hash(HashKey::Address) => Err("address".to_owned()),
        Balance::Hash(HashKey::Header(name)) => Err(format!("header:{name}")),
    }
}

impl FromText for HashKey {
    const LABEL: &'static str = "a key to hash by";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        match (text, text.strip_prefix("header:")) {
            ("user", _) => Ok(Self::User),
            ("address", _) => Ok(Self::Address),
            (_, Some(name)) => header_name(name).map(Self::Header),
            (_, None) => Err(Wrong::because("it is none of those").help("`user`, `address` or `header:x-session`")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(user|address|header:[A-Za-z0-9!#$%&'*+.^_`|~-]+)$" })
    }
}

impl FromText for StatusRange {
    const LABEL: &'static str = "a status or a range of them";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let wrong = |why| Wrong::because(why).help("`200`, or `200-299`; from 100 to 599");
        let status = |text: &str| text.parse::<u16>().ok().filter(|s| (100..=599).contains(s) && text.len() == 3);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (Some(first), Some(last)) = (status(first), status(last)) else {
            return Err(wrong("it is no status from 100 to 599"));
        };
        if first > last {
            return Err(wrong("its end is before its start"));
        }
        Ok(Self { first, last })
    }

    fn schema() -> Json {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$" },
        ] })
    }
}

/// Writes a range as a file would.
pub(crate) fn status_text(range: StatusRange) -> String {
    let StatusRange { first, last } = range;
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// Path and query of a health check.
#[derive(Clone)]
pub(crate) struct ProbePath(pub String);

/// Longest path of a health check.
const PROBE_PATH_BYTES_MAX: usize = 1_024;

impl FromText for ProbePath {
    const LABEL: &'static str = "a path";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let fits = text.len() <= PROBE_PATH_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
        match text.starts_with('/') && fits {
            true => Ok(Self(text.to_owned())),
            false => Err(Wrong::because("it cannot be asked for")
                .help("`/healthz`; it starts with `/` and has no spaces, no `#` and at most 1024 characters")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^/[!-\"$-~]*$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_read_strictly() {
        let read = |text| StatusRange::from_text(text).ok().map(status_text);
        for good in ["200", "200-299", "100-599"] {
            assert_eq!(read(good).as_deref(), Some(good));
        }
        assert_eq!(read("204-204").as_deref(), Some("204"));
        for bad in ["", "2xx", "99", "600", "+200", "0200", "299-200", "200-", "-200", "200-299-300", " 200"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn hash_keys_are_read_strictly() {
        let read = |text| HashKey::from_text(text).ok();
        assert_eq!(read("header:X-Session"), Some(HashKey::Header("x-session".to_owned())));
        assert_eq!((read("user"), read("address")), (Some(HashKey::User), Some(HashKey::Address)));
        for bad in ["", "header:", "header:a b", "header:x-raptorgate-user", "json:$.a", "User", "ip"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}

//! How an upstream is used: endpoints, balance, pool, time-outs, health checks, ejection, names.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// One entry of an upstream's endpoints: an address, or a name that stands for any number of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where it is.
    pub address: Address,
    /// Share of the requests, 1–1000, against the weights of the others.
    pub weight: u32,
}

/// Host and port. Prints as `host:port`, IPv6 addresses in brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Which endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// In turn, by weight.
    RoundRobin,
    /// The one with the fewest requests in flight for its weight.
    LeastRequests,
    /// The same one for the same key.
    Hash(HashKey),
}

/// What consistent hashing goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// Tenant and user of the verified caller.
    User,
    /// The client's address.
    Address,
    /// A header of the request, lower case.
    Header(String),
}

/// Bounds of what is sent to an upstream at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Requests in flight; with HTTP/1.1 each has a connection of its own.
    pub requests_max: usize,
    /// Requests that may wait for room.
    pub pending_max: usize,
    /// How long one may wait.
    pub pending_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// Requests on one HTTP/2 connection at once.
    pub streams_max: usize,
}

/// Active health checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// Path and query.
    pub path: String,
    /// Time between two checks of an endpoint.
    pub interval: Duration,
    /// Time for connection and head of the reply; not above `interval`.
    pub timeout: Duration,
    /// Passed checks in a row that make it healthy.
    pub healthy_after: u32,
    /// Failed checks in a row that make it unhealthy.
    pub unhealthy_after: u32,
    /// Statuses that pass. Never empty.
    pub expect_status: Vec<StatusRange>,
    /// Value of `Host`; absent: the endpoint's address.
    pub host: Option<String>,
}

/// Statuses from `first` to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The lowest.
    pub first: u16,
    /// The highest.
    pub last: u16,
}

/// Passive ejection of endpoints that fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ejection {
    /// Failed attempts in a row that eject.
    pub consecutive_failures: u32,
    /// How long the first time.
    pub open_for: Duration,
    /// How long at most; not below `open_for`.
    pub open_max: Duration,
    /// Share of the endpoints that may be out at once, 0–100.
    pub max_ejected_percent: f64,
    /// How long a returning endpoint takes to its whole weight.
    pub slow_start: Duration,
}

/// How host names of endpoints are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Name servers; empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// Time between two look-ups of a name.
    pub refresh: Duration,
    /// How long one look-up may take.
    pub timeout: Duration,
    /// How long the last answer is used on while look-ups fail.
    pub stale_max: Duration,
    /// Which addresses are endpoints.
    pub family: AddressFamily,
}

/// Which addresses of a name are endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFamily {
    /// IPv4; IPv6 if there are none.
    Ipv4First,
    /// IPv6; IPv4 if there are none.
    Ipv6First,
    /// All.
    Both,
}

/// Time-outs towards an upstream; each has its own error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect.
    pub connect: Duration,
    /// From the request sent to the first byte of the reply's head.
    pub first_byte: Duration,
    /// Between two reads of the reply's body.
    pub idle: Duration,
    /// From the request accepted to its end.
    pub total: Duration,
}

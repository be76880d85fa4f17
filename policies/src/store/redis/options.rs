//! Where a Redis server is, and how long it is waited for.

use super::breaker::BreakerOptions;
use raptorgate_config::units::Secret;
use std::time::Duration;

/// Settings of a [`super::RedisStore`].
///
/// The defaults are for a server in the same data centre, on the way of every request: what it takes longer is an error
/// that the caller can act on. They are not those of the `redis` crate, whose calls may last ten seconds in an outage.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// `redis://[user][:password@]host[:port][/database]`, or `redis+unix:///path`; may hold a password.
    pub url: Secret,
    /// How long connecting and logging in may take.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub response_timeout: Duration,
    /// When the server is left alone.
    pub breaker: BreakerOptions,
}

impl RedisOptions {
    /// The defaults for a server.
    pub fn new(url: impl Into<Box<str>>) -> Self {
        Self {
            url: Secret::new(url),
            connect_timeout: Duration::from_millis(100),
            response_timeout: Duration::from_millis(50),
            breaker: BreakerOptions::default(),
        }
    }
}

/// The URL is not one of a Redis server. It is not quoted, since it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a Redis server: redis://[user][:password@]host[:port][/database] is expected")]
pub struct InvalidUrl;

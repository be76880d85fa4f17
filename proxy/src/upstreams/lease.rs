//! An attempt's hold on its endpoint: in flight while it lives, and judged when it goes.
//!
//! # Invariants
//! * An attempt is in flight at its endpoint exactly as long as its lease lives, and is judged at most once
//!   (`an_attempt_is_in_flight_while_its_lease_lives`).

use super::endpoint::Endpoint;
use crate::runtime::upstream::UpstreamSet;
use raptorgate_config::model::Address;
use raptorgate_policies::balance::Tried;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// An attempt's hold on its endpoint.
#[must_use = "the endpoint counts as free when this is dropped"]
pub struct Lease {
    set: Arc<UpstreamSet>,
    endpoint: Arc<Endpoint>,
    configured: Arc<Address>,
    began: Instant,
    verdict: Verdict,
}

/// What an attempt says of its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the client left, or a time-out of the whole request ran out.
    None,
    /// It works.
    Served,
    /// It broke off, was too slow, or said that it cannot serve.
    Failed,
    /// It took no connection.
    Refused,
}

impl Lease {
    pub(crate) fn new(
        set: Arc<UpstreamSet>,
        endpoint: Arc<Endpoint>,
        configured: Arc<Address>,
        began: Instant,
    ) -> Self {
        endpoint.enter();
        Self { set, endpoint, configured, began, verdict: Verdict::None }
    }

    /// Where the attempt goes.
    pub fn address(&self) -> SocketAddr {
        self.endpoint.address
    }

    /// The same as the file has it: with its host name, if it has one.
    pub fn configured(&self) -> &Address {
        &self.configured
    }

    /// Notes what the attempt says; the last word counts.
    pub fn judge(&mut self, verdict: Verdict) {
        self.verdict = verdict;
    }

    /// What the next attempt of the same request has to know.
    pub fn tried(&self) -> (SocketAddr, Tried) {
        let tried = match self.verdict {
            Verdict::Refused => Tried::Refused,
            Verdict::None | Verdict::Served | Verdict::Failed => Tried::Failed,
        };
        (self.endpoint.address, tried)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.endpoint.leave();
        self.set.judged(&self.endpoint, self.verdict, self.began, Instant::now());
    }
}

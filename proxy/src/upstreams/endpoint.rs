//! One address of an upstream: what is in flight to it and whether it is believed to work. Outlives reloads.

use parking_lot::Mutex;
use raptorgate_config::model::{Ejection, HealthCheck};
use raptorgate_policies::balance::endpoint_id;
use raptorgate_policies::endpoint_health::{Change, Checked, EndpointHealth, PERMILLE, Standing, Wish};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// One address of an upstream.
#[derive(Debug)]
pub struct Endpoint {
    /// Where it is.
    pub address: SocketAddr,
    /// Its name in consistent hashing.
    pub id: u64,
    in_flight: AtomicU32,
    /// In, with its whole weight: known without looking closer. Written under `health`'s lock.
    steady: AtomicBool,
    health: Mutex<EndpointHealth>,
}

impl Endpoint {
    /// An endpoint of which nothing is known.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            id: endpoint_id(&address.to_string()),
            in_flight: AtomicU32::new(0),
            steady: AtomicBool::new(true),
            health: Mutex::default(),
        }
    }

    /// Attempts in flight.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    pub(crate) fn enter(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Whether requests go to it, and with how much of its weight, in thousandths.
    pub fn standing(&self, slow_start: Duration, now: Instant) -> (Standing, u32) {
        if self.steady.load(Relaxed) {
            return (Standing::In, PERMILLE);
        }
        let health = self.health.lock();
        let (standing, permille) = health.standing(slow_start, now);
        self.steady.store(standing == Standing::In, Relaxed);
        (standing, permille)
    }

    /// Failed attempts in a row.
    pub fn failures(&self) -> u32 {
        self.health.lock().failures()
    }

    pub(crate) fn succeeded(&self, began: Instant, now: Instant) {
        self.health.lock().succeeded(began, now);
    }

    pub(crate) fn failed(&self, began: Instant, rules: &Ejection, now: Instant) -> Wish {
        self.health.lock().failed(began, rules, now)
    }

    pub(crate) fn eject(&self, rules: &Ejection, now: Instant) -> Instant {
        let mut health = self.health.lock();
        self.steady.store(false, Relaxed);
        health.eject(rules, now)
    }

    pub(crate) fn checked(&self, checked: Checked, rules: &HealthCheck, now: Instant) -> Option<Change> {
        let mut health = self.health.lock();
        let change = health.checked(checked, rules, now);
        if change.is_some() {
            self.steady.store(false, Relaxed);
        }
        change
    }

    pub(crate) fn forget_checks(&self) {
        self.health.lock().forget_checks();
    }
}

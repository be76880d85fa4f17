//! Certificates that expire: a metric for each, and a warning while there is time.
//!
//! # Invariants
//! * Whoever serves a certificate of [`WARN_BEFORE`] or less is told, once a day (`a_certificate_that_expires_soon_is_told`).

use crate::control::Control;
use raptorgate_config::model::Config;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long before the end of a certificate the warnings begin.
pub const WARN_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);
/// How often they are repeated.
const WARN_EVERY: Duration = Duration::from_secs(24 * 3600);

const DAY_SECONDS: i64 = 24 * 3600;

/// Warns about what is served, once a day.
pub async fn watch(control: Arc<Control>) {
    let mut days = tokio::time::interval(WARN_EVERY);
    // the first tick is at once, and the start has warned already
    days.tick().await;
    loop {
        days.tick().await;
        warn(&control.runtime().config, SystemTime::now());
    }
}

/// Warns about every certificate that has expired or will soon.
pub fn warn(config: &Config, now: SystemTime) {
    for Expiring { owner, file, days_left } in expiring(config, now) {
        if days_left < 0 {
            tracing::error!(owner, file, "certificate has expired");
        } else {
            tracing::warn!(owner, file, days_left, "certificate expires soon");
        }
    }
}

/// A certificate that needs somebody's attention.
#[derive(Debug, PartialEq, Eq)]
struct Expiring {
    owner: String,
    file: String,
    /// Whole days; below zero if it has expired.
    days_left: i64,
}

fn expiring(config: &Config, now: SystemTime) -> Vec<Expiring> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let soon = now.saturating_add(i64::try_from(WARN_BEFORE.as_secs()).unwrap_or(i64::MAX));
    let listeners = config.listeners.iter().filter_map(|l| Some((format!("listener {}", l.address), l.tls.as_ref()?)));
    let served = listeners.flat_map(|(owner, tls)| tls.certificates.iter().map(move |c| (owner.clone(), c)));
    let shown = config.upstreams.values().filter_map(|upstream| {
        let certificate = upstream.tls.as_ref()?.client_certificate.as_ref()?;
        Some((format!("upstream {}", upstream.name), certificate))
    });
    let ends = served.chain(shown).filter(|(_, certificate)| certificate.facts().not_after <= soon);
    ends.map(|(owner, certificate)| Expiring {
        owner,
        file: certificate.file().to_owned(),
        days_left: certificate.facts().not_after.saturating_sub(now).div_euclid(DAY_SECONDS),
    })
    .collect()
}

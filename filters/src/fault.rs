//! `fault`: delays and errors on purpose, for a share of requests.
//!
//! # Invariants
//! * 0 percent is never and 100 percent is always (`zero_is_never_and_a_hundred_is_always`).
//! * Delay and error are drawn apart; a request with both waits first (`a_request_with_both_waits_first`).

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, Phases, RequestHead};
use async_trait::async_trait;
use raptorgate_config::model;
use raptorgate_policies::Denial;

/// The filter of one route.
#[derive(Debug)]
pub struct FaultFilter {
    config: model::Fault,
}

impl FaultFilter {
    /// Compiles a route's block.
    pub fn new(config: &model::Fault) -> Self {
        Self { config: config.clone() }
    }
}

/// True for `percent` of all rolls, which are in 0..1.
fn is_hit(percent: f64, roll: f64) -> bool {
    roll * 100.0 < percent
}

#[async_trait]
impl Filter for FaultFilter {
    fn name(&self) -> FilterName {
        FilterName::Fault
    }

    fn phases(&self) -> Phases {
        Phases { request: true, ..Phases::default() }
    }

    async fn on_request(&self, _head: &RequestHead<'_>, _exchange: &mut Exchange) -> Decision {
        if let Some(delay) = self.config.delay.filter(|delay| is_hit(delay.percent, fastrand::f64())) {
            tokio::time::sleep(delay.duration).await;
        }
        match self.config.abort.filter(|abort| is_hit(abort.percent, fastrand::f64())) {
            Some(abort) => Decision::Deny(Denial::FaultInjected { status: abort.status }),
            None => Decision::Continue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{exchange, headers, run};
    use model::{Fault, FaultAbort, FaultDelay};
    use std::time::Duration;
    use tokio::time::Instant;

    fn filter(delay_percent: f64, abort_percent: f64) -> FaultFilter {
        let delay = Some(FaultDelay { percent: delay_percent, duration: Duration::from_secs(3600) });
        FaultFilter::new(&Fault { delay, abort: Some(FaultAbort { percent: abort_percent, status: 503 }) })
    }

    #[test]
    fn zero_is_never_and_a_hundred_is_always() {
        let last = 1.0_f64.next_down();
        for roll in [0.0, f64::MIN_POSITIVE, 0.5, last] {
            assert!(!is_hit(0.0, roll) && is_hit(100.0, roll), "{roll}");
        }
        assert!(is_hit(5.0, 0.049) && !is_hit(5.0, 0.05));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_with_both_waits_first() {
        let begun = Instant::now();
        let decided = run(&filter(100.0, 100.0), &headers(&[]), "", &mut exchange()).await;
        assert_eq!(decided, Err(Denial::FaultInjected { status: 503 }));
        assert_eq!(begun.elapsed(), Duration::from_secs(3600));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_hit_nothing_happens() {
        let begun = Instant::now();
        for _ in 0..1000 {
            assert_eq!(run(&filter(0.0, 0.0), &headers(&[]), "", &mut exchange()).await, Ok(()));
        }
        assert_eq!(begun.elapsed(), Duration::ZERO);
    }
}

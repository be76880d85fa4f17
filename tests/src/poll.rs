//! Looks again until something is so, or a deadline has passed.

use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Deadline of everything that happens within milliseconds on an idle machine; wide because test machines are not idle.
pub const SOON: Duration = Duration::from_secs(20);

/// Returns the first value that `look` finds; panics with `what` if none came before the deadline.
///
/// Not `AsyncFnMut`: of that the compiler cannot tell that a spawned task may hold it.
pub async fn until<T, F>(what: &str, deadline: Duration, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let start = Instant::now();
    let mut ticks = interval(Duration::from_millis(4));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(value) = look().await {
            return value;
        }
        assert!(start.elapsed() < deadline, "not so within {deadline:?}: {what}");
    }
}

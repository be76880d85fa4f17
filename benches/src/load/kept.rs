//! One request after the other on a kept connection.

use super::{Job, connect, exchange};
use crate::Failure;
use crate::wire::Reader;
use std::time::{Duration, Instant};

/// Asks until then; where the proxy says that it closes, on a new connection.
pub(super) async fn client(job: Job, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut stream = connect(job.address).await?;
    let (mut reader, mut latencies) = (Reader::default(), Vec::with_capacity(4096));
    let mut sent = Instant::now();
    while sent < until {
        let closes = exchange(&job, &mut stream, &mut reader).await?.closes;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
        if closes {
            stream = connect(job.address).await?;
        }
    }
    Ok(latencies)
}

//! The end of a connection on which the client still sends: its bytes are read and thrown away for a while, since closing
//! at once would reset the connection, and the client might never see the answer (RFC 9112 §9.6).

use bytes::Bytes;
use pingora_core::protocols::Stream;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long a client may take to stop.
const LINGER_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes that are thrown away before the connection is closed all the same.
const LINGER_BYTES_MAX: usize = 1 << 20;
const READ_BYTES: usize = 8 << 10;

/// Sends what is owed, says that nothing follows, and reads until the client stops.
pub async fn linger(mut stream: Stream, owed: Bytes) {
    let closing = async {
        stream.write_all(&owed).await?;
        AsyncWriteExt::shutdown(&mut stream).await?;
        let mut scratch = vec![0; READ_BYTES];
        let mut read = 0_usize;
        while read < LINGER_BYTES_MAX {
            match stream.read(&mut scratch).await? {
                0 => break,
                n => read = read.saturating_add(n),
            }
        }
        Ok::<(), std::io::Error>(())
    };
    // whoever does not stop in time is cut off
    drop(tokio::time::timeout(LINGER_TIME_MAX, closing).await);
}

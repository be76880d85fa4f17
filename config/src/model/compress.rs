//! What compression of replies means, resolved.

/// Compression of replies for clients that ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compress {
    /// The gateway's order where the client likes several equally. Never empty.
    pub codings: Vec<ReplyCoding>,
    /// Shorter replies stay as they are.
    pub bytes_min: u64,
    /// Content types that are compressed. Never empty.
    pub types: Vec<MediaRange>,
}

/// A coding in which replies can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyCoding {
    /// `zstd`.
    Zstd,
    /// `br`.
    Brotli,
    /// `gzip`.
    Gzip,
}

/// `text/html` or `text/*`; lower case, without parameters. `text/*` leaves `text/event-stream` out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRange {
    /// Before the slash.
    pub family: String,
    /// Behind it; absent: any.
    pub subtype: Option<String>,
}

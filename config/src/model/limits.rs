//! Bounds of the process, of client connections, and defaults of routes.

use std::time::Duration;

/// Process-wide bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of bodies buffered over all requests; beyond it new ones get 503 `overloaded`.
    pub buffered_bytes_max: u64,
    /// Default for routes: largest request body (413 beyond).
    pub request_body_bytes_max: u64,
    /// Default for routes: time a client may take to send a whole buffered body (408 beyond).
    pub request_body_timeout: Duration,
    /// Default for routes: largest reply held back for inspection.
    pub reply_bytes_max: u64,
    /// Deepest JSON nesting that is read.
    pub json_depth_max: usize,
    /// Connections and the clients behind them.
    pub clients: ClientLimits,
}

/// Bounds of client connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Open connections.
    pub connections_max: u32,
    /// Open connections from one address.
    pub connections_per_address_max: u32,
    /// Requests on one HTTP/1.1 connection.
    pub requests_per_connection_max: u32,
    /// For a request's whole head, and for a TLS handshake.
    pub header_timeout: Duration,
    /// Bytes of a request's head.
    pub header_bytes_max: usize,
    /// Fields of a request's head.
    pub header_fields_max: usize,
    /// Bytes of a request's target.
    pub target_bytes_max: usize,
    /// Bytes per second of a request's body; 0: any.
    pub body_bytes_per_second_min: u64,
    /// Between requests.
    pub idle_timeout: Duration,
    /// For a client that takes nothing.
    pub write_timeout: Duration,
    /// Bytes of a reply that are read before the client has taken them; at least 4 KiB, at most 64 KiB.
    pub read_ahead_bytes_max: usize,
    /// Requests at once on an HTTP/2 connection.
    pub http2_streams_max: u32,
    /// RST_STREAM frames per second on an HTTP/2 connection.
    pub http2_resets_per_second_max: u32,
    /// Frames per second on an HTTP/2 connection that carry nothing.
    pub http2_control_frames_per_second_max: u32,
}

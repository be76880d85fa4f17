//! What can go wrong with a store. A refusal is no error.

use crate::ledger::Invalid;

/// Whether an operation that failed may have been applied. Either way it may be sent again: every operation has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was not.
    No,
    /// Nobody knows: no answer came.
    Unknown,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The operation breaks a bound; a defect of the caller.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// No connection.
    #[error("the store cannot be reached")]
    Unreachable,
    /// No answer in time.
    #[error("the store did not answer in time")]
    Timeout,
    /// The connection broke before the answer.
    #[error("the connection to the store broke")]
    Disconnected,
    /// It reads its data back in after a start.
    #[error("the store is loading its data")]
    Loading,
    /// It is a replica, or was made read-only.
    #[error("the store takes no writes")]
    ReadOnly,
    /// Its memory is full.
    #[error("the store is out of memory")]
    OutOfMemory,
    /// A script runs too long.
    #[error("the store is busy with a script")]
    Busy,
    /// It refuses writes because it cannot save them, or has too few replicas.
    #[error("the store cannot make writes durable")]
    NotDurable,
    /// It wants other credentials, or forbids the commands that are used.
    #[error("the store refuses access")]
    AccessDenied,
    /// What it holds or answers is not what was written.
    #[error("the store holds something that was not written by raptorgate: {0}")]
    Corrupt(String),
    /// Its disk or journal failed; nothing is taken any more.
    #[error("the store's journal failed: {0}")]
    Journal(String),
    /// It shuts down.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the operation may have been applied.
    pub const fn applied(&self) -> Applied {
        match self {
            Self::Timeout | Self::Disconnected | Self::Corrupt(_) | Self::Journal(_) => Applied::Unknown,
            Self::Invalid(_)
            | Self::Unreachable
            | Self::Loading
            | Self::ReadOnly
            | Self::OutOfMemory
            | Self::Busy
            | Self::NotDurable
            | Self::AccessDenied
            | Self::Closed => Applied::No,
        }
    }

    /// The class in metrics and logs.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Disconnected => "disconnected",
            Self::Loading => "loading",
            Self::ReadOnly => "read_only",
            Self::OutOfMemory => "out_of_memory",
            Self::Busy => "busy",
            Self::NotDurable => "not_durable",
            Self::AccessDenied => "access_denied",
            Self::Corrupt(_) => "corrupt",
            Self::Journal(_) => "journal",
            Self::Closed => "closed",
        }
    }
}

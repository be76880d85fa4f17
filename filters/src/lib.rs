//! What raptorgate reads and changes in requests and responses. Nothing here knows sockets.

pub mod admit;
pub mod authenticate;
pub mod closed;
pub mod codings;
pub mod end_user;
pub mod exchange;
pub mod execution;
pub mod fault;
pub mod filter;
pub mod flood_limits;
mod form;
pub mod frame;
pub mod framers;
pub mod idempotency;
pub mod kept;
pub mod mask_pii;
pub mod meter;
pub mod payload;
pub mod prompt_leak;
pub mod purpose;
pub mod read_body;
pub mod render;
pub mod sanitize;
pub mod source;
pub mod texts;

pub mod pipeline;
pub mod reply;
#[cfg(test)]
mod testing;

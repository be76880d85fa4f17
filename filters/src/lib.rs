//! What raptorgate reads and changes in requests and responses. Nothing here knows sockets.

pub mod exchange;
pub mod filter;
pub mod frame;
pub mod framers;
pub mod mask_pii;
pub mod payload;
pub mod pii;
pub mod read_body;

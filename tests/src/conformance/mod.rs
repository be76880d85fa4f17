//! What the conformance corpus is made of: cases as text, an upstream and a client on bare sockets, and strict readers.
//!
//! # Invariants
//! * Nothing here shares code with the gateway, and every byte that comes out of it is read strictly: what RFC 9112 does
//!   not allow is an error of the gateway, whatever the case was about (`the_readers_take_nothing_that_is_not_http`).

pub mod case_file;
pub mod client;
pub mod frames;
pub mod message;
pub mod report;
pub mod upstream;

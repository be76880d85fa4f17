//! The edge: what stands between sockets and Pingora, and what every head must satisfy before anything is decided.
//!
//! Pingora's parser is lenient in places and knows few time limits. So a connection is wrapped ([`connection`]): the
//! bytes of HTTP/1.1 requests are judged as they came ([`head`], [`chunks`]), the frames of HTTP/2 are counted
//! ([`frames`]), and every wait has an end. Requests that fail here never reach Pingora; they get an answer with a stable
//! code, a line in the access log, and the connection closes.

pub mod admission;
pub mod chunks;
pub mod client_address;
pub mod connection;
pub mod facts;
pub mod fields;
pub mod frames;
pub mod head;
pub mod host;
pub mod http1;
mod linger;
pub mod message;
pub mod pace;
pub mod path;
pub mod proxy_protocol;

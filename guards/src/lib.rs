//! What raptorgate knows of a text: personal data, secrets, and attempts to talk a model out of its instructions.
//!
//! Nothing here reads or writes anything: each detector takes text and gives back places in it.

pub mod injection;
pub mod labelled;
pub mod pii;

//! Personal data and secrets in text: found and masked by one incremental machine, whose whole-text mode is one push and the
//! end.
//!
//! The machine goes over the text once from left to right. At each place it either knows that a value starts there, or that
//! none does, or that it needs more text; then everything from that place on is held back. A decision reads a bounded part of
//! what was given out before ([`left`]) and at most [`LOOK_BYTES_MAX`] bytes of what follows, so no more is ever held back; for
//! ordinary words it is the word being written. Secrets longer than that are known by their beginning and left out as they
//! come.
//!
//! What stands before a place is what was given out, and not what came in: a masked text that is masked again is seen with
//! the same eyes. A masked value's readable rest is read again with what follows it.
//!
//! # Invariants
//! * A masked stream is the masked whole, wherever it is cut (`a_masked_stream_is_the_masked_whole`).
//! * Masking twice is masking once (`masking_twice_is_masking_once`), unless an address starts inside a run of more than 64
//!   characters that addresses are made of: what stands before it then loses its neighbour. What is left are texts that a search over
//!   millions of near misses finds once: a masked end that looks like a part of another form.
//! * What is held back is bounded (`what_is_held_back_is_bounded`).
//! * Nothing here can print a text: `Debug` shows sizes only.

mod address;
mod assigned;
mod chain;
pub mod checks;
mod codes;
mod columns;
mod context;
mod eight;
mod find;
mod fold;
mod inserts;
mod ip;
mod left;
mod look;
mod markup;
mod masker;
mod numbers;
mod own;
mod phone;
mod replace;
mod rules;
mod scan;
mod secret;
mod swallow;
mod tables;
mod tally;
mod words;

pub use find::{Entity, find, label, to_code_points};
pub use fold::{HASH_LETTERS, LOOK_BYTES_MAX};
pub use masker::{Masker, Tokens};
pub use replace::{canonical, placeholder, type_name};
pub use rules::{Action, DetectorConfig, OwnPattern, Rules, RulesError, THRESHOLD_PERCENT, Wanted};
pub use tally::Tally;
pub use words::names_a_number;

use raptorgate_config::model::PiiType;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A type that is built in.
    Type(PiiType),
    /// A pattern of one's own, by its place in the configuration.
    Own(usize),
}

//! Attempts to talk a model out of its instructions: found by parts of attacks in many languages and a small linear model.
//!
//! A text is folded ([`normalise`]), decoded ([`decode`]), searched for parts of attacks ([`slots`]), and scored by a model over
//! hashed features in windows ([`features`], [`model`]). The weights are made by the example `train_injection`.
//!
//! # Invariants
//! * Nothing here backtracks: time is linear in the text (`features::tests::features_are_bounded`, `decode::tests::work_is_bounded`).
//! * The weights that are committed are those that the trainer writes (`the_committed_model_is_read`).

pub mod decode;
mod detector;
pub mod features;
mod findings;
pub mod leak;
mod lookalikes;
pub mod model;
pub mod normalise;
pub mod purpose;
pub mod reading;
mod respell;
mod scrambled;
mod segment;
pub mod slots;
mod strip;
pub mod words;

pub use detector::{Detector, DetectorError, Options, SourceOfText, Verdict};
pub use findings::{FINDINGS_MAX, Finding, Reason};
pub use strip::{Cleaned, ROUNDS_MAX};

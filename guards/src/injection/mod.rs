//! Attempts to talk a model out of its instructions: found by parts of attacks in many languages and a small linear model.

pub mod decode;
pub mod features;
mod lookalikes;
pub mod model;
pub mod normalise;
pub mod reading;
mod respell;
pub mod slots;
pub mod words;

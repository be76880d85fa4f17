//! `scan` and `guards`: the detectors without a gateway.

mod injection;
mod lines;
mod pii;
mod scan;
mod test;

pub(super) use scan::{ScanCommand, scan};
pub(super) use test::{GuardsCommand, guards};

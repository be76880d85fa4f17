//! `scan` and `guards`: the detectors without a gateway.

mod lines;
mod scan;
mod test;

pub(super) use scan::{ScanCommand, scan};
pub(super) use test::{GuardsCommand, guards};

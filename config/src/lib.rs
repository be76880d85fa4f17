//! raptorgate's configuration: the YAML as typed schema, units, secrets, validation, loader, watcher.

pub mod model;
pub mod units;

//! raptorgate's configuration: the YAML as typed schema, units, secrets, validation, loader, watcher.
//!
//! The way of a file: [`load`] reads it, `yaml` makes a located tree of it, `interpolate` resolves `${…}`, `decode` turns the tree
//! into the blocks declared in `schema` and `routes`, `resolve` turns those into [`model::Config`]. Every step tells its
//! problems, and they come out together as [`Problems`].

mod decode;
mod interpolate;
mod load;
pub mod model;
mod patterns;
mod problem;
mod resolve;
mod routes;
mod schema;
mod shape;
mod source;
pub mod units;
mod values;
mod yaml;

pub use load::{Loaded, Origin, load, parse};
pub use problem::{Code, Position, Problem, Problems};

//! raptorgate's configuration: the YAML as typed schema, units, secrets, validation, loader, watcher.
//!
//! The way of a file: [`load`] reads it, `yaml` makes a located tree of it, `interpolate` resolves `${…}`, `decode` turns the tree
//! into the blocks declared in `schema` and `routes`, `resolve` turns those into [`model::Config`]. Every step tells its
//! problems, and they come out together as [`Problems`].

mod amounts;
mod budgets;
mod certificate_names;
pub mod certificates;
mod decode;
mod effective;
mod emit;
mod explain;
mod idempotency;
mod interpolate;
mod json_schema;
mod load;
mod masking;
mod media;
pub mod model;
mod patterns;
mod problem;
mod prompt_leak;
mod purpose;
mod reference;
mod resolve;
mod restart;
mod routes;
mod schema;
mod shape;
mod source;
mod starter;
pub mod units;
mod upstreams;
mod values;
mod watch;
mod words;
mod yaml;

pub use effective::effective;
pub use explain::{ExplainError, Explained, ValueSource, explain};
pub use json_schema::json_schema;
pub use load::{Loaded, Origin, load, parse};
pub use problem::{Code, Position, Problem, Problems};
pub use reference::reference_markdown;
pub use restart::{expired_replacements, needs_restart};
pub use starter::{for_upstream, init_template};
pub use values::duration;
pub use watch::{WatchError, Watcher};

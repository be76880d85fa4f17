//! Which strings of a JSON request are looked at.
//!
//! # Invariants
//! * `skip` wins over `only`; without either, every string is looked at (`paths_say_what_is_looked_at`).

use crate::framers::json::{JsonDoc, NodeId};
use raptorgate_config::model::{JsonPaths, JsonPointer};

/// What the paths of a route say of one document.
pub(super) struct Scope {
    /// `None`: everything.
    only: Option<Vec<NodeId>>,
    skip: Vec<NodeId>,
}

impl Scope {
    pub fn of(doc: &JsonDoc, paths: &JsonPaths) -> Self {
        let all = |pointers: &[JsonPointer]| pointers.iter().flat_map(|pointer| named(doc, pointer)).collect();
        let only = (!paths.only.is_empty()).then(|| all(&paths.only));
        Self { only, skip: all(&paths.skip) }
    }

    /// True for a value that is left alone.
    pub fn skips(&self, doc: &JsonDoc, node: NodeId) -> bool {
        let within = |list: &[NodeId]| list.iter().any(|outer| doc.holds(*outer, node));
        within(&self.skip) || self.only.as_ref().is_some_and(|only| !within(only))
    }
}

/// The values that a pointer names.
fn named(doc: &JsonDoc, pointer: &JsonPointer) -> Vec<NodeId> {
    let mut found = vec![doc.root()];
    for part in pointer.parts() {
        found = found.into_iter().flat_map(|node| below(doc, node, part)).collect();
    }
    found
}

fn below(doc: &JsonDoc, node: NodeId, part: &str) -> Vec<NodeId> {
    if part == JsonPointer::ANY {
        return doc.items(node).chain(doc.members(node).map(|(_, value)| value)).collect();
    }
    let element = part.parse().ok().and_then(|place| doc.index(node, place));
    doc.get(node, part).or(element).into_iter().collect()
}

//! Which strings of a JSON request are looked at.
//!
//! # Invariants
//! * `skip` wins over `only`; without either, every string is looked at (`paths_say_what_is_looked_at`).
//! * Whether a value is looked at takes a search in sorted places, however many a path names (`many_places_are_found_at_once`).

use crate::framers::json::{JsonDoc, NodeId};
use raptorgate_config::model::{JsonPart, JsonPath, JsonPaths, JsonStep};
use std::ops::Range;

/// What the paths of a route say of one document.
pub(super) struct Scope {
    /// `None`: everything.
    only: Option<Places>,
    skip: Places,
}

/// Values with what stands in them: sorted, none inside of another.
struct Places(Vec<Range<NodeId>>);

impl Scope {
    pub fn of(doc: &JsonDoc, paths: &JsonPaths) -> Self {
        let only = (!paths.only.is_empty()).then(|| Places::of(doc, &paths.only));
        Self { only, skip: Places::of(doc, &paths.skip) }
    }

    /// True for a value that is left alone.
    pub fn skips(&self, node: NodeId) -> bool {
        self.skip.hold(node) || self.only.as_ref().is_some_and(|only| !only.hold(node))
    }
}

impl Places {
    fn of(doc: &JsonDoc, paths: &[JsonPath]) -> Self {
        let mut all: Vec<NodeId> = paths.iter().flat_map(|path| named(doc, path)).collect();
        all.sort_unstable();
        let mut places: Vec<Range<NodeId>> = Vec::new();
        for node in all {
            if places.last().is_none_or(|last| node >= last.end) {
                places.push(node..doc.behind(node));
            }
        }
        Self(places)
    }

    fn hold(&self, node: NodeId) -> bool {
        let before = self.0.partition_point(|place| place.start <= node);
        before.checked_sub(1).and_then(|last| self.0.get(last)).is_some_and(|place| node < place.end)
    }
}

/// The values that a path names.
fn named(doc: &JsonDoc, path: &JsonPath) -> Vec<NodeId> {
    let mut found = vec![doc.root()];
    for part in &path.0 {
        found = found.into_iter().flat_map(|node| below(doc, node, part)).collect();
    }
    found
}

fn below(doc: &JsonDoc, node: NodeId, part: &JsonPart) -> Vec<NodeId> {
    match part {
        JsonPart::All => doc.items(node).chain(doc.members(node).map(|(_, value)| value)).collect(),
        JsonPart::Step(JsonStep::Member(name)) => doc.get(node, name).into_iter().collect(),
        JsonPart::Step(JsonStep::Index(place)) => doc.index(node, *place).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framers::json::JsonLimits;
    use bytes::Bytes;

    #[test]
    fn many_places_are_found_at_once() {
        let items = vec![r#"{"a":"x","b":{"c":"y"}}"#; 20_000].join(",");
        let doc = JsonDoc::parse(Bytes::from(format!("[{items}]")), &JsonLimits::default()).unwrap();
        let member = |name: &str| JsonPart::Step(JsonStep::Member(name.to_owned()));
        let paths = JsonPaths {
            only: vec![
                JsonPath(vec![JsonPart::All, member("b")]),
                JsonPath(vec![JsonPart::All, member("b"), JsonPart::All]),
            ],
            skip: Vec::new(),
        };
        let scope = Scope::of(&doc, &paths);
        assert_eq!(
            scope.only.as_ref().map(|only| only.0.len()),
            Some(20_000),
            "what stands in another place is no place"
        );
        assert_eq!(doc.strings().filter(|node| !scope.skips(*node)).count(), 20_000);
    }
}

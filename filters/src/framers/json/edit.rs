//! Pending changes of a [`JsonDoc`], applied when it is turned into bytes.
//!
//! # Invariants
//! * A change inside a replaced value comes to nothing (`an_edit_inside_a_replaced_value_is_dropped`).
//! * No change makes a duplicate key (`an_inserted_member_replaces_one_of_the_same_key`).

use super::{JsonDoc, JsonKind, JsonLimits, NodeId, Tag, text};
use bytes::Bytes;
use std::collections::BTreeMap;

/// What a value becomes.
#[derive(Debug)]
pub(super) enum Edit {
    /// A string with this text.
    Text(String),
    /// This JSON.
    Json(String),
}

/// All changes by the value they concern.
#[derive(Debug, Default)]
pub(super) struct Edits {
    replaced: BTreeMap<NodeId, Edit>,
    /// Members to append to an object: key, JSON.
    inserted: BTreeMap<NodeId, Vec<(String, String)>>,
}

impl Edits {
    pub(super) fn of(&self, n: NodeId) -> Option<&Edit> {
        // Nearly every document is read without a change.
        if self.replaced.is_empty() { None } else { self.replaced.get(&n) }
    }

    fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.inserted.is_empty()
    }
}

/// Source bytes `start..end` become `with`.
struct Patch {
    start: usize,
    end: usize,
    with: String,
}

impl JsonDoc {
    /// Makes any value a string.
    pub fn replace_str(&mut self, n: NodeId, text: &str) {
        self.edits.replaced.insert(n, Edit::Text(text.to_owned()));
    }

    /// Makes any value this JSON, which must be one valid value.
    pub fn replace_raw(&mut self, n: NodeId, json: &str) {
        debug_assert!(is_json(json), "replace_raw needs one JSON value");
        self.edits.replaced.insert(n, Edit::Json(json.to_owned()));
    }

    /// Appends a member as the last one; a member of that key, in the source or inserted, is replaced instead.
    /// `json` must be one valid value. Nothing happens if `object` is no object.
    pub fn insert_member(&mut self, object: NodeId, key: &str, json: &str) {
        debug_assert!(is_json(json), "insert_member needs one JSON value");
        if self.kind(object) != JsonKind::Object || self.edits.of(object).is_some() {
            return;
        }
        if let Some(n) = self.get(object, key) {
            return self.replace_raw(n, json);
        }
        let members = self.edits.inserted.entry(object).or_default();
        members.retain(|(k, _)| k != key);
        members.push((key.to_owned(), json.to_owned()));
    }

    /// True if anything was replaced or inserted.
    pub fn is_changed(&self) -> bool {
        !self.edits.is_empty()
    }

    /// The text with all changes; the source itself, without a copy, if there are none.
    pub fn into_bytes(self) -> Bytes {
        self.to_bytes()
    }

    /// As [`Self::into_bytes`], while the document goes on.
    pub fn to_bytes(&self) -> Bytes {
        if !self.is_changed() {
            return self.text.clone();
        }
        let patches = self.patches();
        let grown: usize = patches.iter().map(|p| p.with.len()).sum();
        let mut out = Vec::with_capacity(self.text.len() + grown);
        let mut done = 0;
        for patch in patches {
            // A patch inside a replaced value starts before the end of that value.
            if patch.start < done {
                continue;
            }
            out.extend_from_slice(self.text.get(done..patch.start).unwrap_or_default());
            out.extend_from_slice(patch.with.as_bytes());
            done = patch.end;
        }
        out.extend_from_slice(self.text.get(done..).unwrap_or_default());
        Bytes::from(out)
    }

    /// All changes in the order of the source.
    fn patches(&self) -> Vec<Patch> {
        let replaced = self.edits.replaced.iter().map(|(n, edit)| {
            let node = self.node(*n);
            let with = match edit {
                Edit::Text(text) => text::quote(text),
                Edit::Json(json) => json.clone(),
            };
            Patch { start: node.start as usize, end: node.end as usize, with }
        });
        let inserted = self.edits.inserted.iter().map(|(n, members)| self.insertion(*n, members));
        let mut all: Vec<Patch> = replaced.chain(inserted).collect();
        all.sort_by_key(|p| p.start);
        all
    }

    /// Text before the closing brace of `object`.
    fn insertion(&self, object: NodeId, members: &[(String, String)]) -> Patch {
        debug_assert_eq!(self.node(object).tag, Tag::Object);
        let brace = (self.node(object).end as usize).saturating_sub(1);
        let mut with = String::new();
        let mut separator = if self.pairs(object).next().is_some() { "," } else { "" };
        for (key, json) in members {
            with.push_str(separator);
            text::quote_into(key, &mut with);
            with.push(':');
            with.push_str(json);
            separator = ",";
        }
        Patch { start: brace, end: brace, with }
    }
}

fn is_json(json: &str) -> bool {
    let limits = JsonLimits { depth_max: usize::MAX, nodes_max: usize::MAX };
    JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &limits).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(json: &'static str) -> JsonDoc {
        JsonDoc::parse(Bytes::from_static(json.as_bytes()), &JsonLimits::default()).unwrap()
    }

    fn text(doc: JsonDoc) -> String {
        String::from_utf8(doc.into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_edit_changes_only_its_own_bytes() {
        let mut d = doc(" { \"a\" :\t\"x\\u0041\" , \"n\":1e0, \"o\":{ } }\n");
        let a = d.get(d.root(), "a").unwrap();
        assert_eq!(d.str(a).unwrap(), "xA");
        d.replace_str(a, "q\"\n");
        assert_eq!(d.str(a).unwrap(), "q\"\n");
        let o = d.get(d.root(), "o").unwrap();
        d.insert_member(o, "k", "[1]");
        d.insert_member(d.root(), "z", "true");
        assert_eq!(text(d), " { \"a\" :\t\"q\\\"\\n\" , \"n\":1e0, \"o\":{ \"k\":[1]} ,\"z\":true}\n");
    }

    #[test]
    fn an_unchanged_document_gives_back_the_very_bytes() {
        let source = Bytes::from_static(br#"{"a":[1,2]}"#);
        let d = JsonDoc::parse(source.clone(), &JsonLimits::default()).unwrap();
        assert_eq!(d.into_bytes().as_ptr(), source.as_ptr());
    }

    #[test]
    fn an_edit_inside_a_replaced_value_is_dropped() {
        let mut d = doc(r#"{"a":{"b":"x"},"c":"y"}"#);
        let a = d.get(d.root(), "a").unwrap();
        let b = d.get(a, "b").unwrap();
        d.insert_member(a, "k", "1");
        d.replace_str(b, "never");
        d.replace_raw(a, "null");
        assert_eq!(d.kind(a), JsonKind::Null);
        assert_eq!(text(d), r#"{"a":null,"c":"y"}"#);
    }

    #[test]
    fn an_inserted_member_replaces_one_of_the_same_key() {
        let mut d = doc(r#"{"\u0061":1}"#);
        d.insert_member(d.root(), "a", "2");
        d.insert_member(d.root(), "b", "3");
        d.insert_member(d.root(), "b", "4");
        assert_eq!(text(d), r#"{"\u0061":2,"b":4}"#);
    }

    #[test]
    fn a_replaced_value_reads_as_its_replacement() {
        let mut d = doc(r#"{"a":1,"b":"x"}"#);
        let (a, b) = (d.get(d.root(), "a").unwrap(), d.get(d.root(), "b").unwrap());
        d.replace_raw(a, "7");
        d.replace_raw(b, r#""\u0041""#);
        assert_eq!(d.u64(a), Some(7));
        assert_eq!(d.str(b).unwrap(), "A");
        d.replace_str(a, "s");
        assert_eq!((d.kind(a), d.u64(a)), (JsonKind::String, None));
    }
}

//! What changed since the last checkpoint, as one overlay over what is stored.

use crate::ledger::tenant::rows::Row;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Changed rows in order of their keys.
#[derive(Debug, Default)]
pub(super) struct Layer {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
    /// The last record of the journal whose rows are in here.
    pub through: u64,
    /// The time of the last operation.
    pub at: u64,
}

impl Layer {
    /// Takes a changed row.
    pub fn put(&mut self, (key, value): Row) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.rows.insert(key, value);
    }

    /// What is known of a key: nothing, that it was removed, or its value.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.rows.get(key).map(Option::as_deref)
    }

    /// The changed rows.
    pub fn rows(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.rows.iter().map(|(key, value)| (&key[..], value.as_deref()))
    }

    /// The changed rows from one key to another, both included.
    pub fn range<'a>(&'a self, from: &[u8], to: &[u8]) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let bounds = (Bound::Included(from.to_vec()), Bound::Included(to.to_vec()));
        self.rows.range(bounds).map(|(key, value)| (&key[..], value.as_deref()))
    }

    /// True if nothing changed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Bytes that were written to it; overwritten ones count too.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

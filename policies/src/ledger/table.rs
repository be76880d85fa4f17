//! An ordered map that remembers which keys changed, so that a checkpoint writes those and no others.
//!
//! # Invariants
//! * What was changed since the last time it was asked is told, also if it was removed (`every_change_is_told_once`).

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};

/// The map.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    changed: BTreeSet<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

/// Tables are equal if their rows are.
impl<K: PartialEq, V: PartialEq> PartialEq for Table<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// The row, if there is one.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.rows.get(key)
    }

    /// Sets a row.
    pub fn put(&mut self, key: K, value: V) {
        self.changed.insert(key.clone());
        self.rows.insert(key, value);
    }

    /// Removes a row.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let removed = self.rows.remove(key);
        if removed.is_some() {
            self.changed.insert(key.clone());
        }
        removed
    }

    /// Takes a row that is stored already.
    pub fn restore(&mut self, key: K, value: V) {
        self.rows.insert(key, value);
    }

    /// Forgets a row that is not stored any more.
    pub fn forget(&mut self, key: &K) {
        self.rows.remove(key);
    }

    /// Forgets a row that stays stored.
    pub fn evict(&mut self, key: &K) {
        if !self.changed.contains(key) {
            self.rows.remove(key);
        }
    }

    /// The rows in order.
    pub fn iter(&self) -> std::collections::btree_map::Iter<'_, K, V> {
        self.rows.iter()
    }

    /// The rows from a key on.
    pub fn from<'a, Q: Ord + ?Sized>(&'a self, key: &Q) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, Q, K, V>
    where
        K: Borrow<Q>,
    {
        self.rows.range((std::ops::Bound::Included(key), std::ops::Bound::Unbounded))
    }

    /// The rows behind a key.
    pub fn after<'a, Q: Ord + ?Sized>(&'a self, key: &Q) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, Q, K, V>
    where
        K: Borrow<Q>,
    {
        self.rows.range((std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The keys that changed since this was asked last; each has its row, or none any more.
    pub fn take_changed(&mut self) -> BTreeSet<K> {
        std::mem::take(&mut self.changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_is_told_once() {
        let mut table = Table::default();
        table.put(1, "a");
        table.put(2, "b");
        table.remove(&2);
        table.remove(&3);
        table.restore(4, "d");
        assert_eq!(table.take_changed(), BTreeSet::from([1, 2]));
        assert_eq!(table.take_changed(), BTreeSet::new());
        table.put(1, "c");
        table.evict(&1);
        table.evict(&4);
        assert_eq!(table.iter().collect::<Vec<_>>(), [(&1, &"c")]);
        assert_eq!(table.after(&0).count(), 1);
    }
}

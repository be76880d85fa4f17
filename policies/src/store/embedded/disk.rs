//! The file of checkpoints: rows, when rows may be forgotten, and how far the journal is in them.
//!
//! # Invariants
//! * Rows and journal offset change in one transaction, so that what is replayed is exactly what is not in the rows
//!   (`every_kill_leaves_what_was_acknowledged`).

use super::layer::Layer;
use crate::ledger::tenant::rows::{RowKind, id_bytes, parse_key, parse_value, row_key};
use crate::ledger::tenant::{FINISHED_DAYS, KeyRecord, KeyState};
use crate::ledger::{Head, LedgerId, StoreName};
use crate::store::StoreError;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, Table, TableDefinition};
use std::path::Path;

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Moment in microseconds, big endian, then the key of a row: what is to be forgotten, in order.
const EXPIRIES: TableDefinition<'_, &[u8], ()> = TableDefinition::new("expiries");

/// Generation of everything above; raised when it changes.
const FORMAT: u64 = 1;

const MICROS_PER_DAY: u64 = 86_400_000_000;

/// A key and its value.
pub(super) type Stored = (Vec<u8>, Vec<u8>);

/// Expired rows that one checkpoint removes at most; more wait for the next.
const FORGOTTEN_MAX: usize = 10_000;

/// The open file.
#[derive(Debug)]
pub(super) struct Disk {
    database: Database,
}

/// How far the file goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The last record of the journal in it.
    pub through: u64,
    /// The time of the last operation.
    pub at: u64,
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Journal(error.to_string())
}

impl Disk {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> Result<(Self, Mark), StoreError> {
        let database = Database::create(path).map_err(failed)?;
        let write = database.begin_write().map_err(failed)?;
        let mark = {
            write.open_table(ROWS).map_err(failed)?;
            write.open_table(EXPIRIES).map_err(failed)?;
            let mut meta = write.open_table(META).map_err(failed)?;
            let number = |meta: &Table<'_, &str, u64>, name| -> Result<Option<u64>, StoreError> {
                Ok(meta.get(name).map_err(failed)?.map(|value| value.value()))
            };
            let format = number(&meta, "format")?.unwrap_or(FORMAT);
            if format != FORMAT {
                return Err(StoreError::Corrupt(format!("its format is {format}, this program writes {FORMAT}")));
            }
            let mark = Mark { through: number(&meta, "through")?.unwrap_or(0), at: number(&meta, "at")?.unwrap_or(0) };
            meta.insert("format", FORMAT).map_err(failed)?;
            mark
        };
        write.commit().map_err(failed)?;
        Ok((Self { database }, mark))
    }

    /// Gives every row to `each`, but lines of the ledger, ended requests and kept replies: those are looked up.
    pub fn load(
        &self,
        mut each: impl FnMut(StoreName, RowKind, &[u8], &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let read = self.database.begin_read().map_err(failed)?;
        let rows = read.open_table(ROWS).map_err(failed)?;
        for row in rows.iter().map_err(failed)? {
            let (key, value) = row.map_err(failed)?;
            let bad = |_| StoreError::Corrupt("a row of the checkpoint cannot be read".into());
            let (tenant, kind, inner) = parse_key(key.value()).map_err(bad)?;
            match kind {
                RowKind::Entry | RowKind::Finish => {}
                RowKind::Key if is_kept(value.value()) => {}
                RowKind::Account
                | RowKind::Archived
                | RowKind::Credit
                | RowKind::Head
                | RowKind::Key
                | RowKind::Mark
                | RowKind::Override
                | RowKind::Hold
                | RowKind::Arrival
                | RowKind::Slot => each(tenant, kind, inner, value.value())?,
            }
        }
        Ok(())
    }

    /// One row.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.database.begin_read().map_err(failed)?;
        let rows = read.open_table(ROWS).map_err(failed)?;
        Ok(rows.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    /// Up to `count_max` rows from one key to another, both included.
    pub fn range(&self, from: &[u8], to: &[u8], count_max: usize) -> Result<Vec<Stored>, StoreError> {
        let read = self.database.begin_read().map_err(failed)?;
        let rows = read.open_table(ROWS).map_err(failed)?;
        let found = rows.range(from..=to).map_err(failed)?.take(count_max);
        found
            .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())).map_err(failed))
            .collect()
    }

    /// Stores a layer and how far the journal is in it, and forgets what has expired.
    pub fn store(&self, layer: &Layer) -> Result<(), StoreError> {
        let mut write = self.database.begin_write().map_err(failed)?;
        write.set_durability(Durability::Immediate).map_err(failed)?;
        {
            let mut rows = write.open_table(ROWS).map_err(failed)?;
            let mut expiries = write.open_table(EXPIRIES).map_err(failed)?;
            for (key, value) in layer.rows() {
                match value {
                    Some(value) => drop(rows.insert(key, value).map_err(failed)?),
                    None => drop(rows.remove(key).map_err(failed)?),
                }
                if let Some(expiry) = value.and_then(|value| expiry(key, value)) {
                    expiries.insert(&expiry[..], ()).map_err(failed)?;
                }
            }
            remove_archived(&mut rows, layer)?;
            forget(&mut rows, &mut expiries, layer.at)?;
            let mut meta = write.open_table(META).map_err(failed)?;
            meta.insert("through", layer.through).map_err(failed)?;
            meta.insert("at", layer.at).map_err(failed)?;
        }
        write.commit().map_err(failed)
    }
}

/// Removes the lines that a layer says are archived: after its rows are stored, since some of them may be such lines.
fn remove_archived(rows: &mut Table<'_, &[u8], &[u8]>, layer: &Layer) -> Result<(), StoreError> {
    for (key, value) in layer.rows() {
        let (Ok((tenant, RowKind::Archived, _)), Some(value)) = (parse_key(key), value) else { continue };
        let bad = |_| StoreError::Corrupt("a row of the checkpoint cannot be read".into());
        let archived: Head = parse_value(value).map_err(bad)?;
        let line = |version: u64| row_key(&tenant, RowKind::Entry, &version.to_be_bytes());
        rows.retain_in(&line(0)[..]..=&line(archived.version)[..], |_, _| false).map_err(failed)?;
    }
    Ok(())
}

/// When a row may be forgotten: the key in [`EXPIRIES`].
fn expiry(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let (_, kind, inner) = parse_key(key).ok()?;
    let at = match kind {
        RowKind::Key => until(value)?,
        RowKind::Finish => (LedgerId::parse_bytes(inner)?.day() + 1 + FINISHED_DAYS).saturating_mul(MICROS_PER_DAY),
        RowKind::Account
        | RowKind::Archived
        | RowKind::Credit
        | RowKind::Entry
        | RowKind::Head
        | RowKind::Mark
        | RowKind::Override
        | RowKind::Hold
        | RowKind::Arrival
        | RowKind::Slot => return None,
    };
    Some([&at.to_be_bytes()[..], key].concat())
}

fn until(value: &[u8]) -> Option<u64> {
    match parse_value::<KeyRecord>(value).ok()?.state {
        KeyState::Replied { until, .. } | KeyState::Unknown { until } => Some(until),
        KeyState::Running { lease_until, keep_micros, .. } => Some(lease_until.saturating_add(keep_micros)),
    }
}

/// True for replies that are kept: they are large, and looked up when their key comes again.
fn is_kept(value: &[u8]) -> bool {
    matches!(parse_value::<KeyRecord>(value).map(|record| record.state), Ok(KeyState::Replied { .. }))
}

fn forget(rows: &mut Table<'_, &[u8], &[u8]>, expiries: &mut Table<'_, &[u8], ()>, now: u64) -> Result<(), StoreError> {
    let end = now.to_be_bytes();
    let due = expiries.extract_from_if(..&end[..], |_, ()| true).map_err(failed)?;
    for expired in due.take(FORGOTTEN_MAX) {
        let (entry, ()) = expired.map(|(entry, unit)| (entry.value().to_vec(), unit.value())).map_err(failed)?;
        let Some((_, key)) = entry.split_first_chunk::<8>() else { continue };
        // The row may have been written again with a later moment, which has an entry of its own.
        let same = rows.get(key).map_err(failed)?.and_then(|value| expiry(key, value.value())) == Some(entry.clone());
        if same {
            rows.remove(key).map_err(failed)?;
        }
    }
    Ok(())
}

/// The key of the row that tells how a request ended.
pub(super) fn finish_key(tenant: &StoreName, id: LedgerId) -> Vec<u8> {
    row_key(tenant, RowKind::Finish, &id_bytes(id))
}

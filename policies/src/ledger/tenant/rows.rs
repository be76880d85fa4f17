//! A tenant's state as rows: what an operation changed is what is written to a journal, and what a checkpoint stores.
//!
//! Rows and not operations: what was acknowledged is read back as it was, whatever a later version of this program would
//! make of the same operation.
//!
//! A row is a key and a value of bytes. The key is `tenant 0 kind inner`, where inner keeps the order of the table; values
//! are postcard.
//!
//! # Invariants
//! * The rows of all changes make the same state again (`the_rows_make_the_same_state_again`).

use super::{Hold, KeyRecord, Override, TenantState};
use crate::ledger::{Account, AccountName, Entry, Finish, Head, KeyHash, LedgerId, Nanos, StoreName, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Bytes that are stored; `None`: removed.
pub type Row = (Vec<u8>, Option<Vec<u8>>);

/// What kind of thing a row is. The letters are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowKind {
    /// An account.
    Account = b'a' as isize,
    /// Through which line the ledger was archived.
    Archived = b'b' as isize,
    /// A credit.
    Credit = b'c' as isize,
    /// A line of the ledger.
    Entry = b'e' as isize,
    /// How a request ended.
    Finish = b'f' as isize,
    /// Where the ledger ends, and the last fencing token.
    Head = b'h' as isize,
    /// A key.
    Key = b'k' as isize,
    /// The last number of a gateway's journal.
    Mark = b'm' as isize,
    /// A limit that an operator set.
    Override = b'o' as isize,
    /// A hold.
    Hold = b'p' as isize,
    /// An arrival time.
    Arrival = b'r' as isize,
    /// A place.
    Slot = b's' as isize,
}

impl RowKind {
    const ALL: [RowKind; 12] = [
        Self::Account,
        Self::Archived,
        Self::Credit,
        Self::Entry,
        Self::Finish,
        Self::Head,
        Self::Key,
        Self::Mark,
        Self::Override,
        Self::Hold,
        Self::Arrival,
        Self::Slot,
    ];
}

/// A row that is not what this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a row that cannot be read")]
pub struct BadRow;

#[derive(Serialize, Deserialize)]
struct HeadRow {
    head: Head,
    fence: u64,
}

/// The beginning of all keys of a tenant.
pub fn tenant_prefix(tenant: &StoreName) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0]].concat()
}

/// The key of a row.
pub fn row_key(tenant: &StoreName, kind: RowKind, inner: &[u8]) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0, kind as u8], inner].concat()
}

/// Takes a key apart: tenant, kind, the rest.
pub fn parse_key(key: &[u8]) -> Result<(StoreName, RowKind, &[u8]), BadRow> {
    let end = key.iter().position(|b| *b == 0).ok_or(BadRow)?;
    let (tenant, rest) = key.split_at(end);
    let (kind, inner) = rest.get(1..).and_then(<[u8]>::split_first).ok_or(BadRow)?;
    let kind = RowKind::ALL.into_iter().find(|k| *k as u8 == *kind).ok_or(BadRow)?;
    Ok((text(tenant).and_then(StoreName::parse).ok_or(BadRow)?, kind, inner))
}

/// Reads a value.
pub fn parse_value<T: DeserializeOwned>(value: &[u8]) -> Result<T, BadRow> {
    postcard::from_bytes(value).map_err(|_| BadRow)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// How the keys of a table stand in rows.
trait InnerKey: Sized {
    fn bytes(&self) -> Vec<u8>;
    fn parse(bytes: &[u8]) -> Option<Self>;
}

impl InnerKey for LedgerId {
    fn bytes(&self) -> Vec<u8> {
        self.as_u128().to_be_bytes().to_vec()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u128::from_be_bytes).map(LedgerId::from_u128)
    }
}

impl InnerKey for StoreName {
    fn bytes(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        StoreName::parse(text(bytes)?)
    }
}

impl InnerKey for AccountName {
    fn bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        AccountName::parse(text(bytes)?)
    }
}

impl InnerKey for KeyHash {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl InnerKey for (StoreName, LedgerId) {
    fn bytes(&self) -> Vec<u8> {
        [&self.0.bytes()[..], &self.1.bytes()].concat()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (name, id) = bytes.split_at_checked(bytes.len().checked_sub(16)?)?;
        Some((InnerKey::parse(name)?, InnerKey::parse(id)?))
    }
}

/// The inner key of a finished request or a hold.
pub fn id_bytes(id: LedgerId) -> Vec<u8> {
    id.bytes()
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Writing to memory cannot fail for plain data; an empty value is refused when it is read.
    postcard::to_stdvec(value).unwrap_or_default()
}

fn changed<K: Ord + Clone + InnerKey, V: Serialize>(
    tenant: &StoreName,
    kind: RowKind,
    table: &mut Table<K, V>,
    rows: &mut Vec<Row>,
) {
    for key in table.take_changed() {
        rows.push((row_key(tenant, kind, &key.bytes()), table.get(&key).map(encode)));
    }
}

fn restore<K: Ord + Clone + InnerKey, V: DeserializeOwned>(
    table: &mut Table<K, V>,
    inner: &[u8],
    value: Option<&[u8]>,
) -> Result<(), BadRow> {
    let key = K::parse(inner).ok_or(BadRow)?;
    match value {
        Some(value) => table.restore(key, parse_value(value)?),
        None => table.forget(&key),
    }
    Ok(())
}

impl TenantState {
    /// What changed since this was asked last.
    pub fn take_rows(&mut self, tenant: &StoreName) -> Vec<Row> {
        let mut rows = Vec::new();
        changed(tenant, RowKind::Account, &mut self.accounts, &mut rows);
        changed(tenant, RowKind::Credit, &mut self.credits, &mut rows);
        changed(tenant, RowKind::Finish, &mut self.finished, &mut rows);
        changed(tenant, RowKind::Key, &mut self.keys, &mut rows);
        changed(tenant, RowKind::Mark, &mut self.marks, &mut rows);
        changed(tenant, RowKind::Override, &mut self.overrides, &mut rows);
        changed(tenant, RowKind::Hold, &mut self.holds, &mut rows);
        changed(tenant, RowKind::Arrival, &mut self.arrivals, &mut rows);
        changed(tenant, RowKind::Slot, &mut self.slots, &mut rows);
        let entries = std::mem::take(&mut self.entries);
        let fence_moved = std::mem::replace(&mut self.saved_fence, self.fence) != self.fence;
        if !entries.is_empty() || fence_moved {
            let head = HeadRow { head: self.head.clone(), fence: self.fence };
            rows.push((row_key(tenant, RowKind::Head, b""), Some(encode(&head))));
        }
        if std::mem::replace(&mut self.saved_archived, self.archived.version) != self.archived.version {
            rows.push((row_key(tenant, RowKind::Archived, b""), Some(encode(&self.archived))));
        }
        let entry =
            |entry: Entry| (row_key(tenant, RowKind::Entry, &entry.version.to_be_bytes()), Some(encode(&entry)));
        rows.extend(entries.into_iter().map(entry));
        rows
    }

    /// Takes a row that was stored. Lines of the ledger are not kept here.
    pub fn put_row(&mut self, kind: RowKind, inner: &[u8], value: Option<&[u8]>) -> Result<(), BadRow> {
        match kind {
            RowKind::Account => restore::<AccountName, Account>(&mut self.accounts, inner, value),
            RowKind::Credit => restore::<StoreName, Nanos>(&mut self.credits, inner, value),
            RowKind::Finish => restore::<LedgerId, Finish>(&mut self.finished, inner, value),
            RowKind::Key => restore::<KeyHash, KeyRecord>(&mut self.keys, inner, value),
            RowKind::Mark => restore::<StoreName, u64>(&mut self.marks, inner, value),
            RowKind::Override => restore::<StoreName, Override>(&mut self.overrides, inner, value),
            RowKind::Arrival => restore::<StoreName, u64>(&mut self.arrivals, inner, value),
            RowKind::Slot => restore::<(StoreName, LedgerId), u64>(&mut self.slots, inner, value),
            RowKind::Archived => {
                self.archived = parse_value(value.ok_or(BadRow)?)?;
                self.saved_archived = self.archived.version;
                Ok(())
            }
            RowKind::Entry => Ok(()),
            RowKind::Hold => self.put_hold(inner, value),
            RowKind::Head => {
                let row: HeadRow = parse_value(value.ok_or(BadRow)?)?;
                (self.head, self.fence, self.saved_fence) = (row.head, row.fence, row.fence);
                Ok(())
            }
        }
    }

    fn put_hold(&mut self, inner: &[u8], value: Option<&[u8]>) -> Result<(), BadRow> {
        let id = LedgerId::parse_bytes(inner).ok_or(BadRow)?;
        if let Some(old) = self.holds.get(&id) {
            self.expiries.remove(&(old.expires_at, id));
        }
        restore::<LedgerId, Hold>(&mut self.holds, inner, value)?;
        if let Some(hold) = self.holds.get(&id) {
            self.expiries.insert((hold.expires_at, id));
        }
        Ok(())
    }
}

impl LedgerId {
    /// Reads the inner key of a row.
    pub fn parse_bytes(bytes: &[u8]) -> Option<Self> {
        <Self as InnerKey>::parse(bytes)
    }
}

//! What operations and checkpoints do to memory, journal and disk.

use super::book::{Book, Record, Touched};
use super::clock::SteadyClock;
use super::disk::Disk;
use super::layer::Layer;
use super::{Durability, EmbeddedOptions, from_journal};
use crate::crash;
use crate::journal::Journal;
use crate::ledger::StoreName;
use crate::ledger::tenant::TenantState;
use crate::ledger::tenant::rows::Row;
use crate::store::{Now, StoreError};
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

/// Changed rows that wait while checkpoints fail. More: new requests are refused, settlements are still taken.
const WAITING_BYTES_MAX: usize = 256 << 20;

/// Room that is made sure of before an operation is decided: its rows but for a reply.
const RECORD_BYTES: usize = 96 << 10;

#[derive(Debug)]
pub(super) struct Shared {
    pub book: Mutex<Book>,
    pub journal: Journal,
    pub disk: Disk,
    pub clock: SteadyClock,
    pub options: EmbeddedOptions,
    /// One checkpoint at a time.
    pub checkpointing: Mutex<()>,
    pub wake: Condvar,
    pub _lock: File,
}

impl Shared {
    fn now(&self, now: Now) -> u64 {
        match now {
            Now::Store => self.clock.now(),
            Now::At(micros) => micros,
        }
    }

    /// Applies an operation, and returns when what it changed is in the journal.
    pub fn apply<T>(
        &self,
        tenant: &StoreName,
        now: Now,
        touched: &Touched<'_>,
        operation: impl FnOnce(&mut TenantState, u64) -> T,
    ) -> Result<(T, u64), StoreError> {
        let mut book = self.book.lock();
        if let Some(why) = &book.broken {
            return Err(StoreError::Journal(why.clone()));
        }
        if touched.is_new_work && book.waiting.bytes() > WAITING_BYTES_MAX {
            return Err(StoreError::OutOfMemory);
        }
        book.recall(&self.disk, tenant, touched)?;
        // Before anything is decided: a full disk must not leave memory ahead of the journal.
        self.journal.reserve(RECORD_BYTES + touched.reply_bytes).map_err(from_journal)?;
        let at = self.now(now);
        let state = book.tenants.entry(tenant.clone()).or_default();
        let answer = operation(state, at);
        let rows = state.take_rows(tenant);
        if rows.is_empty() {
            return Ok((answer, 0));
        }
        let through = self.record(&mut book, at, rows)?;
        if book.waiting.bytes() > self.options.checkpoint_bytes {
            self.wake.notify_one();
        }
        Ok((answer, through))
    }

    fn record(&self, book: &mut MutexGuard<'_, Book>, at: u64, rows: Vec<Row>) -> Result<u64, StoreError> {
        let record = Record { at, rows };
        let written = postcard::to_stdvec(&record)
            .map_err(|error| StoreError::Journal(error.to_string()))
            .and_then(|bytes| self.journal.append(&bytes).map_err(from_journal));
        let through = written.inspect_err(|error| {
            // Memory is ahead of what will be read after a start: nothing may be built on it.
            book.broken = Some(error.to_string());
        })?;
        record.rows.into_iter().for_each(|row| book.waiting.put(row));
        (book.waiting.through, book.waiting.at) = (through, book.waiting.at.max(at));
        Ok(through)
    }

    /// Waits as long as settlements are to wait.
    pub async fn acknowledge(&self, through: u64) -> Result<(), StoreError> {
        match self.options.durability {
            Durability::Synced if through > 0 => self.journal.durable(through).await.map_err(from_journal),
            Durability::Synced | Durability::Journal => Ok(()),
        }
    }

    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.checkpointing.lock();
        let layer = {
            let mut book = self.book.lock();
            if book.waiting.is_empty() {
                return Ok(());
            }
            let layer = Arc::new(std::mem::take(&mut book.waiting));
            book.waiting.at = layer.at;
            book.storing = Some(layer.clone());
            layer
        };
        crash::point("checkpoint.before");
        let stored = self.journal.sync().map_err(from_journal).and_then(|()| self.disk.store(&layer));
        crash::point("checkpoint.stored");
        let mut book = self.book.lock();
        book.storing = None;
        if let Err(error) = stored {
            let newer = std::mem::take(&mut book.waiting);
            book.waiting = layer_of(&layer, newer);
            return Err(error);
        }
        book.forget(layer.at);
        drop(book);
        self.journal.remove_through(layer.through).map_err(from_journal)?;
        crash::point("checkpoint.removed");
        Ok(())
    }

    pub fn run(&self) {
        loop {
            let mut book = self.book.lock();
            if !book.closed && book.waiting.bytes() <= self.options.checkpoint_bytes {
                self.wake.wait_for(&mut book, self.options.checkpoint_interval);
            }
            let closed = book.closed;
            drop(book);
            if let Err(error) = self.checkpoint() {
                tracing::error!(%error, "a checkpoint failed; the journal grows until one succeeds");
                let mut book = self.book.lock();
                if !book.closed {
                    self.wake.wait_for(&mut book, Duration::from_secs(1));
                }
            }
            if closed {
                if let Err(error) = self.journal.close() {
                    tracing::error!(%error, "the journal could not be closed");
                }
                return;
            }
        }
    }
}

/// An older layer with a newer one on top.
fn layer_of(older: &Layer, newer: Layer) -> Layer {
    let mut layer = Layer::default();
    for (key, value) in older.rows().chain(newer.rows()) {
        layer.put((key.to_vec(), value.map(<[u8]>::to_vec)));
    }
    layer.through = older.through.max(newer.through);
    layer.at = older.at.max(newer.at);
    layer
}

//! The access log: records go through a bounded queue to a thread of its own, so no request waits for a disk or a pipe.
//!
//! # Invariants
//! * One record is one line, whatever a client sends (`hostile_records_stay_one_line`).
//! * A full queue drops and counts, it never waits (`a_full_queue_drops_and_counts`).
//! * What was queued is written before [`AccessLog::close`] returns (`closing_writes_what_was_queued`), unless the output is
//!   stuck: then the process ends all the same (`a_stuck_output_does_not_hold_up_the_end`).

use super::access_record::AccessRecord;
use super::json_line::write_line;
use parking_lot::Mutex;
use prometheus::IntCounter;
use raptorgate_config::model::LogOutput;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

/// Records that wait for the writer; further ones are dropped and counted. Some 4 MiB at worst.
const QUEUED_RECORDS_MAX: usize = 8_192;
/// Bytes gathered before they are written, if there is more in the queue.
const BATCH_BYTES_MAX: usize = 64 * 1024;
/// How long records gather before they are written.
const GATHER: Duration = Duration::from_millis(2);
/// How long closing waits for what is queued; a pipe that nobody reads would hold up the end of the process for ever.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(3);

/// Where records are handed in.
pub struct AccessLog {
    queue: Mutex<Option<SyncSender<AccessRecord>>>,
    /// Nothing is ever sent: it is disconnected when the writer has ended.
    writer: Mutex<Option<Receiver<()>>>,
    dropped: IntCounter,
}

impl AccessLog {
    /// Opens the output and starts the writer.
    ///
    /// # Errors
    /// The file cannot be opened for appending, or no thread can be started.
    pub fn open(output: &LogOutput, dropped: IntCounter) -> io::Result<Self> {
        match output {
            LogOutput::Off => Ok(Self { queue: Mutex::default(), writer: Mutex::default(), dropped }),
            LogOutput::Stdout => Self::to(Box::new(io::stdout()), dropped),
            LogOutput::File(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path)?;
                Self::to(Box::new(file), dropped)
            }
        }
    }

    /// Starts a writer to this output.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn to(output: Box<dyn Write + Send>, dropped: IntCounter) -> io::Result<Self> {
        let (queue, records) = sync_channel(QUEUED_RECORDS_MAX);
        let (running, writer) = sync_channel(0);
        let lost = dropped.clone();
        thread::Builder::new().name("access-log".into()).spawn(move || {
            let _until_the_end: SyncSender<()> = running;
            write_all(&records, output, &lost);
        })?;
        Ok(Self { queue: Mutex::new(Some(queue)), writer: Mutex::new(Some(writer)), dropped })
    }

    /// Queues a record; never waits.
    pub fn write(&self, record: AccessRecord) {
        let sent = match &*self.queue.lock() {
            None => return,
            Some(queue) => queue.try_send(record),
        };
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.dropped.inc(),
        }
    }

    /// Waits until everything that was queued is written, at most [`CLOSE_WAIT_MAX`]; later records are not logged. Blocking.
    pub fn close(&self) {
        self.close_within(CLOSE_WAIT_MAX);
    }

    fn close_within(&self, wait_max: Duration) {
        drop(self.queue.lock().take());
        let writer = self.writer.lock().take();
        if let Some(writer) = writer
            && writer.recv_timeout(wait_max) == Err(RecvTimeoutError::Timeout)
        {
            tracing::warn!("the access log's output is stuck, its last records are lost");
        }
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.close();
    }
}

fn write_all(records: &Receiver<AccessRecord>, mut output: Box<dyn Write + Send>, lost: &IntCounter) {
    let mut batch = Vec::with_capacity(BATCH_BYTES_MAX);
    let mut failing = false;
    while let Ok(first) = records.recv() {
        // whoever sends meanwhile finds a writer that need not be woken: one system call less for each request
        thread::sleep(GATHER);
        let mut count = append(&mut batch, &first, lost);
        while batch.len() < BATCH_BYTES_MAX {
            match records.try_recv() {
                Ok(record) => count += append(&mut batch, &record, lost),
                Err(_) => break,
            }
        }
        let written = output.write_all(&batch).and_then(|()| output.flush());
        batch.clear();
        match written {
            Ok(()) => failing = false,
            Err(error) => {
                lost.inc_by(count);
                // once per outage: the metric counts on, a log line per batch would flood what may be the same disk
                if !failing {
                    tracing::error!(%error, "access log cannot be written");
                }
                failing = true;
            }
        }
    }
}

/// 1 if the record could be written as a line.
fn append(batch: &mut Vec<u8>, record: &AccessRecord, lost: &IntCounter) -> u64 {
    let before = batch.len();
    match write_line(batch, record) {
        Ok(()) => 1,
        Err(error) => {
            batch.truncate(before);
            lost.inc();
            tracing::error!(%error, "access record is not JSON");
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::access_record::LoggedPath;
    use crate::telemetry::access_record::tests::record;
    use std::sync::{Arc, mpsc};

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Says when it is written to, and waits there until the gate's other end is dropped.
    struct Gated {
        entered: mpsc::Sender<()>,
        gate: mpsc::Receiver<()>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.entered.send(());
            let _ = self.gate.recv();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn counter() -> IntCounter {
        IntCounter::new("dropped", "dropped").unwrap()
    }

    #[test]
    fn hostile_records_stay_one_line() {
        let memory = Memory::default();
        let log = AccessLog::to(Box::new(memory.clone()), counter()).unwrap();
        let mut hostile = record();
        hostile.path = LoggedPath::new("/a\r\n{\"status\":200}\u{1b}[2J\u{9b}31m\u{2028}\u{202e}");
        hostile.method = "GET\r\n".into();
        hostile.end_user = Some("\u{1b}]0;owned\u{7}".into());
        log.write(hostile);
        log.close();
        let text = String::from_utf8(memory.0.lock().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(!text.trim_end_matches('\n').chars().any(char::is_control), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["end_user"], "\u{1b}]0;owned\u{7}");
    }

    #[test]
    fn closing_writes_what_was_queued() {
        let memory = Memory::default();
        let dropped = counter();
        let log = AccessLog::to(Box::new(memory.clone()), dropped.clone()).unwrap();
        for _ in 0..1_000 {
            log.write(record());
        }
        log.close();
        log.write(record());
        assert_eq!(memory.0.lock().iter().filter(|b| **b == b'\n').count(), 1_000);
        assert_eq!(dropped.get(), 0);
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (entered, is_entered) = mpsc::channel();
        let (open, gate) = mpsc::channel();
        let dropped = counter();
        let log = AccessLog::to(Box::new(Gated { entered, gate }), dropped.clone()).unwrap();
        log.write(record());
        is_entered.recv().unwrap();
        for _ in 0..QUEUED_RECORDS_MAX + 3 {
            log.write(record());
        }
        assert_eq!(dropped.get(), 3);
        drop(open);
        log.close();
    }

    #[test]
    fn a_stuck_output_does_not_hold_up_the_end() {
        let (entered, is_entered) = mpsc::channel();
        let (_never_opened, gate) = mpsc::channel();
        let log = AccessLog::to(Box::new(Gated { entered, gate }), counter()).unwrap();
        log.write(record());
        is_entered.recv().unwrap();
        log.close_within(Duration::from_millis(1));
    }

    #[test]
    fn records_that_cannot_be_written_are_counted() {
        let dropped = counter();
        let log = AccessLog::to(Box::new(Full), dropped.clone()).unwrap();
        for _ in 0..5 {
            log.write(record());
        }
        log.close();
        assert_eq!(dropped.get(), 5);
    }
}

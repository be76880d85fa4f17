//! Names and forms of what stands in an archive.
//!
//! # Invariants
//! * A name tells tenant, first and last line, whatever the tenant's name is (`a_name_tells_what_is_in_the_file`).
//! * A seal is read only if it is, byte for byte, one that would be written (`a_seal_is_read_strictly`).

use crate::ledger::{Entry, Head, StoreName};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Digits of line numbers in names, so that names are in the order of lines. Larger numbers have more.
const DIGITS: usize = 12;

/// Some lines of one tenant, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The tenant.
    pub tenant: StoreName,
    /// Its first line.
    pub first: u64,
    /// Its last line.
    pub last: u64,
}

impl Segment {
    /// `acme-000000000001-000000050000.jsonl`.
    pub fn file_name(&self) -> String {
        format!("{}-{:0DIGITS$}-{:0DIGITS$}.jsonl", self.tenant, self.first, self.last)
    }

    /// The name of its seal.
    pub fn seal_name(&self) -> String {
        format!("{}.sha256", self.file_name())
    }

    /// Reads [`Segment::file_name`]; `None` if it is none.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".jsonl")?.rsplitn(3, '-');
        let (last, first, tenant) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |text: &str| text.parse::<u64>().ok();
        let segment = Self { tenant: StoreName::parse(tenant)?, first: number(first)?, last: number(last)? };
        (segment.first > 0 && segment.last >= segment.first && segment.file_name() == name).then_some(segment)
    }
}

/// What a file was when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// SHA-256 of the file, in hexadecimal digits.
    pub sha256: String,
    /// Hash of the line before its first.
    pub after: String,
    /// Hash of its last line.
    pub chain: String,
}

impl Seal {
    /// As it stands beside the file. `sha256sum -c` leaves out lines that begin with `#`.
    pub fn text(&self, segment: &Segment) -> String {
        format!(
            "# raptorgate ledger of {}, entries {} to {}\n# after {}\n# chain {}\n{}  {}\n",
            segment.tenant,
            segment.first,
            segment.last,
            self.after,
            self.chain,
            self.sha256,
            segment.file_name()
        )
    }

    /// Reads [`Seal::text`].
    pub fn parse(text: &str, segment: &Segment) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let mut behind = |start: &str| lines.next()?.strip_prefix(start).map(str::to_owned);
        let (after, chain, rest) = (behind("# after ")?, behind("# chain ")?, behind("")?);
        let seal = Self { sha256: rest.split(' ').next()?.to_owned(), after, chain };
        (seal.text(segment) == text).then_some(seal)
    }
}

/// A line of a file, and of `ledger export`: with its members in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    version: u64,
    hash: std::borrow::Cow<'a, str>,
    line: std::borrow::Cow<'a, str>,
}

/// A line of the ledger as a line of JSON.
pub fn line_of(entry: &Entry) -> String {
    let line = Line { version: entry.version, hash: entry.hash.as_str().into(), line: entry.body.as_str().into() };
    // plain data into memory: it cannot fail, and an empty line would be refused when it is read
    serde_json::to_string(&line).unwrap_or_default()
}

/// Reads [`line_of`].
pub fn parse_line(text: &str) -> Option<Entry> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    Some(Entry { version: line.version, body: line.line.into_owned(), hash: line.hash.into_owned() })
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What a file says of itself, once it was written or read.
pub(super) fn seal(sha256: String, from: &Head, head: &Head) -> Seal {
    Seal { sha256, after: from.hash.clone(), chain: head.hash.clone() }
}

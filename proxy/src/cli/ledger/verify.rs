//! `raptorgate ledger verify`: reads every line and tells the first that is not what was written.

use super::LedgerArgs;
use super::source::Remote;
use crate::cli::admin_client::AdminClient;
use crate::cli::{Failure, say};
use clap::Args;
use raptorgate_policies::archive::{Archive, Source};
use raptorgate_policies::ledger::{Head, StoreName};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    ledger: LedgerArgs,
    /// Read the files of this archive too: the whole ledger from its first line on
    #[arg(long, value_name = "FOLDER", conflicts_with = "after")]
    archive: Option<PathBuf>,
}

/// What the files of an archive say.
struct Archived {
    files: usize,
    /// Their last line.
    through: Head,
}

pub(super) fn run(arguments: &VerifyArgs) -> Result<(), Failure> {
    let ledger = &arguments.ledger;
    let client = AdminClient::new(&ledger.admin)?;
    let mut remote = Remote::new(&client, &ledger.tenant);
    let start = remote.page(ledger.after)?;
    let named = |error: String| format!("{}: {error}", ledger.tenant);
    let archived = match &arguments.archive {
        Some(folder) => Some(read_archive(folder, &ledger.tenant, &start.archived).map_err(named)?),
        None => None,
    };
    // Behind the archived lines the first hash is known; else the first line can only be believed.
    let mut head = (ledger.after <= start.archived.version).then_some(start.archived);
    let (mut lines, mut first) = (0_u64, 0);
    let end = remote.each(ledger.after, |entry| {
        lines += 1;
        head = Some(match head.take() {
            None => Head { version: entry.version, hash: entry.hash },
            Some(head) => head.follow(&entry).map_err(|broken| named(broken.to_string()))?,
        });
        if lines == 1 {
            first = entry.version;
        }
        goes_on(archived.as_ref(), head.as_ref()).map_err(named)?;
        Ok(())
    })?;
    let found = head.unwrap_or_default();
    // Lines may have come since the last page was read.
    if found.version > end.head.version || (found.version == end.head.version && found.hash != end.head.hash) {
        return Err(named("the ledger's head is not its last line".to_owned()).into());
    }
    if let Some(archived) = archived.as_ref().filter(|archived| archived.through.version > found.version) {
        let through = archived.through.version;
        let lost = format!("the files go up to {through}, the store only up to {}: it has lost entries", found.version);
        return Err(named(lost).into());
    }
    tell(ledger, archived.as_ref(), lines, first, &found)
}

/// Reads the files, which have to hold the line that the store goes on from.
fn read_archive(folder: &Path, tenant: &str, from: &Head) -> Result<Archived, String> {
    let archive = Archive::read(folder).map_err(|error| error.to_string())?;
    let mut there = Head::default();
    let (through, files) = archive
        .verify_all(&StoreName::of(&[tenant]), |head| {
            if head.version == from.version {
                there = head.clone();
            }
        })
        .map_err(|error| error.to_string())?;
    if through.version < from.version {
        return Err(archive.lacks(through.version + 1, from.version).to_string());
    }
    if there.hash != from.hash {
        return Err(format!("entry {} in the files is not the one that the store goes on from", from.version));
    }
    Ok(Archived { files, through })
}

/// A file may hold lines that the store has still: they are the same.
fn goes_on(archived: Option<&Archived>, head: Option<&Head>) -> Result<(), String> {
    let (Some(Archived { through, .. }), Some(head)) = (archived, head) else { return Ok(()) };
    if head.version == through.version && head.hash != through.hash {
        return Err(format!("entry {} in the store is not the one in the files", head.version));
    }
    Ok(())
}

fn tell(ledger: &LedgerArgs, archived: Option<&Archived>, lines: u64, first: u64, found: &Head) -> Result<(), Failure> {
    let tenant = &ledger.tenant;
    if ledger.json {
        let mut told =
            json!({"tenant": tenant, "lines": lines, "first": first, "last": found.version, "hash": found.hash});
        if let (Some(archived), Some(members)) = (archived, told.as_object_mut()) {
            members.insert("files".into(), archived.files.into());
            members.insert("archived".into(), archived.through.version.into());
        }
        return say(&told.to_string());
    }
    let before = match archived {
        Some(Archived { files, through }) => format!(", {files} files up to {}", through.version),
        None if first > 1 => format!(", those before {first} are archived"),
        None => String::new(),
    };
    say(&format!("{tenant}: ok, {lines} lines up to {}{before}, hash {}", found.version, found.hash))
}

//! `raptorgate ledger`.

use super::admin_client::{AdminArgs, AdminClient, segment};
use super::{Failure, say};
use clap::{Args, Subcommand};
use raptorgate_policies::journal;
use raptorgate_policies::ledger::{Entry, Head};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Lines asked for at once.
const PAGE: usize = 1_000;

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Read every line of a tenant's ledger and tell the first that is not what was written
    #[command(
        after_help = "Examples:\n  raptorgate ledger verify --tenant acme\n  raptorgate ledger verify --tenant acme --json"
    )]
    Verify(LedgerArgs),
    /// Print the lines of a tenant's ledger as JSON, one each
    #[command(after_help = "Example:\n  raptorgate ledger export --tenant acme > acme.jsonl")]
    Export(LedgerArgs),
    /// Cut a damaged journal of an embedded store before the damage; the gateway must not run
    #[command(after_help = "Example:\n  raptorgate ledger repair --store ./data")]
    Repair(RepairArgs),
}

#[derive(Args)]
pub(super) struct LedgerArgs {
    #[command(flatten)]
    admin: AdminArgs,
    /// The tenant
    #[arg(long, value_name = "NAME")]
    tenant: String,
    /// Begin behind this line
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct RepairArgs {
    /// Folder of the store (`store.embedded.path`)
    #[arg(long, value_name = "FOLDER")]
    store: PathBuf,
}

pub(super) fn ledger(command: &LedgerCommand) -> Result<(), Failure> {
    match command {
        LedgerCommand::Verify(arguments) => verify(arguments),
        LedgerCommand::Export(arguments) => each(arguments, |entry| {
            say(&json!({"version": entry.version, "hash": entry.hash, "line": entry.body}).to_string())
        })
        .map(drop),
        LedgerCommand::Repair(arguments) => repair(arguments),
    }
}

/// Gives every line to `with`; the head as the gateway has it at the end.
fn each(arguments: &LedgerArgs, mut with: impl FnMut(Entry) -> Result<(), Failure>) -> Result<Head, Failure> {
    let client = AdminClient::new(&arguments.admin)?;
    let mut after = arguments.after;
    loop {
        let path = format!("/api/v1/ledger/{}/entries?after={after}&limit={PAGE}", segment(&arguments.tenant));
        let page = client.get(&path)?;
        let entries = page.get("entries").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for entry in entries {
            let entry = read(entry).ok_or_else(|| "the gateway's answer cannot be read".to_owned())?;
            after = entry.version;
            with(entry)?;
        }
        if entries.is_empty() {
            let version = page.pointer("/head/version").and_then(Value::as_u64).unwrap_or(0);
            let hash = page.pointer("/head/hash").and_then(Value::as_str).unwrap_or_default();
            return Ok(Head { version, hash: hash.to_owned() });
        }
    }
}

fn read(entry: &Value) -> Option<Entry> {
    let text = |name| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Entry { version: entry.get("version")?.as_u64()?, body: text("line")?, hash: text("hash")? })
}

fn verify(arguments: &LedgerArgs) -> Result<(), Failure> {
    let mut head: Option<Head> = (arguments.after == 0).then(Head::default);
    let (mut lines, mut first) = (0_u64, 0);
    let end = each(arguments, |entry| {
        lines += 1;
        head = Some(match head.take() {
            // The line before is not there any more, so that this one is the first that can be believed.
            None => Head { version: entry.version, hash: entry.hash },
            Some(head) if lines == 1 && head.version == 0 && entry.version > 1 => {
                Head { version: entry.version, hash: entry.hash }
            }
            Some(head) => head.follow(&entry).map_err(|broken| format!("{}: {broken}", arguments.tenant))?,
        });
        if lines == 1 {
            first = entry.version;
        }
        Ok(())
    })?;
    let found = head.unwrap_or_default();
    // Lines may have come since the last page was read.
    if found.version > end.version || (found.version == end.version && found.hash != end.hash) {
        return Err(format!("{}: the ledger's head is not its last line", arguments.tenant).into());
    }
    let tenant = &arguments.tenant;
    if arguments.json {
        return say(
            &json!({"tenant": tenant, "lines": lines, "first": first, "last": found.version, "hash": found.hash})
                .to_string(),
        );
    }
    let archived = if first > 1 { format!(", those before {first} are archived") } else { String::new() };
    say(&format!("{tenant}: ok, {lines} lines up to {}{archived}, hash {}", found.version, found.hash))
}

fn repair(arguments: &RepairArgs) -> Result<(), Failure> {
    let folder = arguments.store.join("journal");
    let repaired = journal::repair(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    match repaired {
        None => say("nothing is damaged"),
        Some(cut) => {
            let kept = cut.kept.display();
            say(&format!(
                "cut {} at byte {}: records from {} on are gone; what was cut is kept in {kept}",
                cut.file.display(),
                cut.at,
                cut.sequence
            ))
        }
    }
}

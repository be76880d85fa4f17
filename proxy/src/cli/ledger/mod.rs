//! `raptorgate ledger`.

mod archive;
mod source;
mod verify;

use super::admin_client::{AdminArgs, AdminClient};
use super::{Failure, say};
use clap::{Args, Subcommand};
use raptorgate_policies::archive::line_of;
use raptorgate_policies::journal;
use source::Remote;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    /// Read every line of a tenant's ledger and tell the first that is not what was written
    #[command(
        after_help = "Examples:\n  raptorgate ledger verify --tenant acme\n  raptorgate ledger verify --tenant acme --json\n  raptorgate ledger verify --tenant acme --archive ./ledger-archive"
    )]
    Verify(verify::VerifyArgs),
    /// Print the lines of a tenant's ledger as JSON, one each
    #[command(after_help = "Example:\n  raptorgate ledger export --tenant acme > acme.jsonl")]
    Export(LedgerArgs),
    /// Move the oldest entries out of the store into sealed files, so that the store does not grow without end
    #[command(
        after_help = "Each file is written, made durable, read back and verified before its entries leave the store. Killed at any\nmoment, the same command again goes on where it was.\n\nExamples:\n  raptorgate ledger archive --to ./ledger-archive --keep 30d\n  raptorgate ledger archive --to ./ledger-archive --tenant acme --keep-entries 1000\n  cd ledger-archive && sha256sum -c *.sha256"
    )]
    Archive(archive::ArchiveArgs),
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
        LedgerCommand::Verify(arguments) => verify::run(arguments),
        LedgerCommand::Export(arguments) => {
            let client = AdminClient::new(&arguments.admin)?;
            let mut remote = Remote::new(&client, &arguments.tenant);
            remote.each(arguments.after, |entry| say(&line_of(&entry))).map(drop)
        }
        LedgerCommand::Archive(arguments) => archive::run(arguments),
        LedgerCommand::Repair(arguments) => repair(arguments),
    }
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

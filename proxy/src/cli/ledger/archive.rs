//! `raptorgate ledger archive`: moves the oldest entries out of the store into files.

use super::source::{Remote, spoken};
use crate::cli::admin_client::{AdminArgs, AdminClient};
use crate::cli::{Failure, say};
use clap::Args;
use raptorgate_policies::Timestamp;
use raptorgate_policies::archive::{Archive, Done, Keep, archive};
use raptorgate_policies::ledger::StoreName;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Args)]
pub(in crate::cli) struct ArchiveArgs {
    #[command(flatten)]
    admin: AdminArgs,
    /// Write files into this folder; it is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Only this tenant [default: all]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
    /// Leave the entries of the last so long in the store: 30d, 12h
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "keep_entries")]
    keep: Option<Duration>,
    /// Leave the last N entries in the store
    #[arg(long, value_name = "N")]
    keep_entries: Option<u64>,
    /// Print a line of JSON for each tenant
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    raptorgate_config::duration(text)
        .ok_or_else(|| "a whole number and a unit, up to a year: `30d`, `12h`, `90m`".to_owned())
}

impl ArchiveArgs {
    fn keep(&self, now: Timestamp) -> Keep {
        match (self.keep, self.keep_entries) {
            (Some(keep), _) => {
                let micros = u64::try_from(keep.as_micros()).unwrap_or(u64::MAX);
                Keep::Since(now.micros().saturating_sub(micros))
            }
            (None, Some(count)) => Keep::Entries(count),
            (None, None) => Keep::Nothing,
        }
    }
}

pub(super) fn run(arguments: &ArchiveArgs) -> Result<(), Failure> {
    let client = AdminClient::new(&arguments.admin)?;
    let folder = Archive::open(&arguments.to).map_err(|error| error.to_string())?;
    let keep = arguments.keep(Timestamp::now());
    if let Some(tenant) = &arguments.tenant {
        return one(&client, &folder, tenant, keep, arguments.json);
    }
    let mut all_well = true;
    for tenant in tenants(&client)? {
        let done = match spoken(&tenant) {
            Some(name) => one(&client, &folder, &name, keep, arguments.json),
            None => {
                Err(format!("{tenant}: a name that is too long is not kept whole\n  help: give it with --tenant")
                    .into())
            }
        };
        // What ails one tenant must not let the others grow.
        if let Err(failure) = done {
            let _ = writeln!(std::io::stderr(), "{}", failure.into_text());
            all_well = false;
        }
    }
    if all_well { Ok(()) } else { Err(Failure::Told) }
}

fn tenants(client: &AdminClient) -> Result<Vec<StoreName>, Failure> {
    let answer = client.get("/api/v1/ledger")?;
    let names = answer.get("tenants").and_then(Value::as_array);
    let parse = |name: &Value| StoreName::parse(name.as_str()?);
    let names = names.and_then(|names| names.iter().map(parse).collect());
    names.ok_or_else(|| "the gateway's answer cannot be read".to_owned().into())
}

fn one(client: &AdminClient, folder: &Archive, tenant: &str, keep: Keep, as_json: bool) -> Result<(), Failure> {
    let name = StoreName::of(&[tenant]);
    let done = archive(folder, &name, &mut Remote::new(client, tenant), keep);
    tell(tenant, &done.map_err(|error| format!("{tenant}: {error}"))?, as_json)
}

fn tell(tenant: &str, done: &Done, as_json: bool) -> Result<(), Failure> {
    let left = done.head.version.saturating_sub(done.archived.version);
    let files: Vec<String> = done.segments.iter().map(|segment| segment.file_name()).collect();
    if as_json {
        let Done { archived, .. } = done;
        let told = json!({
            "tenant": tenant, "files": files, "archived": archived.version, "hash": archived.hash, "left": left,
        });
        return say(&told.to_string());
    }
    for file in &files {
        say(&format!("{tenant}: {file}"))?;
    }
    let what = if files.is_empty() { "nothing to archive" } else { "ok" };
    say(&format!("{tenant}: {what}, archived up to {}, {left} lines left", done.archived.version))
}

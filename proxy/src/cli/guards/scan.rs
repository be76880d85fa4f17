//! `raptorgate scan`: JSON lines in, what the detectors see out.

use super::super::Failure;
use super::lines::each_line;
use clap::Subcommand;
use raptorgate_guards::pii::JsonLines;
use std::io::{BufWriter, Write};

/// What to look for.
#[derive(Subcommand)]
pub enum ScanCommand {
    /// Personal data and secrets: {"id","entities":[{"type","start","end"}]}, in Unicode code points
    #[command(
        after_help = "Reads lines {\"id\",\"text\"} from stdin and answers each, in order. A line that is none of these gets \
                      {\"id\":null,\"line\":N,\"error\":\"not_json\"}, and the exit code is 1.\n\nExample:\n  echo '{\"id\":1,\"text\":\"call +91 98765 43210\"}' | raptorgate scan pii"
    )]
    Pii,
}

/// Runs the command.
pub fn scan(command: &ScanCommand) -> Result<(), Failure> {
    match command {
        ScanCommand::Pii => {
            let mut detector = JsonLines::default();
            answer(|line| detector.answer(line))?;
            if detector.failed { Err(Failure::Told) } else { Ok(()) }
        }
    }
}

/// Answers the lines of stdin one by one.
fn answer(mut answer: impl FnMut(&str) -> Option<String>) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    each_line(std::io::stdin().lock(), |line| {
        // what cannot be read is no JSON either, and must be counted
        let said = answer(line.unwrap_or("?"));
        said.map_or(Ok(()), |said| writeln!(out, "{said}")).map_err(|error| format!("cannot write: {error}").into())
    })?;
    out.flush().map_err(|error| format!("cannot write: {error}").into())
}

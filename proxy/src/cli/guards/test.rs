//! `raptorgate guards test`: how good the detectors are on labelled lines.

use super::super::{Failure, say};
use super::lines::each_line;
use super::{injection, pii};
use clap::{Args, Subcommand};
use raptorgate_guards::injection::{Detector, Options};
use raptorgate_guards::labelled;
use raptorgate_guards::pii::{Action, Rules};
use serde::Deserialize;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// What to do with the guards.
#[derive(Subcommand)]
pub enum GuardsCommand {
    /// Precision, recall and F1 on a file of labelled lines: personal data, or prompt injections
    #[command(
        after_help = "Personal data: lines are {\"text\",\"entities\":[{\"type\",\"start\",\"end\"}]} in Unicode code points; `optional` spans are neither right \
                      nor wrong, and `scope` names the only types that are judged. Types are those of `raptorgate scan pii`.\n\
                      Prompt injections: lines are {\"text\",\"label\"}, 1 for an attack and 0 for a harmless text; `kind` groups them, and `role` \
                      `tool` or `document` judges them as such.\n\nExamples:\n  raptorgate guards test labelled.jsonl\n  raptorgate guards test labelled.jsonl --fail-under 0.95 --json\n  \
                      raptorgate guards test attacks.jsonl --threshold 70"
    )]
    Test(TestArgs),
}

/// Arguments of `guards test`.
#[derive(Args)]
pub struct TestArgs {
    /// Labelled lines
    file: PathBuf,
    /// Exit with 1 if F1 is below
    #[arg(long, value_name = "F1")]
    fail_under: Option<f64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Score in percent from which on a text counts as an attack
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
    threshold: u8,
}

/// A line of either set.
enum Line {
    Pii(labelled::pii::Line),
    Injection(labelled::injection::Line),
}

impl Line {
    fn read(line: &str) -> serde_json::Result<Self> {
        let value: Value = serde_json::from_str(line)?;
        match value.get("label") {
            Some(_) => labelled::injection::Line::deserialize(value).map(Self::Injection),
            None => labelled::pii::Line::deserialize(value).map(Self::Pii),
        }
    }
}

const EXPECTED: &str = "{\"text\",\"entities\":[{\"type\",\"start\",\"end\"}]} or {\"text\",\"label\"} is expected";

/// Runs the command.
pub fn guards(command: &GuardsCommand) -> Result<(), Failure> {
    let GuardsCommand::Test(arguments) = command;
    let name = arguments.file.display();
    let file = File::open(&arguments.file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let options = Options { threshold: f32::from(arguments.threshold) / 100.0 };
    let detector = Detector::new(&options).map_err(|error| error.to_string())?;
    let (rules, mut number) = (Rules::all(Action::Replace), 0_u64);
    let mut score = (labelled::pii::Score::default(), labelled::injection::Score::default());
    each_line(BufReader::new(file), |line| {
        number += 1;
        let line = line.ok_or_else(|| format!("{name}:{number}: longer than 16 MiB, or not UTF-8"))?;
        if line.trim().is_empty() {
            return Ok(());
        }
        match Line::read(line) {
            Ok(Line::Pii(line)) => score.0.add(&line, &rules),
            Ok(Line::Injection(line)) => score.1.add(&line, &detector),
            Err(error) => return Err(format!("{name}:{number}: {error}\nhelp: {EXPECTED}").into()),
        }
        Ok(())
    })?;
    let (pii, injection) = score;
    let f1 = match (pii.lines, injection.lines()) {
        (0, (0, 0)) => return Err(format!("{name} has no labelled line\nhelp: {EXPECTED}").into()),
        (_, (0, 0)) => {
            say(&if arguments.json { pii::as_json(&pii).to_string() } else { pii::table(&pii) })?;
            pii.total().overlap.f1()
        }
        (0, _) => {
            say(&if arguments.json {
                injection::as_json(&injection).to_string()
            } else {
                injection::table(&injection)
            })?;
            injection.counts.f1()
        }
        (_, _) => {
            return Err(format!(
                "{name} has lines of both kinds\nhelp: one file for personal data, one for injections"
            )
            .into());
        }
    };
    match arguments.fail_under {
        Some(least) if f1 < least => Err(Failure::Because(format!("F1 is {f1:.4}, below {least}"))),
        Some(_) | None => Ok(()),
    }
}

//! `raptorgate guards test`: how good the detectors are on labelled lines.

use super::super::{Failure, say};
use super::lines::each_line;
use clap::{Args, Subcommand};
use raptorgate_guards::labelled::pii::{Line, Score, type_names};
use raptorgate_guards::labelled::{Counts, ratio};
use raptorgate_guards::pii::{Action, Rules};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

/// What to do with the guards.
#[derive(Subcommand)]
pub enum GuardsCommand {
    /// Precision, recall, F1 and what leaked, on a file of labelled lines
    #[command(
        after_help = "Lines are {\"text\",\"entities\":[{\"type\",\"start\",\"end\"}]} in Unicode code points; `optional` spans are neither right nor \
                      wrong, and `scope` names the only types that are judged. Types are those of `raptorgate scan pii`.\n\nExamples:\n  raptorgate guards test labelled.jsonl\n  raptorgate guards test labelled.jsonl --fail-under 0.95 --json"
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
}

/// Runs the command.
pub fn guards(command: &GuardsCommand) -> Result<(), Failure> {
    let GuardsCommand::Test(arguments) = command;
    let name = arguments.file.display();
    let file = File::open(&arguments.file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let (mut score, rules, mut number) = (Score::default(), Rules::all(Action::Replace), 0_u64);
    each_line(BufReader::new(file), |line| {
        number += 1;
        let line = line.ok_or_else(|| format!("{name}:{number}: longer than 16 MiB, or not UTF-8"))?;
        if !line.trim().is_empty() {
            let line: Line = serde_json::from_str(line)
                .map_err(|error| format!("{name}:{number}: {error}\nhelp: {{\"text\",\"entities\":[{{\"type\",\"start\",\"end\"}}]}} is expected"))?;
            score.add(&line, &rules);
        }
        Ok(())
    })?;
    say(&if arguments.json { as_json(&score).to_string() } else { table(&score) })?;
    match arguments.fail_under {
        Some(least) if score.total().overlap.f1() < least => {
            Err(Failure::Because(format!("F1 is {:.4}, below {least}", score.total().overlap.f1())))
        }
        Some(_) | None => Ok(()),
    }
}

fn table(score: &Score) -> String {
    let total = score.total();
    let gold = |counts: Counts| counts.right + counts.missed;
    let mut text =
        format!("{:<20} {:>7} {:>7} {:>7} {:>7} {:>9} {:>7}\n", "type", "values", "P", "R", "F1", "exact F1", "leaked");
    let named = type_names().filter_map(|name| Some((name, score.types.get(name)?)));
    for (name, one) in named.chain([("all", &total)]) {
        // writing to a string cannot fail
        let _ = writeln!(
            text,
            "{name:<20} {:>7} {:>7.4} {:>7.4} {:>7.4} {:>9.4} {:>7}",
            gold(one.overlap),
            one.overlap.precision(),
            one.overlap.recall(),
            one.overlap.f1(),
            one.exact.f1(),
            one.leaked
        );
    }
    let _ = write!(
        text,
        "macro F1 {:.4}; leaked {:.4}; harmless lines hit: {} of {}",
        score.macro_f1(),
        ratio_or_zero(total.leaked, gold(total.overlap)),
        score.harmless_hit,
        score.harmless
    );
    text
}

fn ratio_or_zero(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { ratio(part, whole) }
}

fn as_json(score: &Score) -> Value {
    let counts =
        |counts: Counts| json!({"precision": counts.precision(), "recall": counts.recall(), "f1": counts.f1()});
    let total = score.total();
    let types: serde_json::Map<String, Value> = score
        .types
        .iter()
        .map(|(name, one)| {
            let value = json!({"values": one.overlap.right + one.overlap.missed, "overlap": counts(one.overlap),
                               "exact": counts(one.exact), "leaked": one.leaked});
            (name.clone(), value)
        })
        .collect();
    json!({
        "lines": score.lines, "overlap": counts(total.overlap), "exact": counts(total.exact), "macro_f1": score.macro_f1(),
        "leaked": ratio_or_zero(total.leaked, total.overlap.right + total.overlap.missed),
        "harmless": score.harmless, "harmless_hit": score.harmless_hit, "types": types,
    })
}

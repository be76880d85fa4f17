//! Finds personal data in JSON lines on standard input: `{"id","text"}` gives `{"id","entities":[…]}` in code points.

use raptorgate_guards::pii::JsonLines;
use std::io::{BufRead, Write};
use std::process::ExitCode;

fn main() -> std::io::Result<ExitCode> {
    let mut lines = JsonLines::default();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().split(b'\n') {
        if let Some(answer) = lines.answer(&String::from_utf8_lossy(&line?)) {
            writeln!(out, "{answer}")?;
        }
    }
    out.flush()?;
    Ok(if lines.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

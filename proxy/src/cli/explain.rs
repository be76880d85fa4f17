//! `raptorgate explain`.

use super::{ExplainArgs, Failure, say};
use raptorgate_config::{Explained, ValueSource};
use serde_json::{Value, json};

pub(super) fn explain(arguments: &ExplainArgs) -> Result<(), Failure> {
    let path = &arguments.config.path;
    let rows = raptorgate_config::explain(path, &arguments.route).map_err(|error| error.to_string())?;
    let file = path.display().to_string();
    if arguments.json {
        let keys: Vec<Value> = rows.iter().map(|row| to_json(row, &file)).collect();
        return say(&json!({"route": arguments.route, "keys": keys}).to_string());
    }
    say(&table(&rows, &file))
}

fn to_json(row: &Explained, file: &str) -> Value {
    let (from, line) = match row.from {
        ValueSource::Line(line) => ("file", Some(line)),
        ValueSource::Defaults(line) => ("defaults", Some(line)),
        ValueSource::Default => ("default", None),
    };
    let file = line.map(|_| file);
    json!({"key": row.key, "value": row.value, "from": from, "file": file, "line": line, "by": row.by})
}

/// One line for each key: key, value, where it comes from.
fn table(rows: &[Explained], file: &str) -> String {
    let width = |of: fn(&Explained) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    let (keys, values) = (width(|row| &row.key), width(|row| &row.value).min(VALUE_CHARS_ALIGNED));
    let line = |row: &Explained| format!("{:keys$}  {:values$}  {}", row.key, row.value, origin(row, file));
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Longer values push their own line's last column out, not everybody's.
const VALUE_CHARS_ALIGNED: usize = 40;

fn origin(row: &Explained, file: &str) -> String {
    let place = match row.from {
        ValueSource::Line(line) => format!("{file}:{line}"),
        ValueSource::Defaults(line) => format!("defaults {file}:{line}"),
        ValueSource::Default => "default".to_owned(),
    };
    row.by.as_ref().map_or_else(|| place.clone(), |by| format!("{place}, by {by}"))
}

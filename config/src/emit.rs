//! A small tree and its YAML text.
//!
//! # Invariants
//! * A text reads back as it was, whatever is in it (`any_text_reads_back`).

use std::fmt::Display;

/// A value to be written.
pub(crate) enum Yaml {
    /// Written with quotes where it needs them.
    Text(String),
    /// A number, `true`, or one of our own words: never quoted.
    Word(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

pub(crate) fn text(text: impl Into<String>) -> Yaml {
    Yaml::Text(text.into())
}

pub(crate) fn word(word: impl Display) -> Yaml {
    Yaml::Word(word.to_string())
}

pub(crate) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Yaml)>) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Mappings in lines of their own for so many levels; below, `{ }`.
const BLOCK_LEVELS: usize = 3;

pub(crate) fn emit(yaml: &Yaml) -> String {
    let mut out = String::new();
    block(yaml, 0, &mut out);
    out
}

fn block(yaml: &Yaml, level: usize, out: &mut String) {
    let indent = "  ".repeat(level);
    match yaml {
        Yaml::Map(entries) => {
            for (key, value) in entries {
                out.push_str(&format!("{indent}{}:", quoted(key)));
                nested(value, level, out);
            }
        }
        Yaml::List(items) => {
            for item in items {
                let mut lines = String::new();
                block(item, level + 1, &mut lines);
                // The first key of an item stands behind its dash.
                out.push_str(&format!("{indent}- {}", lines.trim_start()));
            }
        }
        Yaml::Text(_) | Yaml::Word(_) => out.push_str(&format!("{indent}{}\n", flow(yaml))),
    }
}

fn nested(value: &Yaml, level: usize, out: &mut String) {
    let in_lines = match value {
        Yaml::Map(entries) => !entries.is_empty() && level + 1 < BLOCK_LEVELS,
        Yaml::List(items) => level + 1 < BLOCK_LEVELS && items.iter().any(|item| matches!(item, Yaml::Map(_))),
        Yaml::Text(_) | Yaml::Word(_) => false,
    };
    if in_lines {
        out.push('\n');
        block(value, level + 1, out);
    } else {
        out.push_str(&format!(" {}\n", flow(value)));
    }
}

fn flow(yaml: &Yaml) -> String {
    match yaml {
        Yaml::Text(text) => quoted(text),
        Yaml::Word(word) => word.clone(),
        Yaml::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Yaml::Map(entries) if entries.is_empty() => "{}".to_owned(),
        Yaml::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// Plain where nothing could be read into it, else in double quotes.
fn quoted(text: &str) -> String {
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "/_.- ".contains(c)) && !text.ends_with(' ');
    let word = matches!(text, "true" | "false" | "null" | "off" | "on" | "yes" | "no");
    if first && plain && !word {
        return text.to_owned();
    }
    let escaped = text.chars().fold(String::new(), |out, c| match c {
        '"' | '\\' => out + "\\" + c.encode_utf8(&mut [0; 4]),
        c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
            out + &format!("\\U{:08X}", u32::from(c))
        }
        c => out + c.encode_utf8(&mut [0; 4]),
    });
    format!("\"{}\"", escaped.replace("${", "$${"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{self, Value};
    use proptest::prelude::*;

    /// The first text of a tree.
    fn first(node: &yaml::Node) -> String {
        match &node.value {
            Value::Scalar(scalar) => scalar.text.clone(),
            Value::Mapping(entries) => first(&entries[0].value),
            Value::Sequence(items) => first(&items[0]),
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back(any in any::<String>(), odd in "[-:#&*!|>'\"%@`{}\\[\\],?~ \\n\\\\$0-9a-z\u{85}\u{2028}\u{feff}]{0,12}") {
            for text in [any, odd] {
                let in_block = map([("a", super::text(text.as_str()))]);
                let in_flow = map([("a", map([("b", map([("c", Yaml::List(vec![super::text(text.as_str())]))]))]))]);
                for yaml in [in_block, in_flow] {
                    let written = emit(&yaml);
                    let Ok(document) = yaml::read(&written) else { panic!("{written:?}") };
                    prop_assert_eq!(first(&document.root).replace("$${", "${"), text.clone(), "{}", written);
                }
            }
        }
    }
}

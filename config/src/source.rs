//! The text of a file by lines, with its inline secrets masked: what problems quote from.
//!
//! # Invariants
//! * A quoted line shows no value of a secret-bearing key (`secrets_never_print`).

use crate::problem::{Finding, Position, Problem, Problems};

/// Keys whose value is a secret, or might be one that was put in the wrong place.
const SECRET_KEYS: [&str; 6] = ["key", "token", "sha256", "api_keys", "secret", "password"];

/// What a secret is replaced by.
pub(crate) const MASK: &str = "***";

/// True if the values of this key must not be shown, also if it is slightly misspelt.
pub(crate) fn is_secret_key(key: &str) -> bool {
    crate::problem::nearest(key, SECRET_KEYS).is_some()
}

/// From the first to the character behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: Position,
    pub end: Position,
}

/// A file's name and its lines.
pub(crate) struct Source<'t> {
    file: &'t str,
    lines: Vec<&'t str>,
    masked: Vec<Span>,
    masking: Masking,
}

/// How secrets are found in a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Masking {
    /// The file could not be parsed: everything behind a secret-bearing key.
    ByText,
    /// By the positions of secrets in the parsed file.
    ByPosition,
}

impl<'t> Source<'t> {
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, lines: lines(text), masked: Vec::new(), masking: Masking::ByText }
    }

    /// From now on secrets are where `spans` say.
    pub fn mask(&mut self, spans: Vec<Span>) {
        self.masked = spans;
        self.masking = Masking::ByPosition;
    }

    pub fn problems(&self, findings: Vec<Finding>) -> Problems {
        Problems::new(findings.into_iter().map(|finding| self.problem(finding)).collect())
    }

    pub fn problem(&self, finding: Finding) -> Problem {
        let line = finding.at.line.clamp(1, self.lines.len().max(1));
        let raw = self.lines.get(line - 1).copied().unwrap_or_default();
        let column = if line == finding.at.line { finding.at.column } else { usize::MAX };
        Problem {
            file: self.file.to_owned(),
            line,
            column: column.clamp(1, raw.chars().count() + 1),
            code: finding.code,
            message: printable(&finding.message),
            help: finding.help,
            line_text: printable(&self.masked_line(line, raw)),
        }
    }

    fn masked_line(&self, line: usize, raw: &str) -> String {
        match self.masking {
            Masking::ByText => mask_by_text(raw, self.lines.get(line.wrapping_sub(2)).copied().unwrap_or_default()),
            Masking::ByPosition => self.mask_by_position(line, raw),
        }
    }

    fn mask_by_position(&self, line: usize, raw: &str) -> String {
        let mut shown: Vec<char> = raw.chars().collect();
        for span in self.masked.iter().filter(|span| (span.start.line..=span.end.line).contains(&line)) {
            let first = if span.start.line == line { span.start.column - 1 } else { 0 };
            let behind = if span.end.line == line { span.end.column - 1 } else { shown.len() };
            // Same length as before, so that columns of other problems of the line stay right.
            shown.iter_mut().take(behind).skip(first).for_each(|c| *c = '*');
        }
        shown.into_iter().collect()
    }
}

/// Masks everything behind a secret-bearing key, and the whole line if the one before ends in such a key.
fn mask_by_text(raw: &str, before: &str) -> String {
    let key_of = |text: &str| text.trim_end().rsplit(|c: char| !is_key_char(c)).next().is_some_and(is_secret_key);
    if before.split(':').any(|part| key_of(part.trim_end_matches(['"', '\''])))
        && before.contains(':')
        && !raw.contains(':')
    {
        return MASK.to_owned();
    }
    let colon = raw
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| raw.get(..*at).is_some_and(|head| key_of(head.trim_end().trim_end_matches(['"', '\'']))));
    match colon.and_then(|at| raw.get(..=at)) {
        Some(head) => format!("{head} {MASK}"),
        None => raw.to_owned(),
    }
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// Lines as YAML counts them: `\n`, `\r\n` and `\r` end one.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let (line, tail) = rest.split_at(at);
        lines.push(line);
        rest = tail.strip_prefix("\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

/// Control characters could play tricks on a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if c.is_control() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_parsed_hides_all_behind_a_secret_key() {
        assert_eq!(mask_by_text(r#"admin: { token: "CANARY"#, ""), "admin: { token: ***");
        assert_eq!(mask_by_text(r#"  "CANARY"#, "  token:"), "***");
        assert_eq!(mask_by_text("  path: /a", "  token: x"), "  path: /a");
        assert_eq!(mask_by_text(r#"{"key": CANARY, [}"#, ""), r#"{"key": ***"#);
    }

    #[test]
    fn lines_are_counted_as_yaml_counts_them() {
        assert_eq!(lines("a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n"), ["a", ""]);
    }
}

//! The text of a file by lines, with its inline secrets masked: what problems quote from.
//!
//! # Invariants
//! * A quoted line shows no value of a secret-bearing key (`secrets_never_print`).

use crate::problem::{Finding, Position, Problem, Problems};

/// Keys whose value is a secret, or might be one that was put in the wrong place.
const SECRET_KEYS: [&str; 6] = ["key", "token", "sha256", "api_keys", "secret", "password"];

/// More problems than this are counted, not kept: nobody reads them.
const PROBLEMS_MAX: usize = 200;

/// Characters of an offending line that are shown around the position.
const LINE_CHARS_SHOWN_MAX: usize = 120;

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

    pub fn problems(&self, mut findings: Vec<Finding>) -> Problems {
        findings.sort_by(|a, b| (a.at, a.code, &a.message).cmp(&(b.at, b.code, &b.message)));
        // An alias repeats the problems of its anchor, word for word.
        findings.dedup_by(|a, b| (a.at, a.code, &a.message) == (b.at, b.code, &b.message));
        let not_kept = findings.len().saturating_sub(PROBLEMS_MAX);
        findings.truncate(PROBLEMS_MAX);
        Problems::new(findings.into_iter().map(|finding| self.problem(finding)).collect(), not_kept)
    }

    pub fn problem(&self, finding: Finding) -> Problem {
        let line = finding.at.line.clamp(1, self.lines.len().max(1));
        let raw = self.lines.get(line - 1).copied().unwrap_or_default();
        let chars = raw.chars().count();
        let column = if line == finding.at.line { finding.at.column.clamp(1, chars + 1) } else { chars + 1 };
        let skipped =
            if chars <= LINE_CHARS_SHOWN_MAX { 0 } else { (column - 1).saturating_sub(LINE_CHARS_SHOWN_MAX / 2) };
        let shown: String = self.masked_line(line, raw).chars().skip(skipped).take(LINE_CHARS_SHOWN_MAX).collect();
        Problem {
            file: self.file.to_owned(),
            line,
            column,
            code: finding.code,
            message: printable(&finding.message),
            help: finding.help.as_deref().map(printable),
            caret: (column - 1 - skipped).min(shown.chars().count()),
            line_text: printable(&shown),
        }
    }

    /// As long as the line, so that columns stay right.
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
            shown.iter_mut().take(behind).skip(first).for_each(|c| *c = '*');
        }
        shown.into_iter().collect()
    }
}

/// Masks everything behind a secret-bearing key, and the whole line if the one before ends in such a key.
fn mask_by_text(raw: &str, before: &str) -> String {
    let ends_in_secret_key = |text: &str| {
        let name = text.trim_end().trim_end_matches(['"', '\'']);
        name.rsplit(|c: char| !is_key_char(c)).next().is_some_and(is_secret_key)
    };
    let behind_key = |text: &str| {
        let mut colons = text.match_indices(':').map(|(at, _)| at);
        colons.find(|at| text.get(..*at).is_some_and(ends_in_secret_key)).map(|at| at + 1)
    };
    let continued = !raw.contains(':') && behind_key(before).is_some();
    let open = if continued { Some(0) } else { behind_key(raw) };
    let head: String = raw.get(..open.unwrap_or(raw.len())).unwrap_or_default().to_owned();
    let hidden = raw.chars().count() - head.chars().count();
    head + &"*".repeat(hidden)
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

/// Control characters could play tricks on a terminal, and a long text could hide the rest.
fn printable(text: &str) -> String {
    const CHARS_MAX: usize = 500;
    text.chars()
        .take(CHARS_MAX)
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
        assert_eq!(mask_by_text(r#"admin: { token: "CANARY"#, ""), "admin: { token:********");
        assert_eq!(mask_by_text(r#"  "CANARY"#, "  token:"), "*********");
        assert_eq!(mask_by_text("  path: /a", "  token: x"), "  path: /a");
        assert_eq!(mask_by_text(r#"{"key": CANARY, [}"#, ""), r#"{"key":***********"#);
    }

    #[test]
    fn lines_are_counted_as_yaml_counts_them() {
        assert_eq!(lines("a\r\nb\rc\nd"), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n"), ["a", ""]);
    }
}

//! `${NAME}`, `${NAME:-default}` and `${file:path}` in scalars, and which scalars must never be shown.
//!
//! # Invariants
//! * Values enter after parsing, never as text of the file: a value cannot add keys (`a_variable_cannot_add_keys`).
//! * What is not set is a problem at its scalar (`every_mistake_is_told_where_it_stands`).
//! * A secret file that everybody may read or write is refused (`a_secret_file_open_to_all_is_refused`).

use crate::problem::{Code, Finding, Position};
use crate::source::{Span, is_secret_key};
use crate::yaml::{Node, Scalar, State, Value};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Largest secret file; larger: refused.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Bits of a file's mode that a secret may not have: anything for others, writing for the group.
const MODE_REFUSED: u32 = 0o027;

/// Where values come from, and what came.
pub(crate) struct Outside<'a> {
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Relative paths start here.
    pub folder: &'a Path,
    /// Every value that came, in the order of the file.
    pub digest: Sha256,
    pub findings: Vec<Finding>,
}

/// Spans of all inline secrets below `root`.
pub(crate) fn secret_spans(root: &Node) -> Vec<Span> {
    let mut spans = Vec::new();
    collect_secrets(root, Holder::Open, &mut spans);
    spans
}

/// What the nearest key says about a scalar.
#[derive(Clone, Copy)]
enum Holder {
    Open,
    /// In `tls`, where `key` names a file.
    Files,
    Secret,
}

impl Holder {
    fn of(self, key: &str) -> Self {
        match self {
            Holder::Files => Holder::Files,
            Holder::Open | Holder::Secret if key == "tls" => Holder::Files,
            Holder::Open | Holder::Secret if is_secret_key(key) => Holder::Secret,
            Holder::Open | Holder::Secret => Holder::Open,
        }
    }
}

fn collect_secrets(node: &Node, holder: Holder, spans: &mut Vec<Span>) {
    match (&node.value, holder) {
        // A reference is no secret; what it refers to is never printed anyway.
        (Value::Scalar(scalar), Holder::Secret) if is_reference(&scalar.text) => {}
        (Value::Scalar(_), Holder::Secret) => spans.push(Span { start: node.at, end: node.end }),
        // A private key itself may have been put where its file's name belongs.
        (Value::Scalar(scalar), Holder::Files) if !scalar.text.contains("-----BEGIN") => {}
        (Value::Scalar(_), Holder::Files) => spans.push(Span { start: node.at, end: node.end }),
        (Value::Scalar(_), Holder::Open) => {}
        (Value::Sequence(items), _) => items.iter().for_each(|item| collect_secrets(item, holder, spans)),
        (Value::Mapping(entries), _) => {
            entries.iter().for_each(|entry| collect_secrets(&entry.value, holder.of(&entry.key), spans));
        }
    }
}

impl Outside<'_> {
    /// Resolves every scalar below `root` and marks the secret ones.
    pub fn resolve(&mut self, root: &mut Node, secrets: &[Span]) {
        let secrets: HashSet<Position> = secrets.iter().map(|span| span.start).collect();
        self.walk(root, &secrets);
    }

    fn walk(&mut self, node: &mut Node, secrets: &HashSet<Position>) {
        let at = node.at;
        match &mut node.value {
            Value::Scalar(scalar) => self.scalar(at, scalar, secrets.contains(&at)),
            Value::Sequence(items) => items.iter_mut().for_each(|item| self.walk(item, secrets)),
            Value::Mapping(entries) => entries.iter_mut().for_each(|entry| self.walk(&mut entry.value, secrets)),
        }
    }

    fn scalar(&mut self, at: Position, scalar: &mut Scalar, secret: bool) {
        scalar.secret |= secret;
        if !scalar.text.contains("${") {
            return;
        }
        scalar.secret = true;
        match self.expand(&scalar.text) {
            Ok(text) => {
                self.digest.update((text.len() as u64).to_le_bytes());
                self.digest.update(text.as_bytes());
                scalar.text = text;
                scalar.state = State::Interpolated;
            }
            Err(wrong) => {
                scalar.state = State::Broken;
                self.findings.push(Finding::new(at, wrong.code, wrong.message).help(wrong.help));
            }
        }
    }

    /// Replaces every `${…}`; `$${` stands for the two characters `${`.
    fn expand(&self, text: &str) -> Result<String, Wrong> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (head, tail) = rest.split_at(at);
            let inside = tail.get(2..).unwrap_or_default();
            if let Some(escaped) = head.strip_suffix('$') {
                out.push_str(escaped);
                out.push_str("${");
                rest = inside;
                continue;
            }
            out.push_str(head);
            let (reference, behind) = inside.split_once('}').ok_or_else(Wrong::not_closed)?;
            out.push_str(&self.lookup(reference)?);
            rest = behind;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn lookup(&self, reference: &str) -> Result<String, Wrong> {
        if let Some(path) = reference.strip_prefix("file:") {
            return read_secret(&self.folder.join(path), path);
        }
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if !is_variable_name(name) {
            return Err(Wrong::not_a_name());
        }
        let found = (self.env)(name);
        match (found, default) {
            (Some(value), None) => Ok(value),
            (Some(value), Some(_)) if !value.is_empty() => Ok(value),
            (_, Some(default)) => Ok(default.to_owned()),
            (None, None) => Err(Wrong::unset(name)),
        }
    }
}

/// Exactly one `${NAME}` or `${file:path}`, without a default that could be a secret.
fn is_reference(text: &str) -> bool {
    let inside = text.strip_prefix("${").and_then(|text| text.strip_suffix('}'));
    inside
        .is_some_and(|inside| is_variable_name(inside) || (inside.starts_with("file:") && !inside.contains(['$', '}'])))
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Why a reference cannot be resolved.
struct Wrong {
    code: Code,
    message: String,
    help: String,
}

impl Wrong {
    fn new(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }

    fn not_closed() -> Self {
        Self::new(Code::WrongValue, "`${` without `}`", "write `$${` for the two characters themselves")
    }

    fn not_a_name() -> Self {
        Self::new(Code::WrongValue, "`${…}` holds no variable name", "`${NAME}`, `${NAME:-default}` or `${file:path}`")
    }

    fn unset(name: &str) -> Self {
        Self::new(
            Code::UnsetVariable,
            format!("environment variable `{name}` is not set"),
            format!("set it, or give a default: `${{{name}:-…}}`"),
        )
    }

    fn unreadable(path: &str, why: &dyn std::fmt::Display) -> Self {
        Self::new(
            Code::UnreadableFile,
            format!("cannot read secret file `{path}`: {why}"),
            "relative paths start in the folder of the configuration file",
        )
    }
}

/// The text of a secret file, without the newline that editors put at its end.
fn read_secret(path: &Path, shown: &str) -> Result<String, Wrong> {
    let file = std::fs::File::open(path).map_err(|error| Wrong::unreadable(shown, &error))?;
    let metadata = file.metadata().map_err(|error| Wrong::unreadable(shown, &error))?;
    if !metadata.is_file() {
        return Err(Wrong::unreadable(shown, &"not a file"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & MODE_REFUSED != 0 {
        let message = format!("secret file `{shown}` has mode {mode:04o}: others than its owner and group may use it");
        return Err(Wrong::new(Code::InsecureFile, message, format!("chmod 0640 {shown}")));
    }
    let mut text = String::new();
    let read = file
        .take(SECRET_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|error| Wrong::unreadable(shown, &error))?;
    if read as u64 > SECRET_FILE_BYTES_MAX {
        return Err(Wrong::unreadable(shown, &"larger than 64 KiB"));
    }
    Ok(text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text)).to_owned())
}

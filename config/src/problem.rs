//! What is wrong with a configuration, where, and what to do about it.
//!
//! # Invariants
//! * A position lies inside the file (`mutated_files_never_panic_and_point_inside_the_file`).
//! * Nothing that was read from the environment or a secret file, and no inline secret, is ever printed
//!   (`secrets_never_print`).
//! * All problems are told at once, sorted by position (`all_problems_are_told_at_once`).

use std::fmt;
use std::path::PathBuf;

/// Line and column, both counted from 1; columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The first character of a file.
    pub(crate) const START: Position = Position { line: 1, column: 1 };
}

/// Stable name of a kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The file is not YAML, or uses a part of YAML that configurations do without.
    YamlSyntax,
    /// The file is larger, deeper or richer in aliases than any configuration.
    TooLarge,
    /// A key that does not exist here.
    UnknownKey,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// Text where a list is needed, and the like.
    WrongType,
    /// Right type, impossible value.
    WrongValue,
    /// A key that must be there is not.
    MissingKey,
    /// A name that must be unique is not.
    DuplicateName,
    /// A name that nothing bears.
    UnknownName,
    /// Two routes of which neither is more specific.
    AmbiguousRoute,
    /// `${NAME}` is not set.
    UnsetVariable,
    /// A file that is named cannot be read.
    UnreadableFile,
    /// Everybody may read or write a secret file.
    InsecureFile,
    /// A block needs another one.
    MissingBlock,
    /// Two settings contradict each other.
    Conflict,
    /// Two currencies meet, and there is no rate between them.
    CurrencyMismatch,
    /// Right, but it cannot change while the gateway runs.
    NeedsRestart,
}

impl Code {
    /// Every code, for the manual.
    pub const ALL: [Code; 17] = [
        Code::YamlSyntax,
        Code::TooLarge,
        Code::UnknownKey,
        Code::DuplicateKey,
        Code::WrongType,
        Code::WrongValue,
        Code::MissingKey,
        Code::DuplicateName,
        Code::UnknownName,
        Code::AmbiguousRoute,
        Code::UnsetVariable,
        Code::UnreadableFile,
        Code::InsecureFile,
        Code::MissingBlock,
        Code::Conflict,
        Code::CurrencyMismatch,
        Code::NeedsRestart,
    ];

    /// The name scripts may rely on.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::YamlSyntax => "yaml_syntax",
            Code::TooLarge => "too_large",
            Code::UnknownKey => "unknown_key",
            Code::DuplicateKey => "duplicate_key",
            Code::WrongType => "wrong_type",
            Code::WrongValue => "wrong_value",
            Code::MissingKey => "missing_key",
            Code::DuplicateName => "duplicate_name",
            Code::UnknownName => "unknown_name",
            Code::AmbiguousRoute => "ambiguous_route",
            Code::UnsetVariable => "unset_variable",
            Code::UnreadableFile => "unreadable_file",
            Code::InsecureFile => "insecure_file",
            Code::MissingBlock => "missing_block",
            Code::Conflict => "conflict",
            Code::CurrencyMismatch => "currency_mismatch",
            Code::NeedsRestart => "needs_restart",
        }
    }

    /// What it means, in one sentence, for the manual.
    pub const fn meaning(self) -> &'static str {
        match self {
            Code::YamlSyntax => {
                "The file is not YAML, holds several documents, tags or control characters, or is not UTF-8."
            }
            Code::TooLarge => {
                "The file is larger than 4 MiB, deeper than 64 levels, or has more than 100,000 nodes once aliases are followed."
            }
            Code::UnknownKey => "The key does not exist at this place.",
            Code::DuplicateKey => "The key stands twice in one mapping.",
            Code::WrongType => "The value is of another type, for example text where a list is needed.",
            Code::WrongValue => "The value has the right type but cannot be used.",
            Code::MissingKey => "A key that must be given is missing.",
            Code::DuplicateName => "Two things bear one name or one address.",
            Code::UnknownName => "Nothing in the file bears this name.",
            Code::AmbiguousRoute => "Two routes match the same requests and neither is more specific.",
            Code::UnsetVariable => "`${NAME}` is not set and has no default.",
            Code::UnreadableFile => "A file that is named cannot be read or does not hold what it should.",
            Code::InsecureFile => "Everybody may read or write the file of a secret; allowed is at most mode 0640.",
            Code::MissingBlock => "A block needs another block, or a key in it.",
            Code::Conflict => "Two settings contradict each other.",
            Code::CurrencyMismatch => "An amount is in another currency than the file's; there are no exchange rates.",
            Code::NeedsRestart => "The setting cannot change while the gateway runs; the running configuration stays.",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A problem before it is known which file it stands in.
pub(crate) struct Finding {
    pub at: Position,
    pub code: Code,
    pub message: String,
    pub help: Option<String>,
}

impl Finding {
    pub fn new(at: Position, code: Code, message: impl Into<String>) -> Self {
        Self { at, code, message: message.into(), help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// One problem of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the operator named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Kind of problem.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The offending line, or the part of a long one around the column; secrets in it are masked.
    pub line_text: String,
    /// Where the column is in `line_text`, from 0.
    pub(crate) caret: usize,
}

impl Problem {
    /// To be filled in.
    pub(crate) fn nowhere() -> Self {
        let Position { line, column } = Position::START;
        let empty = String::new;
        Self {
            file: empty(),
            line,
            column,
            code: Code::NeedsRestart,
            message: empty(),
            help: None,
            line_text: empty(),
            caret: 0,
        }
    }

    /// As an object of the admin API: `{file,line,column,code,message,help}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "code": self.code.as_str(),
            "message": self.message,
            "help": self.help,
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem { file, line, column, code, message, line_text, caret, .. } = self;
        write!(f, "{file}:{line}:{column}: error[{code}]: {message}")?;
        if !line_text.trim().is_empty() {
            write!(f, "\n  | {line_text}\n  | {:caret$}^", "")?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, sorted by position; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct Problems {
    list: Vec<Problem>,
    not_kept: usize,
    files: Vec<PathBuf>,
}

impl Problems {
    /// Problems by position, and how many more there are.
    pub(crate) fn new(list: Vec<Problem>, not_kept: usize) -> Self {
        Self { list, not_kept, files: Vec::new() }
    }

    /// The same problems, of a configuration that names these files.
    pub(crate) fn naming(self, files: Vec<PathBuf>) -> Self {
        Self { files, ..self }
    }

    /// Files of certificates and keys that the configuration names: one of them may be what has to be corrected.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The problems by position.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// How many there are.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.list.len() + self.not_kept
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for problem in &self.list {
            text.push_str(&problem.to_string());
            text.push_str("\n\n");
        }
        let count = self.len();
        let not_shown =
            if self.not_kept > 0 { format!(", of which {} are not shown", self.not_kept) } else { String::new() };
        text.push_str(&format!("{count} problem{}{not_shown}", if count == 1 { "" } else { "s" }));
        text
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The known name that is most like `name`, if one is near enough to be a slip of the finger.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NAME_CHARS_MAX: usize = 64; // longer: no slip of the finger
    const KNOWN_MAX: usize = 1_000; // more: the first ones
    let length = name.chars().take(NAME_CHARS_MAX + 1).count();
    if length > NAME_CHARS_MAX {
        return None;
    }
    let distance_max = (length / 3).clamp(1, 4);
    known
        .into_iter()
        .take(KNOWN_MAX)
        .map(|candidate| {
            (strsim::damerau_levenshtein(&name.to_ascii_lowercase(), &candidate.to_ascii_lowercase()), candidate)
        })
        .filter(|(distance, _)| *distance <= distance_max)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …`, or the list of what there is, or nothing.
pub(crate) fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    const LISTED_MAX: usize = 12;
    if let Some(near) = nearest(name, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed: Vec<String> = known.into_iter().take(LISTED_MAX + 1).map(|name| format!("`{name}`")).collect();
    match listed.len() {
        0 => None,
        1..=LISTED_MAX => Some(format!("known here: {}", listed.join(", "))),
        _ => Some(format!("known here: {}, …", listed.get(..LISTED_MAX).unwrap_or_default().join(", "))),
    }
}

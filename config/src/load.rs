//! Reading a configuration: file, text → nodes → values from outside → blocks → what they mean.
//!
//! # Invariants
//! * No configuration comes of a file with a problem (`a_wrong_value_never_becomes_the_default`).
//! * The hash changes with the file and with every value from outside (`the_hash_follows_values_from_outside`).

use crate::decode::{Context, Decode};
use crate::interpolate::{self, Outside};
use crate::model::Config;
use crate::problem::{Code, Finding, Position, Problem, Problems};
use crate::resolve;
use crate::schema::FileBlock;
use crate::source::Source;
use crate::yaml::{self, FILE_BYTES_MAX, Node, Value};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where a text came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file as the operator named it; stands in problems.
    pub file: String,
    /// The folder where relative paths start.
    pub folder: PathBuf,
}

impl Origin {
    /// The origin of a file.
    pub fn of(path: &Path) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Self { file: path.display().to_string(), folder: folder.to_owned() }
    }
}

/// A valid configuration and what it was read from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// First eight hexadecimal digits of the SHA-256 over the file, every value that came from outside, and the files of TLS.
    pub hash: String,
    files: Vec<PathBuf>,
    /// Where each block of the top level stands, for problems that show only beside the running configuration.
    places: Vec<(String, Problem)>,
}

impl Loaded {
    /// Files of certificates and keys that the configuration names: a change of one changes the configuration.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// A problem to be filled in, at a key of the top level; a key that is absent holds its default from the first line on.
    pub(crate) fn place(&self, key: &str) -> Problem {
        let written = self.places.iter().find(|(name, _)| name == key);
        let (_, problem) =
            written.or(self.places.first()).cloned().unwrap_or_else(|| (String::new(), Problem::nowhere()));
        problem
    }
}

/// Reads a file, with the environment of this process.
pub fn load(path: &Path) -> Result<Loaded, Problems> {
    load_located(path).map(|(loaded, _)| loaded)
}

/// The same, with the file's tree: values from outside in place and marked as secret.
pub(crate) fn load_located(path: &Path) -> Result<(Loaded, Node), Problems> {
    let origin = Origin::of(path);
    let bytes = read_file(path).map_err(|finding| Source::new(&origin.file, "").problems(vec![finding]))?;
    match String::from_utf8(bytes) {
        Ok(text) => parse_located(&text, &origin, &|name| std::env::var(name).ok()),
        Err(error) => {
            let text = String::from_utf8_lossy(error.as_bytes());
            let at = yaml::position_of(&text, error.utf8_error().valid_up_to());
            let finding = Finding::new(at, Code::YamlSyntax, "not UTF-8 from here on");
            Err(Source::new(&origin.file, &text).problems(vec![finding]))
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Finding> {
    let unreadable = |error: std::io::Error| {
        let help = "`raptorgate init` writes a first one; `-c FILE` names another";
        Finding::new(Position::START, Code::UnreadableFile, format!("cannot read the file: {error}")).help(help)
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX { Err(too_large()) } else { Ok(bytes) }
}

fn too_large() -> Finding {
    Finding::new(Position::START, Code::TooLarge, "the file is larger than 4 MiB")
}

/// Reads a text; `env` is asked for variables.
pub fn parse(text: &str, origin: &Origin, env: &dyn Fn(&str) -> Option<String>) -> Result<Loaded, Problems> {
    parse_located(text, origin, env).map(|(loaded, _)| loaded)
}

/// The same, with the file's tree.
pub(crate) fn parse_located(
    text: &str,
    origin: &Origin,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Loaded, Node), Problems> {
    let mut source = Source::new(&origin.file, text);
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(source.problems(vec![too_large()]));
    }
    let document = yaml::read(text).map_err(|finding| source.problems(vec![braces_need_quotes(finding, text)]))?;
    let mut root = document.root;
    let secrets = interpolate::secret_spans(&root);
    let mut outside =
        Outside { env, folder: &origin.folder, digest: Sha256::new_with_prefix(text), findings: document.findings };
    outside.resolve(&mut root, &secrets);
    source.mask(secrets);
    let mut cx = Context::new(outside.findings);
    let config = FileBlock::decode(&root, &mut cx).and_then(|file| resolve::resolve(&file, &origin.folder, &mut cx));
    let (files, contents) = cx.files.finish();
    match config {
        Some(config) => {
            contents.iter().for_each(|hash| outside.digest.update(hash));
            let places = places(&root, &source);
            Ok((Loaded { config, hash: short_hash(outside.digest), files, places }, root))
        }
        None => Err(source.problems(cx.findings).naming(files)),
    }
}

/// The slip that everybody makes once.
fn braces_need_quotes(finding: Finding, text: &str) -> Finding {
    let line = text.lines().nth(finding.at.line - 1).unwrap_or_default();
    let slipped = finding.help.is_none() && (line.contains("/{") || line.contains("${"));
    if slipped {
        finding.help("inside `{ }` and `[ ]`, text that holds a `{` needs quotes: `\"/users/{id}\"`, `\"${NAME}\"`")
    } else {
        finding
    }
}

fn short_hash(digest: Sha256) -> String {
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// A problem to be filled in for each key of the top level.
fn places(root: &Node, source: &Source<'_>) -> Vec<(String, Problem)> {
    let Value::Mapping(entries) = &root.value else { return Vec::new() };
    entries
        .iter()
        .map(|entry| (entry.key.clone(), source.problem(Finding::new(entry.at, Code::NeedsRestart, ""))))
        .collect()
}

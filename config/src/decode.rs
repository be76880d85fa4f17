//! From located nodes to typed blocks, telling every problem on the way.
//!
//! # Invariants
//! * A value that cannot be read is told, so that no configuration comes of it (`a_wrong_value_never_becomes_the_default`).
//! * One problem does not hide the next (`all_problems_are_told_at_once`).

use crate::problem::{Code, Finding, Position, suggest};
use crate::shape::{Field, Shape};
use crate::source::MASK;
use crate::yaml::{self, Entry, Node, Scalar, State, Style, Value};
use sha2::{Digest, Sha256};
use std::fmt::Display;
use std::path::PathBuf;

/// What is collected while a file is decoded.
#[derive(Default)]
pub(crate) struct Context {
    pub findings: Vec<Finding>,
    /// Files that the configuration names, beside itself and values from outside.
    pub files: Files,
    /// Values that are missing because they could not be read, told or told before.
    unread: usize,
}

/// Files that were read, or should have been, and what was in them.
#[derive(Default)]
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    contents: Sha256,
}

impl Files {
    /// Remembers a file and its content; empty if it cannot be read.
    pub fn add(&mut self, path: PathBuf, content: &[u8]) {
        self.contents.update(Sha256::digest(content));
        self.paths.push(path);
    }

    /// The files, and the hash of what was in them; `None` without any.
    pub fn finish(self) -> (Vec<PathBuf>, Option<[u8; 32]>) {
        let hash = (!self.paths.is_empty()).then(|| self.contents.finalize().into());
        (self.paths, hash)
    }
}

impl Context {
    pub fn new(findings: Vec<Finding>) -> Self {
        Self { findings, files: Files::default(), unread: 0 }
    }

    pub fn tell(&mut self, finding: Finding) {
        self.unread += 1;
        self.findings.push(finding);
    }
}

/// A type that a node can be read into.
pub(crate) trait Decode: Sized {
    /// `None`: a problem has been told.
    fn decode(node: &Node, cx: &mut Context) -> Option<Self>;

    /// What a file may hold here.
    fn shape() -> Shape;
}

/// A type that is written as one scalar.
pub(crate) trait FromText: Sized {
    /// With its article: `a duration`.
    const LABEL: &'static str;
    /// Numbers and booleans: quotes would make them text.
    const STYLE: TextStyle = TextStyle::Any;

    /// Reads the text.
    fn from_text(text: &str) -> Result<Self, Wrong>;

    /// JSON Schema of the scalar.
    fn schema() -> serde_json::Value;
}

/// Whether quotes matter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextStyle {
    Any,
    PlainOnly,
}

/// Why a text is no value of a type.
pub(crate) struct Wrong {
    /// Never holds any part of the text: it may be a secret.
    pub why: &'static str,
    pub help: Option<String>,
}

impl Wrong {
    pub fn because(why: &'static str) -> Self {
        Self { why, help: None }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl<T: FromText> Decode for T {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let scalar = scalar(node, T::LABEL, cx)?;
        if T::STYLE == TextStyle::PlainOnly && scalar.style == Style::Quoted && scalar.state == State::Literal {
            cx.tell(wrong_type(node, T::LABEL).help("remove the quotes"));
            return None;
        }
        T::from_text(&scalar.text).map_err(|wrong| cx.tell(wrong_value(node.at, scalar, T::LABEL, wrong))).ok()
    }

    fn shape() -> Shape {
        Shape::Scalar { label: T::LABEL, schema: T::schema() }
    }
}

/// The scalar of a node that must be one.
fn scalar<'n>(node: &'n Node, label: &str, cx: &mut Context) -> Option<&'n Scalar> {
    match &node.value {
        Value::Scalar(_) if is_broken(node, cx) => None,
        Value::Scalar(scalar) if !node.is_null() => Some(scalar),
        Value::Scalar(_) | Value::Mapping(_) | Value::Sequence(_) => {
            cx.tell(wrong_type(node, label));
            None
        }
    }
}

fn wrong_value(at: Position, scalar: &Scalar, label: &str, wrong: Wrong) -> Finding {
    let help = if scalar.secret { None } else { wrong.help };
    Finding::new(at, Code::WrongValue, format!("`{}` is not {label}: {}", shown(scalar), wrong.why)).maybe_help(help)
}

/// `expected a list, found text`.
pub(crate) fn wrong_type(node: &Node, expected: &str) -> Finding {
    let found = match &node.value {
        Value::Scalar(_) if node.is_null() => "nothing".to_owned(),
        Value::Scalar(scalar) => format!("`{}`", shown(scalar)),
        Value::Mapping(_) => "a mapping".to_owned(),
        Value::Sequence(_) => "a list".to_owned(),
    };
    Finding::new(node.at, Code::WrongType, format!("expected {expected}, found {found}"))
}

/// A scalar that could not be resolved has been told; what is missing without it is no second problem.
pub(crate) fn is_broken(node: &Node, cx: &mut Context) -> bool {
    let broken = matches!(&node.value, Value::Scalar(scalar) if scalar.state == State::Broken);
    cx.unread += usize::from(broken);
    broken
}

fn shown(scalar: &Scalar) -> String {
    const CHARS_MAX: usize = 60;
    if scalar.secret {
        return MASK.to_owned();
    }
    let cut: String = scalar.text.chars().take(CHARS_MAX).collect();
    if cut.len() < scalar.text.len() { format!("{cut}…") } else { cut }
}

/// A value and where it stands, for problems that show only later.
#[derive(Clone)]
pub(crate) struct At<T> {
    pub value: T,
    pub at: Position,
    secret: bool,
}

impl<T: Display> At<T> {
    /// The value for a message.
    pub fn shown(&self) -> String {
        if self.secret { MASK.to_owned() } else { self.value.to_string() }
    }
}

impl<T: Decode> Decode for At<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let secret = matches!(&node.value, Value::Scalar(scalar) if scalar.secret);
        T::decode(node, cx).map(|value| At { value, at: node.at, secret })
    }

    fn shape() -> Shape {
        T::shape()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let Value::Sequence(items) = &node.value else {
            if !is_broken(node, cx) {
                cx.tell(wrong_type(node, "a list").help("write `[…]`, or each item on its own line behind `- `"));
            }
            return None;
        };
        // What cannot be read has been told; the rest is still checked.
        Some(items.iter().filter_map(|item| T::decode(item, cx)).collect())
    }

    fn shape() -> Shape {
        Shape::List { item: Box::new(T::shape()), least: 0 }
    }
}

/// A list with at least one item.
pub(crate) struct Some1<T>(pub Vec<T>);

impl<T: Decode> Decode for Some1<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let items = Vec::<T>::decode(node, cx)?;
        if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
            cx.tell(Finding::new(node.at, Code::WrongValue, "the list is empty"));
            return None;
        }
        Some(Self(items))
    }

    fn shape() -> Shape {
        Shape::List { item: Box::new(T::shape()), least: 1 }
    }
}

/// A mapping whose keys are names that the operator chooses, in the order of the file.
///
/// An entry whose value cannot be read keeps its name, so that what refers to it is no second problem.
pub(crate) struct Map<K, V>(pub Vec<(At<K>, Option<V>)>);

impl<K, V> Map<K, V> {
    /// Entries that could be read.
    pub fn entries(&self) -> impl Iterator<Item = (&At<K>, &V)> {
        self.0.iter().filter_map(|(key, value)| value.as_ref().map(|value| (key, value)))
    }
}

impl<K: FromText, V: Decode> Decode for Map<K, V> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        let Value::Mapping(entries) = &node.value else {
            if !is_broken(node, cx) {
                cx.tell(wrong_type(node, "a mapping").help("each entry is `name: value`"));
            }
            return None;
        };
        Some(Self(entries.iter().filter_map(|entry| decode_entry(entry, cx)).collect()))
    }

    fn shape() -> Shape {
        Shape::Map { key: K::LABEL, item: Box::new(V::shape()) }
    }
}

fn decode_entry<K: FromText, V: Decode>(entry: &Entry, cx: &mut Context) -> Option<(At<K>, Option<V>)> {
    let key = K::from_text(&entry.key)
        .map_err(|wrong| {
            let message = format!("`{}` is not {}: {}", entry.key, K::LABEL, wrong.why);
            cx.tell(Finding::new(entry.at, Code::WrongValue, message).maybe_help(wrong.help));
        })
        .ok();
    let value = V::decode(&entry.value, cx);
    Some((At { value: key?, at: entry.at, secret: false }, value))
}

/// A block, or the word `off`.
pub(crate) enum OrOff<T> {
    Off,
    On(T),
}

impl<T: Decode> Decode for OrOff<T> {
    fn decode(node: &Node, cx: &mut Context) -> Option<Self> {
        match &node.value {
            Value::Scalar(_) if is_broken(node, cx) => None,
            Value::Scalar(scalar) if scalar.text == "off" => Some(Self::Off),
            Value::Scalar(_) => {
                let help = "`{}` takes every default, `off` removes an inherited block";
                cx.tell(wrong_type(node, "a mapping or `off`").help(help));
                None
            }
            Value::Mapping(_) | Value::Sequence(_) => T::decode(node, cx).map(Self::On),
        }
    }

    fn shape() -> Shape {
        Shape::Either(vec![Shape::Word("off"), T::shape()])
    }
}

/// A mapping with known keys; made by the `block!` macro.
pub(crate) trait Block: Sized {
    fn doc() -> String;
    fn fields() -> Vec<Field>;
    fn keys() -> Vec<&'static str>;
    fn read(reader: &mut Reader<'_, '_>) -> Option<Self>;
}

/// The keys of one mapping, while they are read into a block.
pub(crate) struct Reader<'n, 'c> {
    at: Position,
    entries: &'n [Entry],
    cx: &'c mut Context,
    unread_before: usize,
}

impl<'n> Reader<'n, '_> {
    /// No problem has been told about this block.
    pub fn sound(&self) -> bool {
        self.cx.unread == self.unread_before
    }

    pub fn at(&self) -> Position {
        self.at
    }

    pub fn required<T: Decode>(&mut self, key: &str) -> Option<T> {
        match self.entry(key) {
            Some(entry) => T::decode(&entry.value, self.cx),
            None => {
                self.cx.tell(Finding::new(self.at, Code::MissingKey, format!("key `{key}` is missing here")));
                None
            }
        }
    }

    /// The outer `Option` is what `required` and `default` have too, for the macro's sake.
    pub fn optional<T: Decode>(&mut self, key: &str) -> Option<Option<T>> {
        Some(self.entry(key).and_then(|entry| T::decode(&entry.value, self.cx)))
    }

    /// The default is written as a file would write it, so that the manual can quote it.
    pub fn default<T: Decode>(&mut self, key: &str, default: &str) -> Option<T> {
        if let Some(value) = self.entry(key).and_then(|entry| T::decode(&entry.value, self.cx)) {
            return Some(value);
        }
        // Also after a problem: it has been told, and the rest of the block is still checked.
        let mut node = yaml::read(default).map_err(|finding| self.cx.tell(finding)).ok()?.root;
        node.at = self.at;
        T::decode(&node, self.cx)
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads a block: every key, then the keys that should not be there.
pub(crate) fn decode_block<B: Block>(node: &Node, cx: &mut Context) -> Option<B> {
    let Value::Mapping(entries) = &node.value else {
        if !is_broken(node, cx) {
            cx.tell(wrong_type(node, "a mapping").help("`{}` takes every default"));
        }
        return None;
    };
    let unread_before = cx.unread;
    let keys = B::keys();
    let known = keys.iter().copied();
    for entry in entries.iter().filter(|entry| !known.clone().any(|key| key == entry.key)) {
        let message = format!("unknown key `{}`", entry.key);
        cx.tell(Finding::new(entry.at, Code::UnknownKey, message).maybe_help(suggest(&entry.key, known.clone())));
    }
    B::read(&mut Reader { at: node.at, entries, cx, unread_before })
}

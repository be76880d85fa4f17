//! YAML as a tree of located nodes, bounded in size, depth and aliases.
//!
//! # Invariants
//! * No input makes the tree larger than `NODES_MAX` nodes or deeper than `DEPTH_MAX` (`a_billion_laughs_file_is_refused_at_once`).
//! * A key stands once in a mapping; all that stand twice are told (`keys_that_stand_twice_are_all_told`).
//! * One file is one document, without tags (`only_plain_yaml_is_read`).

use crate::problem::{Code, Finding, Position};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as YamlSpan};
use std::collections::HashMap;

/// Largest file; larger: refused unread.
pub(crate) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Deepest nesting, aliases followed.
pub(crate) const DEPTH_MAX: usize = 64;
/// Most nodes, aliases followed and anchors counted twice.
pub(crate) const NODES_MAX: usize = 100_000;

/// A scalar, mapping or sequence, and where it stands.
#[derive(Clone)]
pub(crate) struct Node {
    pub at: Position,
    pub end: Position,
    pub value: Value,
}

#[derive(Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    Mapping(Vec<Entry>),
    Sequence(Vec<Node>),
}

#[derive(Clone)]
pub(crate) struct Scalar {
    pub text: String,
    pub style: Style,
    pub state: State,
    /// Must not be shown: an inline secret, or read from outside the file.
    pub secret: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
}

/// How a scalar's text came about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// As it stands in the file.
    Literal,
    /// From the environment or a file; quotes around it say nothing about its type.
    Interpolated,
    /// It could not be resolved, which has been told.
    Broken,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub key: String,
    pub at: Position,
    pub value: Node,
}

impl Node {
    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar(_) => 0,
            Value::Mapping(entries) => entries.iter().map(|entry| 1 + entry.value.size()).sum(),
            Value::Sequence(items) => items.iter().map(Node::size).sum(),
        }
    }

    fn height(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 0,
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| entry.value.height()).max().unwrap_or(0),
            Value::Sequence(items) => 1 + items.iter().map(Node::height).max().unwrap_or(0),
        }
    }

    /// Nothing: `~`, `null` or no text at all.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar(scalar) => {
                scalar.style == Style::Plain
                    && scalar.state == State::Literal
                    && matches!(scalar.text.as_str(), "" | "~" | "null")
            }
            Value::Mapping(_) | Value::Sequence(_) => false,
        }
    }
}

/// What a file held: a tree, and problems that did not keep it from being built.
pub(crate) struct Document {
    pub root: Node,
    pub findings: Vec<Finding>,
}

/// Reads one document. An error ends the reading; duplicate keys do not.
pub(crate) fn read(text: &str) -> Result<Document, Finding> {
    refuse_control_characters(text)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| syntax(position(error.marker()), error.info()))?;
        builder.take(event, span)?;
    }
    let root = builder.root.unwrap_or_else(|| Node {
        at: Position::START,
        end: Position::START,
        value: Value::Scalar(Scalar { text: String::new(), style: Style::Plain, state: State::Literal, secret: false }),
    });
    Ok(Document { root, findings: builder.findings })
}

/// A NUL ends the text for the scanner, and a file cut short could still be valid.
fn refuse_control_characters(text: &str) -> Result<(), Finding> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    let Some((offset, found)) = text.char_indices().find(|(_, c)| !allowed(*c)) else { return Ok(()) };
    let at = position_of(text, offset);
    Err(syntax(at, &format!("control character U+{:04X}", u32::from(found))))
}

/// Line and column of a byte.
pub(crate) fn position_of(text: &str, offset: usize) -> Position {
    let head = text.get(..offset).unwrap_or(text);
    let line = head.matches('\n').count() + 1;
    let column = head.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Position { line, column }
}

fn syntax(at: Position, what: &str) -> Finding {
    Finding::new(at, Code::YamlSyntax, format!("not YAML that a configuration may hold: {what}"))
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

/// Builds the tree from events, without recursion.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
    documents: usize,
    findings: Vec<Finding>,
}

/// A mapping or sequence whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    Mapping { entries: Vec<Entry>, seen: HashMap<String, Position>, key: Option<(String, Position)> },
    Sequence(Vec<Node>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: YamlSpan) -> Result<(), Finding> {
        let at = position(&span.start);
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => self.start_document(at),
            Event::Scalar(text, style, anchor, tag) => {
                refuse_tag(at, tag.is_some())?;
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let scalar = Scalar { text: text.into_owned(), style, state: State::Literal, secret: false };
                self.finish(Node { at, end: position(&span.end), value: Value::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(at, tag.is_some())?;
                self.start(Open { at, anchor, content: Content::Sequence(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(at, tag.is_some())?;
                let content = Content::Mapping { entries: Vec::new(), seen: HashMap::new(), key: None };
                self.start(Open { at, anchor, content })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(position(&span.end)),
            Event::Alias(anchor) => self.alias(at, anchor),
        }
    }

    fn start_document(&mut self, at: Position) -> Result<(), Finding> {
        self.documents += 1;
        match self.documents {
            1 => Ok(()),
            _ => {
                Err(syntax(at, "a second document").help("a configuration is one document; remove what follows `---`"))
            }
        }
    }

    fn start(&mut self, open: Open) -> Result<(), Finding> {
        if self.open.len() >= DEPTH_MAX {
            return Err(too_deep(open.at));
        }
        if let Some(Open { content: Content::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err(syntax(open.at, "a key that is a mapping or a list")
                .help("text that starts with `{` or `[` needs quotes"));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, end: Position) -> Result<(), Finding> {
        let Some(Open { at, anchor, content }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::Mapping { entries, .. } => Value::Mapping(entries),
            Content::Sequence(items) => Value::Sequence(items),
        };
        self.finish(Node { at, end, value }, anchor)
    }

    fn alias(&mut self, at: Position, anchor: usize) -> Result<(), Finding> {
        let Some(node) = self.anchors.get(&anchor) else { return Err(syntax(at, "an alias inside its own anchor")) };
        if self.open.len() + node.height() > DEPTH_MAX {
            return Err(too_deep(at));
        }
        self.nodes += node.size();
        if self.nodes > NODES_MAX {
            return Err(too_many(at));
        }
        let node = node.clone();
        self.place(node)
    }

    /// A node is complete: counts it, remembers it under its anchor (0 is none) and puts it where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Finding> {
        self.nodes += if anchor == 0 { 1 } else { 1 + node.size() };
        if self.nodes > NODES_MAX {
            return Err(too_many(node.at));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        self.place(node)
    }

    fn place(&mut self, node: Node) -> Result<(), Finding> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { key: slot @ None, .. } => {
                let Value::Scalar(scalar) = node.value else {
                    return Err(syntax(node.at, "a key that is a mapping or a list"));
                };
                *slot = Some((scalar.text, node.at));
            }
            Content::Mapping { entries, seen, key } => {
                if let Some((key, at)) = key.take() {
                    match seen.get(&key) {
                        Some(first) => self.findings.push(duplicate(&key, at, *first)),
                        None => {
                            seen.insert(key.clone(), at);
                            entries.push(Entry { key, at, value: node });
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn refuse_tag(at: Position, tagged: bool) -> Result<(), Finding> {
    if tagged {
        Err(syntax(at, "a tag").help("remove the tag; text that starts with `!` needs quotes"))
    } else {
        Ok(())
    }
}

fn too_deep(at: Position) -> Finding {
    Finding::new(at, Code::TooLarge, format!("nested deeper than {DEPTH_MAX} levels"))
}

fn too_many(at: Position) -> Finding {
    Finding::new(at, Code::TooLarge, format!("more than {NODES_MAX} nodes, aliases followed"))
}

fn duplicate(key: &str, at: Position, first: Position) -> Finding {
    Finding::new(at, Code::DuplicateKey, format!("key `{key}` stands twice in this mapping"))
        .help(format!("the first one is in line {}", first.line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text) {
            Ok(document) => {
                document.findings.iter().map(|f| format!("{}:{} {} ", f.at.line, f.at.column, f.code)).collect()
            }
            Err(finding) => format!("{}:{} {}!", finding.at.line, finding.at.column, finding.code),
        }
    }

    #[test]
    fn keys_that_stand_twice_are_all_told() {
        assert_eq!(
            told("a: 1\nb: { c: 1, c: 2 }\na: 3\n\"a\": 4\n"),
            "2:12 duplicate_key 3:1 duplicate_key 4:1 duplicate_key "
        );
    }

    #[test]
    fn only_plain_yaml_is_read() {
        assert_eq!(told("a: !!int 1"), "1:4 yaml_syntax!");
        assert_eq!(told("a: 1\n---\na: 2"), "2:1 yaml_syntax!");
        assert_eq!(told("a: 1\n\0b: 2"), "2:1 yaml_syntax!");
        assert_eq!(told("[a]: 1"), "1:1 yaml_syntax!");
        assert_eq!(told("\u{feff}a: 1"), "", "a byte order mark is none of the operator's business");
        assert_eq!(told("---\na: 1\n...\n"), "");
        assert_eq!(told(""), "");
    }

    #[test]
    fn positions_count_characters() {
        assert_eq!(told("é: क # 🦖\nस: { b: 1, b: 2 }"), "2:12 duplicate_key ");
        assert_eq!(told("a: 1\r\nb: 2\r\na: 3"), "3:1 duplicate_key ");
    }

    #[test]
    fn an_alias_counts_as_what_it_stands_for() {
        let Ok(document) = read("a: &x { b: [1, 2] }\nc: *x") else { panic!("not read") };
        assert_eq!(document.root.size(), 13);
        assert_eq!(document.root.height(), 3);
    }
}

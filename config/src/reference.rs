//! The reference manual of the file: derived from the same table as the decoder.
//!
//! # Invariants
//! * docs/configuration.md is this text (`the_manual_is_up_to_date`).

use crate::decode::Decode;
use crate::problem::Code;
use crate::schema::FileBlock;
use crate::shape::{Field, Presence, Shape};
use std::fmt::Write;

const HEAD: &str = include_str!("reference_head.md");

/// The manual as Markdown.
pub fn reference_markdown() -> String {
    let mut sections = Vec::new();
    collect(&FileBlock::shape(), "", &mut sections);
    let mut text = HEAD.to_owned();
    for section in &sections {
        write_section(section, &sections, &mut text);
    }
    text.push_str("\n## Codes of problems\n\n| code | meaning |\n|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(text, "| `{code}` | {} |", code.meaning());
    }
    text
}

/// One block, and everywhere it may stand.
struct Section {
    block: &'static str,
    paths: Vec<String>,
    doc: String,
    rows: Vec<Row>,
}

struct Row {
    key: &'static str,
    value: Vec<Piece>,
    default: String,
    doc: String,
}

/// A piece of a cell: text, or a link to a block.
enum Piece {
    Text(String),
    Link(&'static str),
}

impl Section {
    /// What holds in `defaults` holds in routes, and is better looked up there.
    fn title(&self) -> &str {
        let own = self.paths.iter().find(|path| !path.starts_with("defaults."));
        own.or(self.paths.first()).map_or("", String::as_str)
    }
}

/// Collects blocks in the order of the file; a block that stands in several places is told once.
fn collect(shape: &Shape, path: &str, sections: &mut Vec<Section>) {
    match shape {
        Shape::Scalar { .. } | Shape::Word(_) | Shape::Words(_) => {}
        Shape::List { item, .. } => collect(item, &format!("{path}[]"), sections),
        Shape::Map { item, .. } => collect(item, &format!("{path}.<name>"), sections),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| collect(shape, path, sections)),
        Shape::Block { name, doc, fields } => {
            match sections.iter_mut().find(|section| section.block == *name) {
                Some(section) => section.paths.push(path.to_owned()),
                None => sections.push(Section {
                    block: name,
                    paths: vec![path.to_owned()],
                    doc: doc.clone(),
                    rows: fields.iter().map(row).collect(),
                }),
            }
            for field in fields {
                let dot = if path.is_empty() { "" } else { "." };
                collect(&field.shape, &format!("{path}{dot}{}", field.key), sections);
            }
        }
    }
}

fn row(field: &Field) -> Row {
    let default = match field.presence {
        Presence::Required => "**required**".to_owned(),
        Presence::Optional => String::new(),
        Presence::Default(text) => format!("`{text}`"),
    };
    Row {
        key: field.key,
        value: pieces(&field.shape),
        default,
        doc: format!("{}{}", field.doc, meanings(&field.shape)),
    }
}

fn pieces(shape: &Shape) -> Vec<Piece> {
    let text = |text: &str| Piece::Text(text.to_owned());
    let behind = |head: String, shape: &Shape| std::iter::once(Piece::Text(head)).chain(pieces(shape)).collect();
    match shape {
        Shape::Scalar { label, schema } => vec![Piece::Text(format!("{label}{}", range(schema)))],
        Shape::Word(word) => vec![Piece::Text(format!("`{word}`"))],
        Shape::Words(words) => {
            vec![Piece::Text(words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", "))]
        }
        Shape::List { item, .. } => behind("list: ".to_owned(), item),
        Shape::Map { key, item } => behind(format!("mapping from {key} to "), item),
        Shape::Block { name, .. } => vec![Piece::Link(name)],
        Shape::Either(shapes) => {
            let mut all = Vec::new();
            for (i, shape) in shapes.iter().enumerate() {
                all.extend((i > 0).then(|| text(" or ")));
                all.extend(pieces(shape));
            }
            all
        }
    }
}

/// The range of a number.
fn range(schema: &serde_json::Value) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        _ => String::new(),
    }
}

/// ` \`strip\`: cut it out; …`, if words need it.
fn meanings(shape: &Shape) -> String {
    match shape {
        Shape::Words(words) => {
            let list: Vec<String> = words.iter().map(|(word, doc)| format!("`{word}`: {doc}")).collect();
            format!(" {}.", list.join("; "))
        }
        Shape::List { item, .. } => meanings(item),
        // The block beside the words tells what they mean.
        Shape::Either(_) | Shape::Scalar { .. } | Shape::Word(_) | Shape::Map { .. } | Shape::Block { .. } => {
            String::new()
        }
    }
}

fn write_section(section: &Section, sections: &[Section], text: &mut String) {
    let title = section.title();
    if title.is_empty() {
        let _ = write!(text, "\n## The file\n\n{}\n", section.doc);
    } else {
        let _ = write!(text, "\n### `{title}`\n\n{}\n", section.doc);
    }
    let others: Vec<String> = section
        .paths
        .iter()
        .filter(|path| *path != title && !path.starts_with("defaults."))
        .map(|path| format!("`{path}`"))
        .collect();
    if !others.is_empty() {
        let _ = write!(text, "\nThe same holds at {}.\n", others.join(", "));
    }
    text.push_str("\n| key | value | default | meaning |\n|---|---|---|---|\n");
    for row in &section.rows {
        let value: String = row.value.iter().map(|piece| cell(piece, sections)).collect();
        let _ = writeln!(text, "| `{}` | {value} | {} | {} |", row.key, row.default, row.doc);
    }
}

fn cell(piece: &Piece, sections: &[Section]) -> String {
    match piece {
        Piece::Text(text) => text.clone(),
        Piece::Link(block) => {
            let title = sections.iter().find(|section| section.block == *block).map_or("", Section::title);
            format!("[`{title}`](#{})", slug(title))
        }
    }
}

/// The anchor that GitHub and GitLab make of a heading.
fn slug(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>().to_lowercase()
}

//! The JSON Schema of the file, for editors: derived from the same table as the decoder.
//!
//! # Invariants
//! * Every key that the decoder knows is in the schema (`every_key_of_the_sample_is_in_the_schema`).

use crate::decode::Decode;
use crate::schema::FileBlock;
use crate::shape::{Field, Presence, Shape};
use crate::yaml::{self, Node, Style, Value as Yaml};
use serde_json::{Map, Value, json};

/// JSON Schema (draft 2020-12) of a configuration file.
pub fn json_schema() -> Value {
    let mut schema = of(&FileBlock::shape());
    if let Value::Object(members) = &mut schema {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("title".to_owned(), json!("raptorgate configuration"));
        members.insert("$defs".to_owned(), json!({ "interpolated": interpolated() }));
    }
    schema
}

/// Any scalar may come from outside.
fn interpolated() -> Value {
    json!({
        "description": "`${NAME}`, `${NAME:-default}` or `${file:path}`",
        "type": "string",
        "pattern": "\\$\\{(file:[^}]+|[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?)\\}",
    })
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Scalar { schema, .. } => or_interpolated(schema.clone()),
        Shape::Word(word) => json!({ "const": word }),
        Shape::Words(words) => {
            or_interpolated(json!({ "enum": words.iter().map(|(word, _)| word).collect::<Vec<_>>() }))
        }
        Shape::List { item, least } => json!({ "type": "array", "items": of(item), "minItems": least }),
        Shape::Map { item, .. } => json!({ "type": "object", "additionalProperties": of(item) }),
        Shape::Block { doc, fields, .. } => block(doc, fields),
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(of).collect::<Vec<_>>() }),
    }
}

fn or_interpolated(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "$ref": "#/$defs/interpolated" }] })
}

fn block(doc: &str, fields: &[Field]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|field| (field.key.to_owned(), property(field))).collect();
    let required: Vec<&str> =
        fields.iter().filter(|field| matches!(field.presence, Presence::Required)).map(|field| field.key).collect();
    json!({ "type": "object", "description": doc, "properties": properties, "required": required, "additionalProperties": false })
}

fn property(field: &Field) -> Value {
    let mut schema = of(&field.shape);
    if let Value::Object(members) = &mut schema {
        members.insert("description".to_owned(), json!(field.doc));
        if let Presence::Default(text) = field.presence {
            members.insert("default".to_owned(), default(text));
        }
    }
    schema
}

/// A default as JSON; it is written as a file would write it.
fn default(text: &str) -> Value {
    yaml::read(text).map(|document| to_json(&document.root)).unwrap_or(Value::Null)
}

fn to_json(node: &Node) -> Value {
    match &node.value {
        Yaml::Scalar(scalar) => match serde_json::from_str(&scalar.text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) if scalar.style == Style::Plain => value,
            Ok(_) | Err(_) => Value::String(scalar.text.clone()),
        },
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(entries) => entries.iter().map(|entry| (entry.key.clone(), to_json(&entry.value))).collect(),
    }
}

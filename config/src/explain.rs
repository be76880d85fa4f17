//! What holds on a route key by key, each with its value and where it comes from.
//!
//! # Invariants
//! * Every key that a file may hold is told: the rows are made by walking the table of shapes (`every_key_of_the_table_is_explained`).
//! * Values are those that are served (`what_is_explained_is_what_holds`), secrets as `***` (`explained_secrets_are_masked`).

use crate::decode::Decode;
use crate::interpolate::secret_spans;
use crate::model::Route;
use crate::problem::{Position, Problems, suggest};
use crate::schema::FileBlock;
use crate::shape::{Field, Presence, Shape};
use crate::source::MASK;
use crate::yaml::{self, Node, Value};
use crate::{Loaded, effective, load};
use std::collections::HashSet;
use std::path::Path;

/// Top-level keys that say nothing about requests.
const NOT_ABOUT_ROUTES: [&str; 3] = ["version", "ops", "admin"];
/// Keys that take another key's value when they are left out: their block, their name, the other's path.
const TAKEN_FROM: [(&str, &str, &str); 5] = [
    ("BodyBlock", "request_max", "limits.request_body"),
    ("BodyBlock", "request_timeout", "limits.request_body_timeout"),
    ("BodyBlock", "reply_max", "limits.reply"),
    ("TenantBlock", "currency", "currency"),
    ("MeterBlock", "format", "routes.<route>.format"),
];
/// A key that is left out and has no value then.
const NOT_SET: &str = "not set";
/// A block that could be `off` and is not.
const ON: &str = "on";

/// One key that holds on a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its path, such as `routes.chat.body.request_max`.
    pub key: String,
    /// Its value as the file or the default writes it.
    pub value: String,
    /// Where the value stands.
    pub from: ValueSource,
    /// The other key whose value it takes.
    pub by: Option<String>,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueSource {
    /// In this line of the file.
    Line(usize),
    /// In this line of the file, in the block `defaults`.
    Defaults(usize),
    /// Nowhere: it is the default.
    Default,
}

/// Why nothing was explained.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The file is no valid configuration.
    #[error("{0}")]
    Invalid(Problems),
    /// The file has no such route.
    #[error("there is no route `{route}`{}", help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default())]
    UnknownRoute {
        /// The name that was asked for.
        route: String,
        /// The nearest name, or those that there are.
        help: Option<String>,
    },
}

/// Everything that holds on a route of a file: the route's own keys first, then its upstream's, then the rest.
pub fn explain(path: &Path, route: &str) -> Result<Vec<Explained>, ExplainError> {
    let (loaded, root) = load::load_located(path).map_err(ExplainError::Invalid)?;
    located_rows(&loaded, root, route).ok_or_else(|| {
        let names: Vec<&str> = loaded.config.routes.iter().map(|route| &*route.name).collect();
        ExplainError::UnknownRoute { route: route.to_owned(), help: suggest(route, names) }
    })
}

fn located_rows(loaded: &Loaded, mut root: Node, route: &str) -> Option<Vec<Explained>> {
    let secrets: HashSet<Position> = secret_spans(&root).iter().map(|span| span.start).collect();
    mark(&mut root, &secrets);
    rows(loaded, &root, route)
}

/// Marks the secrets that stand in the file itself; those from outside are marked already.
fn mark(node: &mut Node, secrets: &HashSet<Position>) {
    match &mut node.value {
        Value::Scalar(scalar) => scalar.secret |= secrets.contains(&node.at),
        Value::Mapping(entries) => entries.iter_mut().for_each(|entry| mark(&mut entry.value, secrets)),
        Value::Sequence(items) => items.iter_mut().for_each(|item| mark(item, secrets)),
    }
}

fn rows(loaded: &Loaded, root: &Node, name: &str) -> Option<Vec<Explained>> {
    let route = loaded.config.routes.iter().find(|route| &*route.name == name)?;
    // What the gateway made of keys that are left out, such as the format that follows from the path.
    let meant = yaml::read(&effective(&loaded.config, name)?).ok()?.root;
    let mut walk = Walk { rows: Vec::new(), route };
    let Shape::Block { fields, .. } = FileBlock::shape() else { return None };
    walk.route_rows(field(&fields, "routes")?, root, &meant)?;
    walk.upstream_rows(field(&fields, "upstreams")?, root, &meant)?;
    let apart = |key: &str| NOT_ABOUT_ROUTES.contains(&key) || ["routes", "upstreams", "defaults"].contains(&key);
    for field in fields.iter().filter(|field| !apart(field.key)) {
        let place = Place { node: child(root, field.key), meant: child(&meant, field.key), inherited: false };
        walk.field("FileBlock", field, place, field.key);
    }
    walk.take_over();
    Some(walk.rows)
}

fn field<'f>(fields: &'f [Field], key: &str) -> Option<&'f Field> {
    fields.iter().find(|field| field.key == key)
}

/// The value of a key in a mapping.
fn child<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Mapping(entries) = &node.value else { return None };
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
}

/// The block that may stand at a place, alone or beside words.
fn block(shape: &Shape) -> Option<(&'static str, &[Field])> {
    match shape {
        Shape::Block { name, fields, .. } => Some((name, fields)),
        Shape::Either(shapes) => shapes.iter().find_map(block),
        Shape::Scalar { .. } | Shape::Word(_) | Shape::Words(_) | Shape::List { .. } | Shape::Map { .. } => None,
    }
}

/// The items of a list of blocks that may stand at a place.
fn blocks_of(shape: &Shape) -> Option<&Shape> {
    match shape {
        Shape::List { item, .. } => block(item).is_some().then_some(item),
        Shape::Either(shapes) => shapes.iter().find_map(blocks_of),
        Shape::Scalar { .. } | Shape::Word(_) | Shape::Words(_) | Shape::Block { .. } | Shape::Map { .. } => None,
    }
}

fn may_be_off(shape: &Shape) -> bool {
    matches!(shape, Shape::Either(shapes) if shapes.iter().any(|shape| matches!(shape, Shape::Word("off"))))
}

fn is_mapping(node: &Node) -> bool {
    matches!(node.value, Value::Mapping(_))
}

fn is_off(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.text == "off")
}

/// What is known about a key's value.
#[derive(Clone, Copy)]
struct Place<'n> {
    /// As it stands in the file.
    node: Option<&'n Node>,
    /// As the gateway means it.
    meant: Option<&'n Node>,
    /// The node stands in `defaults`.
    inherited: bool,
}

impl<'n> Place<'n> {
    fn child(self, key: &str) -> Self {
        let down = |node: Option<&'n Node>| node.and_then(|node| child(node, key));
        Self { node: down(self.node), meant: down(self.meant), inherited: self.inherited }
    }

    fn from(self, node: &Node) -> ValueSource {
        if self.inherited { ValueSource::Defaults(node.at.line) } else { ValueSource::Line(node.at.line) }
    }
}

struct Walk<'c> {
    rows: Vec<Explained>,
    route: &'c Route,
}

impl Walk<'_> {
    /// The route's keys; a block that it does not have is the inherited one.
    fn route_rows(&mut self, routes: &Field, root: &Node, meant: &Node) -> Option<()> {
        let Shape::List { item, .. } = &routes.shape else { return None };
        let (name, fields) = block(item)?;
        let (own, meant) = (self.named(child(root, "routes")?)?, self.named(child(meant, "routes")?)?);
        let defaults = child(root, "defaults");
        for field in fields {
            let own = child(own, field.key);
            let node = own.or_else(|| defaults.and_then(|defaults| child(defaults, field.key)));
            let place = Place { node, meant: child(meant, field.key), inherited: own.is_none() };
            self.field(name, field, place, &format!("routes.{}.{}", self.route.name, field.key));
        }
        Some(())
    }

    fn named<'n>(&self, routes: &'n Node) -> Option<&'n Node> {
        let Value::Sequence(items) = &routes.value else { return None };
        let is_it = |item: &&Node| {
            let name = child(item, "name").map(|name| &name.value);
            matches!(name, Some(Value::Scalar(name)) if name.text == *self.route.name)
        };
        items.iter().find(is_it)
    }

    fn upstream_rows(&mut self, upstreams: &Field, root: &Node, meant: &Node) -> Option<()> {
        let Shape::Map { item, .. } = &upstreams.shape else { return None };
        let place = Place { node: Some(root), meant: Some(meant), inherited: false };
        let name = self.route.upstream.clone();
        let place = place.child("upstreams").child(&name);
        self.value(item, place, &format!("upstreams.{name}"));
        Some(())
    }

    fn field(&mut self, block_name: &str, field: &Field, place: Place<'_>, path: &str) {
        if place.node.is_some() {
            return self.value(&field.shape, place, path);
        }
        let meant_scalar = place.meant.filter(|node| !is_mapping(node));
        match (field.presence, block(&field.shape)) {
            // A block that is left out but holds all the same holds its keys' defaults.
            (Presence::Default(_), Some((name, fields))) => self.fields(name, fields, place, path),
            (Presence::Default(text), None) => self.row(path, text.to_owned(), ValueSource::Default),
            (Presence::Optional | Presence::Required, Some((name, fields)))
                if place.meant.is_some() && meant_scalar.is_none() =>
            {
                self.fields(name, fields, place, path);
            }
            (Presence::Optional | Presence::Required, _) => {
                let value = meant_scalar.map_or_else(|| NOT_SET.to_owned(), text);
                self.row(path, value, ValueSource::Default);
                let taken = TAKEN_FROM.iter().find(|(block, key, _)| *block == block_name && *key == field.key);
                let by = taken.map(|(_, _, path)| path.replace("<route>", &self.route.name));
                self.rows.last_mut().into_iter().for_each(|row| row.by.clone_from(&by));
            }
        }
    }

    fn fields(&mut self, name: &str, fields: &[Field], place: Place<'_>, path: &str) {
        for field in fields {
            self.field(name, field, place.child(field.key), &format!("{path}.{}", field.key));
        }
    }

    fn block_rows(&mut self, shape: &Shape, place: Place<'_>, path: &str) {
        if let Some((name, fields)) = block(shape) {
            self.fields(name, fields, place, path);
        }
    }

    /// A value that stands in the file.
    fn value(&mut self, shape: &Shape, place: Place<'_>, path: &str) {
        let Some(node) = place.node else { return };
        if let (Value::Sequence(items), Some(item)) = (&node.value, blocks_of(shape)) {
            for (n, node) in items.iter().enumerate() {
                self.value(item, Place { node: Some(node), meant: None, ..place }, &format!("{path}[{n}]"));
            }
            return;
        }
        match (&node.value, shape) {
            (Value::Mapping(entries), Shape::Map { item, .. }) if !entries.is_empty() => {
                for entry in entries {
                    let place = Place { node: Some(&entry.value), ..place };
                    self.value(item, place, &format!("{path}.{}", entry.key));
                }
            }
            (Value::Mapping(_), _) if block(shape).is_some() => {
                // That it is on is said by its line, although all its keys may be defaults.
                if may_be_off(shape) {
                    self.row(path, ON.to_owned(), place.from(node));
                }
                self.block_rows(shape, place, path);
            }
            (Value::Scalar(_) | Value::Mapping(_) | Value::Sequence(_), _) => {
                self.row(path, text(node), place.from(node));
                // `body: off` leaves the keys of `body` at their defaults.
                if is_off(node) && place.meant.is_some_and(is_mapping) {
                    self.block_rows(shape, Place { node: None, ..place }, path);
                }
            }
        }
    }

    fn row(&mut self, key: &str, value: String, from: ValueSource) {
        self.rows.push(Explained { key: key.to_owned(), value, from, by: None });
    }

    /// Gives keys that take another key's value its place in the file too.
    fn take_over(&mut self) {
        let told = self.rows.clone();
        for row in &mut self.rows {
            let Some(other) = row.by.as_ref().and_then(|by| told.iter().find(|other| other.key == *by)) else {
                continue;
            };
            row.value.clone_from(&other.value);
            row.from = other.from;
        }
    }
}

/// A value in one line.
fn text(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) if scalar.secret => MASK.to_owned(),
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        Value::Mapping(entries) => {
            let all: Vec<String> =
                entries.iter().map(|entry| format!("{}: {}", entry.key, text(&entry.value))).collect();
            format!("{{{}}}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;
    use serde_json::Value as Json;
    use std::collections::BTreeSet;

    const SAMPLE: &str = include_str!("../tests/data/sample.yaml");

    fn explained(text: &str, route: &str) -> Vec<Explained> {
        let origin = Origin::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sample.yaml"));
        let env = |name: &str| (name == "SAMPLE_RAVI_KEY").then(|| "sk-from-outside".to_owned());
        let (loaded, root) = load::parse_located(text, &origin, &env).unwrap_or_else(|problems| panic!("{problems}"));
        located_rows(&loaded, root, route).unwrap()
    }

    /// Paths of all keys, written like those of rows but for names and numbers.
    fn paths(shape: &Shape, path: &str, all: &mut BTreeSet<String>) {
        match shape {
            Shape::Scalar { .. } | Shape::Word(_) | Shape::Words(_) => {}
            Shape::List { item, .. } => paths(item, &format!("{path}[]"), all),
            Shape::Map { item, .. } => paths(item, &format!("{path}.<name>"), all),
            // `email: mask` tells of that key what its long form would.
            Shape::Either(shapes) if shapes.iter().any(|shape| matches!(shape, Shape::Words(_))) => {}
            Shape::Either(shapes) => shapes.iter().for_each(|shape| paths(shape, path, all)),
            Shape::Block { fields, .. } => {
                for field in fields {
                    let path = format!("{path}.{}", field.key);
                    paths(&field.shape, &path, all);
                    all.insert(path);
                }
            }
        }
    }

    /// `routes.chat.match` as `.routes[].match`.
    fn general(key: &str) -> String {
        let mut parts: Vec<String> = key.split('.').map(str::to_owned).collect();
        if let Some(at) = parts.iter().position(|part| part == "labels") {
            parts[at + 1] = "<name>".to_owned();
        }
        match parts[0].as_str() {
            "routes" => parts.splice(0..2, ["routes[]".to_owned()]).for_each(drop),
            "upstreams" | "tenants" | "prices" => parts[1] = "<name>".to_owned(),
            _ => {}
        }
        let text = (0..10).fold(parts.join("."), |text, n| text.replace(&format!("[{n}]"), "[]"));
        format!(".{text}")
    }

    #[test]
    fn every_key_of_the_table_is_explained() {
        let rows = explained(SAMPLE, "chat");
        let leaves: Vec<String> = rows.iter().filter(|row| row.value != ON).map(|row| general(&row.key)).collect();
        let mut all = BTreeSet::new();
        paths(&FileBlock::shape(), "", &mut all);
        let apart = |path: &str| {
            let top = path.trim_start_matches('.').split('.').next().unwrap();
            NOT_ABOUT_ROUTES.contains(&top) || top == "defaults"
        };
        let told = |path: &String| {
            let below = |leaf: &String| leaf.starts_with(&format!("{path}.")) || leaf.starts_with(&format!("{path}["));
            leaves.iter().any(|leaf| path == leaf || below(leaf))
        };
        // Of two blocks that exclude each other the sample has one; the other is told whole.
        let unset: Vec<String> = rows.iter().filter(|row| row.value == NOT_SET).map(|row| general(&row.key)).collect();
        let within_unset = |path: &String| unset.iter().any(|block| path.starts_with(&format!("{block}.")));
        let missing: Vec<&String> =
            all.iter().filter(|path| !apart(path) && !told(path) && !within_unset(path)).collect();
        assert!(missing.is_empty(), "{missing:?}\n{leaves:?}");
        assert!(all.len() > 100, "the table is walked in full: {}", all.len());
    }

    const FILE: &str = "version: 1
listeners: [{ address: '127.0.0.1:0' }]
limits: { request_body: 2 MiB, body_rate: 0 }
upstreams:
  agents: { endpoints: [{ address: '127.0.0.1:1' }], retries: 0, timeouts: { idle: 9s } }
defaults:
  sanitize: {}
  meter: {}
  body: { reply_max: 1 MiB }
routes:
  - name: chat
    match: { path: /v1/chat/completions, methods: [POST] }
    upstream: agents
    mask_pii: { request: { email: replace, aadhaar: { action: mask, keep_last: 2 } } }
  - { name: rest, match: { path: /* }, upstream: agents, meter: off, body: off, on_disconnect: finish }
";

    /// Puts a row's value at its path into a tree.
    fn put(tree: &mut Json, path: &[&str], value: &str) {
        let Some((first, rest)) = path.split_first() else {
            *tree = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            return;
        };
        match first.split_once('[') {
            Some((key, number)) => {
                let items = &mut tree[key];
                if items.is_null() {
                    *items = Json::Array(Vec::new());
                }
                let (items, number) =
                    (items.as_array_mut().unwrap(), number.trim_end_matches(']').parse::<usize>().unwrap());
                items.resize(items.len().max(number + 1), Json::Null);
                put(&mut items[number], rest, value);
            }
            None if rest.is_empty() && value == ON => tree[*first] = serde_json::json!({}),
            None if rest.is_empty() && value == "off" && tree.get(*first).is_some() => {}
            None => {
                if tree[*first].is_string() {
                    tree[*first] = Json::Null; // `off`, of which the keys hold all the same
                }
                put(&mut tree[*first], rest, value);
            }
        }
    }

    #[test]
    fn what_is_explained_is_what_holds() {
        for route in ["chat", "rest"] {
            let mut file = serde_json::json!({"version": 1});
            for row in explained(FILE, route).iter().filter(|row| row.value != NOT_SET) {
                let path: Vec<&str> = row.key.split('.').collect();
                let listed = row.value.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
                let listed = listed.map(|text| text.split(", ").filter(|item| !item.is_empty()).collect::<Vec<_>>());
                put(&mut file, &path, &listed.map_or(row.value.clone(), |items| serde_json::json!(items).to_string()));
            }
            let route_keys = file["routes"][route].take();
            file["routes"] = serde_json::json!([route_keys]);
            let origin = Origin { file: "rows".to_owned(), folder: ".".into() };
            let of =
                |text: &str| crate::parse(text, &origin, &|_| None).unwrap_or_else(|p| panic!("{p}\n{text}")).config;
            let (before, after) = (of(FILE), of(&file.to_string()));
            let before_route = before.routes.iter().find(|candidate| &*candidate.name == route).unwrap();
            assert_eq!(format!("{before_route:?}"), format!("{:?}", after.routes[0]));
            assert_eq!(format!("{:?}", before.upstreams), format!("{:?}", after.upstreams));
            assert_eq!(format!("{:?}", before.limits), format!("{:?}", after.limits));
        }
    }

    #[test]
    fn each_value_names_the_line_that_it_comes_from() {
        let rows = explained(FILE, "chat");
        let row = |key: &str| rows.iter().find(|row| row.key == key).unwrap_or_else(|| panic!("no {key}"));
        for (key, value, from, by) in [
            ("routes.chat.upstream", "agents", ValueSource::Line(13), None),
            ("routes.chat.mask_pii.request.aadhaar.keep_last", "2", ValueSource::Line(14), None),
            ("routes.chat.sanitize", "on", ValueSource::Defaults(7), None),
            ("routes.chat.sanitize.action", "strip", ValueSource::Default, None),
            ("routes.chat.format", "openai", ValueSource::Default, None),
            ("routes.chat.on_disconnect", "finish", ValueSource::Default, None),
            ("routes.chat.meter.format", "openai", ValueSource::Default, Some("routes.chat.format")),
            ("routes.chat.body.reply_max", "1 MiB", ValueSource::Defaults(9), None),
            ("routes.chat.body.request_max", "2 MiB", ValueSource::Line(3), Some("limits.request_body")),
            ("upstreams.agents.timeouts.idle", "9s", ValueSource::Line(5), None),
            ("upstreams.agents.timeouts.total", "10m", ValueSource::Default, None),
        ] {
            let expected = Explained { key: key.to_owned(), value: value.to_owned(), from, by: by.map(str::to_owned) };
            assert_eq!(*row(key), expected);
        }
    }

    #[test]
    fn explained_secrets_are_masked() {
        let hash = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
        let keys = format!(
            "[{{ id: a, key: sk-inline, tenant: t, user: u }}, {{ id: b, key: '${{SAMPLE_RAVI_KEY}}', tenant: t, user: u }}, \
             {{ id: c, sha256: {hash}, tenant: t, user: u }}]"
        );
        let rows = explained(
            &format!(
                "tenants: {{ t: {{}} }}\n{}",
                FILE.replace("sanitize: {}", &format!("authenticate: {{ api_keys: {keys} }}"))
            ),
            "chat",
        );
        assert_eq!(rows.iter().filter(|row| row.value == MASK).count(), 3, "{rows:?}");
        let all = format!("{rows:?}");
        assert!(!all.contains("sk-") && !all.contains(hash), "{all}");
    }
}

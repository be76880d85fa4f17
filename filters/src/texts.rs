//! Where the texts of a request stand, and who wrote them.
//!
//! # Invariants
//! * A role that is not known counts as the user's (`an_unknown_role_is_the_user`).
//! * A document in which the format finds no text is read as any JSON, so that another shape is no way around the guards
//!   (`another_shape_is_read_as_any_json`).

use crate::framers::json::{JsonDoc, JsonKind, NodeId};
use raptorgate_config::model::ApiFormat;

/// Who wrote a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The operator.
    System,
    /// The user.
    User,
    /// The model, in an earlier turn.
    Assistant,
    /// A tool.
    Tool,
    /// A document.
    Document,
}

/// One text.
#[derive(Clone, Copy)]
pub struct Place {
    /// A string node.
    pub node: NodeId,
    /// Who wrote it.
    pub source: Source,
}

/// Members that hold names of the protocol, in JSON of an unknown shape.
const STRUCTURAL: &[&str] = &["model", "role", "type", "id", "object", "tool_call_id", "call_id", "tool_use_id"];

/// The texts of a request in the order in which they are read.
pub fn places(doc: &JsonDoc, format: ApiFormat) -> Vec<Place> {
    let mut reader = Reader { doc, found: Vec::new() };
    match format {
        ApiFormat::OpenAi => {
            reader.chat();
            reader.responses();
        }
        ApiFormat::OpenAiResponses => reader.responses(),
        ApiFormat::Anthropic => reader.anthropic(),
        ApiFormat::Gemini => reader.gemini(),
        ApiFormat::Json => {}
    }
    if reader.found.is_empty() {
        reader.any_json();
    }
    reader.found
}

struct Reader<'a> {
    doc: &'a JsonDoc,
    found: Vec<Place>,
}

impl Reader<'_> {
    fn get(&self, object: NodeId, key: &str) -> Option<NodeId> {
        self.doc.get(object, key)
    }

    fn root(&self, key: &str) -> Option<NodeId> {
        self.doc.get(self.doc.root(), key)
    }

    /// The elements of a list; anything else is a list of itself.
    fn list(&self, node: Option<NodeId>) -> Vec<NodeId> {
        match node {
            None => Vec::new(),
            Some(n) if self.doc.kind(n) == JsonKind::Array => self.doc.items(n).collect(),
            Some(n) => vec![n],
        }
    }

    fn is(&self, object: NodeId, key: &str, value: &str) -> bool {
        self.get(object, key).and_then(|n| self.doc.str(n)).is_some_and(|text| text == value)
    }

    fn role(&self, message: NodeId) -> Source {
        let role = self.get(message, "role").and_then(|n| self.doc.str(n)).unwrap_or_default();
        match &*role {
            "system" | "developer" => Source::System,
            "assistant" | "model" => Source::Assistant,
            "tool" | "function" => Source::Tool,
            _ => Source::User,
        }
    }

    fn add(&mut self, node: Option<NodeId>, source: Source) {
        if let Some(node) = node.filter(|n| self.doc.kind(*n) == JsonKind::String) {
            self.found.push(Place { node, source });
        }
    }

    /// A string, or parts with texts.
    fn content(&mut self, content: Option<NodeId>, source: Source) {
        for part in self.list(content) {
            self.part(part, source);
        }
    }

    fn part(&mut self, part: NodeId, source: Source) {
        self.add(Some(part), source);
        self.add(self.get(part, "text"), source);
        if self.is(part, "type", "tool_result") {
            self.content(self.get(part, "content"), Source::Tool);
        } else if self.is(part, "type", "document") || self.is(part, "type", "search_result") {
            self.document(part);
        }
    }

    fn document(&mut self, block: NodeId) {
        for key in ["title", "context"] {
            self.add(self.get(block, key), Source::Document);
        }
        self.inner(self.get(block, "content"));
        if let Some(source) = self.get(block, "source") {
            self.inner(self.get(source, "content"));
            if self.is(source, "type", "text") {
                self.add(self.get(source, "data"), Source::Document);
            }
        }
    }

    /// Blocks inside a document hold texts and no further documents.
    fn inner(&mut self, content: Option<NodeId>) {
        for block in self.list(content) {
            self.add(Some(block), Source::Document);
            self.add(self.get(block, "text"), Source::Document);
        }
    }

    fn chat(&mut self) {
        for message in self.list(self.root("messages")) {
            let source = self.role(message);
            self.content(self.get(message, "content"), source);
        }
        self.content(self.root("prompt"), Source::User);
    }

    fn responses(&mut self) {
        self.content(self.root("instructions"), Source::System);
        for item in self.list(self.root("input")) {
            let source = self.role(item);
            self.part(item, source);
            self.content(self.get(item, "content"), source);
            self.content(self.get(item, "output"), Source::Tool);
        }
    }

    fn anthropic(&mut self) {
        self.content(self.root("system"), Source::System);
        self.chat();
    }

    fn gemini(&mut self) {
        for key in ["systemInstruction", "system_instruction"] {
            let parts = self.root(key).and_then(|n| self.get(n, "parts"));
            self.content(parts, Source::System);
        }
        for message in self.list(self.root("contents")) {
            let source = self.role(message);
            for part in self.list(self.get(message, "parts")) {
                self.part(part, source);
                for key in ["functionResponse", "function_response"] {
                    let response = self.get(part, key).and_then(|n| self.get(n, "response"));
                    self.strings_below(response);
                }
            }
        }
    }

    fn strings_below(&mut self, node: Option<NodeId>) {
        let mut open: Vec<NodeId> = node.into_iter().collect();
        while let Some(node) = open.pop() {
            self.add(Some(node), Source::Tool);
            let from = open.len();
            open.extend(self.doc.items(node));
            open.extend(self.doc.members(node).map(|(_, value)| value));
            if let Some(new) = open.get_mut(from..) {
                new.reverse();
            }
        }
    }

    fn any_json(&mut self) {
        for node in self.doc.strings() {
            let structural = self.doc.key(node).is_some_and(|key| STRUCTURAL.contains(&&*key));
            let one_word = || self.doc.str(node).is_some_and(|text| !text.contains(char::is_whitespace));
            if !(structural && one_word()) {
                self.found.push(Place { node, source: Source::User });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framers::json::JsonLimits;
    use bytes::Bytes;

    fn read(format: ApiFormat, json: &str) -> Vec<(Source, String)> {
        let doc = JsonDoc::parse(Bytes::copy_from_slice(json.as_bytes()), &JsonLimits::default()).unwrap();
        places(&doc, format).iter().map(|p| (p.source, doc.str(p.node).unwrap().into_owned())).collect()
    }

    fn said(pairs: &[(Source, &str)]) -> Vec<(Source, String)> {
        pairs.iter().map(|(source, text)| (*source, (*text).to_owned())).collect()
    }

    #[test]
    fn chat_messages_are_read_by_role() {
        let json = r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"u"},
            {"type":"image_url","image_url":{"url":"x"}}]},{"role":"assistant","content":"a"},{"role":"tool","content":"t"}]}"#;
        let expected = [(Source::System, "s"), (Source::User, "u"), (Source::Assistant, "a"), (Source::Tool, "t")];
        assert_eq!(read(ApiFormat::OpenAi, json), said(&expected));
    }

    #[test]
    fn responses_items_are_read() {
        let json = r#"{"instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"u"}]},
            {"type":"function_call_output","call_id":"c","output":"t"}]}"#;
        let expected = [(Source::System, "s"), (Source::User, "u"), (Source::Tool, "t")];
        assert_eq!(read(ApiFormat::OpenAiResponses, json), said(&expected));
        assert_eq!(read(ApiFormat::OpenAiResponses, r#"{"input":"u"}"#), said(&[(Source::User, "u")]));
    }

    #[test]
    fn anthropic_blocks_are_read() {
        let json = r#"{"system":[{"type":"text","text":"s"}],"messages":[{"role":"user","content":[{"type":"text","text":"u"},
            {"type":"tool_result","tool_use_id":"x","content":[{"type":"text","text":"t"}]},
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}]}]}"#;
        let expected = [(Source::System, "s"), (Source::User, "u"), (Source::Tool, "t"), (Source::Document, "d")];
        assert_eq!(read(ApiFormat::Anthropic, json), said(&expected));
    }

    #[test]
    fn gemini_parts_are_read() {
        let json = r#"{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"u"},
            {"functionResponse":{"name":"f","response":{"a":"1","b":["2",{"c":"3"}]}}}]},{"role":"model","parts":[{"text":"a"}]}]}"#;
        let tools = [(Source::Tool, "1"), (Source::Tool, "2"), (Source::Tool, "3")];
        let expected =
            [&[(Source::System, "s"), (Source::User, "u")], &tools[..], &[(Source::Assistant, "a")]].concat();
        assert_eq!(read(ApiFormat::Gemini, json), said(&expected));
    }

    #[test]
    fn an_unknown_role_is_the_user() {
        let json = r#"{"messages":[{"role":"SYSTEM","content":"a"},{"content":"b"},"c"]}"#;
        assert_eq!(read(ApiFormat::OpenAi, json), said(&[(Source::User, "a"), (Source::User, "b")]));
    }

    #[test]
    fn another_shape_is_read_as_any_json() {
        let json = r#"{"model":"m","type":"two words","question":"q"}"#;
        let expected = said(&[(Source::User, "two words"), (Source::User, "q")]);
        assert_eq!(read(ApiFormat::Json, json), expected);
        assert_eq!(read(ApiFormat::OpenAi, json), expected);
    }
}

//! The parser: one pass, one stack on the heap, one tape.

use super::{JsonError, JsonLimits, Node, Tag, text};
use std::borrow::Cow;
use std::collections::HashSet;

/// Up to this many keys are compared pairwise; more go through a hash set, so that cost stays linear.
const PAIRWISE_KEYS_MAX: usize = 12;

/// Parses one value and nothing else; `bytes` must be UTF-8.
pub(super) fn parse(bytes: &[u8], limits: &JsonLimits) -> Result<Vec<Node>, JsonError> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(JsonError::TooLarge { at: 0 });
    }
    let nodes = Vec::with_capacity((bytes.len() / 16).min(4096) + 4);
    let mut parser = Parser { bytes, at: 0, limits, nodes, open: Vec::new() };
    parser.run()?;
    Ok(parser.nodes)
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    limits: &'a JsonLimits,
    nodes: Vec<Node>,
    /// Tape indices of the containers not yet closed.
    open: Vec<u32>,
}

/// What may come next.
enum Next {
    Value,
    FirstItem,
    FirstKey,
    AfterValue,
    End,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), JsonError> {
        let mut next = Next::Value;
        loop {
            self.skip_space();
            next = match next {
                Next::Value => self.value()?,
                Next::FirstItem if self.eat(b']') => self.close()?,
                Next::FirstItem => self.value()?,
                Next::FirstKey if self.eat(b'}') => self.close()?,
                Next::FirstKey => self.key()?,
                Next::AfterValue => self.after_value()?,
                Next::End if self.at == self.bytes.len() => return Ok(()),
                Next::End => return Err(self.wrong()),
            };
        }
    }

    fn value(&mut self) -> Result<Next, JsonError> {
        let start = self.at;
        match self.peek() {
            Some(b'"') => {
                let tag = if self.string()? { Tag::StringEscaped } else { Tag::String };
                self.leaf(start, tag)?;
            }
            Some(b'{') => return self.container(Tag::Object, Next::FirstKey),
            Some(b'[') => return self.container(Tag::Array, Next::FirstItem),
            Some(b't') => self.literal(b"true", Tag::Bool)?,
            Some(b'f') => self.literal(b"false", Tag::Bool)?,
            Some(b'n') => self.literal(b"null", Tag::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                self.leaf(start, Tag::Number)?;
            }
            Some(_) | None => return Err(self.wrong()),
        }
        Ok(self.after())
    }

    fn after(&self) -> Next {
        if self.open.is_empty() { Next::End } else { Next::AfterValue }
    }

    fn after_value(&mut self) -> Result<Next, JsonError> {
        let in_object = self.open.last().is_some_and(|i| self.tag(*i) == Tag::Object);
        if self.eat(b',') {
            if !in_object {
                return Ok(Next::Value);
            }
            self.skip_space();
            return self.key();
        }
        if self.eat(if in_object { b'}' } else { b']' }) {
            return self.close();
        }
        Err(self.wrong())
    }

    fn key(&mut self) -> Result<Next, JsonError> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.wrong());
        }
        let tag = if self.string()? { Tag::KeyEscaped } else { Tag::Key };
        self.leaf(start, tag)?;
        self.skip_space();
        if self.eat(b':') { Ok(Next::Value) } else { Err(self.wrong()) }
    }

    fn container(&mut self, tag: Tag, next: Next) -> Result<Next, JsonError> {
        if self.open.len() >= self.limits.depth_max {
            return Err(JsonError::TooDeep { at: self.at });
        }
        let index = self.nodes.len() as u32;
        self.leaf(self.at, tag)?;
        self.open.push(index);
        self.at += 1;
        Ok(next)
    }

    /// The closing bracket was just read: completes the entry of the innermost container.
    fn close(&mut self) -> Result<Next, JsonError> {
        let Some(index) = self.open.pop() else { return Err(self.wrong()) };
        let (end, next) = (self.at as u32, self.nodes.len() as u32);
        if let Some(node) = self.nodes.get_mut(index as usize) {
            node.end = end;
            node.next = next;
        }
        if self.tag(index) == Tag::Object {
            self.check_keys(index + 1, next)?;
        }
        Ok(self.after())
    }

    /// Appends a tape entry that ends here.
    fn leaf(&mut self, start: usize, tag: Tag) -> Result<(), JsonError> {
        if self.nodes.len() >= self.limits.nodes_max.min(u32::MAX as usize) {
            return Err(JsonError::TooLarge { at: start });
        }
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: self.at as u32, next, tag });
        Ok(())
    }

    fn literal(&mut self, word: &[u8], tag: Tag) -> Result<(), JsonError> {
        let start = self.at;
        if !self.rest().starts_with(word) {
            return Err(self.wrong());
        }
        self.at += word.len();
        self.leaf(start, tag)
    }

    /// Reads a string with its quotes; true if it holds an escape.
    fn string(&mut self) -> Result<bool, JsonError> {
        let mut escaped = false;
        self.at += 1;
        loop {
            self.at += plain_len(self.rest());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    let (_, used) = text::escaped_char(self.rest()).ok_or_else(|| self.wrong())?;
                    self.at += used;
                    escaped = true;
                }
                Some(_) | None => return Err(self.wrong()),
            }
        }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self.rest().iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        if count == 0 { Err(self.wrong()) } else { Ok(()) }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn tag(&self, index: u32) -> Tag {
        self.nodes.get(index as usize).map_or(Tag::Null, |n| n.tag)
    }

    fn wrong(&self) -> JsonError {
        JsonError::NotJson { at: self.at }
    }

    /// Refuses a key that stands twice among the entries `from..to`, which are the members of one object.
    fn check_keys(&self, from: u32, to: u32) -> Result<(), JsonError> {
        let mut few: [&[u8]; PAIRWISE_KEYS_MAX] = [&[]; PAIRWISE_KEYS_MAX];
        for (count, key) in (Keys { parser: self, at: from, end: to }).enumerate() {
            let inner = text::inner(self.source(key));
            // Keys with escapes and objects with many keys take the general way.
            if key.tag == Tag::KeyEscaped || count == PAIRWISE_KEYS_MAX {
                return self.check_many_keys(from, to);
            }
            if few.iter().take(count).any(|k| *k == inner) {
                return Err(JsonError::DuplicateKey { at: key.start as usize });
            }
            if let Some(slot) = few.get_mut(count) {
                *slot = inner;
            }
        }
        Ok(())
    }

    fn check_many_keys(&self, from: u32, to: u32) -> Result<(), JsonError> {
        let mut seen: HashSet<Cow<'_, [u8]>> = HashSet::new();
        for key in (Keys { parser: self, at: from, end: to }) {
            let inner = text::inner(self.source(key));
            let decoded = match key.tag {
                Tag::KeyEscaped => Cow::Owned(text::unescape(inner).into_bytes()),
                _ => Cow::Borrowed(inner),
            };
            if !seen.insert(decoded) {
                return Err(JsonError::DuplicateKey { at: key.start as usize });
            }
        }
        Ok(())
    }

    fn source(&self, node: Node) -> &[u8] {
        self.bytes.get(node.start as usize..node.end as usize).unwrap_or_default()
    }
}

/// The keys of one object, by their tape entries.
struct Keys<'a> {
    parser: &'a Parser<'a>,
    at: u32,
    end: u32,
}

impl Iterator for Keys<'_> {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        if self.at >= self.end {
            return None;
        }
        let key = self.parser.nodes.get(self.at as usize).copied()?;
        self.at = self.parser.nodes.get(self.at as usize + 1)?.next;
        Some(key)
    }
}

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Length of the prefix without quote, backslash and control characters; eight bytes at a time.
fn plain_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|b| b.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (LOW * u64::from(b'"'));
        let backslash = word ^ (LOW * u64::from(b'\\'));
        // The classic zero-byte test; a borrow can only mark bytes above a true hit, so the lowest mark is exact.
        let hits = (quote.wrapping_sub(LOW) & !quote)
            | (backslash.wrapping_sub(LOW) & !backslash)
            | (word.wrapping_sub(LOW * 0x20) & !word);
        let hits = hits & HIGH;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|b| **b >= 0x20 && **b != b'"' && **b != b'\\').count()
}

//! Hashes and tokens in the place of values, and the way back from tokens.
//!
//! A token is the type's name and a keyed hash of the value: 60 bits of HMAC-SHA-256 under the operator's key, over tenant, agent
//! run (if the route names one), type and value, in letters only, so that no number can be seen in it. Equal values have equal tokens
//! within an agent run, and over all requests of a tenant where there is none, so that a model can tell people apart; nothing is kept anywhere: only what was put into *this* request comes back
//! in its reply. Text of a client that looks like a token comes back as it is, unless it is that of a value which stands in the same
//! request.
//!
//! # Invariants
//! * A reply that arrives in pieces is turned back as the whole one (`a_reply_in_pieces_is_turned_back_as_the_whole`).
//! * Tokens of other requests, tenants and conversations stay (`only_tokens_of_this_request_come_back`).
//! * What is held back of a stream is less than a token (`less_than_a_token_is_held_back`).

use raptorgate_config::model::{Masking, PiiAction, PiiType};
use raptorgate_config::units::Secret;
use raptorgate_guards::pii::{HASH_LETTERS, Kind, Tokens, canonical, placeholder, type_name};
use ring::hmac;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest token: names of own patterns are cut.
const NAME_BYTES_MAX: usize = 24;
pub(super) const TOKEN_BYTES_MAX: usize = NAME_BYTES_MAX + HASH_LETTERS + 3;

/// Values of one request that come back; further ones are replaced by their type's name.
const MINTED_MAX: usize = 4_096;

/// What is done with what is looked for, where that needs a key.
#[derive(Debug)]
pub(super) struct Keyed {
    key: Option<hmac::Key>,
    types: BTreeMap<PiiType, PiiAction>,
    own: Vec<(String, PiiAction)>,
}

impl Keyed {
    pub fn new(masking: &Masking, key: Option<&Secret>) -> Self {
        let own = |pattern: &raptorgate_config::model::OwnPattern| {
            let name: String = pattern.name.to_uppercase().chars().take(NAME_BYTES_MAX).collect();
            (name, pattern.action)
        };
        Self {
            key: key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes())),
            types: masking.types.iter().map(|masked| (masked.kind, masked.action)).collect(),
            own: masking.patterns.iter().map(own).collect(),
        }
    }

    fn action(&self, kind: Kind) -> (&str, PiiAction) {
        match kind {
            Kind::Type(kind) => {
                let name = type_name(kind).trim_matches(['[', ']']);
                (name, self.types.get(&kind).copied().unwrap_or(PiiAction::Replace))
            }
            Kind::Own(place) => {
                self.own.get(place).map_or(("OWN", PiiAction::Replace), |(name, action)| (name, *action))
            }
        }
    }
}

/// Tokens that were put into one request, with what they stand for.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Minted(BTreeMap<String, String>);

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Minted({})", self.0.len())
    }
}

impl Minted {
    /// True if nothing can come back.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn value(&self, token: &str) -> Option<&str> {
        self.0.get(token).map(String::as_str)
    }
}

/// Makes hashes and tokens for one request or reply.
#[derive(Debug)]
pub(super) struct Minter {
    keyed: Arc<Keyed>,
    /// Tenant and conversation, each with its length before it.
    scope: Vec<u8>,
    pub minted: Minted,
}

impl Minter {
    pub fn new(keyed: &Arc<Keyed>, tenant: &str, conversation: &str) -> Self {
        let mut scope = Vec::with_capacity(tenant.len() + conversation.len() + 16);
        for part in [tenant, conversation] {
            scope.extend_from_slice(&(part.len() as u64).to_le_bytes());
            scope.extend_from_slice(part.as_bytes());
        }
        Self { keyed: keyed.clone(), scope, minted: Minted::default() }
    }
}

impl Tokens for Minter {
    fn token(&mut self, kind: Kind, value: &str) -> Option<String> {
        let (name, action) = self.keyed.action(kind);
        let comes_back = match action {
            PiiAction::Hash => false,
            PiiAction::Tokenize => true,
            PiiAction::Mask { .. } | PiiAction::Replace | PiiAction::Block | PiiAction::Report => return None,
        };
        let key = self.keyed.key.as_ref()?;
        let mut context = hmac::Context::with_key(key);
        context.update(&self.scope);
        context.update(&(name.len() as u64).to_le_bytes());
        context.update(name.as_bytes());
        // a token stands for what was written, a hash for what it means
        context.update(&if comes_back { value.as_bytes().to_vec() } else { canonical(value) });
        let token = placeholder(name, context.sign().as_ref());
        if comes_back {
            if self.minted.0.len() >= MINTED_MAX && !self.minted.0.contains_key(&token) {
                return None;
            }
            self.minted.0.insert(token.clone(), value.to_owned());
        }
        Some(token)
    }
}

/// How a value stands in the text it comes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As it is.
    Plain,
    /// Inside of a string of JSON that is itself a text, such as the arguments of a tool call.
    InJson,
}

/// Turns the tokens of one text back, which arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct Restorer {
    held: String,
}

impl Restorer {
    /// Appends what is certain of the text so far.
    pub fn push(&mut self, piece: &str, minted: &Minted, spelling: Spelling, out: &mut String) {
        self.held.push_str(piece);
        let mut from = 0;
        while let Some(start) = self.held.get(from..).and_then(|rest| rest.find('[')).map(|at| from + at) {
            out.push_str(self.held.get(from..start).unwrap_or_default());
            let rest = self.held.get(start..).unwrap_or_default();
            match token_end(rest) {
                End::At(end) => {
                    let token = rest.get(..end).unwrap_or_default();
                    match minted.value(token) {
                        Some(value) => spell(value, spelling, out),
                        None => out.push_str(token),
                    }
                    from = start + end;
                }
                End::None => {
                    out.push('[');
                    from = start + 1;
                }
                End::Open => {
                    self.held.drain(..start);
                    return;
                }
            }
        }
        out.push_str(self.held.get(from..).unwrap_or_default());
        self.held.clear();
    }

    /// The text is over.
    pub fn finish(&mut self, out: &mut String) {
        out.push_str(&self.held);
        self.held.clear();
    }

    /// What is held back.
    pub fn held(&self) -> &str {
        &self.held
    }
}

/// Where a token that begins here ends.
enum End {
    At(usize),
    /// None begins here.
    None,
    /// More text is needed.
    Open,
}

fn token_end(rest: &str) -> End {
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b']' => return End::At(at + 1),
            _ if at >= TOKEN_BYTES_MAX => return End::None,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b':' | b'_' | b'-' | b'.' => {}
            _ => return End::None,
        }
    }
    if rest.len() >= TOKEN_BYTES_MAX { End::None } else { End::Open }
}

fn spell(value: &str, spelling: Spelling, out: &mut String) {
    match spelling {
        Spelling::Plain => out.push_str(value),
        Spelling::InJson => {
            let quoted = crate::framers::json::text::quote(value);
            out.push_str(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
        }
    }
}

/// Turns the tokens of a whole text back; `None` if it has none.
pub(super) fn restore(text: &str, minted: &Minted, spelling: Spelling) -> Option<String> {
    if minted.is_empty() || !text.contains('[') {
        return None;
    }
    let (mut restorer, mut out) = (Restorer::default(), String::with_capacity(text.len()));
    restorer.push(text, minted, spelling, &mut out);
    restorer.finish(&mut out);
    (out != text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use raptorgate_config::model::Masked;

    fn keyed(action: PiiAction) -> Arc<Keyed> {
        let types = PiiType::ALL.map(|kind| Masked { kind, action, threshold_percent: 50 });
        let masking = Masking { types: types.to_vec(), patterns: vec![] };
        Arc::new(Keyed::new(&masking, Some(&Secret::new("0123456789abcdef0123456789abcdef"))))
    }

    fn minter(tenant: &str, conversation: &str) -> Minter {
        Minter::new(&keyed(PiiAction::Tokenize), tenant, conversation)
    }

    fn pan(minter: &mut Minter, value: &str) -> String {
        minter.token(Kind::Type(PiiType::Pan), value).unwrap()
    }

    #[test]
    fn only_tokens_of_this_request_come_back() {
        let mut mine = minter("acme", "c1");
        let token = pan(&mut mine, "ABCPE1234F");
        assert!(
            token.starts_with("[PAN:") && token.len() == 21 && !token.bytes().any(|b| b.is_ascii_digit()),
            "{token}"
        );
        assert_eq!(pan(&mut mine, "ABCPE1234F"), token, "equal values have equal tokens");
        for mut other in [minter("acme", "c2"), minter("umbrella", "c1"), minter("acmec", "1")] {
            let theirs = pan(&mut other, "ABCPE1234F");
            assert_ne!(theirs, token);
            assert_eq!(restore(&theirs, &mine.minted, Spelling::Plain), None);
        }
        let text = format!("is {token}! [{token}] [x] [PAN:");
        assert_eq!(restore(&text, &mine.minted, Spelling::Plain).unwrap(), "is ABCPE1234F! [ABCPE1234F] [x] [PAN:");
        let mut hashed = Minter::new(&keyed(PiiAction::Hash), "acme", "c1");
        assert_eq!(pan(&mut hashed, "ABCPE1234F"), pan(&mut hashed, "abcpe 1234f"), "a hash tells what it means");
        assert!(hashed.minted.is_empty(), "a hash does not come back");
    }

    #[test]
    fn a_value_in_arguments_is_spelled_as_json() {
        let mut mine = minter("acme", "c");
        let token = mine.token(Kind::Type(PiiType::Secret), "a\"b\\c").unwrap();
        let text = format!("{{\"x\":\"{token}\"}}");
        let back = restore(&text, &mine.minted, Spelling::InJson).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&back).unwrap()["x"], "a\"b\\c");
    }

    proptest! {
        #[test]
        fn a_reply_in_pieces_is_turned_back_as_the_whole(parts in prop::collection::vec("\\[|\\]|T|[a-zA-Z:é ]{0,6}", 0..12), cut in 1..9_usize) {
            let mut mine = minter("acme", "c");
            let token = pan(&mut mine, "ABCPE1234F");
            let text: String = parts.iter().map(|part| if part == "T" { token.as_str() } else { part }).collect();
            let whole = restore(&text, &mine.minted, Spelling::Plain).unwrap_or_else(|| text.clone());
            let (mut restorer, mut out) = (Restorer::default(), String::new());
            let chars: Vec<char> = text.chars().collect();
            for piece in chars.chunks(cut) {
                restorer.push(&piece.iter().collect::<String>(), &mine.minted, Spelling::Plain, &mut out);
                prop_assert!(restorer.held().len() < TOKEN_BYTES_MAX, "less_than_a_token_is_held_back");
            }
            restorer.finish(&mut out);
            prop_assert_eq!(out, whole);
        }

        #[test]
        fn less_than_a_token_is_held_back(text in "[\\[a-zA-Z:]{0,200}") {
            let (mut restorer, mut out) = (Restorer::default(), String::new());
            restorer.push(&text, &Minted::default(), Spelling::Plain, &mut out);
            prop_assert!(restorer.held().len() < TOKEN_BYTES_MAX);
        }
    }
}

//! `Idempotency-Key`: reads the client's key, and what the request is, before anything changes it.
//!
//! After [draft-ietf-httpapi-idempotency-key-header](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/). What
//! the key means for the request is decided by `admit`, with everything else that the store is asked.
//!
//! # Invariants
//! * A key means the same with and without the quotes of the draft (`a_key_means_the_same_with_and_without_quotes`).
//! * Whatever differs in method, path, query or body is another request (`every_part_of_a_request_counts`).

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, Phases, RequestHead};
use crate::payload::Payload;
use async_trait::async_trait;
use http::{HeaderMap, HeaderName};
use raptorgate_config::model;
use raptorgate_policies::Denial;
use raptorgate_policies::admission::ClientKey;
use raptorgate_policies::denial::KeyRefusal;
use raptorgate_policies::ledger::{Fingerprint, OnUnknown};
use sha2::{Digest, Sha256};

/// Name of the header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// `true`: run it again if nobody knows what became of the first request.
pub const RETRY_UNKNOWN: HeaderName = HeaderName::from_static("x-raptorgate-retry-unknown");

/// Longest key in characters, as at Stripe. Longer: refused.
const KEY_CHARS_MAX: usize = 255;

/// The filter of one route.
#[derive(Debug)]
pub struct Idempotency {
    required: bool,
    methods: Vec<String>,
}

impl Idempotency {
    /// Compiles a route's block.
    pub fn new(config: &model::Idempotency) -> Self {
        Self { required: config.required, methods: config.methods.clone() }
    }

    fn key(&self, head: &RequestHead<'_>) -> Result<Option<ClientKey>, Denial> {
        if !self.methods.iter().any(|method| method == head.method.as_str()) {
            return Ok(None);
        }
        match read(head.headers)? {
            None if self.required => Err(Denial::Key(KeyRefusal::Missing)),
            None => Ok(None),
            Some(text) => {
                let again = head.headers.get(RETRY_UNKNOWN).is_some_and(|value| value.as_bytes() == b"true");
                let on_unknown = if again { OnUnknown::RunAgain } else { OnUnknown::Refuse };
                Ok(Some(ClientKey { text, fingerprint: Fingerprint::default(), on_unknown }))
            }
        }
    }
}

/// The key that was sent.
fn read(headers: &HeaderMap) -> Result<Option<Box<str>>, Denial> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let invalid = Denial::InvalidIdentifier("idempotency key");
    let text = value.as_bytes().trim_ascii();
    let one = values.next().is_none() && text.iter().all(|b| (b' '..=b'~').contains(b));
    let Some(text) = std::str::from_utf8(text).ok().filter(|_| one) else { return Err(invalid) };
    let key = if text.starts_with('"') { unquoted(text) } else { Some(text.into()) };
    key.filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len())).map(Some).ok_or(invalid)
}

/// The text of a structured field string (RFC 9651 §4.2.5) without parameters.
fn unquoted(text: &str) -> Option<Box<str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut key = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => key.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            plain => key.push(plain),
        }
    }
    Some(key.into())
}

/// What a request is: each part with its length, so that no two requests are the same bytes. The body without its content
/// coding, which says nothing about what is asked.
fn fingerprint(head: &RequestHead<'_>, body: &[u8]) -> Fingerprint {
    let mut hash = Sha256::new();
    let query = head.query.map_or_else(String::new, |query| format!("?{query}"));
    for part in [head.method.as_str().as_bytes(), head.path.as_bytes(), query.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[async_trait]
impl Filter for Idempotency {
    fn name(&self) -> FilterName {
        FilterName::Idempotency
    }

    fn phases(&self) -> Phases {
        Phases { request: true, request_body: true, ..Phases::default() }
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        match self.key(head) {
            Ok(key) => {
                exchange.client_key = key;
                Decision::Continue
            }
            Err(denial) => Decision::Deny(denial),
        }
    }

    async fn on_request_body(&self, head: &RequestHead<'_>, body: &mut Payload, exchange: &mut Exchange) -> Decision {
        if let Some(key) = &mut exchange.client_key {
            key.fingerprint = fingerprint(head, body.original());
        }
        Decision::Continue
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{exchange, headers, run};
    use http::Method;
    use proptest::prelude::*;

    fn filter(required: bool) -> Idempotency {
        Idempotency { required, methods: vec!["POST".into()] }
    }

    fn sent(value: &str) -> Result<Option<Box<str>>, Denial> {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, value.parse().unwrap());
        read(&headers)
    }

    #[test]
    fn a_key_means_the_same_with_and_without_quotes() {
        assert_eq!(sent("8e03978e-40d5"), Ok(Some("8e03978e-40d5".into())));
        assert_eq!(sent("\"8e03978e-40d5\""), Ok(Some("8e03978e-40d5".into())));
        assert_eq!(sent(r#""a\\b\"c""#), Ok(Some(r#"a\b"c"#.into())));
        let long = "k".repeat(255);
        assert_eq!(sent(&long), Ok(Some(long.clone().into())));
        assert_eq!(sent(&format!("\"{long}\"")), Ok(Some(long.clone().into())));
        for bad in
            ["", "\"\"", "\"a", "\"", "\"a\"b\"", "\"a\\\"", "\"a\\n\"", "\"a\";p=1", &format!("{long}k"), "a\tb"]
        {
            assert_eq!(sent(bad), Err(Denial::InvalidIdentifier("idempotency key")), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn only_a_required_key_may_not_be_left_out() {
        let none = headers(&[]);
        assert_eq!(run(&filter(false), &none, "", &mut exchange()).await, Ok(()));
        assert_eq!(run(&filter(true), &none, "", &mut exchange()).await, Err(Denial::Key(KeyRefusal::Missing)));
        let twice = headers(&[("idempotency-key", b"a"), ("idempotency-key", b"a")]);
        let invalid = Denial::InvalidIdentifier("idempotency key");
        assert_eq!(run(&filter(false), &twice, "", &mut exchange()).await, Err(invalid));
        let get = RequestHead { method: &Method::GET, path: "/", query: None, headers: &none };
        assert!(matches!(filter(true).key(&get), Ok(None)), "only the methods of the block have keys");
    }

    #[tokio::test]
    async fn a_client_may_ask_to_run_what_nobody_knows_of() {
        for (value, expected) in [(b"true", OnUnknown::RunAgain), (b"yes!", OnUnknown::Refuse)] {
            let sent = headers(&[("idempotency-key", b"a"), ("x-raptorgate-retry-unknown", value)]);
            let mut exchange = exchange();
            run(&filter(true), &sent, "body", &mut exchange).await.unwrap();
            assert_eq!(exchange.client_key.unwrap().on_unknown, expected);
        }
    }

    proptest! {
        #[test]
        fn every_part_of_a_request_counts(
            one in ("(GET|POST)", "/[a-z?]{0,3}", proptest::option::of("[a-z?]{0,3}"), "[a-z]{0,3}"),
            other in ("(GET|POST)", "/[a-z?]{0,3}", proptest::option::of("[a-z?]{0,3}"), "[a-z]{0,3}"),
        ) {
            let headers = HeaderMap::new();
            let print = |(method, path, query, body): &(String, String, Option<String>, String)| {
                let method = method.parse().unwrap();
                let head = RequestHead { method: &method, path, query: query.as_deref(), headers: &headers };
                fingerprint(&head, body.as_bytes())
            };
            prop_assert_eq!(print(&one) == print(&other), one == other);
        }
    }
}

//! A name that the client gives in a header or in its JSON body.
//!
//! # Invariants
//! * Only the phase of its source is asked for: a name in a header makes nobody buffer a body
//!   (`one_source_is_one_phase`).
//! * What comes out has 1 to [`NAME_CHARS_MAX`] characters, none of them a control character
//!   (`a_name_is_harmless_or_refused`).
//! * A body that says it is JSON is read or refused (`json_that_cannot_be_read_is_refused`).

use crate::filter::BodyKind;
use crate::filter::{Phases, RequestHead};
use crate::framers::json::{JsonDoc, JsonKind, NodeId};
use crate::payload::Payload;
use crate::read_body::{body_kind, read_json};
use http::HeaderMap;
use raptorgate_config::model::{JsonStep, Source};
use raptorgate_policies::Denial;
use std::sync::Arc;

/// Longest name in characters. Longer: refused.
pub const NAME_CHARS_MAX: usize = 256;

/// Where one name is read from, and what it is called in refusals.
#[derive(Clone, Debug)]
pub struct NameSource {
    source: Source,
    what: &'static str,
}

impl NameSource {
    /// Takes a configured source.
    pub fn new(source: &Source, what: &'static str) -> Self {
        Self { source: source.clone(), what }
    }

    /// The one phase in which the name can be read.
    pub fn phases(&self) -> Phases {
        match self.source {
            Source::Header(_) => Phases { request: true, ..Phases::default() },
            Source::Json(_) => Phases { request_body: true, ..Phases::default() },
        }
    }

    /// The name, if it stands in a header and was sent.
    pub fn from_head(&self, head: &RequestHead<'_>) -> Result<Option<Arc<str>>, Denial> {
        match &self.source {
            Source::Header(name) => self.header(head.headers, name),
            Source::Json(_) => Ok(None),
        }
    }

    /// The name, if it stands in the body and was sent. A body that is not JSON names nobody.
    pub fn from_body(&self, head: &RequestHead<'_>, body: &mut Payload) -> Result<Option<Arc<str>>, Denial> {
        let Source::Json(steps) = &self.source else { return Ok(None) };
        if body.original().is_empty() || body_kind(head.headers) != BodyKind::Json {
            return Ok(None);
        }
        let doc = read_json(head, body)?;
        let Some(node) = walk(doc, steps) else { return Ok(None) };
        match doc.kind(node) {
            JsonKind::Null => Ok(None),
            JsonKind::String => self.name(doc.str(node).as_deref()).map(Some),
            JsonKind::Object | JsonKind::Array | JsonKind::Number | JsonKind::Bool => Err(self.invalid()),
        }
    }

    fn header(&self, headers: &HeaderMap, name: &str) -> Result<Option<Arc<str>>, Denial> {
        let mut values = headers.get_all(name).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(self.invalid());
        }
        self.name(std::str::from_utf8(value.as_bytes().trim_ascii()).ok()).map(Some)
    }

    fn name(&self, text: Option<&str>) -> Result<Arc<str>, Denial> {
        let text = text.ok_or_else(|| self.invalid())?;
        let length = text.chars().take(NAME_CHARS_MAX + 1).count();
        let harmless = (1..=NAME_CHARS_MAX).contains(&length) && !text.chars().any(char::is_control);
        if harmless { Ok(Arc::from(text)) } else { Err(self.invalid()) }
    }

    fn invalid(&self) -> Denial {
        Denial::InvalidIdentifier(self.what)
    }
}

fn walk(doc: &JsonDoc, steps: &[JsonStep]) -> Option<NodeId> {
    steps.iter().try_fold(doc.root(), |node, step| match (step, doc.kind(node)) {
        (JsonStep::Member(name), JsonKind::Object) => doc.get(node, name),
        (JsonStep::Index(i), JsonKind::Array) => doc.index(node, *i),
        (JsonStep::Member(_) | JsonStep::Index(_), _) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framers::json::JsonLimits;
    use crate::testing::headers;
    use bytes::Bytes;
    use http::Method;
    use proptest::prelude::*;

    const INVALID: Denial = Denial::InvalidIdentifier("end user");

    fn json_source() -> NameSource {
        let steps = vec![JsonStep::Member("users".into()), JsonStep::Index(1), JsonStep::Member("id".into())];
        NameSource::new(&Source::Json(steps), "end user")
    }

    fn header_source() -> NameSource {
        NameSource::new(&Source::Header("x-user".into()), "end user")
    }

    fn in_body(content_type: &'static str, body: &[u8]) -> Result<Option<Arc<str>>, Denial> {
        let headers = headers(&[("content-type", content_type.as_bytes())]);
        let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: &headers };
        json_source().from_body(&head, &mut Payload::new(Bytes::copy_from_slice(body), JsonLimits::default()))
    }

    fn in_headers(headers: &HeaderMap) -> Result<Option<Arc<str>>, Denial> {
        header_source().from_head(&RequestHead { method: &Method::GET, path: "/", query: None, headers })
    }

    #[test]
    fn one_source_is_one_phase() {
        assert_eq!(header_source().phases(), Phases { request: true, ..Phases::default() });
        assert_eq!(json_source().phases(), Phases { request_body: true, ..Phases::default() });
    }

    #[test]
    fn a_name_in_the_body_is_found_by_its_path() {
        let found = in_body("application/json", br#"{"users":[{},{"id":"\u0061sha"}]}"#);
        assert_eq!(found, Ok(Some("asha".into())));
        for absent in [
            "{}",
            r#"{"users":{"1":{"id":"x"}}}"#,
            r#"{"users":[{"id":"x"}]}"#,
            r#"{"users":[0,{"id":null}]}"#,
            "3",
            "",
        ] {
            assert_eq!(in_body("application/json", absent.as_bytes()), Ok(None), "{absent}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_refused() {
        for value in ["7", "true", "[\"x\"]", "{}", "\"\"", "\"a\\nb\"", "\"\\u0000\""] {
            let body = format!(r#"{{"users":[0,{{"id":{value}}}]}}"#);
            assert_eq!(in_body("application/json", body.as_bytes()), Err(INVALID), "{value}");
        }
    }

    #[test]
    fn json_that_cannot_be_read_is_refused() {
        assert_eq!(in_body("application/json", b"{"), Err(Denial::BodyNotJson));
        assert_eq!(in_body("application/json", br#"{"a":1,"a":2}"#), Err(Denial::BodyDuplicateKey));
        let headers = headers(&[("content-type", b"application/json"), ("content-encoding", b"gzip")]);
        let head = RequestHead { method: &Method::POST, path: "/", query: None, headers: &headers };
        let mut body = Payload::new(Bytes::from_static(b"{}"), JsonLimits::default());
        assert_eq!(json_source().from_body(&head, &mut body), Err(Denial::UnsupportedContentCoding));
    }

    #[test]
    fn a_body_that_is_not_json_names_nobody() {
        assert_eq!(in_body("text/plain", br#"{"users":[0,{"id":"x"}]}"#), Ok(None));
    }

    #[test]
    fn a_name_in_a_header_is_one_text() {
        assert_eq!(in_headers(&headers(&[])), Ok(None));
        assert_eq!(in_headers(&headers(&[("x-user", "आशा".as_bytes())])), Ok(Some("आशा".into())));
        let refused: [&[(&str, &[u8])]; 3] =
            [&[("x-user", b"")], &[("x-user", b"\xff")], &[("x-user", b"a"), ("x-user", b"a")]];
        for bad in refused {
            assert_eq!(in_headers(&headers(bad)), Err(INVALID), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_harmless_or_refused(text in "\\PC{0,300}|(?s).{0,300}") {
            match header_source().name(Some(&text)) {
                Ok(name) => {
                    prop_assert_eq!(&*name, &*text);
                    prop_assert!((1..=256).contains(&name.chars().count()) && !name.chars().any(char::is_control));
                }
                Err(denial) => {
                    prop_assert_eq!(denial, INVALID);
                    prop_assert!(text.is_empty() || text.chars().count() > 256 || text.chars().any(char::is_control));
                }
            }
        }
    }
}

//! `authenticate`: who is calling, proven by an API key or a client certificate; what the upstream is told about it.
//!
//! # Invariants
//! * Two different keys in one request are refused: nobody could say which one counts
//!   (`two_different_keys_are_refused`).
//! * A key that is sent decides alone, also against a certificate: a caller that means to use a key is never taken for
//!   somebody else (`a_key_decides_before_a_certificate`).
//! * The upstream's identity headers come from the key or are absent; what a client sent never shows through
//!   (`a_client_cannot_write_identity_headers`).

use crate::exchange::Exchange;
use crate::filter::{Decision, Filter, FilterName, HeaderEdits, Phases, RequestHead};
use async_trait::async_trait;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use raptorgate_config::model;
use raptorgate_policies::client_certificate::{CertificateRing, VerifiedCertificate};
use raptorgate_policies::keys::KeyRing;
use raptorgate_policies::{Denial, Identity};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const TENANT: HeaderName = HeaderName::from_static("x-raptorgate-tenant");
const USER: HeaderName = HeaderName::from_static("x-raptorgate-user");
const SCOPES: HeaderName = HeaderName::from_static("x-raptorgate-scopes");

/// The filter of one route.
#[derive(Debug)]
pub struct Authenticate {
    keys: Option<KeyRing>,
    certificates: CertificateRing,
}

impl Authenticate {
    /// Compiles a route's block.
    pub fn new(config: &model::Authenticate) -> Self {
        Self {
            keys: (!config.api_keys.is_empty()).then(|| KeyRing::new(&config.api_keys)),
            certificates: CertificateRing::new(&config.client_certificates),
        }
    }

    fn identify(&self, headers: &HeaderMap, certificate: Option<&VerifiedCertificate>) -> Result<Identity, Denial> {
        if let Some(keys) = &self.keys
            && let Some(key) = presented_key(headers)?
        {
            return keys.verify(key);
        }
        let identified = match certificate {
            Some(certificate) => self.certificates.verify(certificate),
            None => Err(Denial::MissingClientCertificate),
        };
        // whoever may send a key is told about the key
        identified.map_err(|denial| if self.keys.is_some() { Denial::MissingApiKey } else { denial })
    }
}

/// The key of `Authorization: Bearer` or `x-api-key`, both if they are the same. Other schemes present no key.
pub(crate) fn presented_key(headers: &HeaderMap) -> Result<Option<&str>, Denial> {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| bearer(value.as_bytes()));
    let plain = headers.get_all(X_API_KEY).iter().map(|value| value.as_bytes().trim_ascii());
    let mut keys = bearer.chain(plain);
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.any(|other| other != key) {
        return Err(Denial::BadRequest("it holds two different API keys; send one"));
    }
    std::str::from_utf8(key).map(Some).map_err(|_| Denial::InvalidApiKey)
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = value.split_at_checked(b"bearer".len())?;
    let separated = key.first().is_none_or(|b| matches!(b, b' ' | b'\t'));
    (scheme.eq_ignore_ascii_case(b"bearer") && separated).then(|| key.trim_ascii())
}

fn tell_upstream(identity: &Identity, headers: &mut HeaderEdits) {
    set_or_remove(headers, TENANT, identity.tenant());
    set_or_remove(headers, USER, identity.user());
    set_or_remove(headers, SCOPES, &identity.scopes().join(" "));
}

// Removed and not left alone: a header of this name could only come from the client.
fn set_or_remove(headers: &mut HeaderEdits, name: HeaderName, value: &str) {
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(value) if !value.is_empty() => headers.set(name, value),
        Ok(_) | Err(_) => headers.remove(name),
    }
}

#[async_trait]
impl Filter for Authenticate {
    fn name(&self) -> FilterName {
        FilterName::Authenticate
    }

    fn phases(&self) -> Phases {
        Phases { request: true, ..Phases::default() }
    }

    async fn on_request(&self, head: &RequestHead<'_>, exchange: &mut Exchange) -> Decision {
        match self.identify(head.headers, exchange.client_certificate.as_ref()) {
            Ok(identity) => {
                tell_upstream(&identity, &mut exchange.upstream_headers);
                exchange.identity = Some(identity);
                Decision::Continue
            }
            Err(denial) => Decision::Deny(denial),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::{exchange, headers, run};
    use raptorgate_config::certificates::CertificateFacts;
    use raptorgate_policies::keys::ApiKeyHash;
    use std::sync::Arc;

    pub(crate) fn filter(user: &str, scopes: &[&str]) -> Authenticate {
        let sha256 = *ApiKeyHash::of("sk-one").unwrap().as_bytes();
        let scopes = scopes.iter().map(|&s| Arc::from(s)).collect();
        let (tier, region) = (None, None);
        let key =
            model::ApiKey { id: "k1".into(), sha256, tenant: "acme".into(), user: user.into(), tier, region, scopes };
        Authenticate::new(&model::Authenticate { api_keys: vec![key], client_certificates: Vec::new() })
    }

    type Sent<'a> = &'a [(&'static str, &'static [u8])];

    async fn outcome(sent: Sent<'_>) -> Result<(), Denial> {
        run(&filter("asha", &[]), &headers(sent), "", &mut exchange()).await
    }

    #[tokio::test]
    async fn a_key_is_taken_from_either_header() {
        let accepted: [Sent<'_>; 5] = [
            &[("authorization", b"Bearer sk-one")],
            &[("authorization", b"bearer   sk-one")],
            &[("x-api-key", b"sk-one")],
            &[("authorization", b"Bearer sk-one"), ("x-api-key", b"sk-one")],
            &[("authorization", b"Basic eDp5"), ("x-api-key", b"sk-one")],
        ];
        for sent in accepted {
            assert_eq!(outcome(sent).await, Ok(()), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn without_a_valid_key_nobody_passes() {
        assert_eq!(outcome(&[]).await, Err(Denial::MissingApiKey));
        assert_eq!(outcome(&[("authorization", b"Basic eDp5")]).await, Err(Denial::MissingApiKey));
        for key in [b"Bearer sk-two" as &'static [u8], b"Bearer", b"Bearer ", b"Bearer sk-one x", b"Bearer sk-\xff"] {
            assert_eq!(outcome(&[("authorization", key)]).await, Err(Denial::InvalidApiKey), "{key:?}");
        }
        assert_eq!(outcome(&[("authorization", b"Bearersk-one")]).await, Err(Denial::MissingApiKey));
    }

    fn certificate(subject: &str) -> VerifiedCertificate {
        let subject = Some(subject.to_owned());
        let facts = CertificateFacts { sha256: [1; 32], subject, sans: Vec::new(), not_before: 0, not_after: 0 };
        VerifiedCertificate::of_handshake(facts)
    }

    /// The route takes the key of `filter`, if it says so, and the certificate of `agents`.
    async fn of_connection(subject: Option<&str>, keys: bool, sent: Sent<'_>) -> Result<String, Denial> {
        let holds = model::CertificateMatch::Subject("agents".into());
        let (tier, region, scopes) = (None, None, Vec::new());
        let entry = model::ClientCertificate {
            id: "c1".into(),
            holds,
            tenant: "acme".into(),
            user: "ravi".into(),
            tier,
            region,
            scopes,
        };
        let mut filter = filter("asha", &[]);
        filter.certificates = CertificateRing::new(&[entry]);
        filter.keys = filter.keys.filter(|_| keys);
        let mut exchange = exchange();
        exchange.client_certificate = subject.map(certificate);
        run(&filter, &headers(sent), "", &mut exchange).await?;
        Ok(exchange.identity.unwrap().user().to_string())
    }

    #[tokio::test]
    async fn a_certificate_names_its_holder() {
        assert_eq!(of_connection(Some("agents"), false, &[]).await.as_deref(), Ok("ravi"));
        assert_eq!(of_connection(Some("agents"), true, &[]).await.as_deref(), Ok("ravi"));
        assert_eq!(of_connection(Some("others"), false, &[]).await, Err(Denial::InvalidClientCertificate));
        assert_eq!(of_connection(None, false, &[]).await, Err(Denial::MissingClientCertificate));
        for subject in [None, Some("others")] {
            assert_eq!(of_connection(subject, true, &[]).await, Err(Denial::MissingApiKey));
        }
    }

    #[tokio::test]
    async fn a_key_decides_before_a_certificate() {
        let key = |key: &'static [u8]| [("x-api-key", key)];
        assert_eq!(of_connection(Some("agents"), true, &key(b"sk-one")).await.as_deref(), Ok("asha"));
        assert_eq!(of_connection(Some("agents"), true, &key(b"sk-two")).await, Err(Denial::InvalidApiKey));
        // where no keys are taken, what looks like one is the backend's own affair
        assert_eq!(of_connection(Some("agents"), false, &key(b"sk-two")).await.as_deref(), Ok("ravi"));
    }

    #[tokio::test]
    async fn two_different_keys_are_refused() {
        let refused: [Sent<'_>; 3] = [
            &[("authorization", b"Bearer sk-one"), ("x-api-key", b"sk-two")],
            &[("x-api-key", b"sk-one"), ("x-api-key", b"sk-two")],
            &[("authorization", b"Bearer sk-one"), ("authorization", b"Bearer sk-two")],
        ];
        for sent in refused {
            assert!(matches!(outcome(sent).await, Err(Denial::BadRequest(_))), "{sent:?}");
        }
    }

    #[tokio::test]
    async fn the_upstream_learns_who_calls() {
        let mut exchange = exchange();
        let sent = headers(&[("x-api-key", b"sk-one")]);
        run(&filter("asha", &["act_as", "admin"]), &sent, "", &mut exchange).await.unwrap();
        let mut upstream = sent.clone();
        exchange.upstream_headers.apply(&mut upstream);
        assert_eq!(
            (&upstream[TENANT], &upstream[USER], &upstream[SCOPES]),
            (
                &HeaderValue::from_static("acme"),
                &HeaderValue::from_static("asha"),
                &HeaderValue::from_static("act_as admin"),
            )
        );
        assert_eq!(exchange.identity.map(|i| i.user().to_string()).as_deref(), Some("asha"));
    }

    #[tokio::test]
    async fn a_client_cannot_write_identity_headers() {
        let mut exchange = exchange();
        let sent = headers(&[
            ("x-api-key", b"sk-one"),
            ("x-raptorgate-user", b"root"),
            ("x-raptorgate-scopes", b"admin"),
            ("x-raptorgate-tenant", b"other"),
        ]);
        run(&filter("not\na header", &[]), &sent, "", &mut exchange).await.unwrap();
        let mut upstream = sent.clone();
        exchange.upstream_headers.apply(&mut upstream);
        assert_eq!(upstream[TENANT], "acme");
        assert!(!upstream.contains_key(USER) && !upstream.contains_key(SCOPES));
    }
}

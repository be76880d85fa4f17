//! What of a client's head reaches an upstream: nothing said in the gateway's name, in no spelling that a backend may take
//! for it, and nothing that was for this connection only.
//!
//! # Invariants
//! * Names are compared as CGI and WSGI see them, with `_` and `-` alike (RFC 3875 §4.1.18)
//!   (`every_request_of_the_corpus_is_served_or_refused_by_the_letter`).

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, Version, header};
use pingora_core::{ErrorType, OrErr, Result};
use pingora_http::RequestHeader;

/// Beginnings of names that only the gateway, or a proxy that it trusts, may say.
const OURS: [&str; 2] = ["x-raptorgate-", "x-forwarded-"];
/// Other names by which backends learn who asks and for what, and one that becomes `HTTP_PROXY` (CVE-2016-5385).
const CLAIMS: [&str; 9] = [
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-original-url",
    "x-rewrite-url",
    "proxy",
];

/// Drops from a head what the client has no right to say to an upstream.
pub fn drop_claims(head: &mut RequestHeader) {
    let forged: Vec<HeaderName> = head.headers.keys().filter(|name| is_claim(name.as_str())).cloned().collect();
    for name in forged {
        head.remove_header(&name);
    }
}

/// A name with `_` is dropped if it could be taken for a field that frames, routes or identifies; others pass.
fn is_claim(name: &str) -> bool {
    let canonical = name.replace('_', "-");
    let ours = OURS.iter().any(|prefix| canonical.starts_with(prefix)) || CLAIMS.contains(&&*canonical);
    let alias_of = [
        "content-length",
        "content-type",
        "content-encoding",
        "transfer-encoding",
        "connection",
        "authorization",
        "x-api-key",
        "x-request-id",
        "idempotency-key",
    ];
    ours || (name.contains('_') && alias_of.contains(&&*canonical))
}

/// Several `Cookie` fields, as HTTP/2 clients send them, become the one that servers expect (RFC 9113 §8.2.3).
pub fn join_cookies(head: &mut RequestHeader) -> Result<()> {
    let crumbs: Vec<&[u8]> = head.headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return Ok(());
    }
    let joined = crumbs.join(&b"; "[..]);
    match HeaderValue::from_bytes(&joined) {
        Ok(joined) => head.insert_header(header::COOKIE, joined),
        Err(_) => Ok(()), // made of valid values: cannot be
    }
}

/// `Upgrade` means something only on HTTP/1.1, named by `Connection`, and only WebSocket is spoken; else it is ignored, as
/// RFC 9110 §7.8 allows.
pub fn drop_idle_upgrade(head: &mut RequestHeader) {
    let websocket = head.headers.get(header::UPGRADE).is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"websocket"));
    let named = named_by_connection(&head.headers).any(|name| name == header::UPGRADE);
    if !(websocket && named && head.version == Version::HTTP_11) {
        head.remove_header(&header::UPGRADE);
        head.remove_header("http2-settings");
    }
}

/// The fields that `Connection` names. `close` and `keep-alive` are among them: no field of such a name is kept either.
pub fn named_by_connection(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> + use<> {
    let lists: Vec<HeaderValue> = headers.get_all(header::CONNECTION).iter().cloned().collect();
    let names = move |list: HeaderValue| -> Vec<HeaderName> {
        let members = list.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii);
        members.filter_map(|name| HeaderName::from_bytes(name).ok()).collect()
    };
    lists.into_iter().flat_map(names)
}

/// `TE: trailers` is for one connection only and was dropped as such; between two HTTP/2 connections, where trailers pass, it is
/// said anew: gRPC servers refuse calls without it.
pub fn accept_trailers(head: &mut RequestHeader, client: &RequestHeader) -> Result<()> {
    let asked = client.headers.get(header::TE).is_some_and(|te| te == "trailers");
    if asked && client.version == Version::HTTP_2 && head.version == Version::HTTP_2 {
        return head.insert_header(header::TE, "trailers");
    }
    Ok(())
}

/// The upstream's own host, in the field and in the URI, which becomes `:authority`.
pub fn name_host(head: &mut RequestHeader, host: &str) -> Result<()> {
    if head.uri.authority().is_some() {
        let mut parts = head.uri.clone().into_parts();
        parts.authority = host.parse().ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            head.set_uri(uri);
        }
    }
    head.insert_header(header::HOST, host)
}

/// Another query than the client's.
pub fn name_query(head: &mut RequestHeader, query: &str) -> Result<()> {
    let mut parts = head.uri.clone().into_parts();
    let target = PathAndQuery::try_from(format!("{}?{query}", head.uri.path()));
    parts.path_and_query = Some(target.or_err(ErrorType::InternalError, "a query that is no query")?);
    head.set_uri(Uri::from_parts(parts).or_err(ErrorType::InternalError, "a target that is no target")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(fields: &[(&'static str, &'static str)]) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    #[test]
    fn claims_are_dropped_in_every_spelling() {
        for name in [
            "x-raptorgate-user",
            "X_Raptorgate_User",
            "x-raptorgate_user",
            "X-Forwarded-Prefix",
            "x_forwarded_for",
            "x_real-ip",
            "Content_Length",
            "transfer_encoding",
            "proxy",
        ] {
            assert!(is_claim(&name.to_ascii_lowercase()), "{name}");
        }
        for name in ["content-length", "x_my_field", "x-forward", "authorization", "proxying"] {
            assert!(!is_claim(name), "{name}");
        }
    }

    #[test]
    fn crumbs_become_one_cookie() {
        let mut crumbs = head(&[("cookie", "a=1"), ("x-name", "1"), ("cookie", "b=2")]);
        join_cookies(&mut crumbs).unwrap();
        let cookies: Vec<_> = crumbs.headers.get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=1; b=2"]);
    }

    #[test]
    fn only_a_named_websocket_upgrade_stays() {
        let kept = |connection, upgrade| {
            let mut head = head(&[("connection", connection), ("upgrade", upgrade)]);
            drop_idle_upgrade(&mut head);
            head.headers.contains_key("upgrade")
        };
        assert!(kept("keep-alive, Upgrade", "WebSocket"));
        assert!(!kept("keep-alive", "websocket"));
        assert!(!kept("upgrade, http2-settings", "h2c"));
    }
}

//! The request's head, settled before anything is decided on it: one host, one path in its normal form, within bounds.
//!
//! The bytes of HTTP/1.1 heads were judged before Pingora parsed them (`edge/head.rs`); this holds for HTTP/2 too.
//!
//! # Invariants
//! * What is routed on is what is sent: the path is changed here or never (`paths_are_routed_as_they_are_sent`).

use crate::edge::{host, path};
use http::uri::{Authority, PathAndQuery};
use http::{Method, Uri, Version, header};
use pingora_http::RequestHeader;
use raptorgate_config::model::ClientLimits;
use raptorgate_policies::Denial;

/// What a field costs besides its name and value (RFC 9113 §10.5.1).
const FIELD_BYTES: usize = 32;

/// Checks the head and brings its target into the one form that is routed on and sent.
///
/// # Errors
/// The refusal.
pub fn settle(head: &mut RequestHeader, limits: &ClientLimits) -> Result<(), Denial> {
    if head.method == Method::CONNECT || head.method == Method::TRACE {
        return Err(Denial::BadRequest("CONNECT and TRACE are not served"));
    }
    if head.version == Version::HTTP_2 {
        bounds(head, limits)?;
    }
    one_host(head)?;
    settle_target(head)
}

fn bounds(head: &RequestHeader, limits: &ClientLimits) -> Result<(), Denial> {
    if head.uri.path_and_query().map_or(0, |target| target.as_str().len()) > limits.target_bytes_max {
        return Err(Denial::TargetTooLong);
    }
    let size = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len().saturating_add(value.len()).saturating_add(FIELD_BYTES)
    };
    let bytes: usize = head.headers.iter().map(size).sum();
    if head.headers.len() > limits.header_fields_max || bytes > limits.header_bytes_max {
        return Err(Denial::HeaderTooLarge);
    }
    Ok(())
}

/// `Host` and `:authority`, where both are there, are the same, and at least one is.
fn one_host(head: &RequestHeader) -> Result<(), Denial> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    let authority = head.uri.authority().map(Authority::as_str);
    if another.is_some() {
        return Err(Denial::BadRequest("there is more than one Host"));
    }
    if let (Some(host), Some(authority)) = (host, authority)
        && !host.as_bytes().eq_ignore_ascii_case(authority.as_bytes())
    {
        return Err(Denial::BadRequest("Host differs from the request target"));
    }
    let named = host.map(http::HeaderValue::as_bytes).or(authority.map(str::as_bytes));
    match named {
        Some(named) if !host::is_valid(named) => Err(Denial::BadRequest("the Host is not valid")),
        None if head.version != Version::HTTP_10 => Err(Denial::BadRequest("the request names no Host")),
        Some(_) | None => Ok(()),
    }
}

/// Origin-form with a normal path. An authority has been compared with Host and is not needed any more.
fn settle_target(head: &mut RequestHeader) -> Result<(), Denial> {
    let uri = &head.uri;
    if !uri.path_and_query().is_none_or(|target| target.as_str().is_ascii()) {
        return Err(Denial::BadRequest("the request target holds characters that a URI must not hold"));
    }
    let normal = path::normalise(uri.path()).map_err(Denial::BadRequest)?;
    // of an absolute target Pingora keeps the path as URI, and would send the target as it came
    let absolute = head.version != Version::HTTP_2 && !head.raw_path().starts_with(b"/");
    if normal == uri.path() && !absolute {
        return Ok(());
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let target = PathAndQuery::try_from(format!("{normal}{query}"));
    let target = target.map_err(|_| Denial::BadRequest("the request target is not valid"))?;
    let mut parts = if absolute { http::uri::Parts::default() } else { uri.clone().into_parts() };
    parts.path_and_query = Some(target);
    let settled = Uri::from_parts(parts).map_err(|_| Denial::BadRequest("the request target is not valid"))?;
    head.set_uri(settled);
    Ok(())
}

/// Host as the client named it, with port.
pub fn authority(head: &RequestHeader) -> &str {
    let host = head.headers.get(header::HOST).and_then(|h| h.to_str().ok());
    host.or(head.uri.authority().map(Authority::as_str)).unwrap_or("")
}

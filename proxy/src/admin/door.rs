//! Who may talk to the admin API: the bearer of the token, by a name this gateway is known under.
//!
//! # Invariants
//! * Tokens are compared by hash and in constant time: neither length nor prefix of the right one can be timed.
//! * A name that was rebound to loopback by hostile DNS is refused (`only_the_token_and_known_hosts_open_the_door`).

use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use raptorgate_config::units::Secret;
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// What opens the API.
pub(super) struct Door {
    token_sha256: [u8; 32],
    hosts: Vec<String>,
}

impl Door {
    pub fn new(token: &Secret, hosts: &[String]) -> Self {
        let hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        Self { token_sha256: Sha256::digest(token.reveal()).into(), hosts }
    }

    fn knows_host(&self, headers: &HeaderMap) -> bool {
        let Some(host) = only(headers, header::HOST) else { return false };
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        let bare = name.trim_matches(['[', ']']);
        let loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        loopback || name == "localhost" || self.hosts.iter().any(|known| [&*host, name, bare].contains(&&**known))
    }

    fn knows_token(&self, headers: &HeaderMap) -> bool {
        let presented = only(headers, header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token)
        });
        let Some(token) = presented else { return false };
        Sha256::digest(token).as_slice().ct_eq(&self.token_sha256).into()
    }
}

/// Lets a request in or answers it.
pub(super) async fn enter(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    let mut response = if !door.knows_host(request.headers()) {
        let detail = "this Host is not answered; add it to `admin.hosts`";
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "unknown_host", detail).into_response()
    } else if !door.knows_token(request.headers()) {
        let problem =
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "needs `Authorization: Bearer <admin token>`");
        ([(header::WWW_AUTHENTICATE, "Bearer realm=\"raptorgate admin\"")], problem).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

/// A token for those who set none: 244 random bits of the operating system, as 64 hexadecimal digits.
pub fn make_token() -> Secret {
    Secret::new(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))
}

/// The header's value if there is exactly one: two mean that somebody in between may have read the other one.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// `[::1]:80` to `[::1]`, `a.in:80` to `a.in`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_tokens_are_long_and_never_the_same() {
        let (one, two) = (make_token(), make_token());
        assert_eq!(one.reveal().len(), 64);
        assert_ne!(one.reveal(), two.reveal());
    }

    #[test]
    fn ports_are_told_from_addresses() {
        for (host, name) in [("a.in:80", "a.in"), ("a.in", "a.in"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")] {
            assert_eq!(without_port(host), name);
        }
    }
}

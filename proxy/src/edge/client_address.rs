//! Who the client is when trusted proxies stand before the gateway: `X-Forwarded-For`, `Forwarded` (RFC 7239), and the same
//! for scheme and host.
//!
//! # Invariants
//! * The list is read from the right, and only while the address that added an entry is trusted
//!   (`a_client_cannot_choose_its_address`).
//! * A list that cannot be read says nothing: the last trusted hop is the client (`nonsense_says_nothing`).

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// Entries of a list that are looked at.
const HOPS_MAX: usize = 32;

/// What is known of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// `http` or `https`, as a trusted proxy says it was spoken to.
    pub scheme: Option<&'static str>,
    /// The host that a trusted proxy was asked for.
    pub host: Option<String>,
}

/// True if a network of the list holds the address.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// The client of a request that came from `peer`.
pub fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let peer = peer.to_canonical();
    if trusted.is_empty() || !is_trusted(peer, trusted) {
        return Client { address: peer, scheme: None, host: None };
    }
    let forwarded = list(headers, "forwarded");
    if !forwarded.is_empty() {
        let hops: Vec<Hop> = forwarded.iter().map(|element| Hop::of(element)).collect();
        let at = walk(peer, hops.iter().map(|hop| hop.address), trusted);
        let nearest = hops.last();
        return Client {
            address: at,
            scheme: nearest.and_then(|hop| hop.scheme),
            host: nearest.and_then(|hop| hop.host.clone()),
        };
    }
    let addresses = list(headers, "x-forwarded-for");
    let at = walk(peer, addresses.iter().map(|text| node(text)), trusted);
    let last = |name| list(headers, name).pop();
    Client {
        address: at,
        scheme: last("x-forwarded-proto").and_then(|text| scheme(&text)),
        host: last("x-forwarded-host").filter(|host| super::host::is_valid(host.as_bytes())),
    }
}

/// From the peer leftwards to the first address that is not trusted.
fn walk(peer: IpAddr, hops: impl DoubleEndedIterator<Item = Option<IpAddr>>, trusted: &[IpNet]) -> IpAddr {
    let mut at = peer;
    for hop in hops.rev().take(HOPS_MAX) {
        let Some(address) = hop else { return at };
        at = address;
        if !is_trusted(address, trusted) {
            return at;
        }
    }
    at
}

/// All elements of a list header, in order. One that is no text keeps its place: what a proxy appended to it must not be
/// lost with it.
fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let elements = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    elements.map(|element| String::from_utf8_lossy(element.trim_ascii()).into_owned()).collect()
}

struct Hop {
    address: Option<IpAddr>,
    scheme: Option<&'static str>,
    host: Option<String>,
}

impl Hop {
    /// One element of `Forwarded`: `for="[2001:db8::1]:80";proto=https`.
    fn of(element: &str) -> Self {
        let mut hop = Self { address: None, scheme: None, host: None };
        for pair in element.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.address = node(value),
                "proto" => hop.scheme = scheme(value),
                "host" => hop.host = Some(value.to_owned()).filter(|h| super::host::is_valid(h.as_bytes())),
                _ => {}
            }
        }
        hop
    }
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

fn scheme(text: &str) -> Option<&'static str> {
    ["http", "https"].into_iter().find(|known| text.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(peer: &str, name: &'static str, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        client(peer.parse().unwrap(), &headers, &trusted).address.to_string()
    }

    #[test]
    fn a_client_cannot_choose_its_address() {
        let xff = "x-forwarded-for";
        assert_eq!(at("192.0.2.1", xff, &["1.1.1.1"]), "192.0.2.1", "the peer is not trusted");
        assert_eq!(at("10.0.0.1", xff, &["1.1.1.1, 192.0.2.7"]), "192.0.2.7", "what the client wrote is not read");
        assert_eq!(at("10.0.0.1", xff, &["1.1.1.1", "192.0.2.7, 10.9.9.9"]), "192.0.2.7");
        assert_eq!(at("::ffff:10.0.0.1", xff, &["192.0.2.7:555"]), "192.0.2.7");
        assert_eq!(at("10.0.0.1", xff, &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "all are trusted: the first");
        assert_eq!(at("10.0.0.1", "forwarded", &["for=1.1.1.1, for=\"[2001:db9::1]:80\";proto=https"]), "2001:db9::1");
    }

    #[test]
    fn bytes_that_are_no_text_hide_no_entry() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "6.6.6.6".parse().unwrap());
        headers.append("x-forwarded-for", http::HeaderValue::from_bytes(b"\xff, 192.0.2.7").unwrap());
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client("10.0.0.1".parse().unwrap(), &headers, &trusted).address.to_string(), "192.0.2.7");
    }

    #[test]
    fn nonsense_says_nothing() {
        assert_eq!(at("10.0.0.1", "x-forwarded-for", &["192.0.2.7, unknown"]), "10.0.0.1");
        assert_eq!(at("10.0.0.1", "x-forwarded-for", &["192.0.2.7, x, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(at("10.0.0.1", "forwarded", &["for=_hidden"]), "10.0.0.1");
        assert_eq!(at("10.0.0.1", "x-forwarded-for", &[]), "10.0.0.1");
    }

    #[test]
    fn scheme_and_host_come_from_the_nearest_proxy() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-proto", "http, HTTPS".parse().unwrap());
        headers.append("x-forwarded-host", "evil.example, api.example".parse().unwrap());
        let seen = client("10.0.0.1".parse().unwrap(), &headers, &trusted);
        assert_eq!((seen.scheme, seen.host.as_deref()), (Some("https"), Some("api.example")));
        let seen = client("192.0.2.1".parse().unwrap(), &headers, &trusted);
        assert_eq!((seen.scheme, seen.host), (None, None));
    }
}

//! Who is asked for what, and by whom: hosts, paths, forwarded addresses, the PROXY header.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, uri::Authority};
use ipnet::IpNet;
use raptorgate::edge::client_address::{client, is_trusted};
use raptorgate::edge::{host as hosts, path as paths, proxy_protocol};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What is routed on is what is sent: a normal form stays, and holds no way up, however often a backend decodes.
pub fn path(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    let Ok(normal) = paths::normalise(path) else { return };
    let again = paths::normalise(&normal).expect("a normal form is refused");
    assert_eq!(again, normal, "a normal form has another one");
    assert!(normal.starts_with('/'));
    let mut decoded = normal.clone().into_owned().into_bytes();
    for times in 0..2 {
        let up = decoded.split(|b| matches!(b, b'/' | b'\\' | b';')).any(|segment| segment == b"..");
        assert!(!up, "decoded {times} times, {normal:?} leads up");
        decoded = percent_decoded(&decoded);
    }
}

fn percent_decoded(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = path;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.filter(|_| *first == b'%').and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &behind[2..];
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

/// A host that passes is an authority without user information, for another parser too.
pub fn host(data: &[u8]) {
    if !hosts::is_valid(data) {
        return;
    }
    let authority = Authority::try_from(data).expect("the next parser refuses this host");
    let text = std::str::from_utf8(data).unwrap();
    assert!(text.starts_with(authority.host()) && !text.contains('@'), "{text} is not the host {}", authority.host());
    let port = text.strip_prefix(authority.host()).unwrap().trim_start_matches(':');
    assert_eq!(port.parse().ok(), authority.port_u16());
}

/// Nobody but trusted proxies says who the client is: what stands before their entries changes nothing.
pub fn client_address(data: &[u8]) {
    const LISTS: [&str; 4] = ["x-forwarded-for", "forwarded", "x-forwarded-proto", "x-forwarded-host"];
    let trusted: [IpNet; 1] = ["10.0.0.0/8".parse().unwrap()];
    let (proxy, stranger) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([192, 0, 2, 1]));
    let mut headers = HeaderMap::new();
    for line in data.split(|b| *b == b'\n') {
        let Some((kind, value)) = line.split_first() else { continue };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(LISTS[usize::from(*kind) % LISTS.len()]), value);
        }
    }
    let seen = client(stranger, &headers, &trusted);
    assert_eq!((seen.address, seen.scheme, seen.host), (stranger, None, None), "a stranger speaks of itself");
    let seen = client(proxy, &headers, &trusted);
    assert!(seen.host.is_none_or(|host| hosts::is_valid(host.as_bytes())));
    let honest = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
    assert!(!is_trusted(honest, &trusted));
    // The proxy appends to the last line, or writes one of its own.
    for (name, entry) in [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")] {
        let mut appended = headers.clone();
        if name == "x-forwarded-for" {
            appended.remove("forwarded"); // it would go first
        }
        let mut own_line = appended.clone();
        own_line.append(name, HeaderValue::from_static(entry));
        assert_eq!(client(proxy, &own_line, &trusted).address, honest, "{own_line:?}");
        let mut values: Vec<HeaderValue> = appended.get_all(name).iter().cloned().collect();
        let Some(last) = values.last_mut() else { continue };
        *last = HeaderValue::from_bytes(&[last.as_bytes(), b", ", entry.as_bytes()].concat()).unwrap();
        appended.remove(name);
        for value in values {
            appended.append(name, value);
        }
        assert_eq!(client(proxy, &appended, &trusted).address, honest, "{appended:?}");
    }
}

/// The header is read to its last byte and no further, and its first version has one form.
pub fn proxy_header(data: &[u8]) {
    let (read, rest) = header(data);
    let Ok(source) = read else { return };
    let bytes = &data[..data.len() - rest.len()];
    assert_eq!(header(bytes), (Ok(source), &b""[..]), "what follows the header changes it");
    for end in 0..bytes.len() {
        assert!(header(&bytes[..end]).0.is_err(), "a part of a header is a header");
    }
    match bytes.strip_prefix(b"PROXY ") {
        Some(line) => {
            assert!(line.ends_with(b"\r\n") && bytes.len() <= 107);
            source.into_iter().for_each(|source| same_words(line, source));
        }
        None => assert_eq!(bytes.len(), 16 + usize::from(u16::from_be_bytes([bytes[14], bytes[15]]))),
    }
}

/// A line of version 1 is what would be written for its addresses: ports without sign and leading zeros.
fn same_words(line: &[u8], source: SocketAddr) {
    let words: Vec<&str> = std::str::from_utf8(line).expect("a line that is no text").trim_end().split(' ').collect();
    let [family, from, to, from_port, to_port] = words[..] else { panic!("{words:?}") };
    assert_eq!(family, if source.is_ipv4() { "TCP4" } else { "TCP6" });
    assert_eq!(from.parse(), Ok(source.ip()));
    let to: IpAddr = to.parse().expect("a second address");
    assert_eq!(to.is_ipv4(), source.is_ipv4());
    assert_eq!(from_port, source.port().to_string());
    assert_eq!(to_port.parse::<u16>().expect("a second port").to_string(), to_port);
}

/// What the header says, and what is left behind it.
fn header(mut stream: &[u8]) -> (Result<Option<SocketAddr>, std::io::ErrorKind>, &[u8]) {
    let read = {
        let future = pin!(proxy_protocol::read(&mut stream));
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(read) => read.map_err(|error| error.kind()),
            Poll::Pending => panic!("bytes that are there were waited for"),
        }
    };
    (read, stream)
}

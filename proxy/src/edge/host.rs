//! `Host` and authorities: a name or address and perhaps a port (RFC 9110 §7.2, RFC 3986 §3.2).

use std::net::Ipv6Addr;

/// Longest host: that of a DNS name and a port.
const HOST_BYTES_MAX: usize = 261;

/// True for `name`, `name:port`, `[v6]` and `[v6]:port`; no user information.
pub fn is_valid(host: &[u8]) -> bool {
    let Some(host) = std::str::from_utf8(host).ok().filter(|h| h.len() <= HOST_BYTES_MAX) else { return false };
    if let Some(literal) = host.strip_prefix('[') {
        let Some((address, port)) = literal.split_once(']') else { return false };
        let port_valid = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return address.parse::<Ipv6Addr>().is_ok() && port_valid;
    }
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    is_name(name) && is_port(port)
}

/// Letters, digits, `-`, `_` and dots: what resolves, and nothing that another reader could take for a delimiter.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn is_port(port: &str) -> bool {
    port.is_empty() || (port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses_with_ports() {
        for valid in ["a", "A.b-c_d.e", "1.2.3.4:80", "[::1]", "[2001:db8::1]:443", "a:"] {
            assert!(is_valid(valid.as_bytes()), "{valid}");
        }
        for invalid in ["", ":80", "a b", "a,b", "u@a", "a:b", "a:65536", "[::1", "[1.2.3.4]", "[::1]x", "a/b", "a%2f"]
        {
            assert!(!is_valid(invalid.as_bytes()), "{invalid}");
        }
    }
}

//! The PROXY header, versions 1 and 2, with which a proxy before the gateway names the client
//! (<https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>).
//!
//! # Invariants
//! * Not one byte behind the header is read (`both_versions_name_the_client`).
//! * A header is bounded, and anything else is an error (`anything_else_is_an_error`).

use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// First bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Longest header of version 1, its CR LF included.
const V1_BYTES_MAX: usize = 107;
/// Longest rest of version 2 that is read; addresses and a few TLVs.
const V2_BYTES_MAX: usize = 4 << 10;

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Reads the header. `None`: the proxy speaks for itself (`LOCAL`, `UNKNOWN`), as in its health checks.
///
/// # Errors
/// There is no header, or it is broken.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut first = [0; SIGNATURE.len()];
    stream.read_exact(&mut first).await?;
    if first == *SIGNATURE { version_2(stream).await } else { version_1(stream, &first).await }
}

async fn version_1(stream: &mut (impl AsyncRead + Unpin), first: &[u8]) -> io::Result<Option<SocketAddr>> {
    let mut line = first.to_vec();
    if !line.starts_with(b"PROXY ") {
        return Err(invalid("no PROXY header"));
    }
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_BYTES_MAX {
            return Err(invalid("the PROXY header is too long"));
        }
        line.push(stream.read_u8().await?);
    }
    let text = std::str::from_utf8(&line).map_err(|_| invalid("the PROXY header is not ASCII"))?;
    let mut words = text.trim_end_matches("\r\n").split(' ').skip(1);
    match words.next() {
        Some("UNKNOWN") => Ok(None),
        Some(family @ ("TCP4" | "TCP6")) => {
            let [Some(source), Some(target), Some(port), Some(target_port), None] =
                [words.next(), words.next(), words.next(), words.next(), words.next()]
            else {
                return Err(invalid("the PROXY header has not the right words"));
            };
            let address = |text: &str| {
                let address = text.parse::<IpAddr>().ok();
                address.filter(|a| a.is_ipv4() == (family == "TCP4")).ok_or_else(|| invalid("not an address"))
            };
            // no sign and no leading zeros: another reader could take them for octal
            let number = |text: &str| {
                let number = text.parse::<u16>().ok();
                number.filter(|number| number.to_string() == text).ok_or_else(|| invalid("not a port"))
            };
            address(target)?;
            number(target_port)?;
            Ok(Some(SocketAddr::new(address(source)?, number(port)?)))
        }
        Some(_) | None => Err(invalid("the PROXY header has no known family")),
    }
}

async fn version_2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut fixed = [0; 4];
    stream.read_exact(&mut fixed).await?;
    let [version_command, family, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version_command >> 4 != 2 || length > V2_BYTES_MAX {
        return Err(invalid("the PROXY header is not version 2, or too long"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (version_command & 0xf, family) {
        (0, _) | (1, 0) => Ok(None),
        (1, 0x11) => {
            let address = rest.first_chunk::<4>().map(|bytes| IpAddr::from(*bytes));
            source(address, rest.get(8..10))
        }
        (1, 0x21) => {
            let address = rest.first_chunk::<16>().map(|bytes| IpAddr::from(*bytes));
            source(address, rest.get(32..34))
        }
        _ => Err(invalid("the PROXY header has no known command or family")),
    }
}

fn source(address: Option<IpAddr>, port: Option<&[u8]>) -> io::Result<Option<SocketAddr>> {
    let port = port.and_then(|bytes| bytes.first_chunk::<2>()).map(|bytes| u16::from_be_bytes(*bytes));
    let (Some(address), Some(port)) = (address, port) else { return Err(invalid("the PROXY header is too short")) };
    Ok(Some(SocketAddr::new(address.to_canonical(), port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(bytes: &[u8]) -> io::Result<(Option<SocketAddr>, usize)> {
        let mut rest = bytes;
        read(&mut rest).await.map(|address| (address, rest.len()))
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[0x20 | command, family], &length, rest, b"GET"].concat()
    }

    #[tokio::test]
    async fn both_versions_name_the_client() {
        let client = Some("192.0.2.1:555".parse().unwrap());
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 2, 43, 0, 80, 3, 0, 1, 9];
        assert_eq!(parsed(b"PROXY TCP4 192.0.2.1 10.0.0.1 555 80\r\nGET").await.unwrap(), (client, 3));
        assert_eq!(parsed(&v2(1, 0x11, &v4)).await.unwrap(), (client, 3));
        let (v6, _) = parsed(b"PROXY TCP6 2001:db8::1 ::1 555 80\r\nGET").await.unwrap();
        assert_eq!(v6, Some("[2001:db8::1]:555".parse().unwrap()));
        assert_eq!(parsed(b"PROXY UNKNOWN\r\nGET").await.unwrap(), (None, 3));
        assert_eq!(parsed(&v2(0, 0, &[])).await.unwrap(), (None, 3));
    }

    #[tokio::test]
    async fn anything_else_is_an_error() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"PROXY TCP4 192.0.2.1 10.0.0.1 555\r\n",
            b"PROXY TCP4 ::1 ::1 555 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 99999 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 +555 80\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 555 080\r\n",
            b"PROXY TCP9 192.0.2.1 10.0.0.1 555 80\r\n",
            &[b"PROXY ", &[b'x'; 200][..]].concat(),
            &v2(1, 0x11, &[1, 2]),
            &v2(2, 0x11, &[0; 12]),
            &SIGNATURE[..],
        ] {
            assert!(parsed(bytes).await.is_err(), "{bytes:?}");
        }
    }
}

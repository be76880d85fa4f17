//! What an upstream's reply head must be before anything of it is passed on (RFC 9110 §15, RFC 9112 §6).
//!
//! # Invariants
//! * A reply whose end is in doubt, a status that is none, a tunnel that nobody asked for and endless interim replies
//!   become a 502 (`every_reply_of_the_corpus_arrives_whole_or_not_at_all`).

use super::forwarded_head::named_by_connection;
use http::{HeaderMap, StatusCode, Version, header};
use pingora_core::{Error, ErrorType, Result};
use pingora_http::ResponseHeader;

/// Interim replies (1xx) of one attempt; with one more it is no reply.
const INTERIM_MAX: u32 = 8;
/// Fields of one connection (RFC 9110 §7.6.1). Pingora writes `Connection` anew.
const HOP_BY_HOP: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];

/// Whether the client asked for another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// It did.
    Asked,
    /// It did not.
    NotAsked,
}

/// Checks a head and leaves in it what is meant for the client. `interim` counts those of this attempt.
pub fn check(head: &mut ResponseHeader, upgrade: Upgrade, interim: &mut u32) -> Result<()> {
    let status = head.status;
    if !(100..600).contains(&status.as_u16()) {
        return invalid("a status outside of 100 to 599");
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return if upgrade == Upgrade::Asked { Ok(()) } else { invalid("a 101 that nobody asked for") };
    }
    if status.is_informational() {
        *interim = interim.saturating_add(1);
        if *interim > INTERIM_MAX {
            return invalid("too many interim replies");
        }
        head.remove_header(&header::TRANSFER_ENCODING);
        head.remove_header(&header::CONTENT_LENGTH);
    } else {
        check_framing(&head.headers, head.version)?;
    }
    if status == StatusCode::NO_CONTENT {
        head.remove_header(&header::TRANSFER_ENCODING);
        head.remove_header(&header::CONTENT_LENGTH);
    }
    keep_what_is_for_the_client(head);
    Ok(())
}

fn check_framing(headers: &HeaderMap, version: Version) -> Result<()> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || codings.next().is_some() || version != Version::HTTP_11 {
            return invalid("a Transfer-Encoding other than chunked");
        }
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    if let Some(length) = lengths.next() {
        let digits = !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit);
        if !digits || lengths.next().is_some() {
            return invalid("a Content-Length that is not one number");
        }
    }
    Ok(())
}

fn keep_what_is_for_the_client(head: &mut ResponseHeader) {
    for name in named_by_connection(&head.headers) {
        // the end of the body cannot be taken away by naming it
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            head.remove_header(&name);
        }
    }
    for name in HOP_BY_HOP {
        head.remove_header(name);
    }
    if head.version == Version::HTTP_10 {
        head.set_version(Version::HTTP_11); // ours, RFC 9110 §2.5
    }
}

fn invalid<T>(why: &'static str) -> Result<T> {
    Err(Error::explain(ErrorType::InvalidHTTPHeader, why).into_up())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, fields: &[(&'static str, &'static str)]) -> ResponseHeader {
        let mut head = ResponseHeader::build(status, None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn checked(status: u16, fields: &[(&'static str, &'static str)]) -> Option<Vec<String>> {
        let mut head = head(status, fields);
        check(&mut head, Upgrade::NotAsked, &mut 0).ok()?;
        Some(head.headers.keys().map(|name| name.as_str().to_owned()).collect())
    }

    #[test]
    fn framing_is_said_once_and_plainly() {
        assert!(checked(200, &[("content-length", "5")]).is_some());
        assert!(checked(200, &[("transfer-encoding", "Chunked")]).is_some());
        for doubtful in [
            &[("content-length", "5"), ("content-length", "5")][..],
            &[("content-length", "5, 5")],
            &[("content-length", "+5")],
            &[("content-length", "")],
            &[("transfer-encoding", "gzip, chunked")],
            &[("transfer-encoding", "identity")],
            &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
        ] {
            assert_eq!(checked(200, doubtful), None, "{doubtful:?}");
        }
    }

    #[test]
    fn fields_of_the_connection_stay_on_it() {
        let fields = [("connection", "X-Hop, content-length"), ("x-hop", "1"), ("content-length", "5"), ("x-end", "1")];
        assert_eq!(checked(200, &fields).unwrap(), ["content-length", "x-end"]);
        assert!(checked(200, &[("keep-alive", "timeout=5"), ("upgrade", "h2c")]).unwrap().is_empty());
        assert!(checked(204, &[("content-length", "5")]).unwrap().is_empty());
    }

    #[test]
    fn a_tunnel_is_opened_for_who_asked_and_interim_replies_are_few() {
        assert!(check(&mut head(101, &[]), Upgrade::NotAsked, &mut 0).is_err());
        assert!(check(&mut head(101, &[("upgrade", "websocket")]), Upgrade::Asked, &mut 0).is_ok());
        let mut interim = 0;
        let taken = (0..20).take_while(|_| check(&mut head(103, &[]), Upgrade::NotAsked, &mut interim).is_ok());
        assert_eq!(taken.count(), 8);
        assert!(checked(600, &[]).is_none());
    }
}

//! Names as certificates hold them: host names, subject alternative names, common names.
//!
//! # Invariants
//! * A subject alternative name is of the one kind that its text shows (`alternative_names_are_of_one_kind`).

use crate::certificates::SubjectAltName;
use crate::decode::{FromText, Wrong};
use crate::patterns::is_host;
use rustls::pki_types::ServerName;
use serde_json::{Value as Json, json};
use std::fmt;

/// Most characters of a subject alternative name; SPIFFE allows 2048 bytes.
const SAN_CHARS_MAX: usize = 2_048;
/// Most characters of a common name; RFC 5280 allows 64, and some authorities more.
const COMMON_NAME_CHARS_MAX: usize = 128;

/// A host name or address as a certificate may hold it.
pub(crate) struct HostName(pub String);

impl FromText for HostName {
    const LABEL: &'static str = "a host name";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "`agents.internal`, or an IP address; no scheme, no port";
        match ServerName::try_from(text) {
            Ok(_) => Ok(Self(text.to_ascii_lowercase())),
            Err(_) => Err(Wrong::because("no certificate can be issued for it").help(help)),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9._:-]+$" })
    }
}

impl FromText for SubjectAltName {
    const LABEL: &'static str = "a subject alternative name";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "a URI (`spiffe://prod/agents`), a host name, an e-mail address or an IP address, exactly as in the certificate";
        let visible = !text.is_empty() && text.len() <= SAN_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic());
        if !visible {
            return Err(Wrong::because("it is empty, too long, or has other characters than one may have").help(help));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        if text.contains(':') {
            return Ok(Self::Uri(text.to_owned()));
        }
        if text.contains('@') {
            return Ok(Self::Email(text.to_owned()));
        }
        let host = text.to_ascii_lowercase();
        if is_host(host.strip_prefix("*.").unwrap_or(&host)) {
            return Ok(Self::Dns(host));
        }
        Err(Wrong::because("it is neither of the four kinds").help(help))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[!-~]{1,2048}$" })
    }
}

impl fmt::Display for SubjectAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SubjectAltName::Uri(text) | SubjectAltName::Dns(text) | SubjectAltName::Email(text) => f.write_str(text),
            SubjectAltName::Ip(address) => address.fmt(f),
        }
    }
}

/// A common name of a certificate's subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommonName(pub String);

impl FromText for CommonName {
    const LABEL: &'static str = "a common name";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let length = text.chars().count();
        if length == 0 || length > COMMON_NAME_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(Wrong::because("it is empty, too long, or has control characters")
                .help("the text behind `CN =` in `openssl x509 -noout -subject`, at most 128 characters"));
        }
        Ok(Self(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": 128 })
    }
}

impl fmt::Display for CommonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternative_names_are_of_one_kind() {
        let read = |text| SubjectAltName::from_text(text).ok();
        assert_eq!(read("spiffe://prod/agents"), Some(SubjectAltName::Uri("spiffe://prod/agents".into())));
        assert_eq!(read("urn:agents:a@b"), Some(SubjectAltName::Uri("urn:agents:a@b".into())));
        assert_eq!(read("asha@example.in"), Some(SubjectAltName::Email("asha@example.in".into())));
        assert_eq!(read("Agents.Example.IN"), Some(SubjectAltName::Dns("agents.example.in".into())));
        assert_eq!(read("*.example.in"), Some(SubjectAltName::Dns("*.example.in".into())));
        assert_eq!(read("::1"), Some(SubjectAltName::Ip("::1".parse().unwrap())));
        for bad in ["", "a b", "a..b", "*", "a.*.b", "\u{e9}.example.in"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        for name in ["spiffe://prod/agents", "asha@example.in", "*.example.in", "10.0.0.1", "::1"] {
            assert_eq!(read(name).map(|read| read.to_string()).as_deref(), Some(name));
        }
    }
}

//! What codings a client accepts: `Accept-Encoding` (RFC 9110 §12.5.3).
//!
//! # Invariants
//! * A coding that the client did not name, or refused, is never chosen (`only_what_a_client_names_is_chosen`).

use super::Coding;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A weight in thousandths, 0 to 1000 (RFC 9110 §12.4.2).
type Weight = u16;

/// What a client accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    named: Vec<(Coding, Weight)>,
    /// Of `*`: what is not named.
    others: Option<Weight>,
    identity: Option<Weight>,
}

/// Reads the header. What cannot be read is not accepted; without the header nothing but identity is.
pub fn accepted(headers: &HeaderMap) -> Accepted {
    let mut accepted = Accepted::default();
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    for item in values.flat_map(|value| value.split(',')) {
        let mut parts = item.split(';').map(|part| part.trim_matches([' ', '\t']));
        let name = parts.next().unwrap_or_default();
        let Some(weight) = weight(parts) else { continue };
        match Coding::named(name) {
            Some(coding) => accepted.named.push((coding, weight)),
            None if name == "*" => accepted.others = Some(weight),
            None if name.eq_ignore_ascii_case("identity") => accepted.identity = Some(weight),
            None => {}
        }
    }
    accepted
}

/// The weight behind a name, 1 without one; `None` if it is not valid.
fn weight<'a>(mut parameters: impl Iterator<Item = &'a str>) -> Option<Weight> {
    let Some(parameter) = parameters.next() else { return Some(1000) };
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if parameters.next().is_some() || decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse::<Weight>().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

impl Accepted {
    /// The coding of `offered` that the client likes best, the first of equals; `None` if it likes identity better, or
    /// accepts none.
    pub fn best(&self, offered: &[Coding]) -> Option<Coding> {
        let weighed = offered.iter().map(|coding| (*coding, self.weight(*coding))).filter(|(_, weight)| *weight > 0);
        let best = weighed.reduce(|best, next| if next.1 > best.1 { next } else { best })?;
        // identity that is not named is acceptable, and the last choice
        (self.identity.unwrap_or(0) <= best.1).then_some(best.0)
    }

    fn weight(&self, coding: Coding) -> Weight {
        let named = self.named.iter().filter(|(named, _)| *named == coding).map(|(_, weight)| *weight).max();
        named.or(self.others).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Zstd};
    use http::HeaderValue;

    fn best(value: &'static str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        accepted(&headers).best(&[Zstd, Brotli, Gzip])
    }

    #[test]
    fn only_what_a_client_names_is_chosen() {
        for (value, coding) in [
            ("gzip", Some(Gzip)),
            ("gzip, deflate, br", Some(Brotli)),
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("GZip;q=0.5 , br; q=0.4", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("gzip;q=1.000", Some(Gzip)),
            ("*", Some(Zstd)),
            ("*;q=0.1, gzip;q=0.2", Some(Gzip)),
            ("zstd;q=0, *", Some(Brotli)),
            ("br;q=0.5, identity;q=0.5", Some(Brotli)),
            ("gzip, *;q=0", Some(Gzip)),
            ("gzip;q=0.001, identity;q=0", Some(Gzip)),
            ("br;q=0.4, identity;q=0.5", None),
            ("gzip;q=0", None),
            ("*;q=0", None),
            ("identity", None),
            ("", None),
            ("deflate", None),
            ("compress, gzipped", None),
            ("gzip;q=1.001", None),
            ("gzip;q=2", None),
            ("gzip;q=0.1234", None),
            ("gzip;q=", None),
            ("gzip;q=.5", None),
            ("gzip;q=-1", None),
            ("gzip;level=9", None),
            ("gzip;q=0.5;q=1", None),
        ] {
            assert_eq!(best(value), coding, "{value}");
        }
    }

    #[test]
    fn a_client_that_says_nothing_gets_identity() {
        assert_eq!(accepted(&HeaderMap::new()).best(&[Gzip]), None);
    }

    #[test]
    fn values_of_several_lines_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("br;q=0.5"));
        headers.append(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(accepted(&headers).best(&[Brotli, Gzip]), Some(Gzip));
    }
}

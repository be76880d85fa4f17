//! Content codings (RFC 9110 §8.4.1): what a body is coded with, decoding within bounds, coding replies for clients.
//!
//! `deflate` is read as zlib (RFC 1950), which is what the name means, and as bare deflate (RFC 1951), which some clients
//! send under it; browsers take both. gzip may have several members and zstd several frames, as their formats say.
//!
//! # Invariants
//! * One layer only: two codings, or one that is not known, are no coding that is read (`one_known_coding_is_read`).
//! * What comes out does not depend on how the coded bytes were cut (`any_cut_of_the_coded_bytes_decodes_to_the_same`).
//! * Half a stream is an error wherever it breaks, and so is a byte too many
//!   (`a_stream_that_is_cut_anywhere_is_an_error`, `bytes_behind_the_end_are_an_error`).

mod accept;
mod brotli;
mod compress;
mod decode;
mod encode;
mod inflate;
mod zstd;

pub use accept::{Accepted, accepted};
pub use compress::{Choice, choose};
pub use decode::{Bounds, DecodeError, Decoding, RATIO_FREE_BYTES};
pub use encode::Encoding;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// The value of `Accept-Encoding` that names everything that is read.
pub const READ: &str = "gzip, deflate, br, zstd";

/// Headers that describe the exact bytes of a body: wrong after any change, also of its coding.
pub const BODY_BOUND: [&str; 7] =
    ["content-length", "content-md5", "content-digest", "repr-digest", "digest", "etag", "accept-ranges"];

/// A coding that is read and, but for `deflate`, written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 without its frame.
    Deflate,
    /// RFC 7932, windows up to 16 MiB.
    Brotli,
    /// RFC 8878, windows up to 8 MiB (RFC 9659).
    Zstd,
}

impl Coding {
    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The coding of this name, in any case; `x-gzip` is gzip (RFC 9110 §8.4.1.3).
    pub fn named(name: &str) -> Option<Self> {
        let known = [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd];
        let named = known.into_iter().find(|coding| coding.as_str().eq_ignore_ascii_case(name));
        named.or_else(|| name.eq_ignore_ascii_case("x-gzip").then_some(Self::Gzip))
    }
}

/// A body has more than one coding, or one that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCoding;

/// The one coding of a body; `None` without one, and for `identity`.
pub fn coding_of(headers: &HeaderMap) -> Result<Option<Coding>, UnknownCoding> {
    let mut found = None;
    for value in headers.get_all(CONTENT_ENCODING) {
        let name = value.to_str().map_err(|_| UnknownCoding)?.trim_matches([' ', '\t']);
        if name.eq_ignore_ascii_case("identity") {
            continue;
        }
        let coding = Coding::named(name).ok_or(UnknownCoding)?;
        if found.replace(coding).is_some() {
            return Err(UnknownCoding);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn coded(values: &[&'static str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn one_known_coding_is_read() {
        for (values, coding) in [
            (&[][..], None),
            (&["identity"], None),
            (&[" Identity "], None),
            (&["gzip"], Some(Coding::Gzip)),
            (&["X-GZip"], Some(Coding::Gzip)),
            (&["BR"], Some(Coding::Brotli)),
            (&["deflate"], Some(Coding::Deflate)),
            (&["identity", "zstd"], Some(Coding::Zstd)),
        ] {
            assert_eq!(coding_of(&coded(values)), Ok(coding), "{values:?}");
        }
        for values in
            [&["gzip, br"][..], &["gzip", "gzip"], &["gzip, identity"], &[""], &["compress"], &["gzip;q=1"], &["gzip,"]]
        {
            assert_eq!(coding_of(&coded(values)), Err(UnknownCoding), "{values:?}");
        }
    }
}

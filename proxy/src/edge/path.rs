//! Paths in one normal form, before anything is routed on them: what is routed on is what is sent (RFC 3986 §6.2.2).
//!
//! Dot segments are resolved, also coded ones; coded letters, digits and `-._~` are decoded; the digits of other codings
//! become upper case. Slashes stay as they are, doubled or coded: to a backend `/a//b` and `/a%2Fb` may be other things
//! than `/a/b`.
//!
//! # Invariants
//! * The normal form of a normal form is itself (`normal_forms_stay`).
//! * Nothing that a backend could take for a way up is left in one (`no_way_up_is_left`).

use std::borrow::Cow;

/// The normal form of a path.
///
/// # Errors
/// The rule that the path breaks.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, &'static str> {
    if !path.starts_with('/') {
        return Err("the request target must be a path");
    }
    let plain = path.bytes().all(|b| !matches!(b, b'%' | b'\\' | b';'));
    if plain && !path.contains("/.") {
        return Ok(Cow::Borrowed(path));
    }
    let decoded = decode_unreserved(path)?;
    let resolved = resolve_dots(&decoded)?;
    if resolved.split('/').any(hides_a_way_up) {
        return Err("the path holds a coded way up");
    }
    Ok(if resolved == path { Cow::Borrowed(path) } else { Cow::Owned(resolved) })
}

fn decode_unreserved(path: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, coded)) = rest.split_once('%') {
        out.push_str(before);
        let digits = coded.get(..2).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or("the path holds a `%` without two hexadecimal digits")?;
        let byte = u8::from_str_radix(digits, 16).map_err(|_| "the path holds a broken coding")?;
        match byte {
            0 => return Err("the request target holds a NUL"),
            // RFC 3629 §3: no character begins with these; lenient decoders read `%C0%AE` as a dot
            0xc0 | 0xc1 | 0xf5.. => return Err("the path holds a coded byte that is never UTF-8"),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => {
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = coded.get(2..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(out)
}

/// RFC 3986 §5.2.4; a way up from the root is refused instead of ignored.
fn resolve_dots(path: &str) -> Result<String, &'static str> {
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(segment) = parts.next() {
        let last = parts.peek().is_none();
        match segment {
            "." if last => segments.push(""),
            "." => {}
            ".." => {
                segments.pop().ok_or("the path leads above the root")?;
                if last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    Ok(format!("/{}", segments.join("/")))
}

/// A segment that becomes a dot segment for a backend that decodes again, takes `\` for `/`, or cuts at `;`.
fn hides_a_way_up(segment: &str) -> bool {
    let mut pieces = vec![segment.to_ascii_lowercase()];
    for separator in ["%2f", "%5c", "\\", "%3b", ";"] {
        pieces = pieces.iter().flat_map(|p| p.split(separator)).map(str::to_owned).collect();
    }
    let doubly = segment.to_ascii_lowercase().contains("%252e");
    doubly || pieces.iter().any(|piece| piece == ".." || (piece == "." && pieces.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_form() {
        for (path, normal) in [
            ("/a/b", "/a/b"),
            ("/", "/"),
            ("/a/../b", "/b"),
            ("/a/./b/", "/a/b/"),
            ("/a/b/..", "/a/"),
            ("/a/%2e%2E/b", "/b"),
            ("/%61dmin/%7euser", "/admin/~user"),
            ("/a%2fb/c%3a", "/a%2Fb/c%3A"),
            ("/a//b", "/a//b"),
            ("/.well-known/x", "/.well-known/x"),
            ("/v1/models/org%2Fmodel:x", "/v1/models/org%2Fmodel:x"),
            ("/a/...", "/a/..."),
        ] {
            assert_eq!(normalise(path).as_deref(), Ok(normal), "{path}");
        }
    }

    #[test]
    fn no_way_up_is_left() {
        for path in [
            "/..",
            "/a/../..",
            "/%2e%2e/a",
            "/a%2f..%2fb",
            "/a%2F%2e%2e",
            "/..;/a",
            "/a/;../b",
            "/..%3b/a",
            "/a\\..\\b",
            "/a%5c..%5cb",
            "/%252e%252e/a",
            "/%c0%ae%c0%ae/a",
            "/a%00",
            "/%",
            "/%zz",
            "/%1",
            "a",
            "",
        ] {
            assert!(normalise(path).is_err(), "{path}: {:?}", normalise(path));
        }
    }

    #[test]
    fn normal_forms_stay() {
        for path in ["/a/../b%2f/%41", "/a/./b/..", "/x%3ay"] {
            let once = normalise(path).unwrap().into_owned();
            assert_eq!(normalise(&once).as_deref(), Ok(once.as_str()));
        }
    }
}

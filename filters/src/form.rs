//! Forms and queries: `name=value&name=value`, percent-encoded.

use std::fmt::Write;

/// A value that is not UTF-8 once it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

/// Names, as they stand, and decoded values; a pair without `=` has no name.
pub fn pairs(form: &str) -> impl Iterator<Item = Result<(&str, String), NotUtf8>> {
    form.split('&').map(|pair| {
        let (name, value) = split(pair);
        Ok((name.unwrap_or_default(), decoded(value)?))
    })
}

/// The form with other values where `change` gives one; `None` if it gives none. Everything else stays byte for byte.
///
/// # Errors
/// The first of `change`, and what `change` makes of a value that is not UTF-8.
pub fn rewritten<E: From<NotUtf8>>(
    form: &str,
    mut change: impl FnMut(&str, &str) -> Result<Option<String>, E>,
) -> Result<Option<String>, E> {
    let mut out = String::with_capacity(form.len());
    let mut changed = false;
    for (place, pair) in form.split('&').enumerate() {
        if place > 0 {
            out.push('&');
        }
        let (name, value) = split(pair);
        match change(name.unwrap_or_default(), &decoded(value)?)? {
            None => out.push_str(pair),
            Some(other) => {
                changed = true;
                name.into_iter().for_each(|name| {
                    out.push_str(name);
                    out.push('=');
                });
                encode(&other, &mut out);
            }
        }
    }
    Ok(changed.then_some(out))
}

fn split(pair: &str) -> (Option<&str>, &str) {
    pair.split_once('=').map_or((None, pair), |(name, value)| (Some(name), value))
}

/// WHATWG URL, "application/x-www-form-urlencoded parsing": `+` is a space, a bad escape stands for itself.
fn decoded(value: &str) -> Result<String, NotUtf8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = if *first == b'%' { tail.first_chunk::<2>().and_then(hex) } else { None };
        match (escaped, first) {
            (Some(byte), _) => out.push(byte),
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(*byte),
        }
        rest = tail.get(if escaped.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(out).map_err(|_| NotUtf8)
}

fn hex(digits: &[u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|b| char::from(b).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shouted(form: &str) -> Result<Option<String>, NotUtf8> {
        rewritten(form, |_, value| Ok(value.contains('a').then(|| value.to_uppercase())))
    }

    #[test]
    fn only_changed_values_are_written_anew() {
        assert_eq!(shouted("q=a%20b&x=%7e+%zz&y").unwrap().unwrap(), "q=A+B&x=%7e+%zz&y");
        assert_eq!(shouted("a").unwrap().unwrap(), "A");
        assert_eq!(shouted("q=b+c&&%zz=%zz&x=").unwrap(), None);
        assert_eq!(shouted("q=%ff"), Err(NotUtf8));
    }

    #[test]
    fn values_are_decoded() {
        let all: Vec<_> = pairs("q=%E0%A4%85+b&=c&d").collect::<Result<_, _>>().unwrap();
        assert_eq!(all, [("q", "अ b".to_owned()), ("", "c".to_owned()), ("", "d".to_owned())]);
        assert!(pairs("q=%ff").any(|pair| pair.is_err()));
    }
}

//! Field lines of HTTP/1.1 as bytes (RFC 9112 §5).

/// One field line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Up to the colon, as it came.
    pub name: &'a [u8],
    /// Behind it, without white space around it.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// True if it has this name, which is lower case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The field lines of a section. `Err` names the rule that a line breaks.
pub fn fields(section: &[u8]) -> impl Iterator<Item = Result<Field<'_>, &'static str>> {
    let mut rest = section.strip_prefix(b"\r\n").unwrap_or(section);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let (line, behind) = rest.split_at_checked(end)?;
        let ended = behind.is_empty() || behind.starts_with(b"\r\n");
        rest = behind.get(2..).unwrap_or_default();
        Some(if ended { field(line) } else { Err("a line does not end in CR LF") })
    })
}

fn field(line: &[u8]) -> Result<Field<'_>, &'static str> {
    if line.first().is_some_and(|b| matches!(b, b' ' | b'\t')) {
        return Err("a field line is folded");
    }
    let colon = memchr::memchr(b':', line).ok_or("a field line has no colon")?;
    let (name, value) = line.split_at_checked(colon).ok_or("a field line has no colon")?;
    let value = value.get(1..).unwrap_or_default();
    Ok(Field { name, value: trim(value) })
}

/// Without spaces and tabs around it.
fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let from = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let to = value.iter().rposition(|b| !blank(b)).map_or(from, |at| at.saturating_add(1));
    value.get(from..to).unwrap_or_default()
}

/// RFC 9110 §5.6.2.
pub fn is_token(name: &[u8]) -> bool {
    const OTHERS: &[u8] = b"!#$%&'*+-.^_`|~";
    !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || OTHERS.contains(b))
}

/// RFC 9110 §5.5: visible characters, space, tab, and bytes above ASCII.
pub fn is_value(value: &[u8]) -> bool {
    value.iter().all(|b| *b == b'\t' || (*b >= b' ' && *b != 0x7f))
}

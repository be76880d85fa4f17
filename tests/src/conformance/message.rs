//! HTTP/1.1 messages, read as RFC 9112 writes them and not one byte more leniently.

/// Longest chunk size line that a careful sender has a reason for.
const CHUNK_LINE_BYTES_MAX: usize = 64;

/// A header section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Request line or status line.
    pub start: String,
    /// Fields in their order, names as they came.
    pub fields: Vec<(String, String)>,
}

/// A whole message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its header section.
    pub head: Head,
    /// Its content, without framing.
    pub body: Vec<u8>,
    /// Fields behind a chunked body.
    pub trailers: Vec<(String, String)>,
}

/// Where a message's body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// With the head.
    None,
    /// After so many bytes.
    Length(usize),
    /// With the last chunk.
    Chunked,
    /// With the connection.
    Close,
}

/// `Ok(None)`: more bytes are needed. The number is the bytes that were used.
pub type Parsed<T> = Result<Option<(T, usize)>, String>;

impl Head {
    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect()
    }

    /// The members of a list field, in lower case.
    pub fn list(&self, name: &str) -> Vec<String> {
        let members = self.all(name).join(",");
        members.split(',').map(|m| m.trim().to_ascii_lowercase()).filter(|m| !m.is_empty()).collect()
    }

    /// First word of the start line.
    pub fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// Status of a reply; 0 if it is none.
    pub fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0)
    }
}

impl Message {
    /// The content as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads a request from the front of `bytes`.
pub fn request(bytes: &[u8]) -> Parsed<Message> {
    let Some((head, used)) = head(bytes)? else { return Ok(None) };
    check_request_line(&head.start)?;
    if head.all("host").len() != 1 {
        return Err(format!("{} Host fields", head.all("host").len()));
    }
    whole(bytes, used, &head, framing(&head, Framing::None)?)
}

/// Reads a reply to a request of this method from the front of `bytes`; interim replies are messages of their own.
pub fn reply(bytes: &[u8], method: &str) -> Parsed<Message> {
    let Some((head, used)) = head(bytes)? else { return Ok(None) };
    let status = check_status_line(&head.start)?;
    let declared = framing(&head, Framing::Close)?;
    let bodyless = method == "HEAD" || (100..200).contains(&status) || status == 204 || status == 304;
    if (100..200).contains(&status) || status == 204 {
        let framed = head.fields.iter().any(|(n, _)| {
            n.eq_ignore_ascii_case("transfer-encoding") || (status != 204 && n.eq_ignore_ascii_case("content-length"))
        });
        if framed {
            return Err(format!("a {status} with a framing field: {head:?}"));
        }
    }
    whole(bytes, used, &head, if bodyless { Framing::None } else { declared })
}

/// Reads a header section with its empty line.
pub fn head(bytes: &[u8]) -> Parsed<Head> {
    let mut lines = Vec::new();
    let mut at = 0;
    loop {
        let Some((line, used)) = line(&bytes[at..])? else { return Ok(None) };
        at += used;
        if line.is_empty() && !lines.is_empty() {
            break;
        }
        lines.push(line);
    }
    let fields = lines[1..].iter().map(|l| field(l)).collect::<Result<_, _>>()?;
    Ok(Some((Head { start: lines[0].clone(), fields }, at)))
}

/// One line without its CRLF. Bytes that are no ASCII are kept as `\xHH`.
fn line(bytes: &[u8]) -> Parsed<String> {
    let end = bytes.iter().position(|b| *b == b'\n');
    let seen = &bytes[..end.unwrap_or(bytes.len())];
    let content = if end.is_some() { seen.strip_suffix(b"\r").ok_or("a line that ends in a bare LF")? } else { seen };
    let inner = if end.is_none() { content.strip_suffix(b"\r").unwrap_or(content) } else { content };
    if let Some(bad) = inner.iter().find(|b| (**b < 0x20 && **b != b'\t') || **b == 0x7f) {
        return Err(format!("byte {bad:#04x} in a line of the head: {:?}", String::from_utf8_lossy(inner)));
    }
    let text = |b: &u8| if b.is_ascii() { char::from(*b).to_string() } else { format!("\\x{b:02x}") };
    Ok(end.map(|end| (inner.iter().map(text).collect(), end + 1)))
}

fn field(line: &str) -> Result<(String, String), String> {
    let (name, value) = line.split_once(':').ok_or_else(|| format!("a field line without colon: {line:?}"))?;
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(format!("a field name that is no token: {line:?}"));
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

/// RFC 9110 §5.6.2.
pub fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

fn check_request_line(line: &str) -> Result<(), String> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, "HTTP/1.1"] = parts[..] else { return Err(format!("no HTTP/1.1 request line: {line:?}")) };
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(format!("a method that is no token: {line:?}"));
    }
    let is_target = target.starts_with('/') || target == "*";
    if !is_target || !target.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b'#') {
        return Err(format!("no origin-form target: {line:?}"));
    }
    Ok(())
}

fn check_status_line(line: &str) -> Result<u16, String> {
    let bad = || format!("no HTTP/1.1 status line: {line:?}");
    let rest = line.strip_prefix("HTTP/1.1 ").ok_or_else(bad)?;
    let (code, _reason) = rest.split_once(' ').ok_or_else(bad)?;
    let status = code.parse().ok().filter(|s| code.len() == 3 && (100..600).contains(s));
    status.ok_or_else(bad)
}

fn framing(head: &Head, without: Framing) -> Result<Framing, String> {
    let (lengths, codings) = (head.all("content-length"), head.all("transfer-encoding"));
    match (&lengths[..], &codings[..]) {
        ([], []) => Ok(without),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([length], []) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
            length.parse().map(Framing::Length).map_err(|_| format!("Content-Length: {length}"))
        }
        (lengths, codings) => Err(format!("Content-Length {lengths:?}, Transfer-Encoding {codings:?}")),
    }
}

fn whole(bytes: &[u8], used: usize, head: &Head, framing: Framing) -> Parsed<Message> {
    let rest = &bytes[used..];
    let message = |body: &[u8]| Message { head: head.clone(), body: body.to_vec(), trailers: Vec::new() };
    match framing {
        Framing::None => Ok(Some((message(&[]), used))),
        Framing::Length(length) => Ok(rest.get(..length).map(|body| (message(body), used + length))),
        Framing::Chunked => {
            let chunked = chunked(rest)?;
            Ok(chunked.map(|((body, trailers), n)| (Message { head: head.clone(), body, trailers }, used + n)))
        }
        Framing::Close => Ok(None), // whole when the connection ends: the caller's affair
    }
}

type Chunked = (Vec<u8>, Vec<(String, String)>);

fn chunked(bytes: &[u8]) -> Parsed<Chunked> {
    let (mut at, mut body) = (0, Vec::new());
    loop {
        let Some((line, used)) = line(&bytes[at..])? else { return Ok(None) };
        at += used;
        let digits = line.split(';').next().unwrap_or_default();
        let is_size = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_size || line.len() > CHUNK_LINE_BYTES_MAX {
            return Err(format!("no chunk size: {line:?}"));
        }
        let size = usize::from_str_radix(digits, 16).map_err(|_| format!("a chunk of {digits}"))?;
        if size == 0 {
            break;
        }
        let Some(data) = bytes.get(at..at + size) else { return Ok(None) };
        body.extend_from_slice(data);
        at += size;
        match bytes.get(at..at + 2) {
            Some(b"\r\n") => at += 2,
            Some(other) => return Err(format!("{other:?} instead of CRLF behind a chunk")),
            None => return Ok(None),
        }
    }
    let mut trailers = Vec::new();
    loop {
        let Some((line, used)) = line(&bytes[at..])? else { return Ok(None) };
        at += used;
        if line.is_empty() {
            return Ok(Some(((body, trailers), at)));
        }
        trailers.push(field(&line)?);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_take_nothing_that_is_not_http() {
        let right = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
        let (message, used) = request(right.as_bytes()).expect("HTTP").expect("whole");
        assert_eq!((message.text().as_str(), used), ("hello", right.len()));
        for cut in 0..right.len() {
            assert_eq!(request(&right.as_bytes()[..cut]), Ok(None), "{cut}");
        }
        for (what, wrong) in [
            ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
            ("a bare LF", "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
            ("two framings", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ("two lengths", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
            ("a folded line", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
            ("a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
            ("an absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
            ("a bad chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n"),
            ("bytes behind a chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naXX"),
        ] {
            assert!(request(wrong.as_bytes()).is_err(), "{what}");
        }
        for wrong in [
            "HTTP/1.0 200 OK\r\n\r\n",
            "HTTP/1.1 600 No\r\n\r\n",
            "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert!(reply(wrong.as_bytes(), "GET").is_err(), "{wrong:?}");
        }
    }
}

//! Addresses, host and path patterns, and where a name is read from.
//!
//! # Invariants
//! * A pattern is in one normal form: lower-case hosts, no empty segment (`patterns_are_read_strictly`).
//! * JSON paths are RFC 9535 without slices and filters, and without wildcards where one value is meant (`json_paths_are_read_strictly`).

use crate::decode::{FromText, Wrong};
use crate::model::{Address, HostPattern, JsonPart, JsonPath, JsonStep, LogOutput, PathPattern, Segment, Source};
use serde_json::{Value as Json, json};
use std::net::SocketAddr;

/// Most segments of a path pattern.
const SEGMENTS_MAX: usize = 32;
/// Most steps of a JSON path.
const STEPS_MAX: usize = 16;

impl FromText for SocketAddr {
    const LABEL: &'static str = "an address with a port";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "an IP address and a port: `127.0.0.1:8080`, `0.0.0.0:8080`, `[::1]:8080`";
        text.parse().map_err(|_| Wrong::because("it needs an IP address and a port").help(help))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([0-9.]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$" })
    }
}

impl FromText for Address {
    const LABEL: &'static str = "a host with a port";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "`127.0.0.1:8000`, `agents.internal:8000`, `[::1]:8000`";
        if text.contains("://") {
            return Err(Wrong::because("it is a URL").help("leave out scheme and path: `127.0.0.1:8000`"));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| Wrong::because("it has no port").help(help))?;
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let port = port
            .parse()
            .ok()
            .filter(|port| digits && *port != 0)
            .ok_or_else(|| Wrong::because("it has no port from 1 to 65535").help(help))?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match bracketed {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_host(host),
        };
        if !valid {
            return Err(Wrong::because("its host is neither a name nor an address").help(help));
        }
        Ok(Self { host: bracketed.unwrap_or(host).to_owned(), port })
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([A-Za-z0-9._-]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$" })
    }
}

pub(crate) fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

impl FromText for HostPattern {
    const LABEL: &'static str = "a host pattern";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "`api.x.in`, or `*.x.in` for everything below `x.in`; no scheme, no port";
        let host = text.to_ascii_lowercase();
        let (suffix, name) = match host.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, host.as_str()),
        };
        if !is_host(name) {
            return Err(Wrong::because("it is no host name").help(help));
        }
        Ok(if suffix { Self::Suffix(name.to_owned()) } else { Self::Exact(host) })
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(\\*\\.)?[A-Za-z0-9._-]+$" })
    }
}

/// Writes a host pattern as a file would.
pub(crate) fn host_text(host: &HostPattern) -> String {
    match host {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Suffix(name) => format!("*.{name}"),
    }
}

const PATH_HELP: &str = "`/a` exact, `/a/*` everything below, `/*` all, `/users/{user_id}` any one segment";

impl FromText for PathPattern {
    const LABEL: &'static str = "a path pattern";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let wrong = |why| Err(Wrong::because(why).help(PATH_HELP));
        let Some(path) = text.strip_prefix('/') else { return wrong("it does not start with `/`") };
        if path.is_empty() {
            return Ok(Self { segments: Vec::new(), prefix: false });
        }
        let (path, prefix) = match path.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), prefix: true }),
            Some(path) => match path.strip_suffix('/') {
                Some(path) => (path, true),
                None => return wrong("`*` is not a whole segment"),
            },
            None => (path, false),
        };
        let segments = path.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
        let parameters: Vec<&Segment> =
            segments.iter().filter(|segment| matches!(segment, Segment::Parameter(_))).collect();
        let repeated = parameters
            .iter()
            .enumerate()
            .any(|(i, parameter)| parameters.iter().take(i).any(|earlier| earlier == parameter));
        match () {
            () if repeated => wrong("it names a parameter twice"),
            () if segments.len() > SEGMENTS_MAX => wrong("it has more than 32 segments"),
            () => Ok(Self { segments, prefix }),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^/" })
    }
}

fn segment(text: &str) -> Result<Segment, Wrong> {
    let wrong = |why| Err(Wrong::because(why).help(PATH_HELP));
    if text.is_empty() {
        return wrong("it has an empty segment, or ends in `/`");
    }
    if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return wrong("the name in `{}` is not made of letters, digits and `_`");
        }
        return Ok(Segment::Parameter(name.to_owned()));
    }
    match () {
        () if text.contains('*') => wrong("`*` can only be the last segment"),
        () if text.contains(['{', '}']) => wrong("`{name}` is not a whole segment"),
        () if text.contains(['?', '#']) => wrong("a query or fragment is no part of a path"),
        () if matches!(text, "." | "..") => wrong("`.` and `..` never reach a route"),
        () if !text.bytes().all(|b| b.is_ascii_graphic()) => wrong("it has characters that need percent-encoding"),
        () => Ok(Segment::Literal(text.to_owned())),
    }
}

/// Writes a path pattern as a file would.
pub(crate) fn path_text(path: &PathPattern) -> String {
    let mut text = String::new();
    for segment in &path.segments {
        match segment {
            Segment::Literal(literal) => text.extend(["/", literal]),
            Segment::Parameter(name) => text.extend(["/{", name, "}"]),
        }
    }
    match (path.prefix, text.is_empty()) {
        (true, _) => text + "/*",
        (false, true) => "/".to_owned(),
        (false, false) => text,
    }
}

impl FromText for Source {
    const LABEL: &'static str = "a place in a request";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let help = "`header:x-user` or `json:$.user`";
        match text.split_once(':') {
            Some(("header", name)) => header(name).map(Self::Header),
            Some(("json", path)) => json_path(path).map(Self::Json).map_err(|why| {
                Wrong::because(why)
                    .help("`json:$.a.b`, `json:$['a b']`, `json:$.items[0].id`; no wildcards, slices or filters")
            }),
            Some(_) | None => Err(Wrong::because("it starts with neither `header:` nor `json:`").help(help)),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(header:[A-Za-z0-9!#$%&'*+.^_`|~-]+|json:\\$.+)$" })
    }
}

fn header(name: &str) -> Result<String, Wrong> {
    let name = header_name(name)?;
    if matches!(name.as_str(), "authorization" | "proxy-authorization" | "x-api-key" | "cookie") {
        return Err(Wrong::because("this header holds a secret, and a name is written to logs"));
    }
    Ok(name)
}

/// The name of a header that clients may send, in lower case.
pub(crate) fn header_name(name: &str) -> Result<String, Wrong> {
    let name = name.to_ascii_lowercase();
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)) {
        return Err(Wrong::because("it names no header"));
    }
    if name.starts_with("x-raptorgate-") {
        return Err(Wrong::because("`x-raptorgate-` headers of clients are dropped"));
    }
    Ok(name)
}

/// A path to one value.
fn json_path(text: &str) -> Result<Vec<JsonStep>, &'static str> {
    let one = |part| match part {
        JsonPart::Step(step) => Ok(step),
        JsonPart::All => Err("`*` names more than one value"),
    };
    json_parts(text)?.into_iter().map(one).collect()
}

/// RFC 9535: `$` and segments of a member, an index or a wildcard.
fn json_parts(text: &str) -> Result<Vec<JsonPart>, &'static str> {
    let mut rest = text.strip_prefix('$').ok_or("a JSON path starts with `$`")?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (part, behind) = if let Some(tail) = rest.strip_prefix(".*").or_else(|| rest.strip_prefix("[*]")) {
            (JsonPart::All, tail)
        } else if let Some(tail) = rest.strip_prefix('.') {
            dotted(tail).map(|(step, tail)| (JsonPart::Step(step), tail))?
        } else if let Some(tail) = rest.strip_prefix('[') {
            bracketed(tail).map(|(step, tail)| (JsonPart::Step(step), tail))?
        } else {
            return Err("behind `$` and each step comes `.name`, `['name']` or `[0]`");
        };
        parts.push(part);
        rest = behind;
    }
    match parts.len() {
        0 => Err("it names the whole body"),
        1..=STEPS_MAX => Ok(parts),
        _ => Err("it has more than 16 steps"),
    }
}

impl FromText for JsonPath {
    const LABEL: &'static str = "a JSON path";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        json_parts(text).map(Self).map_err(|why| Wrong::because(why).help("such as `$.messages[*].content`"))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^\\$" })
    }
}

/// A path as it is written in the configuration.
pub(crate) fn json_path_text(path: &JsonPath) -> String {
    let part = |part: &JsonPart| match part {
        JsonPart::Step(step) => step_text(step),
        JsonPart::All => "[*]".to_owned(),
    };
    std::iter::once("$".to_owned()).chain(path.0.iter().map(part)).collect()
}

fn dotted(text: &str) -> Result<(JsonStep, &str), &'static str> {
    let name_char = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let end = text.find(|c| !name_char(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("behind `.` comes a name of letters, digits and `_`; others need `['…']`");
    }
    Ok((JsonStep::Member(name.to_owned()), rest))
}

fn bracketed(text: &str) -> Result<(JsonStep, &str), &'static str> {
    let (step, rest) = match text.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let (name, rest) = quoted(text.get(1..).unwrap_or_default(), quote)?;
            (JsonStep::Member(name), rest)
        }
        _ => {
            let end = text.find(']').ok_or("`[` without `]`")?;
            let (digits, rest) = text.split_at(end);
            let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
            let index =
                digits.parse().ok().filter(|_| canonical).ok_or("in `[]` stands a quoted name or an index from 0")?;
            (JsonStep::Index(index), rest)
        }
    };
    Ok((step, rest.strip_prefix(']').ok_or("`[` without `]`")?))
}

/// A quoted name with the escapes of RFC 9535 §2.3.1.1, up to its closing quote.
fn quoted(text: &str, quote: char) -> Result<(String, &str), &'static str> {
    let mut name = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == quote => return Ok((name, chars.as_str())),
            c if c.is_control() => return Err("a control character in a name"),
            '\\' => name.push(match chars.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some(c @ ('/' | '\\')) => c,
                Some(c) if c == quote => c,
                // `\u` is left out on purpose: a configuration is UTF-8 and can hold the character itself.
                Some(_) | None => return Err("an escape other than \\b \\f \\n \\r \\t \\/ \\\\ and the quote"),
            }),
            c => name.push(c),
        }
    }
    Err("a quoted name is not closed")
}

/// Writes a source as a file would.
pub(crate) fn source_text(source: &Source) -> String {
    match source {
        Source::Header(name) => format!("header:{name}"),
        Source::Json(steps) => steps.iter().fold("json:$".to_owned(), |text, step| text + &step_text(step)),
    }
}

fn step_text(step: &JsonStep) -> String {
    match step {
        JsonStep::Index(index) => format!("[{index}]"),
        JsonStep::Member(name) if matches!(dotted(name), Ok((_, ""))) => format!(".{name}"),
        JsonStep::Member(name) => {
            let escaped = name.chars().fold(String::new(), |text, c| match c {
                '\'' | '\\' => text + "\\" + c.encode_utf8(&mut [0; 4]),
                '\u{8}' => text + "\\b",
                '\u{c}' => text + "\\f",
                '\n' => text + "\\n",
                '\r' => text + "\\r",
                '\t' => text + "\\t",
                c => text + c.encode_utf8(&mut [0; 4]),
            });
            format!("['{escaped}']")
        }
    }
}

impl FromText for LogOutput {
    const LABEL: &'static str = "a place for log lines";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        match (text, text.strip_prefix("file:")) {
            ("stdout", _) => Ok(Self::Stdout),
            ("off", _) => Ok(Self::Off),
            (_, Some(path)) if !path.is_empty() => Ok(Self::File(path.into())),
            _ => Err(Wrong::because("it is none of those").help("`stdout`, `off` or `file:/path`")),
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(stdout|off|file:.+)$" })
    }
}

/// An HTTP method. A closed list: a misspelt method would be a route that never matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Method(pub &'static str);

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

impl FromText for Method {
    const LABEL: &'static str = "an HTTP method";

    fn from_text(text: &str) -> Result<Self, Wrong> {
        let known = METHODS.iter().find(|method| **method == text).copied().map(Self);
        known.ok_or_else(|| Wrong {
            why: "methods are written in capitals, and closed in number",
            help: crate::problem::suggest(text, METHODS),
        })
    }

    fn schema() -> Json {
        json!({ "enum": METHODS })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reads<T: FromText>(text: &str) -> Option<T> {
        T::from_text(text).ok()
    }

    #[test]
    fn patterns_are_read_strictly() {
        let literal = |text: &str| Segment::Literal(text.to_owned());
        let path = |segments, prefix| Some(PathPattern { segments, prefix });
        assert_eq!(reads("/"), path(vec![], false));
        assert_eq!(reads("/*"), path(vec![], true));
        assert_eq!(reads("/a"), path(vec![literal("a")], false));
        assert_eq!(reads("/a/*"), path(vec![literal("a")], true));
        assert_eq!(reads("/u/{id}"), path(vec![literal("u"), Segment::Parameter("id".to_owned())], false));
        for bad in [
            "", "a", "*", "/a*", "/a/", "//", "/a//b", "/*/a", "/**", "/a/**", "/{}", "/{a b}", "/{1}", "/x{a}",
            "/{a}/{a}", "/a?b", "/a#b", "/../a", "/.", "/a b", "/é",
        ] {
            assert_eq!(reads::<PathPattern>(bad), None, "{bad}");
        }
        assert_eq!(reads("API.x.in"), Some(HostPattern::Exact("api.x.in".to_owned())));
        assert_eq!(reads("*.X.in"), Some(HostPattern::Suffix("x.in".to_owned())));
        for bad in
            ["", "*", "*.", "*x.in", "a.*.in", "x.in:80", "x..in", ".x.in", "x.in.", "-x.in", "http://x.in", "x in"]
        {
            assert_eq!(reads::<HostPattern>(bad), None, "{bad}");
        }
        for bad in ["x", "x:", ":1", "x:0", "x:65536", "x:+1", "http://x:1", "x:1/", "[x]:1", "::1:1", "x y:1"] {
            assert_eq!(reads::<Address>(bad), None, "{bad}");
        }
        for good in ["x:1", "127.0.0.1:8000", "[::1]:8000", "a-b.c_d:65535"] {
            assert_eq!(reads::<Address>(good).map(|address| address.to_string()).as_deref(), Some(good));
        }
    }

    #[test]
    fn json_paths_are_read_strictly() {
        let member = |name: &str| JsonStep::Member(name.to_owned());
        let json = |steps| Some(Source::Json(steps));
        assert_eq!(reads("json:$.user"), json(vec![member("user")]));
        assert_eq!(
            reads("json:$.a['b c'][0].d"),
            json(vec![member("a"), member("b c"), JsonStep::Index(0), member("d")])
        );
        assert_eq!(reads(r#"json:$["it's"]['\'\\']"#), json(vec![member("it's"), member("'\\")]));
        assert_eq!(reads("header:X-User"), Some(Source::Header("x-user".to_owned())));
        for bad in [
            "",
            "user",
            "json:",
            "json:$",
            "json:user",
            "json:$user",
            "json:$.",
            "json:$..a",
            "json:$.*",
            "json:$[*]",
            "json:$[1:2]",
            "json:$[-1]",
            "json:$[01]",
            "json:$[a]",
            "json:$['a",
            "json:$['a'",
            "json:$[?@.a]",
            "json:$.a b",
            "json:$.a-b",
            "json:$.1",
            r"json:$['\x']",
            "header:",
            "header:a b",
            "header:Authorization",
            "header:x-api-key",
            "header:cookie",
            "header:X-Raptorgate-User",
            "query:a",
        ] {
            assert_eq!(reads::<Source>(bad), None, "{bad}");
        }
        assert_eq!(reads::<Source>(&format!("json:${}", ".a".repeat(17))), None, "more steps than any body has");
    }

    proptest! {
        #[test]
        fn paths_survive_writing_and_reading(steps in prop::collection::vec(prop_oneof![
            any::<String>().prop_filter("no control characters but the escaped ones", |text| !text.chars().any(char::is_control)).prop_map(JsonStep::Member),
            "[\\n\\r\\t'\"\\\\]{0,4}".prop_map(JsonStep::Member),
            any::<usize>().prop_map(JsonStep::Index),
        ], 1..8)) {
            let source = Source::Json(steps);
            prop_assert_eq!(reads::<Source>(&source_text(&source)), Some(source));
        }
    }
}

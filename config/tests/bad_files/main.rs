//! Every mistake is told where it stands, with its code; nothing else is told.
//!
//! Each case is a good file with one text replaced. `«code»` in the replacement stands where the problem must be told, and
//! is cut out before the file is read.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests end by panics")]

mod guards;
mod money;

use raptorgate_config::{Code, Origin, Problems, parse};

const GOOD: &str = "\
version: 1
listeners:
  - address: 127.0.0.1:8080
currency: INR
tenants:
  acme: { timezone: Asia/Kolkata }
prices:
  small: { input: 1.00 INR, output: 2.00 INR }
upstreams:
  agents:
    endpoints: [{ address: 127.0.0.1:8000 }]
defaults:
  sanitize: { action: strip }
routes:
  - name: chat
    match: { path: /v1/chat/completions, methods: [POST] }
    upstream: agents
    meter: {}
  - name: rest
    match: { path: /* }
    upstream: agents
";

/// A position and a code, as `3:5 unknown_key`.
type Told = String;

fn read(text: &str) -> Result<(), Problems> {
    let origin = Origin { file: "raptorgate.yaml".to_owned(), folder: env!("CARGO_MANIFEST_DIR").into() };
    parse(text, &origin, &|name| (name == "SET").then(|| "from-outside".to_owned())).map(drop)
}

/// The text without its marks, and what the marks say.
fn unmark(marked: &str) -> (String, Vec<Told>) {
    let (mut text, mut told) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((head, tail)) = rest.split_once('«') {
        let (code, tail) = tail.split_once('»').unwrap();
        text.push_str(head);
        let line = text.matches('\n').count() + 1;
        let column = text.rsplit('\n').next().unwrap().chars().count() + 1;
        assert!(Code::ALL.iter().any(|known| known.as_str() == code), "no code `{code}`");
        told.push(format!("{line}:{column} {code}"));
        rest = tail;
    }
    text.push_str(rest);
    (text, told)
}

/// What was told wrongly, if anything was.
fn wrongly_told(what: &str, marked: &str) -> Option<String> {
    let (text, expected) = unmark(marked);
    let Err(problems) = read(&text) else { return Some(format!("{what}: nothing was told")) };
    let told: Vec<Told> = problems.iter().map(|p| format!("{}:{} {}", p.line, p.column, p.code)).collect();
    (told != expected).then(|| format!("{what}: expected {expected:?}, told {told:?}\n{problems}"))
}

const LISTENER: &str = "  - address: 127.0.0.1:8080\n";
const SANITIZE: &str = "  sanitize: { action: strip }\n";
const METER: &str = "    meter: {}\n";
const UPSTREAM: &str = "    endpoints: [{ address: 127.0.0.1:8000 }]\n";
const TENANT: &str = "  acme: { timezone: Asia/Kolkata }\n";
const PATH: &str = "/v1/chat/completions";

/// [`UPSTREAM`] for texts that go on behind it.
macro_rules! endpoints {
    () => {
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n"
    };
}

/// What is wrong, what is replaced, by what.
const CASES: &[(&str, &str, &str)] = &[
    // YAML
    ("a bracket that is not closed", "methods: [POST] }", "methods: [POST «yaml_syntax»}"),
    ("a variable in braces without quotes", METER, "    end_user: { id: $«yaml_syntax»{USER} }\n"),
    ("a second document", METER, "    meter: {}\n«yaml_syntax»---\nversion: 1\n"),
    ("a tag", "version: 1", "version: «yaml_syntax»!!int 1"),
    ("a NUL would end the file", METER, "    meter: {}\n#«yaml_syntax»\0\n"),
    ("a mapping as a key", METER, "    «yaml_syntax»{a: b}: c\n"),
    ("an alias to nothing", METER, "    meter: «yaml_syntax»*nothing\n"),
    ("an alias inside its anchor", METER, "    meter: &m { format: «yaml_syntax»*m }\n"),
    ("a key twice", METER, "    meter: {}\n    «duplicate_key»meter: off\n"),
    ("a tab as indentation", "agents\n    meter", "«yaml_syntax»agents\n\tmeter"),
    // keys
    ("a misspelt key", SANITIZE, "  «unknown_key»saniitze: { action: strip }\n"),
    ("a misspelt key of the top level", "currency:", "«unknown_key»curency:"),
    ("a merge key", SANITIZE, "  «unknown_key»<<: { action: strip }\n"),
    ("no version", "version: 1\n", "«missing_key»"),
    (
        "no upstream of a route",
        "  - name: rest\n    match: { path: /* }\n    upstream: agents\n",
        "  - «missing_key»name: rest\n    match: { path: /* }\n",
    ),
    ("no requests of a rate", METER, "    flood_limits: { per_address: «missing_key»{ window: 1s } }\n"),
    (
        "neither sha256 nor key",
        METER,
        "    authenticate: { api_keys: [«missing_key»{ id: k, tenant: acme, user: a }] }\n",
    ),
    (
        "less than a piece is read ahead",
        SANITIZE,
        "  sanitize: { action: strip }\nlimits: { read_ahead: «wrong_value»1 KiB }\n",
    ),
    (
        "more than there is room for is read ahead",
        SANITIZE,
        "  sanitize: { action: strip }\nlimits: { read_ahead: «wrong_value»1 MiB }\n",
    ),
    ("an empty flood limit", METER, "    flood_limits: «missing_key»{}\n"),
    ("an empty fault", METER, "    fault: «missing_key»{}\n"),
    ("masking in no direction", METER, "    mask_pii: «missing_key»{}\n"),
    (
        "masking of nothing in a direction",
        METER,
        "    mask_pii: { request: «missing_key»{}, response: { pan: mask } }\n",
    ),
    // types
    ("text for a list", "methods: [POST]", "methods: «wrong_type»POST"),
    ("nothing for a block", "meter: {}", "meter«wrong_type»:"),
    ("a word for a block", "meter: {}", "meter: «wrong_type»true"),
    ("a list for a mapping", TENANT, "  «wrong_type»- acme\n"),
    ("a mapping for a list", LISTENER, "  «wrong_type»address: 127.0.0.1:8080\n"),
    ("a quoted number", "version: 1", "version: «wrong_type»\"1\""),
    ("a list for a name", "- name: rest", "- name: «wrong_type»[rest]"),
    // values
    ("another version", "version: 1", "version: «wrong_value»2"),
    ("an address without a port", "127.0.0.1:8080", "«wrong_value»127.0.0.1"),
    ("a name as an address", "127.0.0.1:8080", "«wrong_value»localhost:8080"),
    ("a URL as an endpoint", "127.0.0.1:8000", "«wrong_value»http://127.0.0.1:8000"),
    ("an endpoint's port 0", "127.0.0.1:8000", "«wrong_value»127.0.0.1:0"),
    ("a list without endpoints", UPSTREAM, "    endpoints: «wrong_value»[]\n"),
    ("an endpoint of weight 0", "127.0.0.1:8000 }", "127.0.0.1:8000, weight: «wrong_value»0 }"),
    ("a weight above 1000", "127.0.0.1:8000 }", "127.0.0.1:8000, weight: «wrong_value»1001 }"),
    ("a balance that is none", UPSTREAM, concat!(endpoints!(), "    balance: «wrong_value»random\n")),
    ("a hash by nothing", UPSTREAM, concat!(endpoints!(), "    balance: «missing_key»{}\n")),
    ("a hash by a body", UPSTREAM, concat!(endpoints!(), "    balance: { hash: «wrong_value»\"json:$.user\" }\n")),
    ("no request at once", UPSTREAM, concat!(endpoints!(), "    pool: { requests_max: «wrong_value»0 }\n")),
    ("a health check of nothing", UPSTREAM, concat!(endpoints!(), "    health_check: «missing_key»{}\n")),
    (
        "a health check without a slash",
        UPSTREAM,
        concat!(endpoints!(), "    health_check: { path: «wrong_value»up }\n"),
    ),
    ("a host with a scheme", UPSTREAM, concat!(endpoints!(), "    host: «wrong_value»https://api.x.in\n")),
    (
        "a check that outlasts its interval",
        UPSTREAM,
        concat!(endpoints!(), "    health_check: { path: /up, interval: 1s, timeout: «conflict»2s }\n"),
    ),
    (
        "a status that cannot be",
        UPSTREAM,
        concat!(endpoints!(), "    health_check: { path: /up, expect_status: [200, «wrong_value»2xx] }\n"),
    ),
    (
        "an ejection that shrinks",
        UPSTREAM,
        concat!(endpoints!(), "    ejection: { open_for: 1m, open_max: «conflict»30s }\n"),
    ),
    (
        "a name server by its name",
        "currency: INR\n",
        "currency: INR\ndns: { servers: [«wrong_value»\"ns1.x.in:53\"] }\n",
    ),
    ("a word that is none", "action: strip", "action: «wrong_value»stirp"),
    ("a method in small letters", "[POST]", "[«wrong_value»post]"),
    ("no methods", "[POST]", "«wrong_value»[]"),
    (
        "a duration without a unit",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    timeouts: { idle: «wrong_value»30 }\n",
    ),
    ("a duration of zero", METER, "    fault: { delay: { percent: 1, duration: «wrong_value»0s } }\n"),
    ("a fraction of a second", METER, "    fault: { delay: { percent: 1, duration: «wrong_value»1.5s } }\n"),
    ("kilobytes", METER, "    body: { request_max: «wrong_value»10 MB }\n"),
    ("a percentage above 100", METER, "    fault: { abort: { percent: «wrong_value»101, status: 503 } }\n"),
    ("a status that is no error", METER, "    fault: { abort: { percent: 1, status: «wrong_value»200 } }\n"),
    ("a price without currency", "input: 1.00 INR", "input: «wrong_value»1.00"),
    ("a negative price", "input: 1.00 INR", "input: «wrong_value»-1.00 INR"),
    ("a currency that is none", "currency: INR", "currency: «wrong_value»rupee"),
    ("a time zone that is none", "Asia/Kolkata", "«wrong_value»IST"),
    ("a path without slash", PATH, "«wrong_value»v1/chat"),
    ("a path with a trailing slash", PATH, "«wrong_value»/v1/chat/"),
    ("a star inside a path", PATH, "«wrong_value»/v1/*/chat"),
    ("a parameter twice", PATH, "«wrong_value»\"/{a}/{a}\""),
    ("a host with a port", "methods: [POST]", "host: «wrong_value»api.x.in:443"),
    ("a header that holds secrets", METER, "    end_user: { id: «wrong_value»header:authorization }\n"),
    ("a header that never arrives", METER, "    execution: { id: «wrong_value»header:x-raptorgate-run }\n"),
    ("a JSON path with a wildcard", METER, "    execution: { id: «wrong_value»\"json:$.a[*]\" }\n"),
    ("a JSON path with a filter", METER, "    execution: { id: «wrong_value»\"json:$.a[?@.b]\" }\n"),
    ("a place that is neither", METER, "    execution: { id: «wrong_value»query:user }\n"),
    (
        "a hash that is too short",
        METER,
        "    authenticate: { api_keys: [{ id: k, sha256: «wrong_value»abc, tenant: acme, user: a }] }\n",
    ),
    (
        "an empty key",
        METER,
        "    authenticate: { api_keys: [{ id: k, key: «wrong_value»\"\", tenant: acme, user: a }] }\n",
    ),
    ("usage in plain JSON", "meter: {}", "meter: { format: «wrong_value»json }"),
    (
        "an upstream's name with a slash",
        "  agents:\n",
        "  «wrong_value»a/b: { endpoints: [{ address: 127.0.0.1:1 }] }\n  agents:\n",
    ),
    (
        "too many readable characters",
        METER,
        "    mask_pii: { request: { pan: { action: mask, keep_last: «wrong_value»7 } } }\n",
    ),
    // names
    ("two routes of one name", "- name: rest", "- name: «duplicate_name»chat"),
    (
        "two listeners on one address",
        LISTENER,
        "  - address: 127.0.0.1:8080\n  - address: «duplicate_name»127.0.0.1:8080\n",
    ),
    ("a listener on the admin's port", LISTENER, "  - address: «duplicate_name»0.0.0.0:9901\n"),
    ("an endpoint twice", UPSTREAM, "    endpoints: [{ address: a:1 }, { address: «duplicate_name»a:1 }]\n"),
    (
        "two keys of one id",
        METER,
        "    authenticate: { api_keys: [{ id: k, key: a, tenant: acme, user: a }, { id: «duplicate_name»k, key: b, tenant: acme, user: a }] }\n",
    ),
    (
        "two keys of one text",
        METER,
        "    authenticate: { api_keys: [{ id: k, key: a, tenant: acme, user: a }, «duplicate_name»{ id: l, key: a, tenant: acme, user: a }] }\n",
    ),
    (
        "an upstream that is not there",
        "    upstream: agents\n    meter",
        "    upstream: «unknown_name»agent\n    meter",
    ),
    (
        "a tenant that is not there",
        METER,
        "    authenticate: { api_keys: [{ id: k, key: a, tenant: «unknown_name»acne, user: a }] }\n",
    ),
    (
        "a scope that no key has",
        METER,
        "    end_user: { id: \"header:x-u\", scope: «unknown_name»act_at }\n    authenticate: { api_keys: [{ id: k, key: a, tenant: acme, user: a, scopes: [act_as] }] }\n",
    ),
    // routes
    (
        "two routes for everything",
        "- name: rest\n    match: { path: /* }",
        "- name: all\n    match: { path: /* }\n    upstream: agents\n  - name: rest\n    match: { path: «ambiguous_route»/* }",
    ),
    (
        "two templates of one shape",
        METER,
        "  - { name: a, upstream: agents, match: { path: \"/u/{a}\" } }\n  - { name: b, upstream: agents, match: { path: «ambiguous_route»\"/u/{b}\" } }\n",
    ),
    (
        "two routes that share a method",
        METER,
        "  - { name: a, upstream: agents, match: { path: «ambiguous_route»/v1/chat/completions, methods: [GET, POST] } }\n",
    ),
    // values from outside
    ("a variable that is not set", METER, "    execution: { id: «unset_variable»\"header:${UNSET}\" }\n"),
    ("a variable that is not closed", METER, "    execution: { id: «wrong_value»\"header:${SET\" }\n"),
    ("a variable without a name", METER, "    execution: { id: «wrong_value»\"header:${a b}\" }\n"),
    ("a variable whose value is wrong", METER, "    execution: { id: «wrong_value»\"${SET}\" }\n"),
    ("a secret file that is not there", METER, "    execution: { id: «unreadable_file»\"${file:missing}\" }\n"),
    // files
    (
        "a certificate that is not there",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: «unreadable_file»missing.pem, key: tests/data/server.key }\n",
    ),
    (
        "a certificate for a key",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: tests/data/server.pem, key: «unreadable_file»tests/data/server.pem }\n",
    ),
    (
        "the key of another certificate",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: tests/data/server.pem, key: «conflict»tests/data/other.key }\n",
    ),
    (
        "a chain in the wrong order",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: «unreadable_file»tests/data/wrong_order.pem, key: tests/data/server.key }\n",
    ),
    (
        "a certificate that is none",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: «unreadable_file»tests/data/sample.yaml, key: tests/data/server.key }\n",
    ),
    ("TLS without a certificate", LISTENER, "  - address: 127.0.0.1:8080\n    tls: «missing_key»{}\n"),
    (
        "a certificate without a key",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: «missing_key»{ certificate: tests/data/server.pem }\n",
    ),
    ("no certificates", LISTENER, "  - address: 127.0.0.1:8080\n    tls: { certificates: «wrong_value»[] }\n"),
    (
        "both forms of certificates",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: «conflict»tests/data/server.pem, key: «conflict»tests/data/server.key, certificates: [{ certificate: tests/data/other.pem, key: tests/data/other.key }] }\n",
    ),
    (
        "two certificates for one name",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificates: [{ certificate: tests/data/server.pem, key: tests/data/server.key }, { certificate: tests/data/other.pem, key: tests/data/other.key }, { certificate: «duplicate_name»«duplicate_name»tests/data/server.pem, key: tests/data/server.key }] }\n",
    ),
    (
        "a version that is too old",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: tests/data/server.pem, key: tests/data/server.key, min_version: «wrong_value»\"1.1\" }\n",
    ),
    (
        "authorities that are not there",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: tests/data/server.pem, key: tests/data/server.key, client_certificates: { ca: «unreadable_file»missing.pem } }\n",
    ),
    (
        "a word that is no mode",
        LISTENER,
        "  - address: 127.0.0.1:8080\n    tls: { certificate: tests/data/server.pem, key: tests/data/server.key, client_certificates: { ca: tests/data/server.pem, mode: «wrong_value»maybe } }\n",
    ),
    (
        "an upstream's authorities that are none",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    tls: { ca: «unreadable_file»tests/data/server.key }\n",
    ),
    (
        "a client certificate without its key",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    tls: { client_certificate: «missing_key»tests/data/server.pem }\n",
    ),
    (
        "a client's key of another certificate",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    tls: { client_certificate: tests/data/server.pem, client_key: «conflict»tests/data/other.key }\n",
    ),
    (
        "a server name with a port",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    tls: { server_name: «wrong_value»a.test:443 }\n",
    ),
    (
        "an empty server name",
        UPSTREAM,
        "    endpoints: [{ address: 127.0.0.1:8000 }]\n    tls: { server_name: «wrong_value»\"\" }\n",
    ),
    (
        "a host that no certificate can hold",
        UPSTREAM,
        "    endpoints: [{ address: «wrong_value»a_-.b-:443 }]\n    tls: {}\n",
    ),
    ("neither keys nor certificates", METER, "    authenticate: «missing_key»{}\n"),
    (
        "certificates that no listener asks for",
        METER,
        "    authenticate: «missing_block»{ client_certificates: [{ id: c, san: a.test, tenant: acme, user: a }] }\n",
    ),
    (
        "nothing a certificate is known by",
        METER,
        "    authenticate: «missing_block»{ client_certificates: [«missing_key»{ id: c, tenant: acme, user: a }] }\n",
    ),
    (
        "two things a certificate is known by",
        METER,
        "    authenticate: «missing_block»{ client_certificates: [«conflict»{ id: c, san: a.test, subject: a, tenant: acme, user: a }] }\n",
    ),
    (
        "two certificates known by the same",
        METER,
        "    authenticate: «missing_block»{ client_certificates: [{ id: c, san: a.test, tenant: acme, user: a }, «duplicate_name»{ id: d, san: A.test, tenant: acme, user: b }] }\n",
    ),
    (
        "an id of a key and a certificate",
        METER,
        "    authenticate: «missing_block»{ api_keys: [{ id: c, key: a, tenant: acme, user: a }], client_certificates: [{ id: «duplicate_name»c, san: a.test, tenant: acme, user: a }] }\n",
    ),
    (
        "a name that no certificate holds",
        METER,
        "    authenticate: { client_certificates: [{ id: c, san: «wrong_value»a..b, tenant: acme, user: a }] }\n",
    ),
    // across blocks
    ("a meter that knows no usage", "match: { path: /* }\n", "match: { path: /* }\n    meter: «missing_block»{}\n"),
    ("a scope without keys", METER, "    end_user: { id: \"header:x-u\", scope: «missing_block»act_as }\n"),
    (
        "both sha256 and key",
        METER,
        "    authenticate: { api_keys: [{ id: k, key: «conflict»a, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, tenant: acme, user: a }] }\n",
    ),
    (
        "streaming past a block",
        METER,
        "    mask_pii: { response: { pan: block } }\n    body: { on_large_reply: «conflict»stream }\n",
    ),
    (
        "readable characters of a replacement",
        METER,
        "    mask_pii: { request: { pan: { action: replace, keep_last: «conflict»4 } } }\n",
    ),
    ("a coding twice", METER, "    compress: { codings: [zstd, gzip, «duplicate_name»zstd] }\n"),
    ("a coding that is not written", METER, "    compress: { codings: [«wrong_value»deflate] }\n"),
    ("no codings", METER, "    compress: { codings: «wrong_value»[] }\n"),
    ("a type with parameters", METER, "    compress: { types: [«wrong_value»\"text/html; charset=utf-8\"] }\n"),
    ("a ratio of nothing", METER, "    body: { decode_ratio: «wrong_value»0 }\n"),
    ("a body that never fits", METER, "    body: { request_max: «conflict»1 GiB }\n"),
    ("a time zone that is none", "Asia/Kolkata", "«wrong_value»Asia/Kolkatta"),
    ("a price in another currency", "output: 2.00 INR", "output: «currency_mismatch»2.00 USD"),
    ("a tenant in another currency", "timezone: Asia/Kolkata", "currency: «currency_mismatch»USD"),
];

#[test]
fn every_mistake_is_told_where_it_stands() {
    read(GOOD).unwrap();
    let mut wrong = Vec::new();
    for (what, from, to) in CASES.iter().chain(money::CASES).chain(guards::CASES) {
        assert_eq!(GOOD.matches(from).count(), 1, "{what}: `{from}` must stand once in the good file");
        wrong.extend(wrongly_told(what, &GOOD.replacen(from, to, 1)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

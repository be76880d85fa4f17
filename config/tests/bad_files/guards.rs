//! Mistakes about personal data and system prompts.

use super::METER;

/// What is wrong, what is replaced, by what.
pub const CASES: &[(&str, &str, &str)] = &[
    ("hashes without a key", METER, "    mask_pii: «missing_key»{ request: { pan: hash } }\n"),
    ("tokens without a key", METER, "    mask_pii: «missing_key»{ request: { all: tokenize } }\n"),
    (
        "a label with two examples",
        METER,
        "    purpose: { labels: { a: { examples: «wrong_value»[b, c] }, d: { examples: [e, f, g], action: block } } }\n",
    ),
    ("one label", METER, "    purpose: { labels: «wrong_value»{ a: { examples: [b, c, d] } } }\n"),
    (
        "no label that is allowed",
        METER,
        "    purpose: { labels: «wrong_value»{ a: { examples: [b, c, d], action: block }, e: { examples: [f, g, h], action: flag } } }\n",
    ),
    (
        "an empty example",
        METER,
        "    purpose: { labels: { a: { examples: [b, c, «wrong_value»\"\"] }, d: { examples: [e, f, g] } } }\n",
    ),
    (
        "a path without its root",
        METER,
        "    mask_pii: { request: { pan: replace }, json_paths: { only: [«wrong_value»messages] } }\n",
    ),
    (
        "a path to everything",
        METER,
        "    mask_pii: { request: { pan: replace }, json_paths: { skip: [«wrong_value»$] } }\n",
    ),
    ("a short key", METER, "    mask_pii: { request: { pan: hash }, key: «wrong_value»0123456789 }\n"),
    (
        "tokens in replies",
        METER,
        "    mask_pii: «conflict»{ response: { pan: tokenize }, key: 0123456789abcdef0123456789abcdef }\n",
    ),
    ("a pattern without end", METER, "    mask_pii: { patterns: [{ name: a, regex: «wrong_value»\"A[0-9]+\" }] }\n"),
    ("a pattern of nothing", METER, "    mask_pii: { patterns: [{ name: a, regex: «wrong_value»\"A{0,9}\" }] }\n"),
    ("a pattern that is none", METER, "    mask_pii: { patterns: [{ name: a, regex: «wrong_value»\"A(\" }] }\n"),
    (
        "two patterns of one name",
        METER,
        "    mask_pii: { patterns: [{ name: a, regex: AB }, { name: «duplicate_name»A, regex: CD }] }\n",
    ),
    (
        "a threshold beyond certainty",
        METER,
        "    mask_pii: { request: { pan: { action: mask, threshold: «wrong_value»101 } } }\n",
    ),
    ("a short canary", METER, "    prompt_leak: { canary: «wrong_value»kestrel }\n"),
    ("an action that does not fit replies", METER, "    prompt_leak: { action: «wrong_value»strip }\n"),
    (
        "a leak that a large reply would carry out",
        METER,
        "    prompt_leak: {}\n    body: { on_large_reply: «conflict»stream }\n",
    ),
];

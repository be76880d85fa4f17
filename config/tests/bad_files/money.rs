//! Mistakes about the store, budgets, rate limits and keys.

use super::METER;

/// What is wrong, what is replaced, by what.
pub const CASES: &[(&str, &str, &str)] = &[
    (
        "two stores",
        "currency: INR",
        "currency: INR\nstore: «conflict»{ embedded: {}, redis: { urls: [\"redis://a\"] } }",
    ),
    (
        "two servers",
        "currency: INR",
        "currency: INR\nstore: { redis: { urls: [\"redis://a\", «wrong_value»\"redis://b\"] } }",
    ),
    (
        "a store that is no Redis",
        "currency: INR",
        "currency: INR\nstore: { redis: { urls: [«wrong_value»\"http://a\"] } }",
    ),
    (
        "a budget without a meter",
        METER,
        "    budgets: [{ name: «missing_block»b, per: route, limit: 1 INR, window: day }]\n",
    ),
    (
        "a budget of nobody",
        METER,
        "    meter: {}\n    budgets: [{ name: b, per: «missing_block»user, limit: 1 INR, window: day }]\n",
    ),
    (
        "a budget in another currency",
        METER,
        "    meter: {}\n    budgets: [{ name: b, per: route, limit: «currency_mismatch»1 USD, window: day }]\n",
    ),
    (
        "a budget below zero",
        METER,
        "    meter: {}\n    budgets: [{ name: b, per: route, limit: «wrong_value»-1 INR, window: day }]\n",
    ),
    (
        "a budget for a week",
        METER,
        "    meter: {}\n    budgets: [{ name: b, per: route, limit: 1 INR, window: «wrong_value»week }]\n",
    ),
    ("no budgets", METER, "    budgets: «wrong_value»[]\n"),
    (
        "a name twice",
        METER,
        "    meter: {}\n    budgets: [{ name: b, per: route, limit: 1 INR, window: day }]\n    rate_limits: [{ name: «duplicate_name»b, per: route, requests: 1, window: 1s }]\n",
    ),
    ("a rate of nothing", METER, "    rate_limits: [«conflict»{ name: r, per: route, window: 1s }]\n"),
    (
        "a rate of two things",
        METER,
        "    meter: {}\n    rate_limits: [«conflict»{ name: r, per: route, requests: 1, tokens: 1, window: 1s }]\n",
    ),
    ("a rate without a window", METER, "    rate_limits: [«missing_key»{ name: r, per: route, requests: 1 }]\n"),
    (
        "a window of what runs at once",
        METER,
        "    rate_limits: [«conflict»{ name: r, per: route, concurrent: 1, window: 1s }]\n",
    ),
    (
        "a window of a year",
        METER,
        "    rate_limits: [«wrong_value»{ name: r, per: route, requests: 1, window: 365d }]\n",
    ),
    (
        "a limit of nobody's tokens",
        METER,
        "    rate_limits: [{ name: «missing_block»r, per: route, tokens: 1, window: 1s }]\n",
    ),
    (
        "a limit of no end user",
        METER,
        "    rate_limits: [{ name: r, per: «missing_block»end_user, requests: 1, window: 1s }]\n",
    ),
    ("keys of nobody", METER, "    meter: {}\n    idempotency: «missing_block»{}\n"),
    ("a lock of nobody", METER, "    execution: { id: 'header:x-run', lock: «missing_block»true }\n"),
    (
        "a lock for an hour",
        METER,
        "    execution: { id: 'header:x-run', lock: «missing_block»true, lock_wait: «wrong_value»1h }\n",
    ),
    ("a wait for an hour", METER, "    idempotency: «missing_block»{ wait_max: «wrong_value»1h }\n"),
    ("a reply for a second", METER, "    idempotency: «missing_block»{ keep: «wrong_value»1s }\n"),
    ("a lease for a second", METER, "    idempotency: «missing_block»{ lease: «wrong_value»1s }\n"),
    ("a lease for an hour", METER, "    idempotency: «missing_block»{ lease: «wrong_value»1h }\n"),
    ("a reply that no store takes", METER, "    idempotency: «missing_block»{ reply_bytes_max: «wrong_value»1 MiB }\n"),
    ("keys of no method", METER, "    idempotency: { methods: [«wrong_value»post] }\n"),
    (
        "replies in a server without a key",
        "defaults:",
        "store: «missing_key»{ redis: { urls: [\"redis://a\"] } }\ndefaults:\n  idempotency: {}\n  authenticate: { api_keys: [{ id: k, key: a-long-one, tenant: acme, user: u }] }",
    ),
    ("a short secret", "currency: INR", "currency: INR\nstore: { embedded: {}, reply_key: «wrong_value»short }"),
];

//! Words that say that a run of letters and digits is no secret: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "sha",
    "sha1",
    "sha256",
    "sha512",
    "md5",
    "digest",
    "checksum",
    "commit",
    "etag",
    "hash",
    "uuid",
    "guid",
    "integrity",
    "fingerprint",
    "public",
    "publishable",
    "revision",
];

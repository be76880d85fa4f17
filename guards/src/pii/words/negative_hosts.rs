//! Words that say that `name@host` is a log-in or an identifier and no e-mail address: the words of those who write them down, and of keys and column heads. `*`: a stem.

pub(super) const WORDS: &[&str] = &[
    "ssh",
    "scp",
    "sftp",
    "rsync",
    "mosh",
    "git",
    "clone",
    "rlogin",
    "sshfs",
    "message-id",
    "messageid",
    "in-reply-to",
    "references",
    "commitid",
];

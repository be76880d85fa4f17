//! Whether the files of TLS are there and hold what they should.

use crate::decode::Context;
use crate::problem::{Code, Finding, Position};
use std::io::Read;
use std::path::Path;

/// Largest PEM file that is read.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// What a PEM file must hold.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Certificate,
    Key,
}

impl Kind {
    const fn marker(self) -> &'static str {
        match self {
            Kind::Certificate => "-----BEGIN CERTIFICATE-----",
            Kind::Key => "PRIVATE KEY-----",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Kind::Certificate => "certificate",
            Kind::Key => "private key",
        }
    }
}

/// Tells a file that cannot be read or holds something else.
pub(super) fn check(path: &Path, kind: Kind, at: Position, cx: &mut Context) {
    let label = kind.label();
    let problem = match read(path) {
        Ok(text) if text.contains(kind.marker()) => return,
        Ok(_) => Finding::new(at, Code::UnreadableFile, format!("the file holds no {label} in PEM")),
        Err(error) => Finding::new(at, Code::UnreadableFile, format!("cannot read the {label}: {error}"))
            .help("relative paths start in the folder of the configuration file"),
    };
    cx.tell(problem);
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(PEM_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

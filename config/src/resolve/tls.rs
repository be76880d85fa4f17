//! TLS of listeners and upstreams: the files are read, and hold what they should.
//!
//! # Invariants
//! * Of two certificates of a listener that both could answer one client, one is more specific (`every_mistake_is_told_where_it_stands`).
//! * Every file that was looked at is remembered, readable or not: whoever watches the configuration watches it too
//!   (`files_of_tls_are_part_of_the_configuration`).

use super::{Scope, once};
use crate::certificates::{Authorities, Certificate, CertificateError};
use crate::decode::{At, Context};
use crate::model::{Address, ClientCertificates, ListenerTls, UpstreamTls};
use crate::problem::{Code, Finding, Position};
use crate::schema::{CertificateBlock, TlsBlock, UpstreamTlsBlock};
use crate::values::FilePath;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// Largest PEM file that is read; larger: refused.
const PEM_BYTES_MAX: u64 = 1024 * 1024;

/// The meaning of a listener's block; `None` if something is wrong with it, which has been told.
pub(super) fn listener(block: &TlsBlock, scope: &Scope<'_>, cx: &mut Context) -> Option<ListenerTls> {
    let certificates = match &block.certificates {
        Some(list) => {
            one_form(block, cx);
            several(&list.0, scope, cx)
        }
        None => single(block, scope, cx).into_iter().collect(),
    };
    let client_certificates = block.client_certificates.as_ref().and_then(|clients| {
        let authorities = authorities(&clients.ca, scope, cx)?;
        Some(ClientCertificates { authorities, mode: clients.mode })
    });
    (!certificates.is_empty()).then_some(ListenerTls {
        certificates,
        client_certificates,
        min_version: block.min_version,
    })
}

fn one_form(block: &TlsBlock, cx: &mut Context) {
    for single in block.certificate.iter().chain(&block.key) {
        let message = "`tls` has either `certificates`, or one `certificate` and its `key`, not both";
        cx.tell(Finding::new(single.at, Code::Conflict, message).help("move it into the list"));
    }
}

fn single(block: &TlsBlock, scope: &Scope<'_>, cx: &mut Context) -> Option<Arc<Certificate>> {
    if let (Some(certificate), Some(key)) = (&block.certificate, &block.key) {
        return pair(certificate, key, scope, cx);
    }
    if block.sound {
        let missing = match (&block.certificate, &block.key) {
            (Some(_), _) => "key `key` is missing here",
            (None, Some(_)) => "key `certificate` is missing here",
            (None, None) => "`tls` needs `certificate` and `key`, or a list of `certificates`",
        };
        cx.tell(Finding::new(block.at, Code::MissingKey, missing));
    }
    None
}

fn several(blocks: &[CertificateBlock], scope: &Scope<'_>, cx: &mut Context) -> Vec<Arc<Certificate>> {
    let mut names: BTreeMap<String, Position> = BTreeMap::new();
    let mut all = Vec::with_capacity(blocks.len());
    for block in blocks {
        let Some(certificate) = pair(&block.certificate, &block.key, scope, cx) else { continue };
        // Two kinds of key may stand for one name: the client says which it understands.
        let kind = certificate.certified().key.algorithm();
        for host in certificate.facts().hosts() {
            once(&mut names, format!("{host} ({kind:?})"), block.certificate.at, "certificate for", cx);
        }
        all.push(certificate);
    }
    all
}

/// A chain and its key.
fn pair(
    certificate: &At<FilePath>,
    key: &At<FilePath>,
    scope: &Scope<'_>,
    cx: &mut Context,
) -> Option<Arc<Certificate>> {
    let chain = read(certificate, "certificate", scope, cx);
    let key_pem = read(key, "private key", scope, cx);
    let read = Certificate::read((&certificate.value.0, &chain?), (&key.value.0, &key_pem?));
    read.map(Arc::new)
        .map_err(|error| cx.tell(finding(&error, if error.is_about_key() { key.at } else { certificate.at })))
        .ok()
}

fn authorities(file: &At<FilePath>, scope: &Scope<'_>, cx: &mut Context) -> Option<Arc<Authorities>> {
    let pem = read(file, "certificates", scope, cx)?;
    Authorities::read(&file.value.0, &pem).map(Arc::new).map_err(|error| cx.tell(finding(&error, file.at))).ok()
}

fn finding(error: &CertificateError, at: Position) -> Finding {
    let code = match error {
        CertificateError::OtherKey => Code::Conflict,
        CertificateError::NoCertificate
        | CertificateError::TooMany
        | CertificateError::Unreadable(_)
        | CertificateError::Order(_)
        | CertificateError::NoKey
        | CertificateError::UnknownKey => Code::UnreadableFile,
    };
    Finding::new(at, code, error.to_string()).help(error.help())
}

fn read(file: &At<FilePath>, what: &str, scope: &Scope<'_>, cx: &mut Context) -> Option<Vec<u8>> {
    let path = scope.folder.join(&file.value.0);
    let content = read_bounded(&path);
    let told = match &content {
        Ok(content) if content.len() as u64 > PEM_BYTES_MAX => {
            Some(Finding::new(file.at, Code::UnreadableFile, format!("the file of the {what} is larger than 1 MiB")))
        }
        Ok(_) => None,
        Err(error) => {
            let message = format!("cannot read the {what}: {error}");
            let help = "relative paths start in the folder of the configuration file";
            Some(Finding::new(file.at, Code::UnreadableFile, message).help(help))
        }
    };
    cx.files.add(path, content.as_deref().unwrap_or_default());
    match told {
        Some(finding) => {
            cx.tell(finding);
            None
        }
        None => content.ok(),
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    std::fs::File::open(path)?.take(PEM_BYTES_MAX + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// The meaning of an upstream's block; `None` if something is wrong with it, which has been told.
pub(super) fn upstream(
    block: &UpstreamTlsBlock,
    endpoints: &[&At<Address>],
    scope: &Scope<'_>,
    cx: &mut Context,
) -> Option<UpstreamTls> {
    if block.server_name.is_none() {
        endpoints.iter().for_each(|endpoint| host_is_server_name(endpoint, cx));
    }
    let authorities = block.ca.as_ref().map(|file| authorities(file, scope, cx));
    let client = match (&block.client_certificate, &block.client_key) {
        (Some(certificate), Some(key)) => Some(pair(certificate, key, scope, cx)),
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => {
            if block.sound {
                let message = "`client_certificate` and `client_key` need each other";
                cx.tell(Finding::new(one.at, Code::MissingKey, message));
            }
            None
        }
    };
    Some(UpstreamTls {
        server_name: block.server_name.as_ref().map(|name| name.0.as_str().into()),
        authorities: match authorities {
            Some(read) => Some(read?),
            None => None,
        },
        client_certificate: match client {
            Some(read) => Some(read?),
            None => None,
        },
        verify: block.verify,
    })
}

/// The name that is checked against the upstream's certificate must be one that a certificate can hold.
fn host_is_server_name(endpoint: &At<Address>, cx: &mut Context) {
    if ServerName::try_from(endpoint.value.host.as_str()).is_err() {
        let message = "no certificate can be issued for this host";
        cx.tell(
            Finding::new(endpoint.at, Code::WrongValue, message)
                .help("set `tls.server_name` to the name in the upstream's certificate"),
        );
    }
}

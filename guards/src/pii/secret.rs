//! Secrets that say what they are: keys with the prefix of their service, JSON web tokens, private keys, passwords in URLs.
//!
//! # Invariants
//! * What is held back does not depend on a secret's length: its beginning decides, and the rest is left out as it comes
//!   (`long_secrets_are_not_held_back`).

use super::fold::{Cursor, NeedMore};
use super::scan::is_token;
use super::swallow::{Alphabet, Swallow};
use super::tables::prefixes::{Prefix, prefixes};

/// A secret: how far it was read; the rest is left out as it comes.
pub(super) struct Secret {
    pub end: usize,
    pub certain: u8,
    pub swallow: Option<Swallow>,
}

/// The key or token with a known prefix that starts exactly here.
pub(super) fn known(start: Cursor<'_>) -> Result<Option<Secret>, NeedMore> {
    let rest = start.text.as_bytes().get(start.at..).unwrap_or_default();
    let Some(first) = rest.first() else { return Ok(None) };
    if first.is_ascii_digit() {
        return bot_token(start);
    }
    for prefix in prefixes(*first) {
        let text = prefix.text.as_bytes();
        if rest.len() > 1 && rest.get(1) != text.get(1) {
            continue;
        }
        if rest.starts_with(text) {
            if let Some(secret) = with_prefix(start, prefix)? {
                return Ok(Some(secret));
            }
        } else if !start.finished && text.starts_with(rest) {
            return Err(NeedMore);
        }
    }
    if rest.starts_with(b"eyJ") { web_token(start) } else { Ok(None) }
}

fn with_prefix(start: Cursor<'_>, prefix: &Prefix) -> Result<Option<Secret>, NeedMore> {
    let mut here = start.to(start.at + prefix.text.len());
    let (first, mut same) = (here.class()?, true);
    for _ in 0..prefix.least {
        let (class, len) = here.peek()?;
        if !prefix.alphabet.has(class) {
            return Ok(None);
        }
        same &= class == first;
        here.at += len;
    }
    // `ghp_xxxxxxxx…`
    if same && prefix.least > 1 {
        return Ok(None);
    }
    if prefix.exact {
        let next = here.class()?;
        let fits = !next.is_ascii_alphanumeric() && next != b'_';
        return Ok(fits.then_some(Secret { end: here.at, certain: 92, swallow: None }));
    }
    let swallow = Some(Swallow::token(prefix.alphabet));
    Ok(Some(Secret { end: here.at, certain: 95, swallow }))
}

/// `eyJ….eyJ….…` (RFC 7519): the first part is JSON, a second one follows.
fn web_token(start: Cursor<'_>) -> Result<Option<Secret>, NeedMore> {
    let mut here = start;
    while Alphabet::Word.has(here.class()?) {
        here = here.next()?;
    }
    if here.class()? != b'.' || here.at - start.at < 16 {
        return Ok(None);
    }
    here = here.next()?;
    for _ in 0..8 {
        if !Alphabet::Word.has(here.class()?) {
            return Ok(None);
        }
        here = here.next()?;
    }
    Ok(Some(Secret { end: here.at, certain: 96, swallow: Some(Swallow::token(Alphabet::Dotted)) }))
}

/// `716201552:AA…`: the token of a Telegram bot.
fn bot_token(start: Cursor<'_>) -> Result<Option<Secret>, NeedMore> {
    let mut here = start;
    while here.at - start.at < 11 && here.class()?.is_ascii_digit() {
        here = here.next()?;
    }
    if !(8..=10).contains(&(here.at - start.at)) || here.class()? != b':' {
        return Ok(None);
    }
    here = here.next()?;
    for place in 0..34 {
        let class = here.class()?;
        if !Alphabet::Word.has(class) || (place == 0 && class != b'A') {
            return Ok(None);
        }
        here = here.next()?;
    }
    Ok(Some(Secret { end: here.at, certain: 93, swallow: Some(Swallow::token(Alphabet::Word)) }))
}

/// The block of a private key whose first `-` stands here: `-----BEGIN … PRIVATE KEY-----` and some of the key.
pub(super) fn private_key(start: Cursor<'_>) -> Result<Option<Secret>, NeedMore> {
    let mut here = start;
    for byte in b"-----BEGIN " {
        if here.class()? != *byte {
            return Ok(None);
        }
        here = here.next()?;
    }
    let name = here.at;
    while here.at - name < 40 && matches!(here.class()?, b'A'..=b'Z' | b'0'..=b'9' | b' ') {
        here = here.next()?;
    }
    let name = here.text.get(name..here.at).unwrap_or_default();
    if !(name.ends_with("PRIVATE KEY") || name.ends_with("PRIVATE KEY BLOCK")) {
        return Ok(None);
    }
    for _ in 0..5 {
        if here.class()? != b'-' {
            return Ok(None);
        }
        here = here.next()?;
    }
    let end = here.at;
    for _ in 0..6 {
        let byte = here.text.as_bytes().get(here.at).copied();
        match (here.peek()?, byte) {
            ((_, len), Some(b'\n' | b'\r' | b'\\' | b'n' | b'r' | b' ')) => here.at += len,
            _ => break,
        }
    }
    for _ in 0..12 {
        if !matches!(here.class()?, b'+' | b'/' | b'=' | b'-' | b':' | b' ' | b'.')
            && !here.class()?.is_ascii_alphanumeric()
        {
            return Ok(None);
        }
        here = here.next()?;
    }
    Ok(Some(Secret { end, certain: 97, swallow: Some(Swallow::block()) }))
}

/// The password of `scheme://user:password@host` that starts exactly here, `window` standing before it.
pub(super) fn url_password(start: Cursor<'_>, window: &[u8]) -> Result<Option<Secret>, NeedMore> {
    if !names_user(window) {
        return Ok(None);
    }
    let mut here = start;
    loop {
        let class = here.class()?;
        // An `@` ends the password if a host follows; else it is a part of it.
        if class == b'@' && here.at > start.at && here.next()?.class()?.is_ascii_alphanumeric() {
            break;
        }
        if !is_token(class) || class == b'/' || here.at - start.at > 56 {
            return Ok(None);
        }
        here = here.next()?;
    }
    let value = here.text.get(start.at..here.at).unwrap_or_default();
    let certain = if value.len() < 4 || super::assigned::is_stand_in(value) { 20 } else { 90 };
    Ok(Some(Secret { end: here.at, certain, swallow: None }))
}

/// `…://user:`
fn names_user(window: &[u8]) -> bool {
    let [before @ .., b':'] = window else { return false };
    let user = before.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b"._-%+@~".contains(b)).count();
    before.get(..before.len() - user).is_some_and(|scheme| scheme.ends_with(b"://"))
}

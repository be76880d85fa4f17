//! Secrets that their name gives away: `password=…`, `"api_key": "…"`, `Bearer …`, the cells under such a head.
//!
//! # Invariants
//! * References to secrets are no secrets: `${TOKEN}`, `<your key>`, `vault:…` (`references_are_no_secrets`).

use super::context::{Context, Says};
use super::fold::{Cursor, FAR, NeedMore};
use super::scan::may_be_assigned;
use super::secret::Secret;
use super::swallow::{Alphabet, Swallow};
use raptorgate_config::model::PiiType;

/// Ends of names, letters only, of which the values are passwords: short ones count too.
const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passwort",
    "passcode",
    "dbpass",
    "userpass",
    "pass",
    "smtppass",
    "secret",
];

/// Words that make a sentence in front of ` is …` speak of a password.
const PHRASES: &[&str] = &["password", "passphrase", "passcode", "passwort"];

/// Ends of names of keys and tokens: only long values count.
const KEYS: &[&str] = &[
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "encryptionkey",
    "signingkey",
    "authkey",
    "masterkey",
    "accountkey",
    "sharedaccesskey",
    "sharedkey",
    "servicekey",
    "apisecret",
    "credential",
    "credentials",
    "bearer",
    "basic",
    "authorization",
    "cookie",
    "sessionkey",
    "webhookkey",
    "licensekey",
    "prodkey",
    "accesstoken",
    "xapikey",
    "appkey",
    "clientkey",
    "accesskeyid",
    "hmackey",
    "aeskey",
    "apitoken",
    "authtoken",
    "signature",
];

/// Names that end like these and hold no secret.
const HARMLESS: &[&str] = &[
    "page",
    "next",
    "sync",
    "continuation",
    "public",
    "cursor",
    "hash",
    "type",
    "count",
    "max",
    "csrf",
    "push",
    "device",
    "idempotency",
    "sort",
    "partition",
    "primary",
    "foreign",
    "object",
    "cache",
];

/// Parts of values that stand for a secret elsewhere, or for none.
const STAND_INS: &[&str] = &[
    "${",
    "{{",
    "xxxx",
    "****",
    "...",
    "example",
    "changeme",
    "change_me",
    "placeholder",
    "your_",
    "your-",
    "redacted",
    "env.",
    "getenv",
    "process.",
    "config.",
    "secrets.",
    "vault:",
    "vault_",
    "arn:",
    "ssm:",
    "://",
    "<",
    "todo",
    "dummy",
    "insert",
    "not_set",
    "undefined",
];

/// Values that are words for passwords and not passwords.
const WORDS: &[&str] =
    &["password", "pass", "passwd", "pwd", "secret", "token", "user", "null", "none", "true", "false", "string"];

/// True for a value that stands for a secret and is none.
pub(super) fn is_stand_in(value: &str) -> bool {
    let small = value.to_ascii_lowercase();
    let first = value.bytes().next().unwrap_or_default();
    WORDS.contains(&small.as_str())
        || STAND_INS.iter().any(|part| small.contains(part))
        || matches!(first, b'$' | b'{' | b'<' | b'%' | b'*' | b'[')
        || value.bytes().all(|b| b == first)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Password,
    Key,
}

/// The value that starts exactly here and belongs to a secret's name.
pub(super) fn assigned(start: Cursor<'_>, context: &Context<'_>) -> Result<Option<Secret>, NeedMore> {
    let window = context.left.window();
    if !window.last().is_some_and(|last| may_be_assigned(*last)) {
        return Ok(None);
    }
    let cell = context.left.cell();
    let in_cell = cell.is_some_and(|meaning| meaning.for_kinds & super::words::bit(PiiType::Secret) != 0);
    if !in_cell && !is_assigned(window) {
        return Ok(None);
    }
    if !in_cell && !may_name_secret(window) {
        return Ok(None);
    }
    let Some(value) = Value::read(start)? else { return Ok(None) };
    let name = if in_cell { Some(Name::Password) } else { name_before(window) };
    let Some(name) = name else { return Ok(None) };
    if context.says(PiiType::Secret) == Says::Against && name == Name::Key {
        return Ok(None);
    }
    if !value.fits(name) {
        return Ok(None);
    }
    let swallow = value.goes_on.then_some(Swallow::token(Alphabet::Value));
    Ok(Some(Secret { end: value.end, certain: if name == Name::Password { 82 } else { 80 }, swallow }))
}

/// A value up to the sign that ends it.
struct Value<'a> {
    text: &'a str,
    end: usize,
    /// More than a look may read.
    goes_on: bool,
}

impl<'a> Value<'a> {
    fn read(start: Cursor<'a>) -> Result<Option<Self>, NeedMore> {
        let mut here = start;
        while Alphabet::Value.has(here.class()?)
            || (here.class()? == b'&' && !here.next()?.class()?.is_ascii_alphabetic())
        {
            here = here.next()?;
        }
        let next = here.class()?;
        let goes_on = next == FAR;
        // A call, or a placeholder in the place of a part, and no value.
        if matches!(next, b'(' | b'[') {
            return Ok(None);
        }
        let text = here.text.get(start.at..here.at).unwrap_or_default();
        let text = if goes_on { text } else { text.trim_end_matches(['.', ':']) };
        let letters_only = text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-' || b == b'_');
        Ok((text.len() >= 8 && !letters_only).then_some(Self { text, end: start.at + text.len(), goes_on }))
    }

    fn fits(&self, name: Name) -> bool {
        let bytes = self.text.as_bytes();
        let has = |is: fn(&u8) -> bool| bytes.iter().any(is);
        let (digit, letter) = (has(u8::is_ascii_digit), has(|b| b.is_ascii_alphabetic() && *b != b'X'));
        let sign = bytes.iter().any(|b| b.is_ascii_punctuation() && !matches!(b, b'.' | b'-' | b'_' | b'/'));
        // What was masked before is no capital letter.
        let cases = has(u8::is_ascii_lowercase) && has(|b| b.is_ascii_uppercase() && *b != b'X');
        let mixed = letter && digit;
        // The masked end of a value that stood before.
        let masked = matches!(bytes, [b'X', next, ..] if *next == b'X' || !next.is_ascii_alphanumeric());
        if masked || is_stand_in(self.text) || !letter {
            return false;
        }
        match name {
            Name::Password => mixed || (sign && cases && bytes.len() >= 10),
            Name::Key => mixed && bytes.len() >= 16 && !is_identifier(self.text) && various(bytes),
        }
    }
}

/// At least eight different characters.
fn various(bytes: &[u8]) -> bool {
    let mut seen = [false; 128];
    bytes.iter().filter(|b| seen.get_mut(usize::from(**b)).is_some_and(|s| !std::mem::replace(s, true))).count() >= 8
}

/// A UUID, a path of code or a name of several words names something.
fn is_identifier(text: &str) -> bool {
    let bytes = text.as_bytes();
    let uuid = bytes.len() == 36 && [8, 13, 18, 23].iter().all(|place| bytes.get(*place) == Some(&b'-'));
    let words = text
        .split(['.', '_', '-'])
        .filter(|part| part.len() > 2 && part.bytes().all(|b| b.is_ascii_alphabetic()))
        .count();
    uuid || words > 2
}

/// The last two letters of [`PASSWORDS`] and [`KEYS`].
const ENDS: [[u8; 2]; 17] = [
    *b"rd", *b"wd", *b"se", *b"rt", *b"de", *b"ss", *b"et", *b"en", *b"ey", *b"al", *b"ls", *b"er", *b"ic", *b"on",
    *b"ie", *b"id", *b"re",
];

/// False for most names, seen at their end: what they name is no secret.
fn may_name_secret(window: &[u8]) -> bool {
    let (rest, _) = assignment(window);
    let name = letters(rest);
    let name = name.text().as_bytes();
    name.last_chunk().is_some_and(|end| ENDS.contains(end))
        || name.windows(4).any(|part| part == b"pass")
        || ends_in_phrase(rest)
}

/// The name to which the value right after `window` is assigned, if it is that of a secret.
fn name_before(window: &[u8]) -> Option<Name> {
    let (rest, separated) = assignment(window);
    let name = letters(rest);
    let name = name.text();
    let told = name.ends_with("secretaccesskey"); // `aws configure set aws_secret_access_key …`
    if !separated && !told && !name.ends_with("bearer") && !name.ends_with("basic") {
        return None;
    }
    let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
    let scheme = name.ends_with("bearer")
        || name.ends_with("authorizationbasic")
        || (name == "basic" && speaks_of_authorization(window));
    // `the password for the portal is …`
    let spoken = separated && rest.len() < window.len() && PHRASES.iter().any(|word| name.contains(word))
        || (separated && ends_in_phrase(rest));
    let found = if ends(PASSWORDS) || spoken {
        Name::Password
    } else if scheme || told || (separated && ends(KEYS)) {
        Name::Key
    } else {
        return None;
    };
    (!is_harmless(name) && (separated || scheme || told)).then_some(found)
}

/// Words for a password that are more than one, or not in ASCII letters.
fn ends_in_phrase(rest: &[u8]) -> bool {
    let phrases =
        ["mot de passe", "contraseña", "senha", "palavra-passe", "wachtwoord", "kennwort", "пароль", "पासवर्ड"];
    let end = |len: usize| rest.get(rest.len().checked_sub(len)?..);
    phrases.iter().any(|phrase| end(phrase.len()).is_some_and(|end| end.eq_ignore_ascii_case(phrase.as_bytes())))
}

/// `"Authorization": "Basic …"`
fn speaks_of_authorization(window: &[u8]) -> bool {
    window.windows(13).any(|part| part.eq_ignore_ascii_case(b"authorization"))
}

/// An account's key is no count.
fn is_harmless(name: &str) -> bool {
    let name = name.replace("account", "");
    HARMLESS.iter().any(|word| name.contains(word))
}

/// True if something is assigned to what stands right after `window`: looked at first, since most words are no values.
fn is_assigned(window: &[u8]) -> bool {
    // Most words follow another word: neither ` is `, `Bearer `, `basic ` nor `…_key `.
    if let [.., letter, b' '] = window
        && letter.is_ascii_alphanumeric()
        && !matches!(letter | 0x20, b's' | b'r' | b'c' | b'y' | b't' | b'i')
    {
        return false;
    }
    let (rest, separated) = assignment(window);
    let scheme = |name: &[u8]| {
        rest.len()
            .checked_sub(name.len())
            .and_then(|from| rest.get(from..))
            .is_some_and(|end| end.eq_ignore_ascii_case(name))
    };
    separated || scheme(b"bearer") || scheme(b"basic") || scheme(b"secret_access_key")
}

/// What stands before ` is `, in a few languages.
fn spoken(window: &[u8]) -> Option<&[u8]> {
    let last = window.last()?;
    // letters that end one of these words, and the last bytes of `é` and `è`
    if !matches!(last, b's' | b't' | b'i' | 0xA8 | 0xA9) {
        return None;
    }
    [" is", " est", " es", " é", " è", " ist", " lautet", " hai"]
        .iter()
        .find_map(|is| window.strip_suffix(is.as_bytes()))
}

/// What stands before `=`, `: "`, `": "`, ` is `, and whether one of these stood there.
fn assignment(window: &[u8]) -> (&[u8], bool) {
    let (mut rest, mut separated) = (window, false);
    for _ in 0..10 {
        if let Some(before) = spoken(rest) {
            (rest, separated) = (before, true);
            continue;
        }
        match rest {
            [before @ .., b' ' | b'"' | b'\'' | b'`' | b'*' | b'[' | b'\\'] => rest = before,
            [before @ .., quote @ (b'"' | b'\''), b']'] if !before.ends_with(&[*quote]) => rest = before,
            [before @ .., b':' | b'=' | b'>' | b'-'] => (rest, separated) = (before, true),
            _ => break,
        }
    }
    (rest, separated)
}

/// The last letters of a name in small ones, without what joins its words.
struct Letters {
    bytes: [u8; 32],
    from: usize,
}

impl Letters {
    fn text(&self) -> &str {
        std::str::from_utf8(self.bytes.get(self.from..).unwrap_or_default()).unwrap_or_default()
    }
}

fn letters(window: &[u8]) -> Letters {
    let mut letters = Letters { bytes: [0; 32], from: 32 };
    for byte in window.iter().rev().take(36) {
        if matches!(byte, b'_' | b'-' | b' ' | b'.' | b':') {
            continue;
        }
        let Some(place) = letters.from.checked_sub(1).filter(|_| byte.is_ascii_alphabetic()) else { break };
        if let Some(slot) = letters.bytes.get_mut(place) {
            *slot = byte.to_ascii_lowercase();
        }
        letters.from = place;
    }
    letters
}

/// True if a key or the head of a column names a secret.
pub(super) fn names_secret(name: &[u8]) -> bool {
    let name = letters(name.trim_ascii_end());
    let name = name.text();
    let ends = |list: &[&str]| list.iter().any(|end| name.ends_with(end));
    (ends(PASSWORDS) || ends(KEYS)) && !is_harmless(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pii::left::Left;

    fn secret(text: &str) -> Option<String> {
        let at = text.find('^').unwrap();
        let mut left = Left::default();
        left.push(&text[..at]);
        let value = &text[at + 1..];
        let start = Cursor::new(value, 0, true);
        assigned(start, &Context::new(&left)).unwrap().map(|s| value[..s.end].to_owned())
    }

    #[test]
    fn names_give_secrets_away() {
        for (text, value) in [
            ("password=^Kochi!4382kSF", "Kochi!4382kSF"),
            ("\"api_key\": \"^abcd1234efgh5678ijkl\"", "abcd1234efgh5678ijkl"),
            ("client_secret - ^3198bc8ce9094b97fed7; x", "3198bc8ce9094b97fed7"),
            ("Authorization: Bearer ^abcd1234efgh5678ijkl.", "abcd1234efgh5678ijkl"),
            ("os.environ[\"TOKEN\"] = '^abcd1234efgh5678ijkl=='", "abcd1234efgh5678ijkl=="),
        ] {
            assert_eq!(secret(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn each_name_ends_as_names_of_secrets_do() {
        for name in PASSWORDS.iter().chain(KEYS).chain(PHRASES) {
            assert!(may_name_secret(format!("{name}: ").as_bytes()), "{name}");
        }
        assert!(!may_name_secret(b"phone: ") && !may_name_secret(b"name="));
    }

    #[test]
    fn references_are_no_secrets() {
        for text in [
            "password=^${DB_PASSWORD_1}",
            "token: ^<your-token-here-1>",
            "api_key: ^process.env.API_KEY_1",
            "next_page_token: ^abcd1234efgh5678ijkl",
            "password: ^get_password1()",
            "token_type: ^bearer-abcdefgh1234567",
            "session: ^abcd1234efgh5678ijkl",
            "token: ^b3583e57-d272-486b-a4e9-98ce0f8df56d",
        ] {
            assert_eq!(secret(text), None, "{text}");
        }
    }
}

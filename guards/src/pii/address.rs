//! E-mail and UPI addresses: `local@label.label`, where the last label is letters; `name@handle`, where the handle is that
//! of a bank or payment app.
//!
//! # Invariants
//! * An address starts at most [`LOCAL_CHARS_MAX`] characters before its `@`, however long the run of such characters is,
//!   so what is held back is bounded (`what_is_held_back_is_bounded`).

use super::context::{Context, Says, Weight};
use super::fold::{Cursor, FAR, NeedMore, ZERO_WIDTH, is_alnum, is_glued, is_local};
use super::rules::Rules;
use super::tables::handles::HANDLES;
use memchr::memchr_iter;
use raptorgate_config::model::PiiType;

/// Characters before the `@` (RFC 5321 §4.5.3.1.1). Of a longer run the last so many count.
pub(super) const LOCAL_CHARS_MAX: usize = 64;

/// Characters after the `@` that are looked at. The domain of a longer address ends here; the person's part is gone anyway.
const DOMAIN_CHARS_MAX: usize = 60;
/// Longest handle of a UPI address.
const HANDLE_BYTES_MAX: usize = 20;
/// Bytes that an address's `@` may be away from its start.
const LOCAL_BYTES_MAX: usize = 66;

/// Endings of files that follow an `@` in names such as `icon@2x.png`, and nothing that mail is sent to.
const FILES: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "tsx", "jsx", "json", "html", "xml", "yaml", "yml",
    "txt", "pdf", "zip", "gz", "tar", "lock", "toml", "dll", "exe", "service", "internal", "py", "java", "php", "rb",
    "go",
];

/// An address: type, end, certainty.
pub(super) type Address = (PiiType, usize, u8);

/// What one pass over a text has found out about where no address can start; saves reading a run again for each place.
#[derive(Default)]
pub(super) struct Runs {
    /// No address starts before this place.
    free_to: usize,
    /// From this place up to `clear_to` there is no `@`: `clear_chars` characters.
    from: usize,
    clear_to: usize,
    clear_chars: usize,
}

impl Runs {
    /// No address starts from `at` up to this place, which may be `at` itself.
    pub fn free_to(&self, at: usize) -> usize {
        self.free_to.max(at)
    }

    /// The address that starts exactly here.
    pub fn address(
        &mut self,
        start: Cursor<'_>,
        context: &Context<'_>,
        rules: &Rules,
    ) -> Result<Option<Address>, NeedMore> {
        if start.at < self.free_to {
            return Ok(None);
        }
        let Some((at, len)) = self.at_sign(start)? else { return Ok(None) };
        let (window, lead) = lead(context.left.window());
        let local = start.text.get(start.at..at).unwrap_or_default();
        // The masked end of another value.
        if local.bytes().all(|b| b == b'X' || (b.is_ascii() && !is_start(b))) {
            return Ok(None);
        }
        let near = || context.is_near(PiiType::Email) || context.is_near(PiiType::Upi);
        // One that began earlier in the run was judged there, but for the masked end of another value.
        let begun = lead.iter().any(|b| is_start(*b) && *b != b'X');
        if begun && lead.len() + local.len() <= LOCAL_CHARS_MAX && !is_label(lead, near) {
            return Ok(None);
        }
        let labelled = local.find('-').and_then(|dash| local.as_bytes().get(..=dash));
        if labelled.is_some_and(|label| label.len() + 1 < local.len() && is_label(label, near)) {
            return Ok(None);
        }
        let host = start.to(at + len);
        match domain(host)? {
            Some(end) => mail(start, at, end, window, context),
            None => handle(start, at, host, context, rules),
        }
    }

    /// The `@` that ends the run of local characters from `start`, if it is near enough, with its length.
    fn at_sign(&mut self, start: Cursor<'_>) -> Result<Option<(usize, usize)>, NeedMore> {
        let (mut here, mut chars) = (start, 0);
        if self.from <= start.at && start.at < self.clear_to {
            let passed = start.text.get(self.from..start.at).unwrap_or_default().chars().count();
            (here.at, chars) = (self.clear_to, self.clear_chars.saturating_sub(passed));
        }
        while chars <= LOCAL_CHARS_MAX {
            let byte = here.ascii();
            if is_local(byte) && byte != b'%' {
                (here.at, chars) = (here.at + 1, chars + 1);
                continue;
            }
            match here.peek()? {
                (b'@', len) if chars > 0 => {
                    return Ok((here.at - start.at <= LOCAL_BYTES_MAX).then_some((here.at, len)));
                }
                (b'%', _) if chars > 0 && is_escaped_at(here)? => return Ok(Some((here.at, 3))),
                (class, len) if is_local(class) || class == ZERO_WIDTH => {
                    here.at += len;
                    chars += 1;
                }
                (FAR, _) => break,
                _ => {
                    self.free_to = here.at.max(start.at + 1);
                    return Ok(None);
                }
            }
        }
        (self.from, self.clear_to, self.clear_chars) = (start.at, here.at, chars);
        self.skip_long_run(here);
        Ok(None)
    }

    /// Coded data is one run for kilobytes: reads as much of it as there is, once, to know where an address could start.
    fn skip_long_run(&mut self, mut here: Cursor<'_>) {
        here.limit = usize::MAX;
        while let Ok((class, len)) = here.peek() {
            if !is_local(class) && class != ZERO_WIDTH {
                break;
            }
            here.at += len;
        }
        // What starts earlier has more characters before the end of the run than an address may have.
        let mut free_to = here.at.saturating_sub(LOCAL_CHARS_MAX * char::MAX.len_utf8());
        while !here.text.is_char_boundary(free_to) {
            free_to -= 1;
        }
        self.free_to = self.free_to.max(free_to);
    }
}

/// May be the first character of an address.
pub(super) fn is_start(class: u8) -> bool {
    is_alnum(class) || matches!(class, b'_' | b'+')
}

/// The window in two: the run of local characters at its end, and what stands before that.
fn lead(window: &[u8]) -> (&[u8], &[u8]) {
    let run = window.iter().rev().take_while(|b| is_local(**b)).count();
    window.split_at(window.len() - run)
}

/// A label that is glued to the address: `Email-asha`, and `id-asha` where words say what follows.
fn is_label(label: &[u8], near: impl Fn() -> bool) -> bool {
    let Some(word) = label.strip_suffix(b"-") else { return false };
    let known = ["email", "mail", "upi", "vpa", "id", "mailto"];
    known.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
        && (word.iter().any(u8::is_ascii_uppercase) || (word == b"id" && near()))
}

/// `%40`, as addresses stand in URLs.
fn is_escaped_at(here: Cursor<'_>) -> Result<bool, NeedMore> {
    let next = here.next()?;
    Ok(next.class()? == b'4' && next.next()?.class()? == b'0')
}

/// Judges an address with a domain, which `window` stands before: remotes of repositories and log-ins are none.
fn mail(
    start: Cursor<'_>,
    at: usize,
    end: usize,
    window: &[u8],
    context: &Context<'_>,
) -> Result<Option<Address>, NeedMore> {
    let path_follows = start.to(end).class()? == b':' && {
        let after = start.to(end + 1).class()?;
        after == b'/' || after == b'~' || after.is_ascii_alphabetic()
    };
    let user = start.text.get(start.at..at).unwrap_or_default();
    // Also where the host ends in what mail has not: `git@gitlab.acme.internal:…`
    let remote = user == "git"
        && match start.to(end).class()? {
            b'.' => is_glued(start.to(end + 1))?,
            class => class == b':',
        };
    // `https://user@host`: whoever logs in there, it is no mail.
    let login = window.ends_with(b"//")
        || ((path_follows || in_shell(window)) && context.says(PiiType::Email) == Says::Against);
    if remote || login {
        return Ok(None);
    }
    let ident = ascii_ends_with(window, b"message-id: <") || ascii_ends_with(window, b"in-reply-to: <");
    let certain = if ident { 20 } else { 95 };
    Ok(Some((PiiType::Email, end, certain)))
}

/// A command that takes a user at a host.
fn in_shell(window: &[u8]) -> bool {
    let commands: [&[u8]; 4] = [b"ssh", b"sftp", b"scp", b"rsync"];
    let before = |space: usize| window.get(..space).unwrap_or_default();
    memchr_iter(b' ', window).any(|space| commands.iter().any(|name| before(space).ends_with(name)))
}

fn ascii_ends_with(window: &[u8], end: &[u8]) -> bool {
    window.len().checked_sub(end.len()).and_then(|from| window.get(from..)).is_some_and(|w| w.eq_ignore_ascii_case(end))
}

/// `@handle` of a UPI address.
fn handle(
    start: Cursor<'_>,
    at: usize,
    mut here: Cursor<'_>,
    context: &Context<'_>,
    rules: &Rules,
) -> Result<Option<Address>, NeedMore> {
    let mut name = [0; HANDLE_BYTES_MAX];
    let mut len = 0;
    while is_alnum(here.class()?) {
        let Some(slot) = name.get_mut(len) else { return Ok(None) };
        *slot = here.class()?.to_ascii_lowercase();
        len += 1;
        here = here.next()?;
    }
    let after = here.past_invisible()?;
    let goes_on = match after.class()? {
        b'.' => is_glued(after.next()?)?,
        // `deploy@db-blue`: a host.
        b'-' => len < 4 && after.next()?.class()?.is_ascii_alphabetic(),
        b'@' => true,
        _ => is_glued(after)?,
    };
    // The masked beginning of another value is none of the local part.
    let own = start.text.get(start.at..at).unwrap_or_default().trim_start_matches('X').len();
    let name = std::str::from_utf8(name.get(..len).unwrap_or_default()).unwrap_or_default();
    if goes_on || len < 2 || own < 2 || context.left.before().last() == b'@' {
        return Ok(None);
    }
    let known = HANDLES.binary_search(&name).is_ok();
    let letters = name.bytes().all(|b| b.is_ascii_alphabetic());
    let weight = if known { Weight(90, 97, 40) } else { Weight(10, if letters { 80 } else { 30 }, 0) };
    let certain = match known || context.is_near(PiiType::Upi) {
        true => context.weigh(PiiType::Upi, weight, rules),
        false => 10,
    };
    Ok(Some((PiiType::Upi, here.at, certain)))
}

/// One label of a domain while it is read.
#[derive(Clone, Copy, Default)]
struct Label {
    chars: usize,
    letters: usize,
    digits: usize,
    /// Its first characters in small letters: to know `xn--`, and endings of files.
    head: [u8; 8],
    masked: usize,
    /// After its last letter or digit; 0 before the first one.
    end: usize,
    hyphens: usize,
    /// Hyphens with a letter or digit after them.
    hyphens_inside: usize,
}

impl Label {
    fn push(&mut self, class: u8, end: usize) {
        if let Some(slot) = self.head.get_mut(self.chars) {
            *slot = class.to_ascii_lowercase();
        }
        self.chars += 1;
        if class == b'-' {
            self.hyphens += 1;
            return;
        }
        self.hyphens_inside = self.hyphens;
        self.letters += usize::from(class.is_ascii_alphabetic());
        self.digits += usize::from(class.is_ascii_digit());
        self.masked += usize::from(class == b'X');
        self.end = end;
    }

    /// Letters only, or `xn--…`; but no ending of a file, and nothing masked.
    fn is_top_level(&self) -> bool {
        let word = self.letters >= 2 && self.digits == 0 && self.hyphens_inside == 0 && self.masked < 2;
        let head = self.head.get(..self.chars.min(8)).unwrap_or_default();
        let file = FILES.iter().any(|ending| ending.as_bytes() == head);
        (word && !file) || (self.head.starts_with(b"xn--") && self.chars > 4)
    }
}

/// End of the domain that starts here: the longest one whose last label can be a top-level domain. It may also end before a
/// hyphen or an invisible character, so that it is found whatever is glued to it: `asha@x.com-9876543210`.
fn domain(mut here: Cursor<'_>) -> Result<Option<usize>, NeedMore> {
    let (mut labels, mut found) = (0, None);
    let mut label = Label::default();
    for _ in 0..DOMAIN_CHARS_MAX {
        let (class, len) = here.peek()?;
        if labels > 0 && !is_alnum(class) && label.is_top_level() {
            found = Some(label.end);
        }
        let dot = class == b'.' && label.end > 0 && is_alnum(here.next()?.past_invisible()?.class()?);
        here.at += len;
        if is_alnum(class) || class == b'-' {
            label.push(class, here.at);
        } else if dot {
            (labels, label) = (labels + 1, Label::default());
        } else if class != ZERO_WIDTH {
            return Ok(found);
        }
    }
    Ok(if labels > 0 && label.is_top_level() { Some(label.end) } else { found })
}

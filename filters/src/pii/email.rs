//! E-mail addresses: `local@label.label`, where the last label is letters.
//!
//! # Invariants
//! * An address starts at most [`LOCAL_CHARS_MAX`] characters before its `@`, however long the run of such characters is,
//!   so what is held back is bounded (`what_is_held_back_is_bounded`).

use super::fold::{Cursor, NeedMore, ZERO_WIDTH, is_alnum, is_local};

/// Characters before the `@` (RFC 5321 §4.5.3.1.1). Of a longer run the last so many count.
pub(super) const LOCAL_CHARS_MAX: usize = 64;

/// Characters after the `@` that are looked at. The domain of a longer address ends here; the person's part is gone anyway.
const DOMAIN_CHARS_MAX: usize = 63;

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

    /// End of the address that starts exactly here.
    pub fn address(&mut self, start: Cursor<'_>) -> Result<Option<usize>, NeedMore> {
        if start.at < self.free_to {
            return Ok(None);
        }
        let Some(at) = self.at_sign(start)? else { return Ok(None) };
        let end = domain(Cursor { at, ..start }.next()?)?;
        let found = match end {
            Some(end) if !is_git_remote(start, at, end)? => Some(end),
            Some(_) | None => None,
        };
        if found.is_none() {
            self.free_to = at + 1;
        }
        Ok(found)
    }

    /// The `@` that ends the run of local characters from `start`, if it is near enough.
    fn at_sign(&mut self, start: Cursor<'_>) -> Result<Option<usize>, NeedMore> {
        let (mut here, mut chars) = (start, 0);
        if self.from <= start.at && start.at < self.clear_to {
            let passed = start.text.get(self.from..start.at).unwrap_or_default().chars().count();
            (here.at, chars) = (self.clear_to, self.clear_chars - passed);
        }
        while chars <= LOCAL_CHARS_MAX {
            match here.peek()? {
                (b'@', _) if chars > 0 => return Ok(Some(here.at)),
                (class, len) if is_local(class) || class == ZERO_WIDTH => {
                    here.at += len;
                    chars += 1;
                }
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

/// `git@host:path` is the address of a repository.
fn is_git_remote(start: Cursor<'_>, at: usize, end: usize) -> Result<bool, NeedMore> {
    Ok(start.text.get(start.at..at) == Some("git") && Cursor { at: end, ..start }.class()? == b':')
}

/// One label of a domain while it is read.
#[derive(Clone, Copy, Default)]
struct Label {
    chars: usize,
    letters: usize,
    digits: usize,
    /// The first characters, to know `xn--`.
    head: [u8; 4],
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
        self.end = end;
    }

    fn is_top_level(&self) -> bool {
        let word = self.letters >= 2 && self.digits == 0 && self.hyphens_inside == 0;
        word || (self.head == *b"xn--" && self.chars > 4)
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

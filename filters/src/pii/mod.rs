//! Personal data in text: found and masked by one incremental machine, whose whole-text mode is one push and the end.
//!
//! The machine goes over the text once from left to right. At each place it either knows that a value starts there, or that
//! none does, or that it needs more text; then everything from that place on is held back. Each decision reads a bounded
//! number of characters, so what is held back is bounded: at most [`HELD_CHARS_MAX`] characters, for ordinary words the word
//! being written.
//!
//! A masked value's readable rest is read again with what follows it, so that masking a masked text changes nothing.
//!
//! # Invariants
//! * A masked stream is the masked whole, wherever it is cut (`a_masked_stream_is_the_masked_whole`).
//! * Masking twice is masking once (`masking_twice_is_masking_once`), unless an address starts inside a run of more than 64
//!   characters that addresses are made of: what stands before it then loses its neighbour; or a number stood where the last label of
//!   an address would, whose letters `X` then make one (`a@b.9876543210`): the second time masks more.
//! * What is held back is bounded (`what_is_held_back_is_bounded`).
//! * Nothing here can print a text: `Debug` shows sizes only.

mod email;
mod fold;
mod number;
mod pan;
mod scan;
pub mod verhoeff;

use email::{LOCAL_CHARS_MAX, Runs};
use fold::{Cursor, NeedMore, fold, is_alnum};
use raptorgate_config::model::{PiiAction, PiiType};

/// Most characters that are held back: an address with the character after it. Numbers need fewer.
pub const HELD_CHARS_MAX: usize = 2 * LOCAL_CHARS_MAX + 2;

/// Types in the order of [`Rules`] and [`Tally`].
const TYPES: [PiiType; 4] = [PiiType::Email, PiiType::Phone, PiiType::Aadhaar, PiiType::Pan];

fn place(kind: PiiType) -> usize {
    match kind {
        PiiType::Email => 0,
        PiiType::Phone => 1,
        PiiType::Aadhaar => 2,
        PiiType::Pan => 3,
    }
}

/// What stands in a value's place.
pub const fn type_name(kind: PiiType) -> &'static str {
    match kind {
        PiiType::Email => "[EMAIL]",
        PiiType::Phone => "[PHONE]",
        PiiType::Aadhaar => "[AADHAAR]",
        PiiType::Pan => "[PAN]",
    }
}

/// Which types are looked for and what is done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules([Option<PiiAction>; 4]);

impl Rules {
    /// Of two actions for one type the last one holds.
    pub fn new(actions: &[(PiiType, PiiAction)]) -> Self {
        let mut rules = Self::default();
        for (kind, action) in actions {
            if let Some(slot) = rules.0.get_mut(place(*kind)) {
                *slot = Some(*action);
            }
        }
        rules
    }

    /// True if nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// What is done with a type; `None`: it is not looked for.
    pub fn action(&self, kind: PiiType) -> Option<PiiAction> {
        self.0.get(place(kind)).copied().flatten()
    }
}

/// How many values were found, by type, and whether one of them asks for a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    counts: [u32; 4],
    /// A value with [`PiiAction::Block`] was found; it was replaced by its type's name meanwhile.
    pub blocked: bool,
}

impl Tally {
    /// Types found, with their number.
    pub fn found(&self) -> impl Iterator<Item = (PiiType, u32)> {
        TYPES.into_iter().zip(self.counts).filter(|(_, count)| *count > 0)
    }

    /// Adds what was found elsewhere.
    pub fn add(&mut self, other: &Tally) {
        self.counts.iter_mut().zip(other.counts).for_each(|(mine, theirs)| *mine = mine.saturating_add(theirs));
        self.blocked |= other.blocked;
    }

    fn count(&mut self, kind: PiiType) {
        if let Some(count) = self.counts.get_mut(place(kind)) {
            *count = count.saturating_add(1);
        }
    }
}

/// Classes of the last three characters of what was given out; the last one stands last.
#[derive(Clone, Copy, Default)]
struct Before([u8; 3]);

impl Before {
    fn push(&mut self, text: &str) {
        let Self([_, second, last]) = *self;
        let mut tail = text.chars().rev().map(fold);
        self.0 = match (tail.next(), tail.next(), tail.next()) {
            (Some(c), Some(b), Some(a)) => [a, b, c],
            (Some(c), Some(b), None) => [last, b, c],
            (Some(c), None, _) => [second, last, c],
            (None, _, _) => self.0,
        };
    }

    /// True if a letter or digit here belongs to what stands before it: the same word, a decimal number, or digits with
    /// something invisible between them. Mirrors where [`number`] ends a group.
    fn continues_in(self, class: u8) -> bool {
        use fold::ZERO_WIDTH;
        match self.0 {
            [_, _, last] if is_alnum(last) => true,
            [_, b'0'..=b'9', b'.' | ZERO_WIDTH] | [b'0'..=b'9', ZERO_WIDTH, ZERO_WIDTH] => class.is_ascii_digit(),
            _ => false,
        }
    }
}

/// Masks one text that arrives in pieces.
pub struct Masker {
    rules: Rules,
    /// Text that is not decided yet.
    held: String,
    /// What stands before the undecided text.
    before: Before,
    tally: Tally,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} bytes held)", self.held.len())
    }
}

/// A value in a text.
struct Found {
    kind: PiiType,
    action: PiiAction,
    end: usize,
}

/// What was decided at one place.
enum Look {
    Found(Found),
    /// No value starts before this place.
    Nothing(usize),
}

impl Masker {
    /// A masker at the start of a text.
    pub fn new(rules: Rules) -> Self {
        Self { rules, held: String::new(), before: Before::default(), tally: Tally::default() }
    }

    /// Masks a whole text; `None` if nothing was found.
    pub fn whole(rules: Rules, text: &str, tally: &mut Tally) -> Option<String> {
        if rules.is_empty() {
            return None;
        }
        let mut masker = Self::new(rules);
        let mut out = String::new();
        let rest = masker.pass(text, true, &mut out);
        tally.add(&masker.tally);
        masker.tally.found().next()?;
        out.push_str(text.get(rest.start..).unwrap_or_default());
        Some(out)
    }

    /// Takes the next piece; appends what is decided to `out`.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        if self.held.is_empty() {
            let decided = self.decide(piece, false, out);
            self.held.push_str(piece.get(decided..).unwrap_or_default());
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        let decided = self.decide(&held, false, out);
        held.drain(..decided);
        self.held = held;
    }

    /// The text is over: appends what was held back. The masker is then at the start of a new text.
    pub fn finish(&mut self, out: &mut String) {
        let held = std::mem::take(&mut self.held);
        self.decide(&held, true, out);
        self.before = Before::default();
    }

    /// Text that is not decided yet.
    pub fn held(&self) -> &str {
        &self.held
    }

    /// What was found since the start or the last call.
    pub fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// Appends what is certain of `text`; gives the place up to which it is.
    fn decide(&mut self, text: &str, finished: bool, out: &mut String) -> usize {
        let rest = self.pass(text, finished, out);
        let clean = text.get(rest.clone()).unwrap_or_default();
        out.push_str(clean);
        self.before.push(clean);
        rest.end
    }

    /// Goes over `text`; writes up to the last value found. Gives the range after it that holds no value and can go on.
    fn pass(&mut self, text: &str, finished: bool, out: &mut String) -> std::ops::Range<usize> {
        let mut runs = Runs::default();
        let (mut from, mut at) = (0, 0);
        loop {
            at = scan::next_token(text.as_bytes(), at);
            if at >= text.len() {
                return from..text.len();
            }
            match self.look(Cursor { text, at, finished }, from, &mut runs) {
                Err(NeedMore) => return from..at,
                Ok(Look::Nothing(next)) => at = next,
                Ok(Look::Found(found)) => {
                    let clean = text.get(from..at).unwrap_or_default();
                    out.push_str(clean);
                    self.before.push(clean);
                    let value = text.get(at..found.end).unwrap_or_default();
                    at += self.replace(&found, value, out);
                    from = at;
                }
            }
        }
    }

    /// Decides whether a value starts exactly here. `from`: up to here the output ends with `before`, then comes the text.
    fn look(&self, here: Cursor<'_>, from: usize, runs: &mut Runs) -> Result<Look, NeedMore> {
        let (class, len) = here.peek()?;
        let email = self.rules.action(PiiType::Email);
        if let Some(action) = email
            && (is_alnum(class) || matches!(class, b'_' | b'+'))
            && let Some(end) = runs.address(here)?
        {
            return Ok(Look::Found(Found { kind: PiiType::Email, action, end }));
        }
        let mut before = self.before;
        before.push(here.text.get(from..here.at).unwrap_or_default());
        let starts = matches!(class, b'+' | b'(') || (is_alnum(class) && !before.continues_in(class));
        if starts
            && let Some((kind, end)) = self.number_or_pan(here, class)?
            && let Some(action) = self.rules.action(kind)
        {
            return Ok(Look::Found(Found { kind, action, end }));
        }
        let next = here.at + len;
        // In a run too long for an address, one may still start at the next character.
        let free_to = if email.is_some() { runs.free_to(next) } else { usize::MAX };
        let skipped = if is_alnum(class) && free_to > next { scan::run_end(here).min(free_to) } else { next };
        Ok(Look::Nothing(skipped))
    }

    fn number_or_pan(&self, here: Cursor<'_>, class: u8) -> Result<Option<(PiiType, usize)>, NeedMore> {
        let wanted = |kind| self.rules.action(kind).is_some();
        if !class.is_ascii_alphabetic() {
            return if wanted(PiiType::Phone) || wanted(PiiType::Aadhaar) {
                number::number(here, wanted)
            } else {
                Ok(None)
            };
        }
        let end = if wanted(PiiType::Pan) { pan::pan(here)? } else { None };
        Ok(end.map(|end| (PiiType::Pan, end)))
    }

    /// Writes what stands in the value's place; gives how much of the value is done. The rest is read again.
    fn replace(&mut self, found: &Found, value: &str, out: &mut String) -> usize {
        self.tally.count(found.kind);
        self.tally.blocked |= found.action == PiiAction::Block;
        let from = out.len();
        let done = match (found.action, found.kind) {
            (PiiAction::Mask { keep_last }, PiiType::Phone | PiiType::Aadhaar | PiiType::Pan) => {
                mask(value, keep_last, out)
            }
            (PiiAction::Mask { .. }, PiiType::Email) | (PiiAction::Replace | PiiAction::Block, _) => {
                out.push_str(type_name(found.kind));
                value.len()
            }
        };
        self.before.push(out.get(from..).unwrap_or_default());
        done
    }
}

/// Writes `value` with all but its last letters and digits as `X`, up to the first one that stays; gives its place. At
/// least one is always masked.
fn mask(value: &str, keep_last: usize, out: &mut String) -> usize {
    let readable = value.chars().filter(|c| is_alnum(fold(*c))).count();
    let mut left = readable - keep_last.min(readable.saturating_sub(1));
    for (at, c) in value.char_indices() {
        match (is_alnum(fold(c)), left) {
            (true, 0) => return at,
            (true, _) => {
                left -= 1;
                out.push('X');
            }
            (false, _) => out.push(c),
        }
    }
    value.len()
}

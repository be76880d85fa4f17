//! The machine: takes a text in pieces, gives out what is decided, and tells what it found.
//!
//! # Invariants
//! * A masked stream is the masked whole, wherever it is cut (`a_masked_stream_is_the_masked_whole`).
//! * Between two pushes at most [`super::LOOK_BYTES_MAX`] bytes are held back (`what_is_held_back_is_bounded`).

use super::Kind;
use super::address::Runs;
use super::find::Entity;
use super::fold::{Cursor, NeedMore};
use super::left::Left;
use super::look::{Found, Look, look};
use super::own::Search;
use super::replace::replace;
use super::rules::{Action, Rules};
use super::scan;
use super::swallow::Swallow;
use super::tally::Tally;
use std::ops::Range;

/// What gives a value another text in its place, such as a token that can be turned back.
///
/// It is asked where the action is [`Action::Replace`]; `None`: the type's name. It is not asked for secrets longer than
/// [`super::LOOK_BYTES_MAX`], which are never held as a whole.
pub trait Tokens {
    /// What stands in the place of this value; it must not look like a value.
    fn token(&mut self, kind: Kind, value: &str) -> Option<String>;
}

/// No tokens.
struct Names;

impl Tokens for Names {
    fn token(&mut self, _kind: Kind, _value: &str) -> Option<String> {
        None
    }
}

/// Masks one text that arrives in pieces.
pub struct Masker {
    rules: Rules,
    /// Text that is not decided yet.
    held: String,
    left: Left,
    /// A secret that is being left out.
    swallow: Option<Swallow>,
    tally: Tally,
    /// Bytes of the undecided text and what follows in which no number starts.
    barred: usize,
    /// Bytes decided before the undecided text.
    decided: usize,
    /// What was found, if somebody wants to know.
    entities: Option<Vec<Entity>>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Masker({} bytes held)", self.held.len())
    }
}

impl Masker {
    /// A masker at the start of a text.
    pub fn new(rules: &Rules) -> Self {
        Self {
            rules: rules.clone(),
            held: String::new(),
            left: Left::default(),
            swallow: None,
            tally: Tally::default(),
            barred: 0,
            decided: 0,
            entities: None,
        }
    }

    /// One that remembers each value: where it stood in the text, by bytes from the start.
    pub(super) fn recording(rules: &Rules) -> Self {
        Self { entities: Some(Vec::new()), ..Self::new(rules) }
    }

    pub(super) fn take_entities(&mut self) -> Vec<Entity> {
        self.entities.take().unwrap_or_default()
    }

    /// One whose text has a name that says what it is: the key of a JSON member, the field of a form.
    pub fn named(rules: &Rules, name: &str) -> Self {
        let mut masker = Self::new(rules);
        if !name.is_empty() {
            masker.left.push(name);
            masker.left.push(": ");
        }
        masker
    }

    /// Masks a whole text; `None` if nothing was found.
    pub fn whole(rules: &Rules, text: &str, tally: &mut Tally) -> Option<String> {
        Self::whole_named(rules, "", text, tally)
    }

    /// Masks a whole text under a name, as [`Masker::named`]; `None` if nothing was found.
    pub fn whole_named(rules: &Rules, name: &str, text: &str, tally: &mut Tally) -> Option<String> {
        if rules.is_empty() {
            return None;
        }
        let mut masker = Self::named(rules, name);
        let mut out = String::new();
        let rest = masker.pass(text, true, &mut out, &mut Names);
        tally.add(&masker.tally);
        if masker.tally.is_empty() {
            return None;
        }
        out.push_str(text.get(rest.start..).unwrap_or_default());
        Some(out)
    }

    /// Takes the next piece; appends what is decided to `out`.
    pub fn push(&mut self, piece: &str, out: &mut String) {
        self.push_with(piece, out, &mut Names);
    }

    /// As [`Masker::push`], with other texts in the place of values.
    pub fn push_with(&mut self, piece: &str, out: &mut String, tokens: &mut dyn Tokens) {
        if self.held.is_empty() {
            let decided = self.decide(piece, false, out, tokens);
            self.held.push_str(piece.get(decided..).unwrap_or_default());
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        let decided = self.decide(&held, false, out, tokens);
        held.drain(..decided);
        self.held = held;
    }

    /// The text is over: appends what was held back. The masker is then at the start of a new text.
    pub fn finish(&mut self, out: &mut String) {
        self.finish_with(out, &mut Names);
    }

    /// As [`Masker::finish`], with other texts in the place of values.
    pub fn finish_with(&mut self, out: &mut String, tokens: &mut dyn Tokens) {
        let held = std::mem::take(&mut self.held);
        self.decide(&held, true, out, tokens);
        (self.left, self.swallow, self.barred) = (Left::default(), None, 0);
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
    fn decide(&mut self, text: &str, finished: bool, out: &mut String, tokens: &mut dyn Tokens) -> usize {
        let rest = self.pass(text, finished, out, tokens);
        out.push_str(text.get(rest.clone()).unwrap_or_default());
        self.decided += rest.end;
        self.barred = self.barred.saturating_sub(rest.end);
        rest.end
    }

    /// Goes over `text`; writes up to the last value found. Gives the range after it that holds no value and can go on.
    fn pass(&mut self, text: &str, finished: bool, out: &mut String, tokens: &mut dyn Tokens) -> Range<usize> {
        let own = Search::new(&self.rules, self.left.last(), text, finished);
        let mut pass =
            Pass { text, finished, at: 0, from: 0, seen: 0, mark: scan::Mark::default(), runs: Runs::default(), own };
        if let Err(held) = self.leave_out(&mut pass) {
            return held;
        }
        loop {
            let value = match self.next(&mut pass) {
                Next::End(end) => return pass.from..end,
                Next::Value(value) => value,
            };
            let written = text.get(value.range.clone()).unwrap_or_default();
            if self.rules.allows(written) {
                pass.at = value.range.end;
                continue;
            }
            self.left.push(text.get(pass.seen..value.range.start).unwrap_or_default());
            out.push_str(text.get(pass.from..value.range.start).unwrap_or_default());
            pass.at = value.range.start + self.write(&value, written, out, tokens);
            (pass.from, pass.seen) = (pass.at, pass.at);
            if let Err(held) = self.leave_out(&mut pass) {
                return held;
            }
        }
    }

    /// The next value, or the place up to which there is none.
    fn next(&mut self, pass: &mut Pass<'_>) -> Next {
        loop {
            let started = pass.at;
            let at = scan::next_token(pass.text.as_bytes(), started, &mut pass.mark);
            let safe = pass.own.as_ref().map_or(usize::MAX, |own| own.safe);
            if let Some((place, range)) = pass.own.as_mut().and_then(|own| own.next(&self.rules, started))
                && range.start <= at
            {
                return Next::Value(Value { kind: Kind::Own(place), range, certain: 100, swallow: None });
            }
            let end = at.min(safe).max(started);
            self.left.push(pass.text.get(pass.seen..end).unwrap_or_default());
            pass.seen = pass.seen.max(end);
            if at >= pass.text.len() || at >= safe {
                return Next::End(end);
            }
            pass.at = at;
            let here = Cursor::new(pass.text, at, pass.finished);
            match look(here, &self.rules, &self.left, &mut pass.runs, &mut self.barred) {
                Err(NeedMore) => return Next::End(at),
                Ok(Look::Nothing(next)) => pass.at = next,
                Ok(Look::Found(found)) => return Next::Value(found.into()),
            }
        }
    }

    /// Leaves out what still belongs to a secret; `Err` with an empty range at the place from where on text is held back if
    /// the secret goes on.
    fn leave_out(&mut self, pass: &mut Pass<'_>) -> Result<(), Range<usize>> {
        let Some(swallow) = &mut self.swallow else { return Ok(()) };
        let rest = pass.text.get(pass.at..).unwrap_or_default();
        let swallowed = swallow.run(rest, pass.finished);
        let to = pass.at + swallowed.to;
        if let Some(entity) = self.entities.as_mut().and_then(|list| list.last_mut()) {
            entity.end = self.decided + to;
        }
        (pass.at, pass.from, pass.seen) = (to, to, to);
        if swallowed.goes_on {
            return Err(to..to);
        }
        self.swallow = None;
        Ok(())
    }

    /// Writes what stands in the value's place; gives how much of the value is done. The rest is read again.
    fn write(&mut self, value: &Value, written: &str, out: &mut String, tokens: &mut dyn Tokens) -> usize {
        let Range { start, end } = value.range;
        if let Some(entities) = &mut self.entities {
            let certain = value.certain;
            entities.push(Entity { kind: value.kind, start: self.decided + start, end: self.decided + end, certain });
        }
        let action = match value.kind {
            Kind::Type(kind) => self.rules.action(kind).unwrap_or(Action::Replace),
            Kind::Own(place) => self.rules.own().get(place).map_or(Action::Replace, |own| own.action),
        };
        self.tally.count(value.kind);
        self.tally.blocked |= action == Action::Block;
        // What is only reported stays, its end with it.
        self.swallow = value.swallow.filter(|_| action != Action::Report);
        let from = out.len();
        let token =
            if action == Action::Replace && value.swallow.is_none() { tokens.token(value.kind, written) } else { None };
        let done = match token {
            Some(token) => {
                out.push_str(&token);
                written.len()
            }
            None => replace(value.kind, action, written, &self.rules, out),
        };
        self.left.push(out.get(from..).unwrap_or_default());
        done
    }
}

/// One pass over a text.
struct Pass<'a> {
    text: &'a str,
    finished: bool,
    at: usize,
    /// Written up to here.
    from: usize,
    /// Known to the left context up to here.
    seen: usize,
    /// The next mark, as far as it is known.
    mark: scan::Mark,
    runs: Runs,
    own: Option<Search>,
}

struct Value {
    kind: Kind,
    range: Range<usize>,
    certain: u8,
    swallow: Option<Swallow>,
}

impl From<Found> for Value {
    fn from(found: Found) -> Self {
        let Found { kind, start, end, certain, swallow } = found;
        Self { kind: Kind::Type(kind), range: start..end, certain, swallow }
    }
}

enum Next {
    Value(Value),
    /// No value starts before this place, and what starts there needs more text.
    End(usize),
}

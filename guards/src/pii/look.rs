//! Decides whether a value starts at one place.

use super::address::{Runs, is_start};
use super::assigned;
use super::codes;
use super::context::{Context, Says};
use super::fold::{Cursor, FAR, NeedMore, is_alnum, is_glued};
use super::ip;
use super::left::Left;
use super::numbers::{self, Candidate, Number};
use super::rules::Rules;
use super::scan;
use super::secret::{self, Secret};
use super::swallow::Swallow;
use raptorgate_config::model::PiiType;

/// A value in a text.
#[derive(Debug)]
pub(super) struct Found {
    pub kind: PiiType,
    pub start: usize,
    pub end: usize,
    pub certain: u8,
    /// The value goes on after `end`, as long as this says.
    pub swallow: Option<Swallow>,
}

/// What was decided at one place.
pub(super) enum Look {
    Found(Found),
    /// No value starts before this place.
    Nothing(usize),
}

/// Decides whether a value starts exactly here. Before `barred_to` no number starts: it is inside of what was found to be none.
pub(super) fn look(
    here: Cursor<'_>,
    rules: &Rules,
    left: &Left,
    runs: &mut Runs,
    barred_to: &mut usize,
) -> Result<Look, NeedMore> {
    let (class, len) = here.peek()?;
    let context = Context::new(left);
    let starts = is_alnum(class) && !left.before().continues_in(class);
    if let Some(secret) = self::secret(here, class, starts, rules, &context)? {
        return Ok(secret);
    }
    if let Some(found) = address(here, class, rules, &context, runs)? {
        return Ok(Look::Found(found));
    }
    if here.at >= *barred_to && (starts || matches!(class, b'+' | b'(' | b':')) {
        match identifier(here, class, rules, &context)? {
            Number::Found(candidate) => match name_after(here.to(candidate.end), &candidate, &context)? {
                Some(end) => *barred_to = end,
                None => return Ok(Look::Found(candidate.found(here.at))),
            },
            Number::NoneBefore(place) => *barred_to = place,
            Number::Nothing => {}
        }
    }
    let next = here.at + len;
    // In a run too long for an address, one may still start at the next character.
    let addresses = rules.wants(PiiType::Email) || rules.wants(PiiType::Upi);
    let free_to = if addresses { runs.free_to(next) } else { usize::MAX };
    let skipped = if is_alnum(class) && free_to > next { scan::run_end(here).min(free_to) } else { next };
    Ok(Look::Nothing(skipped))
}

/// End of a word that is glued to the value by a dash: then both are a name, `337799833883-uploads`, unless words say what it
/// is. People's names after phone numbers are none.
fn name_after(here: Cursor<'_>, candidate: &Candidate, context: &Context<'_>) -> Result<Option<usize>, NeedMore> {
    let names = matches!(candidate.kind, PiiType::Aadhaar | PiiType::Pan | PiiType::VoterId | PiiType::VehicleReg);
    if !names || here.class()? != b'-' || context.says(candidate.kind) == Says::For {
        return Ok(None);
    }
    let word = here.next()?;
    if word.class()? == b'[' && is_glued(word)? {
        return Ok(Some(word.at));
    }
    let mut end = word;
    while end.class()?.is_ascii_alphabetic() {
        end = end.next()?;
    }
    let whole = end.at > word.at && !is_alnum(end.class()?) && !matches!(end.class()?, b'@' | b'_' | FAR);
    Ok(whole.then_some(end.at))
}

impl Candidate {
    fn found(self, start: usize) -> Found {
        Found { kind: self.kind, start, end: self.end, certain: self.certain, swallow: None }
    }
}

fn secret(
    here: Cursor<'_>,
    class: u8,
    starts: bool,
    rules: &Rules,
    context: &Context<'_>,
) -> Result<Option<Look>, NeedMore> {
    if !rules.wants(PiiType::Secret) {
        return Ok(None);
    }
    let secret = match class {
        b'-' => secret::private_key(here)?,
        _ if starts => match secret::known(here)? {
            Some(secret) => Some(secret),
            None => assigned::assigned(here, context)?,
        },
        b'/' | b'+' | b'!' | b'#' | b'$' | b'*' | b'^' | b'@' | b'~' => assigned::assigned(here, context)?,
        _ => None,
    };
    let password = match secret {
        None if context.left.last() == ':' => secret::url_password(here, context.left.window())?,
        _ => None,
    };
    // The `@` after a password is a mark.
    let marked = password.is_some();
    let Some(Secret { end, certain, swallow }) = secret.or(password) else { return Ok(None) };
    let start = here.at;
    let marked = marked || scan::has_mark(here.text.get(start..end).unwrap_or_default());
    let found = rules.accepts(PiiType::Secret, certain) && marked;
    Ok(found.then_some(Look::Found(Found { kind: PiiType::Secret, start, end, certain, swallow })))
}

fn address(
    here: Cursor<'_>,
    class: u8,
    rules: &Rules,
    context: &Context<'_>,
    runs: &mut Runs,
) -> Result<Option<Found>, NeedMore> {
    let wanted = rules.wants(PiiType::Email) || rules.wants(PiiType::Upi);
    if !wanted || !is_start(class) {
        return Ok(None);
    }
    let Some((kind, end, certain)) = runs.address(here, context, rules)? else { return Ok(None) };
    Ok(rules.accepts(kind, certain).then_some(Found { kind, start: here.at, end, certain, swallow: None }))
}

/// Numbers, codes and addresses of machines.
fn identifier(here: Cursor<'_>, class: u8, rules: &Rules, context: &Context<'_>) -> Result<Number, NeedMore> {
    let hex = class.is_ascii_hexdigit() || class == b':';
    if hex && rules.wants(PiiType::IpAddress) {
        let v4 = if class.is_ascii_digit() { ip::v4(here, context, rules)? } else { None };
        let found = if v4.is_some() { v4 } else { ip::v6(here, context, rules)? };
        if let Some((end, certain)) = found
            && rules.accepts(PiiType::IpAddress, certain)
        {
            return Ok(Number::Found(Candidate { kind: PiiType::IpAddress, end, certain }));
        }
    }
    if class == b':' {
        return Ok(Number::Nothing);
    }
    let number = if class.is_ascii_alphabetic() { Number::Nothing } else { numbers::number(here, rules, context)? };
    if matches!(number, Number::Found(_)) || !is_alnum(class) {
        return Ok(number);
    }
    Ok(match (codes::code(here, rules, context)?, number) {
        (Number::Nothing, number) => number,
        (code, _) => code,
    })
}

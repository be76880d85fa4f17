//! Codes of letters and digits: PAN, GSTIN, IFSC, voters' cards, passports, licences, registration marks, IBAN.
//!
//! The groups of a code are read once; each cut of them is then compared with the forms that exist.
//!
//! # Invariants
//! * Bounded: at most [`CHARS_MAX`] characters in [`GROUPS_MAX`] groups.

use super::checks::{gstin, iban};
use super::context::{Context, Says, Weight};
use super::fold::{Cursor, DASH, NeedMore, is_alnum, is_glued, is_local};
use super::numbers::{Candidate, Number};
use super::rules::Rules;
use super::tables::banks::BANKS;
use super::tables::states::is_state_code;
use super::words::{self, Word};
use raptorgate_config::model::PiiType;

/// The longest code is an IBAN of 34 characters.
const CHARS_MAX: usize = 36;
const GROUPS_MAX: usize = 9;

/// Kinds of holder: association, body, company, family, government, artificial person, local authority, firm, person, trust.
const HOLDERS: &[u8] = b"ABCFGHJLPT";

#[derive(Clone, Copy, Default)]
struct Group {
    /// Characters up to and with this group.
    total: usize,
    len: usize,
    end: usize,
    can_end: bool,
    /// No address that begins in it goes on after it.
    closed: bool,
}

/// Letters and digits as they stand in the text.
struct Code {
    chars: [u8; CHARS_MAX],
    groups: [Group; GROUPS_MAX],
    count: usize,
}

/// The first groups of a code, in capital letters.
#[derive(Clone, Copy)]
struct Cut<'a> {
    chars: &'a [u8],
    groups: &'a [Group],
    end: usize,
    /// Small letters in the text.
    small: bool,
}

/// The code that starts exactly here; only types that are looked for.
pub(super) fn code(start: Cursor<'_>, rules: &Rules, context: &Context<'_>) -> Result<Number, NeedMore> {
    if begins_as_none(start) {
        return Ok(Number::Nothing);
    }
    let mut code = Code { chars: [0; CHARS_MAX], groups: [Group::default(); GROUPS_MAX], count: 0 };
    code.read(start)?;
    let mut best: Option<Candidate> = None;
    let mut wrong = None;
    for count in (1..=code.count).rev() {
        let mut chars = code.chars;
        let Some(cut) = code.cut(count, &mut chars) else { continue };
        let closed = cut.groups.last().is_some_and(|g| g.closed);
        if wrong.is_none() && closed && cut.groups.len() > 2 && iban::is_wrong(cut.chars) {
            wrong = Some(cut.end);
        }
        for (kind, weight) in forms(cut) {
            let Some(weight) = weight else { continue };
            let mut certain = context.weigh(kind, weight, rules);
            if !rules.accepts(kind, certain) && weight.1 > certain && context.says(kind) == Says::Nothing {
                certain = if said_after(start.to(cut.end), kind)? { weight.1.saturating_sub(10) } else { certain };
            }
            if rules.accepts(kind, certain) && best.is_none_or(|b| certain > b.certain) {
                best = Some(Candidate { kind, end: cut.end, certain });
            }
        }
    }
    Ok(match (best, wrong) {
        (Some(candidate), _) => Number::Found(candidate),
        (None, Some(end)) => Number::NoneBefore(end),
        (None, None) => Number::Nothing,
    })
}

/// True for a word or a run of letters and digits with which no code begins, seen at its first characters. Where other than
/// ASCII characters stand, or too few, it says nothing.
fn begins_as_none(start: Cursor<'_>) -> bool {
    let rest = start.text.as_bytes().get(start.at..).unwrap_or_default();
    let run = |from: usize, is: fn(&u8) -> bool| rest.iter().skip(from).take(12).take_while(|b| is(b)).count();
    let letters = run(0, u8::is_ascii_alphabetic);
    let digits = run(letters, u8::is_ascii_digit);
    let (Some(next), Some(after)) = (rest.get(letters + digits), rest.get(letters + digits + 1)) else { return false };
    if !matches!(next, 0x20..0x7F) || !matches!(after, 0x20..0x7F) {
        return false;
    }
    let separated = matches!(next, b' ' | b'-' | b'/' | b'.');
    let then_letter = next.is_ascii_alphabetic();
    match (letters, digits) {
        // A word, and a number or another word after it.
        (1..=5, 0) => !separated || after.is_ascii_alphabetic(),
        (6.., 0) => !next.is_ascii_alphanumeric(),
        (0, 2) => !(then_letter || separated),
        (0, _) => true,
        (1, _) => then_letter || digits > 7,
        (2, _) => !rest.get(..2).is_some_and(is_region),
        (3, _) => then_letter,
        (4, _) => rest.get(4) != Some(&b'0'),
        (5, _) => digits != 4,
        _ => true,
    }
}

/// Two letters of a state on a licence or registration mark, or of a country on a bank account number.
fn is_region(letters: &[u8]) -> bool {
    let Some(upper) = letters.first_chunk::<2>().map(|two| two.map(|b| b.to_ascii_uppercase())) else { return false };
    matches!(upper, [first, second] if is_state_code(first, second)) || iban::length(&upper).is_some()
}

/// What the cut can be, and how certainly.
fn forms(cut: Cut<'_>) -> [(PiiType, Option<Weight>); 9] {
    [
        (PiiType::Gstin, (cut.chars.len() == 15 && gstin::is_valid(cut.chars)).then_some(Weight(96, 99, 85))),
        (PiiType::Iban, (cut.chars.len() > 14 && iban::is_valid(cut.chars)).then_some(Weight(94, 99, 80))),
        (PiiType::Pan, pan(cut)),
        (PiiType::Ifsc, ifsc(cut)),
        (PiiType::VoterId, voter(cut)),
        (PiiType::Passport, passport(cut)),
        (PiiType::DrivingLicence, licence(cut)),
        (PiiType::VehicleReg, vehicle(cut)),
        (PiiType::VehicleReg, bharat(cut)),
    ]
}

impl Code {
    /// Reads the groups from `start` on, in place: the structure is not small.
    fn read(&mut self, start: Cursor<'_>) -> Result<(), NeedMore> {
        let (mut here, mut total) = (start, 0);
        while self.count < GROUPS_MAX {
            let before = total;
            loop {
                while is_alnum(here.ascii()) {
                    let Some(slot) = self.chars.get_mut(total) else { return Ok(()) };
                    *slot = here.ascii();
                    total += 1;
                    here.at += 1;
                }
                let read = here.past_invisible()?;
                let class = read.class()?;
                if !is_alnum(class) {
                    break;
                }
                let Some(slot) = self.chars.get_mut(total) else { return Ok(()) };
                *slot = class;
                total += 1;
                here = read.next()?;
            }
            let group = self.chars.get(before..total).unwrap_or_default();
            let word = before > 0 && group.len() > 4 && group.iter().all(u8::is_ascii_alphabetic);
            if total == before || word || (before == 0 && begins_nothing(group, here)?) {
                break;
            }
            let class = here.class()?;
            let can_end = match class {
                b'.' if group.last().is_some_and(u8::is_ascii_digit) => !here.next()?.class()?.is_ascii_digit(),
                _ => !is_glued(here)?,
            };
            let closed = can_end && !is_local(class) && class != b'@';
            if let Some(slot) = self.groups.get_mut(self.count) {
                *slot = Group { total, len: total - before, end: here.at, can_end, closed };
            }
            self.count += 1;
            match separator(here)? {
                Some(next) => here = next,
                None => break,
            }
        }
        Ok(())
    }

    /// The first `count` groups, in `room` as capital letters; `None` if no code may end there or its case is mixed.
    fn cut<'a>(&'a self, count: usize, room: &'a mut [u8; CHARS_MAX]) -> Option<Cut<'a>> {
        let groups = self.groups.get(..count)?;
        let last = groups.last().filter(|g| g.can_end && g.total >= 7)?;
        let chars = room.get_mut(..last.total)?;
        let small = chars.iter().any(u8::is_ascii_lowercase);
        if small && chars.iter().any(u8::is_ascii_uppercase) || !chars.iter().any(u8::is_ascii_digit) {
            return None;
        }
        chars.make_ascii_uppercase();
        Some(Cut { chars, groups, end: last.end, small })
    }
}

/// True for a first group with which no code begins: letters go on with a digit after a separator, digits that stand alone
/// are two (`27 AAPFU…`, `22 BH …`) and go on with a letter.
fn begins_nothing(group: &[u8], here: Cursor<'_>) -> Result<bool, NeedMore> {
    let letters = group.iter().all(u8::is_ascii_alphabetic);
    let digits = group.iter().all(u8::is_ascii_digit);
    if !letters && !digits {
        return Ok(false);
    }
    if (letters && group.len() > 5) || (digits && group.len() != 2) {
        return Ok(true);
    }
    let next = match separator(here)? {
        Some(next) => next.class()?,
        None => return Ok(true),
    };
    Ok(if letters { !next.is_ascii_digit() } else { !next.is_ascii_alphabetic() })
}

/// The place after one separator, `/`, or a dash between spaces.
fn separator(mut here: Cursor<'_>) -> Result<Option<Cursor<'_>>, NeedMore> {
    let mut dash = false;
    for place in 0..3 {
        match here.class()? {
            b' ' if place == 0 || (place == 2 && dash) => {}
            b'-' | b'/' | b'.' | DASH if !dash && place < 2 => dash = true,
            class if place > 0 && is_alnum(class) => return Ok(Some(here)),
            _ => return Ok(None),
        }
        here = here.next()?;
    }
    Ok(is_alnum(here.class()?).then_some(here))
}

/// A word for the type soon after the value, in the same clause: `K1234567 is my passport`.
fn said_after(mut here: Cursor<'_>, kind: PiiType) -> Result<bool, NeedMore> {
    let from = here.at;
    let mut start = from;
    while here.at - from < 36 {
        let (class, len) = here.peek()?;
        let rest = here.text.as_bytes().get(here.at..).unwrap_or_default();
        if !words::letter(rest).is_some_and(|(_, is)| is) {
            let word = Word::of(here.text.as_bytes().get(start..here.at).unwrap_or_default());
            if !word.text.is_empty() && word.meaning().for_kinds & words::bit(kind) != 0 {
                return Ok(!matches!(class, b':' | b'=' | b'-' | b'_' | b'"' | b'#' | b'@'));
            }
            // Digits and signs of a next value, or the end of the clause.
            if !matches!(class, b' ' | b'(' | b')' | b',' | b'\'') {
                return Ok(false);
            }
            start = here.at + len;
        }
        if len == 0 {
            break;
        }
        here.at += len;
    }
    Ok(false)
}

impl Cut<'_> {
    fn lens_are(self, form: &[usize]) -> bool {
        self.groups.iter().map(|g| g.len).eq(form.iter().copied())
    }

    fn is_joined(self) -> bool {
        self.groups.len() == 1
    }

    /// `A` and `9` stand for a letter and a digit.
    fn looks_like(self, form: &[u8]) -> bool {
        let fits = |(c, f): (&u8, &u8)| if *f == b'9' { c.is_ascii_digit() } else { c.is_ascii_uppercase() };
        self.chars.len() == form.len() && self.chars.iter().zip(form).all(fits)
    }

    /// Begins with the letters of a state.
    fn state(self) -> bool {
        matches!(self.chars, [first, second, ..] if is_state_code(*first, *second))
    }
}

fn pan(cut: Cut<'_>) -> Option<Weight> {
    let holder = cut.chars.get(3).is_some_and(|c| HOLDERS.contains(c));
    let form = cut.is_joined() || cut.lens_are(&[5, 4, 1]);
    if !holder || !form || !cut.looks_like(b"AAAAA9999A") {
        return None;
    }
    Some(match (cut.is_joined(), cut.small) {
        (true, false) => Weight(85, 98, 45),
        (true, true) => Weight(65, 92, 20),
        (false, _) => Weight(55, 92, 10),
    })
}

/// Four letters of a bank, 0, six characters of a branch.
fn ifsc(cut: Cut<'_>) -> Option<Weight> {
    let bank = cut.chars.get(..4).and_then(|b| std::str::from_utf8(b).ok())?;
    let fits = cut.chars.len() == 11
        && bank != "XXXX"
        && bank.bytes().all(|b| b.is_ascii_uppercase())
        && cut.chars.get(4) == Some(&b'0');
    let joined = cut.is_joined();
    let digits = cut.chars.iter().skip(5).filter(|c| c.is_ascii_digit()).count();
    if !fits || !(joined || cut.lens_are(&[4, 7]) || cut.lens_are(&[4, 1, 6])) {
        return None;
    }
    Some(match (joined, BANKS.binary_search(&bank).is_ok(), digits) {
        (true, true, 3..) if !cut.small => Weight(88, 98, 55),
        (true, true, _) if !cut.small => Weight(60, 96, 20),
        (true, _, _) => Weight(30, 90, 5),
        (false, _, _) => Weight(10, 85, 0),
    })
}

fn voter(cut: Cut<'_>) -> Option<Weight> {
    let form = cut.is_joined() || cut.lens_are(&[3, 7]);
    // `XXX` is what was masked before.
    let joined = form && cut.looks_like(b"AAA9999999") && !cut.chars.starts_with(b"XXX");
    // The older cards: `UP/12/345/678901`.
    let old = cut.groups.len() == 4 && cut.state() && cut.lens_are(&[2, 2, 3, 6]) && cut.looks_like(b"AA99999999999");
    (joined || old).then_some(Weight(30, 92, 5))
}

/// A letter and seven digits; X is not given out, and stands for what is masked.
fn passport(cut: Cut<'_>) -> Option<Weight> {
    let form = cut.is_joined() || cut.lens_are(&[1, 7]) || cut.lens_are(&[3, 5]) || cut.lens_are(&[2, 6]);
    (form && cut.looks_like(b"A9999999") && cut.chars.first() != Some(&b'X')).then_some(Weight(20, 92, 3))
}

/// State, office, year, seven digits; separators anywhere. Words are needed for older and odd forms.
fn licence(cut: Cut<'_>) -> Option<Weight> {
    if !cut.state() || !(12..=18).contains(&cut.chars.len()) || cut.groups.len() > 5 {
        return None;
    }
    let rest = cut.chars.get(2..)?;
    let digits = rest.iter().filter(|c| c.is_ascii_digit()).count();
    let letters = rest.len() - digits;
    let office = rest.first_chunk::<2>().is_some_and(|o| o.iter().all(u8::is_ascii_digit) && o != b"00");
    let year = rest
        .get(rest.len().checked_sub(11)?..)
        .is_some_and(|y| matches!(y, [b'1', b'9', b'5'..=b'9', ..] | [b'2', b'0', b'0'..=b'3', ..]));
    let tail = rest.iter().rev().take(11).all(u8::is_ascii_digit);
    Some(match (office && year && tail, digits, letters) {
        (true, 13, 0) => Weight(75, 97, 35),
        (true, 13..=14, 0..=2) if !rest.contains(&b'X') => Weight(40, 92, 5),
        // Masked characters are no letters of a form.
        (_, 10..=15, 0..=4) if office && !rest.contains(&b'X') => Weight(5, 85, 0),
        _ => return None,
    })
}

/// State, district, series, number: `MH 12 AB 1234`, `DL 3C AB 1234`, `KA 51 1234`.
fn vehicle(cut: Cut<'_>) -> Option<Weight> {
    if !cut.state() || !(7..=11).contains(&cut.chars.len()) || cut.groups.len() > 4 {
        return None;
    }
    let run = |from: usize, is: fn(&u8) -> bool| cut.chars.iter().skip(from).take_while(|c| is(c)).count();
    let district = run(2, u8::is_ascii_digit);
    let series = run(2 + district, u8::is_ascii_uppercase);
    let number = run(2 + district + series, u8::is_ascii_digit);
    let whole = 2 + district + series + number == cut.chars.len();
    // `RJ18 XXX3` ends in what was masked before.
    let glued = series > 1 || (!cut.is_joined() && !cut.groups.iter().any(|g| g.total == 2 + district + series));
    let masked = series > 0 && glued && cut.chars.iter().skip(2 + district).take(series).all(|c| *c == b'X');
    // What stands together is of one part, but for a district with its series (`DL 3C`).
    let ends = |total: usize| cut.groups.iter().any(|g| g.total == total);
    let ordered = cut.groups.iter().all(|g| {
        g.total == 2 || g.total == cut.chars.len() || (2 + district..=2 + district + series).contains(&g.total)
    });
    let shaped = (1..=2).contains(&district) && series <= 3 && (1..=4).contains(&number);
    if !whole || !shaped || !ordered || masked {
        return None;
    }
    Some(match (series, number, cut.small) {
        (1..=3, 4, false) if cut.is_joined() => Weight(72, 96, 25),
        (1..=3, 4, false) if ends(2 + district) || ends(2 + district + series) => Weight(72, 96, 25),
        (1..=3, 4, true) => Weight(30, 90, 5),
        (1..=3, _, _) => Weight(15, 88, 0),
        _ => Weight(10, 80, 0),
    })
}

/// The series for all of India: `22 BH 1234 AA`.
fn bharat(cut: Cut<'_>) -> Option<Weight> {
    let form = cut.looks_like(b"99AA9999A") || cut.looks_like(b"99AA9999AA");
    let year = matches!(cut.chars, [b'2', b'0'..=b'9', b'B', b'H', ..]);
    let groups = cut.groups.iter().all(|g| matches!(g.total, 2 | 4 | 8) || g.total == cut.chars.len());
    (form && year && groups).then_some(if cut.small { Weight(50, 92, 10) } else { Weight(82, 97, 40) })
}

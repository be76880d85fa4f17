//! Digit groups as they stand in a text, read once and then compared with the forms of numbers.
//!
//! # Invariants
//! * Whether a form fits depends on its own characters and the ones next to them, not on what follows later, so masking one
//!   number does not change what its neighbours are (`masking_twice_is_masking_once`).
//! * A chain has at most [`DIGITS_MAX`] digits in [`GROUPS_MAX`] groups; what is longer is no number.

use super::fold::{Cursor, DASH, NeedMore, ZERO_WIDTH, is_glued, is_local};

/// Most digits of a number: a payment card (ISO/IEC 7812-1).
pub(super) const DIGITS_MAX: usize = 19;
/// Fewest digits of any number.
pub(super) const DIGITS_MIN: usize = 8;
/// `9 8 7 6 5 4 3 2 1 0`, with a calling code.
const GROUPS_MAX: usize = 12;
/// Most characters between two groups: ` - `, `) `.
const SEPARATORS_MAX: usize = 3;

/// What stands before a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gap {
    /// Nothing: the first group.
    #[default]
    None,
    Space,
    Dash,
    Dot,
    Slash,
    /// With a parenthesis in it.
    Paren,
    /// Several spaces or dashes.
    Wide,
}

#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    pub gap: Gap,
    pub len: usize,
    /// Digits up to and with this group.
    pub total: usize,
    /// Place after its last digit.
    pub end: usize,
    /// A number may end here.
    can_end: bool,
    /// No address that begins in it goes on after it.
    pub closed: bool,
}

/// Digit groups as they stand in the text.
pub(super) struct Chain {
    pub plus: bool,
    /// The first group stands in parentheses.
    pub paren: bool,
    digits: [u8; DIGITS_MAX],
    groups: [Group; GROUPS_MAX],
    count: usize,
}

impl Chain {
    /// One without digits.
    pub fn new() -> Self {
        let groups = [Group::default(); GROUPS_MAX];
        Self { plus: false, paren: false, digits: [0; DIGITS_MAX], groups, count: 0 }
    }

    /// Reads the chain that starts exactly here, in place: the structure is not small. False if it has too few digits for any
    /// number.
    pub fn read(&mut self, start: Cursor<'_>) -> Result<bool, NeedMore> {
        if is_short(start) {
            return Ok(false);
        }
        let chain = self;
        let mut here = start;
        for _ in 0..2 {
            match here.class()? {
                b'+' if !chain.plus => chain.plus = true,
                b'(' if !chain.paren => chain.paren = true,
                _ => break,
            }
            here = here.next()?;
        }
        let (mut gap, mut total) = (Gap::None, 0);
        while let Some(group) = chain.group(&mut here, gap, total)? {
            if group.gap == Gap::None && chain.paren && (here.class()? != b')' || group.len > 5) {
                return Ok(false);
            }
            total = group.total;
            if let Some(slot) = chain.groups.get_mut(chain.count) {
                *slot = group;
            }
            chain.count += 1;
            match separators(here)? {
                Some((next_gap, next)) if chain.count < GROUPS_MAX => (gap, here) = (next_gap, next),
                Some(_) | None => break,
            }
        }
        Ok(total >= DIGITS_MIN)
    }

    /// Reads the digits from `here`; `None` if there are none, or too many.
    fn group(&mut self, here: &mut Cursor<'_>, gap: Gap, before: usize) -> Result<Option<Group>, NeedMore> {
        let mut total = before;
        loop {
            while let (byte @ b'0'..=b'9', Some(slot)) = (here.ascii(), self.digits.get_mut(total)) {
                *slot = byte;
                total += 1;
                here.at += 1;
            }
            let digit = here.past_invisible()?;
            let class = digit.class()?;
            if !class.is_ascii_digit() {
                break;
            }
            match self.digits.get_mut(total) {
                Some(slot) => *slot = class,
                None => return Ok(None),
            }
            total += 1;
            *here = digit.next()?;
        }
        if total == before {
            return Ok(None);
        }
        let class = here.class()?;
        let can_end = match class {
            b'.' => !here.next()?.class()?.is_ascii_digit(),
            _ => !is_glued(*here)?,
        };
        let closed = can_end && !is_local(class) && class != b'@';
        Ok(Some(Group { gap, len: total - before, total, end: here.at, can_end, closed }))
    }

    pub fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The chain cut after each group at which a number may end, longest first.
    pub fn cuts(&self) -> impl Iterator<Item = Cut<'_>> {
        (1..=self.count).rev().filter_map(|count| {
            let groups = self.groups().get(..count)?;
            let last = groups.last().filter(|g| g.can_end && g.total >= DIGITS_MIN)?;
            let digits = self.digits.get(..last.total)?;
            Some(Cut { groups, digits, plus: self.plus, paren: self.paren, end: last.end })
        })
    }
}

/// True for a few digits that nothing continues, seen at once; where other than ASCII characters stand it says nothing.
fn is_short(start: Cursor<'_>) -> bool {
    let rest = start.text.as_bytes().get(start.at..).unwrap_or_default();
    let digits = rest.iter().take(DIGITS_MIN).take_while(|b| b.is_ascii_digit()).count();
    let ends = |b: &u8| matches!(b, 0x20..0x7F) && !matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+');
    (1..DIGITS_MIN).contains(&digits) && rest.get(digits).is_some_and(ends)
}

/// The gap before the next digit, and the place of that digit; `None` if no digit follows soon.
fn separators(mut here: Cursor<'_>) -> Result<Option<(Gap, Cursor<'_>)>, NeedMore> {
    let mut gap = Gap::None;
    for _ in 0..SEPARATORS_MAX {
        let class = here.class()?;
        gap = match (gap, class) {
            (_, b'(' | b')') | (Gap::Paren, b' ' | b'-' | b'.' | DASH | ZERO_WIDTH) => Gap::Paren,
            (gap, ZERO_WIDTH) => gap,
            (Gap::None, b' ') => Gap::Space,
            (Gap::None, b'-' | DASH) => Gap::Dash,
            (Gap::None, b'.') => Gap::Dot,
            (Gap::None, b'/') => Gap::Slash,
            (Gap::Space | Gap::Dash | Gap::Wide, b' ' | b'-' | DASH) => Gap::Wide,
            _ => break,
        };
        here = here.next()?;
    }
    let found = gap != Gap::None && here.class()?.is_ascii_digit();
    Ok(found.then_some((gap, here)))
}

/// The first groups of a chain.
#[derive(Clone, Copy)]
pub(super) struct Cut<'a> {
    pub groups: &'a [Group],
    pub digits: &'a [u8],
    pub plus: bool,
    pub paren: bool,
    pub end: usize,
}

impl Cut<'_> {
    pub fn is_bare(self) -> bool {
        self.groups.len() == 1
    }

    pub fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.groups.iter().skip(1).map(|g| g.gap)
    }

    /// One kind of gap between all groups.
    pub fn has_even_gaps(&self) -> bool {
        let mut gaps = self.gaps();
        let first = gaps.next();
        gaps.all(|gap| Some(gap) == first)
    }

    pub fn lens_are(self, form: &[usize]) -> bool {
        self.groups.iter().map(|g| g.len).eq(form.iter().copied())
    }
}

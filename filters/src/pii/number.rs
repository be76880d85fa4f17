//! Phone and Aadhaar numbers: a chain of digit groups is read once, then compared with the forms that exist.
//!
//! # Invariants
//! * Whether a form fits depends on its own characters and the ones next to them, not on what follows later, so masking one
//!   number does not change what its neighbours are (`masking_twice_is_masking_once`).
//! * A chain has at most [`DIGITS_MAX`] digits in [`GROUPS_MAX`] groups; what is longer is no number.

use super::fold::{Cursor, DASH, NeedMore, ZERO_WIDTH, is_alnum};
use super::verhoeff;
use raptorgate_config::model::PiiType;

/// Most digits of a phone number (ITU-T E.164).
const DIGITS_MAX: usize = 15;
/// Fewest digits of any number.
const DIGITS_MIN: usize = 8;
const GROUPS_MAX: usize = 6;
/// Most characters between two groups: ` - `, `) `.
const SEPARATORS_MAX: usize = 3;

/// What stands before a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gap {
    /// Nothing: the first group.
    #[default]
    None,
    Space,
    Dash,
    Dot,
    /// With a parenthesis in it.
    Paren,
    /// Several spaces or dashes.
    Wide,
}

#[derive(Clone, Copy, Default)]
struct Group {
    gap: Gap,
    len: usize,
    /// Digits up to and with this group.
    total: usize,
    /// Place after its last digit.
    end: usize,
    /// A number may end here.
    can_end: bool,
}

/// Digit groups as they stand in the text.
struct Chain {
    plus: bool,
    /// The first group stands in parentheses.
    paren: bool,
    digits: [u8; DIGITS_MAX],
    groups: [Group; GROUPS_MAX],
    count: usize,
}

/// Type and end of the number that starts exactly here; only types that `wanted` names.
pub(super) fn number(
    start: Cursor<'_>,
    wanted: impl Fn(PiiType) -> bool,
) -> Result<Option<(PiiType, usize)>, NeedMore> {
    let Some(chain) = Chain::read(start)? else { return Ok(None) };
    let (phone, aadhaar) = (wanted(PiiType::Phone), wanted(PiiType::Aadhaar));
    let grouped = chain.find(|c| aadhaar && c.is_aadhaar(&[4, 4, 4])).map(|end| (PiiType::Aadhaar, end));
    let plain = chain.find(|c| aadhaar && c.is_aadhaar(&[12])).map(|end| (PiiType::Aadhaar, end));
    let call = if phone { chain.phone().map(|end| (PiiType::Phone, end)) } else { None };
    Ok(grouped.or(call).or(plain))
}

impl Chain {
    fn read(start: Cursor<'_>) -> Result<Option<Chain>, NeedMore> {
        let mut chain = Chain {
            plus: false,
            paren: false,
            digits: [0; DIGITS_MAX],
            groups: [Group::default(); GROUPS_MAX],
            count: 0,
        };
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
                return Ok(None);
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
        Ok((total >= DIGITS_MIN).then_some(chain))
    }

    /// Reads the digits from `here`; `None` if there are none, or too many.
    fn group(&mut self, here: &mut Cursor<'_>, gap: Gap, before: usize) -> Result<Option<Group>, NeedMore> {
        let mut total = before;
        loop {
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
        let can_end = match here.class()? {
            b'.' => !here.next()?.class()?.is_ascii_digit(),
            class => !is_alnum(class),
        };
        Ok(Some(Group { gap, len: total - before, total, end: here.at, can_end }))
    }

    fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    /// The chain cut after each group at which a number may end, longest first: end of the first that fits.
    fn find(&self, fits: impl Fn(Cut<'_>) -> bool) -> Option<usize> {
        (1..=self.count).rev().find_map(|count| {
            let groups = self.groups().get(..count)?;
            let last = groups.last().filter(|g| g.can_end)?;
            let digits = self.digits.get(..last.total)?;
            fits(Cut { groups, digits, paren: self.paren }).then_some(last.end)
        })
    }

    fn phone(&self) -> Option<usize> {
        if self.plus {
            return self.find(|c| c.is_exact_international()).or_else(|| self.find(|c| c.is_international()));
        }
        self.find(|c| c.is_indian_mobile() || c.is_indian_landline() || c.is_north_american())
    }
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
struct Cut<'a> {
    groups: &'a [Group],
    digits: &'a [u8],
    paren: bool,
}

impl Cut<'_> {
    fn is_aadhaar(self, form: &[usize]) -> bool {
        self.lens_are(form)
            && !self.paren
            && self.gaps().all(|gap| gap != Gap::Paren)
            && self.digits.first().is_some_and(|d| *d >= b'2')
            && verhoeff::is_valid(self.digits)
    }

    /// Country codes whose numbers have one length.
    fn is_exact_international(self) -> bool {
        match self.digits {
            [b'9', b'1', ..] => self.digits.len() == 12,
            [b'1', ..] => self.digits.len() == 11,
            _ => false,
        }
    }

    fn is_international(self) -> bool {
        (DIGITS_MIN..=DIGITS_MAX).contains(&self.digits.len()) && self.gaps().all(|gap| gap != Gap::Wide)
    }

    /// Ten digits from 6, 7, 8 or 9 on, in up to three groups; before them 0, 91, 091 or 0091.
    fn is_indian_mobile(self) -> bool {
        let Some(prefix_len) = self.digits.len().checked_sub(10) else { return false };
        let (prefix, body) = self.digits.split_at(prefix_len);
        let prefixed = matches!(prefix, b"" | b"0" | b"91" | b"091" | b"0091");
        prefixed && body.first().is_some_and(|d| *d >= b'6') && self.is_grouped_like_a_mobile(prefix_len)
    }

    fn is_grouped_like_a_mobile(self, prefix_len: usize) -> bool {
        let mut lens = [0; 3];
        let (mut count, mut dotted) = (0, false);
        for group in self.groups.iter().filter(|g| g.total > prefix_len) {
            let Some(slot) = lens.get_mut(count) else { return false };
            *slot = group.len.min(group.total - prefix_len);
            // `0.9876543210` is a fraction and no number after its prefix.
            let odd = if count == 0 { group.gap == Gap::Dot } else { *slot < 2 || group.gap == Gap::Paren };
            if odd {
                return false;
            }
            dotted |= group.gap == Gap::Dot;
            count += 1;
        }
        // The first part may be one digit only where the whole number is.
        lens.first().is_some_and(|first| *first >= 2) && (!dotted || matches!(lens, [5, 5, 0] | [3, 3, 4]))
    }

    /// 0, area code, subscriber: `(011) 3864-9025`, `0161 4012345`.
    fn is_indian_landline(self) -> bool {
        let (Some(first), count) = (self.groups.first(), self.groups.len()) else { return false };
        let lens_fit = (3..=5).contains(&first.len) && self.groups.iter().all(|g| g.len >= 3);
        let starts = matches!(self.digits, [b'0', b'1'..=b'9', ..]);
        starts && self.digits.len() == 11 && (2..=3).contains(&count) && lens_fit && !self.gaps().any(|g| g == Gap::Dot)
    }

    /// `415-480-5336`, `415.480.5336`, `(415) 480-5336`.
    fn is_north_american(self) -> bool {
        let coded = self.digits.first().is_some_and(|d| *d >= b'2') && self.digits.get(3).is_some_and(|d| *d >= b'2');
        let mut gaps = self.gaps();
        let (Some(first), Some(second)) = (gaps.next(), gaps.next()) else { return false };
        let joined = matches!((first, second), (Gap::Dash, Gap::Dash) | (Gap::Dot, Gap::Dot) | (Gap::Paren, _));
        coded && joined && self.lens_are(&[3, 3, 4])
    }

    fn gaps(&self) -> impl Iterator<Item = Gap> {
        self.groups.iter().skip(1).map(|g| g.gap)
    }

    fn lens_are(self, form: &[usize]) -> bool {
        self.groups.iter().map(|g| g.len).eq(form.iter().copied())
    }
}

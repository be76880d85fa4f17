//! Phone numbers: Indian ones in all their forms, North American and international ones; others where words say so.

use super::chain::{Cut, Gap};
use super::context::{Context, Weight};
use super::numbers::said;
use raptorgate_config::model::PiiType;

/// Most digits of a phone number (ITU-T E.164).
const DIGITS_MAX: usize = 15;

/// How certain these digits are a phone number; `None`: they are none.
pub(super) fn weight(cut: Cut<'_>, context: &Context<'_>) -> Option<Weight> {
    if cut.digits.len() > DIGITS_MAX {
        return None;
    }
    if cut.plus {
        return with_plus(cut, context);
    }
    let bare = cut.is_bare();
    if let Some(prefix) = indian_mobile_prefix(cut) {
        // A part of a longer row of groups.
        let follows = context.left.before().0[1].is_ascii_digit() && context.left.before().last() == b' ';
        return Some(match (prefix, bare) {
            (0, false) if follows => Weight(30, 80, 5),
            (0, true) => Weight(64, 95, 12),
            (0, false) => Weight(78, 95, 30),
            (_, true) => Weight(72, 95, 20),
            (_, false) => Weight(85, 96, 54),
        });
    }
    if is_indian_landline(cut) {
        return Some(Weight(76, 95, 25));
    }
    if is_called_from_abroad(cut) {
        return Some(Weight(72, 93, 25));
    }
    if bare && matches!(cut.digits, [b'0', b'1'..=b'8', ..]) && cut.digits.len() == 11 {
        return Some(Weight(52, 90, 10));
    }
    if is_north_american(cut) {
        return Some(Weight(76, 95, 30));
    }
    if is_toll_free(cut) {
        return Some(Weight(if bare { 54 } else { 62 }, 92, 20));
    }
    ((is_plausible(cut) || is_spelled(cut) || is_in_pairs(cut)) && context.is_near(PiiType::Phone))
        .then_some(Weight(0, 80, 0))
}

/// `+` and a calling code, which does not begin with 0.
fn with_plus(cut: Cut<'_>, context: &Context<'_>) -> Option<Weight> {
    let exact = match cut.digits {
        [b'0', ..] => return None,
        [b'9', b'1', ..] => cut.digits.len() == 12,
        [b'1', ..] | [b'7', ..] => cut.digits.len() == 11,
        _ => true,
    };
    let glued = context.left.before().last().is_ascii_alphanumeric();
    let narrow = cut.gaps().all(|gap| gap != Gap::Wide);
    match (exact, narrow || said(context, PiiType::Phone)) {
        _ if glued => Some(Weight(20, 80, 0)),
        (true, true) => Some(Weight(94, 98, 70)),
        (true, false) => Some(Weight(80, 95, 40)),
        (false, true) => Some(Weight(55, 85, 20)),
        (false, false) => None,
    }
}

/// Ten digits from 6, 7, 8 or 9 on, in up to three groups; before them 0, 91, 091 or 0091. Gives the prefix's length.
fn indian_mobile_prefix(cut: Cut<'_>) -> Option<usize> {
    let prefix_len = cut.digits.len().checked_sub(10)?;
    let (prefix, body) = cut.digits.split_at_checked(prefix_len)?;
    let prefixed = matches!(prefix, b"" | b"0" | b"91" | b"091" | b"0091");
    let fits = prefixed && body.first().is_some_and(|d| *d >= b'6') && is_grouped_like_a_mobile(cut, prefix_len);
    fits.then_some(prefix_len)
}

fn is_grouped_like_a_mobile(cut: Cut<'_>, prefix_len: usize) -> bool {
    let mut lens = [0; 3];
    let (mut count, mut dotted) = (0, false);
    for group in cut.groups.iter().filter(|g| g.total > prefix_len) {
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
fn is_indian_landline(cut: Cut<'_>) -> bool {
    let (Some(first), count) = (cut.groups.first(), cut.groups.len()) else { return false };
    let lens_fit = (3..=5).contains(&first.len) && cut.groups.iter().all(|g| g.len >= 3);
    let starts = matches!(cut.digits, [b'0', b'1'..=b'9', ..]);
    starts && cut.digits.len() == 11 && (2..=3).contains(&count) && lens_fit && !cut.gaps().any(|g| g == Gap::Dot)
}

/// `0091 265 6711854`, `00 44 20 7946 0958`.
fn is_called_from_abroad(cut: Cut<'_>) -> bool {
    let Some(number) = cut.digits.strip_prefix(b"00") else { return false };
    let code =
        cut.groups.first().is_some_and(|g| (2..=5).contains(&g.len)) && number.first().is_some_and(|d| *d != b'0');
    let indian = number.starts_with(b"91") && number.len() == 12;
    code && !cut.is_bare() && (indian || (!number.starts_with(b"91") && (9..=13).contains(&number.len())))
}

/// `415-480-5336`, `415.480.5336`, `(415) 480-5336`, `1-415-480-5336`.
fn is_north_american(cut: Cut<'_>) -> bool {
    let (digits, groups) = match cut.digits {
        [b'1', rest @ ..] if rest.len() == 10 && cut.groups.first().is_some_and(|g| g.len == 1) => {
            (rest, cut.groups.get(1..).unwrap_or_default())
        }
        digits => (digits, cut.groups),
    };
    let coded = digits.first().is_some_and(|d| *d >= b'2') && digits.get(3).is_some_and(|d| *d >= b'2');
    let mut gaps = groups.iter().skip(1).map(|g| g.gap);
    let (Some(first), Some(second)) = (gaps.next(), gaps.next()) else { return false };
    let joined = matches!((first, second), (Gap::Dash, Gap::Dash) | (Gap::Dot, Gap::Dot) | (Gap::Paren, _));
    coded && joined && groups.iter().map(|g| g.len).eq([3, 3, 4])
}

/// `1800 123 4567`, `1800-11-4000`, `1860 500 5555`: numbers of companies, as good as a person's in a letter.
fn is_toll_free(cut: Cut<'_>) -> bool {
    let starts = matches!(cut.digits, [b'1', b'8', b'0' | b'6', b'0', ..]);
    let fits = if cut.is_bare() {
        cut.digits.len() == 11
    } else {
        (10..=11).contains(&cut.digits.len()) && cut.groups.first().is_some_and(|g| g.len == 4)
    };
    starts && fits
}

/// `9 8 7 6 5 4 3 2 1 0`: single digits of a mobile number.
fn is_spelled(cut: Cut<'_>) -> bool {
    let single = cut.groups.iter().all(|g| g.len == 1 && matches!(g.gap, Gap::None | Gap::Space | Gap::Dash));
    single && cut.digits.len() == 10 && cut.digits.first().is_some_and(|d| *d >= b'6')
}

/// `63 04 97 64 25`
fn is_in_pairs(cut: Cut<'_>) -> bool {
    cut.lens_are(&[2; 5]) && cut.digits.first().is_some_and(|d| *d >= b'6')
}

/// Digits that words call a phone number: no date, no time stamp.
fn is_plausible(cut: Cut<'_>) -> bool {
    let len = cut.digits.len();
    let year = matches!(cut.digits, [b'1', b'9', ..] | [b'2', b'0', ..]);
    let lens = |form: &[usize]| cut.lens_are(form);
    let day = lens(&[2, 2, 4]) || lens(&[4, 2, 2]) || lens(&[1, 2, 4]) || lens(&[2, 1, 4]);
    let date = day || year && (len == 8 || cut.groups.first().is_some_and(|g| g.len == 4));
    let time_stamp = cut.is_bare() && cut.digits.first() == Some(&b'1') && matches!(len, 10 | 13);
    let dotted = cut.gaps().any(|gap| gap == Gap::Dot) && cut.groups.len() < 3;
    // `0453/82 95 71`: a code and a slash.
    let slashes = cut.gaps().filter(|gap| *gap == Gap::Slash).count();
    let slashed = slashes > 1 || (slashes == 1 && cut.digits.first() != Some(&b'0'));
    let hours = lens(&[4, 4]) && cut.gaps().all(|gap| gap == Gap::Dash) && cut.digits.chunks(4).all(is_time);
    let long_groups = cut.groups.iter().skip(1).all(|g| g.len >= 2);
    (8..=13).contains(&len)
        && !date
        && !time_stamp
        && !dotted
        && !slashed
        && !hours
        && long_groups
        && cut.gaps().all(|gap| gap != Gap::Wide)
}

/// `0930`, `1800`
fn is_time(digits: &[u8]) -> bool {
    matches!(digits, [b'0' | b'1', _, b'0'..=b'5', _] | [b'2', b'0'..=b'4', b'0'..=b'5', _])
}

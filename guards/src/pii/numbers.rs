//! Numbers of digits only, besides phones: Aadhaar, payment cards, social security.

use super::chain::{Chain, Cut, Gap};
use super::checks::{luhn, verhoeff};
use super::context::{Context, Says, Weight};
use super::fold::{Cursor, NeedMore};
use super::phone;
use super::rules::Rules;
use raptorgate_config::model::PiiType;

/// A value that starts at the place that was asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub kind: PiiType,
    pub end: usize,
    pub certain: u8,
}

/// What was found at a place: a value, or up to where none starts.
pub(super) enum Number {
    Found(Candidate),
    /// Digits that belong together and are none of ours: no value starts before this place.
    NoneBefore(usize),
    Nothing,
}

/// The number that starts exactly here; only types that are looked for.
pub(super) fn number(start: Cursor<'_>, rules: &Rules, context: &Context<'_>) -> Result<Number, NeedMore> {
    let mut chain = Chain::new();
    if !chain.read(start)? {
        return Ok(Number::Nothing);
    }
    let mut best: Option<Candidate> = None;
    let mut offer = |candidate: Candidate| {
        if rules.accepts(candidate.kind, candidate.certain) && best.is_none_or(|b| candidate.certain > b.certain) {
            best = Some(candidate);
        }
    };
    let (dashed, row) = (is_dashed(&chain), card_row(&chain));
    for cut in chain.cuts() {
        // `404-9269181-5734817` is one number, and its beginning none.
        if dashed && cut.groups.len() < chain.groups().len() && !context.is_near(PiiType::Phone) {
            continue;
        }
        // A number grouped like a card is none that is shorter, whether it is right or wrong.
        if row.is_some_and(|end| cut.end < end) {
            continue;
        }
        let found = [
            (PiiType::CreditCard, card(cut)),
            (PiiType::Aadhaar, aadhaar(&chain, cut, context)),
            (PiiType::UsSsn, social_security(cut)),
            (PiiType::Phone, phone::weight(cut, context)),
        ];
        for (kind, weight) in found {
            if let Some(weight) = weight {
                offer(Candidate { kind, end: cut.end, certain: context.weigh(kind, weight, rules) });
            }
        }
    }
    Ok(match best {
        Some(candidate) => Number::Found(candidate),
        None if dashed => Number::NoneBefore(chain.groups().last().map_or(start.at, |g| g.end)),
        None => row.map_or(Number::Nothing, Number::NoneBefore),
    })
}

/// Three or more groups with nothing but dashes between.
fn is_dashed(chain: &Chain) -> bool {
    let gaps = chain.groups().get(1..).unwrap_or_default();
    gaps.len() > 1 && gaps.iter().all(|g| g.gap == Gap::Dash) && gaps.last().is_some_and(|g| g.closed)
}

/// The end of the fourth of four groups of four: a card's number, right or wrong, and no Aadhaar number with something after
/// it.
fn four_fours(chain: &Chain) -> Option<usize> {
    let four = chain.groups().get(..4)?;
    (!chain.plus && four.iter().all(|g| g.len == 4) && four.last().is_some_and(|g| g.closed))
        .then(|| four.last().map(|g| g.end))?
}

/// The end of a row of groups as cards have them: four of four, or 4, 6 and 5.
fn card_row(chain: &Chain) -> Option<usize> {
    let three = chain.groups().get(..3)?;
    let amex = three.iter().map(|g| g.len).eq([4, 6, 5]) && !chain.plus && !chain.paren;
    four_fours(chain).or_else(|| three.last().filter(|g| amex && g.closed).map(|g| g.end))
}

fn separated(cut: Cut<'_>) -> bool {
    !cut.plus && !cut.paren && cut.gaps().all(|gap| matches!(gap, Gap::Space | Gap::Dash | Gap::Wide | Gap::Dot))
}

fn aadhaar(chain: &Chain, cut: Cut<'_>, context: &Context<'_>) -> Option<Weight> {
    let first = cut.digits.first().is_some_and(|d| *d >= b'2');
    if !separated(cut) || !matches!(cut.digits.len(), 12 | 16) || !verhoeff::is_valid(cut.digits) {
        return None;
    }
    let four_fours = four_fours(chain).is_some() || follows_fours(context);
    match cut.digits.len() {
        // A virtual ID; it may start with any digit.
        16 => (cut.is_bare() || cut.lens_are(&[4, 4, 4, 4])).then_some(Weight(0, 88, 0)),
        _ if !first => None,
        _ if cut.lens_are(&[4, 4, 4]) && four_fours => Some(Weight(20, 80, 0)),
        _ if cut.lens_are(&[4, 4, 4]) => Some(Weight(88, 98, 52)),
        // 91 and a mobile number is more likely a phone.
        _ if cut.is_bare() && matches!(cut.digits, [b'9', b'1', b'6'..=b'9', ..]) => Some(Weight(30, 96, 5)),
        _ if cut.is_bare() => Some(Weight(62, 96, 15)),
        _ => Some(Weight(10, 82, 0)),
    }
}

/// True after two groups of four digits: the place is inside of a longer number. What is left of a masked number has one.
fn follows_fours(context: &Context<'_>) -> bool {
    let [.., a, b, c, d, b' ' | b'-', e, f, g, h, b' ' | b'-'] = context.left.window() else { return false };
    [a, b, c, d, e, f, g, h].iter().all(|b| b.is_ascii_digit())
}

fn card(cut: Cut<'_>) -> Option<Weight> {
    if !separated(cut) || cut.digits.len() < 12 || !luhn::is_valid(cut.digits) {
        return None;
    }
    let issuer = luhn::issuer(cut.digits)?;
    let even = cut.is_bare() || cut.has_even_gaps();
    let forms: [&[usize]; 6] = [&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1], &[4, 4, 4, 3]];
    let grouped = even && forms.iter().any(|form| cut.lens_are(form));
    Some(match issuer {
        luhn::Issuer::Major if grouped => Weight(90, 98, 55),
        luhn::Issuer::Major if cut.is_bare() => Weight(if cut.digits.len() >= 15 { 75 } else { 40 }, 97, 25),
        luhn::Issuer::Minor if grouped || cut.is_bare() => Weight(30, 92, 5),
        luhn::Issuer::Major | luhn::Issuer::Minor => Weight(20, 85, 0),
    })
}

/// `123-45-6789`. Areas 000, 666 and 9xx, group 00 and serial 0000 were never given out.
fn social_security(cut: Cut<'_>) -> Option<Weight> {
    let &[a, b, c, d, e, f, g, h, i] = cut.digits else { return None };
    let area = [a, b, c];
    let wrong = matches!(&area, b"000" | b"666") || a == b'9' || [d, e] == *b"00" || [f, g, h, i] == *b"0000";
    if wrong || !separated(cut) || !cut.has_even_gaps() {
        return None;
    }
    match cut.groups.get(1).map(|g| g.gap) {
        Some(Gap::Dash) if cut.lens_are(&[3, 2, 4]) => Some(Weight(65, 97, 25)),
        Some(_) if cut.lens_are(&[3, 2, 4]) => Some(Weight(25, 92, 5)),
        None => Some(Weight(10, 85, 0)),
        Some(_) => None,
    }
}

/// True if words say that it is a number of this type, and nothing else does.
pub(super) fn said(context: &Context<'_>, kind: PiiType) -> bool {
    context.says(kind) == Says::For
}

//! IPv4 and IPv6 addresses (RFC 4291, RFC 5952), apart from versions, object identifiers, times and paths of code.

use super::context::{Context, Weight};
use super::fold::{Cursor, NeedMore, is_glued};
use super::left::Before;
use super::rules::Rules;
use raptorgate_config::model::PiiType;

/// End and certainty of the IPv4 address that starts exactly here.
pub(super) fn v4(start: Cursor<'_>, context: &Context<'_>, rules: &Rules) -> Result<Option<(usize, u8)>, NeedMore> {
    let bytes = start.text.as_bytes().get(start.at..).unwrap_or_default();
    let digits = bytes.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    if digits > 3 || bytes.get(digits).is_some_and(|next| next.is_ascii() && *next != b'.') {
        return Ok(None);
    }
    let Some(end) = four_parts(start)? else { return Ok(None) };
    let before = context.left.before();
    let named = context.glued && context.is_near(PiiType::IpAddress);
    if matches!(before.last(), b'.' | b'_') || context.glued && !named && before.last() != b'/' {
        return Ok(None);
    }
    let here = start.to(end);
    let goes_on = match here.class()? {
        b'.' => here.next()?.class()?.is_ascii_digit(),
        b'-' => is_glued(here.next()?)?,
        _ => is_glued(here)?,
    };
    if goes_on {
        return Ok(None);
    }
    // `Chrome/126.0.0.0`, `v1.2.3.4`
    let product = context.glued && !named;
    let weight = if product { Weight(15, 40, 0) } else { Weight(70, 95, 15) };
    Ok(Some((end, context.weigh(PiiType::IpAddress, weight, rules))))
}

/// `d.d.d.d` with each part below 256 and without leading zeros.
fn four_parts(start: Cursor<'_>) -> Result<Option<usize>, NeedMore> {
    let mut here = start;
    for part in 0..4 {
        if part > 0 {
            if here.class()? != b'.' {
                return Ok(None);
            }
            here = here.next()?;
        }
        let (mut value, mut digits, mut zero) = (0u32, 0, false);
        while digits < 4 {
            let class = here.class()?;
            if !class.is_ascii_digit() {
                break;
            }
            zero |= digits == 0 && class == b'0';
            value = value * 10 + u32::from(class - b'0');
            digits += 1;
            here = here.next()?;
        }
        if digits == 0 || digits > 3 || value > 255 || (zero && digits > 1) {
            return Ok(None);
        }
    }
    Ok(Some(here.at))
}

/// What a reading of hexadecimal groups found.
#[derive(Default)]
struct Groups {
    count: usize,
    /// Characters of all groups.
    chars: usize,
    digits: usize,
    first_len: usize,
    /// `::` stood somewhere.
    shortened: bool,
    end: usize,
}

/// End and certainty of the IPv6 address that starts exactly here.
pub(super) fn v6(start: Cursor<'_>, context: &Context<'_>, rules: &Rules) -> Result<Option<(usize, u8)>, NeedMore> {
    let bytes = start.text.as_bytes().get(start.at..).unwrap_or_default();
    let hex = bytes.iter().take(5).take_while(|b| b.is_ascii_hexdigit()).count();
    if hex > 4 || bytes.get(hex).is_some_and(|next| *next < 0x80 && *next != b':') {
        return Ok(None);
    }
    let Some(groups) = hex_groups(start)? else { return Ok(None) };
    if groups.count < 2 && !groups.shortened {
        return Ok(None);
    }
    let Before([_, second, last]) = context.left.before();
    // `IP:fe80::1`, `IP-fe80::1`: a name, and no group of an address or of a longer number.
    let label = matches!(last, b':' | b'-') && second.is_ascii_alphabetic() && context.is_near(PiiType::IpAddress);
    if (matches!(last, b':' | b'.' | b'-' | b'_') && !label) || last.is_ascii_alphanumeric() {
        return Ok(None);
    }
    let here = start.to(groups.end);
    let class = here.class()?;
    let full = groups.count == 8 && !groups.shortened;
    if (class == b':' && !full) || is_glued(here)? {
        return Ok(None);
    }
    // `a::b` is a path of code; `fe80::1` and `2001:db8::1` are addresses.
    let short =
        groups.shortened && groups.count < 8 && groups.digits > 0 && (groups.count > 2 || groups.first_len == 4);
    let certain = match (full && groups.digits > 0, short) {
        (true, _) => 85,
        (_, true) => 80,
        _ if groups.shortened && start.class()? == b':' && groups.count == 1 && groups.digits > 0 => 55,
        _ => return Ok(None),
    };
    Ok(Some((groups.end, context.weigh(PiiType::IpAddress, Weight(certain, 97, 52), rules))))
}

fn hex_groups(start: Cursor<'_>) -> Result<Option<Groups>, NeedMore> {
    let mut groups = Groups::default();
    let mut here = start;
    if here.class()? == b':' {
        here = here.next()?;
        if here.class()? != b':' {
            return Ok(None);
        }
        groups.shortened = true;
        here = here.next()?;
    }
    while groups.count < 8 {
        let from = here;
        let mut len = 0;
        while len < 5 && here.class()?.is_ascii_hexdigit() {
            groups.digits += usize::from(here.class()?.is_ascii_digit());
            len += 1;
            here = here.next()?;
        }
        // The last 32 bits may stand as an IPv4 address.
        if (1..=3).contains(&len) && groups.count > 0 && here.class()? == b'.' && here.next()?.class()?.is_ascii_digit()
        {
            let Some(end) = four_parts(from)? else { break };
            (groups.end, groups.count) = (end, groups.count + 2);
            return Ok(Some(groups));
        }
        if len == 0 || len > 4 {
            return Ok((len == 0 && groups.end > 0).then_some(groups));
        }
        groups.first_len = if groups.count == 0 { len } else { groups.first_len };
        (groups.count, groups.chars, groups.end) = (groups.count + 1, groups.chars + len, here.at);
        if here.class()? != b':' {
            break;
        }
        here = here.next()?;
        if here.class()? == b':' {
            if groups.shortened {
                return Ok(None);
            }
            groups.shortened = true;
            here = here.next()?;
            if !here.class()?.is_ascii_hexdigit() {
                groups.end = here.at;
                break;
            }
        }
    }
    Ok((groups.end > 0 && groups.count > 0).then_some(groups))
}

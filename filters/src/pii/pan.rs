//! Indian permanent account numbers: five letters, the fourth naming the kind of holder, four digits, one letter.

use super::fold::{Cursor, NeedMore, is_alnum};

/// Kinds of holder: association, body, company, family, government, artificial person, local authority, firm, person, trust.
const HOLDERS: &[u8] = b"ABCFGHJLPT";

/// End of the PAN that starts exactly here and stands alone.
pub(super) fn pan(start: Cursor<'_>) -> Result<Option<usize>, NeedMore> {
    let mut here = start;
    for place in 0..10 {
        let read = here.past_invisible()?;
        let class = read.class()?.to_ascii_uppercase();
        let fits = match place {
            3 => HOLDERS.contains(&class),
            5..=8 => class.is_ascii_digit(),
            _ => class.is_ascii_uppercase(),
        };
        if !fits {
            return Ok(None);
        }
        here = read.next()?;
    }
    Ok((!is_alnum(here.class()?)).then_some(here.at))
}

//! Moments as RFC 3339 text in UTC.
//!
//! # Invariants
//! * Leap days and year ends are right (`known_moments_print_right`).

use raptorgate_policies::Timestamp;

const MICROS_PER_SECOND: u64 = 1_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// `2025-11-23T03:42:07.123456Z`.
pub fn rfc3339(at: Timestamp) -> String {
    let seconds = at.micros() / MICROS_PER_SECOND;
    let (year, month, day) = civil(seconds / SECONDS_PER_DAY);
    let of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", at.micros() % MICROS_PER_SECOND)
}

/// Year, month and day of a day counted from 1970-01-01; `civil_from_days` of Howard Hinnant's "chrono-compatible
/// low-level date algorithms", for days that are not negative.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days since 0000-03-01: the leap day is the last of its year
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_print_right() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_400, "2000-02-29T00:00:00"),
            (1_709_251_199, "2024-02-29T23:59:59"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (4_107_542_400, "2100-03-01T00:00:00"),
        ] {
            let at = Timestamp::from_micros(seconds * MICROS_PER_SECOND + 42);
            assert_eq!(rfc3339(at), format!("{text}.000042Z"));
        }
    }
}

//! The hour, day or month that a budget is counted in, by the tenant's own clock.
//!
//! # Invariants
//! * A window ends where the next one begins, also where clocks are changed (`windows_follow_one_another_without_a_gap`).
//! * Its name tells when it is over for sure: never before it is, and three days after at most (`a_name_tells_when_its_window_is_over`).

use super::StoreName;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use raptorgate_config::model::BudgetWindow;

/// One window of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// `2026-11-25T13+0530`, `2026-11-25`, `2026-11` or `total`: the hour carries its offset, because some hours come twice.
    pub name: StoreName,
    /// When the next one begins, in microseconds since the epoch; `None`: never.
    pub ends_at_micros: Option<u64>,
}

impl Window {
    /// The window that a moment belongs to.
    pub fn at(kind: BudgetWindow, zone: &TimeZone, now_micros: u64) -> Self {
        let now = i64::try_from(now_micros).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
        let now = now.unwrap_or(Timestamp::MAX).to_zoned_datetime(zone.clone());
        let (pattern, ends) = match kind {
            BudgetWindow::Hour => ("%Y-%m-%dT%H%z", end_of_hour(&now)),
            BudgetWindow::Day => ("%Y-%m-%d", now.tomorrow().and_then(|next| next.start_of_day()).ok()),
            BudgetWindow::Month => ("%Y-%m", end_of_month(&now)),
            BudgetWindow::Total => ("total", None),
        };
        let name = StoreName::of(&[&now.strftime(pattern).to_string()]);
        let micros = |end: ZonedDateTime| u64::try_from(end.timestamp().as_microsecond()).ok();
        Self { name, ends_at_micros: ends.and_then(micros) }
    }
}

const DAY_MICROS: u64 = 86_400_000_000;

impl Window {
    /// When a window of this name is over wherever on earth its tenant is, in microseconds since the epoch; `None` for one that
    /// has no end, and for a name that is none. Late by a day or so: a name does not tell the time zone.
    pub fn over_by(name: &StoreName) -> Option<u64> {
        let (year, rest) = digits(name.as_str(), 4)?;
        let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
        if year < 1970 || !(1..=12).contains(&month) {
            return None;
        }
        let next_day = if rest.is_empty() {
            if month == 12 { day_number(year + 1, 1, 1) } else { day_number(year, month + 1, 1) }
        } else {
            let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
            if !(1..=31).contains(&day) || !(rest.is_empty() || is_hour(rest)) {
                return None;
            }
            day_number(year, month, day) + 1
        };
        Some((next_day + 1) * DAY_MICROS)
    }
}

/// So many digits at the beginning of a text, and what follows.
fn digits(text: &str, count: usize) -> Option<(u64, &str)> {
    let (number, rest) = text.split_at_checked(count)?;
    let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok())??;
    Some((number, rest))
}

/// `T13%2B0530`, `T13-0500`.
fn is_hour(text: &str) -> bool {
    let hour = text.strip_prefix('T').and_then(|rest| digits(rest, 2));
    let offset = hour.and_then(|(_, rest)| rest.strip_prefix("%2B").or_else(|| rest.strip_prefix('-')));
    offset.and_then(|rest| digits(rest, 4)).is_some_and(|(_, rest)| rest.is_empty())
}

/// Days since 1 January 1970 in the Gregorian calendar, from that day on; a day that a month has not is one of the next month.
/// Written out and not taken from a library, because the scripts of the Redis store have to come to the same.
const fn day_number(year: u64, month: u64, day: u64) -> u64 {
    // the year begins in March, so that the day that comes and goes is its last
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469
}

fn end_of_month(now: &ZonedDateTime) -> Option<ZonedDateTime> {
    now.last_of_month().and_then(|last| last.tomorrow()).and_then(|next| next.start_of_day()).ok()
}

/// Hours are counted on the line of time: the next one begins so many minutes later, whatever the clock shows then.
fn end_of_hour(now: &ZonedDateTime) -> Option<ZonedDateTime> {
    let (minute, second, nanos) = (now.minute(), now.second(), now.subsec_nanosecond());
    let passed = i64::from(minute) * 60 + i64::from(second);
    let begin = now.timestamp().checked_sub(passed.seconds()).ok()?.checked_sub(i64::from(nanos).nanoseconds()).ok()?;
    let hour = begin.checked_add(1.hour()).ok()?;
    // A change of less than an hour ends the window early: its name would change with the offset.
    let change = now.time_zone().following(begin).next().map(|transition| transition.timestamp());
    let end = change.filter(|change| *change > now.timestamp() && *change < hour).unwrap_or(hour);
    Some(end.to_zoned_datetime(now.time_zone().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [BudgetWindow; 3] = [BudgetWindow::Hour, BudgetWindow::Day, BudgetWindow::Month];

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn at(kind: BudgetWindow, place: &str, time: &str) -> (String, String) {
        let now: Timestamp = time.parse().unwrap();
        let window = Window::at(kind, &zone(place), now.as_microsecond().try_into().unwrap());
        let ends = window.ends_at_micros.map(|end| Timestamp::from_microsecond(end.try_into().unwrap()).unwrap());
        (window.name.to_string(), ends.map(|end| end.to_string()).unwrap_or_default())
    }

    #[test]
    fn a_month_in_india_begins_at_its_midnight() {
        let (name, ends) = at(BudgetWindow::Month, "Asia/Kolkata", "2026-11-30T18:29:59Z");
        assert_eq!((&*name, &*ends), ("2026-11", "2026-11-30T18:30:00Z"));
        assert_eq!(at(BudgetWindow::Month, "Asia/Kolkata", "2026-11-30T18:30:00Z").0, "2026-12");
        assert_eq!(at(BudgetWindow::Month, "UTC", "2026-12-31T23:59:59Z").1, "2027-01-01T00:00:00Z");
        assert_eq!(at(BudgetWindow::Day, "Asia/Kolkata", "2026-11-25T18:30:00Z").0, "2026-11-26");
        assert_eq!(at(BudgetWindow::Hour, "Asia/Kolkata", "2026-11-25T08:00:00Z").0, "2026-11-25T13%2B0530");
        assert_eq!(at(BudgetWindow::Total, "UTC", "2026-11-25T08:00:00Z"), ("total".into(), String::new()));
    }

    #[test]
    fn an_hour_that_comes_twice_has_two_windows() {
        let first = at(BudgetWindow::Hour, "Europe/Berlin", "2026-10-25T00:30:00Z");
        let second = at(BudgetWindow::Hour, "Europe/Berlin", "2026-10-25T01:30:00Z");
        assert_ne!(first.0, second.0);
        assert_eq!(first.1, "2026-10-25T01:00:00Z");
    }

    #[test]
    fn what_is_no_window_is_never_over() {
        for bad in [
            "total",
            "1969-12",
            "2026-13",
            "2026-00",
            "2026-11-00",
            "2026-11-32",
            "2026-1-1",
            "2026-11-1",
            "h.1",
            "2026-11-25T1",
            "2026-11-25T13+053",
            "2026-11-25T13Z",
            "2026-11-25T13+05301",
            "+026-11",
            "2026-11-",
            "２026-11",
        ] {
            assert_eq!(Window::over_by(&StoreName::of(&[bad])), None, "{bad}");
        }
        assert_eq!(Window::over_by(&StoreName::of(&["1970-01-01"])), Some(2 * DAY_MICROS));
        assert_eq!(Window::over_by(&StoreName::of(&["2026-02-31"])), Window::over_by(&StoreName::of(&["2026-03-03"])));
    }

    proptest! {
        #[test]
        fn windows_follow_one_another_without_a_gap(
            seconds in 1_577_836_800_u64..2_000_000_000, micros in 0..1_000_000_u64,
            place in proptest::sample::select(vec![
                "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC",
            ]),
        ) {
            let now = seconds * 1_000_000 + micros;
            for kind in KINDS {
                let window = Window::at(kind, &zone(place), now);
                let end = window.ends_at_micros.unwrap();
                prop_assert!(end > now);
                prop_assert_eq!(&Window::at(kind, &zone(place), end - 1).name, &window.name);
                prop_assert_ne!(&Window::at(kind, &zone(place), end).name, &window.name);
            }
        }

        #[test]
        fn a_name_tells_when_its_window_is_over(
            seconds in 0..4_102_444_800_u64,
            place in proptest::sample::select(vec!["Asia/Kolkata", "Pacific/Kiritimati", "Etc/GMT+12", "Pacific/Apia", "America/New_York", "UTC"]),
        ) {
            for (kind, late_max) in KINDS.into_iter().zip([3, 2, 2]) {
                let window = Window::at(kind, &zone(place), seconds * 1_000_000);
                // at the beginning of 1970 some places have 1969
                let Some(over) = Window::over_by(&window.name) else {
                    prop_assert!(window.name.as_str() < "1970");
                    continue;
                };
                let end = window.ends_at_micros.unwrap();
                prop_assert!((end..=end + late_max * DAY_MICROS).contains(&over), "{} {place}: {end} {over}", window.name);
            }
        }
    }
}

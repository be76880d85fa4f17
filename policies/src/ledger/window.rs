//! The hour, day or month that a budget is counted in, by the tenant's own clock.
//!
//! # Invariants
//! * A window ends where the next one begins, also where clocks are changed (`windows_follow_one_another_without_a_gap`).

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
    }
}

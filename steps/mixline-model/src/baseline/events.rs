//! Columns of dated events.

use chrono::{Days, NaiveDate};

use crate::spec::Event;

/// The share of each period that lies inside one of the windows.
///
/// A period reaches to the date of the next one; the last is as long as the one before it.
pub(crate) fn event_column(windows: &[Event], dates: &[NaiveDate]) -> Vec<f64> {
    let length = |t: usize| {
        let pair = if t + 1 < dates.len() {
            (t, t + 1)
        } else {
            (t.saturating_sub(1), t)
        };
        (dates[pair.1] - dates[pair.0]).num_days().max(1)
    };
    (0..dates.len())
        .map(|t| {
            let (from, days) = (dates[t], length(t));
            let to = from + Days::new(days.unsigned_abs());
            let inside: i64 = windows
                .iter()
                .map(|window| {
                    let end = window.end.unwrap_or(window.start + Days::new(1));
                    (end.min(to) - window.start.max(from)).num_days().max(0)
                })
                .sum();
            (inside as f64 / days as f64).min(1.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_a_week_is_a_seventh() {
        let day = |d| NaiveDate::from_ymd_opt(2026, 3, d).unwrap();
        let weeks = [day(2), day(9), day(16)];
        let one = Event {
            start: day(11),
            end: None,
        };
        let week = Event {
            start: day(9),
            end: Some(day(16)),
        };
        assert_eq!(event_column(&[one], &weeks), [0.0, 1.0 / 7.0, 0.0]);
        assert_eq!(event_column(&[week], &weeks), [0.0, 1.0, 0.0]);
    }
}

//! Instants as exports write them: with an offset, as a count since 1970, or on the clocks of the
//! source's zone.

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

/// Formats with an offset.
const WITH_OFFSET: [&str; 3] = [
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%dT%H:%M:%S%z",
];
/// Formats on local clocks.
const LOCAL: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
];

/// Microseconds since 1970; `None` for other texts, and for local times that a change of clocks
/// left out. A local time that came twice is the first one.
///
/// Whole numbers are seconds, milliseconds or microseconds since 1970, by their size: ten, thirteen
/// or sixteen digits, as for all days from 2001 to 2286.
pub(crate) fn read(text: &str, zone: Tz) -> Option<i64> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            10 => number.checked_mul(1_000_000),
            13 => number.checked_mul(1000),
            16 => Some(number),
            _ => None,
        };
    }
    let offset = DateTime::parse_from_rfc3339(text).ok().or_else(|| {
        let text = text
            .strip_suffix(" UTC")
            .map_or(text.to_owned(), |rest| format!("{rest} +0000"));
        WITH_OFFSET
            .iter()
            .find_map(|format| DateTime::parse_from_str(&text, format).ok())
    });
    if let Some(instant) = offset {
        return Some(instant.timestamp_micros());
    }
    let local = LOCAL
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => {
            Some(instant.timestamp_micros())
        }
        LocalResult::None => None,
    }
}

/// The instant behind microseconds.
pub(crate) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_one_instant_gives_it() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let expected = Some(1_788_292_692_000_000);
        for text in [
            "2026-09-01 15:58:12 -0400",
            "2026-09-01T19:58:12Z",
            "2026-09-01 19:58:12 UTC",
            "2026-09-01 21:58:12",
            "2026-09-01T21:58:12+02:00",
            "1788292692",
            "1788292692000",
            "1788292692000000",
        ] {
            assert_eq!(read(text, berlin), expected, "{text}");
        }
    }

    #[test]
    fn a_time_the_clocks_left_out_is_none_and_one_that_came_twice_is_the_first() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        assert_eq!(read("2026-03-29 02:30:00", berlin), None);
        let first = instant(read("2026-10-25 02:30:00", berlin).unwrap());
        assert_eq!(first.to_rfc3339(), "2026-10-25T00:30:00+00:00");
        assert_eq!(read("tomorrow", berlin), None);
    }
}

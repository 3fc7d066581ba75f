//! Numbers and times as people read them.

use chrono::{DateTime, Utc};
use mixline_schema::OutputResult;

/// `340 ms`, `1.2 s`, `3 min 20 s`, `1 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "negative and absurd durations are shown as the nearest sensible one"
    )]
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s.max(0.0) * 1e3),
        s if s < 59.95 => format!("{s:.1} s"),
        _ if whole < 3600 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Money or another amount: grouped by thousands, without decimals.
pub(crate) fn amount(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k) % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    if value <= -0.5 {
        format!("−{grouped}")
    } else {
        grouped
    }
}

/// `1 row`, `2,190 rows`.
pub(crate) fn counted(value: u64, one: &str) -> String {
    let many = if value == 1 { "" } else { "s" };
    format!("{} {one}{many}", count(value))
}

/// Bytes in binary units.
pub(crate) fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if value < 1024 {
        return format!("{value} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut size = value as f64 / 1024.0;
    let mut unit = 0;
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// An instant, UTC, to the second.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// How long ago an instant was.
pub(crate) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        ..0 => instant(at),
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// Enough of a run id to name the run: UUIDv7 starts with the millisecond.
pub(crate) fn short_id(run_id: &str) -> &str {
    run_id
        .get(..13)
        .filter(|_| run_id.len() == 36)
        .unwrap_or(run_id)
}

/// `media_daily@0 (2,190 rows), orders@3 (12 rows)`.
pub(crate) fn outputs(outputs: &[OutputResult], rows: bool) -> String {
    let one = |output: &OutputResult| {
        let name = format!("{}@{}", output.artifact, output.version);
        if rows {
            format!("{name} ({})", counted(output.rows, "row"))
        } else {
            name
        }
    };
    outputs.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The first lines of a text, and how many were left out.
pub(crate) fn first_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let mut shown = lines
        .iter()
        .take(most)
        .copied()
        .collect::<Vec<_>>()
        .join("\n");
    if lines.len() > most {
        shown += &format!("\n… {}", counted((lines.len() - most) as u64, "more line"));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_change_unit_where_people_do() {
        let shown = [0.0, 0.34, 0.9999, 1.24, 59.94, 59.97, 200.0, 3900.0].map(duration);
        let expected = [
            "0 ms",
            "340 ms",
            "1.0 s",
            "1.2 s",
            "59.9 s",
            "1 min 0 s",
            "3 min 20 s",
            "1 h 5 min",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn counts_are_grouped_by_thousands() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(counted(1, "row"), "1 row");
    }

    #[test]
    fn sizes_keep_three_digits_or_fewer_before_the_point() {
        assert_eq!(
            [12, 1024, 1_048_575].map(bytes),
            ["12 B", "1.0 KiB", "1.0 MiB"]
        );
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        assert_eq!(first_lines("a\nb\nc\n", 2), "a\nb\n… 1 more line");
    }

    #[test]
    fn amounts_are_grouped() {
        assert_eq!(
            (amount(1_234_567.4), amount(-999.6), amount(-0.2)),
            ("1 234 567".to_owned(), "−1 000".to_owned(), "0".to_owned())
        );
    }
}

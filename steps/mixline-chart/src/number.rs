//! One rule for every number people read: short, with a proper minus sign and the unit behind it.
//!
//! A number keeps two or three figures that matter and a suffix for its size; the full value is
//! in the table under the chart, never lost. Spaces are no-break spaces, so that `1.2 M EUR`
//! stays on one line.

/// The space between a number and what follows it.
pub const SPACE: char = '\u{a0}';
/// The minus sign.
pub const MINUS: char = '\u{2212}';

const SUFFIXES: [(f64, &str); 4] = [(1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k")];

/// A number in short: `1.2 k`, `1.2 M`, `12.3`, `0.042`; `n/a` for NaN.
///
/// ```
/// # use mixline_chart::number::compact;
/// assert_eq!(compact(1234.0), "1.2\u{a0}k");
/// assert_eq!(compact(-0.042), "\u{2212}0.042");
/// ```
#[must_use]
pub fn compact(value: f64) -> String {
    if value.is_nan() {
        return "n/a".to_owned();
    }
    let size = value.abs();
    let text = if size.is_infinite() {
        "∞".to_owned()
    } else {
        compact_size(size)
    };
    signed(value, text)
}

fn compact_size(size: f64) -> String {
    if size == 0.0 {
        return "0".to_owned();
    }
    // 999.6 would round to "1000"; it is 1 k.
    for (unit, suffix) in SUFFIXES {
        if size >= unit * 0.9995 {
            let scaled = size / unit;
            let decimals = usize::from(scaled < 99.95);
            let digits = trim(&format!("{scaled:.decimals$}"));
            return if scaled < 1e4 {
                format!("{digits}{SPACE}{suffix}")
            } else {
                exponent(size)
            };
        }
    }
    match size {
        s if s >= 99.95 => format!("{s:.0}"),
        s if s >= 9.995 => trim(&format!("{s:.1}")),
        s if s >= 0.995 => trim(&format!("{s:.2}")),
        s if s >= 1e-4 => trim(&significant(s)),
        s => exponent(s),
    }
}

/// Two significant figures of a size between 0.0001 and 1.
fn significant(size: f64) -> String {
    let places = (1 - size.log10().floor() as i32).clamp(2, 6) as usize;
    format!("{size:.places$}")
}

/// `4.2e−7`, for sizes that have no name.
fn exponent(size: f64) -> String {
    format!("{size:.1e}").replace('-', &MINUS.to_string())
}

/// Without zeros after the last figure of a decimal.
fn trim(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

fn signed(value: f64, text: String) -> String {
    if value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) || value == f64::NEG_INFINITY
    {
        format!("{MINUS}{text}")
    } else {
        text
    }
}

/// A change: like [`compact`], with `+` before what grows.
#[must_use]
pub fn change(value: f64) -> String {
    plus(value, compact(value))
}

/// A change of a share, with its sign: `+4.2 %`.
#[must_use]
pub fn percent_change(share: f64) -> String {
    plus(share, percent(share))
}

fn plus(value: f64, text: String) -> String {
    if value > 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        format!("+{text}")
    } else {
        text
    }
}

/// A share in percent: `18 %`, `4.2 %`, `0.03 %`; `n/a` when it is not finite.
#[must_use]
pub fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "n/a".to_owned();
    }
    let size = share.abs() * 100.0;
    let digits = match size {
        s if s >= 1e5 => compact_size(s),
        s if s >= 9.95 => format!("{s:.0}"),
        s if s >= 0.095 => trim(&format!("{s:.1}")),
        s if s >= 0.005 => trim(&format!("{s:.2}")),
        s if s > 0.0 => format!("<{SPACE}0.01"),
        _ => "0".to_owned(),
    };
    format!("{}{SPACE}%", signed(share, digits))
}

/// A number with its unit behind it: `1.2 M EUR`; without a unit, the number alone.
#[must_use]
pub fn with_unit(value: f64, unit: &str) -> String {
    unit_behind(compact(value), unit)
}

/// A change with its unit behind it: `+1.2 M EUR`.
#[must_use]
pub fn change_with_unit(value: f64, unit: &str) -> String {
    unit_behind(change(value), unit)
}

fn unit_behind(number: String, unit: &str) -> String {
    if unit.is_empty() {
        number
    } else {
        format!("{number}{SPACE}{unit}")
    }
}

/// Labels of the ticks of one axis: one suffix and one number of decimals for all of them.
#[must_use]
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0, |m: f64, t| m.max(t.abs()));
    let (unit, suffix) = SUFFIXES
        .into_iter()
        .find(|(unit, _)| largest >= *unit * 0.9995)
        .unwrap_or((1.0, ""));
    let step = ticks
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(f64::INFINITY, f64::min);
    if largest / unit >= 1e5 || step / unit < 1e-5 {
        return ticks.iter().map(|t| compact(*t)).collect();
    }
    let decimals = decimals_of(step / unit);
    let label = |t: &f64| {
        let digits = format!("{:.decimals$}", t.abs() / unit);
        let zero = !digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
        match (zero, suffix) {
            (true, _) => "0".to_owned(),
            (_, "") => signed(*t, digits),
            (_, suffix) => format!("{}{SPACE}{suffix}", signed(*t, digits)),
        }
    };
    ticks.iter().map(label).collect()
}

/// Decimals that tell multiples of a step apart.
fn decimals_of(step: f64) -> usize {
    (0..=5)
        .find(|d| {
            let scaled = step * 10f64.powi(*d);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1.0)
        })
        .unwrap_or(0) as usize
}

/// Labels of ticks that are shares: `0 %`, `20 %`.
#[must_use]
pub fn percent_labels(ticks: &[f64]) -> Vec<String> {
    ticks.iter().map(|t| percent(*t)).collect()
}

/// A count of things with its noun: `1 channel`, `14 channels`.
#[must_use]
pub fn count(n: usize, singular: &str, plural: &str) -> String {
    format!("{n}{SPACE}{}", if n == 1 { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        text.replace(SPACE, " ").replace(MINUS, "-")
    }

    #[test]
    fn numbers_keep_two_or_three_figures() {
        for (value, want) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1234.0, "1.2 k"),
            (1_234_567.0, "1.2 M"),
            (12_345.0, "12.3 k"),
            (123_456.0, "123 k"),
            (12.34, "12.3"),
            (0.042, "0.042"),
            (1.0, "1"),
            (1.85, "1.85"),
            (999.6, "1 k"),
            (999_999.0, "1 M"),
            (-2_000_000.0, "-2 M"),
            (3.4e9, "3.4 bn"),
            (1e15, "1000 tn"),
            (1e-9, "1.0e-9"),
            (f64::NAN, "n/a"),
            (f64::NEG_INFINITY, "-∞"),
        ] {
            assert_eq!(plain(&compact(value)), want, "{value}");
        }
    }

    #[test]
    fn shares_are_percent() {
        for (share, want) in [
            (0.184, "18 %"),
            (0.09, "9 %"),
            (0.042, "4.2 %"),
            (-0.5, "-50 %"),
            (0.0, "0 %"),
            (0.00001, "< 0.01 %"),
        ] {
            assert_eq!(plain(&percent(share)), want, "{share}");
        }
        assert_eq!(plain(&percent_change(0.2)), "+20 %");
        assert_eq!(plain(&change_with_unit(-3.0, "EUR")), "-3 EUR");
    }

    #[test]
    fn ticks_share_one_suffix() {
        let labels = tick_labels(&[0.0, 500_000.0, 1_000_000.0]);
        assert_eq!(labels.map(), ["0", "0.5 M", "1.0 M"]);
        assert_eq!(tick_labels(&[-2.0, 0.0, 2.0]).map(), ["-2", "0", "2"]);
    }

    trait Plain {
        fn map(&self) -> Vec<String>;
    }
    impl Plain for Vec<String> {
        fn map(&self) -> Vec<String> {
            self.iter().map(|s| plain(s)).collect()
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_all_is_short(value in prop::num::f64::ANY) {
            prop_assert!(compact(value).chars().count() <= 12, "{}", compact(value));
            let _ = percent(value);
            let _ = tick_labels(&[value, -value, 0.0]);
        }
    }
}

//! Numbers in sentences, and intervals between the model's type and the charts'.

use mixline_chart::number;

/// `1.2 M EUR`.
pub(crate) fn money(value: f64, unit: &str) -> String {
    number::with_unit(value, unit)
}

/// `1.8 (0.9 to 2.6)`.
pub(crate) fn range(mean: f64, low: f64, high: f64) -> String {
    let [mean, low, high] = [mean, low, high].map(number::compact);
    format!("{mean} ({low} to {high})")
}

/// `18 %`.
pub(crate) fn percent(share: f64) -> String {
    number::percent(share)
}

/// The charts' interval.
pub(crate) fn interval(draws: &mixline_model::response::Interval) -> mixline_chart::Interval {
    mixline_chart::Interval {
        mean: draws.mean,
        q05: draws.q05,
        q25: draws.q25,
        q50: draws.q50,
        q75: draws.q75,
        q95: draws.q95,
    }
}

/// Names in a sentence: `A, B and C`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

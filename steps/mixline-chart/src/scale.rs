//! From values to pixels: linear, logarithmic, time and band scales with ticks at round values.

use chrono::{Datelike, NaiveDate};

/// Values beyond this are drawn at it: differences stay finite.
const LARGEST: f64 = 1e300;

/// A range of values, whatever the data: finite, and never empty.
#[must_use]
pub fn extent(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
    if low > high {
        return (0.0, 1.0);
    }
    (low.max(-LARGEST), high.min(LARGEST))
}

/// A range of values that contains zero.
#[must_use]
pub fn extent_with_zero(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    extent(values.into_iter().chain([0.0]))
}

/// Round values within a range, 1, 2 or 5 times a power of ten apart, at most `most` of them
/// (two at least).
#[must_use]
pub fn ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let step = step(high - low, most);
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    if !first.is_finite() || !last.is_finite() || last - first > 50.0 {
        return vec![low, high];
    }
    (0..=((last - first).max(0.0) as usize))
        .map(|i| (first + i as f64) * step)
        .collect()
}

/// The smallest of 1, 2, 5 times a power of ten that gives at most `most` ticks over a span.
fn step(span: f64, most: usize) -> f64 {
    let rough = span / (most.max(2) - 1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// A linear scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    domain: (f64, f64),
    range: (f64, f64),
}

impl Linear {
    /// A scale of just these values; an empty or broken range of values is widened.
    #[must_use]
    pub fn exact(low: f64, high: f64, range: (f64, f64)) -> Self {
        let (mut low, mut high) = extent([low, high]);
        if high - low <= 1e-12 * low.abs().max(high.abs()) || high == low {
            let half = if low == 0.0 { 0.5 } else { low.abs() * 0.5 };
            (low, high) = (low - half, high + half);
        }
        Self {
            domain: (low, high),
            range,
        }
    }

    /// A scale whose ends are round values around these.
    #[must_use]
    pub fn nice(low: f64, high: f64, range: (f64, f64)) -> Self {
        let Self {
            domain: (low, high),
            ..
        } = Self::exact(low, high, range);
        let step = step(high - low, 6);
        let domain = (
            (low / step + 1e-9).floor() * step,
            (high / step - 1e-9).ceil() * step,
        );
        Self::exact(domain.0, domain.1, range)
    }

    /// Values at the two ends.
    #[must_use]
    pub fn domain(&self) -> (f64, f64) {
        self.domain
    }

    /// Pixel of a value; NaN of NaN.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let value = value.clamp(-LARGEST, LARGEST);
        let share = (value - self.domain.0) / (self.domain.1 - self.domain.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Pixel of a value, or of the end of the scale beyond which it lies.
    #[must_use]
    pub fn within(&self, value: f64) -> f64 {
        self.at(value.clamp(self.domain.0, self.domain.1))
    }

    /// Value of a pixel.
    #[must_use]
    pub fn value(&self, pixel: f64) -> f64 {
        let share = (pixel - self.range.0) / (self.range.1 - self.range.0);
        self.domain.0 + share * (self.domain.1 - self.domain.0)
    }

    /// Round values on the scale, about six.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        self.ticks_at_most(6)
    }

    /// Round values on the scale, at most some.
    #[must_use]
    pub fn ticks_at_most(&self, most: usize) -> Vec<f64> {
        ticks(self.domain.0, self.domain.1, most)
    }
}

/// A logarithmic scale; zero and less lie at its low end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Log {
    inner: Linear,
}

impl Log {
    /// A scale between two positive values.
    #[must_use]
    pub fn new(low: f64, high: f64, range: (f64, f64)) -> Self {
        let low = if low > 0.0 { low.max(1e-300) } else { 1e-3 };
        let high = if high > low { high } else { low * 10.0 };
        Self {
            inner: Linear::exact(low.log10(), high.log10(), range),
        }
    }

    /// Pixel of a value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::NAN;
        }
        let low = self.inner.domain.0;
        let log = if value > 0.0 { value.log10() } else { low };
        self.inner.within(log)
    }

    /// Powers of ten on the scale, thinned to about six; between less than two powers, 1, 2 and
    /// 5 times a power.
    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        let (low, high) = self.inner.domain;
        let (first, last) = (low.floor() as i32, high.ceil() as i32);
        let inside = |v: &f64| (low - 1e-9..=high + 1e-9).contains(&v.log10());
        if high - low < 2.0 {
            return (first..=last)
                .flat_map(|p| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(p)))
                .filter(inside)
                .collect();
        }
        let every = ((last - first) / 6 + 1).max(1) as usize;
        (first..=last)
            .step_by(every)
            .map(|p| 10f64.powi(p))
            .filter(inside)
            .collect()
    }
}

/// A scale of calendar days.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Time {
    first: NaiveDate,
    last: NaiveDate,
    inner: Linear,
}

impl Time {
    /// A scale from the first to the last of some days; none make a scale of one day in 1970.
    #[must_use]
    pub fn new(days: impl IntoIterator<Item = NaiveDate>, range: (f64, f64)) -> Self {
        let mut days = days.into_iter();
        let start = days.next().unwrap_or_default();
        let (first, last) = days.fold((start, start), |(a, b), d| (a.min(d), b.max(d)));
        let span = (last - first).num_days().max(1) as f64;
        Self {
            first,
            last,
            inner: Linear::exact(0.0, span, range),
        }
    }

    /// Pixel of a day.
    #[must_use]
    pub fn at(&self, day: NaiveDate) -> f64 {
        self.inner.at((day - self.first).num_days() as f64)
    }

    /// First days of months or years, at most `most`, with their labels: `Mar`, and the year
    /// where it begins.
    #[must_use]
    pub fn ticks(&self, most: usize) -> Vec<(NaiveDate, String)> {
        let months = i64::from(self.last.year() - self.first.year()) * 12
            + i64::from(self.last.month())
            - i64::from(self.first.month())
            + 1;
        let Some(step) = [1, 2, 3, 6, 12, 24, 60, 120, 600]
            .into_iter()
            .find(|s| months / s <= most as i64)
        else {
            return self.ends();
        };
        let ticks = self.month_starts(step);
        if ticks.len() < 2 { self.ends() } else { ticks }
    }

    fn month_starts(&self, step: i64) -> Vec<(NaiveDate, String)> {
        let first = i64::from(self.first.year()) * 12 + i64::from(self.first.month0());
        let last = i64::from(self.last.year()) * 12 + i64::from(self.last.month0());
        let mut ticks: Vec<(NaiveDate, String)> = Vec::new();
        for month in (first..=last).filter(|m| m.rem_euclid(step) == 0) {
            let (year, month0) = (month.div_euclid(12), month.rem_euclid(12));
            let day = NaiveDate::from_ymd_opt(year as i32, month0 as u32 + 1, 1);
            if let Some(day) = day.filter(|d| *d >= self.first) {
                let fresh = ticks.last().is_none_or(|(d, _)| d.year() != day.year());
                ticks.push((day, month_label(day, step >= 12, fresh)));
            }
        }
        ticks
    }

    fn ends(&self) -> Vec<(NaiveDate, String)> {
        let label = |d: NaiveDate| (d, day(d));
        if self.first == self.last {
            vec![label(self.first)]
        } else {
            vec![label(self.first), label(self.last)]
        }
    }
}

fn month_label(day: NaiveDate, years: bool, fresh: bool) -> String {
    if years {
        return day.year().to_string();
    }
    let month = MONTHS[day.month0() as usize];
    if fresh {
        format!("{month} {}", day.year())
    } else {
        month.to_owned()
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day in words: `3 Mar 2025`.
#[must_use]
pub fn day(day: NaiveDate) -> String {
    let month = MONTHS[day.month0() as usize];
    format!("{} {month} {}", day.day(), day.year())
}

/// Rows or columns of equal size, one for each thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    start: f64,
    step: f64,
}

impl Band {
    /// Bands from `start` on, `step` pixels each.
    #[must_use]
    pub fn new(start: f64, step: f64) -> Self {
        Self { start, step }
    }

    /// Middle of a band.
    #[must_use]
    pub fn mid(&self, index: usize) -> f64 {
        self.start + (index as f64 + 0.5) * self.step
    }

    /// End of this many bands.
    #[must_use]
    pub fn end(&self, count: usize) -> f64 {
        self.start + count as f64 * self.step
    }

    /// Size of a band.
    #[must_use]
    pub fn step(&self) -> f64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 10.0, 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(
            ticks(-0.3, 0.7, 6),
            [-0.2, 0.0, 0.2, 0.4, 0.6000000000000001]
        );
        assert_eq!(Linear::nice(0.1, 9.3, (0.0, 1.0)).domain(), (0.0, 10.0));
        assert_eq!(Log::new(1.0, 1e4, (0.0, 4.0)).ticks().len(), 5);
    }

    #[test]
    fn months_carry_their_year_once() {
        let date = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        let time = Time::new([date(2023, 1, 2), date(2024, 12, 30)], (0.0, 100.0));
        let labels: Vec<_> = time.ticks(8).into_iter().map(|(_, l)| l).collect();
        assert_eq!(
            labels,
            ["Apr 2023", "Jul", "Oct", "Jan 2024", "Apr", "Jul", "Oct"]
        );
        let short = Time::new([date(2023, 1, 2), date(2023, 1, 9)], (0.0, 100.0));
        assert_eq!(short.ticks(8)[1].1, "9 Jan 2023");
        assert_eq!(Time::new([], (0.0, 1.0)).ticks(8).len(), 1);
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_inside(a in -1e15..1e15f64, b in -1e15..1e15f64) {
            let scale = Linear::nice(a, b, (0.0, 100.0));
            let ticks = scale.ticks();
            prop_assert!((2..=7).contains(&ticks.len()), "{ticks:?}");
            for t in ticks {
                prop_assert!((-0.1..=100.1).contains(&scale.at(t)));
            }
        }

        #[test]
        fn any_float_is_survived(a in prop::num::f64::ANY, b in prop::num::f64::ANY) {
            let scale = Linear::nice(a, b, (0.0, 100.0));
            prop_assert!(scale.domain().1 > scale.domain().0);
            let _ = scale.ticks();
            let log = Log::new(a, b, (0.0, 1.0));
            let _ = log.ticks();
            let _ = log.at(b);
        }
    }
}

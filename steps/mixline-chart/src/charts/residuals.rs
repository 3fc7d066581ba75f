//! C14: what the model leaves over, looked at in four ways.
//!
//! Over time, against what was predicted, as correlation with itself at later times, and against a
//! normal distribution. A good model leaves nothing that has a shape.

use chrono::NaiveDate;

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, axis_title};
use crate::number::compact;
use crate::scale::{Linear, Time, extent, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Residuals of a model.
#[derive(Debug, Clone)]
pub struct Residuals {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// Day, predicted and observed outcome, by date.
    pub periods: Vec<(NaiveDate, f64, f64)>,
    /// Quantile function of the standard normal distribution.
    pub normal_quantile: fn(f64) -> f64,
}

/// Lags of the correlogram.
const LAGS: usize = 26;

/// Correlation of a series with itself `lag` steps later; 1 at lag 0.
#[must_use]
pub fn autocorrelation(series: &[f64], lag: usize) -> f64 {
    let n = series.len();
    let mean = series.iter().sum::<f64>() / n.max(1) as f64;
    let at = |k: usize| series[k] - mean;
    let all: f64 = (0..n).map(|k| at(k) * at(k)).sum();
    let shifted: f64 = (0..n.saturating_sub(lag))
        .map(|k| at(k) * at(k + lag))
        .sum();
    if all > 0.0 {
        shifted / all
    } else {
        f64::from(lag == 0)
    }
}

impl Residuals {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let known: Vec<(NaiveDate, f64, f64)> = self
            .periods
            .iter()
            .filter(|(_, p, o)| p.is_finite() && o.is_finite())
            .map(|(day, p, o)| (*day, *p, o - p))
            .collect();
        let words = Words {
            id: "C14",
            key: key_of(&self.key, "C14"),
            title: "What the model leaves over".to_owned(),
            caption: caption(&known),
            description: format!(
                "Four plots of residuals: over time, against the prediction, their autocorrelation, and against normal quantiles. {}",
                caption(&known)
            ),
        };
        words.with(self.draw(&known), self.table(&known))
    }

    fn draw(&self, known: &[(NaiveDate, f64, f64)]) -> Svg {
        let mut svg = Svg::new(&key_of(&self.key, "C14"), NORMAL, 460.0);
        let frame = |col: f64, row: f64| Frame {
            left: 60.0 + col * 366.0,
            right: 60.0 + col * 366.0 + 284.0,
            top: 28.0 + row * 232.0,
            bottom: 28.0 + row * 232.0 + 150.0,
        };
        let residuals: Vec<f64> = known.iter().map(|(_, _, r)| *r).collect();
        let (low, high) = extent_with_zero(residuals.iter().copied());
        let title = format!(
            "Residual{}",
            if self.outcome.unit.is_empty() {
                String::new()
            } else {
                format!(" ({})", self.outcome.unit)
            }
        );
        let first = frame(0.0, 0.0);
        let y = Linear::nice(low, high, first.ys());
        axis::left(&mut svg, &first, &y, &title);
        let time = Time::new(known.iter().map(|(day, ..)| *day), first.xs());
        axis::time_below(&mut svg, &first, &time, 4);
        dots(
            &mut svg,
            known
                .iter()
                .map(|(day, _, r)| (time.at(*day), y.within(*r))),
        );
        let second = frame(1.0, 0.0);
        let (low, high) = extent(known.iter().map(|(_, p, _)| *p));
        let x = Linear::nice(low, high, second.xs());
        axis::left(&mut svg, &second, &y, &title);
        axis::below(
            &mut svg,
            &second,
            &x,
            &axis_title(
                &format!("predicted {}", self.outcome.name),
                &self.outcome.unit,
            ),
        );
        dots(
            &mut svg,
            known.iter().map(|(_, p, r)| (x.at(*p), y.within(*r))),
        );
        correlogram(&mut svg, &frame(0.0, 1.0), &residuals);
        quantiles(
            &mut svg,
            &frame(1.0, 1.0),
            &residuals,
            (&y, &title),
            self.normal_quantile,
        );
        svg
    }

    fn table(&self, known: &[(NaiveDate, f64, f64)]) -> DataTable {
        let unit = &self.outcome.unit;
        let mut table = DataTable::new(vec![
            Column::words("Period"),
            Column::numbers("Predicted", unit),
            Column::numbers("Residual", unit),
        ]);
        for (day, predicted, residual) in known {
            table.rows.push(vec![
                Cell::Date(*day),
                Cell::number(*predicted),
                Cell::number(*residual),
            ]);
        }
        table
    }
}

fn dots(svg: &mut Svg, points: impl Iterator<Item = (f64, f64)>) {
    svg.group("c0");
    for at in points {
        svg.circle("dot", at, 2.4);
    }
    svg.close();
}

fn correlogram(svg: &mut Svg, frame: &Frame, residuals: &[f64]) {
    let y = Linear::exact(-1.0, 1.0, frame.ys());
    axis::left(svg, frame, &y, "Autocorrelation");
    let lags = LAGS.min(residuals.len().saturating_sub(1));
    let x = Linear::exact(0.0, LAGS as f64, frame.xs());
    axis::below(svg, frame, &x, "Lag (periods)");
    let limit = 1.96 / (residuals.len().max(1) as f64).sqrt();
    for edge in [-limit, limit] {
        svg.line(
            "ref",
            (frame.left, y.within(edge)),
            (frame.right, y.within(edge)),
        );
    }
    svg.group("c0");
    for lag in 0..=lags {
        let r = autocorrelation(residuals, lag);
        svg.line(
            "thin",
            (x.at(lag as f64), y.at(0.0)),
            (x.at(lag as f64), y.within(r)),
        );
    }
    svg.close();
}

fn quantiles(
    svg: &mut Svg,
    frame: &Frame,
    residuals: &[f64],
    (scale, title): (&Linear, &str),
    normal: fn(f64) -> f64,
) {
    let y = Linear::exact(scale.domain().0, scale.domain().1, frame.ys());
    axis::left(svg, frame, &y, title);
    let x = Linear::exact(-3.0, 3.0, frame.xs());
    axis::below(svg, frame, &x, "Normal quantile");
    let mut sorted = residuals.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len().max(1) as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let sd = (sorted.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / n).sqrt();
    svg.line(
        "ref",
        (x.at(-3.0), y.within(mean - 3.0 * sd)),
        (x.at(3.0), y.within(mean + 3.0 * sd)),
    );
    let place = |(k, r): (usize, &f64)| {
        let q = normal((k as f64 + 0.5) / n);
        (x.within(q), y.within(*r))
    };
    dots(svg, sorted.iter().enumerate().map(place));
    if residuals.is_empty() {
        svg.text(
            "note",
            (frame.left + 8.0, frame.top + 16.0),
            Anchor::Start,
            "no residuals",
        );
    }
}

fn caption(known: &[(NaiveDate, f64, f64)]) -> String {
    let residuals: Vec<f64> = known.iter().map(|(_, _, r)| *r).collect();
    if residuals.len() < 3 {
        return "There are too few periods to look at residuals.".to_owned();
    }
    let first = autocorrelation(&residuals, 1);
    let limit = 1.96 / (residuals.len() as f64).sqrt();
    let word = if first.abs() <= limit {
        "within"
    } else {
        "outside"
    };
    format!(
        "Residuals of neighbouring periods correlate by {}, {word} ±{}, what chance alone would do.",
        compact(first),
        compact(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NASTY, sound};

    fn sample() -> Residuals {
        let period = |k: u32| {
            let day = NaiveDate::from_ymd_opt(2025, 1, 1 + k).unwrap();
            (
                day,
                100.0 + f64::from(k),
                100.0 + f64::from(k) + f64::from((k * 7) % 5) - 2.0,
            )
        };
        Residuals {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            periods: (0..30).map(period).collect(),
            // Straight enough for a test.
            normal_quantile: |p| 4.0 * (p - 0.5),
        }
    }

    #[test]
    fn a_series_is_itself_at_lag_zero() {
        let series: Vec<f64> = (0..40).map(|k| f64::from((k * 13) % 7)).collect();
        assert_eq!(autocorrelation(&series, 0), 1.0);
        assert!(autocorrelation(&series, 7) > 0.7 && autocorrelation(&series, 3).abs() < 0.8);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.periods[3].1 = x;
            chart.periods[4].2 = x;
            sound(&chart.figure());
            chart.periods.truncate(1);
            sound(&chart.figure());
            chart.periods.clear();
            sound(&chart.figure());
        }
    }
}

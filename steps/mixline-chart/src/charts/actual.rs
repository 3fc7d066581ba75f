//! C13: what was observed beside what the model predicts, period by period.

use chrono::NaiveDate;

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, WIDE, Words, key_of};
use crate::measure::{Interval, Measure};
use crate::number::{compact, percent};
use crate::scale::{Linear, Time, extent};
use crate::svg::Svg;
use crate::table::{Cell, Column, DataTable};

/// Observed and predicted outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Actual {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// By date.
    pub periods: Vec<ActualPeriod>,
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActualPeriod {
    /// First day.
    pub date: NaiveDate,
    /// What was observed.
    pub observed: f64,
    /// A new outcome as the model predicts it, scatter included.
    pub predicted: Interval,
    /// What media did not bring, mean.
    pub baseline: Option<f64>,
    /// Whether the period was kept from the fit.
    pub holdout: bool,
}

/// How good predictions are over some periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Periods.
    pub periods: usize,
    /// 1 − residual variance over variance.
    pub r_squared: f64,
    /// Mean of |error| over |observed|.
    pub mape: f64,
    /// Sum of |error| over sum of |observed|.
    pub wmape: f64,
    /// Share of observations inside the 90 % band.
    pub coverage: f64,
}

impl Accuracy {
    /// Of some periods; `None` without any.
    #[must_use]
    pub fn of(periods: &[ActualPeriod]) -> Option<Self> {
        let known: Vec<&ActualPeriod> = periods
            .iter()
            .filter(|p| p.observed.is_finite() && p.predicted.mean.is_finite())
            .collect();
        let n = known.len() as f64;
        if known.is_empty() {
            return None;
        }
        let sum = |of: &dyn Fn(&ActualPeriod) -> f64| known.iter().map(|p| of(p)).sum::<f64>();
        let mean = sum(&|p| p.observed) / n;
        let error = |p: &ActualPeriod| (p.observed - p.predicted.mean).abs();
        let squares = sum(&|p| (p.observed - mean).powi(2));
        let inside = known
            .iter()
            .filter(|p| p.predicted.q05 <= p.observed && p.observed <= p.predicted.q95);
        Some(Self {
            periods: known.len(),
            r_squared: 1.0 - sum(&|p| error(p).powi(2)) / squares,
            mape: sum(&|p| error(p) / p.observed.abs()) / n,
            wmape: sum(&error) / sum(&|p| p.observed.abs()),
            coverage: inside.count() as f64 / n,
        })
    }

    fn words(&self) -> String {
        format!(
            "R² {}, MAPE {}, wMAPE {}, {} of observations in the 90 % band",
            compact(self.r_squared),
            percent(self.mape),
            percent(self.wmape),
            percent(self.coverage)
        )
    }
}

impl Actual {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C13",
            key: key_of(&self.key, "C13"),
            title: format!("Observed and predicted {}", self.outcome.name),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn split(&self, holdout: bool) -> Vec<ActualPeriod> {
        self.periods
            .iter()
            .copied()
            .filter(|p| p.holdout == holdout)
            .collect()
    }

    fn draw(&self) -> Svg {
        let frame = Frame {
            left: 64.0,
            right: WIDE - 20.0,
            top: 52.0,
            bottom: 340.0,
        };
        let time = Time::new(self.periods.iter().map(|p| p.date), frame.xs());
        let ends = self.periods.iter().flat_map(|p| {
            [
                p.observed,
                p.predicted.q05,
                p.predicted.q95,
                p.baseline.unwrap_or(p.observed),
            ]
        });
        let (low, high) = extent(ends);
        // Zero is shown where that does not flatten the rest.
        let low = if low > 0.0 && low < 0.6 * high {
            0.0
        } else {
            low
        };
        let y = Linear::nice(low, high, frame.ys());
        let mut svg = Svg::new(&key_of(&self.key, "C13"), WIDE, frame.bottom + 32.0);
        self.draw_key(&mut svg);
        self.draw_holdout(&mut svg, &frame, &time);
        axis::left(&mut svg, &frame, &y, &self.outcome.axis());
        axis::time_below(&mut svg, &frame, &time, 10);
        svg.group("c0");
        let at: Vec<_> = self
            .periods
            .iter()
            .map(|p| (time.at(p.date), p.predicted))
            .collect();
        crate::marks::bands(&mut svg, &y, &at);
        let line: Vec<_> = at.iter().map(|(x, d)| (*x, y.within(d.q50))).collect();
        svg.polyline("median", &line);
        svg.close();
        svg.group("base");
        let base = |p: &ActualPeriod| {
            (
                time.at(p.date),
                p.baseline.map_or(f64::NAN, |b| y.within(b)),
            )
        };
        svg.polyline("median", &self.periods.iter().map(base).collect::<Vec<_>>());
        svg.close();
        svg.group("ink");
        for p in self.periods.iter().filter(|p| p.observed.is_finite()) {
            svg.circle("dot", (time.at(p.date), y.within(p.observed)), 2.6);
        }
        svg.close();
        svg
    }

    fn draw_key(&self, svg: &mut Svg) {
        let mut entries = vec![
            (Sign::Marker, "ink", "observed"),
            (Sign::Line, "c0", "predicted, median"),
            (Sign::Band, "c0", "50 % and 90 % intervals"),
        ];
        if self.periods.iter().any(|p| p.baseline.is_some()) {
            entries.push((Sign::Line, "base", "without media"));
        }
        if self.periods.iter().any(|p| p.holdout) {
            entries.push((Sign::Shade, "ink", "kept from the fit"));
        }
        axis::key(svg, 2.0, WIDE, 10.0, &entries);
    }

    fn draw_holdout(&self, svg: &mut Svg, frame: &Frame, time: &Time) {
        let held = self.split(true);
        let (Some(first), Some(last)) = (held.first(), held.last()) else {
            return;
        };
        let before = self.periods.iter().rev().find(|p| p.date < first.date);
        let from = before.map_or(time.at(first.date), |p| {
            (time.at(p.date) + time.at(first.date)) / 2.0
        });
        svg.rect(
            "shade",
            (from, time.at(last.date).min(frame.right)),
            (frame.top, frame.bottom),
        );
    }

    fn caption(&self) -> String {
        let accuracy = |holdout: bool| Accuracy::of(&self.split(holdout));
        match (accuracy(false), accuracy(true)) {
            (Some(train), Some(held)) => format!(
                "In the fit: {}; in the {} periods kept from it: MAPE {}, {} in the band.",
                train.words(),
                held.periods,
                percent(held.mape),
                percent(held.coverage)
            ),
            (Some(train), None) => format!("In the fit: {}.", train.words()),
            _ => "There is nothing to compare.".to_owned(),
        }
    }

    fn description(&self) -> String {
        let days = self.periods.first().zip(self.periods.last());
        let span = days.map_or(String::new(), |(a, b)| {
            format!(" from {} to {}", a.date, b.date)
        });
        format!(
            "Dots are {} as observed{span}, the line is the model's median with its 50 % and 90 % bands. {}",
            self.outcome.name,
            self.caption()
        )
    }

    fn table(&self) -> DataTable {
        let unit = &self.outcome.unit;
        let mut columns = vec![Column::words("Period"), Column::words("Split")];
        for name in [
            "Observed",
            "Predicted, median",
            "5 %",
            "25 %",
            "75 %",
            "95 %",
            "Without media",
        ] {
            columns.push(Column::numbers(name, unit));
        }
        let mut table = DataTable::new(columns);
        for p in &self.periods {
            let d = p.predicted;
            let split = if p.holdout { "holdout" } else { "train" };
            let mut cells = vec![Cell::Date(p.date), Cell::text(split)];
            cells.extend([p.observed, d.q50, d.q05, d.q25, d.q75, d.q95].map(Cell::number));
            cells.push(Cell::maybe(p.baseline));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NASTY, attribute, interval, sound};

    fn sample() -> Actual {
        let period = |k: u32| ActualPeriod {
            date: NaiveDate::from_ymd_opt(2025, 1, 1 + k).unwrap(),
            observed: 100.0 + f64::from(k % 5) * 10.0 + if k == 7 { 60.0 } else { 0.0 },
            predicted: interval(100.0 + f64::from(k % 5) * 10.0, 20.0),
            baseline: Some(70.0),
            holdout: k >= 16,
        };
        Actual {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            periods: (0..20).map(period).collect(),
        }
    }

    #[test]
    fn coverage_is_that_of_what_is_drawn() {
        let chart = sample();
        let accuracy = Accuracy::of(&chart.periods).unwrap();
        assert!((accuracy.coverage - 0.95).abs() < 1e-12 && accuracy.periods == 20);
        let svg = chart.figure().svg;
        let dots = attribute(&svg, "circle", "dot", "cy");
        assert_eq!(dots.len(), 20);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.periods[3].observed = x;
            chart.periods[4].predicted = interval(x, x);
            chart.periods[5].baseline = Some(x);
            sound(&chart.figure());
            chart.periods.truncate(1);
            sound(&chart.figure());
            chart.periods.clear();
            sound(&chart.figure());
        }
    }
}

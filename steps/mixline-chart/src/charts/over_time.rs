//! C02: contributions stacked over time, the baseline at the bottom.
//!
//! Means only: quantiles of parts do not add up to quantiles of the whole. Positive parts are
//! stacked upwards from zero, negative ones downwards; the black line is what was observed.

use chrono::NaiveDate;

use crate::axis::{self, Entry, Frame, Sign};
use crate::figure::{Figure, WIDE, Words, key_of};
use crate::measure::{Measure, finite};
use crate::number::percent;
use crate::palette::ChannelColors;
use crate::scale::{Linear, Time, extent_with_zero};
use crate::svg::Svg;
use crate::table::{Cell, Column, DataTable};

/// Contributions by period.
#[derive(Debug, Clone, PartialEq)]
pub struct OverTime {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// First days of the periods.
    pub dates: Vec<NaiveDate>,
    /// Observed outcome of each period.
    pub observed: Vec<f64>,
    /// Mean contribution of each part by period, from the bottom up.
    pub parts: Vec<(String, Vec<f64>)>,
    /// Colours of the channels; other parts are grey.
    pub colors: ChannelColors,
}

/// One layer of the stack: (low, high) by period.
struct Layer {
    class: String,
    ends: Vec<(f64, f64)>,
}

impl OverTime {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C02",
            key: key_of(&self.key, "C02"),
            title: format!("What brought in the {} over time", self.outcome.name),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn value(&self, part: usize, t: usize) -> f64 {
        self.parts[part].1.get(t).copied().map_or(0.0, finite)
    }

    fn seen(&self, t: usize) -> f64 {
        self.observed.get(t).copied().unwrap_or(f64::NAN)
    }

    /// What the parts leave over.
    fn unexplained(&self, t: usize) -> f64 {
        let explained: f64 = (0..self.parts.len()).map(|k| self.value(k, t)).sum();
        self.seen(t) - explained
    }

    fn layers(&self) -> Vec<Layer> {
        let (mut up, mut down) = (vec![0.0; self.dates.len()], vec![0.0; self.dates.len()]);
        let layer = |(k, (name, _)): (usize, &(String, Vec<f64>))| {
            let ends = (0..self.dates.len()).map(|t| {
                let value = self.value(k, t);
                let base = if value >= 0.0 {
                    &mut up[t]
                } else {
                    &mut down[t]
                };
                let from = *base;
                *base = finite(from + value);
                (from.min(*base), from.max(*base))
            });
            Layer {
                ends: ends.collect(),
                class: self.colors.class(name),
            }
        };
        self.parts.iter().enumerate().map(layer).collect()
    }

    fn draw(&self) -> Svg {
        let mut svg = Svg::new(&key_of(&self.key, "C02"), WIDE, 400.0);
        let classes: Vec<String> = self
            .parts
            .iter()
            .map(|(name, _)| self.colors.class(name))
            .collect();
        let mut entries: Vec<Entry<'_>> = self
            .parts
            .iter()
            .zip(&classes)
            .map(|((name, _), class)| (Sign::Square, class.as_str(), name.as_str()))
            .collect();
        entries.push((Sign::Line, "ink", "observed"));
        let used = axis::key(&mut svg, 2.0, WIDE, 10.0, &entries);
        let top = used + 32.0;
        let frame = Frame {
            left: 64.0,
            right: WIDE - 20.0,
            top,
            bottom: top + 290.0,
        };
        svg.set_height(frame.bottom + 32.0);
        let layers = self.layers();
        let ends = layers
            .iter()
            .flat_map(|l| l.ends.iter().flat_map(|(a, b)| [*a, *b]));
        let (low, high) = extent_with_zero(ends.chain(self.observed.iter().copied()));
        let y = Linear::nice(low, high, frame.ys());
        let time = Time::new(self.dates.iter().copied(), frame.xs());
        axis::left(&mut svg, &frame, &y, &self.outcome.axis());
        axis::time_below(&mut svg, &frame, &time, 10);
        for layer in &layers {
            svg.group(&layer.class);
            let points = self.dates.iter().zip(&layer.ends);
            let points = points.map(|(day, (low, high))| (time.at(*day), y.at(*low), y.at(*high)));
            svg.area("area", &points.collect::<Vec<_>>());
            svg.close();
        }
        svg.group("ink");
        let line = self.dates.iter().enumerate();
        let line = line.map(|(t, day)| (time.at(*day), y.at(self.seen(t))));
        svg.polyline("hair", &line.collect::<Vec<_>>());
        svg.close();
        svg
    }

    fn caption(&self) -> String {
        let observed: f64 = (0..self.dates.len()).map(|t| finite(self.seen(t))).sum();
        let rest: f64 = (0..self.dates.len())
            .map(|t| finite(self.unexplained(t)).abs())
            .sum();
        if observed <= 0.0 {
            return "Nothing was observed.".to_owned();
        }
        format!(
            "Parts and observed {} differ by {} of it in a typical period.",
            self.outcome.name,
            percent(rest / observed)
        )
    }

    fn description(&self) -> String {
        let parts: Vec<String> = (0..self.parts.len())
            .map(|k| {
                let total: f64 = (0..self.dates.len()).map(|t| self.value(k, t)).sum();
                format!("{} {} in all", self.parts[k].0, self.outcome.amount(total))
            })
            .collect();
        format!("Stacked areas by period. {}.", parts.join("; "))
    }

    fn table(&self) -> DataTable {
        let unit = &self.outcome.unit;
        let mut columns = vec![Column::words("Period")];
        columns.extend(
            self.parts
                .iter()
                .map(|(name, _)| Column::numbers(name, unit)),
        );
        columns.push(Column::numbers("Unexplained", unit));
        columns.push(Column::numbers("Observed", unit));
        let mut table = DataTable::new(columns);
        for (t, day) in self.dates.iter().enumerate() {
            let mut cells = vec![Cell::Date(*day)];
            cells.extend((0..self.parts.len()).map(|k| Cell::number(self.value(k, t))));
            cells.extend([self.unexplained(t), self.seen(t)].map(Cell::number));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, sound};

    fn sample() -> OverTime {
        let day = |k: u32| NaiveDate::from_ymd_opt(2025, 1, 1 + k).unwrap();
        OverTime {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            dates: (0..12).map(day).collect(),
            observed: (0..12).map(|k| 100.0 + f64::from(k)).collect(),
            parts: vec![
                ("baseline".into(), vec![60.0; 12]),
                ("TV".into(), (0..12).map(|k| 30.0 + f64::from(k)).collect()),
                ("print".into(), vec![-5.0; 12]),
            ],
            colors: ChannelColors::new(&["TV", "print"]),
        }
    }

    #[test]
    fn areas_and_the_unexplained_add_up_to_the_observed() {
        let chart = sample();
        let layers = chart.layers();
        for t in 0..12 {
            let signed = |k: usize| {
                let (low, high) = layers[k].ends[t];
                if chart.value(k, t) < 0.0 {
                    low - high
                } else {
                    high - low
                }
            };
            let sum: f64 = (0..3).map(signed).sum();
            assert!((sum + chart.unexplained(t) - chart.observed[t]).abs() < 1e-9);
            assert!(
                layers[2].ends[t] == (-5.0, 0.0),
                "negative parts hang from zero"
            );
        }
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.observed[2] = x;
            chart.parts[1].1[3] = x;
            chart.parts[2] = (NAMES[2].into(), vec![x]);
            sound(&chart.figure());
            chart.dates.clear();
            sound(&chart.figure());
        }
    }
}

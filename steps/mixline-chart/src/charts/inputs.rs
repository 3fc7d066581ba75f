//! C24: the series that went into the model, small and side by side, with what was found in them.

use chrono::NaiveDate;

use crate::axis::{self, Frame};
use crate::figure::{Figure, WIDE, Words, key_of};
use crate::measure::axis_title;
use crate::number::count;
use crate::palette::ChannelColors;
use crate::scale::{Linear, Time, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// The input series.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// One panel per series.
    pub series: Vec<InputSeries>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct InputSeries {
    /// Name.
    pub name: String,
    /// What it counts: `revenue`, `spend`.
    pub what: String,
    /// Unit.
    pub unit: String,
    /// Values by date.
    pub values: Vec<(NaiveDate, f64)>,
    /// Findings about it.
    pub flags: usize,
}

impl Inputs {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C24",
            key: key_of(&self.key, "C24"),
            title: "What went in".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let (columns, width, height) = (3, WIDE / 3.0, 150.0);
        let rows = self.series.len().div_ceil(columns).max(1);
        let mut svg = Svg::new(&key_of(&self.key, "C24"), WIDE, height * rows as f64 + 8.0);
        for (k, series) in self.series.iter().enumerate() {
            let (left, top) = ((k % columns) as f64 * width, (k / columns) as f64 * height);
            let frame = Frame {
                left: left + 52.0,
                right: left + width - 24.0,
                top: top + 42.0,
                bottom: top + height - 30.0,
            };
            let (low, high) = extent_with_zero(series.values.iter().map(|(_, v)| *v));
            let y = Linear::nice(low, high, frame.ys());
            let time = Time::new(series.values.iter().map(|(day, _)| *day), frame.xs());
            svg.text_within(
                "label strong",
                (left + 4.0, top + 14.0),
                Anchor::Start,
                &series.name,
                width * 0.55,
            );
            let flags = match series.flags {
                0 => String::new(),
                n => format!("⚑ {}", count(n, "finding", "findings")),
            };
            svg.text("note", (frame.right, top + 14.0), Anchor::End, &flags);
            axis::left_with(
                &mut svg,
                &frame,
                &y,
                &axis_title(&series.what, &series.unit),
                3,
                &crate::number::tick_labels,
            );
            axis::time_below(&mut svg, &frame, &time, 3);
            svg.group(&self.colors.class(&series.name));
            let line: Vec<_> = series
                .values
                .iter()
                .map(|(day, v)| (time.at(*day), y.within(*v)))
                .collect();
            svg.polyline("hair", &line);
            svg.close();
        }
        svg
    }

    fn caption(&self) -> String {
        let flags: usize = self.series.iter().map(|s| s.flags).sum();
        let series = count(self.series.len(), "series", "series");
        match flags {
            0 => format!("{series} went into the model; the checks found nothing about them."),
            n => format!(
                "{series} went into the model, with {} about them.",
                count(n, "finding", "findings")
            ),
        }
    }

    fn description(&self) -> String {
        let names: Vec<String> = self
            .series
            .iter()
            .map(|s| format!("{} ({}, {} values)", s.name, s.what, s.values.len()))
            .collect();
        format!(
            "Small line charts of every input series: {}.",
            names.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let mut columns = vec![Column::words("Period")];
        columns.extend(
            self.series
                .iter()
                .map(|s| Column::numbers(&format!("{}, {}", s.name, s.what), &s.unit)),
        );
        let mut table = DataTable::new(columns);
        let mut days: Vec<NaiveDate> = self
            .series
            .iter()
            .flat_map(|s| s.values.iter().map(|(day, _)| *day))
            .collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let mut cells = vec![Cell::Date(day)];
            let value = |s: &InputSeries| {
                let found = s.values.iter().find(|(own, _)| *own == day);
                found.map_or(Cell::Empty, |(_, v)| Cell::number(*v))
            };
            cells.extend(self.series.iter().map(value));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, sound};

    fn sample() -> Inputs {
        let day = |k: u32| NaiveDate::from_ymd_opt(2025, 1, 1 + k).unwrap();
        let series = |name: &str, flags: usize| InputSeries {
            name: name.into(),
            what: "spend".into(),
            unit: "EUR".into(),
            values: (0..20).map(|k| (day(k), f64::from((k * 7) % 11))).collect(),
            flags,
        };
        Inputs {
            key: String::new(),
            series: vec![series("TV", 0), series("Meta", 2)],
            colors: ChannelColors::new(&["TV", "Meta"]),
        }
    }

    #[test]
    fn flags_are_those_of_the_findings() {
        let figure = sample().figure();
        assert_eq!(figure.svg.matches("⚑ 2").count(), 1);
        assert!(figure.caption.contains("2\u{a0}findings"));
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.series[0].values[2].1 = x;
            chart.series[1].name = NAMES[2].into();
            chart.series[1].values.clear();
            sound(&chart.figure());
            chart.series.clear();
            sound(&chart.figure());
        }
    }
}

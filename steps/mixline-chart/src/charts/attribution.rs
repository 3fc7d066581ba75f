//! C25: what attribution gives a channel beside what the model gives it.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::marks;
use crate::measure::Measure;
use crate::number::compact;
use crate::palette::ChannelColors;
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 32.0;

/// Two views of every channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// How attribution was done: `last touch`.
    pub method: String,
    /// One row per channel.
    pub rows: Vec<AttributionRow>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributionRow {
    /// The channel.
    pub channel: String,
    /// Outcome attributed.
    pub attributed: f64,
    /// Outcome by the model: mean, 5 % and 95 % quantile.
    pub modelled: (f64, f64, f64),
    /// Whom to trust, in a word or two.
    pub trust: String,
}

impl AttributionRow {
    /// Model over attribution: above 1 the channel is under-credited.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.modelled.0 / self.attributed
    }
}

impl Attribution {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let rows = self.ranked();
        let words = Words {
            id: "C25",
            key: key_of(&self.key, "C25"),
            title: format!("Attribution ({}) and the model", self.method),
            caption: caption(&rows),
            description: self.description(&rows),
        };
        words.with(self.draw(&rows), self.table(&rows))
    }

    fn ranked(&self) -> Vec<&AttributionRow> {
        let mut rows: Vec<&AttributionRow> = self.rows.iter().collect();
        let size = |r: &AttributionRow| {
            if r.modelled.0.is_nan() {
                f64::NEG_INFINITY
            } else {
                r.modelled.0
            }
        };
        rows.sort_by(|a, b| size(b).total_cmp(&size(a)));
        rows
    }

    fn draw(&self, rows: &[&AttributionRow]) -> Svg {
        let top = 40.0;
        let frame = Frame {
            left: axis::name_room(rows.iter().map(|r| r.channel.as_str())),
            right: NORMAL - 190.0,
            top,
            bottom: top + ROW * rows.len().max(1) as f64,
        };
        let ends = rows
            .iter()
            .flat_map(|r| [r.attributed, r.modelled.1, r.modelled.2]);
        let (low, high) = extent_with_zero(ends);
        let scale = Linear::nice(low, high, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C25"), NORMAL, frame.bottom + 44.0);
        let entries = [
            (Sign::Hollow, "base", "attributed"),
            (Sign::Marker, "ink", "model, mean"),
            (Sign::Thin, "ink", "90 %"),
        ];
        axis::key(&mut svg, 2.0, frame.right, 10.0, &entries);
        axis::below(&mut svg, &frame, &scale, &self.outcome.axis());
        svg.text("note", (NORMAL - 120.0, top - 6.0), Anchor::End, "Factor");
        svg.text("note", (NORMAL - 108.0, top - 6.0), Anchor::Start, "Trust");
        let bands = Band::new(top, ROW);
        for (i, row) in rows.iter().enumerate() {
            let y = bands.mid(i);
            svg.group_titled(&self.colors.class(&row.channel), &self.words(row));
            axis::name(&mut svg, frame.left - 8.0, y, &row.channel);
            marks::segment(&mut svg, "thin", &scale, y, row.modelled.1, row.modelled.2);
            if row.modelled.0.is_finite() {
                svg.circle("marker", (scale.within(row.modelled.0), y), 5.5);
            }
            if row.attributed.is_finite() {
                svg.circle("hollow base", (scale.within(row.attributed), y), 5.0);
            }
            svg.text(
                "value",
                (NORMAL - 120.0, y + 4.0),
                Anchor::End,
                &compact(row.factor()),
            );
            svg.text_within(
                "note",
                (NORMAL - 108.0, y + 4.0),
                Anchor::Start,
                &row.trust,
                106.0,
            );
            svg.close();
        }
        svg
    }

    fn words(&self, row: &AttributionRow) -> String {
        let (mean, low, high) = row.modelled;
        format!(
            "{}: attributed {}, model {} ({} to {}), factor {}",
            row.channel,
            self.outcome.amount(row.attributed),
            compact(mean),
            compact(low),
            compact(high),
            compact(row.factor())
        )
    }

    fn description(&self, rows: &[&AttributionRow]) -> String {
        let rows: Vec<String> = rows.iter().map(|row| self.words(row)).collect();
        format!("One row per channel with both views. {}.", rows.join("; "))
    }

    fn table(&self, rows: &[&AttributionRow]) -> DataTable {
        let unit = &self.outcome.unit;
        let mut table = DataTable::new(vec![
            Column::words("Channel"),
            Column::numbers("Attributed", unit),
            Column::numbers("Model, mean", unit),
            Column::numbers("Model, 5 %", unit),
            Column::numbers("Model, 95 %", unit),
            Column::numbers("Factor", ""),
            Column::words("Trust"),
        ]);
        for row in rows {
            let (mean, low, high) = row.modelled;
            let mut cells = vec![Cell::text(row.channel.clone())];
            cells.extend([row.attributed, mean, low, high, row.factor()].map(Cell::number));
            cells.push(Cell::text(row.trust.clone()));
            table.rows.push(cells);
        }
        table
    }
}

fn caption(rows: &[&AttributionRow]) -> String {
    let of = |pick: fn(f64) -> bool| -> Vec<String> {
        let found = rows.iter().filter(|r| {
            let outside = r.attributed < r.modelled.1 || r.attributed > r.modelled.2;
            outside && pick(r.factor())
        });
        found.map(|r| r.channel.clone()).collect()
    };
    let (under, over) = (of(|f| f > 1.0 || f.is_infinite()), of(|f| f < 1.0));
    let list = crate::measure::list;
    match (under.is_empty(), over.is_empty()) {
        (true, true) => {
            "Attribution and the model agree within the model's uncertainty.".to_owned()
        }
        (false, true) => format!("Attribution gives {} too little.", list(&under)),
        (true, false) => format!("Attribution gives {} too much.", list(&over)),
        (false, false) => {
            format!(
                "Attribution gives {} too little and {} too much.",
                list(&under),
                list(&over)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn row(channel: &str, attributed: f64, mean: f64) -> AttributionRow {
        AttributionRow {
            channel: channel.into(),
            attributed,
            modelled: (mean, mean * 0.8, mean * 1.2),
            trust: "model".into(),
        }
    }

    fn sample() -> Attribution {
        Attribution {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            method: "last touch".into(),
            rows: vec![
                row("TV", 10.0, 100.0),
                row("Search", 90.0, 40.0),
                row("Meta", 50.0, 50.0),
            ],
            colors: ChannelColors::new(&["TV", "Search", "Meta"]),
        }
    }

    #[test]
    fn the_factor_is_above_one_where_the_model_gives_more() {
        let figure = sample().figure();
        assert_eq!(
            figure.caption,
            "Attribution gives TV too little and Search too much."
        );
        let (dot, ring) = (
            attribute(&figure.svg, "circle", "marker", "cx"),
            attribute(&figure.svg, "circle", "hollow base", "cx"),
        );
        // The key draws one sign of each first; its hollow sign has another class.
        assert!(dot[1] > ring[0], "{dot:?} {ring:?}");
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0].attributed = x;
            chart.rows[1].modelled = (x, x, x);
            chart.rows[2].channel = NAMES[2].into();
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

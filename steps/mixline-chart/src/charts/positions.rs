//! C29: which channels open journeys and which join late: credit by channel and position.
//!
//! One stacked bar per channel, its colour fading with the position at which the channel joined.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, finite};
use crate::number::{compact, percent};
use crate::palette::ChannelColors;
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, SMALL, Svg};
use crate::table::{Cell, Column, DataTable};
use crate::text;

const ROW: f64 = 30.0;
/// Steps of fading, as in the stylesheet; later positions share the last.
const FADES: usize = 5;

/// Credit of channels by position.
#[derive(Debug, Clone, PartialEq)]
pub struct Positions {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// What is credited.
    pub outcome: Measure,
    /// One row per channel; drawn by falling credit.
    pub rows: Vec<PositionRow>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct PositionRow {
    /// The channel.
    pub channel: String,
    /// Credit at the first position, the second, and so on; the last also holds those beyond.
    pub credit: Vec<f64>,
}

impl PositionRow {
    fn total(&self) -> f64 {
        finite(self.credit.iter().map(|x| finite(*x)).sum())
    }

    /// Share of the credit at the first position.
    fn opening(&self) -> f64 {
        self.credit.first().copied().map_or(0.0, finite) / self.total()
    }
}

impl Positions {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let mut rows: Vec<&PositionRow> = self.rows.iter().collect();
        rows.sort_by(|a, b| b.total().total_cmp(&a.total()));
        let words = Words {
            id: "C29",
            key: key_of(&self.key, "C29"),
            title: "Who opens, who closes: credit by position".to_owned(),
            caption: caption(&rows),
            description: self.description(&rows),
        };
        words.with(self.draw(&rows), self.table(&rows))
    }

    fn positions(&self) -> usize {
        self.rows.iter().map(|r| r.credit.len()).max().unwrap_or(0)
    }

    fn draw(&self, rows: &[&PositionRow]) -> Svg {
        let frame = Frame {
            left: axis::name_room(rows.iter().map(|r| r.channel.as_str())),
            right: NORMAL - 110.0,
            top: 40.0,
            bottom: 40.0 + ROW * rows.len().max(1) as f64,
        };
        let (_, high) = extent_with_zero(rows.iter().map(|r| r.total()));
        let scale = Linear::nice(0.0, high, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C29"), NORMAL, frame.bottom + 44.0);
        self.draw_key(&mut svg);
        axis::below(&mut svg, &frame, &scale, &self.outcome.axis());
        let head = (NORMAL - 4.0, frame.top - 6.0);
        svg.text("note", head, Anchor::End, "at position 1");
        let bands = Band::new(frame.top, ROW);
        for (i, row) in rows.iter().enumerate() {
            let y = bands.mid(i);
            svg.group_titled(&self.colors.class(&row.channel), &self.words(row));
            axis::name(&mut svg, frame.left - 8.0, y, &row.channel);
            let mut from = 0.0;
            for (at, credit) in row.credit.iter().enumerate() {
                let to = from + finite(*credit).max(0.0);
                let class = format!("fade{}", at.min(FADES - 1));
                let ends = (scale.within(from), (scale.within(to) - 1.0));
                if ends.1 > ends.0 {
                    svg.rect(&class, ends, (y - 9.0, y + 9.0));
                }
                from = to;
            }
            let at = (NORMAL - 4.0, y + 4.0);
            svg.text("value", at, Anchor::End, &percent(row.opening()));
            svg.close();
        }
        svg
    }

    /// The fades with their positions.
    fn draw_key(&self, svg: &mut Svg) {
        let (shown, mut x) = (self.positions().min(FADES), 2.0);
        svg.group("ink");
        for at in 0..shown {
            let beyond = at + 1 == self.positions().min(FADES) && at > 0;
            let words = match (at, beyond) {
                (0, _) => "position 1".to_owned(),
                (_, true) => format!("{} or later", at + 1),
                _ => (at + 1).to_string(),
            };
            svg.rect(&format!("fade{at}"), (x, x + 18.0), (5.0, 15.0));
            svg.text("note", (x + 24.0, 14.0), Anchor::Start, &words);
            x += 40.0 + text::width(&words, SMALL);
        }
        svg.close();
    }

    fn words(&self, row: &PositionRow) -> String {
        let parts: Vec<String> = row.credit.iter().map(|x| compact(*x)).collect();
        format!(
            "{}: {}, by position {}",
            row.channel,
            self.outcome.amount(row.total()),
            parts.join(", ")
        )
    }

    fn description(&self, rows: &[&PositionRow]) -> String {
        let rows: Vec<String> = rows.iter().map(|r| self.words(r)).collect();
        format!(
            "Stacked bars per channel, by the position at which it joined. {}.",
            rows.join("; ")
        )
    }

    fn table(&self, rows: &[&PositionRow]) -> DataTable {
        let (positions, unit) = (self.positions(), &self.outcome.unit);
        let mut columns = vec![Column::words("Channel")];
        columns.extend((1..=positions).map(|p| Column::numbers(&format!("Position {p}"), unit)));
        columns.push(Column::numbers("In all", unit));
        let mut table = DataTable::new(columns);
        for row in rows {
            let mut cells = vec![Cell::text(row.channel.clone())];
            cells.extend((0..positions).map(|p| Cell::maybe(row.credit.get(p).copied())));
            cells.push(Cell::number(row.total()));
            table.rows.push(cells);
        }
        table
    }
}

fn caption(rows: &[&PositionRow]) -> String {
    let mut known: Vec<_> = rows.iter().filter(|r| r.opening().is_finite()).collect();
    known.sort_by(|a, b| b.opening().total_cmp(&a.opening()));
    match known[..] {
        [first, .., last] => format!(
            "{} opens: {} of its credit comes from journeys that it began; {} joins late, with {}.",
            first.channel,
            percent(first.opening()),
            last.channel,
            percent(last.opening())
        ),
        _ => "There are not two channels to compare.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Positions {
        let row = |channel: &str, credit: &[f64]| PositionRow {
            channel: channel.into(),
            credit: credit.to_vec(),
        };
        Positions {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            rows: vec![
                row("Search", &[100.0, 200.0, 100.0]),
                row("TV", &[240.0, 50.0, 10.0]),
            ],
            colors: ChannelColors::new(&["TV", "Search"]),
        }
    }

    #[test]
    fn bars_are_as_long_as_the_credit() {
        let figure = sample().figure();
        // The key comes first; a gap of a pixel ends each part.
        let width = |class: &str| attribute(&figure.svg, "rect", class, "width")[1..].to_vec();
        let (first, second) = (width("fade0"), width("fade1"));
        assert!(
            (first[1] + 1.0 - 2.4 * (first[0] + 1.0)).abs() < 0.1,
            "{first:?}"
        );
        assert!(
            (second[0] + 1.0 - 4.0 * (second[1] + 1.0)).abs() < 0.1,
            "{second:?}"
        );
        assert_eq!(figure.table.rows[0][4], Cell::Number(400.0));
        assert!(figure.caption.starts_with("TV opens: 80\u{a0}%"));
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0].credit = vec![x; 9];
            chart.rows[1].channel = NAMES[2].into();
            sound(&chart.figure());
            chart.rows[1].credit.clear();
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

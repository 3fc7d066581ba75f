//! C30: the paths that end in most conversions, as a table with small bars.

use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, finite};
use crate::number::{compact, count, percent};
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 24.0;
const TOP: f64 = 26.0;
/// Rows drawn; the table under the figure has all.
const MOST: usize = 15;
/// Ends of the columns: names, bars, conversions, rate, revenue.
const ENDS: [f64; 5] = [330.0, 480.0, 550.0, 622.0, NORMAL - 4.0];

/// The most common paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// What conversions brought.
    pub outcome: Measure,
    /// Conversions of all paths, also of those that are not shown.
    pub conversions: f64,
    /// One row per path; drawn by falling conversions.
    pub rows: Vec<PathRow>,
}

/// One path.
#[derive(Debug, Clone, PartialEq)]
pub struct PathRow {
    /// Channels in order: `meta ×2 > google`.
    pub path: String,
    /// Journeys that took it and converted.
    pub conversions: f64,
    /// Conversions over journeys.
    pub rate: f64,
    /// Outcome of its conversions.
    pub outcome: f64,
}

impl Paths {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let mut rows: Vec<&PathRow> = self.rows.iter().collect();
        rows.sort_by(|a, b| finite(b.conversions).total_cmp(&finite(a.conversions)));
        let shown = &rows[..rows.len().min(MOST)];
        let words = Words {
            id: "C30",
            key: key_of(&self.key, "C30"),
            title: "Paths that end in most conversions".to_owned(),
            caption: self.caption(shown),
            description: description(shown),
        };
        words.with(self.draw(shown), self.table(&rows))
    }

    fn draw(&self, rows: &[&PathRow]) -> Svg {
        let bottom = TOP + ROW * rows.len().max(1) as f64;
        let mut svg = Svg::new(&key_of(&self.key, "C30"), NORMAL, bottom + 8.0);
        let [names, bars, conversions, rate, outcome] = ENDS;
        svg.text("note", (2.0, 14.0), Anchor::Start, "Path");
        let unit = self.outcome.axis();
        let heads = [
            (conversions, "Conversions"),
            (rate, "Rate"),
            (outcome, unit.as_str()),
        ];
        for (x, head) in heads {
            svg.text("note", (x, 14.0), Anchor::End, head);
        }
        svg.line("grid", (2.0, TOP - 4.0), (NORMAL - 4.0, TOP - 4.0));
        let (_, high) = extent_with_zero(rows.iter().map(|r| r.conversions));
        let scale = Linear::exact(0.0, high, (names, bars));
        let bands = Band::new(TOP, ROW);
        for (i, row) in rows.iter().enumerate() {
            let y = bands.mid(i);
            svg.group_titled("base", &words(row));
            let at = (2.0, y + 4.0);
            svg.text_within("label", at, Anchor::Start, &row.path, names - 34.0);
            let end = scale.within(finite(row.conversions).max(0.0));
            svg.rect("bar", (names, end), (y - 6.0, y + 6.0));
            let cells = [
                (conversions, compact(row.conversions)),
                (rate, percent(row.rate)),
                (outcome, compact(row.outcome)),
            ];
            for (x, cell) in cells {
                svg.text("value", (x, y + 4.0), Anchor::End, &cell);
            }
            svg.close();
        }
        svg
    }

    fn caption(&self, rows: &[&PathRow]) -> String {
        let Some(first) = rows.first() else {
            return "No path ends in a conversion.".to_owned();
        };
        let shown: f64 = rows.iter().map(|r| finite(r.conversions)).sum();
        let share = shown / self.conversions;
        let carried = if share.is_finite() {
            format!(
                "The {} carry {} of the conversions",
                count(rows.len(), "most common path", "most common paths"),
                percent(share)
            )
        } else {
            "Conversions in all are unknown".to_owned()
        };
        format!(
            "{carried}; the most common is {}, with {}.",
            first.path,
            compact(first.conversions)
        )
    }

    fn table(&self, rows: &[&PathRow]) -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Path"),
            Column::numbers("Conversions", ""),
            Column::numbers("Conversion rate", ""),
            Column::numbers(&self.outcome.name, &self.outcome.unit),
        ]);
        for row in rows {
            let mut cells = vec![Cell::text(row.path.clone())];
            cells.extend([row.conversions, row.rate, row.outcome].map(Cell::number));
            table.rows.push(cells);
        }
        table
    }
}

fn words(row: &PathRow) -> String {
    format!(
        "{}: {} conversions, {} of its journeys",
        row.path,
        compact(row.conversions),
        percent(row.rate)
    )
}

fn description(rows: &[&PathRow]) -> String {
    let rows: Vec<String> = rows.iter().map(|r| words(r)).collect();
    format!("Paths by conversions. {}.", rows.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Paths {
        let row = |path: &str, conversions: f64| PathRow {
            path: path.into(),
            conversions,
            rate: 0.1,
            outcome: conversions * 50.0,
        };
        Paths {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            conversions: 200.0,
            rows: vec![row("google", 30.0), row("meta ×2 > google", 60.0)],
        }
    }

    #[test]
    fn the_most_common_path_comes_first() {
        let figure = sample().figure();
        let bars = attribute(&figure.svg, "rect", "bar", "width");
        assert!((bars[0] - 2.0 * bars[1]).abs() < 0.02, "{bars:?}");
        assert_eq!(
            figure.caption.replace('\u{a0}', " "),
            "The 2 most common paths carry 45 % of the conversions; the most common is meta ×2 > \
             google, with 60."
        );
    }

    #[test]
    fn the_table_has_the_paths_that_are_not_drawn() {
        let mut chart = sample();
        chart.rows = vec![chart.rows[0].clone(); 40];
        let figure = chart.figure();
        assert_eq!(figure.table.rows.len(), 40);
        assert_eq!(attribute(&figure.svg, "rect", "bar", "width").len(), MOST);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0].conversions = x;
            chart.rows[1].outcome = x;
            chart.rows[1].path = NAMES[2].into();
            chart.conversions = x;
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

//! C19: where the change of the outcome comes from, channel by channel.
//!
//! From the outcome of present spend to that of the plan. Changes are small beside the whole, so
//! the axis does not begin at zero, and the title says so.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, finite, incremental};
use crate::scale::{Band, Linear, extent};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 26.0;

/// Changes of the outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Delta {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// Outcome of present spend.
    pub now: f64,
    /// Change by channel; drawn from the largest gain to the largest loss.
    pub changes: Vec<(String, f64)>,
}

/// A bar from a value to a value.
struct Bar {
    name: String,
    class: &'static str,
    from: f64,
    to: f64,
    label: String,
}

impl Delta {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let bars = self.bars();
        let words = Words {
            id: "C19",
            key: key_of(&self.key, "C19"),
            title: "Where the change comes from (axis does not begin at zero)".to_owned(),
            caption: self.caption(),
            description: self.description(&bars),
        };
        words.with(self.draw(&bars), self.table())
    }

    fn ranked(&self) -> Vec<(&str, f64)> {
        let mut ranked: Vec<(&str, f64)> = self
            .changes
            .iter()
            .map(|(name, change)| (name.as_str(), finite(*change)))
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked
    }

    fn total(&self) -> f64 {
        finite(self.changes.iter().map(|(_, change)| finite(*change)).sum())
    }

    fn bars(&self) -> Vec<Bar> {
        let now = finite(self.now);
        let end = |name: &str, value: f64| Bar {
            name: name.to_owned(),
            class: "ink",
            from: f64::NEG_INFINITY,
            to: value,
            label: self.outcome.amount(value),
        };
        let mut bars = vec![end("Now", now)];
        let mut at = now;
        for (name, change) in self.ranked() {
            let to = finite(at + change);
            bars.push(Bar {
                name: name.to_owned(),
                class: if change < 0.0 { "neg" } else { "pos" },
                from: at,
                to,
                label: self.outcome.change(change),
            });
            at = to;
        }
        bars.push(end("Plan", finite(now + self.total())));
        bars
    }

    fn draw(&self, bars: &[Bar]) -> Svg {
        let frame = Frame {
            left: axis::name_room(bars.iter().map(|b| b.name.as_str())),
            right: NORMAL - 130.0,
            top: 8.0,
            bottom: 12.0 + ROW * bars.len() as f64,
        };
        let ends = bars.iter().flat_map(|b| [b.from, b.to]);
        let (low, high) = extent(ends);
        let room = 0.25 * (high - low).max(high.abs() * 1e-6);
        let scale = Linear::exact(low - room, high + room * 0.2, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C19"), NORMAL, frame.bottom + 44.0);
        let title = incremental(&self.outcome);
        axis::below(&mut svg, &frame, &scale, &title);
        let rows = Band::new(frame.top + 2.0, ROW);
        for (i, bar) in bars.iter().enumerate() {
            let y = rows.mid(i);
            svg.group_titled(bar.class, &format!("{}: {}", bar.name, bar.label));
            axis::name(&mut svg, frame.left - 8.0, y, &bar.name);
            let ends = (scale.within(bar.from), scale.within(bar.to));
            svg.rect("bar", ends, (y - 8.0, y + 8.0));
            let end = ends.0.max(ends.1) + 6.0;
            svg.text("value halo", (end, y + 4.0), Anchor::Start, &bar.label);
            svg.close();
        }
        svg
    }

    fn caption(&self) -> String {
        let ranked = self.ranked();
        let total = self.outcome.change(self.total());
        match ranked.first() {
            Some((name, change)) if *change > 0.0 => format!(
                "The plan changes incremental {} by {total}; {} alone adds {}.",
                self.outcome.name,
                name,
                self.outcome.amount(*change)
            ),
            _ => format!(
                "The plan changes incremental {} by {total}.",
                self.outcome.name
            ),
        }
    }

    fn description(&self, bars: &[Bar]) -> String {
        let bars: Vec<String> = bars
            .iter()
            .map(|b| format!("{} {}", b.name, b.label))
            .collect();
        format!(
            "Waterfall from the present outcome to the plan's. {}.",
            bars.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Part"),
            Column::numbers("Outcome or change", &self.outcome.unit),
        ]);
        let row = |name: &str, value: f64| vec![Cell::text(name), Cell::number(value)];
        table.rows.push(row("Now", finite(self.now)));
        table.rows.extend(
            self.ranked()
                .into_iter()
                .map(|(name, change)| row(name, change)),
        );
        table
            .rows
            .push(row("Plan", finite(self.now) + self.total()));
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Delta {
        Delta {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            now: 1000.0,
            changes: vec![
                ("TV".into(), -40.0),
                ("Meta".into(), 90.0),
                ("Search".into(), 10.0),
            ],
        }
    }

    #[test]
    fn changes_add_up_to_the_difference() {
        let svg = sample().figure().svg;
        let (x, width) = (
            attribute(&svg, "rect", "bar", "x"),
            attribute(&svg, "rect", "bar", "width"),
        );
        let end = |i: usize| x[i] + width[i];
        let (now, plan) = (end(0), end(4));
        // Gains lead from the end of one bar to the end of the next, the loss back.
        assert!((x[1] - now).abs() < 0.02 && (end(2) - end(3)).abs() < 0.02);
        assert!((x[3] - plan).abs() < 0.02);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.changes[0] = (NAMES[0].into(), x);
            sound(&chart.figure());
            chart.now = x;
            sound(&chart.figure());
            chart.changes.clear();
            sound(&chart.figure());
        }
    }
}

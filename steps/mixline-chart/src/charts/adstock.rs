//! C11: how the effect of a channel arrives over the periods after the money is spent.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, WIDE, Words, key_of};
use crate::marks;
use crate::measure::Interval;
use crate::number::{compact, percent, percent_labels};
use crate::palette::ChannelColors;
use crate::scale::Linear;
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Carry-over of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Adstock {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// What a period is: `week`.
    pub period: String,
    /// One panel per channel.
    pub panels: Vec<AdstockPanel>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct AdstockPanel {
    /// The channel.
    pub channel: String,
    /// Share of the effect that arrives at each lag, from 0; medians add up to about 1.
    pub weights: Vec<Interval>,
    /// Periods until half of the effect has arrived, median.
    pub half_life: f64,
}

impl AdstockPanel {
    /// Share of the effect that comes after the period of spend.
    fn carried(&self) -> f64 {
        1.0 - self.weights.first().map_or(1.0, |w| w.mean)
    }
}

impl Adstock {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C11",
            key: key_of(&self.key, "C11"),
            title: "When the effect arrives".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let (columns, width, height) = (4, WIDE / 4.0, 200.0);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let mut svg = Svg::new(&key_of(&self.key, "C11"), WIDE, 34.0 + height * rows as f64);
        let entries = [
            (Sign::Line, "ink", "median"),
            (Sign::Band, "ink", "50 % and 90 % intervals"),
        ];
        axis::key(&mut svg, 2.0, WIDE, 10.0, &entries);
        for (k, panel) in self.panels.iter().enumerate() {
            let (left, top) = (
                (k % columns) as f64 * width,
                34.0 + (k / columns) as f64 * height,
            );
            let frame = Frame {
                left: left + 44.0,
                right: left + width - 20.0,
                top: top + 40.0,
                bottom: top + height - 48.0,
            };
            self.draw_panel(&mut svg, &frame, panel);
        }
        svg
    }

    fn draw_panel(&self, svg: &mut Svg, frame: &Frame, panel: &AdstockPanel) {
        let x = Linear::exact(
            0.0,
            panel.weights.len().saturating_sub(1).max(1) as f64,
            frame.xs(),
        );
        let y = Linear::exact(0.0, 1.0, frame.ys());
        let name = (frame.left - 40.0, frame.top - 24.0);
        svg.text_within("label strong", name, Anchor::Start, &panel.channel, 120.0);
        let half = format!("half-life {}", compact(panel.half_life));
        svg.text("note", (frame.right, frame.top - 24.0), Anchor::End, &half);
        axis::left_with(svg, frame, &y, "Share of effect", 3, &percent_labels);
        axis::below(svg, frame, &x, &format!("Lag ({}s)", self.period));
        svg.group(&self.colors.class(&panel.channel));
        let points: Vec<(f64, Interval)> = panel
            .weights
            .iter()
            .enumerate()
            .map(|(lag, w)| (x.at(lag as f64), *w))
            .collect();
        marks::bands(svg, &y, &points);
        let line: Vec<_> = points.iter().map(|(x, w)| (*x, y.within(w.q50))).collect();
        svg.polyline("median", &line);
        for (x, y) in line.into_iter().filter(|(_, y)| y.is_finite()) {
            svg.circle("marker", (x, y), 3.5);
        }
        svg.close();
    }

    fn caption(&self) -> String {
        let longest = self.panels.iter().filter(|p| p.half_life.is_finite());
        match longest.max_by(|a, b| a.half_life.total_cmp(&b.half_life)) {
            Some(panel) => format!(
                "{} lasts longest: half of its effect arrives within {} {}s, {} of it after the {} of spend.",
                panel.channel,
                compact(panel.half_life),
                self.period,
                percent(panel.carried()),
                self.period
            ),
            None => "No channel carries over.".to_owned(),
        }
    }

    fn description(&self) -> String {
        let panels: Vec<String> = self
            .panels
            .iter()
            .map(|p| {
                format!(
                    "{}: half-life {} {}s",
                    p.channel,
                    compact(p.half_life),
                    self.period
                )
            })
            .collect();
        format!(
            "Share of the effect by lag, one panel per channel. {}.",
            panels.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let mut columns = vec![Column::words("Channel"), Column::numbers("Lag", "")];
        for name in ["Share, median", "Mean", "5 %", "25 %", "75 %", "95 %"] {
            columns.push(Column::numbers(name, ""));
        }
        let mut table = DataTable::new(columns);
        for panel in &self.panels {
            for (lag, w) in panel.weights.iter().enumerate() {
                let mut cells = vec![Cell::text(panel.channel.clone()), Cell::number(lag as f64)];
                cells.extend([w.q50, w.mean, w.q05, w.q25, w.q75, w.q95].map(Cell::number));
                table.rows.push(cells);
            }
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, interval, path, sound};

    fn sample() -> Adstock {
        let weight = |lag: i32| interval(0.5f64.powi(lag + 1), 0.02);
        let panel = |channel: &str| AdstockPanel {
            channel: channel.into(),
            weights: (0..8).map(weight).collect(),
            half_life: 1.0,
        };
        Adstock {
            key: String::new(),
            period: "week".into(),
            panels: vec![panel("TV"), panel("Meta")],
            colors: ChannelColors::new(&["TV"]),
        }
    }

    #[test]
    fn geometric_decay_falls() {
        let line = path(&sample().figure().svg, "median");
        assert!(
            line.windows(2).all(|pair| pair[1].1 >= pair[0].1),
            "pixels grow downwards"
        );
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.panels[0].weights[2] = interval(x, x);
            chart.panels[0].half_life = x;
            chart.panels[1].channel = NAMES[2].into();
            chart.panels[1].weights.clear();
            sound(&chart.figure());
            chart.panels.clear();
            sound(&chart.figure());
        }
    }
}

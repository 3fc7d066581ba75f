//! C06: average against marginal return, one bubble per channel.
//!
//! Equal axes from zero. On the diagonal the next unit brings what units brought on average; below
//! it, a channel is saturated. The area of a bubble is its spend.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::marks::{self, Named};
use crate::measure::Measure;
use crate::number::compact;
use crate::palette::ChannelColors;
use crate::scale::{Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Largest radius of a bubble.
const LARGEST: f64 = 30.0;

/// Average and marginal returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Bubbles {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// Currency of spend.
    pub currency: String,
    /// The return to beat.
    pub target: f64,
    /// One bubble per channel.
    pub channels: Vec<Bubble>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Bubble {
    /// The channel.
    pub channel: String,
    /// Outcome per unit of spend, median.
    pub roi: f64,
    /// Outcome of the next unit, median.
    pub marginal: f64,
    /// Spend.
    pub spend: f64,
}

impl Bubbles {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C06",
            key: key_of(&self.key, "C06"),
            title: "Average and next return".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    /// Area follows spend.
    fn radius(&self, spend: f64) -> f64 {
        let most = self
            .channels
            .iter()
            .map(|b| b.spend)
            .filter(|s| s.is_finite())
            .fold(0.0, f64::max);
        if most > 0.0 && spend > 0.0 {
            LARGEST * (spend.min(most) / most).sqrt()
        } else {
            0.0
        }
    }

    fn draw(&self) -> Svg {
        let frame = Frame {
            left: 64.0,
            right: 64.0 + 440.0,
            top: 34.0,
            bottom: 34.0 + 440.0,
        };
        let values = self.channels.iter().flat_map(|b| [b.roi, b.marginal]);
        let (low, high) = extent_with_zero(values.chain([self.target * 1.4]));
        let (low, high) = (low, high + 0.08 * (high - low));
        let (x, y) = (
            Linear::nice(low, high, frame.xs()),
            Linear::nice(low, high, frame.ys()),
        );
        let mut svg = Svg::new(&key_of(&self.key, "C06"), NORMAL, frame.bottom + 44.0);
        let per = super::roi_forest::per_spend(&self.outcome, &self.currency);
        axis::left(&mut svg, &frame, &y, &format!("Next unit: {per}"));
        axis::below(&mut svg, &frame, &x, &format!("On average: {per}"));
        let (low, high) = x.domain();
        let (first, last) = (low + 0.06 * (high - low), high - 0.08 * (high - low));
        svg.line("ref", (x.at(first), y.at(first)), (x.at(last), y.at(last)));
        self.draw_quarters(&mut svg, &frame, &x, &y);
        for bubble in &self.channels {
            if bubble.roi.is_finite() && bubble.marginal.is_finite() {
                svg.group_titled(&self.colors.class(&bubble.channel), &self.words(bubble));
                let at = (x.within(bubble.roi), y.within(bubble.marginal));
                svg.circle("bubble", at, self.radius(bubble.spend));
                svg.close();
            }
        }
        let named = |b: &Bubble| Named {
            at: (x.within(b.roi), y.within(b.marginal)),
            radius: self.radius(b.spend),
            name: b.channel.clone(),
        };
        let points: Vec<Named> = self
            .channels
            .iter()
            .filter(|b| b.roi.is_finite() && b.marginal.is_finite())
            .map(named)
            .collect();
        marks::names(
            &mut svg,
            &points,
            (frame.left, frame.top, NORMAL, frame.bottom),
        );
        svg
    }

    /// Words for the four quarters around the target.
    fn draw_quarters(&self, svg: &mut Svg, frame: &Frame, x: &Linear, y: &Linear) {
        let (a, b) = (x.within(self.target), y.within(self.target));
        svg.line("grid", (a, frame.top), (a, frame.bottom));
        svg.line("grid", (frame.left, b), (frame.right, b));
        for (word, at, anchor) in [
            ("scale", (frame.right - 4.0, frame.top + 14.0), Anchor::End),
            ("test", (frame.left + 4.0, frame.top + 14.0), Anchor::Start),
            ("hold", (frame.right - 4.0, frame.bottom - 6.0), Anchor::End),
            ("cut", (frame.left + 4.0, frame.bottom - 6.0), Anchor::Start),
        ] {
            svg.text("axis halo", at, anchor, word);
        }
    }

    /// The word of the quarter a channel lies in.
    fn quarter(&self, bubble: &Bubble) -> &'static str {
        match (bubble.roi >= self.target, bubble.marginal >= self.target) {
            (true, true) => "scale",
            (true, false) => "hold",
            (false, true) => "test",
            (false, false) => "cut",
        }
    }

    fn words(&self, b: &Bubble) -> String {
        format!(
            "{}: {} on average, {} for the next unit, spend {}: {}",
            b.channel,
            compact(b.roi),
            compact(b.marginal),
            compact(b.spend),
            self.quarter(b)
        )
    }

    fn caption(&self) -> String {
        let of = |word: &str| -> Vec<String> {
            let own = self.channels.iter().filter(|b| self.quarter(b) == word);
            own.map(|b| b.channel.clone()).collect()
        };
        let (scale, cut) = (of("scale"), of("cut"));
        let list = crate::measure::list;
        match (scale.is_empty(), cut.is_empty()) {
            (false, false) => format!(
                "{} would still repay more money; {} {} not repay what is spent.",
                list(&scale),
                list(&cut),
                if cut.len() == 1 { "does" } else { "do" }
            ),
            (false, true) => format!("{} would still repay more money.", list(&scale)),
            (true, false) => format!(
                "No channel would repay more money; {} could do with less.",
                list(&cut)
            ),
            (true, true) => "No channel would repay more money.".to_owned(),
        }
    }

    fn description(&self) -> String {
        let all: Vec<String> = self.channels.iter().map(|b| self.words(b)).collect();
        format!(
            "One bubble per channel, its area the spend. {}.",
            all.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Channel"),
            Column::numbers("ROI, median", ""),
            Column::numbers("Marginal ROI, median", ""),
            Column::numbers("Spend", &self.currency),
            Column::words("Quarter"),
        ]);
        for b in &self.channels {
            let mut cells = vec![Cell::text(b.channel.clone())];
            cells.extend([b.roi, b.marginal, b.spend].map(Cell::number));
            cells.push(Cell::text(self.quarter(b)));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Bubbles {
        let bubble = |channel: &str, roi: f64, marginal: f64, spend: f64| Bubble {
            channel: channel.into(),
            roi,
            marginal,
            spend,
        };
        Bubbles {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            currency: "EUR".into(),
            target: 1.0,
            channels: vec![
                bubble("TV", 2.0, 1.5, 400.0),
                bubble("Meta", 1.4, 0.6, 100.0),
                bubble("Print", 0.5, 0.3, 25.0),
            ],
            colors: ChannelColors::new(&["TV", "Meta", "Print"]),
        }
    }

    #[test]
    fn four_times_the_spend_is_twice_the_radius() {
        let r = attribute(&sample().figure().svg, "circle", "bubble", "r");
        assert!((r[0] / r[1] - 2.0).abs() < 0.01 && (r[1] / r[2] - 2.0).abs() < 0.01);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.channels[0].roi = x;
            chart.channels[1].spend = x;
            chart.channels[2].channel = NAMES[0].into();
            chart.target = x;
            sound(&chart.figure());
            chart.channels.clear();
            sound(&chart.figure());
        }
    }
}

//! C28: how many conversions took how many touches, or days.
//!
//! Buckets are whole numbers. Those beyond the last one shown are folded into it, so that a few
//! very long journeys do not flatten all others; the median is that of the unfolded data.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::finite;
use crate::number::{compact, percent, tick_labels};
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, SMALL, Svg};
use crate::table::{Cell, Column, DataTable};
use crate::text;

const HEIGHT: f64 = 180.0;
const TOP: f64 = 34.0;

/// Conversions by a whole number.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// Heading: `Days from first touch to order`.
    pub title: String,
    /// What is counted, as one and as many: `day`, `days`.
    pub unit: (String, String),
    /// Whole number and conversions, in any order.
    pub buckets: Vec<(i64, f64)>,
    /// The last bucket shown; later ones are folded into it. At most 60.
    pub last: i64,
}

impl Histogram {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let bars = self.bars();
        let words = Words {
            id: "C28",
            key: key_of(&self.key, "C28"),
            title: self.title.clone(),
            caption: self.caption(&bars),
            description: self.description(&bars),
        };
        words.with(self.draw(&bars), self.table(&bars))
    }

    fn last(&self) -> i64 {
        self.last.clamp(1, 60)
    }

    /// Conversions by bucket from the first that has any, without gaps; the last one folded.
    fn bars(&self) -> Vec<(i64, f64)> {
        let last = self.last();
        let inside = |value: i64| value.clamp(0, last);
        let values = || self.buckets.iter().map(|(value, _)| inside(*value));
        let (Some(low), Some(high)) = (values().min(), values().max()) else {
            return Vec::new();
        };
        let conversions = |bucket: i64| {
            let own = self.buckets.iter().filter(|b| inside(b.0) == bucket);
            finite(own.map(|(_, n)| finite(*n).max(0.0)).sum())
        };
        (low..=high).map(|b| (b, conversions(b))).collect()
    }

    /// The number that half of the conversions do not exceed.
    fn median(&self) -> Option<i64> {
        let mut buckets: Vec<(i64, f64)> = self
            .buckets
            .iter()
            .map(|(value, n)| (*value, finite(*n).max(0.0)))
            .collect();
        buckets.sort_by_key(|b| b.0);
        let total: f64 = buckets.iter().map(|b| b.1).sum();
        let mut sum = 0.0;
        buckets.into_iter().find_map(|(value, n)| {
            sum += n;
            (total > 0.0 && sum >= total / 2.0).then_some(value)
        })
    }

    /// Name of a bucket: `3`, or `30+` where longer ones are folded into it.
    fn name(&self, bucket: i64) -> String {
        format!("{bucket}{}", if self.folded(bucket) { "+" } else { "" })
    }

    /// Whether a bucket holds longer ones as well.
    fn folded(&self, bucket: i64) -> bool {
        bucket == self.last() && self.buckets.iter().any(|b| b.0 > bucket)
    }

    fn counted(&self, n: i64) -> String {
        let unit = if n == 1 { &self.unit.0 } else { &self.unit.1 };
        format!("{n}\u{a0}{unit}")
    }

    fn draw(&self, bars: &[(i64, f64)]) -> Svg {
        let (_, high) = extent_with_zero(bars.iter().map(|b| b.1));
        let scale = Linear::nice(0.0, high, (TOP + HEIGHT, TOP));
        let frame = Frame {
            left: axis::left_room(&scale, 5, &tick_labels).max(40.0),
            right: NORMAL - 8.0,
            top: TOP,
            bottom: TOP + HEIGHT,
        };
        let mut svg = Svg::new(&key_of(&self.key, "C28"), NORMAL, frame.bottom + 44.0);
        axis::left_with(&mut svg, &frame, &scale, "Conversions", 5, &tick_labels);
        let step = (frame.width() / bars.len().max(1) as f64).min(60.0);
        let bands = Band::new(frame.left, step);
        let every = (34.0 / step).ceil().max(1.0) as usize;
        for (i, (bucket, n)) in bars.iter().enumerate() {
            let (name, x) = (self.name(*bucket), bands.mid(i));
            let said = format!("{name} {}: {} conversions", self.unit.1, compact(*n));
            svg.group_titled("base", &said);
            let half = (step * 0.42).max(1.0);
            svg.rect(
                "bar",
                (x - half, x + half),
                (scale.at(0.0), scale.within(*n)),
            );
            svg.close();
            if i % every == 0 || (i + 1 == bars.len() && i % every > every / 2) {
                let at = (x, frame.bottom + 16.0);
                svg.text("axis", at, Anchor::Middle, &name);
            }
        }
        axis::title_below(&mut svg, &frame, &text::capital(&self.unit.1));
        self.draw_median(&mut svg, &frame, &bands, bars);
        svg
    }

    fn draw_median(&self, svg: &mut Svg, frame: &Frame, bands: &Band, bars: &[(i64, f64)]) {
        let Some(median) = self.median() else { return };
        let shown = median.clamp(0, self.last());
        let Some(at) = bars.iter().position(|b| b.0 == shown) else {
            return;
        };
        let x = bands.mid(at);
        svg.line("ref", (x, frame.top - 8.0), (x, frame.bottom));
        let words = format!("median {}", self.counted(median));
        let room = text::width(&words, SMALL);
        let (x, anchor) = if x + 6.0 + room < frame.right {
            (x + 6.0, Anchor::Start)
        } else {
            (x - 6.0, Anchor::End)
        };
        svg.text("small halo", (x, frame.top - 2.0), anchor, &words);
    }

    fn caption(&self, bars: &[(i64, f64)]) -> String {
        let total: f64 = bars.iter().map(|b| b.1).sum();
        let (Some(median), true) = (self.median(), total > 0.0) else {
            return "There is no conversion to count.".to_owned();
        };
        let half = format!(
            "Half of the conversions took at most {}",
            self.counted(median)
        );
        // What was folded together is no number that many took.
        let single = bars.iter().filter(|b| !self.folded(b.0));
        match single.max_by(|a, b| a.1.total_cmp(&b.1)) {
            Some((bucket, n)) => format!(
                "{half}; the most common number is {} ({}).",
                self.counted(*bucket),
                percent(n / total)
            ),
            None => format!("{half}."),
        }
    }

    fn description(&self, bars: &[(i64, f64)]) -> String {
        let rows: Vec<String> = bars
            .iter()
            .map(|(bucket, n)| format!("{} {}", self.name(*bucket), compact(*n)))
            .collect();
        format!(
            "Conversions by number of {}. {}.",
            self.unit.1,
            rows.join("; ")
        )
    }

    fn table(&self, bars: &[(i64, f64)]) -> DataTable {
        let total: f64 = bars.iter().map(|b| b.1).sum();
        let mut table = DataTable::new(vec![
            Column::words(&text::capital(&self.unit.1)),
            Column::numbers("Conversions", ""),
            Column::numbers("Share", ""),
        ]);
        for (bucket, n) in bars {
            let share = n / total;
            table.rows.push(vec![
                Cell::text(self.name(*bucket)),
                Cell::number(*n),
                Cell::number(share),
            ]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Histogram {
        Histogram {
            key: String::new(),
            title: "Touches before an order".into(),
            unit: ("touch".into(), "touches".into()),
            buckets: vec![(3, 10.0), (1, 40.0), (2, 30.0), (12, 5.0), (90, 15.0)],
            last: 10,
        }
    }

    #[test]
    fn nothing_is_lost_when_long_tails_are_folded() {
        let chart = sample();
        let bars = chart.bars();
        assert_eq!(bars.first(), Some(&(1, 40.0)));
        assert_eq!(bars.last(), Some(&(10, 20.0)));
        assert_eq!(bars.iter().map(|b| b.1).sum::<f64>(), 100.0);
        assert_eq!((chart.name(10), chart.name(9)), ("10+".into(), "9".into()));
        let heights = attribute(&chart.figure().svg, "rect", "bar", "height");
        assert_eq!(heights.len(), 10, "a number that nobody took is a gap");
        assert!((heights[0] / heights[9] - 2.0).abs() < 1e-2);
    }

    #[test]
    fn the_median_halves_the_conversions() {
        let mut chart = sample();
        assert_eq!(chart.median(), Some(2));
        assert_eq!(
            chart.figure().caption.replace('\u{a0}', " "),
            "Half of the conversions took at most 2 touches; the most common number is 1 touch \
             (40 %)."
        );
        chart.buckets = vec![(50, 1.0)];
        assert_eq!(chart.median(), Some(50), "beyond what is shown");
        let figure = chart.figure();
        assert!(figure.svg.contains("median 50"));
        assert!(figure.caption.ends_with("at most 50\u{a0}touches."));
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.buckets[0].1 = x;
            chart.buckets[1].0 = i64::MAX;
            chart.buckets[2].0 = i64::MIN;
            chart.title = NAMES[2].into();
            chart.unit.1 = NAMES[0].into();
            sound(&chart.figure());
            chart.last = i64::MAX;
            sound(&chart.figure());
            chart.buckets.clear();
            chart.last = i64::MIN;
            sound(&chart.figure());
        }
    }
}

//! C01: what the outcome is made of, from the baseline to what was observed.
//!
//! Each bar begins where the one above it ends, so the bars add up to the observed total by
//! construction; what the model does not explain is a bar of its own.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, finite};
use crate::number::percent;
use crate::palette::ChannelColors;
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, LABEL, Svg};
use crate::table::{Cell, Column, DataTable};
use crate::text;

const ROW: f64 = 26.0;
const SHOWN: usize = 12;

/// Contributions of a period that add up to the observed outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome and its unit.
    pub outcome: Measure,
    /// Mean contribution of the baseline, in units of the outcome.
    pub baseline: f64,
    /// Mean contributions of controls; drawn as one bar.
    pub controls: Vec<Part>,
    /// Mean contributions of paid channels; all after the twelve largest become one bar.
    pub channels: Vec<Part>,
    /// Outcome observed in the period; what the parts do not add up to is "unexplained".
    pub observed: f64,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One contribution.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Channel or control.
    pub name: String,
    /// Mean contribution, in units of the outcome.
    pub mean: f64,
    /// 90 % interval of it, if known.
    pub interval90: Option<(f64, f64)>,
}

impl Part {
    /// A contribution without an interval.
    #[must_use]
    pub fn new(name: &str, mean: f64) -> Self {
        Self {
            name: name.to_owned(),
            mean,
            interval90: None,
        }
    }

    /// A contribution with its 90 % interval.
    #[must_use]
    pub fn with_interval(name: &str, mean: f64, low: f64, high: f64) -> Self {
        Self {
            interval90: Some((low, high)),
            ..Self::new(name, mean)
        }
    }
}

/// A bar as drawn, in units of the outcome.
#[derive(Debug, Clone, PartialEq)]
struct Bar {
    name: String,
    class: String,
    from: f64,
    to: f64,
    interval90: Option<(f64, f64)>,
}

impl Bar {
    fn amount(&self) -> f64 {
        self.to - self.from
    }
}

impl Waterfall {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let bars = self.bars();
        let svg = self.draw(&bars);
        let words = Words {
            id: "C01",
            key: key_of(&self.key, "C01"),
            title: format!("What brought in the {}", self.outcome.name),
            caption: self.caption(),
            description: self.description(&bars),
        };
        words.with(svg, self.table(&bars))
    }

    /// Channels by falling contribution; equal ones keep their order.
    fn ranked(&self) -> Vec<&Part> {
        let mut ranked: Vec<&Part> = self.channels.iter().collect();
        ranked.sort_by(|a, b| finite(b.mean).total_cmp(&finite(a.mean)));
        ranked
    }

    /// The steps, then the total.
    fn bars(&self) -> Vec<Bar> {
        let mut steps = vec![Part::new("Baseline", self.baseline)];
        if !self.controls.is_empty() {
            let name = format!("Controls ({})", self.controls.len());
            steps.push(Part::new(&name, sum(&self.controls)));
        }
        let ranked = self.ranked();
        let shown = if ranked.len() > SHOWN + 1 {
            SHOWN
        } else {
            ranked.len()
        };
        steps.extend(ranked[..shown].iter().map(|p| (*p).clone()));
        if let rest @ [_, ..] = &ranked[shown..] {
            let total = rest.iter().map(|p| finite(p.mean)).sum();
            steps.push(Part::new(&format!("Other ({})", rest.len()), total));
        }
        let explained = sum(&steps);
        steps.push(Part::new("Unexplained", finite(self.observed) - explained));
        let mut bars = running(&steps, |name| self.colors.class(name));
        bars.push(Bar {
            name: format!("Observed {}", self.outcome.name),
            class: "ink".to_owned(),
            from: 0.0,
            to: finite(self.observed),
            interval90: None,
        });
        bars
    }

    fn draw(&self, bars: &[Bar]) -> Svg {
        let names = axis::name_room(bars.iter().map(|b| b.name.as_str()));
        let labels: Vec<String> = bars.iter().map(|b| self.label(b)).collect();
        let value_room = text::column(labels.iter().map(String::as_str), LABEL, 60.0, 220.0);
        let frame = Frame {
            left: names,
            right: NORMAL - value_room - 12.0,
            top: 6.0,
            bottom: 6.0 + ROW * bars.len() as f64 + 4.0,
        };
        let scale = scale(bars, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C01"), NORMAL, frame.bottom + 44.0);
        axis::below(&mut svg, &frame, &scale, &self.outcome.axis());
        let rows = Band::new(frame.top + 2.0, ROW);
        for (i, (bar, label)) in bars.iter().zip(&labels).enumerate() {
            draw_bar(&mut svg, &frame, &scale, rows.mid(i), bar, label);
            if i + 2 < bars.len() {
                let x = scale.at(bar.to);
                svg.line(
                    "hair quiet",
                    (x, rows.mid(i) + 8.0),
                    (x, rows.mid(i + 1) - 8.0),
                );
            }
        }
        svg
    }

    fn label(&self, bar: &Bar) -> String {
        let amount = self.outcome.amount(bar.amount());
        match self.share(bar.amount()) {
            Some(share) => format!("{amount}  {}", percent(share)),
            None => amount,
        }
    }

    /// Share of the observed outcome, where that means something.
    fn share(&self, amount: f64) -> Option<f64> {
        let total = finite(self.observed);
        (total > 0.0).then(|| amount / total)
    }

    fn caption(&self) -> String {
        let outcome = &self.outcome;
        let unexplained = finite(self.observed)
            - finite(self.baseline)
            - sum(&self.controls)
            - sum(&self.channels);
        let rest = match self.share(unexplained) {
            Some(share) => format!("{} stays unexplained", percent(share.abs())),
            None => format!("{} stays unexplained", outcome.amount(unexplained)),
        };
        let Some(best) = self.ranked().first().copied() else {
            return format!("No paid channel is in the model; {rest}.");
        };
        let amount = outcome.amount(finite(best.mean));
        let share = self.share(finite(best.mean)).map_or(String::new(), |s| {
            format!(", {} of {}", percent(s), outcome.name)
        });
        format!("{} brought in {amount}{share}; {rest}.", best.name)
    }

    fn description(&self, bars: &[Bar]) -> String {
        let steps: Vec<String> = bars
            .iter()
            .map(|b| format!("{} {}", b.name, self.label(b).replace("  ", ", ")))
            .collect();
        format!(
            "Waterfall of {} from the baseline to what was observed. {}.",
            self.outcome.name,
            steps.join("; ")
        )
    }

    fn table(&self, bars: &[Bar]) -> DataTable {
        let unit = &self.outcome.unit;
        let mut table = DataTable::new(vec![
            Column::words("Part"),
            Column::numbers("Mean contribution", unit),
            Column::numbers(&format!("Share of observed {}", self.outcome.name), ""),
            Column::numbers("5 % quantile", unit),
            Column::numbers("95 % quantile", unit),
        ]);
        table.rows = bars
            .iter()
            .map(|b| {
                vec![
                    Cell::text(b.name.clone()),
                    Cell::number(b.amount()),
                    Cell::maybe(self.share(b.amount())),
                    Cell::maybe(b.interval90.map(|i| i.0)),
                    Cell::maybe(b.interval90.map(|i| i.1)),
                ]
            })
            .collect();
        table
    }
}

fn sum(parts: &[Part]) -> f64 {
    finite(parts.iter().map(|p| finite(p.mean)).sum())
}

/// Bars that each begin where the one before ends.
fn running(steps: &[Part], class: impl Fn(&str) -> String) -> Vec<Bar> {
    let mut at = 0.0;
    steps
        .iter()
        .map(|step| {
            let (from, amount) = (at, finite(step.mean));
            at = finite(from + amount);
            Bar {
                name: step.name.clone(),
                class: if amount < 0.0 {
                    "neg".to_owned()
                } else {
                    class(&step.name)
                },
                from,
                to: at,
                interval90: step.interval90,
            }
        })
        .collect()
}

/// Ends of the whisker of a bar: its interval, from where the bar begins.
fn whisker(bar: &Bar) -> Option<(f64, f64)> {
    let (low, high) = bar.interval90?;
    let ends = (bar.from + low, bar.from + high);
    (ends.0.is_finite() && ends.1.is_finite()).then_some(ends)
}

fn scale(bars: &[Bar], range: (f64, f64)) -> Linear {
    let ends = bars.iter().flat_map(|b| {
        let (low, high) = whisker(b).unwrap_or((b.from, b.to));
        [b.from, b.to, low, high]
    });
    let (low, high) = extent_with_zero(ends);
    Linear::exact(low, high + (high - low) * 0.01, range)
}

fn draw_bar(svg: &mut Svg, frame: &Frame, scale: &Linear, y: f64, bar: &Bar, label: &str) {
    svg.group_titled(&bar.class, &format!("{}: {label}", bar.name));
    axis::name(svg, frame.left - 8.0, y, &bar.name);
    svg.rect(
        "bar",
        (scale.at(bar.from), scale.at(bar.to)),
        (y - 8.0, y + 8.0),
    );
    let mut end = scale.at(bar.from).max(scale.at(bar.to));
    if let Some((low, high)) = whisker(bar) {
        let (low, high) = (scale.within(low), scale.within(high));
        svg.line("whisker", (low, y), (high, y));
        svg.line("whisker", (low, y - 4.0), (low, y + 4.0));
        svg.line("whisker", (high, y - 4.0), (high, y + 4.0));
        end = end.max(high);
    }
    svg.text("value halo", (end + 6.0, y + 4.0), Anchor::Start, label);
    svg.close();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Waterfall {
        let names = ["TV", "Meta", "Search", "Print"];
        Waterfall {
            key: "w".into(),
            outcome: Measure::new("revenue", "EUR"),
            baseline: 5e6,
            controls: vec![Part::new("Price", 2e5), Part::new("Holidays", 3e5)],
            channels: vec![
                Part::new("TV", 1e6),
                Part::with_interval("Meta", 1.2e6, 0.8e6, 1.6e6),
                Part::new("Search", 4e5),
                Part::new("Print", -1e5),
            ],
            observed: 8.2e6,
            colors: ChannelColors::new(&names),
        }
    }

    #[test]
    fn bars_add_up_to_what_was_observed() {
        let bars = sample().bars();
        let (total, steps) = bars.split_last().unwrap();
        let sum: f64 = steps.iter().map(Bar::amount).sum();
        assert!((sum / total.amount() - 1.0).abs() < 1e-6);
        // As drawn: positive widths less negative ones are the width of the total.
        let svg = sample().figure().svg;
        let widths = attribute(&svg, "rect", "bar", "width");
        let signed: f64 = steps
            .iter()
            .zip(&widths)
            .map(|(b, w)| w * b.amount().signum())
            .sum();
        assert!((signed - widths.last().unwrap()).abs() < 0.1);
    }

    #[test]
    fn a_negative_channel_moves_left_and_is_red() {
        let bars = sample().bars();
        let print = bars.iter().find(|b| b.name == "Print").unwrap();
        assert!(print.to < print.from);
        assert_eq!(print.class, "neg");
    }

    #[test]
    fn the_order_is_stable() {
        let mut chart = sample();
        for part in &mut chart.channels {
            part.mean = 1.0;
        }
        let names: Vec<_> = chart.bars().into_iter().map(|b| b.name).collect();
        assert_eq!(names[2..6], ["TV", "Meta", "Search", "Print"]);
    }

    #[test]
    fn small_channels_are_grouped() {
        let mut chart = sample();
        chart.channels = (0..40)
            .map(|i| Part::new(&format!("c{i}"), f64::from(i)))
            .collect();
        let bars = chart.bars();
        assert!(bars.iter().any(|b| b.name == "Other (28)"));
        sound(&chart.figure());
    }

    #[test]
    fn the_sentence_comes_from_the_data() {
        let caption = sample().figure().caption.replace('\u{a0}', " ");
        assert_eq!(
            caption,
            "Meta brought in 1.2 M EUR, 15 % of revenue; 2.4 % stays unexplained."
        );
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.observed = x;
            chart.channels[0] = Part::with_interval(NAMES[0], x, x, 1.0);
            chart.channels[1].name = NAMES[2].into();
            sound(&chart.figure());
            chart.channels.clear();
            chart.controls.clear();
            chart.baseline = x;
            sound(&chart.figure());
        }
    }
}

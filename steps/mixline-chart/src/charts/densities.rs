//! C15: what was believed before the data, and what after.
//!
//! Two densities per channel, smoothed from draws. Where they look alike the data have said
//! nothing, and the result is the prior's.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, WIDE, Words, key_of};
use crate::number::{compact, percent};
use crate::palette::ChannelColors;
use crate::scale::Linear;
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Draws before and after the data.
#[derive(Debug, Clone, PartialEq)]
pub struct Densities {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// What is believed, for titles: `ROI`.
    pub quantity: String,
    /// One panel per channel.
    pub panels: Vec<DensityPanel>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityPanel {
    /// The channel.
    pub channel: String,
    /// Draws before the data; empty when there was no prior.
    pub prior: Vec<f64>,
    /// Draws after the data.
    pub posterior: Vec<f64>,
}

/// Points of a density.
const POINTS: usize = 160;

/// A Gaussian kernel density on an even grid over `[low, high]`, as `(x, density)`; Silverman's
/// rule for the width.
#[must_use]
pub fn density(draws: &[f64], low: f64, high: f64) -> Vec<(f64, f64)> {
    let draws: Vec<f64> = draws.iter().copied().filter(|x| x.is_finite()).collect();
    let n = draws.len() as f64;
    if draws.len() < 2 || high <= low || !(high - low).is_finite() {
        return Vec::new();
    }
    let (_, sd) = location(&draws);
    let iqr = quantile(&draws, 0.75) - quantile(&draws, 0.25);
    let spread = if iqr > 0.0 { sd.min(iqr / 1.34) } else { sd };
    let width = (0.9 * spread * n.powf(-0.2)).max((high - low) / POINTS as f64);
    let step = (high - low) / (POINTS - 1) as f64;
    let height = 1.0 / (n * width * (2.0 * std::f64::consts::PI).sqrt());
    (0..POINTS)
        .map(|k| {
            let x = low + step * k as f64;
            let sum: f64 = draws
                .iter()
                .map(|d| (-0.5 * ((x - d) / width).powi(2)).exp())
                .sum();
            (x, height * sum)
        })
        .collect()
}

fn location(draws: &[f64]) -> (f64, f64) {
    let n = draws.len().max(1) as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let squares: f64 = draws.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, (squares / n).sqrt())
}

fn quantile(draws: &[f64], p: f64) -> f64 {
    let mut sorted: Vec<f64> = draws.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let at = (p * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

impl DensityPanel {
    /// How much of the spread the data have taken away: 1 − sd after / sd before.
    fn shrinkage(&self) -> Option<f64> {
        let (before, after) = (location(&self.prior).1, location(&self.posterior).1);
        (self.prior.len() > 1 && before > 0.0 && after.is_finite()).then(|| 1.0 - after / before)
    }

    /// From zero or less to the 99th percentile of what is drawn.
    fn ends(&self) -> (f64, f64) {
        let high = quantile(&self.posterior, 0.99)
            .max(quantile(&self.prior, 0.9).min(4.0 * quantile(&self.posterior, 0.99)));
        let low = quantile(&self.posterior, 0.005).min(0.0);
        if high > low && (high - low).is_finite() {
            (low, high)
        } else {
            (0.0, 1.0)
        }
    }

    fn note(&self) -> String {
        match self.shrinkage() {
            Some(share) if share < 0.1 => "the data did not move this".to_owned(),
            Some(share) => format!("spread down by {}", percent(share)),
            None => "no prior of its own".to_owned(),
        }
    }
}

impl Densities {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C15",
            key: key_of(&self.key, "C15"),
            title: format!("{} before and after the data", self.quantity),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let (columns, width, height) = (3, WIDE / 3.0, 190.0);
        let rows = self.panels.len().div_ceil(columns).max(1);
        let mut svg = Svg::new(&key_of(&self.key, "C15"), WIDE, 34.0 + height * rows as f64);
        let entries = [
            (Sign::Faint, "base", "before the data"),
            (Sign::Band, "ink", "after the data"),
        ];
        axis::key(&mut svg, 2.0, WIDE, 10.0, &entries);
        for (k, panel) in self.panels.iter().enumerate() {
            let (left, top) = (
                (k % columns) as f64 * width,
                34.0 + (k / columns) as f64 * height,
            );
            let frame = Frame {
                left: left + 12.0,
                right: left + width - 24.0,
                top: top + 26.0,
                bottom: top + height - 52.0,
            };
            self.draw_panel(&mut svg, &frame, panel);
        }
        svg
    }

    fn draw_panel(&self, svg: &mut Svg, frame: &Frame, panel: &DensityPanel) {
        let (low, high) = panel.ends();
        let x = Linear::exact(low, high, frame.xs());
        let (low, high) = x.domain();
        svg.text_within(
            "label strong",
            (frame.left, frame.top - 8.0),
            Anchor::Start,
            &panel.channel,
            frame.width() * 0.5,
        );
        svg.text(
            "note",
            (frame.right, frame.top - 8.0),
            Anchor::End,
            &panel.note(),
        );
        axis::below(svg, frame, &x, &self.quantity);
        let (before, after) = (
            density(&panel.prior, low, high),
            density(&panel.posterior, low, high),
        );
        let most = before
            .iter()
            .chain(&after)
            .map(|(_, d)| *d)
            .fold(0.0, f64::max);
        let y = Linear::exact(0.0, if most > 0.0 { most } else { 1.0 }, frame.ys());
        for (class, colour, curve) in [
            ("faint", "base".to_owned(), &before),
            ("band50", self.colors.class(&panel.channel), &after),
        ] {
            svg.group(&colour);
            let area: Vec<_> = curve
                .iter()
                .map(|(a, d)| (x.at(*a), y.at(0.0), y.within(*d)))
                .collect();
            svg.area(class, &area);
            let line: Vec<_> = curve
                .iter()
                .map(|(a, d)| (x.at(*a), y.within(*d)))
                .collect();
            svg.polyline("hair", &line);
            svg.close();
        }
    }

    fn caption(&self) -> String {
        let still: Vec<String> = self
            .panels
            .iter()
            .filter(|p| p.shrinkage().is_some_and(|s| s < 0.1))
            .map(|p| p.channel.clone())
            .collect();
        if still.is_empty() {
            "The data have narrowed every belief.".to_owned()
        } else {
            format!(
                "The data did not move {}: what is said of it is the prior's.",
                crate::measure::list(&still)
            )
        }
    }

    fn description(&self) -> String {
        let panels: Vec<String> = self
            .panels
            .iter()
            .map(|p| {
                format!(
                    "{}: median {}, {}",
                    p.channel,
                    compact(quantile(&p.posterior, 0.5)),
                    p.note()
                )
            })
            .collect();
        format!(
            "Densities before and after the data. {}.",
            panels.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let mut columns = vec![Column::words("Channel")];
        for name in [
            "Mean before",
            "SD before",
            "Mean after",
            "SD after",
            "Shift in SDs before",
            "Shrinkage",
        ] {
            columns.push(Column::numbers(name, ""));
        }
        let mut table = DataTable::new(columns);
        for panel in &self.panels {
            let finite: Vec<f64> = panel
                .prior
                .iter()
                .copied()
                .filter(|x| x.is_finite())
                .collect();
            let (before, after) = (location(&finite), location(&panel.posterior));
            let known = !finite.is_empty();
            let mut cells = vec![Cell::text(panel.channel.clone())];
            cells.extend(
                [before.0, before.1].map(|x| if known { Cell::number(x) } else { Cell::Empty }),
            );
            cells.extend([after.0, after.1].map(Cell::number));
            cells.push(if known {
                Cell::number((after.0 - before.0) / before.1)
            } else {
                Cell::Empty
            });
            cells.push(Cell::maybe(panel.shrinkage()));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, sound};

    fn draws(scale: f64) -> Vec<f64> {
        (0..400)
            .map(|k| scale * (1.0 + 0.8 * (f64::from(k) * 0.7).sin() + 0.1 * f64::from(k % 7)))
            .collect()
    }

    fn sample() -> Densities {
        let panel = |channel: &str| DensityPanel {
            channel: channel.into(),
            prior: draws(3.0),
            posterior: draws(1.0),
        };
        Densities {
            key: String::new(),
            quantity: "ROI".into(),
            panels: vec![panel("TV"), panel("Meta"), panel("Search"), panel("Print")],
            colors: ChannelColors::new(&["TV", "Meta"]),
        }
    }

    #[test]
    fn a_density_integrates_to_one() {
        let curve = density(&draws(1.0), -1.0, 4.0);
        let step = curve[1].0 - curve[0].0;
        let area: f64 = curve.iter().map(|(_, d)| d * step).sum();
        assert!((area - 1.0).abs() < 0.02, "{area}");
    }

    #[test]
    fn an_unmoved_belief_is_flagged() {
        let mut chart = sample();
        chart.panels[1].posterior = draws(3.0);
        assert!(chart.figure().caption.contains("did not move Meta"));
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.panels[0].prior = vec![x; 5];
            chart.panels[1].posterior[3] = x;
            chart.panels[2].posterior = vec![x];
            chart.panels[3].channel = NAMES[2].into();
            sound(&chart.figure());
            chart.panels.clear();
            sound(&chart.figure());
        }
    }
}

//! C09: how much more each channel would bring for more money, and where that stops.
//!
//! One panel per channel: the curve with its bands, drawn solid where spend was observed and
//! dashed where it was not, and below it on the same axis what the next unit of money brings.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, WIDE, Words, key_of};
use crate::marks::{self, along, between};
use crate::measure::{Interval, Measure, axis_title};
use crate::number::{compact, count, tick_labels};
use crate::palette::ChannelColors;
use crate::scale::{Linear, extent_with_zero};
use crate::svg::{Anchor, LABEL, Svg};
use crate::table::{Cell, Column, DataTable};
use crate::text;

const CURVE: f64 = 150.0;
const MARGINAL: f64 = 64.0;
const PANEL: f64 = 338.0;

/// Response curves of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseCurves {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// What x counts, in the middle of a sentence: `spend per week`.
    pub spend: String,
    /// Currency of spend.
    pub currency: String,
    /// Marginal return to beat, drawn in the lower plots.
    pub target: Option<f64>,
    /// One panel per channel, in the order given.
    pub panels: Vec<ResponsePanel>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// The curve of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponsePanel {
    /// The channel.
    pub channel: String,
    /// The curve by rising spend; a point at zero is added when missing.
    pub points: Vec<CurvePoint>,
    /// Spend now, in units of x.
    pub now: f64,
    /// Spend planned.
    pub planned: Option<f64>,
    /// Least spend allowed.
    pub lower: Option<f64>,
    /// Most spend allowed.
    pub upper: Option<f64>,
    /// Spend that was observed, if known.
    pub observed: Option<Observed>,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Spend.
    pub spend: f64,
    /// Incremental outcome at that spend.
    pub response: Interval,
    /// Outcome of the next unit of spend there.
    pub marginal: Option<Interval>,
}

/// Spend of single periods as observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// 5 % quantile.
    pub p05: f64,
    /// 95 % quantile.
    pub p95: f64,
    /// Largest.
    pub max: f64,
}

impl ResponsePanel {
    /// Finite points by rising spend, from zero on.
    fn curve(&self) -> Vec<CurvePoint> {
        let mut points: Vec<CurvePoint> = self
            .points
            .iter()
            .copied()
            .filter(|p| p.spend.is_finite() && p.spend >= 0.0)
            .collect();
        points.sort_by(|a, b| a.spend.total_cmp(&b.spend));
        if points.first().is_some_and(|p| p.spend > 0.0) {
            let zero = CurvePoint {
                spend: 0.0,
                response: Interval::default(),
                marginal: None,
            };
            points.insert(0, zero);
        }
        points
    }

    /// The line of medians.
    fn medians(&self) -> Vec<(f64, f64)> {
        self.curve()
            .iter()
            .map(|p| (p.spend, p.response.q50))
            .collect()
    }

    /// Where solid turns to dashed.
    fn last_observed(&self) -> f64 {
        self.observed.map_or(f64::INFINITY, |o| o.max)
    }

    fn words(&self, chart: &ResponseCurves) -> String {
        let line = self.medians();
        let at = |spend: f64| {
            format!(
                "{} at {}",
                chart.outcome.amount(along(&line, spend)),
                crate::number::with_unit(spend, &chart.currency)
            )
        };
        match self.planned {
            Some(planned) => format!(
                "{}: {} now, {} planned",
                self.channel,
                at(self.now),
                at(planned)
            ),
            None => format!("{}: {} now", self.channel, at(self.now)),
        }
    }
}

/// Scales of a panel.
struct Scales {
    x: Linear,
    y: Linear,
    marginal: Linear,
}

impl ResponseCurves {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C09",
            key: key_of(&self.key, "C09"),
            title: "What more money would bring".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let n = self.panels.len();
        let (width, columns) = match n {
            0 | 1 => (NORMAL, 1),
            2 => (NORMAL, 2),
            _ => (WIDE, 3),
        };
        let rows = n.div_ceil(columns).max(1);
        let cell = width / columns as f64;
        let mut svg = Svg::new(&key_of(&self.key, "C09"), width, 0.0);
        let top = 8.0 + self.draw_key(&mut svg, width);
        svg.set_height(top + rows as f64 * PANEL);
        for (i, panel) in self.panels.iter().enumerate() {
            let x = (i % columns) as f64 * cell;
            let y = top + (i / columns) as f64 * PANEL;
            self.draw_panel(&mut svg, panel, (x, x + cell), y);
        }
        svg
    }

    fn draw_key(&self, svg: &mut Svg, width: f64) -> f64 {
        let mut entries = vec![
            (Sign::Line, "quiet", "median, spend observed"),
            (Sign::Dashed, "quiet", "beyond what was observed"),
            (Sign::Band, "quiet", "50 % and 90 % intervals"),
            (Sign::Shade, "quiet", "90 % of periods"),
            (Sign::Hollow, "ink", "now"),
        ];
        if self.panels.iter().any(|p| p.planned.is_some()) {
            entries.push((Sign::Marker, "ink", "planned"));
        }
        if self
            .panels
            .iter()
            .any(|p| p.lower.is_some() || p.upper.is_some())
        {
            entries.push((Sign::Tick, "ink", "limit"));
        }
        axis::key(svg, 2.0, width, 10.0, &entries)
    }

    fn draw_panel(&self, svg: &mut Svg, panel: &ResponsePanel, xs: (f64, f64), top: f64) {
        let frame = Frame {
            left: xs.0 + 52.0,
            right: xs.1 - 14.0,
            top: top + 48.0,
            bottom: top + 48.0 + CURVE,
        };
        let lower = Frame {
            top: frame.bottom + 26.0,
            bottom: frame.bottom + 26.0 + MARGINAL,
            ..frame
        };
        let curve = panel.curve();
        let scales = self.scales(panel, &curve, &frame, &lower);
        svg.group_titled(&self.colors.class(&panel.channel), &panel.words(self));
        svg.rect("bar", (xs.0 + 4.0, xs.0 + 14.0), (top + 8.0, top + 18.0));
        let (name, _) = text::fit(&panel.channel, LABEL, xs.1 - xs.0 - 40.0);
        svg.text(
            "label strong",
            (xs.0 + 20.0, top + 17.0),
            Anchor::Start,
            &name,
        );
        draw_shade(svg, panel, &scales.x, frame.top, lower.bottom);
        axis::left_with(
            svg,
            &frame,
            &scales.y,
            &self.outcome.axis(),
            5,
            &tick_labels,
        );
        draw_curve(svg, panel, &curve, &scales);
        draw_limits(svg, panel, &scales.x, &frame);
        draw_markers(svg, panel, &scales);
        self.draw_marginal(svg, panel, &curve, &scales, &lower);
        svg.close();
    }

    fn scales(
        &self,
        panel: &ResponsePanel,
        curve: &[CurvePoint],
        frame: &Frame,
        lower: &Frame,
    ) -> Scales {
        let wish = (2.0 * panel.now).max(panel.upper.map_or(0.0, |u| 1.5 * u.min(2.0 * panel.now)));
        let end = curve.last().map_or(1.0, |p| p.spend);
        let wish = wish.max(panel.planned.unwrap_or(0.0) * 1.1);
        let end = if wish.is_finite() && wish > 0.0 {
            end.min(wish)
        } else {
            end
        };
        let seen = || curve.iter().filter(|p| p.spend <= end * (1.0 + 1e-9));
        let (low, high) = extent_with_zero(seen().flat_map(|p| [p.response.q05, p.response.q95]));
        let marginals = seen().filter_map(|p| p.marginal).map(|m| m.q50);
        let (mlow, mhigh) = extent_with_zero(marginals.chain(self.target));
        Scales {
            x: Linear::exact(0.0, end, frame.xs()),
            y: Linear::nice(low, high, frame.ys()),
            marginal: Linear::nice(mlow, mhigh * 1.1, lower.ys()),
        }
    }

    fn draw_marginal(
        &self,
        svg: &mut Svg,
        panel: &ResponsePanel,
        curve: &[CurvePoint],
        scales: &Scales,
        frame: &Frame,
    ) {
        let title = format!(
            "mROI ({})",
            super::roi_forest::per_spend(&self.outcome, &self.currency)
        );
        axis::left_with(svg, frame, &scales.marginal, &title, 3, &tick_labels);
        let spend = axis_title(&self.spend, &self.currency);
        axis::below(svg, frame, &scales.x, &spend);
        if let Some(target) = self.target.filter(|t| t.is_finite()) {
            let y = scales.marginal.within(target);
            svg.line("ref", (frame.left, y), (frame.right, y));
        }
        let end = scales.x.domain().1 * (1.0 + 1e-9);
        let points: Vec<(f64, Interval)> = curve
            .iter()
            .filter(|p| p.spend <= end)
            .filter_map(|p| p.marginal.map(|m| (p.spend, m)))
            .collect();
        let at: Vec<_> = points.iter().map(|(x, m)| (scales.x.at(*x), *m)).collect();
        marks::bands(svg, &scales.marginal, &at);
        let line: Vec<_> = points.iter().map(|(x, m)| (*x, m.q50)).collect();
        draw_line(
            svg,
            &line,
            panel.last_observed(),
            &scales.x,
            &scales.marginal,
        );
    }

    fn caption(&self) -> String {
        let marginal = |p: &ResponsePanel| {
            let line: Vec<_> = p
                .curve()
                .iter()
                .filter_map(|c| c.marginal.map(|m| (c.spend, m.q50)))
                .collect();
            along(&line, p.now)
        };
        let mut best: Vec<(&str, f64)> = self
            .panels
            .iter()
            .map(|p| (p.channel.as_str(), marginal(p)))
            .filter(|(_, m)| m.is_finite())
            .collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1));
        let unit = super::roi_forest::per_spend(&self.outcome, &self.currency);
        let unit = unit.replace(" spent", "");
        match (best.first(), best.last()) {
            (Some((most, high)), Some((least, low))) if best.len() > 1 => format!(
                "More money would bring most in {most} ({} {unit} at today's spend) and least in {least} ({}).",
                compact(*high),
                compact(*low)
            ),
            (Some((one, value)), _) => {
                format!(
                    "The next money in {one} would bring {} {unit}.",
                    compact(*value)
                )
            }
            _ => format!(
                "Response of {}.",
                count(self.panels.len(), "channel", "channels")
            ),
        }
    }

    fn description(&self) -> String {
        let panels: Vec<String> = self.panels.iter().map(|p| p.words(self)).collect();
        format!(
            "One panel per channel with incremental {} by {}, medians with 50 % and 90 % bands, \
             and the marginal return below. {}.",
            self.outcome.name,
            self.spend,
            panels.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let unit = &self.outcome.unit;
        let mut columns = vec![
            Column::words("Channel"),
            Column::numbers(&text::capital(&self.spend), &self.currency),
        ];
        for name in ["Response, median", "5 %", "25 %", "75 %", "95 %"] {
            columns.push(Column::numbers(name, unit));
        }
        columns.push(Column::numbers("Marginal ROI, median", ""));
        columns.push(Column::words("Spend observed"));
        let mut table = DataTable::new(columns);
        for panel in &self.panels {
            let rows = panel.curve();
            table.rows.extend(rows.iter().map(|p| cells(panel, p)));
        }
        table
    }
}

fn cells(panel: &ResponsePanel, point: &CurvePoint) -> Vec<Cell> {
    let q = point.response;
    let mut cells = vec![Cell::text(panel.channel.clone()), Cell::number(point.spend)];
    cells.extend([q.q50, q.q05, q.q25, q.q75, q.q95].map(Cell::number));
    cells.push(Cell::maybe(point.marginal.map(|m| m.q50)));
    let inside = point.spend <= panel.last_observed();
    cells.push(Cell::text(if inside { "yes" } else { "no" }));
    cells
}

fn draw_shade(svg: &mut Svg, panel: &ResponsePanel, x: &Linear, top: f64, bottom: f64) {
    if let Some(seen) = panel.observed {
        let (a, b) = (x.within(seen.p05), x.within(seen.p95));
        if a.is_finite() && b.is_finite() {
            svg.rect("shade", (a, b), (top, bottom));
        }
    }
}

fn draw_curve(svg: &mut Svg, panel: &ResponsePanel, curve: &[CurvePoint], scales: &Scales) {
    let end = scales.x.domain().1 * (1.0 + 1e-9);
    let seen = curve.iter().filter(|p| p.spend <= end);
    let points: Vec<_> = seen.map(|p| (scales.x.at(p.spend), p.response)).collect();
    marks::bands(svg, &scales.y, &points);
    let line = panel.medians();
    draw_line(svg, &line, panel.last_observed(), &scales.x, &scales.y);
}

/// A line, solid up to an x and dashed from there on.
fn draw_line(svg: &mut Svg, line: &[(f64, f64)], until: f64, x: &Linear, y: &Linear) {
    let (first, last) = x.domain();
    let until = if until.is_nan() { last } else { until };
    for (class, low, high) in [
        ("median", first, until.min(last)),
        ("dashed", until.max(first), last),
    ] {
        let pixels: Vec<_> = between(line, low, high)
            .into_iter()
            .map(|(a, b)| (x.at(a), y.within(b)))
            .collect();
        svg.polyline(class, &pixels);
    }
}

fn draw_limits(svg: &mut Svg, panel: &ResponsePanel, x: &Linear, frame: &Frame) {
    let (first, last) = x.domain();
    for limit in [panel.lower, panel.upper].into_iter().flatten() {
        if (first..=last).contains(&limit) {
            let at = x.at(limit);
            svg.line(
                "whisker",
                (at, frame.bottom - 5.0),
                (at, frame.bottom + 7.0),
            );
        }
    }
}

/// Both markers lie on the line of medians.
fn draw_markers(svg: &mut Svg, panel: &ResponsePanel, scales: &Scales) {
    let line = panel.medians();
    let place = |spend: f64| {
        let at = (scales.x.within(spend), scales.y.within(along(&line, spend)));
        (at.0.is_finite() && at.1.is_finite()).then_some(at)
    };
    if let Some(at) = place(panel.now) {
        svg.circle("hollow now", at, 5.0);
    }
    if let Some(at) = panel.planned.and_then(place) {
        svg.circle("marker planned", at, 6.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, interval, path, sound};

    fn panel(channel: &str) -> ResponsePanel {
        let point = |i: i32| {
            let spend = f64::from(i) * 100.0;
            let response = 1000.0 * spend / (spend + 500.0);
            CurvePoint {
                spend,
                response: interval(response, response * 0.3),
                marginal: Some(interval(5e5 / (spend + 500.0).powi(2), 0.1)),
            }
        };
        ResponsePanel {
            channel: channel.into(),
            points: (1..=20).map(point).collect(),
            now: 730.0,
            planned: Some(1100.0),
            lower: Some(300.0),
            upper: Some(1200.0),
            observed: Some(Observed {
                p05: 200.0,
                p95: 900.0,
                max: 950.0,
            }),
        }
    }

    fn sample() -> ResponseCurves {
        ResponseCurves {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            spend: "spend per week".into(),
            currency: "EUR".into(),
            target: Some(1.0),
            panels: vec![panel("TV")],
            colors: ChannelColors::new(&["TV"]),
        }
    }

    #[test]
    fn no_spend_brings_nothing() {
        let first = panel("TV").curve()[0];
        assert_eq!((first.spend, first.response.q50), (0.0, 0.0));
    }

    #[test]
    fn the_marker_lies_on_the_curve_and_dashes_begin_where_data_end() {
        let mut chart = sample();
        chart.panels[0].observed = None;
        let svg = chart.figure().svg;
        // The key draws its sign as a line, so the first path is the curve.
        let line = &path(&svg, "median");
        let x = attribute(&svg, "circle", "hollow now", "cx")[0];
        let y = attribute(&svg, "circle", "hollow now", "cy")[0];
        assert!((along(line, x) - y).abs() < 0.02);
        let svg = sample().figure().svg;
        let solid = path(&svg, "median");
        let dashed = path(&svg, "dashed");
        assert_eq!(solid.last(), dashed.first());
        let (x0, x1) = (solid[0].0, dashed.last().unwrap().0);
        let value = (dashed[0].0 - x0) / (x1 - x0) * 1800.0;
        assert!((value - 950.0).abs() < 2.0, "{value}");
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.panels = (0..4).map(|i| panel(NAMES[i])).collect();
            chart.panels[0].now = x;
            chart.panels[1].points[3].response = interval(x, x);
            chart.panels[1].points[3].spend = x;
            chart.panels[2].points.truncate(1);
            chart.panels[2].upper = Some(x);
            chart.panels[2].planned = Some(x);
            chart.panels[3].points.clear();
            chart.panels[3].observed = Some(Observed {
                p05: x,
                p95: x,
                max: x,
            });
            chart.target = Some(x);
            sound(&chart.figure());
            chart.panels.clear();
            sound(&chart.figure());
        }
    }
}

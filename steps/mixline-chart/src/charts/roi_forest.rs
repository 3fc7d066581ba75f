//! C04: what each channel returned per unit of money, with all its uncertainty.
//!
//! A dot for the median, a thick line for the 50 % interval, a thin one for the 90 % interval;
//! faint behind it, what was believed before the data.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::marks;
use crate::measure::{Interval, Measure};
use crate::number::{compact, percent, with_unit};
use crate::palette::ChannelColors;
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 30.0;

/// Return on spend of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct RoiForest {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome that spend brings.
    pub outcome: Measure,
    /// Currency of spend.
    pub currency: String,
    /// The return to beat: 1 for an outcome in money, the user's own target, or none.
    pub target: Option<f64>,
    /// One row per channel; drawn by falling median.
    pub rows: Vec<RoiRow>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct RoiRow {
    /// The channel.
    pub channel: String,
    /// Outcome per unit of spend.
    pub roi: Interval,
    /// The same before the data, for parameters that had a prior.
    pub prior: Option<Interval>,
    /// Spend of the period, in units of the currency.
    pub spend: f64,
    /// Probability that the return is above the target, 0 to 1.
    pub above_target: Option<f64>,
}

/// Per what the outcome is counted: `EUR of revenue per EUR spent`.
pub(crate) fn per_spend(outcome: &Measure, currency: &str) -> String {
    let money = if currency.is_empty() {
        "unit"
    } else {
        currency
    };
    if outcome.unit.is_empty() {
        format!("{} per {money} spent", outcome.name)
    } else {
        format!("{} of {} per {money} spent", outcome.unit, outcome.name)
    }
}

impl RoiForest {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let rows = self.ranked();
        let words = Words {
            id: "C04",
            key: key_of(&self.key, "C04"),
            title: "What each channel returned".to_owned(),
            caption: self.caption(&rows),
            description: self.description(&rows),
        };
        words.with(self.draw(&rows), self.table(&rows))
    }

    fn ranked(&self) -> Vec<&RoiRow> {
        let mut rows: Vec<&RoiRow> = self.rows.iter().collect();
        // The sign of a NaN is an accident of the platform: last, whatever it is.
        let rank = |r: &RoiRow| {
            if r.roi.q50.is_nan() {
                f64::NEG_INFINITY
            } else {
                r.roi.q50
            }
        };
        rows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        rows
    }

    fn scale(&self, range: (f64, f64)) -> Linear {
        let mut tops: Vec<f64> = self.rows.iter().map(|r| r.roi.q95).collect();
        tops.retain(|t| t.is_finite());
        tops.sort_by(f64::total_cmp);
        // One channel of which nothing is known must not flatten all others.
        let cap = tops
            .get(tops.len() / 2)
            .map_or(1.0, |m| 4.0 * m.abs())
            .max(self.highest_median());
        let top = tops.last().copied().unwrap_or(1.0).min(cap);
        let low = self.rows.iter().map(|r| r.roi.q05.max(-cap.abs()));
        let (low, high) = extent_with_zero(low.chain(self.target).chain([top]));
        Linear::nice(low, high, range)
    }

    fn highest_median(&self) -> f64 {
        let medians = self
            .rows
            .iter()
            .map(|r| r.roi.q50)
            .filter(|m| m.is_finite());
        medians.fold(0.0, f64::max) * 1.1
    }

    fn draw(&self, rows: &[&RoiRow]) -> Svg {
        let left = axis::name_room(rows.iter().map(|r| r.channel.as_str()));
        let frame = Frame {
            left,
            right: NORMAL - 210.0,
            top: 46.0,
            bottom: 46.0 + ROW * rows.len().max(1) as f64,
        };
        let scale = self.scale(frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C04"), NORMAL, frame.bottom + 44.0);
        self.draw_key(&mut svg);
        axis::below(
            &mut svg,
            &frame,
            &scale,
            &per_spend(&self.outcome, &self.currency),
        );
        self.draw_target(&mut svg, &frame, &scale);
        self.draw_heads(&mut svg);
        let bands = Band::new(frame.top, ROW);
        for (i, row) in rows.iter().enumerate() {
            self.draw_row(&mut svg, &frame, &scale, bands.mid(i), row);
        }
        svg
    }

    fn draw_key(&self, svg: &mut Svg) {
        let mut entries = vec![
            (Sign::Marker, "quiet", "median"),
            (Sign::Thick, "quiet", "50 %"),
            (Sign::Thin, "quiet", "90 %"),
        ];
        if self.rows.iter().any(|r| r.prior.is_some()) {
            entries.push((Sign::Prior, "quiet", "before the data, 90 %"));
        }
        axis::key(svg, 2.0, NORMAL, 10.0, &entries);
    }

    fn draw_target(&self, svg: &mut Svg, frame: &Frame, scale: &Linear) {
        let Some(target) = self.target.filter(|t| t.is_finite()) else {
            return;
        };
        let x = scale.within(target);
        svg.line("ref", (x, frame.top - 4.0), (x, frame.bottom));
        let label = if target == 1.0 {
            "break-even 1".to_owned()
        } else {
            format!("target {}", compact(target))
        };
        svg.text("note halo", (x, frame.top - 8.0), Anchor::Middle, &label);
    }

    /// Right ends of the columns of numbers: median, spend, probability.
    fn columns() -> [f64; 3] {
        [NORMAL - 150.0, NORMAL - 74.0, NORMAL - 4.0]
    }

    fn draw_heads(&self, svg: &mut Svg) {
        let [roi, spend, above] = Self::columns();
        svg.text("note", (roi, 38.0), Anchor::End, "ROI");
        let head = if self.currency.is_empty() {
            "Spend".to_owned()
        } else {
            format!("Spend, {}", self.currency)
        };
        svg.text("note", (spend, 38.0), Anchor::End, &head);
        if let Some(target) = self.target {
            let head = format!("P(> {})", compact(target));
            svg.text("note", (above, 38.0), Anchor::End, &head);
        }
    }

    fn draw_row(&self, svg: &mut Svg, frame: &Frame, scale: &Linear, y: f64, row: &RoiRow) {
        let title = format!("{}: {}", row.channel, row.roi.words());
        svg.group_titled(&self.colors.class(&row.channel), &title);
        axis::name(svg, frame.left - 10.0, y, &row.channel);
        if let Some(prior) = &row.prior {
            marks::segment(svg, "prior", scale, y, prior.q05, prior.q95);
        }
        marks::forest(svg, scale, y, &row.roi);
        let [roi, spend, above] = Self::columns();
        svg.text(
            "value strong",
            (roi, y + 4.0),
            Anchor::End,
            &compact(row.roi.q50),
        );
        svg.text("value", (spend, y + 4.0), Anchor::End, &compact(row.spend));
        if let (Some(p), Some(_)) = (row.above_target, self.target) {
            svg.text("value", (above, y + 4.0), Anchor::End, &percent(p));
        }
        svg.close();
    }

    fn caption(&self, rows: &[&RoiRow]) -> String {
        let Some(best) = rows.first() else {
            return "There is no channel to show.".to_owned();
        };
        let unit = per_spend(&self.outcome, &self.currency);
        let (low, high) = (compact(best.roi.q05), compact(best.roi.q95));
        let first = format!(
            "{} returned most, {} (90 % interval {low} to {high})",
            best.channel,
            with_unit(best.roi.q50, &unit)
        );
        let sure = rows
            .iter()
            .filter(|r| r.above_target.is_some_and(|p| p >= 0.9))
            .count();
        match self.target {
            Some(target) => format!(
                "{first}; {sure} of {} channels return more than {} with at least 90 % probability.",
                rows.len(),
                compact(target)
            ),
            None => format!("{first}."),
        }
    }

    fn description(&self, rows: &[&RoiRow]) -> String {
        let rows: Vec<String> = rows
            .iter()
            .map(|r| format!("{} {}", r.channel, r.roi.words()))
            .collect();
        format!(
            "Median and 90 % interval of {} by channel. {}.",
            per_spend(&self.outcome, &self.currency),
            rows.join("; ")
        )
    }

    fn table(&self, rows: &[&RoiRow]) -> DataTable {
        let mut columns = vec![Column::words("Channel")];
        for name in ["ROI, median", "ROI, mean", "5 %", "25 %", "75 %", "95 %"] {
            columns.push(Column::numbers(name, ""));
        }
        columns.push(Column::numbers("Prior 5 %", ""));
        columns.push(Column::numbers("Prior 95 %", ""));
        columns.push(Column::numbers("Spend", &self.currency));
        columns.push(Column::numbers("Probability above target", ""));
        let mut table = DataTable::new(columns);
        table.rows = rows.iter().map(|r| cells(r)).collect();
        table
    }
}

fn cells(row: &RoiRow) -> Vec<Cell> {
    let q = row.roi;
    let mut cells = vec![Cell::text(row.channel.clone())];
    cells.extend([q.q50, q.mean, q.q05, q.q25, q.q75, q.q95].map(Cell::number));
    cells.push(Cell::maybe(row.prior.map(|p| p.q05)));
    cells.push(Cell::maybe(row.prior.map(|p| p.q95)));
    cells.push(Cell::number(row.spend));
    cells.push(Cell::maybe(row.above_target));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, interval, sound};

    fn sample() -> RoiForest {
        let row = |channel: &str, roi: f64, prior: bool| RoiRow {
            channel: channel.into(),
            roi: interval(roi, 0.3),
            prior: prior.then(|| interval(1.0, 1.0)),
            spend: 1e5,
            above_target: Some(0.5),
        };
        RoiForest {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            currency: "EUR".into(),
            target: Some(1.0),
            rows: vec![row("TV", 0.8, true), row("Search", 2.4, false)],
            colors: ChannelColors::new(&["TV", "Search"]),
        }
    }

    #[test]
    fn the_dot_lies_inside_both_bars() {
        let svg = sample().figure().svg;
        // The key comes first.
        let dots = &attribute(&svg, "circle", "marker", "cx")[1..];
        for class in ["thin", "thick"] {
            let low = &attribute(&svg, "line", class, "x1")[1..];
            let high = &attribute(&svg, "line", class, "x2")[1..];
            assert_eq!((dots.len(), low.len()), (2, 2));
            for ((dot, low), high) in dots.iter().zip(low).zip(high) {
                assert!(low <= dot && dot <= high);
            }
        }
    }

    #[test]
    fn a_prior_is_drawn_only_where_there_was_one() {
        let priors = |f: &Figure| attribute(&f.svg, "line", "prior", "x1").len();
        assert_eq!(priors(&sample().figure()), 2); // the key and TV
        let mut none = sample();
        none.rows[0].prior = None;
        assert_eq!(priors(&none.figure()), 0);
    }

    #[test]
    fn break_even_is_drawn_only_with_a_target() {
        assert!(sample().figure().svg.contains("break-even"));
        let mut orders = sample();
        orders.target = None;
        orders.outcome = Measure::new("orders", "");
        let figure = orders.figure();
        assert!(!figure.svg.contains("break-even") && !figure.svg.contains("class=\"ref\""));
        assert!(
            figure.svg.contains("Orders per EUR spent") || figure.svg.contains("orders per EUR")
        );
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0].roi = interval(x, x);
            chart.rows[1].spend = x;
            chart.rows[1].channel = NAMES[2].into();
            chart.target = Some(x);
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

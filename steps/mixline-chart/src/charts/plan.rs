//! C18: where the money is and where the plan puts it.
//!
//! One row per channel: a hollow grey circle for now, a filled one for the plan, an arrow from
//! one to the other; the limits that were set are ticks. The six numbers above the rows follow
//! from the rows, so budget and return always fit what is drawn.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::{Measure, finite, list};
use crate::number::{change_with_unit, compact, percent_change, with_unit};
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 30.0;
const TOP: f64 = 116.0;

/// A plan next to the present.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// Currency of spend.
    pub currency: String,
    /// Mean incremental outcome of the present allocation.
    pub outcome_now: f64,
    /// Mean incremental outcome of the plan.
    pub outcome_planned: f64,
    /// One row per channel; drawn from the largest raise to the largest cut.
    pub rows: Vec<PlanRow>,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRow {
    /// The channel.
    pub channel: String,
    /// Spend now, in units of the currency.
    pub now: f64,
    /// Spend planned.
    pub planned: f64,
    /// Least spend allowed.
    pub lower: Option<f64>,
    /// Most spend allowed.
    pub upper: Option<f64>,
    /// Outcome per unit of spend under the plan.
    pub roi: Option<f64>,
    /// Outcome of the next unit of spend under the plan.
    pub marginal_roi: Option<f64>,
    /// Whether the planned spend lies beyond what was ever observed.
    pub extrapolated: bool,
}

impl PlanRow {
    fn delta(&self) -> f64 {
        finite(self.planned) - finite(self.now)
    }

    /// Whether the plan sits on a limit, and on which.
    fn bound(&self) -> Option<&'static str> {
        let near = |limit: f64| (self.planned - limit).abs() <= 1e-6 * limit.abs().max(1e-9);
        if self.upper.is_some_and(near) {
            Some("at upper limit")
        } else if self.lower.is_some_and(near) {
            Some("at lower limit")
        } else {
            None
        }
    }

    fn note(&self) -> String {
        match (self.bound(), self.extrapolated) {
            (Some(bound), true) => format!("{bound}, untried"),
            (Some(bound), false) => bound.to_owned(),
            (None, true) => "untried".to_owned(),
            (None, false) => String::new(),
        }
    }

    /// Class of the direction of the change.
    fn class(&self) -> &'static str {
        match self.delta() {
            d if d > 0.0 => "pos",
            d if d < 0.0 => "neg",
            _ => "quiet",
        }
    }
}

/// Budget, return and outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Headline {
    budget: f64,
    roi: f64,
    outcome: f64,
}

impl Plan {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let rows = self.ranked();
        let words = Words {
            id: "C18",
            key: key_of(&self.key, "C18"),
            title: "Where to move the money".to_owned(),
            caption: self.caption(&rows),
            description: self.description(&rows),
        };
        words.with(self.draw(&rows), self.table(&rows))
    }

    fn ranked(&self) -> Vec<&PlanRow> {
        let mut rows: Vec<&PlanRow> = self.rows.iter().collect();
        rows.sort_by(|a, b| b.delta().total_cmp(&a.delta()));
        rows
    }

    fn headline(&self, spend: fn(&PlanRow) -> f64, outcome: f64) -> Headline {
        let budget = finite(self.rows.iter().map(|r| finite(spend(r))).sum());
        let roi = if budget > 0.0 {
            outcome / budget
        } else {
            f64::NAN
        };
        Headline {
            budget,
            roi,
            outcome,
        }
    }

    fn now(&self) -> Headline {
        self.headline(|r| r.now, self.outcome_now)
    }

    fn planned(&self) -> Headline {
        self.headline(|r| r.planned, self.outcome_planned)
    }

    fn draw(&self, rows: &[&PlanRow]) -> Svg {
        let left = axis::name_room(rows.iter().map(|r| r.channel.as_str()));
        let frame = Frame {
            left,
            right: NORMAL - 270.0,
            top: TOP,
            bottom: TOP + ROW * rows.len().max(1) as f64,
        };
        let scale = scale(rows, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C18"), NORMAL, frame.bottom + 44.0);
        self.draw_headlines(&mut svg);
        let title = crate::measure::axis_title("spend", &self.currency);
        axis::below(&mut svg, &frame, &scale, &title);
        self.draw_heads(&mut svg);
        let bands = Band::new(frame.top, ROW);
        for (i, row) in rows.iter().enumerate() {
            self.draw_row(&mut svg, &frame, &scale, bands.mid(i), row);
        }
        svg
    }

    fn draw_headlines(&self, svg: &mut Svg) {
        let (now, planned) = (self.now(), self.planned());
        let tiles = [
            ("Budget", &self.currency, now.budget, planned.budget),
            ("ROI", &String::new(), now.roi, planned.roi),
            (
                "Incremental outcome",
                &self.outcome.unit,
                now.outcome,
                planned.outcome,
            ),
        ];
        for (i, (name, unit, before, after)) in tiles.into_iter().enumerate() {
            let x = 2.0 + i as f64 * 250.0 - if i == 2 { 30.0 } else { 0.0 };
            let name = match i {
                2 => format!("Incremental {}", self.outcome.name),
                _ => name.to_owned(),
            };
            svg.text("note", (x, 12.0), Anchor::Start, &name);
            let arrow = format!("{} → {}", compact(before), with_unit(after, unit));
            svg.text("big", (x, 34.0), Anchor::Start, &arrow);
            let change = match before.abs() > 0.0 {
                true => percent_change((after - before) / before.abs()),
                false => String::new(),
            };
            let same = change.starts_with('0') || change.is_empty();
            let change = if same { "unchanged" } else { &change };
            svg.text("note", (x, 50.0), Anchor::Start, change);
        }
        let entries = [
            (Sign::Hollow, "base", "now"),
            (Sign::Triangle, "pos", "plan, raised"),
            (Sign::Triangle, "neg", "plan, cut"),
            (Sign::Tick, "quiet", "limit"),
        ];
        axis::key(svg, 2.0, NORMAL - 270.0, 76.0, &entries);
    }

    /// Right ends of the columns change and marginal return, left end of the notes.
    fn columns() -> [f64; 3] {
        [NORMAL - 150.0, NORMAL - 104.0, NORMAL - 96.0]
    }

    fn draw_heads(&self, svg: &mut Svg) {
        let [change, mroi, _] = Self::columns();
        svg.text("note", (change, TOP - 8.0), Anchor::End, "Change");
        if self.rows.iter().any(|r| r.marginal_roi.is_some()) {
            svg.text("note", (mroi, TOP - 8.0), Anchor::End, "mROI");
        }
    }

    fn draw_row(&self, svg: &mut Svg, frame: &Frame, scale: &Linear, y: f64, row: &PlanRow) {
        svg.group_titled(row.class(), &self.row_words(row));
        axis::name(svg, frame.left - 10.0, y, &row.channel);
        draw_limits(svg, scale, y, row);
        draw_dumbbell(svg, scale, y, row);
        let [change, mroi, note] = Self::columns();
        let delta = row.delta();
        let label = match row.now > 0.0 && delta != 0.0 {
            true => format!(
                "{}  {}",
                change_short(delta),
                percent_change(delta / row.now)
            ),
            false => change_short(delta),
        };
        svg.text("value", (change, y + 4.0), Anchor::End, &label);
        if let Some(value) = row.marginal_roi {
            svg.text("value", (mroi, y + 4.0), Anchor::End, &compact(value));
        }
        let notes = row.note();
        let lines: Vec<&str> = notes.split(", ").filter(|l| !l.is_empty()).collect();
        for (i, line) in lines.iter().enumerate() {
            let y = y + 4.0 + (i as f64 - (lines.len() as f64 - 1.0) / 2.0) * 13.0;
            svg.text("note", (note, y), Anchor::Start, line);
        }
        svg.close();
    }

    fn row_words(&self, row: &PlanRow) -> String {
        let note = row.note();
        format!(
            "{} {} to {}{}",
            row.channel,
            compact(row.now),
            with_unit(row.planned, &self.currency),
            if note.is_empty() {
                String::new()
            } else {
                format!(" ({note})")
            }
        )
    }

    fn caption(&self, rows: &[&PlanRow]) -> String {
        let (now, planned) = (self.now(), self.planned());
        let moved: f64 = rows.iter().map(|r| r.delta().max(0.0)).sum();
        let names = |sign: f64| -> String {
            let mut rows: Vec<_> = rows.iter().filter(|r| r.delta() * sign > 0.0).collect();
            rows.sort_by(|a, b| b.delta().abs().total_cmp(&a.delta().abs()));
            list(
                &rows
                    .iter()
                    .take(2)
                    .map(|r| r.channel.clone())
                    .collect::<Vec<_>>(),
            )
        };
        let (up, down) = (names(1.0), names(-1.0));
        let what = match (up.is_empty(), down.is_empty()) {
            (true, true) => return "The plan changes nothing.".to_owned(),
            (false, true) => format!("Adding {} to {up}", with_unit(moved, &self.currency)),
            (true, false) => format!("Cutting {down}"),
            (false, false) => format!(
                "Moving {}, mostly from {down} to {up},",
                with_unit(moved, &self.currency)
            ),
        };
        let delta = planned.outcome - now.outcome;
        let share = match now.outcome > 0.0 {
            true => format!(" ({})", percent_change(delta / now.outcome)),
            false => String::new(),
        };
        format!(
            "{what} is expected to change incremental {} by {}{share}.",
            self.outcome.name,
            self.outcome.change(delta)
        )
    }

    fn description(&self, rows: &[&PlanRow]) -> String {
        let rows: Vec<String> = rows.iter().map(|r| self.row_words(r)).collect();
        let (now, planned) = (self.now(), self.planned());
        format!(
            "Spend per channel now and in the plan. Budget {} to {}, return {} to {}. {}.",
            compact(now.budget),
            with_unit(planned.budget, &self.currency),
            compact(now.roi),
            compact(planned.roi),
            rows.join("; ")
        )
    }

    fn table(&self, rows: &[&PlanRow]) -> DataTable {
        let currency = &self.currency;
        let mut table = DataTable::new(vec![
            Column::words("Channel"),
            Column::numbers("Spend now", currency),
            Column::numbers("Spend planned", currency),
            Column::numbers("Change", currency),
            Column::numbers("Share now", ""),
            Column::numbers("Share planned", ""),
            Column::numbers("ROI", ""),
            Column::numbers("Marginal ROI", ""),
            Column::numbers("Lower limit", currency),
            Column::numbers("Upper limit", currency),
            Column::words("Limit reached"),
            Column::words("Beyond what was observed"),
        ]);
        let (now, planned) = (self.now().budget, self.planned().budget);
        table.rows = rows.iter().map(|r| cells(r, now, planned)).collect();
        table
    }
}

fn change_short(delta: f64) -> String {
    change_with_unit(delta, "")
}

fn cells(row: &PlanRow, now: f64, planned: f64) -> Vec<Cell> {
    vec![
        Cell::text(row.channel.clone()),
        Cell::number(row.now),
        Cell::number(row.planned),
        Cell::number(row.delta()),
        Cell::number(row.now / now),
        Cell::number(row.planned / planned),
        Cell::maybe(row.roi),
        Cell::maybe(row.marginal_roi),
        Cell::maybe(row.lower),
        Cell::maybe(row.upper),
        row.bound().map_or(Cell::Empty, Cell::text),
        Cell::text(if row.extrapolated { "yes" } else { "no" }),
    ]
}

fn scale(rows: &[&PlanRow], range: (f64, f64)) -> Linear {
    let spends = rows.iter().flat_map(|r| [r.now, r.planned]);
    let (low, high) = extent_with_zero(spends);
    // Limits are shown as far as they are near; a limit far away must not flatten the rest.
    let limits = rows
        .iter()
        .filter_map(|r| r.upper)
        .filter(|u| *u <= high * 1.4);
    let high = limits.fold(high, f64::max);
    Linear::exact(low, high + (high - low) * 0.03, range)
}

fn draw_limits(svg: &mut Svg, scale: &Linear, y: f64, row: &PlanRow) {
    let ends = (
        row.lower.unwrap_or(f64::NEG_INFINITY),
        row.upper.unwrap_or(f64::INFINITY),
    );
    if row.lower.is_some() || row.upper.is_some() {
        svg.line("grid", (scale.within(ends.0), y), (scale.within(ends.1), y));
    }
    let (first, last) = scale.domain();
    for limit in [row.lower, row.upper].into_iter().flatten() {
        if (first..=last).contains(&limit) {
            let x = scale.at(limit);
            svg.line("whisker", (x, y - 7.0), (x, y + 7.0));
        }
    }
}

fn draw_dumbbell(svg: &mut Svg, scale: &Linear, y: f64, row: &PlanRow) {
    let (now, planned) = (
        scale.within(finite(row.now)),
        scale.within(finite(row.planned)),
    );
    svg.line("thin", (now, y), (planned, y));
    svg.circle("hollow base", (now, y), 5.0);
    let direction = planned - now;
    if direction.abs() >= 10.0 {
        svg.arrow(
            "solid plan",
            (planned + direction.signum() * 5.0, y),
            direction,
            11.0,
        );
    } else {
        svg.circle("solid plan", (planned, y), 4.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn row(channel: &str, now: f64, planned: f64) -> PlanRow {
        PlanRow {
            channel: channel.into(),
            now,
            planned,
            lower: Some(now * 0.5),
            upper: Some(now * 1.5),
            roi: Some(2.0),
            marginal_roi: Some(1.1),
            extrapolated: planned > now * 1.4,
        }
    }

    fn sample() -> Plan {
        Plan {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            currency: "EUR".into(),
            outcome_now: 8e5,
            outcome_planned: 9e5,
            rows: vec![
                row("TV", 2e5, 1e5),
                row("Meta", 1e5, 1.5e5),
                row("Search", 1e5, 1.5e5),
            ],
        }
    }

    #[test]
    fn what_is_drawn_adds_up_to_the_budget() {
        let chart = sample();
        let rows = chart.ranked();
        let left = axis::name_room(rows.iter().map(|r| r.channel.as_str()));
        let scale = scale(&rows, (left, NORMAL - 270.0));
        let svg = chart.figure().svg;
        let drawn: f64 = attribute(&svg, "circle", "hollow base", "cx")
            .into_iter()
            .map(|x| scale.value(x))
            .sum();
        assert!((drawn / 4e5 - 1.0).abs() < 1e-3, "{drawn}");
        assert_eq!(chart.planned().budget, 4e5);
    }

    #[test]
    fn limits_reached_are_said() {
        let rows = sample().rows;
        assert_eq!(rows[0].note(), "at lower limit");
        assert_eq!(rows[1].note(), "at upper limit, untried");
        for r in &rows {
            assert!(r.planned >= r.lower.unwrap() && r.planned <= r.upper.unwrap());
        }
    }

    #[test]
    fn the_sentence_comes_from_the_data() {
        assert_eq!(
            sample().figure().caption.replace('\u{a0}', " "),
            "Moving 100 k EUR, mostly from TV to Meta and Search, is expected to change \
             incremental revenue by +100 k EUR (+12 %)."
        );
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0] = row(NAMES[0], x, 1.0);
            chart.rows[1] = row(NAMES[2], 1.0, x);
            chart.outcome_now = x;
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

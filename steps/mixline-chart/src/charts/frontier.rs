//! C20: what the best plan would bring at every budget.
//!
//! The line is the best plan's outcome, dashes are present spend scaled up or down. Today lies on
//! the dashes, today's money better spent on the line above it.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::marks;
use crate::measure::{Interval, Measure, axis_title, incremental};
use crate::number::{compact, with_unit};
use crate::scale::{Linear, extent, extent_with_zero};
use crate::svg::Svg;
use crate::table::{Cell, Column, DataTable};

/// Best outcomes by budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Frontier {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// Currency of the budget.
    pub currency: String,
    /// By rising budget.
    pub points: Vec<FrontierPoint>,
    /// Budget and outcome of spend going on as it is.
    pub today: Option<(f64, f64)>,
    /// Budget and outcome of the plan.
    pub planned: Option<(f64, f64)>,
}

/// The best plan at one budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrontierPoint {
    /// Budget.
    pub budget: f64,
    /// Outcome of the best plan.
    pub response: Interval,
    /// Outcome of present spend scaled to the budget.
    pub proportional: f64,
    /// Outcome of the next unit of budget.
    pub marginal: f64,
}

impl Frontier {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C20",
            key: key_of(&self.key, "C20"),
            title: "What more or less budget would bring".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let frame = Frame {
            left: 64.0,
            right: NORMAL - 24.0,
            top: 52.0,
            bottom: 320.0,
        };
        let budgets = self.points.iter().map(|p| p.budget);
        let marks = [self.today, self.planned].into_iter().flatten();
        let (low, high) = extent(budgets.chain(marks.clone().map(|(x, _)| x)));
        let x = Linear::exact(low, high, frame.xs());
        let ends = self
            .points
            .iter()
            .flat_map(|p| [p.response.q05, p.response.q95]);
        let (low, high) = extent_with_zero(ends.chain(marks.map(|(_, y)| y)));
        let y = Linear::nice(low, high, frame.ys());
        let mut svg = Svg::new(&key_of(&self.key, "C20"), NORMAL, frame.bottom + 44.0);
        let entries = [
            (Sign::Line, "c0", "best plan, mean"),
            (Sign::Band, "c0", "50 % and 90 % intervals"),
            (Sign::Dashed, "base", "present spend, scaled"),
            (Sign::Hollow, "base", "today"),
            (Sign::Marker, "c0", "the plan"),
        ];
        axis::key(&mut svg, 2.0, NORMAL, 10.0, &entries);
        let title = incremental(&self.outcome);
        axis::left(&mut svg, &frame, &y, &title);
        axis::below(&mut svg, &frame, &x, &axis_title("budget", &self.currency));
        svg.group("c0");
        let at: Vec<_> = self
            .points
            .iter()
            .map(|p| (x.at(p.budget), p.response))
            .collect();
        marks::bands(&mut svg, &y, &at);
        let line: Vec<_> = at
            .iter()
            .map(|(x, draws)| (*x, y.within(draws.mean)))
            .collect();
        svg.polyline("median", &line);
        svg.close();
        svg.group("base");
        let scaled = self
            .points
            .iter()
            .map(|p| (x.at(p.budget), y.within(p.proportional)));
        svg.polyline("dashed", &scaled.collect::<Vec<_>>());
        svg.close();
        self.draw_marks(&mut svg, &x, &y);
        svg
    }

    fn draw_marks(&self, svg: &mut Svg, x: &Linear, y: &Linear) {
        for (class, shape, mark) in [
            ("base", "hollow", self.today),
            ("c0", "marker", self.planned),
        ] {
            let Some((budget, outcome)) = mark.filter(|(b, o)| b.is_finite() && o.is_finite())
            else {
                continue;
            };
            svg.group(class);
            svg.circle(shape, (x.within(budget), y.within(outcome)), 6.0);
            svg.close();
        }
    }

    fn caption(&self) -> String {
        let Some((first, last)) = self.points.first().zip(self.points.last()) else {
            return "No other budget was looked at.".to_owned();
        };
        format!(
            "Between {} and {} of budget, the next {} brings from {} down to {}.",
            compact(first.budget),
            with_unit(last.budget, &self.currency),
            if self.currency.is_empty() {
                "unit"
            } else {
                &self.currency
            },
            compact(first.marginal),
            compact(last.marginal),
        )
    }

    fn description(&self) -> String {
        let points: Vec<String> = self
            .points
            .iter()
            .map(|p| {
                format!(
                    "{}: {}",
                    with_unit(p.budget, &self.currency),
                    p.response.words()
                )
            })
            .collect();
        format!(
            "Outcome of the best plan by budget, mean, and median with 90 % interval. {}.",
            points.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let unit = &self.outcome.unit;
        let mut columns = vec![Column::numbers("Budget", &self.currency)];
        for name in [
            "Best plan, median",
            "Mean",
            "5 %",
            "25 %",
            "75 %",
            "95 %",
            "Present spend, scaled",
        ] {
            columns.push(Column::numbers(name, unit));
        }
        columns.push(Column::numbers("Marginal return", ""));
        let mut table = DataTable::new(columns);
        for p in &self.points {
            let r = p.response;
            let cells = [
                p.budget,
                r.q50,
                r.mean,
                r.q05,
                r.q25,
                r.q75,
                r.q95,
                p.proportional,
                p.marginal,
            ];
            table.rows.push(cells.map(Cell::number).to_vec());
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NASTY, attribute, interval, path, sound};

    fn sample() -> Frontier {
        let point = |k: i32| {
            let budget = f64::from(k) * 10.0;
            let best = 100.0 * budget / (budget + 50.0);
            FrontierPoint {
                budget,
                response: interval(best, 8.0),
                proportional: best - 4.0,
                marginal: 5000.0 / (budget + 50.0).powi(2),
            }
        };
        Frontier {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            currency: "EUR".into(),
            points: (5..=15).map(point).collect(),
            today: Some((100.0, 62.0)),
            planned: Some((100.0, 66.0)),
        }
    }

    #[test]
    fn the_line_rises_bends_down_and_today_lies_below_it() {
        let svg = sample().figure().svg;
        let line = path(&svg, "median");
        for three in line.windows(3) {
            // Pixels grow downwards.
            let (first, second) = (three[0].1 - three[1].1, three[1].1 - three[2].1);
            assert!(first > 0.0 && second > 0.0 && second <= first + 0.05);
        }
        let today = attribute(&svg, "circle", "hollow", "cy");
        let planned = attribute(&svg, "circle", "marker", "cy");
        assert!(today.last() > planned.last());
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.points[2].budget = x;
            chart.points[3].response = interval(x, x);
            chart.today = Some((x, x));
            sound(&chart.figure());
            chart.points.clear();
            sound(&chart.figure());
        }
    }
}

//! C22: what experiments measured beside what the model says about the same experiments.

use crate::axis::{self, Frame};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::marks::{self, Named};
use crate::measure::{Measure, axis_title};
use crate::number::{compact, count};
use crate::scale::{Linear, extent_with_zero};
use crate::svg::Svg;
use crate::table::{Cell, Column, DataTable};

/// Experiments and the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome.
    pub outcome: Measure,
    /// One point per experiment.
    pub experiments: Vec<Experiment>,
}

/// One experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Name.
    pub name: String,
    /// Lift measured: estimate, 5 % and 95 % end of its interval.
    pub measured: (f64, f64, f64),
    /// Lift by the model: median, 5 % and 95 % quantile.
    pub modelled: (f64, f64, f64),
}

impl Experiment {
    /// Whether both 90 % intervals share something.
    fn agrees(&self) -> bool {
        self.modelled.1 <= self.measured.2 && self.measured.1 <= self.modelled.2
    }
}

impl Calibration {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C22",
            key: key_of(&self.key, "C22"),
            title: "Experiments and the model".to_owned(),
            caption: self.caption(),
            description: self.description(),
        };
        words.with(self.draw(), self.table())
    }

    fn draw(&self) -> Svg {
        let frame = Frame {
            left: 72.0,
            right: 72.0 + 420.0,
            top: 28.0,
            bottom: 28.0 + 420.0,
        };
        let ends = self.experiments.iter().flat_map(|e| {
            [
                e.measured.0,
                e.measured.1,
                e.measured.2,
                e.modelled.0,
                e.modelled.1,
                e.modelled.2,
            ]
        });
        // One range for both axes: the diagonal is agreement.
        let (low, high) = extent_with_zero(ends);
        let (x, y) = (
            Linear::nice(low, high, frame.xs()),
            Linear::nice(low, high, frame.ys()),
        );
        let mut svg = Svg::new(&key_of(&self.key, "C22"), NORMAL, frame.bottom + 44.0);
        axis::left(
            &mut svg,
            &frame,
            &y,
            &axis_title(
                &format!("lift of {} by the model", self.outcome.name),
                &self.outcome.unit,
            ),
        );
        axis::below(
            &mut svg,
            &frame,
            &x,
            &axis_title(
                &format!("lift of {} measured", self.outcome.name),
                &self.outcome.unit,
            ),
        );
        let (low, high) = x.domain();
        svg.line("ref", (x.at(low), y.at(low)), (x.at(high), y.at(high)));
        let known: Vec<&Experiment> = self
            .experiments
            .iter()
            .filter(|e| e.measured.0.is_finite() && e.modelled.0.is_finite())
            .collect();
        for e in &known {
            svg.group_titled("c0", &words(e));
            let (a, b) = (x.within(e.measured.0), y.within(e.modelled.0));
            svg.line(
                "hair",
                (x.within(e.measured.1), b),
                (x.within(e.measured.2), b),
            );
            svg.line(
                "hair",
                (a, y.within(e.modelled.1)),
                (a, y.within(e.modelled.2)),
            );
            svg.circle("marker", (a, b), 5.0);
            svg.close();
        }
        let named = |e: &&Experiment| Named {
            at: (x.within(e.measured.0), y.within(e.modelled.0)),
            radius: 5.0,
            name: e.name.clone(),
        };
        let names: Vec<Named> = known.iter().map(named).collect();
        marks::names(
            &mut svg,
            &names,
            (frame.left, frame.top, NORMAL, frame.bottom),
        );
        svg
    }

    fn caption(&self) -> String {
        let agreeing = self.experiments.iter().filter(|e| e.agrees()).count();
        format!(
            "The model agrees with {agreeing} of {} within 90 % intervals.",
            count(self.experiments.len(), "experiment", "experiments")
        )
    }

    fn description(&self) -> String {
        let all: Vec<String> = self.experiments.iter().map(words).collect();
        format!(
            "One point per experiment, measured lift across, the model's up. {}.",
            all.join("; ")
        )
    }

    fn table(&self) -> DataTable {
        let unit = &self.outcome.unit;
        let mut columns = vec![Column::words("Experiment")];
        for name in [
            "Measured",
            "Measured, 5 %",
            "Measured, 95 %",
            "Model",
            "Model, 5 %",
            "Model, 95 %",
        ] {
            columns.push(Column::numbers(name, unit));
        }
        let mut table = DataTable::new(columns);
        for e in &self.experiments {
            let (a, b) = (e.measured, e.modelled);
            let mut cells = vec![Cell::text(e.name.clone())];
            cells.extend([a.0, a.1, a.2, b.0, b.1, b.2].map(Cell::number));
            table.rows.push(cells);
        }
        table
    }
}

fn words(e: &Experiment) -> String {
    format!(
        "{}: measured {} ({} to {}), model {} ({} to {})",
        e.name,
        compact(e.measured.0),
        compact(e.measured.1),
        compact(e.measured.2),
        compact(e.modelled.0),
        compact(e.modelled.1),
        compact(e.modelled.2)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Calibration {
        let e = |name: &str, at: f64| Experiment {
            name: name.into(),
            measured: (at, at - 5.0, at + 5.0),
            modelled: (at, at - 3.0, at + 3.0),
        };
        Calibration {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            experiments: vec![e("geo TV", 20.0), e("geo Meta", 80.0)],
        }
    }

    #[test]
    fn both_axes_have_one_range() {
        let svg = sample().figure().svg;
        let (x, y) = (
            attribute(&svg, "circle", "marker", "cx"),
            attribute(&svg, "circle", "marker", "cy"),
        );
        for (x, y) in x.iter().zip(&y) {
            assert!(
                ((x - 72.0) - (448.0 - y)).abs() < 0.05,
                "agreement lies on the diagonal"
            );
        }
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.experiments[0].measured = (x, x, x);
            chart.experiments[1].name = NAMES[2].into();
            sound(&chart.figure());
            chart.experiments.clear();
            sound(&chart.figure());
        }
    }
}

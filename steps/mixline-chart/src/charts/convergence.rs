//! C16: whether the chains agree, one dot per parameter.
//!
//! Above: R-hat, with the limit and, for comparison, the much looser one of another tool. Below:
//! effective draws, bulk and tail. Parameters stand in groups; within a group they are spread.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::number::{compact, count};
use crate::scale::{Linear, Log};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Convergence of every parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Convergence {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// Every parameter.
    pub parameters: Vec<Parameter>,
    /// Trajectories that diverged.
    pub divergences: usize,
    /// Draws in all.
    pub draws: usize,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Label.
    pub name: String,
    /// Block it belongs to: `saturation_beta`.
    pub group: String,
    /// R-hat.
    pub r_hat: f64,
    /// Effective draws, bulk.
    pub ess_bulk: f64,
    /// Effective draws, tail.
    pub ess_tail: f64,
}

/// R-hat up to which chains agree.
const PASS: f64 = 1.01;
/// Meridian's limit, drawn for comparison.
const LOOSE: f64 = 1.2;
/// Effective draws that are enough.
const ENOUGH: f64 = 400.0;

impl Convergence {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let words = Words {
            id: "C16",
            key: key_of(&self.key, "C16"),
            title: "Do the chains agree".to_owned(),
            caption: self.caption(),
            description: self.caption(),
        };
        words.with(self.draw(), self.table())
    }

    /// Names of the groups in the order of the parameters.
    fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = Vec::new();
        for parameter in &self.parameters {
            if !groups.contains(&parameter.group.as_str()) {
                groups.push(&parameter.group);
            }
        }
        groups
    }

    fn worst(&self) -> f64 {
        self.parameters
            .iter()
            .map(|p| p.r_hat)
            .filter(|r| r.is_finite())
            .fold(1.0, f64::max)
    }

    fn fewest(&self) -> f64 {
        let all = self
            .parameters
            .iter()
            .flat_map(|p| [p.ess_bulk, p.ess_tail]);
        all.filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min)
    }

    fn draw(&self) -> Svg {
        let groups = self.groups();
        let left = axis::name_room(groups.iter().copied());
        let rows = 20.0 * groups.len().max(1) as f64;
        let middle = left + (NORMAL - left) / 2.0;
        let top = 34.0;
        let hat = Frame {
            left,
            right: middle - 20.0,
            top,
            bottom: top + rows,
        };
        let ess = Frame {
            left: middle + 20.0,
            right: NORMAL - 20.0,
            ..hat
        };
        let mut svg = Svg::new(&key_of(&self.key, "C16"), NORMAL, hat.bottom + 44.0);
        let entries = [
            (Sign::Marker, "c0", "R-hat, or bulk draws"),
            (Sign::Hollow, "c0", "tail draws"),
            (Sign::Reference, "ink", "limit"),
        ];
        axis::key(&mut svg, 2.0, NORMAL, 10.0, &entries);
        let x = Linear::nice(1.0, self.worst().max(1.012), hat.xs());
        axis::below(&mut svg, &hat, &x, "R-hat");
        for limit in [PASS, LOOSE].into_iter().filter(|l| *l <= x.domain().1) {
            svg.line("ref", (x.at(limit), hat.top), (x.at(limit), hat.bottom));
        }
        let most = self.draws.max(1000) as f64 * 1.5;
        let log = Log::new(self.fewest().clamp(10.0, 100.0), most, ess.xs());
        for tick in log.ticks() {
            svg.line("grid", (log.at(tick), ess.top), (log.at(tick), ess.bottom));
            svg.text(
                "axis",
                (log.at(tick), ess.bottom + 16.0),
                Anchor::Middle,
                &compact(tick),
            );
        }
        svg.line(
            "ref",
            (log.at(ENOUGH), ess.top),
            (log.at(ENOUGH), ess.bottom),
        );
        axis::title_below(&mut svg, &ess, "Effective draws");
        for (g, group) in groups.iter().enumerate() {
            let y = top + 20.0 * (g as f64 + 0.5);
            axis::name(&mut svg, left - 8.0, y, group);
            svg.group("c0");
            for p in self.parameters.iter().filter(|p| p.group == *group) {
                if p.r_hat.is_finite() {
                    svg.circle("dot", (x.within(p.r_hat), y), 3.0);
                }
                for (class, value) in [("hollow", p.ess_tail), ("dot", p.ess_bulk)] {
                    if value.is_finite() {
                        svg.circle(class, (log.at(value), y), 3.0);
                    }
                }
            }
            svg.close();
        }
        svg
    }

    fn caption(&self) -> String {
        let n = count(self.parameters.len(), "parameter", "parameters");
        let diverged = count(self.divergences, "trajectory", "trajectories");
        if self.parameters.iter().all(|p| !p.r_hat.is_finite()) {
            return format!("The draws of {n} are no Markov chains; there is nothing to converge.");
        }
        format!(
            "Over {n}, the largest R-hat is {:.4} (limit {PASS}), the fewest effective draws are {} (limit {ENOUGH}); {diverged} of {} diverged.",
            self.worst(),
            compact(self.fewest()),
            compact(self.draws as f64),
        )
    }

    fn table(&self) -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Parameter"),
            Column::numbers("R-hat", ""),
            Column::numbers("Effective draws, bulk", ""),
            Column::numbers("Effective draws, tail", ""),
        ]);
        for p in &self.parameters {
            let mut cells = vec![Cell::text(p.name.clone())];
            cells.extend([p.r_hat, p.ess_bulk, p.ess_tail].map(Cell::number));
            table.rows.push(cells);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, sound};

    fn sample() -> Convergence {
        let parameter = |k: i32| Parameter {
            name: format!("beta[{k}]"),
            group: if k < 3 { "beta" } else { "alpha" }.into(),
            r_hat: 1.0 + 0.001 * f64::from(k),
            ess_bulk: 2000.0 - 100.0 * f64::from(k),
            ess_tail: 1500.0,
        };
        Convergence {
            key: String::new(),
            parameters: (0..6).map(parameter).collect(),
            divergences: 1,
            draws: 4000,
        }
    }

    #[test]
    fn the_worst_told_is_the_worst_of_the_table() {
        let figure = sample().figure();
        assert!(
            figure.caption.contains("1.0050") && figure.caption.contains("1.5\u{a0}k"),
            "{}",
            figure.caption
        );
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.parameters[0].r_hat = x;
            chart.parameters[1].ess_bulk = x;
            chart.parameters[2].group = NAMES[2].into();
            sound(&chart.figure());
            chart.parameters.clear();
            sound(&chart.figure());
        }
    }
}

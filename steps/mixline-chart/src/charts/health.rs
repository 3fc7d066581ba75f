//! C17: the checks of a model on one card, the worst first.

use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::number::{compact, count};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 26.0;

/// Checks of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// One row per check.
    pub checks: Vec<Check>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It deserves a look.
    Review,
    /// It fails.
    Fail,
}

impl Verdict {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Review => "review",
            Self::Fail => "fail",
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Pass => "pos",
            Self::Review => "c4",
            Self::Fail => "neg",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Measured value.
    pub value: Option<f64>,
    /// Limit it was compared with.
    pub limit: Option<f64>,
}

impl Health {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let checks = self.ranked();
        let words = Words {
            id: "C17",
            key: key_of(&self.key, "C17"),
            title: "Health of the model".to_owned(),
            caption: self.caption(),
            description: description(&checks),
        };
        words.with(self.draw(&checks), table(&checks))
    }

    fn ranked(&self) -> Vec<&Check> {
        let mut checks: Vec<&Check> = self.checks.iter().collect();
        checks.sort_by_key(|check| std::cmp::Reverse(check.verdict));
        checks
    }

    fn draw(&self, checks: &[&Check]) -> Svg {
        let height = 30.0 + ROW * checks.len().max(1) as f64;
        let mut svg = Svg::new(&key_of(&self.key, "C17"), NORMAL, height);
        svg.text("note", (NORMAL - 110.0, 14.0), Anchor::End, "Value");
        svg.text("note", (NORMAL - 20.0, 14.0), Anchor::End, "Limit");
        for (i, check) in checks.iter().enumerate() {
            let y = 34.0 + ROW * i as f64;
            svg.line("grid", (0.0, y - 13.0), (NORMAL, y - 13.0));
            svg.group_titled(check.verdict.class(), &words(check));
            draw_sign(&mut svg, check.verdict, (14.0, y));
            svg.text(
                "label strong",
                (30.0, y + 4.0),
                Anchor::Start,
                check.verdict.word(),
            );
            svg.text_within(
                "label",
                (84.0, y + 4.0),
                Anchor::Start,
                &check.name,
                NORMAL - 290.0,
            );
            for (value, x) in [(check.value, NORMAL - 110.0), (check.limit, NORMAL - 20.0)] {
                if let Some(value) = value {
                    svg.text("value", (x, y + 4.0), Anchor::End, &compact(value));
                }
            }
            svg.close();
        }
        svg
    }

    fn caption(&self) -> String {
        let number = |verdict: Verdict| self.checks.iter().filter(|c| c.verdict == verdict).count();
        let (fail, review) = (number(Verdict::Fail), number(Verdict::Review));
        let all = count(self.checks.len(), "check", "checks");
        match (fail, review) {
            (0, 0) => format!("All of {all} hold."),
            (0, n) => format!("Of {all}, none fails and {n} ask for a look."),
            (m, n) => format!("Of {all}, {m} fail and {n} ask for a look."),
        }
    }
}

/// A circle with a tick, a triangle, or a square with a cross: shape tells as much as colour.
fn draw_sign(svg: &mut Svg, verdict: Verdict, (x, y): (f64, f64)) {
    match verdict {
        Verdict::Pass => {
            svg.circle("solid", (x, y), 8.0);
            svg.polyline(
                "glyph",
                &[(x - 3.5, y), (x - 1.0, y + 3.0), (x + 4.0, y - 3.0)],
            );
        }
        Verdict::Review => {
            svg.polygon(
                "solid",
                &[(x, y - 8.0), (x + 8.5, y + 7.0), (x - 8.5, y + 7.0)],
            );
            svg.polyline("glyph", &[(x, y - 3.0), (x, y + 2.0)]);
            svg.polyline("glyph", &[(x, y + 4.6), (x, y + 4.8)]);
        }
        Verdict::Fail => {
            svg.rect("solid", (x - 7.5, x + 7.5), (y - 7.5, y + 7.5));
            svg.polyline("glyph", &[(x - 3.0, y - 3.0), (x + 3.0, y + 3.0)]);
            svg.polyline("glyph", &[(x + 3.0, y - 3.0), (x - 3.0, y + 3.0)]);
        }
    }
}

fn words(check: &Check) -> String {
    let value = check
        .value
        .map(|v| format!(" {}", compact(v)))
        .unwrap_or_default();
    let limit = check
        .limit
        .map(|l| format!(" (limit {})", compact(l)))
        .unwrap_or_default();
    format!("{}: {}{value}{limit}", check.verdict.word(), check.name)
}

fn description(checks: &[&Check]) -> String {
    let checks: Vec<String> = checks.iter().map(|check| words(check)).collect();
    format!("One row per check, the worst first. {}.", checks.join("; "))
}

fn table(checks: &[&Check]) -> DataTable {
    let mut table = DataTable::new(vec![
        Column::words("Verdict"),
        Column::words("Check"),
        Column::numbers("Value", ""),
        Column::numbers("Limit", ""),
    ]);
    for check in checks {
        table.rows.push(vec![
            Cell::text(check.verdict.word()),
            Cell::text(check.name.clone()),
            Cell::maybe(check.value),
            Cell::maybe(check.limit),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, sound};

    fn sample() -> Health {
        let check = |name: &str, verdict: Verdict| Check {
            name: name.into(),
            verdict,
            value: Some(1.004),
            limit: Some(1.01),
        };
        Health {
            key: String::new(),
            checks: vec![
                check("R-hat", Verdict::Pass),
                check("baseline", Verdict::Fail),
                check("coverage", Verdict::Review),
            ],
        }
    }

    #[test]
    fn the_worst_comes_first_and_is_said_in_words() {
        let chart = sample();
        let order: Vec<&str> = chart.ranked().iter().map(|c| c.verdict.word()).collect();
        assert_eq!(order, ["fail", "review", "pass"]);
        let svg = chart.figure().svg;
        assert!(svg.contains(">fail</text>") && svg.contains(">pass</text>"));
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.checks[0].value = Some(x);
            chart.checks[1].name = NAMES[2].into();
            sound(&chart.figure());
            chart.checks.clear();
            sound(&chart.figure());
        }
    }
}

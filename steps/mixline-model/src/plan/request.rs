//! From what is asked for to a problem that can be solved.

use mixline_numerics::allocation::{Cell, Group, Infeasible, Problem, Total};

use super::spec::{Budget, CellBounds, PlanSpec};
use super::surface::PlanCell;
use crate::model::Model;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// Contributions that cannot be planned channel by channel.
    #[error("plans need effects that add up, which {0} rules out")]
    NotAdditive(&'static str),
    /// No periods.
    #[error("`periods` and `reference_periods` must be at least 1")]
    Periods,
    /// No channel has spend.
    #[error("no channel has spend: there is nothing to plan")]
    NoSpend,
    /// A name that is not a channel.
    #[error("`{key}` names `{name}`, which is no planned channel ({known})")]
    Unknown {
        /// Where it stands.
        key: String,
        /// The name.
        name: String,
        /// The channels there are.
        known: String,
    },
    /// A number out of range.
    #[error("`{key}` is {value}, but must be {rule}")]
    Number {
        /// Where it stands.
        key: String,
        /// The number.
        value: f64,
        /// What it must be.
        rule: &'static str,
    },
    /// Constraints that contradict each other.
    #[error("the constraints contradict each other: {0}")]
    Infeasible(#[from] Infeasible),
}

/// What a cell is called in messages: `tv`, or `tv in north`.
pub(super) fn name_of(model: &Model, cell: &PlanCell) -> String {
    let channel = &model.panel.channels[cell.channel].name;
    match cell.geo {
        Some(g) => format!("{channel} in {}", model.panel.geos[g]),
        None => channel.clone(),
    }
}

/// The bounds of every cell, before the budget is looked at. `inside`: never beyond what was seen.
fn bounds(model: &Model, cells: &[PlanCell], spec: &PlanSpec, inside: bool) -> Vec<Cell> {
    cells
        .iter()
        .map(|cell| {
            let own = spec.channels.get(&model.panel.channels[cell.channel].name);
            let mut own = own.cloned().unwrap_or_default();
            if cell.geo.is_some() {
                // Over all regions together: see `channel_groups`.
                (own.min, own.max) = (None, None);
            }
            bound(name_of(model, cell), cell, spec, &own, inside)
        })
        .collect()
}

fn bound(name: String, cell: &PlanCell, spec: &PlanSpec, own: &CellBounds, inside: bool) -> Cell {
    if own.locked {
        return Cell::new(name, cell.current, cell.current);
    }
    let change = own.max_change.or(spec.max_change);
    let (least, most) = match change {
        Some(change) if cell.current > 0.0 => {
            let least = cell.current * (1.0 - change).max(0.0);
            (least, cell.current * (1.0 + change))
        }
        // Nothing is spent now: up to what was seen before.
        Some(_) => (0.0, cell.observed_most),
        None => (0.0, 3.0 * cell.observed_most),
    };
    let lower = own.min.unwrap_or(least);
    let mut upper = own.max.unwrap_or(most.max(lower));
    if inside {
        upper = upper.min(cell.observed_most.max(cell.current)).max(lower);
    }
    Cell {
        name,
        lower,
        upper,
        chunk: own.chunk.unwrap_or(0.0),
    }
}

/// The problem a plan for `planned` cells solves. `inside`: never beyond what was seen.
pub(super) fn problem(
    model: &Model,
    planned: &[PlanCell],
    spec: &PlanSpec,
    inside: bool,
) -> Result<Problem, PlanError> {
    check(model, planned, spec)?;
    let cells = bounds(model, planned, spec, inside);
    let mut groups: Vec<Group> = spec
        .groups
        .iter()
        .map(|group| {
            let members = members(model, planned, &group.channels);
            limited(&group.name, members, group.min, group.max)
        })
        .collect();
    groups.extend(channel_groups(model, planned, spec));
    let current: f64 = planned.iter().map(|cell| cell.current).sum();
    let fixed = |amount: f64| Total::fixed(snapped(amount, &cells));
    let total = match spec.budget {
        Budget::Current => fixed(current),
        Budget::Total(amount) => fixed(amount),
        Budget::TimesCurrent(factor) => fixed(current * factor),
        Budget::Flexible { min, max, .. } => Total {
            lower: min.unwrap_or(0.0),
            upper: max.unwrap_or(cells.iter().map(|cell| cell.upper).sum()),
            price: 0.0,
        },
    };
    Ok(Problem {
        cells,
        groups,
        total,
    })
}

fn members(model: &Model, planned: &[PlanCell], channels: &[String]) -> Vec<usize> {
    let of = planned.iter().enumerate();
    let is_member = |cell: &PlanCell| channels.contains(&model.panel.channels[cell.channel].name);
    of.filter(|(_, cell)| is_member(cell))
        .map(|(i, _)| i)
        .collect()
}

fn limited(name: &str, members: Vec<usize>, min: Option<f64>, max: Option<f64>) -> Group {
    Group {
        name: name.to_owned(),
        members,
        lower: min.unwrap_or(0.0),
        upper: max.unwrap_or(f64::INFINITY),
    }
}

/// In a plan by geo, a channel's least and most spend limit all its geos together.
fn channel_groups(model: &Model, planned: &[PlanCell], spec: &PlanSpec) -> Vec<Group> {
    if planned.iter().all(|cell| cell.geo.is_none()) {
        return Vec::new();
    }
    let channels = spec.channels.iter();
    let limits = channels.filter(|(_, own)| own.min.is_some() || own.max.is_some());
    limits
        .map(|(name, own)| {
            let members = members(model, planned, std::slice::from_ref(name));
            limited(name, members, own.min, own.max)
        })
        .collect()
}

/// A budget that differs from the sum of all bounds by rounding alone is that sum.
fn snapped(amount: f64, cells: &[Cell]) -> f64 {
    let (least, most) = cells
        .iter()
        .fold((0.0, 0.0), |(a, b), cell| (a + cell.lower, b + cell.upper));
    let near = |bound: f64| (amount - bound).abs() <= 1e-9 * bound;
    [least, most]
        .into_iter()
        .find(|bound| near(*bound))
        .unwrap_or(amount)
}

fn check(model: &Model, planned: &[PlanCell], spec: &PlanSpec) -> Result<(), PlanError> {
    let known: Vec<&str> = planned
        .iter()
        .map(|cell| model.panel.channels[cell.channel].name.as_str())
        .collect();
    let is_known = |key: String, name: &str| {
        if known.contains(&name) {
            return Ok(());
        }
        let mut names = known.clone();
        names.dedup();
        Err(PlanError::Unknown {
            key,
            name: name.to_owned(),
            known: names.join(", "),
        })
    };
    for name in spec.channels.keys() {
        is_known("channels".to_owned(), name)?;
    }
    for group in &spec.groups {
        for name in &group.channels {
            is_known(format!("groups.{}.channels", group.name), name)?;
        }
    }
    spec.check_numbers()
}

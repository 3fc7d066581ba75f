//! The plans: best, best inside what was seen, greedy, and the best at other budgets.

use mixline_numerics::allocation::{self, Allocation, Method, Problem, Tree, greedy};

use super::objective::{Weighted, of_outcome};
use super::request::{PlanError, problem};
use super::spec::{Budget, Goal, PlanSpec, Utility};
use super::surface::Surface;
use super::utility::{self, gains, utility};
use crate::model::Model;
use crate::response::Interval;

/// How a plan was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanMethod {
    /// Current spend, as it is.
    Current,
    /// Newton on the KKT conditions.
    KktNewton,
    /// Envelopes with branch and bound.
    BranchAndBound,
    /// Reweighting of draws, each problem solved exactly.
    Pessimist,
    /// Moves from the lowest marginal return to the highest.
    Greedy,
}

impl PlanMethod {
    /// As tables have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "none",
            Self::KktNewton => "kkt_newton",
            Self::BranchAndBound => "branch_and_bound",
            Self::Pessimist => "pessimist",
            Self::Greedy => "greedy",
        }
    }
}

/// One cell of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct CellPlan {
    /// Spend.
    pub spend: f64,
    /// Least spend allowed.
    pub lower: f64,
    /// Most spend allowed.
    pub upper: f64,
    /// What keeps it from moving on: `lower`, `upper`, `locked`, `off`, a group, or nothing.
    pub bound: String,
    /// Whether no period exceeds the most ever spent in one.
    pub inside_observed: bool,
    /// Outcome of this spend.
    pub response: Interval,
    /// Outcome of the next unit of spend.
    pub marginal: Interval,
}

/// A plan and what it brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How it was found.
    pub method: PlanMethod,
    /// Cells, in the surface's order.
    pub cells: Vec<CellPlan>,
    /// Outcome of all planned spend.
    pub response: Interval,
    /// Outcome beyond that of current spend.
    pub gain: Interval,
    /// Probability that the gain is above 0.
    pub probability_of_gain: f64,
    /// The goal at the plan; for a utility other than the mean, that of the gain.
    pub value: f64,
    /// No plan within the constraints reaches more than this; infinite when nothing is proven.
    pub bound: f64,
}

impl Plan {
    /// Spend of all cells.
    #[must_use]
    pub fn budget(&self) -> f64 {
        self.cells.iter().map(|cell| cell.spend).sum()
    }

    /// What is proven, in a sentence.
    #[must_use]
    pub fn certificate(&self) -> String {
        let gap = (self.bound - self.value).max(0.0) / self.value.abs().max(f64::MIN_POSITIVE);
        match self.method {
            PlanMethod::Current => "Current spend, not optimised.".to_owned(),
            PlanMethod::Greedy => {
                "Step by step from low to high marginal return; nothing is proven.".to_owned()
            }
            PlanMethod::KktNewton => format!(
                "Optimal: responses are concave, and no allowed plan is better by more than {gap:.1e} of the value."
            ),
            PlanMethod::BranchAndBound => format!(
                "No allowed plan is better by more than {gap:.1e} of the value, as far as responses bend at most once between the knots they were computed at."
            ),
            PlanMethod::Pessimist if self.bound.is_finite() => format!(
                "No allowed plan is better by more than {gap:.1e} of the value: a bound, not a proof that this one is best."
            ),
            PlanMethod::Pessimist => "The best of those tried; nothing is proven.".to_owned(),
        }
    }
}

/// The plans that answer one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Plans {
    /// Going on as it is.
    pub current: Plan,
    /// The best within the constraints.
    pub best: Plan,
    /// The one of the highest mean, when the goal is another utility: what care has given up.
    pub highest_mean: Option<Plan>,
    /// The best that spends nowhere more per period than was ever spent; `None` when the
    /// constraints ask for more.
    pub inside_observed: Option<Plan>,
    /// What step-by-step reallocation finds.
    pub greedy: Plan,
}

/// The best plan at one budget.
#[derive(Debug, Clone, PartialEq)]
pub struct FrontierPoint {
    /// Budget over that of the plan.
    pub multiplier: f64,
    /// Budget.
    pub budget: f64,
    /// Outcome of the best plan.
    pub response: Interval,
    /// Outcome of current spend scaled to the budget, mean.
    pub proportional: f64,
    /// Outcome of the next unit of budget, mean.
    pub marginal: f64,
    /// No plan with this budget has a higher mean outcome; infinite when nothing is proven.
    pub bound: f64,
}

/// The best spend of every cell alone, without what it brings.
///
/// # Errors
/// [`PlanError`], naming the key or the constraints.
pub fn best_spend(
    model: &Model,
    surface: &Surface,
    spec: &PlanSpec,
) -> Result<Allocation, PlanError> {
    let asked = problem(model, surface.cells(), spec, false)?;
    Context::new(surface, spec).found(&asked)
}

/// Finds the best plan alone.
///
/// # Errors
/// [`PlanError`], naming the key or the constraints.
pub fn best(model: &Model, surface: &Surface, spec: &PlanSpec) -> Result<Plan, PlanError> {
    let asked = problem(model, surface.cells(), spec, false)?;
    Context::new(surface, spec).solved(&asked)
}

/// Finds the plans.
///
/// # Errors
/// [`PlanError`], naming the key or the constraints.
pub fn optimise(model: &Model, surface: &Surface, spec: &PlanSpec) -> Result<Plans, PlanError> {
    let context = Context::new(surface, spec);
    let asked = problem(model, surface.cells(), spec, false)?;
    let best = context.solved(&asked)?;
    let highest_mean = match spec.goal.utility {
        Utility::Mean => None,
        _ => Some(Context::new(surface, &by_mean(spec)).solved(&asked)?),
    };
    let inside = problem(model, surface.cells(), spec, true)?;
    let inside_observed = match context.solved(&inside) {
        Ok(plan) => Some(plan),
        Err(PlanError::Infeasible(_)) => None,
        Err(other) => return Err(other),
    };
    let budget = best.budget();
    let mut fixed = asked.clone();
    fixed.total = allocation::Total::fixed(budget);
    let tree = Tree::new(&fixed)?;
    let moved = greedy::solve(&tree, &Weighted::even(surface, spec.goal), &context.current);
    Ok(Plans {
        current: context.plan(PlanMethod::Current, &tree, &context.current, f64::INFINITY),
        greedy: context.plan(PlanMethod::Greedy, &tree, &moved.amounts, f64::INFINITY),
        best,
        highest_mean,
        inside_observed,
    })
}

/// The plan of the highest mean at multiples of the plan's budget. Relative limits move with it;
/// multiples at which the constraints contradict each other are left out.
///
/// # Errors
/// [`PlanError`] for a request that is wrong at every budget.
pub fn frontier(
    model: &Model,
    surface: &Surface,
    spec: &PlanSpec,
    budget: f64,
    multipliers: &[f64],
) -> Result<Vec<FrontierPoint>, PlanError> {
    let current = current_spend(surface);
    let baseline = surface.total(&current);
    let spent = current.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let mut points = Vec::new();
    for &multiplier in multipliers {
        let total = budget * multiplier;
        // A careful goal measures gains over current spend; beside another budget that means little.
        let at = PlanSpec {
            budget: Budget::Total(total),
            ..by_mean(spec)
        };
        let scaled = surface.with_current(total / spent);
        let context = Context {
            surface,
            spec: &at,
            baseline: baseline.clone(),
            current: current.clone(),
            certified: false,
        };
        let asked = problem(model, &scaled, &at, false)?;
        let plan = match context.solved(&asked) {
            Ok(plan) => plan,
            Err(PlanError::Infeasible(_)) => continue,
            Err(other) => return Err(other),
        };
        let next = plan.cells.iter().filter(|cell| cell.spend < cell.upper);
        let next = next.map(|cell| cell.marginal.mean).fold(0.0, f64::max);
        let scaled: Vec<f64> = scaled.iter().map(|cell| cell.current).collect();
        points.push(FrontierPoint {
            multiplier,
            budget: total,
            response: plan.response,
            proportional: mean(&surface.total(&scaled)),
            marginal: next,
            bound: highest_mean(surface, spec, &asked, &current)?,
        });
    }
    Ok(points)
}

/// The same request with the mean as its goal.
fn by_mean(spec: &PlanSpec) -> PlanSpec {
    PlanSpec {
        goal: Goal {
            utility: Utility::Mean,
            ..spec.goal
        },
        ..spec.clone()
    }
}

/// The outcome that no allocation exceeds in the mean.
fn highest_mean(
    surface: &Surface,
    spec: &PlanSpec,
    asked: &Problem,
    current: &[f64],
) -> Result<f64, PlanError> {
    let goal = Goal {
        outcome: 1.0,
        volume: 0.0,
        spend: 0.0,
        ..spec.goal
    };
    Ok(allocation::solve(asked, &Weighted::even(surface, goal), current)?.bound)
}

fn current_spend(surface: &Surface) -> Vec<f64> {
    surface.cells().iter().map(|cell| cell.current).collect()
}

fn mean(draws: &[f64]) -> f64 {
    draws.iter().sum::<f64>() / draws.len().max(1) as f64
}

/// What every plan of a request is measured against.
struct Context<'a> {
    surface: &'a Surface,
    spec: &'a PlanSpec,
    current: Vec<f64>,
    baseline: Vec<f64>,
    /// Whether bounds are wanted.
    certified: bool,
}

impl<'a> Context<'a> {
    fn new(surface: &'a Surface, spec: &'a PlanSpec) -> Self {
        let current = current_spend(surface);
        Self {
            surface,
            spec,
            baseline: surface.total(&current),
            current,
            certified: true,
        }
    }

    /// The best spend for a problem.
    fn found(&self, problem: &Problem) -> Result<Allocation, PlanError> {
        match self.spec.budget {
            Budget::Flexible {
                target_marginal_roas,
                target_roas,
                ..
            } => self.flexible(problem, target_marginal_roas, target_roas),
            _ => self.allocated(problem),
        }
    }

    /// The best plan for a problem.
    fn solved(&self, problem: &Problem) -> Result<Plan, PlanError> {
        let found = self.found(problem)?;
        let tree = Tree::new(problem)?;
        let method = match (self.spec.goal.utility, found.method) {
            (Utility::Mean, Method::KktNewton) => PlanMethod::KktNewton,
            (Utility::Mean, _) => PlanMethod::BranchAndBound,
            _ => PlanMethod::Pessimist,
        };
        Ok(self.plan(method, &tree, &found.amounts, found.bound))
    }

    fn allocated(&self, problem: &Problem) -> Result<Allocation, PlanError> {
        let goal = self.spec.goal;
        Ok(match goal.utility {
            Utility::Mean => {
                let objective = Weighted::even(self.surface, goal);
                allocation::solve(problem, &objective, &self.current)?
            }
            _ => utility::solve(self.surface, goal, problem, &self.current, self.certified)?,
        })
    }

    /// A budget that follows from a target.
    fn flexible(
        &self,
        problem: &Problem,
        marginal: Option<f64>,
        average: Option<f64>,
    ) -> Result<Allocation, PlanError> {
        let mut priced = problem.clone();
        priced.total.price = marginal.unwrap_or(0.0) * self.spec.goal.outcome;
        let found = self.allocated(&priced)?;
        // Bounds are compared with the goal itself, not with the goal less the price.
        let spent: f64 = found.amounts.iter().sum();
        let paid = match self.spec.goal.utility {
            Utility::Mean => spent,
            _ => spent - self.current.iter().sum::<f64>(),
        };
        let found = Allocation {
            bound: found.bound + priced.total.price * paid,
            value: found.value + priced.total.price * paid,
            ..found
        };
        let Some(target) = average else {
            return Ok(found);
        };
        let roas = |x: &[f64]| mean(&self.surface.total(x)) / x.iter().sum::<f64>();
        if roas(&found.amounts) >= target {
            return Ok(found);
        }
        self.largest_budget(problem, spent, &|x| roas(x) >= target)
    }

    /// The best plan at the largest budget at which it passes; at the least budget if none does.
    fn largest_budget(
        &self,
        problem: &Problem,
        most: f64,
        passes: &dyn Fn(&[f64]) -> bool,
    ) -> Result<Allocation, PlanError> {
        let least: f64 = problem.cells.iter().map(|cell| cell.lower).sum();
        let (mut low, mut high) = (least.max(problem.total.lower), most);
        let at = |budget: f64| {
            let mut fixed = problem.clone();
            fixed.total = allocation::Total::fixed(budget);
            self.allocated(&fixed)
        };
        let mut best = at(low)?;
        for _ in 0..30 {
            if high - low <= 1e-6 * high {
                break;
            }
            let middle = low + 0.5 * (high - low);
            let found = at(middle)?;
            if passes(&found.amounts) {
                (best, low) = (found, middle);
            } else {
                high = middle;
            }
        }
        Ok(best)
    }

    /// A plan with everything that is told of it.
    fn plan(&self, method: PlanMethod, tree: &Tree, x: &[f64], bound: f64) -> Plan {
        let groups = tree.binding(x);
        let mut draws = vec![0.0; self.surface.draws()];
        let mut cells = Vec::with_capacity(x.len());
        for (i, limits) in tree.cells().iter().enumerate() {
            let mut own = self.surface.each(i, x[i]);
            draws.iter_mut().zip(&own).for_each(|(sum, f)| *sum += f);
            let most = self.surface.cells()[i].observed_most;
            cells.push(CellPlan {
                spend: x[i],
                lower: limits.lower,
                upper: limits.upper,
                bound: what_binds(i, x[i], limits, &groups),
                inside_observed: x[i] <= most * (1.0 + 1e-9),
                response: Interval::of(&mut own),
                marginal: Interval::of(&mut self.surface.marginal(i, x[i])),
            });
        }
        let goal = &self.spec.goal;
        let in_goal = of_outcome(self.surface, goal, x, &draws);
        let before = of_outcome(self.surface, goal, &self.current, &self.baseline);
        // The mean of outcomes and the utility of gains differ by the outcome of current spend.
        let value = match goal.utility {
            Utility::Mean => mean(&in_goal),
            kind => utility(kind, &gains(&in_goal, &before)),
        };
        let mut gain: Vec<f64> = draws
            .iter()
            .zip(&self.baseline)
            .map(|(f, b)| f - b)
            .collect();
        let better = gain.iter().filter(|gain| **gain > 0.0).count();
        Plan {
            method,
            cells,
            response: Interval::of(&mut draws),
            probability_of_gain: better as f64 / gain.len().max(1) as f64,
            gain: Interval::of(&mut gain),
            value,
            bound: bound.max(value),
        }
    }
}

/// What keeps a cell from moving on.
fn what_binds(
    i: usize,
    x: f64,
    limits: &allocation::Cell,
    groups: &[(String, Vec<usize>)],
) -> String {
    let close = |bound: f64| (x - bound).abs() <= 1e-7 * limits.upper.max(f64::MIN_POSITIVE);
    let group = groups.iter().find(|(_, members)| members.contains(&i));
    if limits.lower == limits.upper {
        "locked".to_owned()
    } else if limits.is_chunked() && close(limits.lower) {
        "off".to_owned()
    } else if close(limits.lower) {
        "lower".to_owned()
    } else if close(limits.upper) {
        "upper".to_owned()
    } else {
        group.map_or_else(String::new, |(name, _)| name.clone())
    }
}

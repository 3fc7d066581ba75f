//! Concave responses: Newton on the Karush–Kuhn–Tucker conditions, with a certificate.
//!
//! At the optimum all cells between their bounds have one marginal response, the price. Each
//! iteration models the marginal response of a cell near its present amount as
//!
//! ```text
//! m(b) = f′(x) · exp( (f″(x) / f′(x)) (b − x) )
//! ```
//!
//! which is exact for responses that saturate exponentially, finds the prices at which demand
//! meets the constraints by bisection (no evaluations), and moves there. Six to nine evaluations
//! of each response are usual, whatever their number.
//!
//! The certificate is the Frank–Wolfe gap: a concave objective lies below its tangent, so
//!
//! ```text
//! max F ≤ F(x) + max_y ∇F(x) · (y − x),   y feasible,
//! ```
//!
//! and the maximum on the right is exact (Jaggi 2013, "Revisiting Frank–Wolfe").

use super::tree::Segment;
use super::{Allocation, Method, Objective, Point, Tree};

/// When to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Relative gap at which the answer is good enough.
    pub tolerance: f64,
    /// Newton steps at most.
    pub steps: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tolerance: 1e-13,
            steps: 60,
        }
    }
}

/// Responses at an allocation.
struct State {
    x: Vec<f64>,
    points: Vec<Point>,
    value: f64,
}

/// The best allocation when every response is concave. A chunk is ignored.
#[must_use]
pub fn solve(
    tree: &Tree,
    objective: &dyn Objective,
    start: &[f64],
    settings: Settings,
) -> Allocation {
    let mut evaluations = 0;
    let mut best = look(tree, objective, tree.nearest(start), None, &mut evaluations);
    let mut bound = best.value + gap(tree, &best);
    for _ in 0..settings.steps {
        if bound - best.value <= settings.tolerance * best.value.abs() {
            break;
        }
        let target = newton(tree, &best);
        let Some(next) = advance(tree, objective, &best, &target, &mut evaluations) else {
            break;
        };
        best = next;
        bound = bound.min(best.value + gap(tree, &best));
    }
    Allocation {
        amounts: best.x,
        value: best.value,
        bound: bound.max(best.value),
        evaluations,
        method: Method::KktNewton,
    }
}

/// Evaluates every cell, those that did not move since `last` excepted.
fn look(
    tree: &Tree,
    objective: &dyn Objective,
    x: Vec<f64>,
    last: Option<&State>,
    evaluations: &mut usize,
) -> State {
    let points: Vec<Point> = x
        .iter()
        .enumerate()
        .map(|(i, &x)| match last {
            Some(last) if last.x[i] == x => last.points[i],
            _ => {
                *evaluations += 1;
                point(tree, objective, i, x)
            }
        })
        .collect();
    let value = points.iter().map(|p| p.value).sum::<f64>() - tree.price() * x.iter().sum::<f64>();
    State { x, points, value }
}

/// The response of a cell; where its slope is infinite, as that of √x at 0, the slope a little
/// further on.
fn point(tree: &Tree, objective: &dyn Objective, i: usize, x: f64) -> Point {
    let at = objective.response(i, x);
    if at.slope.is_finite() && at.curvature.is_finite() {
        return at;
    }
    let cell = &tree.cells()[i];
    let near = objective.response(i, x + 1e-9 * (cell.upper - cell.lower));
    Point {
        value: at.value,
        ..near
    }
}

/// A feasible point at least as good on the way from `from` to `target`; `None` when there is none.
fn advance(
    tree: &Tree,
    objective: &dyn Objective,
    from: &State,
    target: &[f64],
    evaluations: &mut usize,
) -> Option<State> {
    let mut share = 1.0;
    for _ in 0..40 {
        let step = |(x, y): (&f64, &f64)| {
            if share == 1.0 {
                *y
            } else {
                x + share * (y - x)
            }
        };
        let x: Vec<f64> = from.x.iter().zip(target).map(step).collect();
        if x == from.x {
            return None;
        }
        let next = look(tree, objective, x, Some(from), evaluations);
        if next.value >= from.value - 1e-15 * from.value.abs() {
            return Some(next);
        }
        share *= 0.5;
    }
    None
}

/// max_y ∇F(x) · (y − x) over feasible y.
fn gap(tree: &Tree, state: &State) -> f64 {
    let line = |(cell, point): (&super::Cell, &Point)| {
        vec![Segment {
            slope: point.slope,
            length: cell.upper - cell.lower,
        }]
    };
    let segments: Vec<Vec<Segment>> = tree.cells().iter().zip(&state.points).map(line).collect();
    let best = tree.fill(&segments);
    best.iter()
        .zip(&state.x)
        .zip(&state.points)
        .map(|((y, x), point)| (point.slope - tree.price()) * (y - x))
        .sum::<f64>()
        .max(0.0)
}

/// Where the modelled demands meet the constraints.
fn newton(tree: &Tree, state: &State) -> Vec<f64> {
    let models: Vec<Marginal> = (0..state.x.len())
        .map(|i| {
            let cell = &tree.cells()[i];
            Marginal {
                x: state.x[i],
                slope: state.points[i].slope,
                curvature: state.points[i].curvature,
                lower: cell.lower,
                upper: cell.upper,
            }
        })
        .collect();
    let ends = models.iter().flat_map(|m| [m.at(m.lower), m.at(m.upper)]);
    let (low, high) = ends.fold((tree.price(), tree.price()), |(low, high), slope| {
        (low.min(slope), high.max(slope))
    });
    let margin = 1e-6 * (low.abs() + high.abs()) + f64::MIN_POSITIVE;
    tree.settle((low - margin, high + margin), &|i, price| {
        models[i].demand(price)
    })
}

/// The marginal response of a cell as modelled near its present amount.
struct Marginal {
    x: f64,
    slope: f64,
    curvature: f64,
    lower: f64,
    upper: f64,
}

impl Marginal {
    /// Whether the model falls: a straight response has one price at which it takes anything.
    fn falls(&self) -> bool {
        self.curvature * (self.upper - self.lower) < -1e-14 * self.slope.abs()
    }

    fn at(&self, b: f64) -> f64 {
        if !self.falls() {
            self.slope
        } else if self.slope > 0.0 {
            let exponent = self.curvature / self.slope * (b - self.x);
            self.slope * exponent.clamp(-600.0, 600.0).exp()
        } else {
            self.slope + self.curvature * (b - self.x)
        }
    }

    /// The amount at which the marginal response is the price.
    fn demand(&self, price: f64) -> f64 {
        let wanted = if !self.falls() {
            match price.total_cmp(&self.slope) {
                std::cmp::Ordering::Less => self.upper,
                std::cmp::Ordering::Equal => self.x,
                std::cmp::Ordering::Greater => self.lower,
            }
        } else if self.slope <= 0.0 {
            self.x + (price - self.slope) / self.curvature
        } else if price > 0.0 {
            self.x + self.slope / self.curvature * (price / self.slope).ln()
        } else {
            self.upper
        };
        wanted.clamp(self.lower, self.upper)
    }
}

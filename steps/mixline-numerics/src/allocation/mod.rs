//! Sharing a total over cells, each with its own response: how much goes where.
//!
//! ```text
//! maximise   Σᵢ fᵢ(xᵢ) − price · Σᵢ xᵢ
//! subject to lowerᵢ ≤ xᵢ ≤ upperᵢ     (or xᵢ = 0, or xᵢ at least a chunk)
//!            lower_k ≤ Σ_{i ∈ k} xᵢ ≤ upper_k     for groups k, nested or disjoint
//!            lower ≤ Σᵢ xᵢ ≤ upper
//! ```
//!
//! - [`concave`]: Newton on the conditions of Karush, Kuhn and Tucker, with a duality certificate;
//! - [`branch`]: concave envelopes and branch and bound, for responses that are S-shaped;
//! - [`greedy`]: moves from the lowest marginal response to the highest, for comparison;
//! - [`tree`]: the constraints, as a tree; what is feasible, nearest, best for linear responses.
//!
//! Every result carries an upper bound that no feasible allocation can beat.

pub mod branch;
pub mod concave;
pub mod greedy;
mod hull;
pub mod tree;

pub use tree::{Infeasible, Tree};

#[cfg(test)]
mod tests;

/// A response and its derivatives at a point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// f(x).
    pub value: f64,
    /// f′(x).
    pub slope: f64,
    /// f″(x).
    pub curvature: f64,
}

/// What is maximised, cell by cell.
pub trait Objective {
    /// f, f′ and f″ of a cell. `x` is within the cell's bounds. All three must be finite where
    /// x > 0; slope and curvature may be infinite at 0.
    fn response(&self, cell: usize, x: f64) -> Point;

    /// Whether the cell's response is known to be concave between its bounds.
    fn concave(&self, cell: usize) -> bool;
}

/// What one cell may receive.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// Name, for messages.
    pub name: String,
    /// Least amount.
    pub lower: f64,
    /// Greatest amount.
    pub upper: f64,
    /// When above `lower`: the cell receives either `lower` or at least this much.
    pub chunk: f64,
}

impl Cell {
    /// A cell without a chunk.
    #[must_use]
    pub fn new(name: impl Into<String>, lower: f64, upper: f64) -> Self {
        Self {
            name: name.into(),
            lower,
            upper,
            chunk: 0.0,
        }
    }

    /// Whether the amounts between `lower` and the chunk are forbidden.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        self.chunk > self.lower
    }
}

/// Bounds on the sum of some cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Name, for messages.
    pub name: String,
    /// Indices of its cells.
    pub members: Vec<usize>,
    /// Least sum.
    pub lower: f64,
    /// Greatest sum.
    pub upper: f64,
}

/// Bounds on the sum of all cells, and what a unit is worth when it is not allocated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Total {
    /// Least sum.
    pub lower: f64,
    /// Greatest sum.
    pub upper: f64,
    /// Cost of one unit, in units of the response.
    pub price: f64,
}

impl Total {
    /// Exactly `amount`.
    #[must_use]
    pub fn fixed(amount: f64) -> Self {
        Self {
            lower: amount,
            upper: amount,
            price: 0.0,
        }
    }
}

/// The constraints of an allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Cells.
    pub cells: Vec<Cell>,
    /// Groups of cells, nested or disjoint.
    pub groups: Vec<Group>,
    /// The sum of all cells.
    pub total: Total,
}

/// An allocation and how good it is known to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Amount by cell.
    pub amounts: Vec<f64>,
    /// Objective at the allocation.
    pub value: f64,
    /// No feasible allocation has a higher objective.
    pub bound: f64,
    /// Evaluations of one cell's response.
    pub evaluations: usize,
    /// How it was found.
    pub method: Method,
}

impl Allocation {
    /// bound − value, over the size of the value.
    #[must_use]
    pub fn relative_gap(&self) -> f64 {
        (self.bound - self.value).max(0.0) / self.value.abs().max(f64::MIN_POSITIVE)
    }
}

/// How an allocation was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// [`concave::solve`].
    KktNewton,
    /// [`branch::solve`].
    BranchAndBound,
    /// [`greedy::solve`].
    Greedy,
}

/// The best allocation: by Newton where every response is concave, else by branch and bound.
///
/// `start` need not be feasible; the answer does not depend on it beyond rounding.
///
/// # Errors
/// [`Infeasible`], with the names of the constraints that contradict each other.
pub fn solve(
    problem: &Problem,
    objective: &dyn Objective,
    start: &[f64],
) -> Result<Allocation, Infeasible> {
    let tree = Tree::new(problem)?;
    let simple = |(i, cell): (usize, &Cell)| objective.concave(i) && !cell.is_chunked();
    if problem.cells.iter().enumerate().all(simple) {
        let settings = concave::Settings::default();
        Ok(concave::solve(&tree, objective, start, settings))
    } else {
        branch::solve(&tree, objective, start, branch::Settings::default())
    }
}

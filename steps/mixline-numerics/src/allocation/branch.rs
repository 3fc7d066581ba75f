//! Responses of any shape: concave envelopes, and branch and bound over where they fail.
//!
//! Put the least concave curve above every response, and the allocation that is best for those is
//! found exactly; its value bounds the true problem from above. By the theorem of Shapley and
//! Folkman almost every cell then sits where its response touches its envelope. Where one does not,
//! its range is split in two at that point, and both halves are bounded again. Tables of responses
//! gain a knot wherever the search stands, so envelopes become exact where it matters.
//!
//! The bound holds as long as a response bends at most once between neighbouring knots.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use super::hull::{Hull, Table};
use super::tree::Segment;
use super::{Allocation, Infeasible, Method, Objective, Tree, concave};

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Relative gap at which the answer is good enough.
    pub tolerance: f64,
    /// Nodes at most.
    pub nodes: usize,
    /// Intervals of the first table of each response.
    pub intervals: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            tolerance: 1e-9,
            nodes: 400,
            intervals: 48,
        }
    }
}

/// What a cell may take within a node of the search.
#[derive(Debug, Clone)]
struct Domain {
    lower: f64,
    upper: f64,
    chunk: Option<f64>,
    hull: Rc<Hull>,
    /// Knots of the table when the hull was made.
    knots: usize,
}

/// A part of the search: domains, and the best allocation for their envelopes.
struct Node {
    domains: Vec<Domain>,
    x: Vec<f64>,
    bound: f64,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Node {}
impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound)
    }
}

struct Search<'a> {
    tree: &'a Tree,
    objective: &'a dyn Objective,
    tables: Vec<Table<'a>>,
    settings: Settings,
    best: Option<(Vec<f64>, f64)>,
    /// The highest bound among parts of the search that were given up as good enough.
    closed: f64,
}

/// The best allocation for responses of any shape, with a proven bound.
///
/// # Errors
/// [`Infeasible::Chunks`] when no way of giving cells nothing or at least their chunk was found.
pub fn solve(
    tree: &Tree,
    objective: &dyn Objective,
    start: &[f64],
    settings: Settings,
) -> Result<Allocation, Infeasible> {
    let tables =
        tree.cells().iter().enumerate().map(|(i, cell)| {
            Table::new(objective, i, (cell.lower, cell.upper), settings.intervals)
        });
    let mut search = Search {
        tree,
        objective,
        tables: tables.collect(),
        settings,
        best: None,
        closed: f64::NEG_INFINITY,
    };
    let mut open = BinaryHeap::new();
    open.extend(search.root());
    search.consider(tree.nearest(start));
    for _ in 0..settings.nodes {
        let Some(node) = open.pop() else { break };
        if search.is_good_enough(node.bound) {
            search.closed = search.closed.max(node.bound);
            break;
        }
        match search.worst_cell(&node) {
            Some(cell) => open.extend(search.split(&node, cell)),
            None => search.closed = search.closed.max(node.bound),
        }
    }
    let open = open.peek().map_or(f64::NEG_INFINITY, |node| node.bound);
    search.finish(open)
}

impl<'a> Search<'a> {
    fn root(&mut self) -> Option<Node> {
        let domains = self.tree.cells().iter().enumerate().map(|(i, cell)| {
            let chunk = cell.is_chunked().then_some(cell.chunk);
            self.domain(i, (cell.lower, cell.upper), chunk)
        });
        let domains = domains.collect();
        self.node(domains)
    }

    fn domain(&self, cell: usize, (lower, upper): (f64, f64), chunk: Option<f64>) -> Domain {
        let table = &self.tables[cell];
        let hull = Rc::new(Hull::new(table, (lower, upper), chunk));
        Domain {
            lower,
            upper,
            chunk,
            hull,
            knots: table.len(),
        }
    }

    /// Solves a node's envelopes, adding knots where the solution stands until that changes
    /// nothing; `None` when the domains admit no allocation.
    fn node(&mut self, mut domains: Vec<Domain>) -> Option<Node> {
        let cells = self
            .tree
            .cells()
            .iter()
            .zip(&domains)
            .map(|(cell, domain)| super::Cell {
                lower: domain.lower,
                upper: domain.upper,
                ..cell.clone()
            });
        let tree = self.tree.with_cells(cells.collect())?;
        let (mut x, mut bound) = (Vec::new(), f64::INFINITY);
        for _ in 0..12 {
            let segments: Vec<Vec<Segment>> = domains.iter().map(|d| d.hull.segments()).collect();
            x = tree.fill(&segments);
            let tops: f64 = domains.iter().zip(&x).map(|(d, x)| d.hull.at(*x)).sum();
            bound = bound.min(tops - tree.price() * x.iter().sum::<f64>());
            if !self.refine(&mut domains, &x) {
                break;
            }
        }
        self.polish(&tree, &domains, &x);
        Some(Node { domains, x, bound })
    }

    /// Makes the solution's amounts knots, and envelopes exact at those that are; whether an envelope
    /// changed for it.
    fn refine(&self, domains: &mut [Domain], x: &[f64]) -> bool {
        let mut changed = false;
        for (i, domain) in domains.iter_mut().enumerate() {
            let value = self.tables[i].at(x[i]).value;
            if domain.hull.at(x[i]) > value {
                self.tables[i].sharpen(x[i], (domain.lower, domain.upper));
            }
            if self.tables[i].len() != domain.knots {
                *domain = self.domain(i, (domain.lower, domain.upper), domain.chunk);
                changed = true;
            }
        }
        changed
    }

    /// Improves on a node's solution where responses are concave around it.
    fn polish(&mut self, tree: &Tree, domains: &[Domain], x: &[f64]) {
        self.consider(x.to_vec());
        let cells = tree
            .cells()
            .iter()
            .zip(domains)
            .enumerate()
            .map(|(i, (cell, domain))| {
                let from = domain
                    .chunk
                    .filter(|chunk| x[i] >= *chunk)
                    .unwrap_or(domain.lower);
                let (lower, upper) = self.tables[i].concave_around(x[i], (from, domain.upper));
                super::Cell {
                    lower,
                    upper,
                    ..cell.clone()
                }
            });
        let Some(near) = tree.with_cells(cells.collect()) else {
            return;
        };
        let settings = concave::Settings {
            steps: 12,
            ..concave::Settings::default()
        };
        let polished = concave::solve(&near, self.objective, x, settings);
        self.consider(polished.amounts);
    }

    /// Keeps an allocation if it is feasible and the best so far.
    fn consider(&mut self, x: Vec<f64>) {
        let scale = x.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        let forbidden = |(x, cell): (&f64, &super::Cell)| {
            cell.is_chunked() && *x > cell.lower + 1e-9 * scale && *x < cell.chunk - 1e-9 * scale
        };
        if x.iter().zip(self.tree.cells()).any(forbidden)
            || self.tree.violation(&x) > 1e-9 * scale * x.len() as f64
        {
            return;
        }
        let spent: f64 = x.iter().sum();
        let responses = x
            .iter()
            .enumerate()
            .map(|(i, x)| self.tables[i].at(*x).value);
        let value = responses.sum::<f64>() - self.tree.price() * spent;
        if self.best.as_ref().is_none_or(|(_, best)| value > *best) {
            self.best = Some((x, value));
        }
    }

    fn is_good_enough(&self, bound: f64) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|(_, best)| bound - best <= self.settings.tolerance * best.abs())
    }

    /// The cell whose envelope is furthest above its response; `None` when all touch.
    fn worst_cell(&self, node: &Node) -> Option<usize> {
        let excess = |i: usize| {
            let (x, domain) = (node.x[i], &node.domains[i]);
            let forbidden = domain
                .chunk
                .is_some_and(|chunk| x > domain.lower && x < chunk);
            let above = domain.hull.at(x) - self.tables[i].at(x).value;
            (above, forbidden)
        };
        let splits = |i: &usize| {
            let domain = &node.domains[*i];
            domain.lower < node.x[*i] && node.x[*i] < domain.upper
        };
        let cells = (0..node.x.len()).filter(splits).map(|i| (i, excess(i)));
        let worst = cells.max_by(|(_, a), (_, b)| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
        let scale = self.best.as_ref().map_or(0.0, |(_, best)| best.abs());
        let least = 1e-3 * self.settings.tolerance * scale / node.x.len() as f64;
        worst
            .filter(|(_, (above, forbidden))| *forbidden || *above > least)
            .map(|(i, _)| i)
    }

    /// Both halves of a node, as far as they are feasible and promising.
    fn split(&mut self, node: &Node, cell: usize) -> Vec<Node> {
        let (x, domain) = (node.x[cell], node.domains[cell].clone());
        let halves = match domain.chunk {
            Some(chunk) if x < chunk => [
                ((domain.lower, domain.lower), None),
                ((chunk, domain.upper), None),
            ],
            chunk => [((domain.lower, x), chunk), ((x, domain.upper), None)],
        };
        let mut nodes = Vec::new();
        for (range, chunk) in halves {
            let mut domains = node.domains.clone();
            domains[cell] = self.domain(cell, range, chunk);
            let Some(half) = self.node(domains) else {
                continue;
            };
            let bound = half.bound.min(node.bound);
            if self.is_good_enough(bound) {
                self.closed = self.closed.max(bound);
            } else {
                nodes.push(Node { bound, ..half });
            }
        }
        nodes
    }

    fn finish(self, open: f64) -> Result<Allocation, Infeasible> {
        let evaluations = self.tables.iter().map(Table::len).sum();
        let (amounts, value) = self.best.ok_or(Infeasible::Chunks)?;
        Ok(Allocation {
            amounts,
            value,
            bound: open.max(self.closed).max(value),
            evaluations,
            method: Method::BranchAndBound,
        })
    }
}

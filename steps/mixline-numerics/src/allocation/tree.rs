//! The constraints as a tree: cells are leaves, groups are inner nodes, the total is the root.
//!
//! Groups that are nested or disjoint make a tree, and on a tree three questions have exact
//! answers by recursion: is there a feasible point, which point has a given price (each group
//! passes its price on, or sets its own when a bound binds), and which is best for responses made
//! of straight pieces (the best pieces first, within each group's bounds).

use super::{Cell, Problem, Total};

/// Constraints that contradict each other, by name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Infeasible {
    /// A bound that is not a number, or negative.
    #[error("`{name}` has the bound {value}: bounds are numbers of 0 or more")]
    Number {
        /// Cell or group.
        name: String,
        /// The bound.
        value: f64,
    },
    /// Lower above upper.
    #[error("`{name}` must have at least {lower} and at most {upper}")]
    Bounds {
        /// Cell or group.
        name: String,
        /// Least.
        lower: f64,
        /// Most.
        upper: f64,
    },
    /// A group needs more than its members can take.
    #[error("{what} must have at least {need}, but {members} can take at most {can}")]
    TooMuch {
        /// Group or total.
        what: String,
        /// What it needs.
        need: f64,
        /// Its members with their bounds.
        members: String,
        /// What they can take.
        can: f64,
    },
    /// A group may have less than its members need.
    #[error("{what} may have at most {most}, but {members} need at least {need}")]
    TooLittle {
        /// Group or total.
        what: String,
        /// What it may have.
        most: f64,
        /// Its members with their bounds.
        members: String,
        /// What they need.
        need: f64,
    },
    /// Groups that share some members but not all.
    #[error(
        "groups `{first}` and `{second}` overlap: one must contain the other, or they share nothing"
    )]
    Overlap {
        /// A group.
        first: String,
        /// The other.
        second: String,
    },
    /// A group with a member that does not exist, or none at all.
    #[error("group `{0}` has no cells, or one that does not exist")]
    Members(String),
    /// Chunks that leave no choice.
    #[error("no allocation gives every cell nothing or at least its chunk")]
    Chunks,
    /// No cells.
    #[error("there is nothing to allocate to")]
    Empty,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    Cell(usize),
    Group(usize),
}

#[derive(Debug, Clone)]
struct Inner {
    name: String,
    lower: f64,
    upper: f64,
    children: Vec<Node>,
}

/// A piece of a response on which it is a straight line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Response per unit.
    pub slope: f64,
    /// Units.
    pub length: f64,
}

/// The constraints, checked.
#[derive(Debug, Clone)]
pub struct Tree {
    cells: Vec<Cell>,
    /// The last one is the root.
    groups: Vec<Inner>,
    price: f64,
}

/// Rounding allowed where sums of bounds are compared.
const SLACK: f64 = 1e-9;

impl Tree {
    /// The tree of a problem.
    ///
    /// # Errors
    /// [`Infeasible`] when no allocation satisfies the constraints, or they make no tree.
    pub fn new(problem: &Problem) -> Result<Self, Infeasible> {
        check_numbers(problem)?;
        let groups = nest(problem)?;
        let mut tree = Self {
            cells: problem.cells.clone(),
            groups,
            price: problem.total.price,
        };
        tree.tighten(tree.root())?;
        Ok(tree)
    }

    /// The same groups with other bounds on the cells; `None` where nothing is feasible.
    pub(crate) fn with_cells(&self, cells: Vec<Cell>) -> Option<Self> {
        let mut tree = Self {
            cells,
            ..self.clone()
        };
        tree.tighten(tree.root()).ok()?;
        Some(tree)
    }

    /// Cells.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// Cost of one unit.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.price
    }

    fn root(&self) -> usize {
        self.groups.len() - 1
    }

    /// Raises lower and cuts upper bounds of groups to what their members allow; gives the range.
    fn tighten(&mut self, g: usize) -> Result<(f64, f64), Infeasible> {
        let (mut need, mut can) = (0.0, 0.0);
        for child in self.groups[g].children.clone() {
            let (lower, upper) = match child {
                Node::Cell(i) => (self.cells[i].lower, self.cells[i].upper),
                Node::Group(k) => self.tighten(k)?,
            };
            need += lower;
            can += upper;
        }
        let group = &self.groups[g];
        let slack = SLACK * (1.0 + need.abs().max(group.lower.abs()));
        let what = self.title(g);
        if group.lower > can + slack {
            let members = self.listed(g, |_, upper| format!("≤ {}", rounded(upper)));
            let (need, can) = (rounded(group.lower), rounded(can));
            return Err(Infeasible::TooMuch {
                what,
                need,
                members,
                can,
            });
        }
        if group.upper < need - slack {
            let members = self.listed(g, |lower, _| format!("≥ {}", rounded(lower)));
            let (most, need) = (rounded(group.upper), rounded(need));
            return Err(Infeasible::TooLittle {
                what,
                most,
                members,
                need,
            });
        }
        let group = &mut self.groups[g];
        group.lower = group.lower.max(need).min(can);
        group.upper = group.upper.min(can).max(group.lower);
        Ok((group.lower, group.upper))
    }

    fn title(&self, g: usize) -> String {
        if g == self.root() {
            "the total".to_owned()
        } else {
            format!("group `{}`", self.groups[g].name)
        }
    }

    /// Up to four members of a group with their bounds, as a clause.
    fn listed(&self, g: usize, bound: impl Fn(f64, f64) -> String) -> String {
        const SHOWN: usize = 4;
        let children = &self.groups[g].children;
        let mut words: Vec<String> = children
            .iter()
            .take(SHOWN)
            .map(|child| match child {
                Node::Cell(i) => {
                    let cell = &self.cells[*i];
                    format!("`{}` ({})", cell.name, bound(cell.lower, cell.upper))
                }
                Node::Group(k) => {
                    let group = &self.groups[*k];
                    format!(
                        "group `{}` ({})",
                        group.name,
                        bound(group.lower, group.upper)
                    )
                }
            })
            .collect();
        if children.len() > SHOWN {
            words.push(format!("{} more", children.len() - SHOWN));
        }
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => words.join(""),
        }
    }

    /// Names of the groups whose bound holds with equality at `x`, with the bound: the innermost
    /// first, the total not among them.
    #[must_use]
    pub fn binding(&self, x: &[f64]) -> Vec<(String, Vec<usize>)> {
        let inner = 0..self.root();
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-7 * (1.0 + b.abs());
        inner
            .map(|g| (g, self.leaves(g)))
            .filter(|(g, leaves)| {
                let sum: f64 = leaves.iter().map(|&i| x[i]).sum();
                close(sum, self.groups[*g].lower) || close(sum, self.groups[*g].upper)
            })
            .map(|(g, leaves)| (self.groups[g].name.clone(), leaves))
            .collect()
    }

    fn leaves(&self, g: usize) -> Vec<usize> {
        let children = self.groups[g].children.iter();
        children
            .flat_map(|child| match child {
                Node::Cell(i) => vec![*i],
                Node::Group(k) => self.leaves(*k),
            })
            .collect()
    }

    /// How far `x` is from satisfying every constraint: the largest violation.
    #[must_use]
    pub fn violation(&self, x: &[f64]) -> f64 {
        let cell = |(x, cell): (&f64, &Cell)| (cell.lower - x).max(x - cell.upper);
        let cells = x.iter().zip(&self.cells).map(cell);
        let groups = (0..self.groups.len()).map(|g| {
            let sum: f64 = self.leaves(g).iter().map(|&i| x[i]).sum();
            (self.groups[g].lower - sum).max(sum - self.groups[g].upper)
        });
        cells.chain(groups).fold(0.0, f64::max)
    }

    /// The feasible point nearest to `z`.
    #[must_use]
    pub fn nearest(&self, z: &[f64]) -> Vec<f64> {
        let free = Self {
            price: 0.0,
            ..self.clone()
        };
        let most = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let reach = most(&mut z.iter().map(|z| z.abs()))
            + most(&mut self.cells.iter().map(|cell| cell.upper));
        free.settle((-reach, reach), &|i, price| {
            (z[i] - price).clamp(self.cells[i].lower, self.cells[i].upper)
        })
    }

    /// The point at which every cell takes what it demands at the price it sees: the tree's own
    /// price, or another where the bounds of a group ask for it.
    ///
    /// `demand(cell, price)` falls as the price rises and stays within the cell's bounds;
    /// `prices` are a low and a high price beyond which no demand changes.
    pub(crate) fn settle(
        &self,
        prices: (f64, f64),
        demand: &dyn Fn(usize, f64) -> f64,
    ) -> Vec<f64> {
        let mut x = vec![0.0; self.cells.len()];
        self.place(Node::Group(self.root()), self.price, prices, demand, &mut x);
        x
    }

    /// What a node takes in all at a price.
    fn taken(&self, node: Node, price: f64, demand: &dyn Fn(usize, f64) -> f64) -> f64 {
        match node {
            Node::Cell(i) => demand(i, price),
            Node::Group(g) => {
                let group = &self.groups[g];
                self.asked(g, price, demand).clamp(group.lower, group.upper)
            }
        }
    }

    /// What the members of a group ask for at a price.
    fn asked(&self, g: usize, price: f64, demand: &dyn Fn(usize, f64) -> f64) -> f64 {
        let children = self.groups[g].children.iter();
        children
            .map(|child| self.taken(*child, price, demand))
            .sum()
    }

    /// Writes what the cells below a node take.
    fn place(
        &self,
        node: Node,
        price: f64,
        prices: (f64, f64),
        demand: &dyn Fn(usize, f64) -> f64,
        x: &mut [f64],
    ) {
        let g = match node {
            Node::Cell(i) => {
                x[i] = demand(i, price);
                return;
            }
            Node::Group(g) => g,
        };
        let group = &self.groups[g];
        let asked = self.asked(g, price, demand);
        let target = asked.clamp(group.lower, group.upper);
        if target == asked {
            for child in &group.children {
                self.place(*child, price, prices, demand, x);
            }
            return;
        }
        let (low, high) = self.bracket(g, target, prices, demand);
        for child in &group.children {
            self.place(*child, high, prices, demand, x);
        }
        let mut more = x.to_vec();
        for child in &group.children {
            self.place(*child, low, prices, demand, &mut more);
        }
        // Where demand jumps at a price, a mixture of both sides meets the target.
        let leaves = self.leaves(g);
        let (few, many): (f64, f64) = leaves
            .iter()
            .fold((0.0, 0.0), |(a, b), &i| (a + x[i], b + more[i]));
        let share = if many > few {
            ((target - few) / (many - few)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        for i in leaves {
            x[i] += share * (more[i] - x[i]);
        }
    }

    /// Two prices next to each other: at the first the members ask for the target or more, at the
    /// second for the target or less.
    fn bracket(
        &self,
        g: usize,
        target: f64,
        (mut low, mut high): (f64, f64),
        demand: &dyn Fn(usize, f64) -> f64,
    ) -> (f64, f64) {
        for _ in 0..400 {
            let middle = between(low, high);
            if !(low < middle && middle < high) {
                break;
            }
            let asked = self.asked(g, middle, demand);
            if asked == target {
                return (middle, middle);
            }
            if asked > target {
                low = middle;
            } else {
                high = middle;
            }
        }
        (low, high)
    }

    /// The best point for responses made of straight pieces, and its objective above the lower
    /// bounds. `segments` has the pieces of each cell from its lower bound on, steepest first.
    #[must_use]
    pub fn fill(&self, segments: &[Vec<Segment>]) -> Vec<f64> {
        let mut x: Vec<f64> = self.cells.iter().map(|cell| cell.lower).collect();
        let pieces = self.offer(self.root(), segments, &mut x);
        for piece in pieces.iter().take_while(|piece| piece.slope > self.price) {
            x[piece.cell] += piece.length;
        }
        x
    }

    /// Takes what a group needs for its lower bound, and gives the pieces it may take beyond,
    /// steepest first.
    fn offer(&self, g: usize, segments: &[Vec<Segment>], x: &mut [f64]) -> Vec<Piece> {
        let group = &self.groups[g];
        let mut pieces = Vec::new();
        for child in &group.children {
            match child {
                Node::Cell(i) => pieces.extend(segments[*i].iter().map(|segment| Piece {
                    cell: *i,
                    slope: segment.slope,
                    length: segment.length,
                })),
                Node::Group(k) => pieces.extend(self.offer(*k, segments, x)),
            }
        }
        // Stable: pieces of one cell stay in their order.
        pieces.sort_by(|a, b| b.slope.total_cmp(&a.slope));
        let held: f64 = self.leaves(g).iter().map(|&i| x[i]).sum();
        let (mut need, mut room) = (group.lower - held, group.upper - held);
        let mut rest = Vec::with_capacity(pieces.len());
        for mut piece in pieces {
            let length = piece.length.min(room.max(0.0));
            room -= length;
            let taken = length.min(need.max(0.0));
            need -= taken;
            x[piece.cell] += taken;
            piece.length = length - taken;
            if piece.length > 0.0 {
                rest.push(piece);
            }
        }
        rest
    }
}

/// A straight piece on offer.
#[derive(Debug, Clone, Copy)]
struct Piece {
    cell: usize,
    slope: f64,
    length: f64,
}

/// A price between two: halfway by ratio when both are of one sign and far apart.
fn between(low: f64, high: f64) -> f64 {
    if low > 0.0 && high > 4.0 * low {
        (low * high).sqrt()
    } else if high < 0.0 && low < 4.0 * high {
        -(low * high).sqrt()
    } else {
        low + 0.5 * (high - low)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn check_numbers(problem: &Problem) -> Result<(), Infeasible> {
    if problem.cells.is_empty() {
        return Err(Infeasible::Empty);
    }
    let Total { lower, upper, .. } = problem.total;
    let cells = problem.cells.iter().map(|c| (&c.name, c.lower, c.upper));
    let groups = problem.groups.iter().map(|g| (&g.name, g.lower, g.upper));
    let total = "total".to_owned();
    for (name, lower, upper) in cells.chain(groups).chain([(&total, lower, upper)]) {
        let name = name.clone();
        if lower.is_nan() || upper.is_nan() || lower < 0.0 || lower.is_infinite() {
            let value = if upper.is_nan() { upper } else { lower };
            return Err(Infeasible::Number { name, value });
        }
        if lower > upper {
            return Err(Infeasible::Bounds { name, lower, upper });
        }
    }
    for cell in &problem.cells {
        if cell.upper.is_infinite() || cell.chunk > cell.upper {
            let (name, lower, upper) = (cell.name.clone(), cell.chunk.max(cell.lower), cell.upper);
            return Err(Infeasible::Bounds { name, lower, upper });
        }
    }
    Ok(())
}

/// The groups as inner nodes, the root last, each with its children.
fn nest(problem: &Problem) -> Result<Vec<Inner>, Infeasible> {
    let mut order: Vec<&super::Group> = problem.groups.iter().collect();
    order.sort_by_key(|group| group.members.len());
    let sets: Vec<Vec<usize>> = order.iter().map(|group| members(group)).collect();
    for (group, set) in order.iter().zip(&sets) {
        if set.last().is_none_or(|last| *last >= problem.cells.len()) {
            return Err(Infeasible::Members(group.name.clone()));
        }
    }
    let mut inner: Vec<Inner> = order
        .iter()
        .map(|group| Inner {
            name: group.name.clone(),
            lower: group.lower,
            upper: group.upper,
            children: Vec::new(),
        })
        .collect();
    inner.push(Inner {
        name: "total".to_owned(),
        lower: problem.total.lower,
        upper: problem.total.upper,
        children: Vec::new(),
    });
    let root = sets.len();
    for k in 0..sets.len() {
        let parent = parent_of(k, &sets).map_err(|other| Infeasible::Overlap {
            first: order[k].name.clone(),
            second: order[other].name.clone(),
        })?;
        inner[parent.unwrap_or(root)].children.push(Node::Group(k));
    }
    for i in 0..problem.cells.len() {
        let parent = sets.iter().position(|set| set.binary_search(&i).is_ok());
        inner[parent.unwrap_or(root)].children.push(Node::Cell(i));
    }
    Ok(inner)
}

/// Members in order, each once.
fn members(group: &super::Group) -> Vec<usize> {
    let mut members = group.members.clone();
    members.sort_unstable();
    members.dedup();
    members
}

/// The smallest set after `k` that contains it; an error with the first that overlaps it.
fn parent_of(k: usize, sets: &[Vec<usize>]) -> Result<Option<usize>, usize> {
    let mut parent = None;
    for other in k + 1..sets.len() {
        let shared = sets[k]
            .iter()
            .filter(|i| sets[other].binary_search(i).is_ok());
        match shared.count() {
            0 => {}
            count if count == sets[k].len() => parent = parent.or(Some(other)),
            _ => return Err(other),
        }
    }
    Ok(parent)
}

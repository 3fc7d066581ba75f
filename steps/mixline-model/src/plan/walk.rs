//! Single moves, judged by the utility itself.

use mixline_numerics::allocation::Tree;

use super::spec::Goal;
use super::surface::Surface;
use super::utility::utility;

/// Single moves between two cells, or between a cell and what is not spent, judged by the utility
/// itself: where a gain is small beside its uncertainty, the best direction is a narrow one that no
/// mixture of the corners finds.
pub(super) struct Walk<'a> {
    surface: &'a Surface,
    goal: &'a Goal,
    x: Vec<f64>,
    /// Gain of each cell in every draw, its cost and price included.
    own: Vec<Vec<f64>>,
    total: Vec<f64>,
    price: f64,
    current: &'a [f64],
}

/// Halvings of the step, which begins at a twentieth of all spend.
const HALVINGS: usize = 12;
/// Moves at most.
const MOVES: usize = 400;

impl<'a> Walk<'a> {
    pub(super) fn new(
        surface: &'a Surface,
        goal: &'a Goal,
        price: f64,
        current: &'a [f64],
        x: &[f64],
    ) -> Self {
        let mut walk = Self {
            surface,
            goal,
            x: x.to_vec(),
            own: Vec::new(),
            total: vec![0.0; surface.draws()],
            price,
            current,
        };
        walk.own = (0..x.len()).map(|i| walk.gain(i, x[i])).collect();
        for own in &walk.own {
            walk.total
                .iter_mut()
                .zip(own)
                .for_each(|(sum, g)| *sum += g);
        }
        walk
    }

    /// What a cell gains over its current spend, in every draw.
    fn gain(&self, i: usize, x: f64) -> Vec<f64> {
        let per_unit = self.goal.volume * self.surface.cells()[i].units_per_spend
            - self.goal.spend
            - self.price;
        let (now, then) = (
            self.surface.each(i, self.current[i]),
            self.surface.each(i, x),
        );
        let straight = per_unit * (x - self.current[i]);
        let change = then.iter().zip(&now);
        change
            .map(|(a, b)| self.goal.outcome * (a - b) + straight)
            .collect()
    }

    /// The best point found, when it is better than `value`.
    pub(super) fn climb(mut self, tree: &Tree, value: f64) -> Option<(Vec<f64>, f64)> {
        let mut best = value;
        let mut step = self.x.iter().sum::<f64>().max(self.current.iter().sum()) / 20.0;
        let mut moves = 0;
        for _ in 0..HALVINGS {
            while moves < MOVES {
                let Some(higher) = self.step(tree, step, best) else {
                    break;
                };
                (best, moves) = (higher, moves + 1);
            }
            step *= 0.5;
        }
        (best > value).then_some((self.x, best))
    }

    /// Makes the best move of one size; the utility after it, when it is higher.
    fn step(&mut self, tree: &Tree, step: f64, best: f64) -> Option<f64> {
        let sides: Vec<Option<usize>> = (0..self.x.len()).map(Some).chain([None]).collect();
        let moved = |sign: f64| -> Vec<Option<Vec<f64>>> {
            let changed = |side: &Option<usize>| match side {
                Some(i) => {
                    let (x, cell) = (self.x[*i] + sign * step, &tree.cells()[*i]);
                    (cell.lower <= x && x <= cell.upper).then(|| self.gain(*i, x))
                }
                None => Some(vec![0.0; self.total.len()]),
            };
            sides.iter().map(changed).collect()
        };
        let (less, more) = (moved(-1.0), moved(1.0));
        let old = |side: Option<usize>, d: usize| side.map_or(0.0, |i| self.own[i][d]);
        let mut found: Option<(f64, usize, usize)> = None;
        for (a, giver) in less.iter().enumerate() {
            for (b, receiver) in more.iter().enumerate() {
                let (Some(giver), Some(receiver)) = (giver, receiver) else {
                    continue;
                };
                if a == b || !self.allowed(tree, sides[a], sides[b], step) {
                    continue;
                }
                let gain = |d: usize| {
                    self.total[d] + giver[d] - old(sides[a], d) + receiver[d] - old(sides[b], d)
                };
                let gains: Vec<f64> = (0..self.total.len()).map(gain).collect();
                let value = utility(self.goal.utility, &gains);
                if value > found.map_or(best + 1e-9 * best.abs(), |(value, ..)| value) {
                    found = Some((value, a, b));
                }
            }
        }
        let (value, a, b) = found?;
        for (side, changed, sign) in [(sides[a], &less[a], -1.0), (sides[b], &more[b], 1.0)] {
            let (Some(i), Some(changed)) = (side, changed) else {
                continue;
            };
            for (sum, (new, old)) in self.total.iter_mut().zip(changed.iter().zip(&self.own[i])) {
                *sum += new - old;
            }
            self.own[i].clone_from(changed);
            self.x[i] += sign * step;
        }
        Some(value)
    }

    fn allowed(
        &self,
        tree: &Tree,
        giver: Option<usize>,
        receiver: Option<usize>,
        step: f64,
    ) -> bool {
        let mut x = self.x.clone();
        for (side, change) in [(giver, -step), (receiver, step)] {
            if let Some(i) = side {
                x[i] += change;
            }
        }
        tree.violation(&x) <= 1e-9 * x.iter().sum::<f64>().abs()
    }
}

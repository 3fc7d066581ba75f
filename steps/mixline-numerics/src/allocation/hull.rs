//! A response known at some amounts, and the least concave curve above it.
//!
//! Between two neighbouring knots the response is taken to bend at most once; then value and slope
//! at both ends bound it from above:
//!
//! - concave there: by both tangents, so by the point where they meet;
//! - convex there: by the chord;
//! - first convex, then concave: by the tangent at the right end; and the other way round.

use std::cell::RefCell;

use super::tree::Segment;
use super::{Objective, Point};

/// Responses of one cell at ascending amounts.
pub(super) struct Table<'o> {
    objective: &'o dyn Objective,
    cell: usize,
    knots: RefCell<Vec<(f64, Point)>>,
}

impl<'o> Table<'o> {
    /// Knots from `lower` to `upper`, denser at the lower end, where responses bend most.
    pub(super) fn new(
        objective: &'o dyn Objective,
        cell: usize,
        (lower, upper): (f64, f64),
        intervals: usize,
    ) -> Self {
        let table = Self {
            objective,
            cell,
            knots: RefCell::default(),
        };
        for k in 0..=intervals {
            let share = k as f64 / intervals as f64;
            table.at(lower + (upper - lower) * share * share);
        }
        table.at(upper);
        table
    }

    /// The response at an amount, which becomes a knot.
    pub(super) fn at(&self, x: f64) -> Point {
        let mut knots = self.knots.borrow_mut();
        let place = knots.partition_point(|(at, _)| *at < x);
        match knots.get(place) {
            Some((at, point)) if *at == x => *point,
            _ => {
                let point = self.objective.response(self.cell, x);
                knots.insert(place, (x, point));
                point
            }
        }
    }

    /// Halves the intervals beside the knot `x` whose bound lies above the response at `x` itself:
    /// where the response bends within them, as it does at the end of a range.
    pub(super) fn sharpen(&self, x: f64, (lower, upper): (f64, f64)) {
        let middles: Vec<f64> = {
            let knots = self.knots.borrow();
            let here = knots.partition_point(|(at, _)| *at < x);
            let left = here
                .checked_sub(1)
                .map(|left| (left, here, Bend::ConcaveThenConvex));
            let right = (here, here + 1, Bend::ConvexThenConcave);
            let raised = |(a, b, raising): (usize, usize, Bend)| {
                let (a, b) = (knots.get(a)?, knots.get(b)?);
                let inside = lower <= a.0 && b.0 <= upper;
                (inside && bend(a, b) == raising).then(|| a.0.midpoint(b.0))
            };
            left.into_iter().chain([right]).filter_map(raised).collect()
        };
        for middle in middles {
            self.at(middle);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.knots.borrow().len()
    }

    /// The stretch around `x` on which the knots look concave.
    pub(super) fn concave_around(&self, x: f64, (lower, upper): (f64, f64)) -> (f64, f64) {
        let knots = self.knots.borrow();
        let inside: Vec<&(f64, Point)> = knots
            .iter()
            .filter(|(at, _)| (lower..=upper).contains(at))
            .collect();
        let here = inside.partition_point(|(at, _)| *at < x);
        let mut from = here.min(inside.len().saturating_sub(1));
        while from > 0 && bend(inside[from - 1], inside[from]) == Bend::Concave {
            from -= 1;
        }
        let mut to = here.saturating_sub(1).max(from);
        while to + 1 < inside.len() && bend(inside[to], inside[to + 1]) == Bend::Concave {
            to += 1;
        }
        match (inside.get(from), inside.get(to)) {
            (Some((a, _)), Some((b, _))) if *a <= x && x <= *b => (*a, *b),
            _ => (x, x),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bend {
    Concave,
    Convex,
    ConvexThenConcave,
    ConcaveThenConvex,
}

fn bend((x0, p0): &(f64, Point), (x1, p1): &(f64, Point)) -> Bend {
    let chord = (p1.value - p0.value) / (x1 - x0);
    match (p0.slope >= chord, chord >= p1.slope) {
        (true, true) => Bend::Concave,
        (false, false) => Bend::Convex,
        (false, true) => Bend::ConvexThenConcave,
        (true, false) => Bend::ConcaveThenConvex,
    }
}

/// The least concave curve above a response between two amounts: corners, ascending.
#[derive(Debug, Clone)]
pub(super) struct Hull {
    corners: Vec<(f64, f64)>,
}

impl Hull {
    /// `chunk`: amounts between `lower` and it are forbidden.
    pub(super) fn new(table: &Table<'_>, (lower, upper): (f64, f64), chunk: Option<f64>) -> Self {
        let ends = [lower, chunk.unwrap_or(lower), upper].map(|x| (x, table.at(x)));
        let knots = table.knots.borrow();
        let from = ends[1].0;
        let inside: Vec<&(f64, Point)> = knots
            .iter()
            .filter(|(x, _)| (from..=upper).contains(x))
            .collect();
        let mut points = vec![(lower, ends[0].1.value)];
        for (k, knot) in inside.iter().enumerate() {
            points.push((knot.0, knot.1.value));
            if let Some(next) = inside.get(k + 1) {
                points.extend(above(knot, next));
            }
        }
        Self {
            corners: upper_hull(points),
        }
    }

    /// Its straight pieces, steepest first.
    pub(super) fn segments(&self) -> Vec<Segment> {
        self.corners
            .windows(2)
            .map(|pair| Segment {
                slope: (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0),
                length: pair[1].0 - pair[0].0,
            })
            .collect()
    }

    /// Its height.
    pub(super) fn at(&self, x: f64) -> f64 {
        let right = self.corners.partition_point(|(at, _)| *at < x);
        match (
            right.checked_sub(1).map(|left| self.corners[left]),
            self.corners.get(right),
        ) {
            (_, Some((at, y))) if *at == x => *y,
            (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            (Some((_, y)), None) => y,
            (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        }
    }
}

/// The point between two knots that bounds the response from above.
fn above(left: &(f64, Point), right: &(f64, Point)) -> Option<(f64, f64)> {
    let ((x0, p0), (x1, p1)) = (left, right);
    let backward = (*x0, p0.value.max(p1.value - p1.slope * (x1 - x0)));
    let forward = (*x1, p1.value.max(p0.value + p0.slope * (x1 - x0)));
    match bend(left, right) {
        Bend::Convex => None,
        Bend::ConvexThenConcave => Some(backward),
        Bend::ConcaveThenConvex => Some(forward),
        Bend::Concave if !p0.slope.is_finite() => Some(backward),
        Bend::Concave => {
            let turn = p0.slope - p1.slope;
            let meet = (p1.value - p0.value - p1.slope * (x1 - x0)) / turn;
            let meet = if turn > 0.0 {
                meet.clamp(0.0, x1 - x0)
            } else {
                0.0
            };
            Some((x0 + meet, p0.value + p0.slope * meet))
        }
    }
}

/// Corners of the least concave curve above some points.
fn upper_hull(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    points.dedup_by(|later, first| later.0 == first.0);
    let mut corners: Vec<(f64, f64)> = Vec::with_capacity(points.len());
    for point in points {
        while let [.., a, b] = corners[..] {
            let turn = (b.1 - a.1) * (point.0 - b.0) - (point.1 - b.1) * (b.0 - a.0);
            if turn > 0.0 {
                break;
            }
            corners.pop();
        }
        corners.push(point);
    }
    corners
}

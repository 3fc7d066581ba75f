//! Flights: when to spend what a plan gives a channel.
//!
//! The spend of a channel is spread over the planned periods so that the mean outcome is highest,
//! within pacing limits. Periods are coupled by carry-over, so this is no sum of separate parts:
//!
//! ```text
//! maximise  mean_d Σ_t A_d [ s_d(h_dt + Σ_l w_dl r x_{t−l}) − s_d(h_dt) ]
//! subject to Σ x = X,  least · X/n ≤ x_t ≤ most · X/n
//! ```
//!
//! Accelerated projected gradient (Beck and Teboulle 2009). For concave responses the Frank–Wolfe
//! gap bounds what is missed; for S-shaped ones several starts are tried, and nothing is proven.

use mixline_numerics::allocation::tree::Segment;
use mixline_numerics::allocation::{Cell, Problem, Total, Tree};
use mixline_numerics::lanes::{dot, vectorized};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request::PlanError;
use super::strip::Strip;
use super::surface::Surface;
use crate::kernel::saturation::{Curve, with_curve};
use crate::response::Interval;

/// How far a period's spend may be from an even share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pacing {
    /// Least spend of a period, as a multiple of the even share.
    pub least: f64,
    /// Most spend of a period, as a multiple of the even share.
    pub most: f64,
}

/// The flight of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Flight {
    /// Spend by planned period.
    pub spend: Vec<f64>,
    /// Mean outcome.
    pub response: f64,
    /// No flight within the limits has a higher mean; infinite when nothing is proven.
    pub bound: f64,
}

/// The flights of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Flights {
    /// One per cell.
    pub cells: Vec<Flight>,
    /// Outcome of all.
    pub response: Interval,
    /// Outcome beyond that of the same spend spread evenly.
    pub gain: Interval,
    /// Probability that the gain is above 0.
    pub probability_of_gain: f64,
}

/// Steps of the gradient method.
const STEPS: usize = 300;
/// Relative gap that is good enough.
const TOLERANCE: f64 = 1e-7;

/// The best flights for the spend of every cell.
///
/// # Errors
/// [`PlanError::Number`] for pacing that leaves no even spread; [`PlanError::Infeasible`] never,
/// since an even spread is always allowed.
pub fn flights(surface: &Surface, spend: &[f64], pacing: Pacing) -> Result<Flights, PlanError> {
    for (key, value, holds) in [
        (
            "pacing.least",
            pacing.least,
            (0.0..=1.0).contains(&pacing.least),
        ),
        (
            "pacing.most",
            pacing.most,
            pacing.most >= 1.0 && pacing.most.is_finite(),
        ),
    ] {
        if !holds {
            let rule = "`least` between 0 and 1, `most` at least 1: multiples of an even share";
            let key = key.to_owned();
            return Err(PlanError::Number { key, value, rule });
        }
    }
    let cells: Vec<Flight> = (0..surface.cells().len())
        .map(|cell| flight(surface, cell, spend[cell], pacing))
        .collect::<Result<_, PlanError>>()?;
    let periods = surface.horizon().periods;
    let mut after = vec![0.0; surface.draws()];
    let mut before = vec![0.0; surface.draws()];
    for (cell, own) in cells.iter().enumerate() {
        add_each(surface, cell, &own.spend, &mut after);
        let even = vec![spend[cell] / periods as f64; periods];
        add_each(surface, cell, &even, &mut before);
    }
    let mut gain: Vec<f64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    let better = gain.iter().filter(|gain| **gain > 0.0).count();
    Ok(Flights {
        cells,
        probability_of_gain: better as f64 / gain.len().max(1) as f64,
        response: Interval::of(&mut after),
        gain: Interval::of(&mut gain),
    })
}

fn flight(surface: &Surface, cell: usize, spend: f64, pacing: Pacing) -> Result<Flight, PlanError> {
    let periods = surface.horizon().periods;
    let even = spend / periods as f64;
    let limits = (0..periods).map(|t| {
        let name = format!("period {}", t + 1);
        Cell::new(name, pacing.least * even, pacing.most * even)
    });
    let tree = Tree::new(&Problem {
        cells: limits.collect(),
        groups: Vec::new(),
        total: Total::fixed(spend),
    })?;
    let concave = surface.concave(cell);
    let mut starts = vec![vec![even; periods]];
    if !concave {
        starts.extend(bursts(periods, even, pacing.most));
    }
    let climbed = starts
        .iter()
        .map(|start| climb(surface, cell, &tree, start));
    let best = climbed.max_by(|a, b| a.response.total_cmp(&b.response));
    let mut best = best.unwrap_or(Flight {
        spend: vec![even; periods],
        response: 0.0,
        bound: f64::INFINITY,
    });
    if !concave {
        best.bound = f64::INFINITY;
    }
    Ok(best)
}

/// Starts for S-shaped responses: as much as allowed in every second or third period.
fn bursts(periods: usize, even: f64, most: f64) -> Vec<Vec<f64>> {
    let every = |k: usize, from: usize| -> Vec<f64> {
        let on = |t: usize| t % k == from;
        (0..periods)
            .map(|t| if on(t) { most * even } else { 0.0 })
            .collect()
    };
    vec![
        every(2, 0),
        every(2, 1),
        every(3, 0),
        every(periods.max(1), 0),
    ]
}

/// Accelerated projected gradient from a start.
fn climb(surface: &Surface, cell: usize, tree: &Tree, start: &[f64]) -> Flight {
    let n = start.len();
    let mut gradient = vec![0.0; n];
    let mut x = tree.nearest(start);
    let mut value = evaluate(surface, cell, &x, &mut gradient);
    let mut bound = value + gap(tree, &x, &gradient);
    let (mut y, mut momentum) = (x.clone(), 1.0f64);
    let (mut at_y, mut slope) = (value, gradient.clone());
    let scale = slope.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
    let size = x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    if scale <= 0.0 || size <= 0.0 {
        return Flight {
            spend: x,
            response: value,
            bound: bound.max(value),
        };
    }
    let mut curvature = 0.1 * scale / size;
    for _ in 0..STEPS {
        if bound - value <= TOLERANCE * value.abs() {
            break;
        }
        let (next, next_value) = loop {
            let target: Vec<f64> = y
                .iter()
                .zip(&slope)
                .map(|(y, g)| y + g / curvature)
                .collect();
            let next = tree.nearest(&target);
            let next_value = evaluate(surface, cell, &next, &mut gradient);
            let moved = next.iter().zip(&y).map(|(a, b)| a - b);
            let (linear, square) = moved
                .zip(&slope)
                .fold((0.0, 0.0), |(l, s), (d, g)| (l + g * d, s + d * d));
            let promised = at_y + linear - 0.5 * curvature * square;
            if next_value >= promised - 1e-13 * next_value.abs() || curvature > 1e12 * scale / size
            {
                break (next, next_value);
            }
            curvature *= 2.0;
        };
        bound = bound.min(next_value + gap(tree, &next, &gradient));
        let after = 0.5 * (1.0 + (1.0 + 4.0 * momentum * momentum).sqrt());
        // Where momentum has led astray, it begins anew.
        let push = if next_value >= value {
            (momentum - 1.0) / after
        } else {
            0.0
        };
        momentum = if next_value >= value { after } else { 1.0 };
        let ahead = next.iter().zip(&x).map(|(a, b)| a + push * (a - b));
        y = tree.nearest(&ahead.collect::<Vec<f64>>());
        if next_value >= value {
            (x, value) = (next, next_value);
        }
        at_y = evaluate(surface, cell, &y, &mut gradient);
        slope.clone_from(&gradient);
        curvature *= 0.9;
    }
    Flight {
        spend: x,
        response: value,
        bound: bound.max(value),
    }
}

/// What the linear model at `x` says could be gained within the limits.
fn gap(tree: &Tree, x: &[f64], gradient: &[f64]) -> f64 {
    let line = |(cell, slope): (&Cell, &f64)| {
        vec![Segment {
            slope: *slope,
            length: cell.upper - cell.lower,
        }]
    };
    let lines: Vec<Vec<Segment>> = tree.cells().iter().zip(gradient).map(line).collect();
    let best = tree.fill(&lines);
    let moved = best.iter().zip(x).zip(gradient);
    moved.map(|((y, x), g)| g * (y - x)).sum::<f64>().max(0.0)
}

/// Mean outcome of a cell's flight, with its gradient.
fn evaluate(surface: &Surface, cell: usize, x: &[f64], gradient: &mut [f64]) -> f64 {
    gradient.fill(0.0);
    let strips = surface.strips(cell).iter();
    strips.map(|strip| strip.flight(x, gradient)).sum()
}

/// Adds the outcome of a cell's flight in every draw.
fn add_each(surface: &Surface, cell: usize, x: &[f64], sums: &mut [f64]) {
    for strip in surface.strips(cell) {
        strip.add_flight(x, sums);
    }
}

impl Strip {
    /// Adstocked media of every draw in period `t`, with what is left over.
    #[inline(always)]
    fn media(&self, x: &[f64], t: usize, media: &mut [f64]) {
        let draws = self.draws();
        media.copy_from_slice(&self.left_over[t * draws..(t + 1) * draws]);
        for (lag, weights) in self.weights.chunks_exact(draws).enumerate().take(t + 1) {
            let Some(spend) = x.get(t - lag).filter(|spend| **spend != 0.0) else {
                continue;
            };
            let units = self.rate * spend;
            for (sum, weight) in media.iter_mut().zip(weights) {
                *sum = units.mul_add(*weight, *sum);
            }
        }
    }

    fn flight(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        with_curve!(self.kind, C => vectorized(
            #[inline(always)]
            || self.flight_of::<C>(x, gradient)
        ))
    }

    #[inline(always)]
    fn flight_of<C: Curve>(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let draws = self.draws();
        let (mut media, mut slopes) = (vec![0.0; draws], vec![0.0; draws]);
        let mut value = -dot(&self.even, &self.at_zero);
        let mut values = vec![0.0; draws];
        for t in 0..self.left_over.len() / draws {
            self.media(x, t, &mut media);
            let shape = self.shape[0].iter().zip(&self.shape[1]);
            let out = values.iter_mut().zip(slopes.iter_mut()).zip(&self.even);
            for ((media, (p0, p1)), ((value, slope), even)) in media.iter().zip(shape).zip(out) {
                // A slope is wanted where powers below one have none.
                let f = C::jet(media.max(1e-12), self.rate, [*p0, *p1]);
                *value = f.value;
                *slope = even * f.slope;
            }
            value += dot(&values, &self.even);
            for (lag, weights) in self.weights.chunks_exact(draws).enumerate().take(t + 1) {
                if let Some(sum) = gradient.get_mut(t - lag) {
                    *sum += dot(&slopes, weights);
                }
            }
        }
        value
    }

    fn add_flight(&self, x: &[f64], sums: &mut [f64]) {
        with_curve!(self.kind, C => vectorized(
            #[inline(always)]
            || self.add_flight_of::<C>(x, sums)
        ));
    }

    #[inline(always)]
    fn add_flight_of<C: Curve>(&self, x: &[f64], sums: &mut [f64]) {
        let draws = self.draws();
        let mut media = vec![0.0; draws];
        let mut own: Vec<f64> = self.at_zero.iter().map(|zero| -zero).collect();
        for t in 0..self.left_over.len() / draws {
            self.media(x, t, &mut media);
            let shape = self.shape[0].iter().zip(&self.shape[1]);
            for ((sum, media), (p0, p1)) in own.iter_mut().zip(&media).zip(shape) {
                *sum += C::value(*media, [*p0, *p1]);
            }
        }
        for ((sum, own), amplitude) in sums.iter_mut().zip(&own).zip(&self.amplitude) {
            *sum += amplitude * own;
        }
    }
}

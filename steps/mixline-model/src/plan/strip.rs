//! One geo's part of a cell: everything that its response needs, draw by draw.
//!
//! Loops run over draws, eight at a time; strips are padded to whole groups, and what is padded has
//! the amplitude 0.

use std::iter::repeat;

use mixline_numerics::allocation::Point;
use mixline_numerics::lanes::{LANES, dot, padded, vectorized};

use super::horizon::Horizon;
use super::surface::PlanCell;
use crate::kernel::num::Jet;
use crate::kernel::saturation::{Curve, SHAPE_PARAMETERS, SaturationKind, with_curve};
use crate::model::Model;
use crate::posterior::density::{adstock_values, drift, effective_shape};

/// Responses of one cell in one geo: T periods × D draws, period by period; D is padded to whole
/// vectors.
#[derive(Debug, Clone)]
pub(super) struct Strip {
    pub(super) kind: SaturationKind,
    pub(super) left_over: Vec<f64>,
    per_spend: Vec<f64>,
    /// Adstock weights by lag, L × D; all 1 with saturation first.
    pub(super) weights: Vec<f64>,
    /// Scaled media per unit of spend.
    pub(super) rate: f64,
    pub(super) shape: [Vec<f64>; SHAPE_PARAMETERS],
    pub(super) amplitude: Vec<f64>,
    /// Amplitudes over the number of draws.
    pub(super) even: Vec<f64>,
    /// Σ_t s(h) of each draw.
    pub(super) at_zero: Vec<f64>,
}

impl Strip {
    pub(super) fn draws(&self) -> usize {
        self.amplitude.len()
    }

    pub(super) fn concave(&self) -> bool {
        let bends_down = match self.kind {
            SaturationKind::Hill => self.shape[0].iter().all(|slope| *slope <= 1.0),
            SaturationKind::HillSigmoid => false,
            _ => true,
        };
        bends_down && self.amplitude.iter().all(|a| *a >= 0.0)
    }

    pub(super) fn weighted(&self, x: f64, weights: Option<&[f64]>) -> Point {
        let own;
        let scaled = match weights {
            None => &self.even,
            Some(weights) => {
                // Padded draws have no weight.
                let pairs = self
                    .amplitude
                    .iter()
                    .zip(weights.iter().chain(repeat(&0.0)));
                own = pairs.map(|(a, w)| a * w).collect::<Vec<f64>>();
                &own
            }
        };
        let sum = with_curve!(self.kind, C => vectorized(
            #[inline(always)]
            || self.weighted_of::<C>(x, scaled)
        ));
        Point {
            value: sum.value,
            slope: sum.slope,
            curvature: sum.curvature,
        }
    }

    #[inline(always)]
    fn weighted_of<C: Curve>(&self, x: f64, scaled: &[f64]) -> Jet {
        let mut lanes = [[0.0f64; LANES]; 3];
        let (scale, shape) = (chunks(scaled), self.shape.each_ref().map(|p| chunks(p)));
        for (left_over, per_spend) in self.periods() {
            let (left, rate) = (chunks(left_over), chunks(per_spend));
            for k in 0..scale.len() {
                for lane in 0..LANES {
                    let (weight, rate) = (scale[k][lane], rate[k][lane]);
                    let media = x.mul_add(rate, left[k][lane]);
                    let f = C::jet(media, rate, [shape[0][k][lane], shape[1][k][lane]]);
                    lanes[0][lane] = weight.mul_add(f.value, lanes[0][lane]);
                    lanes[1][lane] = weight.mul_add(f.slope, lanes[1][lane]);
                    lanes[2][lane] = weight.mul_add(f.curvature, lanes[2][lane]);
                }
            }
        }
        let [value, slope, curvature] = lanes.map(|lanes| lanes.iter().sum::<f64>());
        Jet {
            value: value - dot(scaled, &self.at_zero),
            slope,
            curvature,
        }
    }

    /// What is left over and what a unit of spend adds, period by period.
    #[inline(always)]
    fn periods(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        let draws = self.draws();
        self.left_over
            .chunks_exact(draws)
            .zip(self.per_spend.chunks_exact(draws))
    }

    pub(super) fn add_values(&self, x: f64, sums: &mut [f64]) {
        with_curve!(self.kind, C => vectorized(
            #[inline(always)]
            || self.add_values_of::<C>(x, sums)
        ));
    }

    #[inline(always)]
    fn add_values_of<C: Curve>(&self, x: f64, sums: &mut [f64]) {
        let mut own: Vec<f64> = self.at_zero.iter().map(|zero| -zero).collect();
        for (left_over, per_spend) in self.periods() {
            let media = left_over.iter().zip(per_spend);
            let shape = self.shape[0].iter().zip(&self.shape[1]);
            for (((left, rate), (p0, p1)), sum) in media.zip(shape).zip(own.iter_mut()) {
                *sum += C::value(x.mul_add(*rate, *left), [*p0, *p1]);
            }
        }
        for ((sum, own), amplitude) in sums.iter_mut().zip(&own).zip(&self.amplitude) {
            *sum += amplitude * own;
        }
    }

    /// Σ_t s(h) of each draw, needed once.
    fn with_zero(mut self) -> Self {
        let mut at_zero = vec![0.0; self.draws()];
        for (left_over, _) in self.periods() {
            let shape = self.shape[0].iter().zip(&self.shape[1]);
            for ((sum, left), (p0, p1)) in at_zero.iter_mut().zip(left_over).zip(shape) {
                *sum += self.kind.cell(*left, [*p0, *p1]).value;
            }
        }
        self.at_zero = at_zero;
        self
    }
}

/// Draws in groups that vector instructions take at once; strips are padded to whole groups.
#[inline(always)]
fn chunks(values: &[f64]) -> &[[f64; LANES]] {
    values.as_chunks().0
}

/// One geo's part of a cell: `share` of its media.
pub(super) fn strip(
    model: &Model,
    rows: &[&[f64]],
    horizon: &Horizon,
    cell: &PlanCell,
    (g, share): (usize, f64),
) -> Strip {
    let (c, design) = (cell.channel, &model.design);
    let kernel = &design.kernels[c];
    let scale = design.media_scale[c * design.geos + g];
    let rate = share * cell.units_per_spend / scale;
    let pattern: Vec<f64> = horizon
        .pattern(&model.panel, c)
        .iter()
        .map(|p| p * rate)
        .collect();
    let history = &design.media(g, c).values()[..design.periods];
    let lags = if kernel.adstock_first {
        kernel.lags()
    } else {
        0
    };
    let periods = horizon.periods + lags;
    let draws = padded(rows.len());
    let mut strip = Strip {
        kind: kernel.saturation,
        left_over: vec![0.0; periods * draws],
        per_spend: vec![0.0; periods * draws],
        weights: vec![1.0; (lags + 1) * draws],
        rate,
        // Harmless where draws are padded: their amplitude is 0.
        shape: std::array::from_fn(|_| vec![1.0; draws]),
        amplitude: vec![0.0; draws],
        even: Vec::new(),
        at_zero: vec![0.0; draws],
    };
    let mut multiplier = vec![1.0; design.row];
    for (d, row) in rows.iter().enumerate() {
        let p = adstock_values(model, row, g, c);
        let weights = kernel.adstock.weights(&p, kernel.l_max, kernel.normalize);
        drift(model, row, &mut multiplier);
        let now = multiplier[design.periods - 1];
        let amplitude = row[model.layout.channels[c].amplitude.of(g)];
        strip.amplitude[d] = amplitude * now * design.outcome_scale[g];
        let shape = effective_shape(model, row, g, c);
        (0..SHAPE_PARAMETERS).for_each(|k| strip.shape[k][d] = shape[k]);
        if !kernel.adstock_first {
            strip.amplitude[d] *= weights.iter().sum::<f64>();
        } else {
            for (lag, weight) in weights.iter().enumerate() {
                strip.weights[lag * draws + d] = *weight;
            }
        }
        for t in 0..periods {
            let cell = t * draws + d;
            if kernel.adstock_first {
                strip.per_spend[cell] = reach(&weights, &pattern, t);
                if horizon.carry_in {
                    strip.left_over[cell] = remains(&weights, history, t);
                }
            } else {
                strip.per_spend[cell] = pattern[t];
            }
        }
    }
    let share = 1.0 / rows.len().max(1) as f64;
    strip.even = strip.amplitude.iter().map(|a| a * share).collect();
    strip.with_zero()
}

/// Σ_l w_l p_{t−l}.
fn reach(weights: &[f64], pattern: &[f64], t: usize) -> f64 {
    let lags = weights.iter().enumerate().take(t + 1);
    lags.filter_map(|(lag, w)| pattern.get(t - lag).map(|p| w * p))
        .sum()
}

/// What media before the horizon add in its period `t`: Σ_{l > t} w_l x_{n + t − l}.
fn remains(weights: &[f64], history: &[f64], t: usize) -> f64 {
    let lags = weights.iter().enumerate().skip(t + 1);
    lags.filter_map(|(lag, w)| {
        let back = lag - t;
        history.len().checked_sub(back).map(|at| w * history[at])
    })
    .sum()
}

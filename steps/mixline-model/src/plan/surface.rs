//! What each cell's spend would bring, draw by draw.
//!
//! ```text
//! F_d(x) = Σ_g Σ_t A_dg [ s(h_dgt + x a_dgt) − s(h_dgt) ]
//! ```
//!
//! x is the cell's spend over the horizon; a its adstocked pattern per unit of spend; h what is
//! left over from media before the horizon; t runs past the last planned period until effects have
//! died away. Without spend the response is 0: what history still brings in is no merit of a plan.
//! With saturation before adstock, every period stands for itself:
//! F_d(x) = Σ_g A_dg (Σ_l w_dgl) Σ_t s(x p_t).

use std::iter::repeat;

use mixline_numerics::allocation::Point;
use mixline_numerics::lanes::{LANES, dot, padded, vectorized};

use super::horizon::{Horizon, spend_by_period};
use super::request::PlanError;
use crate::fit::Draws;
use crate::kernel::num::Jet;
use crate::kernel::saturation::{Curve, SHAPE_PARAMETERS, SaturationKind, with_curve};
use crate::model::Model;
use crate::posterior::density::{adstock_values, drift, effective_shape};
use crate::spec::Link;

/// What is planned: a channel over all geos, or in one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanCell {
    /// Index of the channel.
    pub channel: usize,
    /// Index of the geo; `None` when geos keep their shares.
    pub geo: Option<usize>,
    /// Spend over the horizon if it goes on as in the reference periods.
    pub current: f64,
    /// Spend over the horizon at which some period reaches the most ever spent in one.
    pub observed_most: f64,
    /// Media units per unit of spend, in the reference periods.
    pub units_per_spend: f64,
}

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

/// Responses of every cell.
#[derive(Debug, Clone)]
pub struct Surface {
    cells: Vec<PlanCell>,
    strips: Vec<Vec<Strip>>,
    concave: Vec<bool>,
    draws: usize,
    horizon: Horizon,
}

/// Numbers a surface may hold: 20 million take 160 MB.
const ROOM: usize = 20_000_000;
/// Fewest draws a surface is thinned to.
const LEAST_DRAWS: usize = 200;

impl Surface {
    /// The surface of a fitted model over a horizon; a cell per channel with spend, or per channel
    /// and geo.
    ///
    /// # Errors
    /// [`PlanError`] when effects do not add up (log link, synergies), or no channel has spend.
    pub fn new(
        model: &Model,
        draws: &Draws,
        horizon: Horizon,
        by_geo: bool,
    ) -> Result<Self, PlanError> {
        if model.spec.likelihood.link == Link::Log {
            return Err(PlanError::NotAdditive("a log link"));
        }
        if !model.synergies.is_empty() {
            return Err(PlanError::NotAdditive("synergies"));
        }
        if horizon.periods == 0 || horizon.reference == 0 {
            return Err(PlanError::Periods);
        }
        let mut cells = Vec::new();
        for c in 0..model.panel.channels.len() {
            let geos = if by_geo {
                (0..model.panel.geos.len()).map(Some).collect()
            } else {
                vec![None]
            };
            let found = geos
                .into_iter()
                .filter_map(|geo| cell(model, &horizon, c, geo));
            cells.extend(found);
        }
        if cells.is_empty() {
            return Err(PlanError::NoSpend);
        }
        let rows = draws.thinned(draws_that_fit(model, &horizon));
        let strips: Vec<Vec<Strip>> = cells
            .iter()
            .map(|cell| strips(model, &rows, &horizon, cell))
            .collect();
        let concave = strips
            .iter()
            .map(|own| own.iter().all(Strip::concave))
            .collect();
        Ok(Self {
            cells,
            strips,
            concave,
            draws: rows.len(),
            horizon,
        })
    }

    /// The cells.
    #[must_use]
    pub fn cells(&self) -> &[PlanCell] {
        &self.cells
    }

    /// The cells alone, with current spend times `factor`.
    pub(super) fn with_current(&self, factor: f64) -> Vec<PlanCell> {
        let scaled = |cell: &PlanCell| PlanCell {
            current: cell.current * factor,
            ..cell.clone()
        };
        self.cells.iter().map(scaled).collect()
    }

    /// Number of draws.
    #[must_use]
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// The planned periods.
    #[must_use]
    pub fn horizon(&self) -> Horizon {
        self.horizon
    }

    /// Whether every draw's response of a cell is concave.
    #[must_use]
    pub fn concave(&self, cell: usize) -> bool {
        self.concave[cell]
    }

    /// The response of a cell averaged over draws, with derivatives; `weights` of draws sum to 1.
    #[must_use]
    pub fn mean(&self, cell: usize, x: f64, weights: Option<&[f64]>) -> Point {
        // A slope is wanted where powers below one have none.
        let at = x.max(1e-9 * self.cells[cell].observed_most);
        let mut sum = Point::default();
        for strip in &self.strips[cell] {
            let own = strip.weighted(at, weights);
            sum.value += own.value;
            sum.slope += own.slope;
            sum.curvature += own.curvature;
        }
        if at > x {
            sum.value = 0.0;
        }
        sum
    }

    /// The strips of a cell.
    pub(super) fn strips(&self, cell: usize) -> &[Strip] {
        &self.strips[cell]
    }

    /// The response of a cell in every draw.
    #[must_use]
    pub fn each(&self, cell: usize, x: f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.draws];
        if x > 0.0 {
            for strip in &self.strips[cell] {
                strip.add_values(x, &mut sums);
            }
        }
        sums
    }

    /// The marginal response of a cell in every draw, by a difference of 1e-4 relative.
    #[must_use]
    pub fn marginal(&self, cell: usize, x: f64) -> Vec<f64> {
        let step = 1e-4 * x.max(1e-3 * self.cells[cell].observed_most);
        let (low, high) = (
            self.each(cell, (x - step).max(0.0)),
            self.each(cell, x + step),
        );
        let width = x + step - (x - step).max(0.0);
        high.iter()
            .zip(&low)
            .map(|(h, l)| (h - l) / width)
            .collect()
    }

    /// The response of all cells together in every draw.
    #[must_use]
    pub fn total(&self, x: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.draws];
        for (cell, x) in x.iter().enumerate() {
            for (sum, value) in sums.iter_mut().zip(self.each(cell, *x)) {
                *sum += value;
            }
        }
        sums
    }
}

impl Strip {
    pub(super) fn draws(&self) -> usize {
        self.amplitude.len()
    }

    fn concave(&self) -> bool {
        let bends_down = match self.kind {
            SaturationKind::Hill => self.shape[0].iter().all(|slope| *slope <= 1.0),
            SaturationKind::HillSigmoid => false,
            _ => true,
        };
        bends_down && self.amplitude.iter().all(|a| *a >= 0.0)
    }

    fn weighted(&self, x: f64, weights: Option<&[f64]>) -> Point {
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

    fn add_values(&self, x: f64, sums: &mut [f64]) {
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
pub(super) fn chunks(values: &[f64]) -> &[[f64; LANES]] {
    values.as_chunks().0
}

fn draws_that_fit(model: &Model, horizon: &Horizon) -> usize {
    let lags = model
        .design
        .kernels
        .iter()
        .map(|kernel| kernel.lags())
        .max();
    let periods = horizon.periods + lags.unwrap_or_default();
    let strips = model.panel.geos.len() * model.panel.channels.len();
    (ROOM / (2 * periods * strips).max(1)).max(LEAST_DRAWS)
}

/// A cell, if money was ever spent on it and media came of it.
fn cell(model: &Model, horizon: &Horizon, c: usize, geo: Option<usize>) -> Option<PlanCell> {
    let panel = &model.panel;
    let channel = &panel.channels[c];
    let all_spend = channel.spend.as_ref()?;
    let (spend, media) = match geo {
        Some(g) => {
            let spend = panel
                .of_geo(all_spend, g)
                .iter()
                .map(|x| x.max(0.0))
                .collect();
            (spend, panel.of_geo(&channel.media, g).to_vec())
        }
        None => {
            let mut media = vec![0.0; panel.periods()];
            for g in 0..panel.geos.len() {
                let own = panel.of_geo(&channel.media, g);
                media.iter_mut().zip(own).for_each(|(sum, x)| *sum += x);
            }
            (spend_by_period(panel, c), media)
        }
    };
    let from = horizon.reference_from(panel);
    let recent: f64 = spend[from..].iter().sum();
    let window = if recent > 0.0 { from } else { 0 };
    let (money, units): (f64, f64) = (spend[window..].iter().sum(), media[window..].iter().sum());
    if !(money > 0.0 && units > 0.0) {
        return None;
    }
    let most = spend.iter().copied().fold(0.0, f64::max);
    let peak = horizon.pattern(panel, c).into_iter().fold(0.0, f64::max);
    let reference = panel.periods() - from;
    Some(PlanCell {
        channel: c,
        geo,
        current: recent / reference as f64 * horizon.periods as f64,
        observed_most: most / peak,
        units_per_spend: units / money,
    })
}

fn strips(model: &Model, rows: &[&[f64]], horizon: &Horizon, cell: &PlanCell) -> Vec<Strip> {
    let panel = &model.panel;
    let geos = panel.geos.len();
    let shares = match cell.geo {
        Some(own) => (0..geos).map(|g| f64::from(g == own)).collect(),
        None => geo_shares(model, horizon, cell.channel),
    };
    shares
        .into_iter()
        .enumerate()
        .filter(|(_, share)| *share > 0.0)
        .map(|(g, share)| strip(model, rows, horizon, cell, (g, share)))
        .collect()
}

/// The share of each geo in the media that a channel's money bought recently.
fn geo_shares(model: &Model, horizon: &Horizon, c: usize) -> Vec<f64> {
    let panel = &model.panel;
    let media = &panel.channels[c].media;
    let sums = |from: usize| -> Vec<f64> {
        let geos = 0..panel.geos.len();
        geos.map(|g| panel.of_geo(media, g)[from..].iter().sum())
            .collect()
    };
    let recent = sums(horizon.reference_from(panel));
    let sums = if recent.iter().sum::<f64>() > 0.0 {
        recent
    } else {
        sums(0)
    };
    let total: f64 = sums.iter().sum();
    sums.iter().map(|sum| sum / total).collect()
}

/// One geo's part of a cell: `share` of its media.
fn strip(
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

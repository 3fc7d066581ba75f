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

use mixline_numerics::allocation::Point;

use super::horizon::{Horizon, spend_by_period};
use super::request::PlanError;
use super::strip::{Strip, strip};
use crate::fit::Draws;
use crate::model::Model;
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

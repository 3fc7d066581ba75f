//! The econometric engine: grid, ridge, bootstrap.
//!
//! 1. For each channel, adstock and saturation shapes are chosen one after the other from a small
//!    grid (half-lives, and multiples of the prior's centre), by generalised cross-validation.
//! 2. Ridge regression with a cross-validated penalty gives intercept, controls and amplitudes.
//! 3. A moving-block bootstrap of the residuals repeats both, and gives draws.
//!
//! In a panel every geo has its own intercept where the model says so, and amplitudes are common.

use mixline_numerics::linear::{LinearError, ols, ridge_cv};
use mixline_numerics::random::{below, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Draws, FitError};
use crate::layout::{ElementPrior, Slot};
use crate::model::Model;
use crate::response::Evaluator;

/// Settings of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EconometricSettings {
    /// Whether coefficients are shrunk; otherwise ordinary least squares.
    pub ridge: bool,
    /// Bootstrap repetitions: draws of the result.
    pub bootstraps: usize,
    /// Periods per bootstrap block.
    pub block: usize,
}

impl Default for EconometricSettings {
    fn default() -> Self {
        Self {
            ridge: true,
            bootstraps: 200,
            block: 4,
        }
    }
}

/// The regression on the data themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// Every parameter of the layout at its estimate.
    pub values: Vec<f64>,
    /// Share of variance explained.
    pub r_squared: f64,
    /// Ridge penalty chosen.
    pub penalty: f64,
}

/// Half-lives tried, in periods; 0 is no carry-over.
const HALF_LIVES: [f64; 6] = [0.0, 0.5, 1.0, 2.0, 4.0, 8.0];
/// Multiples of a shape parameter's prior centre that are tried.
const MULTIPLES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

/// Fits the model by regression; draws are bootstrap repetitions, in one chain.
///
/// # Errors
/// [`FitError::Linear`].
pub fn fit(
    model: &Model,
    settings: &EconometricSettings,
    seed: u64,
) -> Result<(Regression, Draws), FitError> {
    let problem = Problem::new(model, *settings);
    let outcome = problem.outcome();
    let estimate = problem.estimate(&outcome, &problem.start(), 2)?;
    let fitted = problem.predict(&estimate.values);
    let residuals: Vec<f64> = outcome.iter().zip(&fitted).map(|(y, f)| y - f).collect();
    let mut rng = stream(seed, 0);
    let mut chain = Vec::with_capacity(settings.bootstraps * estimate.values.len());
    for _ in 0..settings.bootstraps {
        let mut again = fitted.clone();
        let mut filled = 0;
        while filled < again.len() {
            let from = below(&mut rng, residuals.len());
            for offset in 0..settings.block.max(1).min(again.len() - filled) {
                again[filled + offset] += residuals[(from + offset) % residuals.len()];
            }
            filled += settings.block.max(1);
        }
        chain.extend(problem.estimate(&again, &estimate.values, 1)?.values);
    }
    let draws = Draws {
        labels: model.layout.labels(),
        chains: vec![chain],
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    };
    Ok((estimate, draws))
}

/// A coefficient of the regression: where it sits, and what it multiplies.
enum Column {
    /// One parameter for all geos, or the same value in each.
    Common(Slot, Source),
    /// The parameter of one geo.
    OfGeo(Slot, Source, usize),
}

#[derive(Clone, Copy)]
enum Source {
    Term(usize),
    Channel(usize),
}

struct Problem<'m> {
    model: &'m Model,
    settings: EconometricSettings,
    columns: Vec<Column>,
    /// Fitted cells, as (geo, period).
    cells: Vec<(usize, usize)>,
}

impl<'m> Problem<'m> {
    fn new(model: &'m Model, settings: EconometricSettings) -> Self {
        let (layout, geos) = (&model.layout, model.design.geos);
        let mut columns = Vec::new();
        for (k, slot) in layout.terms.iter().enumerate() {
            if !slot.is_per_geo() {
                columns.push(Column::Common(*slot, Source::Term(k)));
            } else {
                // The regression has a constant of its own, so the first geo needs no dummy.
                let first = usize::from(k == 0);
                columns.extend((first..geos).map(|g| Column::OfGeo(*slot, Source::Term(k), g)));
            }
        }
        for (c, slots) in layout.channels.iter().enumerate() {
            columns.push(Column::Common(slots.amplitude, Source::Channel(c)));
        }
        let cells = (0..geos).flat_map(|g| (0..model.design.periods).map(move |t| (g, t)));
        let cells = cells.filter(|&(g, t)| model.panel.fitted(g, t)).collect();
        Self {
            model,
            settings,
            columns,
            cells,
        }
    }

    /// Scaled outcome of the fitted cells.
    fn outcome(&self) -> Vec<f64> {
        self.cells
            .iter()
            .map(|&(g, t)| self.model.design.outcome(g)[t])
            .collect()
    }

    /// Every parameter at the centre of its prior; amplitudes at 1, so that columns are shapes.
    fn start(&self) -> Vec<f64> {
        let layout = &self.model.layout;
        let centre = |prior: &ElementPrior| match prior {
            ElementPrior::Fixed(distribution) => distribution.mean(),
            _ => 1.0,
        };
        let values = layout.priors.iter().map(centre);
        values
            .map(|value| if value.is_finite() { value } else { 1.0 })
            .collect()
    }

    /// Chooses shapes by coordinate descent from `start`, then regresses.
    fn estimate(
        &self,
        outcome: &[f64],
        start: &[f64],
        rounds: usize,
    ) -> Result<Regression, LinearError> {
        let mut values = start.to_vec();
        let mut best = self.regress(outcome, &mut values)?;
        for _ in 0..rounds {
            for slots in &self.model.layout.channels {
                for (slot, grid) in self.grids(slots) {
                    for candidate in grid {
                        let mut trial = values.clone();
                        self.set(&mut trial, slot, candidate);
                        let found = self.regress(outcome, &mut trial)?;
                        if found.0 < best.0 {
                            (best, values) = (found, trial);
                        }
                    }
                }
            }
        }
        Ok(Regression {
            values,
            r_squared: best.1,
            penalty: best.2,
        })
    }

    /// What is tried for each shape parameter of a channel.
    fn grids(&self, slots: &crate::layout::ChannelSlots) -> Vec<(Slot, Vec<f64>)> {
        let centre = |slot: Slot| match &self.model.layout.priors[slot.base] {
            ElementPrior::Fixed(distribution) if distribution.mean().is_finite() => {
                distribution.mean()
            }
            _ => 1.0,
        };
        let inside = |slot: Slot, value: &f64| {
            let u = self.model.layout.transforms[slot.base].unconstrain(*value);
            u.is_finite()
        };
        let mut grids = Vec::new();
        for (index, slot) in slots.adstock.iter().enumerate() {
            let Some(slot) = *slot else { continue };
            let decay = |h: &f64| if *h > 0.0 { libm::exp2(-1.0 / h) } else { 1e-6 };
            let is_decay = index == 0 && inside(slot, &0.5) && !inside(slot, &1.5);
            let grid: Vec<f64> = if is_decay {
                HALF_LIVES.iter().map(decay).collect()
            } else {
                MULTIPLES.iter().map(|m| m * centre(slot)).collect()
            };
            grids.push((slot, grid.into_iter().filter(|x| inside(slot, x)).collect()));
        }
        for slot in slots.shape.iter().flatten() {
            let grid = MULTIPLES.iter().map(|m| m * centre(*slot));
            grids.push((*slot, grid.filter(|x| inside(*slot, x)).collect()));
        }
        grids
    }

    /// Sets a parameter in every geo.
    fn set(&self, values: &mut [f64], slot: Slot, value: f64) {
        for g in 0..self.model.design.geos {
            values[slot.of(g)] = value;
        }
    }

    /// Regresses at the shapes in `values` and sets the coefficients there; error of
    /// cross-validation, R² and penalty.
    fn regress(&self, outcome: &[f64], values: &mut [f64]) -> Result<(f64, f64, f64), LinearError> {
        for slots in &self.model.layout.channels {
            self.set(values, slots.amplitude, 1.0);
        }
        let columns = self.matrix(values);
        let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let fit = if self.settings.ridge {
            ridge_cv(&slices, outcome)?
        } else {
            ols(&slices, outcome)?
        };
        let intercept = self.model.layout.terms[0];
        self.set(values, intercept, 0.0);
        for (column, coefficient) in self.columns.iter().zip(&fit.coefficients) {
            match column {
                Column::Common(slot, _) => self.set(values, *slot, *coefficient),
                Column::OfGeo(slot, _, g) => values[slot.of(*g)] = *coefficient,
            }
        }
        let shared = if intercept.is_per_geo() {
            self.model.design.geos
        } else {
            1
        };
        for g in 0..shared {
            values[intercept.of(g)] += fit.intercept;
        }
        self.set(values, self.model.layout.sigma, fit.residual_sd.max(1e-12));
        let n = outcome.len() as f64;
        let error = fit.residual_sd * fit.residual_sd * n / (n - slices.len() as f64).max(1.0);
        Ok((error, fit.r_squared, fit.penalty))
    }

    /// The regression's columns at the shapes in `values`.
    fn matrix(&self, values: &[f64]) -> Vec<Vec<f64>> {
        let (design, mut evaluator) = (&self.model.design, Evaluator::new(self.model));
        evaluator.set(values);
        let channels: Vec<Vec<Vec<f64>>> = (0..design.geos)
            .map(|g| {
                (0..design.kernels.len())
                    .map(|c| evaluator.saturated(g, c).to_vec())
                    .collect()
            })
            .collect();
        let cell = |source: Source, g: usize, t: usize| match source {
            Source::Term(k) => design.terms[k].column(g, design.row)[t],
            Source::Channel(c) => channels[g][c][t],
        };
        let column = |column: &Column| {
            let value = |&(g, t): &(usize, usize)| match column {
                Column::Common(_, source) => cell(*source, g, t),
                Column::OfGeo(_, source, own) if *own == g => cell(*source, g, t),
                Column::OfGeo(..) => 0.0,
            };
            self.cells.iter().map(value).collect()
        };
        self.columns.iter().map(column).collect()
    }

    /// Scaled expectation of the fitted cells.
    fn predict(&self, values: &[f64]) -> Vec<f64> {
        let mut evaluator = Evaluator::new(self.model);
        evaluator.set(values);
        let mut out = Vec::with_capacity(self.cells.len());
        let mut current = None;
        let mut mean = Vec::new();
        for &(g, t) in &self.cells {
            if current != Some(g) {
                mean = evaluator.linear_predictor(g);
                current = Some(g);
            }
            out.push(mean[t]);
        }
        out
    }
}

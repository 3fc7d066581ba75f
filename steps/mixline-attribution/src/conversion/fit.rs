//! Fitting the model: penalized maximum likelihood by projected Newton steps.

use nalgebra::{Cholesky, DMatrix, DVector};
use serde::{Deserialize, Serialize};

use super::exposure::{Exposure, Exposures};
use crate::journey::Journeys;

/// The fitted model. All effects are on the logit scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConversionModel {
    /// Log-odds of a conversion after a touch of an average channel.
    pub base: f64,
    /// By channel: how much likelier a conversion is right after its touch.
    pub own: Vec<f64>,
    /// By channel: how much an earlier touch adds, when it is fresh; 0 or more.
    pub carry: Vec<f64>,
    /// Days after which half of `carry` is left.
    pub half_life_days: f64,
}

/// What is set before fitting.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Half-lives in days to choose from, by likelihood.
    pub half_lives_days: Vec<f64>,
    /// Standard deviation of the Normal priors on `own` and (half-Normal) `carry`; keeps channels
    /// with few touches near the others.
    pub prior_sd: f64,
    /// Newton steps at most.
    pub steps: usize,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            half_lives_days: vec![0.25, 0.5, 1.0, 2.0, 4.0, 7.0, 14.0, 30.0],
            prior_sd: 1.5,
            steps: 60,
        }
    }
}

/// A fit that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    /// Without both outcomes there is nothing to tell apart.
    #[error("a model of conversions needs journeys that convert and journeys that do not")]
    OneOutcome,
    /// No half-life to choose from.
    #[error("there is no half-life to choose from")]
    NoHalfLife,
}

/// How well a model describes the journeys it was fitted to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quality {
    /// Mean log loss of a touch, in nats.
    pub log_loss: f64,
    /// The same of a model that knows no channel: one rate for all touches.
    pub null_log_loss: f64,
    /// Touches.
    pub touches: f64,
}

/// A fit with what its uncertainty follows from.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The model of greatest penalized likelihood.
    pub model: ConversionModel,
    /// How well it describes the journeys.
    pub quality: Quality,
    /// By group of customers: how the parameters move, to first order, when the group is taken
    /// once more: its score in units of the curvature.
    influence: Vec<DVector<f64>>,
}

impl Fitted {
    /// The model of a resample, one Newton step away: `weights` say how often each group of
    /// customers was drawn.
    ///
    /// Reference: the one-step bootstrap; Davison and Hinkley (1997), "Bootstrap Methods and their
    /// Application", section 2.7.
    #[must_use]
    pub fn resampled(&self, weights: &[f64]) -> ConversionModel {
        let mut theta = pack(&self.model);
        for (influence, weight) in self.influence.iter().zip(weights) {
            theta.axpy(weight - 1.0, influence, 1.0);
        }
        unpack(&theta, self.model.own.len(), self.model.half_life_days)
    }
}

/// Fits the model to journeys; `group` gives the group of a customer, of `groups`.
///
/// # Errors
/// [`FitError`].
pub fn fit(
    journeys: &Journeys,
    channels: usize,
    options: &FitOptions,
    groups: usize,
    group: impl Fn(u64) -> usize,
) -> Result<Fitted, FitError> {
    let converted: f64 = journeys.iter().map(|j| j.outcome.conversions).sum();
    let nulls: f64 = journeys.iter().map(|j| j.outcome.nulls).sum();
    if converted <= 0.0 || nulls <= 0.0 {
        return Err(FitError::OneOutcome);
    }
    let mut best: Option<(f64, Likelihood, DVector<f64>)> = None;
    for &half_life_days in &options.half_lives_days {
        let likelihood = Likelihood::new(journeys, channels, half_life_days, options, &group);
        if likelihood.exposures.is_empty() {
            return Err(FitError::OneOutcome);
        }
        let start = best
            .as_ref()
            .map_or_else(|| likelihood.start(), |(_, _, theta)| theta.clone());
        let (theta, loss) = likelihood.minimize(start, options.steps);
        if best.as_ref().is_none_or(|(least, _, _)| loss < *least) {
            best = Some((loss, likelihood, theta));
        }
    }
    let (_, likelihood, theta) = best.ok_or(FitError::NoHalfLife)?;
    Ok(Fitted {
        model: unpack(&theta, channels, likelihood.half_life_days),
        quality: likelihood.quality(&theta),
        influence: likelihood.influence(&theta, groups),
    })
}

/// Parameters in one vector: base, own effects, carry effects.
fn pack(model: &ConversionModel) -> DVector<f64> {
    let all = std::iter::once(model.base).chain(model.own.iter().chain(&model.carry).copied());
    DVector::from_iterator(1 + 2 * model.own.len(), all)
}

fn unpack(theta: &DVector<f64>, channels: usize, half_life_days: f64) -> ConversionModel {
    let theta = theta.as_slice();
    ConversionModel {
        base: theta[0],
        own: theta[1..=channels].to_vec(),
        carry: theta[1 + channels..]
            .iter()
            .map(|carry| carry.max(0.0))
            .collect(),
        half_life_days,
    }
}

/// Minus the penalized log-likelihood at one half-life.
struct Likelihood {
    exposures: Exposures,
    channels: usize,
    precision: f64,
    half_life_days: f64,
}

/// Gradient and curvature.
struct Bowl {
    gradient: DVector<f64>,
    curvature: DMatrix<f64>,
}

impl Likelihood {
    fn new(
        journeys: &Journeys,
        channels: usize,
        half_life_days: f64,
        options: &FitOptions,
        group: impl Fn(u64) -> usize,
    ) -> Self {
        let mut exposures = Exposures::default();
        for journey in journeys.iter() {
            exposures.add(&journey, half_life_days, group(journey.outcome.customer));
        }
        Self {
            exposures,
            channels,
            precision: options.prior_sd.powi(-2),
            half_life_days,
        }
    }

    fn dim(&self) -> usize {
        1 + 2 * self.channels
    }

    /// Where no channel differs: the overall rate.
    fn start(&self) -> DVector<f64> {
        let (converted, all) = self.counts();
        let mut theta = DVector::zeros(self.dim());
        theta[0] = (converted / (all - converted)).max(1e-9).ln();
        theta
    }

    fn counts(&self) -> (f64, f64) {
        self.exposures
            .iter()
            .fold((0.0, 0.0), |(converted, all), row| {
                (
                    converted + row.converted,
                    all + row.converted + row.not_converted,
                )
            })
    }

    fn logit(&self, theta: &DVector<f64>, row: &Exposure<'_>) -> f64 {
        let carried = row
            .carried
            .iter()
            .map(|&(c, left)| theta[1 + self.channels + c as usize] * left);
        theta[0] + theta[1 + row.own] + carried.sum::<f64>()
    }

    /// Minus the log-likelihood of a row.
    fn row_loss(&self, theta: &DVector<f64>, row: &Exposure<'_>) -> f64 {
        let z = self.logit(theta, row);
        row.converted * softplus(-z) + row.not_converted * softplus(z)
    }

    fn loss(&self, theta: &DVector<f64>) -> f64 {
        let data: f64 = self
            .exposures
            .iter()
            .map(|row| self.row_loss(theta, &row))
            .sum();
        let penalty: f64 = theta.iter().skip(1).map(|x| x * x).sum();
        data + 0.5 * self.precision * penalty
    }

    fn bowl(&self, theta: &DVector<f64>) -> Bowl {
        let n = self.dim();
        let mut gradient = DVector::zeros(n);
        let mut curvature = DMatrix::zeros(n, n);
        let mut features: Vec<(usize, f64)> = Vec::new();
        for row in self.exposures.iter() {
            self.features(&row, &mut features);
            let p = sigmoid(self.logit(theta, &row));
            let all = row.converted + row.not_converted;
            let (slope, bend) = (all * p - row.converted, all * p * (1.0 - p));
            for &(i, x) in &features {
                gradient[i] += slope * x;
                for &(j, y) in &features {
                    curvature[(i, j)] += bend * x * y;
                }
            }
        }
        for i in 1..n {
            gradient[i] += self.precision * theta[i];
            curvature[(i, i)] += self.precision;
        }
        Bowl {
            gradient,
            curvature,
        }
    }

    fn features(&self, row: &Exposure<'_>, features: &mut Vec<(usize, f64)>) {
        features.clear();
        features.extend([(0, 1.0), (1 + row.own, 1.0)]);
        let carried = row
            .carried
            .iter()
            .map(|&(c, left)| (1 + self.channels + c as usize, left));
        features.extend(carried);
    }

    /// Whether a parameter sits at its bound and would leave the domain.
    fn held(&self, theta: &DVector<f64>, gradient: &DVector<f64>, i: usize) -> bool {
        i > self.channels && theta[i] <= 0.0 && gradient[i] > 0.0
    }

    /// Projected Newton: parameters at their bound stay out of the step.
    ///
    /// Reference: Bertsekas (1982), "Projected Newton methods for optimization problems with simple
    /// constraints".
    fn minimize(&self, mut theta: DVector<f64>, steps: usize) -> (DVector<f64>, f64) {
        let mut loss = self.loss(&theta);
        for _ in 0..steps {
            let bowl = self.bowl(&theta);
            let Some(step) = self.newton(&theta, bowl) else {
                break;
            };
            let mut length = 1.0;
            let moved = loop {
                let mut next = &theta - length * &step;
                for i in 1 + self.channels..self.dim() {
                    next[i] = next[i].max(0.0);
                }
                let there = self.loss(&next);
                if there <= loss {
                    let gained = loss - there;
                    (theta, loss) = (next, there);
                    break gained;
                }
                length /= 2.0;
                if length < 1e-9 {
                    break 0.0;
                }
            };
            if moved <= 1e-11 * (1.0 + loss.abs()) {
                break;
            }
        }
        (theta, loss)
    }

    /// The Newton step, 0 for parameters that are held at their bound.
    fn newton(&self, theta: &DVector<f64>, bowl: Bowl) -> Option<DVector<f64>> {
        let Bowl {
            mut gradient,
            curvature,
        } = bowl;
        let held: Vec<bool> = (0..self.dim())
            .map(|i| self.held(theta, &gradient, i))
            .collect();
        let curvature = without(curvature, &held);
        for (i, held) in held.iter().enumerate() {
            if *held {
                gradient[i] = 0.0;
            }
        }
        Some(Cholesky::new(curvature)?.solve(&gradient))
    }

    fn quality(&self, theta: &DVector<f64>) -> Quality {
        let (converted, all) = self.counts();
        let rate = converted / all;
        let data: f64 = self
            .exposures
            .iter()
            .map(|row| self.row_loss(theta, &row))
            .sum();
        let entropy = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        Quality {
            log_loss: data / all,
            null_log_loss: entropy(rate) + entropy(1.0 - rate),
            touches: all,
        }
    }

    /// Minus the score of each group over the curvature of all.
    fn influence(&self, theta: &DVector<f64>, groups: usize) -> Vec<DVector<f64>> {
        let bowl = self.bowl(theta);
        let held: Vec<bool> = (0..self.dim())
            .map(|i| self.held(theta, &bowl.gradient, i))
            .collect();
        let mut scores = vec![DVector::zeros(self.dim()); groups.max(1)];
        let mut features = Vec::new();
        for row in self.exposures.iter() {
            self.features(&row, &mut features);
            let p = sigmoid(self.logit(theta, &row));
            let slope = (row.converted + row.not_converted) * p - row.converted;
            let score = &mut scores[row.group % groups.max(1)];
            for &(i, x) in features.iter().filter(|(i, _)| !held[*i]) {
                score[i] -= slope * x;
            }
        }
        match Cholesky::new(without(bowl.curvature, &held)) {
            Some(cholesky) => scores.iter().map(|score| cholesky.solve(score)).collect(),
            None => scores.iter().map(|score| score * 0.0).collect(),
        }
    }
}

/// A curvature in which held parameters have nothing to do with the others.
fn without(mut curvature: DMatrix<f64>, held: &[bool]) -> DMatrix<f64> {
    for (i, _) in held.iter().enumerate().filter(|(_, held)| **held) {
        curvature.row_mut(i).fill(0.0);
        curvature.column_mut(i).fill(0.0);
        curvature[(i, i)] = 1.0;
    }
    curvature
}

pub(super) fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 {
        1.0 / (1.0 + (-z).exp())
    } else {
        let e = z.exp();
        e / (1.0 + e)
    }
}

/// `ln(1 + eᶻ)` without overflow.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelId;
    use crate::journey::{Outcome, Touch};

    fn journeys() -> Journeys {
        let mut journeys = Journeys::new();
        for customer in 0..60_u64 {
            let touch = |at: u64| {
                let channel = ChannelId(((customer * 7 + at * 3) % 4) as u32);
                Touch::new(channel, (customer % 3 + 2 * (3 - at)) as f64 * 0.4)
            };
            let touches: Vec<Touch> = (0..=customer % 4).map(touch).collect();
            let outcome = if customer % 5 < 2 {
                Outcome::conversion(10.0, customer)
            } else {
                Outcome::null(customer)
            };
            journeys.push(touches, outcome);
        }
        journeys
    }

    fn likelihood(journeys: &Journeys) -> Likelihood {
        Likelihood::new(journeys, 4, 2.0, &FitOptions::default(), |c| {
            (c % 8) as usize
        })
    }

    #[test]
    fn gradient_and_curvature_are_those_of_finite_differences() {
        let journeys = journeys();
        let likelihood = likelihood(&journeys);
        let theta = DVector::from_fn(9, |i, _| 0.1 * i as f64 - 0.3);
        let bowl = likelihood.bowl(&theta);
        let shifted = |i: usize, h: f64| {
            let mut theta = theta.clone();
            theta[i] += h;
            theta
        };
        let h = 1e-5;
        for i in 0..9 {
            let (up, down) = (shifted(i, h), shifted(i, -h));
            let slope = (likelihood.loss(&up) - likelihood.loss(&down)) / (2.0 * h);
            assert!((slope - bowl.gradient[i]).abs() < 1e-6, "{i}: {slope}");
            let bend =
                (likelihood.bowl(&up).gradient - likelihood.bowl(&down).gradient) / (2.0 * h);
            for j in 0..9 {
                assert!((bend[j] - bowl.curvature[(i, j)]).abs() < 1e-5, "{i}, {j}");
            }
        }
    }

    #[test]
    fn at_the_optimum_free_parameters_have_no_slope_and_held_ones_press_against_their_bound() {
        let journeys = journeys();
        let likelihood = likelihood(&journeys);
        let (theta, _) = likelihood.minimize(likelihood.start(), 100);
        let gradient = likelihood.bowl(&theta).gradient;
        for i in 0..9 {
            assert!(i <= 4 || theta[i] >= 0.0);
            if likelihood.held(&theta, &gradient, i) {
                assert!(gradient[i] > 0.0);
            } else {
                assert!(gradient[i].abs() < 1e-5, "{i}: {}", gradient[i]);
            }
        }
    }

    #[test]
    fn a_resample_of_everybody_once_is_the_fit_and_a_doubled_group_moves_it_its_way() {
        let journeys = journeys();
        let options = FitOptions {
            half_lives_days: vec![2.0],
            ..FitOptions::default()
        };
        let group = |customer: u64| (customer % 8) as usize;
        let fitted = fit(&journeys, 4, &options, 8, group).unwrap();
        assert_eq!(fitted.resampled(&[1.0; 8]), fitted.model);
        let mut doubled = Journeys::new();
        for journey in journeys.iter() {
            for _ in 0..1 + usize::from(group(journey.outcome.customer) == 3) {
                doubled.push(journey.touches.iter().copied(), journey.outcome);
            }
        }
        let refitted = fit(&doubled, 4, &options, 8, group).unwrap().model;
        let mut weights = [1.0; 8];
        weights[3] = 2.0;
        let step = fitted.resampled(&weights);
        let moved = refitted.base - fitted.model.base;
        assert!((step.base - refitted.base).abs() < 0.35 * moved.abs() + 0.01);
    }

    #[test]
    fn one_outcome_alone_is_refused() {
        let mut journeys = Journeys::new();
        journeys.push([Touch::new(ChannelId(0), 0.0)], Outcome::null(1));
        let refused = fit(&journeys, 1, &FitOptions::default(), 1, |_| 0);
        assert_eq!(refused.unwrap_err(), FitError::OneOutcome);
    }
}

//! From what a survey kept to the numbers of each method.

use super::{Counts, Survey};
use crate::conversion::{
    ConversionModel, DataDriven, FitError, FitOptions, Fitted, IncrementalShapley, fit,
};
use crate::credit::{Credit, Totals};
use crate::journey::Journeys;
use crate::markov::{Chain, ChainError, RemovalEffects};
use crate::resample::{Interval, Stability, group_of, stability};

/// What a method says of every channel, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Result {
    /// Conversions and value by channel.
    pub totals: Totals,
    /// Interval of the value, by channel id.
    pub intervals: Vec<Interval>,
    /// How much the answer depends on which customers were there.
    pub stability: Stability,
}

/// A chain's result.
#[derive(Debug, Clone, PartialEq)]
pub struct MarkovResult {
    /// The removal effects, exactly.
    pub effects: RemovalEffects,
    /// Credit that follows from them.
    pub result: Result,
}

/// What a fitted model of conversions says.
#[derive(Debug, Clone)]
pub struct ModelResult {
    /// The fit.
    pub fitted: Fitted,
    /// Credit by removal.
    pub data_driven: Result,
    /// Credit by Shapley value.
    pub incremental: Result,
}

/// Orders of joining for journeys of more channels than can be enumerated.
const ORDERS: usize = 400;

impl Survey {
    /// The result of each rule, in the order of the plan. `draws` say how often each group of
    /// customers was drawn in each resample.
    #[must_use]
    pub fn rules(&self, channels: usize, draws: &[Vec<f64>]) -> Vec<Result> {
        self.rules
            .iter()
            .map(|groups| summed(groups, channels, draws))
            .collect()
    }

    /// The Shapley value of the cumulative game.
    #[must_use]
    pub fn shapley(&self, channels: usize, draws: &[Vec<f64>]) -> Result {
        summed(&self.shapley, channels, draws)
    }

    /// The result of a chain.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn markov(
        &self,
        chain: usize,
        channels: usize,
        draws: &[Vec<f64>],
    ) -> std::result::Result<MarkovResult, ChainError> {
        let transitions = &self.chains[chain];
        let effects = RemovalEffects::exact(&Chain::new(transitions)?, channels)?;
        let totals = self.credited(&effects, &vec![1.0; self.counts.len()]);
        let resampled = RemovalEffects::resampled(transitions, channels, draws)?;
        let resamples = resampled
            .iter()
            .zip(draws)
            .map(|(effects, drawn)| by_channel(&self.credited(effects, drawn), channels));
        let resamples = resamples.collect();
        Ok(MarkovResult {
            result: Result::new(totals, channels, resamples),
            effects,
        })
    }

    fn credited(&self, effects: &RemovalEffects, drawn: &[f64]) -> Totals {
        let sum = |of: fn(&Counts) -> f64| -> f64 {
            self.counts
                .iter()
                .zip(drawn)
                .map(|(counts, times)| of(counts) * times)
                .sum()
        };
        let (conversions, value) = (sum(|c| c.touched_conversions), sum(|c| c.touched_value));
        let mut totals = effects.totals(conversions, value);
        totals.uncredited_conversions += sum(|c| c.conversions) - conversions;
        totals.uncredited_value += sum(|c| c.value) - value;
        totals
    }

    /// Fits a model of conversions to the sample; its credits are scaled to the value of all
    /// conversions that touches led to.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn conversion_model(
        &self,
        channels: usize,
        options: &FitOptions,
        draws: &[Vec<f64>],
        seed: u64,
    ) -> std::result::Result<ModelResult, FitError> {
        let groups = self.counts.len();
        let journeys = self.sample.journeys();
        let fitted = fit(journeys, channels, options, groups, |c| group_of(c, groups))?;
        let data_driven = |model: &ConversionModel| by_group(&DataDriven(model), journeys, groups);
        let incremental = |model: &ConversionModel| {
            let method = IncrementalShapley {
                model,
                orders: ORDERS,
                seed,
            };
            by_group(&method, journeys, groups)
        };
        Ok(ModelResult {
            data_driven: self.scaled(&fitted, channels, draws, data_driven),
            incremental: self.scaled(&fitted, channels, draws, incremental),
            fitted,
        })
    }

    /// Credit of a fitted method in the sample, scaled to all customers.
    fn scaled(
        &self,
        fitted: &Fitted,
        channels: usize,
        draws: &[Vec<f64>],
        credit: impl Fn(&ConversionModel) -> Vec<Totals>,
    ) -> Result {
        let everyone = vec![1.0; self.counts.len()];
        let scale = |groups: &[Totals], drawn: &[f64]| {
            let sample = weighted(groups, drawn);
            let given = |of: &[f64]| of.iter().sum::<f64>();
            let mut all = Totals::default();
            let sum = |of: fn(&Counts) -> f64| -> f64 {
                self.counts
                    .iter()
                    .zip(drawn)
                    .map(|(counts, times)| of(counts) * times)
                    .sum()
            };
            let ratio = |whole: f64, part: f64| if part > 0.0 { whole / part } else { 0.0 };
            let conversions = ratio(sum(|c| c.touched_conversions), given(&sample.conversions));
            let value = ratio(sum(|c| c.touched_value), given(&sample.value));
            for (at, (one, other)) in sample.conversions.iter().zip(&sample.value).enumerate() {
                all.give(
                    crate::ChannelId(at as u32),
                    one * conversions,
                    other * value,
                );
            }
            all.uncredited_conversions = sum(|c| c.conversions - c.touched_conversions);
            all.uncredited_value = sum(|c| c.value - c.touched_value);
            all
        };
        let totals = scale(&credit(&fitted.model), &everyone);
        let resamples = draws
            .iter()
            .map(|drawn| by_channel(&scale(&credit(&fitted.resampled(drawn)), drawn), channels))
            .collect();
        Result::new(totals, channels, resamples)
    }
}

impl Result {
    fn new(mut totals: Totals, channels: usize, resamples: Vec<Vec<f64>>) -> Self {
        if channels > 0 {
            totals.give(crate::ChannelId(channels as u32 - 1), 0.0, 0.0);
        }
        let of_channel = |at: usize| resamples.iter().map(|one| one[at]).collect();
        let point = |at: usize| {
            let x = totals.value[at];
            Interval {
                mean: x,
                q05: x,
                q25: x,
                q50: x,
                q75: x,
                q95: x,
            }
        };
        let interval = |at| Interval::of(of_channel(at)).unwrap_or_else(|| point(at));
        Self {
            intervals: (0..channels).map(interval).collect(),
            stability: stability(&totals.value, &resamples),
            totals,
        }
    }
}

/// Totals of groups, each taken some times.
fn weighted(groups: &[Totals], times: &[f64]) -> Totals {
    let mut sum = Totals::default();
    for (group, times) in groups.iter().zip(times).filter(|(_, times)| **times > 0.0) {
        sum.merge(group, *times);
    }
    sum
}

fn by_channel(totals: &Totals, channels: usize) -> Vec<f64> {
    (0..channels)
        .map(|at| totals.value_of(crate::ChannelId(at as u32)))
        .collect()
}

fn summed(groups: &[Totals], channels: usize, draws: &[Vec<f64>]) -> Result {
    let totals = weighted(groups, &vec![1.0; groups.len()]);
    let resamples = draws
        .iter()
        .map(|drawn| by_channel(&weighted(groups, drawn), channels));
    Result::new(totals, channels, resamples.collect())
}

fn by_group(method: &impl Credit, journeys: &Journeys, groups: usize) -> Vec<Totals> {
    let mut totals = vec![Totals::default(); groups];
    let mut shares = Vec::new();
    for journey in journeys.iter() {
        totals[group_of(journey.outcome.customer, groups)].add(method, &journey, &mut shares);
    }
    totals
}

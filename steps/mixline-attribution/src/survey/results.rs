//! From what a survey kept to the numbers of each method.

use super::{Counts, Survey};
use crate::channel::ChannelId;
use crate::conversion::{
    ConversionModel, DataDriven, FitError, FitOptions, Fitted, IncrementalShapley, fit,
};
use crate::credit::{Credit, Totals};
use crate::journey::Journeys;
use crate::markov::{Chain, ChainError, RemovalEffects};
use crate::resample::{Interval, Stability, group_of, stability};

/// What all results are told in terms of.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Number of channels.
    pub channels: usize,
    /// The channel that stands for what nothing can be credited with: direct visits.
    pub rest: ChannelId,
    /// How often each group of customers was drawn, in each resample.
    pub draws: &'a [Vec<f64>],
}

/// What a method says of every channel, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Result {
    /// Conversions and value by channel; what nothing can be credited with is the rest's.
    pub totals: Totals,
    /// Value that touches were credited with.
    pub credited: f64,
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
    /// The result of each rule, in the order of the plan.
    #[must_use]
    pub fn rules(&self, setting: Setting<'_>) -> Vec<Result> {
        self.rules
            .iter()
            .map(|groups| Result::summed(groups, setting))
            .collect()
    }

    /// The Shapley value of the cumulative game.
    #[must_use]
    pub fn shapley(&self, setting: Setting<'_>) -> Result {
        Result::summed(&self.shapley, setting)
    }

    /// The result of a chain.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn markov(
        &self,
        chain: usize,
        setting: Setting<'_>,
    ) -> std::result::Result<MarkovResult, ChainError> {
        let (transitions, channels) = (&self.chains[chain], setting.channels);
        let effects = RemovalEffects::exact(&Chain::new(transitions)?, channels)?;
        let resampled = RemovalEffects::resampled(transitions, channels, setting.draws)?;
        let totals = self.credited(&effects, &self.everyone());
        let pairs = resampled.iter().zip(setting.draws);
        let resamples = pairs.map(|(effects, drawn)| self.credited(effects, drawn));
        Ok(MarkovResult {
            result: Result::new(totals, resamples.collect(), setting),
            effects,
        })
    }

    /// Fits a model of conversions to the sample; its credits are scaled to all conversions that
    /// touches led to.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn conversion_model(
        &self,
        options: &FitOptions,
        setting: Setting<'_>,
        seed: u64,
    ) -> std::result::Result<ModelResult, FitError> {
        let (groups, journeys) = (self.counts.len(), self.sample.journeys());
        let group = |customer| group_of(customer, groups);
        let fitted = fit(journeys, setting.channels, options, groups, group)?;
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
            data_driven: self.scaled(&fitted, setting, data_driven),
            incremental: self.scaled(&fitted, setting, incremental),
            fitted,
        })
    }

    /// Every group once.
    fn everyone(&self) -> Vec<f64> {
        vec![1.0; self.counts.len()]
    }

    /// A number of all customers, each group taken some times.
    fn sum(&self, drawn: &[f64], of: fn(&Counts) -> f64) -> f64 {
        let pairs = self.counts.iter().zip(drawn);
        pairs.map(|(counts, times)| of(counts) * times).sum()
    }

    /// Removal effects shared over what touches led to.
    fn credited(&self, effects: &RemovalEffects, drawn: &[f64]) -> Totals {
        let conversions = self.sum(drawn, |counts| counts.touched_conversions);
        let value = self.sum(drawn, |counts| counts.touched_value);
        let mut totals = effects.totals(conversions, value);
        self.leave_untouched(&mut totals, drawn);
        totals
    }

    /// Credit of a fitted method in the sample, scaled to all customers.
    fn scaled(
        &self,
        fitted: &Fitted,
        setting: Setting<'_>,
        credit: impl Fn(&ConversionModel) -> Vec<Totals>,
    ) -> Result {
        let scaled = |model: &ConversionModel, drawn: &[f64]| {
            let sample = weighted(&credit(model), drawn);
            let ratio = |whole: f64, parts: &[f64]| {
                let part: f64 = parts.iter().sum();
                if part > 0.0 { whole / part } else { 0.0 }
            };
            let conversions = self.sum(drawn, |counts| counts.touched_conversions);
            let value = self.sum(drawn, |counts| counts.touched_value);
            let by_conversions = ratio(conversions, &sample.conversions);
            let by_value = ratio(value, &sample.value);
            let mut totals = Totals::default();
            for (channel, (one, other)) in (0..).zip(sample.conversions.iter().zip(&sample.value)) {
                totals.give(ChannelId(channel), one * by_conversions, other * by_value);
            }
            self.leave_untouched(&mut totals, drawn);
            totals
        };
        let totals = scaled(&fitted.model, &self.everyone());
        let resample = |drawn: &Vec<f64>| scaled(&fitted.resampled(drawn), drawn);
        Result::new(
            totals,
            setting.draws.iter().map(resample).collect(),
            setting,
        )
    }

    /// Orders that no touch led to cannot be credited.
    fn leave_untouched(&self, totals: &mut Totals, drawn: &[f64]) {
        totals.uncredited_conversions += self.sum(drawn, |counts| {
            counts.conversions - counts.touched_conversions
        });
        totals.uncredited_value += self.sum(drawn, |counts| counts.value - counts.touched_value);
    }
}

impl Result {
    /// The result of totals kept by group.
    #[must_use]
    pub fn summed(groups: &[Totals], setting: Setting<'_>) -> Self {
        let totals = weighted(groups, &vec![1.0; groups.len()]);
        let resamples = setting.draws.iter().map(|drawn| weighted(groups, drawn));
        Self::new(totals, resamples.collect(), setting)
    }

    fn new(mut totals: Totals, resamples: Vec<Totals>, setting: Setting<'_>) -> Self {
        let credited = totals.value.iter().sum();
        totals.settle(setting.rest);
        let values = |totals: &Totals| -> Vec<f64> {
            let value = |channel| totals.value_of(ChannelId(channel));
            (0..setting.channels as u32).map(value).collect()
        };
        let point = values(&totals);
        let resamples: Vec<Vec<f64>> = resamples
            .into_iter()
            .map(|mut resample| {
                resample.settle(setting.rest);
                values(&resample)
            })
            .collect();
        let interval = |(channel, &value): (usize, &f64)| {
            let of_channel = resamples.iter().map(|resample| resample[channel]);
            Interval::of(of_channel.collect()).unwrap_or_else(|| Interval::point(value))
        };
        Self {
            intervals: point.iter().enumerate().map(interval).collect(),
            stability: stability(&point, &resamples),
            credited,
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

fn by_group(method: &impl Credit, journeys: &Journeys, groups: usize) -> Vec<Totals> {
    let mut totals = vec![Totals::default(); groups];
    let mut shares = Vec::new();
    for journey in journeys.iter() {
        totals[group_of(journey.outcome.customer, groups)].add(method, &journey, &mut shares);
    }
    totals
}

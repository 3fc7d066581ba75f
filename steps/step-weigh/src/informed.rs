//! The mix model's view of each channel, brought together with the paths.

use std::collections::BTreeMap;

use mixline_attribution::resample::Interval;
use mixline_attribution::{ChannelId, Reconciliation};
use mixline_schema::catalog::{AttributionReconciliation, MmmResults};

use crate::gather::Gathered;

/// A channel of the mix model, as shares of the outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Modelled {
    share: f64,
    /// Quantiles of the contribution over its mean.
    spread: Interval,
}

/// Paths and model, reconciled.
#[derive(Debug)]
pub(crate) struct Informed {
    modelled: BTreeMap<String, Modelled>,
    reconciled: Reconciliation,
}

/// What a channel gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) revenue: f64,
    pub(crate) interval: Interval,
    /// Its part of the base, for a channel that no path meets.
    base: Option<f64>,
}

/// Channels of a mix model's results, over all regions.
fn modelled(results: &[MmmResults]) -> BTreeMap<String, Modelled> {
    let rows = results.iter().filter(|row| row.geo == "all");
    rows.map(|row| {
        let relative = |quantile: f64| {
            if row.contribution > 0.0 {
                quantile / row.contribution
            } else {
                1.0
            }
        };
        let spread = Interval {
            mean: 1.0,
            q05: relative(row.contribution_q05),
            q25: relative(row.contribution_q25),
            q50: relative(row.contribution_q50),
            q75: relative(row.contribution_q75),
            q95: relative(row.contribution_q95),
        };
        let share = row.share_of_outcome;
        (row.channel.clone(), Modelled { share, spread })
    })
    .collect()
}

impl Informed {
    /// Reconciles paths with the results of a mix model.
    pub(crate) fn new(found: &Gathered, results: &[MmmResults]) -> Self {
        let modelled = modelled(results);
        let value = found.survey.counts().value;
        let target = |name: &String| modelled.get(name).map_or(0.0, |one| one.share * value);
        let targets: Vec<f64> = found.channels.names().iter().map(target).collect();
        let reconciled = Reconciliation::new(&found.survey.compositions(), &targets);
        Self {
            modelled,
            reconciled,
        }
    }

    /// What every channel of the model gets: by its paths, or out of the base.
    pub(crate) fn by_channel(&self, found: &Gathered) -> Vec<(ChannelId, Part)> {
        let on_paths: f64 = self.reconciled.reached.iter().sum();
        let base = (self.reconciled.value - on_paths).max(0.0);
        let met = |channel: ChannelId| self.reconciled.by_paths[channel.index()] > 0.0;
        let target = |one: &Modelled| (one.share * self.reconciled.value).max(0.0);
        let named = self.modelled.iter();
        let unmet = named.filter(|(name, _)| found.channels.find(name).is_some_and(|c| !met(c)));
        let wanted: f64 = unmet.map(|(_, modelled)| target(modelled)).sum();
        // Where the base cannot give all that is wanted of it, everyone gets the same part.
        let given = if wanted > base { base / wanted } else { 1.0 };
        let part = |(name, modelled): (&String, &Modelled)| {
            let channel = found.channels.find(name)?;
            let (revenue, of_base) = if met(channel) {
                (self.reconciled.reached[channel.index()], None)
            } else {
                let revenue = target(modelled) * given;
                (revenue, Some(if base > 0.0 { revenue / base } else { 0.0 }))
            };
            Some((
                channel,
                Part {
                    revenue,
                    interval: modelled.spread.scaled(revenue),
                    base: of_base,
                },
            ))
        };
        self.modelled.iter().filter_map(part).collect()
    }

    /// The reconciliation, channel by channel.
    pub(crate) fn rows(&self, found: &Gathered) -> Vec<AttributionReconciliation> {
        let parts: BTreeMap<ChannelId, Part> = self.by_channel(found).into_iter().collect();
        let mut rows: Vec<AttributionReconciliation> = Vec::new();
        for channel in found.channels.ids() {
            let name = found.channels.name(channel);
            let path_revenue = self.reconciled.by_paths[channel.index()];
            let part = parts.get(&channel);
            if part.is_none() && path_revenue <= 0.0 {
                continue;
            }
            let modelled = self.modelled.get(name);
            let target = modelled.map_or(0.0, |one| (one.share * self.reconciled.value).max(0.0));
            let revenue = part.map_or(0.0, |part| part.revenue);
            let (carried_by, factor) = match part.map(|part| part.base) {
                Some(None) => ("paths", self.reconciled.factors[channel.index()]),
                Some(Some(share)) => ("base", share),
                None => ("none", 0.0),
            };
            rows.push(AttributionReconciliation {
                channel: name.to_owned(),
                path_revenue,
                model_share: modelled.map(|one| one.share),
                target_revenue: target,
                reconciled_revenue: revenue,
                carried_by: carried_by.to_owned(),
                factor,
                unreconciled_revenue: target - revenue,
            });
        }
        rows
    }
}

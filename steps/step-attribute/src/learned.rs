//! What `step-weigh` has learned, as methods that can share an order.

use std::collections::BTreeMap;

use mixline_attribution::conversion::{ConversionModel, DataDriven, IncrementalShapley};
use mixline_attribution::markov::{Removal, RemovalEffects};
use mixline_attribution::shapley::Cumulative;
use mixline_attribution::{ChannelId, Channels, Credit, Informed, Touch, TouchRule};
use mixline_attribution_tables::Method;
use mixline_schema::catalog::{AttributionChannels, AttributionReconciliation, ConversionModels};

use crate::config::Config;

/// Orders of joining for journeys of more channels than can be enumerated.
const ORDERS: usize = 400;

/// Everything that methods need, by the ids of `channels`.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) channels: Channels,
    pub(crate) direct: ChannelId,
    effects: BTreeMap<Method, RemovalEffects>,
    model: Option<ConversionModel>,
    informed: Option<Factors>,
    seed: u64,
}

/// The reconciliation with the mix model.
#[derive(Debug, Default)]
struct Factors {
    /// By channel id, for channels that paths carry.
    on_paths: Vec<f64>,
    /// Part of the base, for channels that it carries.
    on_base: Vec<(ChannelId, f64)>,
}

impl Learned {
    pub(crate) fn new(
        config: &Config,
        weighed: &[AttributionChannels],
        model: &[ConversionModels],
        reconciliation: &[AttributionReconciliation],
        seed: u64,
    ) -> Self {
        let mut channels = Channels::new();
        let direct = channels.intern(&config.rules.direct);
        let mut effects: BTreeMap<Method, RemovalEffects> = BTreeMap::new();
        for row in weighed {
            let (Ok(method), Some(effect)) = (row.method.parse(), row.removal_effect) else {
                continue;
            };
            let channel = channels.intern(&row.channel);
            let removals = &mut effects.entry(method).or_default().removals;
            removals.resize(removals.len().max(channel.index() + 1), Removal::default());
            removals[channel.index()] = Removal {
                conversion: effect,
                value: effect,
            };
        }
        Self {
            model: conversion_model(model, &mut channels),
            informed: factors(reconciliation, &mut channels),
            channels,
            direct,
            effects,
            seed,
        }
    }

    /// Why a method cannot be applied; `None` when it can.
    pub(crate) fn obstacle(&self, method: Method) -> Option<&'static str> {
        let there = match method {
            Method::Markov(..) => self.effects.contains_key(&method),
            Method::DataDriven | Method::ShapleyIncremental => self.model.is_some(),
            Method::MmmInformed => self.informed.is_some(),
            _ => true,
        };
        (!there).then_some(match method {
            Method::Markov(..) => "step-weigh has told no removal effects of it",
            Method::MmmInformed => "there is no mix model yet",
            _ => "step-weigh has fitted no model of conversions",
        })
    }

    /// Shares an order over its touches; what no touch gets goes to channels given back with it.
    /// `None` when the method cannot be applied.
    pub(crate) fn share(
        &self,
        method: Method,
        rule: Option<TouchRule>,
        touches: &[Touch],
        shares: &mut Vec<f64>,
    ) -> Option<Vec<(ChannelId, f64)>> {
        let whole = |credit: &dyn Credit, shares: &mut Vec<f64>| {
            let given = credit.credit(touches, shares);
            if given {
                Vec::new()
            } else {
                vec![(self.direct, 1.0)]
            }
        };
        if let Some(rule) = rule {
            return Some(whole(&rule, shares));
        }
        Some(match method {
            Method::Markov(..) => whole(self.effects.get(&method)?, shares),
            Method::Shapley => whole(&Cumulative, shares),
            Method::DataDriven => whole(&DataDriven(self.model.as_ref()?), shares),
            Method::ShapleyIncremental => {
                let method = IncrementalShapley {
                    model: self.model.as_ref()?,
                    orders: ORDERS,
                    seed: self.seed,
                };
                whole(&method, shares)
            }
            Method::MmmInformed => self.informed.as_ref()?.share(touches, self.direct, shares),
            _ => return None,
        })
    }
}

impl Factors {
    fn share(
        &self,
        touches: &[Touch],
        direct: ChannelId,
        shares: &mut Vec<f64>,
    ) -> Vec<(ChannelId, f64)> {
        let informed = Informed {
            paths: TouchRule::Linear,
            factors: &self.on_paths,
        };
        let base = informed.split(touches, shares);
        let mut others: Vec<(ChannelId, f64)> = self
            .on_base
            .iter()
            .map(|&(channel, part)| (channel, part * base))
            .collect();
        let given: f64 = others.iter().map(|(_, share)| share).sum();
        others.push((direct, (base - given).max(0.0)));
        others
    }
}

fn conversion_model(rows: &[ConversionModels], channels: &mut Channels) -> Option<ConversionModel> {
    let whole = |parameter: &str| {
        let row = rows
            .iter()
            .find(|row| row.parameter == parameter && row.channel.is_empty());
        row.map(|row| row.value)
    };
    let mut model = ConversionModel {
        base: whole("base")?,
        own: Vec::new(),
        carry: Vec::new(),
        half_life_days: whole("half_life_days").filter(|days| *days > 0.0)?,
    };
    for row in rows.iter().filter(|row| !row.channel.is_empty()) {
        let channel = channels.intern(&row.channel).index();
        let effects = match row.parameter.as_str() {
            "own" => &mut model.own,
            "carry" => &mut model.carry,
            _ => continue,
        };
        effects.resize(effects.len().max(channel + 1), 0.0);
        effects[channel] = row.value;
    }
    Some(model)
}

fn factors(rows: &[AttributionReconciliation], channels: &mut Channels) -> Option<Factors> {
    if rows.is_empty() {
        return None;
    }
    let mut factors = Factors::default();
    for row in rows {
        let channel = channels.intern(&row.channel);
        match row.carried_by.as_str() {
            "paths" => {
                let known = factors.on_paths.len().max(channel.index() + 1);
                factors.on_paths.resize(known, 0.0);
                factors.on_paths[channel.index()] = row.factor;
            }
            "base" => factors.on_base.push((channel, row.factor)),
            _ => {}
        }
    }
    Some(factors)
}

//! Sharing one order by every method.

use std::collections::BTreeMap;

use mixline_attribution::{Touch, TouchRule};
use mixline_attribution_tables::{Decoded, JourneyRow, Method, OrderRow, SpendByDay};
use mixline_schema::catalog::AttributionEvents;
use mixline_step::Context;

use crate::config::Config;
use crate::events::{ALL, Credits, day_of, events_of, exact};
use crate::learned::Learned;

/// Shares orders, and counts what it meets.
#[derive(Debug)]
pub(crate) struct Sharing<'a> {
    spend: &'a SpendByDay,
    learned: Learned,
    /// Methods that can be applied, with the rule behind those that are one.
    methods: Vec<(Method, Option<TouchRule>)>,
    left_out: BTreeMap<Method, &'static str>,
    direct: String,
    touches: Vec<Touch>,
    shares: Vec<f64>,
    orders: u64,
    untouched: u64,
    no_spend: u64,
}

impl<'a> Sharing<'a> {
    pub(crate) fn new(config: &Config, spend: &'a SpendByDay, learned: Learned) -> Self {
        let obstacle = |method: &Method| learned.obstacle(*method).map(|why| (*method, why));
        let left_out: BTreeMap<Method, &str> = config.methods.iter().filter_map(obstacle).collect();
        let applied = config
            .methods
            .iter()
            .filter(|method| !left_out.contains_key(method));
        let methods = applied
            .map(|method| (*method, config.rules.rule(*method, learned.direct)))
            .collect();
        Self {
            spend,
            methods,
            left_out,
            direct: config.rules.direct.clone(),
            learned,
            touches: Vec::new(),
            shares: Vec::new(),
            orders: 0,
            untouched: 0,
            no_spend: 0,
        }
    }

    /// The rows of an order, by every method.
    pub(crate) fn share(
        &mut self,
        decoded: &Decoded,
        journey: &JourneyRow<'_>,
        order: &OrderRow<'_>,
    ) -> Vec<AttributionEvents> {
        self.orders += 1;
        self.untouched += u64::from(journey.touches.is_empty());
        let mut touches = std::mem::take(&mut self.touches);
        touches.clear();
        touches.extend(decoded.touches(journey.touches.clone(), &mut self.learned.channels));
        let mut rows = Vec::new();
        for (method, rule) in self.methods.clone() {
            let credits = match method {
                Method::SpendShare => Some(self.by_spend(order)),
                _ => self.by_touches(method, rule, decoded, journey, &touches),
            };
            rows.extend(
                credits
                    .into_iter()
                    .flat_map(|c| events_of(order, method, c)),
            );
        }
        self.touches = touches;
        rows
    }

    fn by_spend(&mut self, order: &OrderRow<'_>) -> Credits {
        let shares = self.spend.shares(day_of(order.date));
        if shares.is_empty() {
            self.no_spend += 1;
            return Credits::from([((self.direct.clone(), ALL.to_owned()), 1.0)]);
        }
        let credit = |(channel, share): (&str, f64)| ((channel.to_owned(), ALL.to_owned()), share);
        let mut credits: Credits = shares.into_iter().map(credit).collect();
        exact(&mut credits);
        credits
    }

    fn by_touches(
        &mut self,
        method: Method,
        rule: Option<TouchRule>,
        decoded: &Decoded,
        journey: &JourneyRow<'_>,
        touches: &[Touch],
    ) -> Option<Credits> {
        let others = self
            .learned
            .share(method, rule, touches, &mut self.shares)?;
        let mut credits = Credits::new();
        let of_touches = journey.touches.clone().zip(&self.shares);
        for (row, share) in of_touches.filter(|(_, share)| **share > 0.0) {
            let (channel, campaign) = decoded.source(row);
            *credits
                .entry((channel.to_owned(), campaign.to_owned()))
                .or_default() += share;
        }
        for (channel, share) in others.into_iter().filter(|(_, share)| *share > 0.0) {
            let channel = self.learned.channels.name(channel).to_owned();
            *credits.entry((channel, ALL.to_owned())).or_default() += share;
        }
        exact(&mut credits);
        Some(credits)
    }

    /// Says what was counted.
    pub(crate) fn note(&self, ctx: &Context) {
        ctx.note("orders", self.orders);
        ctx.note("orders_without_touches", self.untouched);
        ctx.note("orders_on_days_without_spend", self.no_spend);
        for (method, why) in &self.left_out {
            ctx.note(format!("left_out.{method}"), *why);
        }
    }
}

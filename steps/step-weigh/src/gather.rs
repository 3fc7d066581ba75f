//! One pass over the journeys.

use chrono::NaiveDate;
use mixline_artifact::StoreError;
use mixline_attribution::markov::Which;
use mixline_attribution::resample::group_of;
use mixline_attribution::survey::{Plan, Survey};
use mixline_attribution::{ChannelId, Channels, Journey, Outcome, Totals, TouchRule};
use mixline_attribution_tables::{
    Decoded, JourneyRow, Method, OrderRow, SpendByDay, customer_number,
};
use mixline_schema::catalog::Journeys;
use mixline_step::{Batches, Context, StepError, Table};

use crate::config::{Config, OpenJourneys};

/// What the pass found.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) channels: Channels,
    pub(crate) direct: ChannelId,
    pub(crate) survey: Survey,
    /// Rules in the order of the survey's plan.
    pub(crate) rules: Vec<Method>,
    /// Chains in the order of the survey's plan.
    pub(crate) chains: Vec<Method>,
    /// Spend shares, by group of customers.
    pub(crate) by_spend: Vec<Totals>,
    /// First and last business day with an order.
    pub(crate) period: Option<(NaiveDate, NaiveDate)>,
    pub(crate) currency: Option<String>,
}

/// Journeys as they are gathered.
struct Gathering<'a> {
    config: &'a Config,
    spend: &'a SpendByDay,
    found: Gathered,
    touches: Vec<mixline_attribution::Touch>,
}

/// Gathers everything from the journeys.
pub(crate) fn gather(
    config: &Config,
    journeys: &Batches<Journeys>,
    spend: &SpendByDay,
    informed: bool,
    ctx: &Context,
) -> Result<Gathered, StepError> {
    let mut gathering = Gathering::new(config, spend, informed);
    for batch in journeys.iter() {
        if ctx.stopping() {
            break;
        }
        gathering.batch(&batch.map_err(|error: StoreError| StepError::from(error))?)?;
    }
    Ok(gathering.found)
}

impl<'a> Gathering<'a> {
    fn new(config: &'a Config, spend: &'a SpendByDay, informed: bool) -> Self {
        let mut channels = Channels::new();
        let direct = channels.intern(&config.rules.direct);
        let mut rules: Vec<(Method, TouchRule)> = Vec::new();
        let mut chains: Vec<(Method, (usize, Which))> = Vec::new();
        for &method in &config.methods {
            if let Some(rule) = config.rules.rule(method, direct) {
                rules.push((method, rule));
            } else if let Method::Markov(order, which) = method {
                chains.push((method, (order, which)));
            }
        }
        let fits = config
            .methods
            .iter()
            .any(|method| method.needs_conversion_model());
        let plan = Plan {
            rules: rules.iter().map(|(_, rule)| *rule).collect(),
            chains: chains.iter().map(|(_, chain)| *chain).collect(),
            groups: config.groups,
            sample: if fits { config.fitted_journeys } else { 0 },
            compositions: informed,
            ..Plan::default()
        };
        let found = Gathered {
            channels,
            direct,
            survey: Survey::new(plan),
            rules: rules.into_iter().map(|(method, _)| method).collect(),
            chains: chains.into_iter().map(|(method, _)| method).collect(),
            by_spend: vec![Totals::default(); config.groups],
            period: None,
            currency: None,
        };
        Self {
            config,
            spend,
            found,
            touches: Vec::new(),
        }
    }

    fn batch(&mut self, batch: &Table<Journeys>) -> Result<(), StepError> {
        let decoded = Decoded::new(batch);
        for row in decoded.journeys() {
            if row.status == "open" && self.config.open_journeys == OpenJourneys::Skip {
                continue;
            }
            self.touches.clear();
            let touches = decoded.touches(row.touches.clone(), &mut self.found.channels);
            self.touches.extend(touches);
            let outcome = row.outcome();
            if let Some(order) = &row.order {
                self.order(&row, order, &outcome)?;
            }
            self.found.survey.add(&Journey {
                touches: &self.touches,
                outcome,
            });
        }
        Ok(())
    }

    fn order(
        &mut self,
        row: &JourneyRow<'_>,
        order: &OrderRow<'_>,
        outcome: &Outcome,
    ) -> Result<(), StepError> {
        let date = day_of(order.date);
        let (first, last) = self.found.period.unwrap_or((date, date));
        self.found.period = Some((first.min(date), last.max(date)));
        let currency = self
            .found
            .currency
            .get_or_insert_with(|| order.currency.to_owned());
        if currency != order.currency {
            return Err(StepError::data(format!(
                "order {} is in {}, others are in {currency}; their revenue cannot be added up",
                order.id, order.currency
            ))
            .hint("export every source in one currency"));
        }
        let group = group_of(customer_number(row.customer), self.config.groups);
        let totals = &mut self.found.by_spend[group];
        let shares = self.spend.shares(date);
        if shares.is_empty() {
            totals.uncredited_conversions += 1.0;
            totals.uncredited_value += outcome.value;
        }
        for (channel, share) in shares {
            let channel = self.found.channels.intern(channel);
            totals.give(channel, share, share * outcome.value);
        }
        Ok(())
    }
}

/// A day of a table.
fn day_of(days: i32) -> NaiveDate {
    NaiveDate::from_epoch_days(days).unwrap_or_default()
}

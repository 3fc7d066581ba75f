//! Credits of one order, and the rows they become.

use std::collections::{BTreeMap, BTreeSet};

use mixline_attribution::{Journey, TouchRule, credit, shares};
use mixline_schema::catalog::{AttributionEvents, Orders};

use crate::config::Method;
use crate::touches::Credited;

/// The channel of orders that nothing else explains.
const DIRECT: &str = "direct";
/// The campaign of methods that do not tell campaigns apart.
const ALL: &str = "all";

fn direct() -> Credited {
    (DIRECT.to_owned(), ALL.to_owned())
}

/// Credit by channel and campaign, zeros included.
pub(crate) struct Credits {
    by_credited: BTreeMap<Credited, f64>,
    fell_back: bool,
}

impl Credits {
    /// Credits over a day's spend; all to `direct` when nobody spent.
    pub(crate) fn by_spend(day: Option<&BTreeMap<String, f64>>) -> Self {
        let (channels, spend): (Vec<&String>, Vec<f64>) = day
            .into_iter()
            .flatten()
            .map(|(channel, spend)| (channel, *spend))
            .unzip();
        let candidates = channels
            .iter()
            .map(|channel| ((*channel).clone(), ALL.to_owned()))
            .collect();
        let earned = shares(&spend)
            .map(|shares| {
                let credited = channels.iter().map(|c| ((*c).clone(), ALL.to_owned()));
                credited.zip(shares).collect()
            })
            .unwrap_or_default();
        Self::new(&candidates, earned)
    }

    /// Credits over a journey; all to `direct` when it is empty.
    pub(crate) fn by_rule(
        rule: &TouchRule,
        journey: &Journey<Credited>,
        candidates: &BTreeSet<Credited>,
    ) -> Self {
        Self::new(candidates, credit(rule, journey))
    }

    fn new(candidates: &BTreeSet<Credited>, earned: Vec<(Credited, f64)>) -> Self {
        let mut by_credited: BTreeMap<Credited, f64> = candidates
            .iter()
            .map(|credited| (credited.clone(), 0.0))
            .collect();
        by_credited.insert(direct(), 0.0);
        let fell_back = earned.is_empty();
        if fell_back {
            by_credited.insert(direct(), 1.0);
        }
        by_credited.extend(earned);
        Self {
            by_credited,
            fell_back,
        }
    }

    /// Whether `direct` took everything because nothing else could.
    pub(crate) fn is_direct(&self) -> bool {
        self.fell_back
    }
}

/// The rows of one order and method.
pub(crate) fn events_of(
    order: &Orders,
    method: Method,
    credits: &Credits,
) -> Vec<AttributionEvents> {
    let row = |((channel, campaign), credit): (&Credited, &f64)| AttributionEvents {
        order_id: order.order_id.clone(),
        method: method.name().to_owned(),
        channel: channel.clone(),
        campaign: campaign.clone(),
        date: order.date,
        currency: order.currency.clone(),
        credit: *credit,
        revenue: credit * order.revenue,
        new_customer: order.new_customer,
    };
    credits.by_credited.iter().map(row).collect()
}

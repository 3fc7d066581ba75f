//! A world as artifact rows: what ingesting its exports without loss would give.

use mixline_schema::Digest;
use mixline_schema::catalog::{Controls, MediaDaily, Orders, Outcome, Touchpoints, TruthDaily};

use crate::customers::email;
use crate::journeys::{UNPAID, Visitor};
use crate::spec::WorldSpec;
use crate::world::World;

impl World {
    /// The truth: spend and expected revenue by day and channel, and the `baseline`.
    #[must_use]
    pub fn truth_daily(&self) -> Vec<TruthDaily> {
        let mut rows = Vec::new();
        for day in &self.days {
            rows.push(TruthDaily {
                date: day.date,
                channel: "baseline".to_owned(),
                spend: 0.0,
                contribution: round(day.baseline),
            });
            rows.extend(
                self.spec
                    .channels
                    .iter()
                    .enumerate()
                    .map(|(index, channel)| TruthDaily {
                        date: day.date,
                        channel: channel.name.clone(),
                        spend: round(self.spend(day.index, index)),
                        contribution: round(self.contribution(day.index, index)),
                    }),
            );
        }
        rows
    }

    /// Spend and delivery; campaigns off air have no row, unless the channel has no other.
    #[must_use]
    pub fn media_daily(&self) -> Vec<MediaDaily> {
        let regions = self.spec.regions();
        let one_campaign = |channel: usize| self.spec.channels[channel].campaigns.len() == 1;
        let rows = self
            .media
            .iter()
            .filter(|row| row.spend > 0.0 || one_campaign(row.channel));
        rows.map(|row| {
            let channel = &self.spec.channels[row.channel];
            MediaDaily {
                date: self.days[row.day as usize].date,
                channel: channel.name.clone(),
                campaign: channel.campaigns[row.campaign].name.clone(),
                geo: regions[row.geo].0.to_owned(),
                currency: self.spec.currency.clone(),
                spend: Some(row.spend),
                impressions: Some(row.impressions.into()),
                clicks: (channel.click_rate > 0.0).then(|| row.clicks.into()),
            }
        })
        .collect()
    }

    /// Orders. Customer keys are digests of the e-mail address, without a secret: nobody is real.
    #[must_use]
    pub fn orders_table(&self) -> Vec<Orders> {
        let regions = self.spec.regions();
        let row = |order: &crate::Order| Orders {
            order_id: format!("#{}", order.number),
            ordered_at: order.placed_at(),
            date: self.days[order.day as usize].date,
            customer_key: order
                .customer
                .map(|customer| key(Visitor::Customer(customer))),
            new_customer: order.customer.map(|_| order.first),
            geo: regions[order.geo].0.to_owned(),
            currency: self.spec.currency.clone(),
            gross_revenue: order.gross(),
            refunded: order.refunded as f64 / 100.0,
            revenue: order.net(),
            status: order.status.word().to_owned(),
        };
        self.orders.iter().map(row).collect()
    }

    /// Touches.
    #[must_use]
    pub fn touchpoints(&self) -> Vec<Touchpoints> {
        let mut rows: Vec<Touchpoints> = Vec::with_capacity(self.touches.len());
        for touch in &self.touches {
            let (channel, campaign) = names(&self.spec, touch);
            rows.push(Touchpoints {
                customer_key: key(touch.visitor),
                occurred_at: touch.at,
                channel: channel.to_owned(),
                campaign: campaign.unwrap_or("all").to_owned(),
                kind: if touch.click { "click" } else { "view" }.to_owned(),
            });
        }
        let identity = |t: &Touchpoints| {
            (
                t.customer_key.clone(),
                t.occurred_at,
                t.channel.clone(),
                t.campaign.clone(),
            )
        };
        rows.sort_by_cached_key(identity);
        rows.dedup_by(|a, b| identity(a) == identity(b));
        rows
    }

    /// Revenue (gross) and number of orders by day, over all regions.
    #[must_use]
    pub fn outcome(&self) -> Vec<Outcome> {
        let mut totals = vec![(0u64, 0u32); self.days.len()];
        for order in &self.orders {
            let total = &mut totals[order.day as usize];
            *total = (total.0 + order.subtotal, total.1 + 1);
        }
        let row = |date, metric: &str, value, unit: &str| Outcome {
            date,
            geo: "all".to_owned(),
            metric: metric.to_owned(),
            value,
            unit: unit.to_owned(),
        };
        let days = self.days.iter().zip(totals);
        days.flat_map(|(day, (cents, count))| {
            [
                row(
                    day.date,
                    "revenue",
                    cents as f64 / 100.0,
                    &self.spec.currency,
                ),
                row(day.date, "orders", count.into(), "count"),
            ]
        })
        .collect()
    }

    /// Price index, promotion flag and competitor activity by day.
    #[must_use]
    pub fn controls(&self) -> Vec<Controls> {
        let mut rows = Vec::with_capacity(3 * self.days.len());
        for day in &self.days {
            let values = [
                ("price_index", day.price_index),
                ("promo", f64::from(u8::from(day.promo))),
                ("competitor", day.competitor),
            ];
            rows.extend(values.map(|(control, value)| Controls {
                date: day.date,
                geo: "all".to_owned(),
                control: control.to_owned(),
                value,
            }));
        }
        rows
    }
}

/// Channel and campaign of a touch.
pub(crate) fn names<'a>(spec: &'a WorldSpec, touch: &crate::Touch) -> (&'a str, Option<&'a str>) {
    match touch.source {
        Ok(index) => {
            let channel = &spec.channels[index];
            let campaign = touch
                .campaign
                .and_then(|campaign| channel.campaigns.get(campaign));
            (
                &channel.name,
                campaign.map(|campaign| campaign.name.as_str()),
            )
        }
        Err(index) => (UNPAID[index].0, None),
    }
}

/// The e-mail address of a visitor.
pub(crate) fn address(visitor: Visitor) -> String {
    match visitor {
        Visitor::Customer(number) => email(number),
        Visitor::Prospect(number) => format!("visitor{number}@example.org"),
    }
}

fn key(visitor: Visitor) -> String {
    Digest::of_bytes(address(visitor).as_bytes())
        .as_str()
        .to_owned()
}

/// Ten-thousandths are enough for truth, and leave no room for the last bit.
fn round(value: f64) -> f64 {
    libm::round(value * 1e4) / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn world() -> World {
        World::generate(&WorldSpec {
            days: 120,
            ..WorldSpec::default()
        })
    }

    #[test]
    fn the_truth_of_a_day_adds_up_to_its_expected_revenue() {
        let world = world();
        let mut days = BTreeMap::new();
        for row in world.truth_daily() {
            *days.entry(row.date).or_insert(0.0) += row.contribution;
        }
        for day in &world.days {
            assert!((days[&day.date] - world.expected_revenue(day.index)).abs() < 1e-3);
        }
    }

    #[test]
    fn tables_agree_with_each_other() {
        let world = world();
        let media: f64 = world.media_daily().iter().filter_map(|row| row.spend).sum();
        let truth: f64 = world.truth_daily().iter().map(|row| row.spend).sum();
        assert!((media - truth).abs() < 1e-3);
        let gross: f64 = world
            .orders_table()
            .iter()
            .map(|row| row.gross_revenue)
            .sum();
        let outcome: f64 = world
            .outcome()
            .iter()
            .filter(|row| row.metric == "revenue")
            .map(|row| row.value)
            .sum();
        assert!((gross - outcome).abs() < 1e-3);
        assert_eq!(world.controls().len(), 3 * 120);
    }

    #[test]
    fn touchpoints_belong_to_known_channels_and_many_to_buyers() {
        let world = world();
        let touches = world.touchpoints();
        assert!(touches.iter().all(|t| t.channel != "tv"));
        let buyers: std::collections::HashSet<_> = world
            .orders_table()
            .into_iter()
            .filter_map(|o| o.customer_key)
            .collect();
        let known = touches
            .iter()
            .filter(|t| buyers.contains(&t.customer_key))
            .count();
        assert!(known * 2 > touches.len() && known < touches.len());
    }
}

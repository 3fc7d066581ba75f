//! A world: everything generated from one spec.

use crate::calendar::{self, Day};
use crate::journeys::{self, Touch};
use crate::media::{self, Contributions, MediaRow};
use crate::orders::{self, Order};
use crate::spec::WorldSpec;

/// A shop with advertising and its truth. See the [crate] for the laws it keeps, and the methods
/// `media_daily`, `orders_table`, … for the same as artifact rows.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// What it was made from.
    pub spec: WorldSpec,
    /// Days with their controls.
    pub days: Vec<Day>,
    /// Spend and delivery by day, channel, campaign and region.
    pub media: Vec<MediaRow>,
    /// Orders in the order of time.
    pub orders: Vec<Order>,
    /// Touches in the order of time.
    pub touches: Vec<Touch>,
    contributions: Contributions,
}

impl World {
    /// Makes the world. Equal specs give equal worlds on every machine.
    #[must_use]
    pub fn generate(spec: &WorldSpec) -> Self {
        let days = calendar::days(spec);
        let (media, contributions) = media::media(spec, &days);
        let orders = orders::orders(spec, &days, &contributions);
        let touches = journeys::touches(spec, &days, &media, &orders);
        Self {
            spec: spec.clone(),
            days,
            media,
            orders,
            touches,
            contributions,
        }
    }

    /// Expected revenue caused by a channel (index in the spec) on a day, over all regions.
    /// This is the truth; indices outside the world contribute nothing.
    #[must_use]
    pub fn contribution(&self, day: u32, channel: usize) -> f64 {
        let of_day = self.contributions.get(day as usize);
        let by_geo = of_day.and_then(|channels| channels.get(channel));
        by_geo.map_or(0.0, |by_geo| by_geo.iter().sum())
    }

    /// Expected revenue of a day: baseline plus all contributions.
    #[must_use]
    pub fn expected_revenue(&self, day: u32) -> f64 {
        let baseline = self.days.get(day as usize).map_or(0.0, |day| day.baseline);
        let media = (0..self.spec.channels.len()).map(|channel| self.contribution(day, channel));
        baseline + media.sum::<f64>()
    }

    /// Spend of a channel on a day, over campaigns and regions.
    #[must_use]
    pub fn spend(&self, day: u32, channel: usize) -> f64 {
        let rows = self
            .rows_of(day)
            .iter()
            .filter(|row| row.channel == channel);
        rows.map(|row| row.spend).sum()
    }

    /// True return on spend over the whole world: contributions that fell into it divided by its
    /// spend. `None` for a channel that spent nothing.
    #[must_use]
    pub fn roas(&self, channel: usize) -> Option<f64> {
        let days = || (0u32..).take(self.days.len());
        let spend: f64 = days().map(|day| self.spend(day, channel)).sum();
        let caused: f64 = days().map(|day| self.contribution(day, channel)).sum();
        (spend > 0.0).then(|| caused / spend)
    }

    /// The media rows of one day: every day has the same number of them.
    pub(crate) fn rows_of(&self, day: u32) -> &[MediaRow] {
        let per_day = self.media.len() / self.days.len().max(1);
        let start = per_day * day as usize;
        self.media.get(start..start + per_day).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::OrderStatus;

    fn spec(days: u32) -> WorldSpec {
        WorldSpec {
            days,
            ..WorldSpec::default()
        }
    }

    #[test]
    fn equal_specs_give_equal_worlds_and_other_seeds_do_not() {
        let world = World::generate(&spec(60));
        assert_eq!(world, World::generate(&spec(60)));
        assert_ne!(
            world.orders,
            World::generate(&WorldSpec {
                seed: 8,
                ..spec(60)
            })
            .orders
        );
    }

    #[test]
    fn a_longer_world_begins_like_a_shorter_one() {
        let (short, long) = (World::generate(&spec(40)), World::generate(&spec(50)));
        assert_eq!(short.days[..], long.days[..40]);
        assert_eq!(short.media[..], long.media[..short.media.len()]);
        assert_eq!(short.orders[..], long.orders[..short.orders.len()]);
        assert!(long.orders.len() > short.orders.len());
    }

    #[test]
    fn a_small_world_is_the_same_for_all_time() {
        let world = World::generate(&spec(10));
        let cents: u64 = world.orders.iter().map(|order| order.subtotal).sum();
        let spend: f64 = world.media.iter().map(|row| row.spend).sum();
        let seen = format!(
            "{} {cents} {spend:.2} {}",
            world.orders.len(),
            world.touches.len()
        );
        assert_eq!(
            seen, GOLDEN,
            "the generator changed: every golden number downstream moves"
        );
    }
    const GOLDEN: &str = "640 6226420 9432.54 985";

    #[test]
    fn orders_bring_in_the_expected_revenue() {
        let world = World::generate(&spec(730));
        let revenue: f64 = world.orders.iter().map(Order::gross).sum();
        let expected: f64 = (0..730).map(|day| world.expected_revenue(day)).sum();
        // About 30,000 orders of variation 0.55 and daily noise: one standard error is 0.7 %.
        assert!(
            (revenue / expected - 1.0).abs() < 0.02,
            "{revenue} {expected}"
        );
    }

    #[test]
    fn causes_of_orders_follow_the_contributions() {
        let world = World::generate(&spec(730));
        let total: f64 = (0..730).map(|day| world.expected_revenue(day)).sum();
        for channel in 0..world.spec.channels.len() {
            let caused: f64 = (0..730).map(|day| world.contribution(day, channel)).sum();
            let orders = world
                .orders
                .iter()
                .filter(|o| o.cause == Some(channel))
                .count();
            let share = orders as f64 / world.orders.len() as f64;
            assert!(
                (share - caused / total).abs() < 0.01,
                "{channel}: {share} {}",
                caused / total
            );
        }
    }

    #[test]
    fn steady_mean_spend_returns_the_declared_roas() {
        for channel in crate::default_channels() {
            let scale = channel.roas * channel.daily_spend / channel.saturation.at(1.0);
            let carried = crate::geometric_adstock(&vec![1.0; 400], channel.decay)[399];
            let roas = scale * channel.saturation.at(carried) / channel.daily_spend;
            assert!((roas - channel.roas).abs() < 1e-9);
        }
        let world = World::generate(&spec(730));
        for (index, channel) in world.spec.channels.iter().enumerate() {
            let roas = world.roas(index).unwrap();
            assert!(
                roas > 0.5 * channel.roas && roas < 1.6 * channel.roas,
                "{} {roas}",
                channel.name
            );
        }
    }

    #[test]
    fn lines_add_up_and_customers_come_back() {
        let world = World::generate(&spec(200));
        for order in &world.orders {
            let lines: u64 = order
                .items
                .iter()
                .map(|item| item.quantity * item.unit)
                .sum();
            assert_eq!(lines, order.subtotal);
            assert!(order.refunded <= order.subtotal && order.net() >= 0.0);
        }
        let share = |keep: &dyn Fn(&Order) -> bool| {
            world.orders.iter().filter(|o| keep(o)).count() as f64 / world.orders.len() as f64
        };
        assert!((0.5..0.8).contains(&share(&|o| o.first)));
        assert!((0.01..0.04).contains(&share(&|o| o.customer.is_none())));
        assert!((0.02..0.06).contains(&share(&|o| o.status == OrderStatus::Refunded)));
    }

    #[test]
    fn an_order_caused_by_a_recognized_channel_has_a_touch_of_it_before() {
        let world = World::generate(&spec(90));
        for order in world.orders.iter().filter(|o| o.day > 30) {
            let (Some(cause), Some(customer)) = (order.cause, order.customer) else {
                continue;
            };
            if world.spec.channels[cause].tracking.is_none() {
                continue;
            }
            let visitor = crate::Visitor::Customer(customer);
            let touched = world.touches.iter().any(|touch| {
                touch.visitor == visitor
                    && touch.source == Ok(cause)
                    && touch.at < order.placed_at()
            });
            assert!(touched, "order {}", order.number);
        }
    }

    #[test]
    fn a_world_of_one_day_and_one_region_is_a_world() {
        let world = World::generate(&WorldSpec {
            days: 1,
            geos: 1,
            ..WorldSpec::default()
        });
        assert_eq!(world.days.len(), 1);
        assert!(world.expected_revenue(0) > 0.0 && world.expected_revenue(5) == 0.0);
    }
}

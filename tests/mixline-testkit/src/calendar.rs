//! The days of a world: promotions, controls, and demand without media.
//!
//! ```text
//! baseline_t = base · (1 + trend · t/365.25)
//!                   · (1 + season · cos(2π (doy_t − 340) / 365.25)) · weekday_t
//!                   · (1 + lift · promo_t) · price_t^elasticity · (1 − effect · competitor_t)
//! ```

use chrono::{Datelike as _, Days, NaiveDate};

use crate::draw::Draw;
use crate::spec::WorldSpec;

/// Days in a year, on average.
const YEAR: f64 = 365.25;
/// Day of the year with the highest demand.
const PEAK: f64 = 340.0;
/// Days for which one list price holds.
const PRICE_BLOCK: u32 = 28;
/// What a promotion takes off the price.
const PROMO_DISCOUNT: f64 = 0.15;
/// Promotions, as (month, first day, last day): January sale, spring, summer sale, Black Week.
const PROMOTIONS: [(u32, u32, u32); 4] = [(1, 2, 10), (3, 20, 27), (7, 1, 14), (11, 20, 30)];

/// One day and its drivers.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    /// The day.
    pub date: NaiveDate,
    /// Days since the start of the world.
    pub index: u32,
    /// Whether a promotion runs.
    pub promo: bool,
    /// Prices relative to the start.
    pub price_index: f64,
    /// Activity of competitors, 0 and up.
    pub competitor: f64,
    /// Expected revenue without media, over all regions.
    pub baseline: f64,
    /// Seasonal factor (year and weekday), which budgets follow in part.
    pub season: f64,
}

/// The days of the world, in order.
pub(crate) fn days(spec: &WorldSpec) -> Vec<Day> {
    (0..spec.days)
        .map_while(|index| {
            Some(day(
                spec,
                index,
                spec.start.checked_add_days(Days::new(index.into()))?,
            ))
        })
        .collect()
}

fn day(spec: &WorldSpec, index: u32, date: NaiveDate) -> Day {
    let promo = is_promotion(date);
    let block = u64::from(index / PRICE_BLOCK);
    let list_price = 1.0
        + 0.03
            * Draw::new(spec.seed, "price", block)
                .normal()
                .clamp(-2.5, 2.5);
    let price_index = thousandths(if promo {
        list_price * (1.0 - PROMO_DISCOUNT)
    } else {
        list_price
    });
    let week = u64::from(index / 7);
    let competitor = thousandths(
        Draw::new(spec.seed, "competitor", week)
            .normal()
            .abs()
            .min(3.0),
    );
    let season = season(spec, date);
    let baseline = spec.base_revenue
        * (1.0 + spec.trend * f64::from(index) / YEAR)
        * season
        * if promo { 1.0 + spec.promo_lift } else { 1.0 }
        * libm::pow(price_index, spec.elasticity)
        * (1.0 - spec.competitor_effect * competitor);
    Day {
        date,
        index,
        promo,
        price_index,
        competitor,
        baseline: baseline.max(0.0),
        season,
    }
}

fn season(spec: &WorldSpec, date: NaiveDate) -> f64 {
    let angle = std::f64::consts::TAU * (f64::from(date.ordinal()) - PEAK) / YEAR;
    let weekday = spec.weekdays[date.weekday().num_days_from_monday() as usize];
    (1.0 + spec.season * libm::cos(angle)) * weekday
}

fn is_promotion(date: NaiveDate) -> bool {
    PROMOTIONS.iter().any(|(month, first, last)| {
        date.month() == *month && (*first..=*last).contains(&date.day())
    })
}

fn thousandths(value: f64) -> f64 {
    libm::round(value * 1_000.0) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn winter_beats_summer_and_promotions_lift() {
        let spec = WorldSpec {
            trend: 0.0,
            elasticity: 0.0,
            competitor_effect: 0.0,
            ..WorldSpec::default()
        };
        let days = days(&spec);
        let mean = |keep: &dyn Fn(&Day) -> bool| {
            let kept: Vec<f64> = days
                .iter()
                .filter(|d| keep(d))
                .map(|d| d.baseline)
                .collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        assert!(mean(&|d| d.date.month() == 12) > 1.2 * mean(&|d| d.date.month() == 6));
        assert!(
            mean(&|d| d.promo && d.date.month() == 7)
                > 1.2 * mean(&|d| !d.promo && d.date.month() == 7)
        );
        assert_eq!(days.len(), 730);
    }
}

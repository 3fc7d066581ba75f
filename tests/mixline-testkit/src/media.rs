//! Spend and delivery by day, channel, campaign and region, and what it brings in.

use crate::calendar::Day;
use crate::draw::{Draw, cents};
use crate::response::geometric_adstock;
use crate::spec::{ChannelSpec, WorldSpec};

/// How much more platforms claim than they cause: they also count buyers who saw an ad anyway.
const OVERCLAIM: f64 = 1.25;

/// One campaign in one region on one day. Days off air have rows with zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaRow {
    /// Index of the day.
    pub day: u32,
    /// Index of the channel in the spec.
    pub channel: usize,
    /// Index of the campaign in the channel.
    pub campaign: usize,
    /// Index of the region.
    pub geo: usize,
    /// Money spent, whole cents.
    pub spend: f64,
    /// Impressions.
    pub impressions: u32,
    /// Clicks.
    pub clicks: u32,
    /// Purchases as the platform claims them.
    pub purchases: u32,
    /// Value of these purchases as the platform claims it.
    pub purchase_value: f64,
}

/// Contributions as `[day][channel][region]`.
pub(crate) type Contributions = Vec<Vec<Vec<f64>>>;

/// The media of a world, by day, channel, campaign, region; and what it brings in.
pub(crate) fn media(spec: &WorldSpec, days: &[Day]) -> (Vec<MediaRow>, Contributions) {
    let regions = spec.regions();
    let mut rows: Vec<MediaRow> = Vec::new();
    for day in days {
        for channel in 0..spec.channels.len() {
            spend_of_day(spec, &regions, day, channel, &mut rows);
        }
    }
    let contributions = contributions(spec, &regions, days.len(), &rows);
    claim_purchases(spec, &contributions, &mut rows);
    (rows, contributions)
}

/// Budgets follow the season by half, wander from week to week, and scatter from day to day.
fn budget(spec: &WorldSpec, channel: &ChannelSpec, day: &Day, draw: &mut Draw) -> f64 {
    let label = format!("week {}", channel.name);
    let level = Draw::new(spec.seed, &label, u64::from(day.index / 7)).log_normal(1.0, 0.35);
    channel.daily_spend
        * level
        * (0.5 + 0.5 * day.season)
        * if day.promo { 1.25 } else { 1.0 }
        * draw.log_normal(1.0, 0.15)
}

/// The budget of a channel over its campaigns on air and the regions.
fn spend_of_day(
    spec: &WorldSpec,
    regions: &[(&str, f64)],
    day: &Day,
    channel_index: usize,
    rows: &mut Vec<MediaRow>,
) {
    let channel = &spec.channels[channel_index];
    let label = format!("media {}", channel.name);
    let mut draw = Draw::new(spec.seed, &label, day.index.into());
    let budget = budget(spec, channel, day, &mut draw);
    for (campaign_index, campaign) in channel.campaigns.iter().enumerate() {
        let on_air = campaign
            .flights
            .is_none_or(|flights| flights.on_air(day.index));
        for (geo, (_, share)) in regions.iter().enumerate() {
            let scatter = draw.log_normal(1.0, 0.12);
            let spend = if on_air {
                cents(budget * campaign.share * share * scatter)
            } else {
                0.0
            };
            let (impressions, clicks) = delivery(channel, spend, &mut draw);
            rows.push(MediaRow {
                day: day.index,
                channel: channel_index,
                campaign: campaign_index,
                geo,
                spend,
                impressions,
                clicks,
                purchases: 0,
                purchase_value: 0.0,
            });
        }
    }
}

fn delivery(channel: &ChannelSpec, spend: f64, draw: &mut Draw) -> (u32, u32) {
    let cpm = channel.cpm * draw.log_normal(1.0, 0.08);
    let impressions = libm::round(spend / cpm * 1_000.0) as u32;
    // Whoever paid was shown at least once.
    let impressions = if spend > 0.0 { impressions.max(1) } else { 0 };
    let clicks = draw
        .poisson(f64::from(impressions) * channel.click_rate)
        .min(impressions);
    (impressions, clicks)
}

/// Each region responds to its own spend relative to its share of the channel's mean.
fn contributions(
    spec: &WorldSpec,
    regions: &[(&str, f64)],
    days: usize,
    rows: &[MediaRow],
) -> Contributions {
    let (channels, geos) = (spec.channels.len(), regions.len());
    let mut relative = vec![vec![vec![0.0; days]; geos]; channels];
    for row in rows {
        let mean = spec.channels[row.channel].daily_spend * regions[row.geo].1;
        relative[row.channel][row.geo][row.day as usize] += row.spend / mean;
    }
    let mut result = vec![vec![vec![0.0; geos]; channels]; days];
    for (channel, spec) in spec.channels.iter().enumerate() {
        for (geo, (_, share)) in regions.iter().enumerate() {
            let scale = spec.roas * spec.daily_spend * share / spec.saturation.at(1.0);
            let carried = geometric_adstock(&relative[channel][geo], spec.decay);
            for (day, carried) in carried.into_iter().enumerate() {
                result[day][channel][geo] = scale * spec.saturation.at(carried);
            }
        }
    }
    result
}

fn claim_purchases(spec: &WorldSpec, contributions: &Contributions, rows: &mut [MediaRow]) {
    for row in rows.iter_mut().filter(|row| row.spend > 0.0) {
        let channel = &spec.channels[row.channel];
        let share = channel.campaigns[row.campaign].share;
        let caused = contributions[row.day as usize][row.channel][row.geo] * share;
        let label = format!("claim {} {} {}", channel.name, row.campaign, row.geo);
        let mut draw = Draw::new(spec.seed, &label, row.day.into());
        row.purchases = draw.poisson(OVERCLAIM * caused / spec.mean_order);
        if row.purchases > 0 {
            let value = f64::from(row.purchases) * spec.mean_order;
            row.purchase_value = cents(draw.log_normal(value, 0.2));
        }
    }
}

//! Touches before orders, and journeys that lead to none.
//!
//! An order caused by a channel whose visits are recognized has at least one touch of it. An
//! order that nothing paid caused may still have touches of ads: their buyers would have bought
//! anyway, and rules that share revenue over touches overrate the ads they saw. Television leaves
//! no touch at all. Both are how real data misleads, and why the truth is kept apart.

use chrono::{DateTime, Duration, Utc};

use crate::calendar::Day;
use crate::draw::Draw;
use crate::media::MediaRow;
use crate::orders::Order;
use crate::spec::WorldSpec;

/// Visits without an ad, as (channel, source, medium, weight).
pub(crate) const UNPAID: [(&str, &str, &str, f64); 3] = [
    ("direct", "(direct)", "(none)", 0.45),
    ("organic_search", "google", "organic", 0.35),
    ("email", "newsletter", "email", 0.20),
];
/// Probability that a further touch is an ad, whatever caused the order.
const AD_SHARE: f64 = 0.35;
/// Probability of one more touch.
const ONE_MORE: f64 = 0.45;
/// Most touches of one journey.
const MOST: u32 = 6;
/// Mean days between a touch and the order.
const MEAN_DAYS: f64 = 3.0;
/// Touches older than this many days were forgotten.
const LONGEST_DAYS: f64 = 25.0;
/// Journeys without an order for each order.
const LOST: f64 = 0.4;

/// Who was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visitor {
    /// A customer.
    Customer(u32),
    /// Somebody who never bought.
    Prospect(u32),
}

/// One marketing touch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub visitor: Visitor,
    /// Index of the paid channel, or the position among unpaid ones.
    pub source: Result<usize, usize>,
    /// Index of the campaign, for paid channels.
    pub campaign: Option<usize>,
    /// A click, or only a view.
    pub click: bool,
}

/// All touches of a world, in the order of time, each once.
pub(crate) fn touches(
    spec: &WorldSpec,
    days: &[Day],
    media: &[MediaRow],
    orders: &[Order],
) -> Vec<Touch> {
    let ads = Ads::new(spec, days, media);
    let mut touches = Vec::new();
    let mut prospects = 0;
    for order in orders {
        let mut draw = Draw::new(spec.seed, "journey", order.number.into());
        if let Some(customer) = order.customer {
            let visitor = Visitor::Customer(customer);
            ads.journey(
                visitor,
                order.placed_at(),
                order.day,
                order.cause,
                &mut draw,
                &mut touches,
            );
        }
        if draw.chance(LOST) {
            let back = Duration::seconds(draw.below(86_400).into());
            let visitor = Visitor::Prospect(prospects);
            prospects += 1;
            let at = order.placed_at() - back;
            ads.journey(visitor, at, order.day, None, &mut draw, &mut touches);
        }
    }
    touches.sort();
    touches.dedup();
    touches
}

/// What was on air: spend by day, channel and campaign.
struct Ads<'a> {
    spec: &'a WorldSpec,
    days: &'a [Day],
    spend: Vec<Vec<Vec<f64>>>,
}

impl<'a> Ads<'a> {
    fn new(spec: &'a WorldSpec, days: &'a [Day], media: &[MediaRow]) -> Self {
        let empty: Vec<Vec<f64>> = spec
            .channels
            .iter()
            .map(|channel| vec![0.0; channel.campaigns.len()])
            .collect();
        let mut spend = vec![empty; days.len()];
        for row in media {
            spend[row.day as usize][row.channel][row.campaign] += row.spend;
        }
        Self { spec, days, spend }
    }

    /// Draws the touches before `end`; the cause, if its visits are recognized, is among them.
    fn journey(
        &self,
        visitor: Visitor,
        end: DateTime<Utc>,
        day: u32,
        cause: Option<usize>,
        draw: &mut Draw,
        touches: &mut Vec<Touch>,
    ) {
        let cause = cause.filter(|c| self.spec.channels[*c].tracking.is_some());
        let mut count = u32::from(cause.is_some() || draw.chance(0.85));
        while count > 0 && count < MOST && draw.chance(ONE_MORE) {
            count += 1;
        }
        let caused = draw.below(count);
        for step in 0..count {
            let ago = draw.exponential(MEAN_DAYS).min(LONGEST_DAYS);
            let at = end - Duration::seconds(60 + (ago * 86_400.0) as i64);
            let days_ago = (ago as u32).min(day);
            let source = match cause {
                Some(channel) if step == caused => Ok(channel),
                _ => self.any_source(day - days_ago, draw),
            };
            let campaign = source
                .ok()
                .map(|channel| self.campaign(day - days_ago, channel, draw));
            let click = source.is_err() || draw.chance(0.8);
            if self.recorded(at) {
                touches.push(Touch {
                    at,
                    visitor,
                    source,
                    campaign,
                    click,
                });
            }
        }
    }

    /// Whether the world had begun.
    fn recorded(&self, at: DateTime<Utc>) -> bool {
        self.days
            .first()
            .is_some_and(|first| at.date_naive() >= first.date)
    }

    /// A touch by whatever was there: an ad in proportion to clicks bought, or an unpaid visit.
    fn any_source(&self, day: u32, draw: &mut Draw) -> Result<usize, usize> {
        let weights: Vec<f64> = self
            .spec
            .channels
            .iter()
            .enumerate()
            .map(|(index, channel)| {
                let spend: f64 = self.spend[day as usize][index].iter().sum();
                if channel.tracking.is_some() {
                    spend / channel.cpm * channel.click_rate
                } else {
                    0.0
                }
            })
            .collect();
        if weights.iter().any(|weight| *weight > 0.0) && draw.chance(AD_SHARE) {
            return Ok(draw.pick(&weights));
        }
        Err(draw.pick(&UNPAID.map(|(_, _, _, weight)| weight)))
    }

    fn campaign(&self, day: u32, channel: usize, draw: &mut Draw) -> usize {
        draw.pick(&self.spend[day as usize][channel])
    }
}

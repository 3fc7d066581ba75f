//! What a world is made from.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::response::Saturation;

/// A world's recipe. [`WorldSpec::default`] is a shop of about 40 orders a day in three regions.
#[derive(Debug, Clone, PartialEq)]
pub struct WorldSpec {
    /// First day.
    pub start: NaiveDate,
    /// Number of days, at least 1.
    pub days: u32,
    /// Number of regions, from 1 to 16 (the German states, larger markets first).
    pub geos: u32,
    /// Seed of everything random.
    pub seed: u64,
    /// ISO 4217 code of all money.
    pub currency: String,
    /// Time zone of the shop; its days are days in this zone.
    pub zone: Tz,
    /// Expected revenue per day without media, before trend, season and controls.
    pub base_revenue: f64,
    /// Mean value of an order.
    pub mean_order: f64,
    /// Coefficient of variation of an order's value.
    pub order_variation: f64,
    /// Growth of the baseline per year, as a share.
    pub trend: f64,
    /// Half the distance between the best (early December) and the worst season, as a share.
    pub season: f64,
    /// Factor of each weekday, Monday first; their mean should be 1.
    pub weekdays: [f64; 7],
    /// Lift of the baseline on promotion days, as a share.
    pub promo_lift: f64,
    /// Price elasticity of the baseline.
    pub elasticity: f64,
    /// Loss of baseline per unit of competitor activity, as a share.
    pub competitor_effect: f64,
    /// Coefficient of variation of a day's demand around its expectation.
    pub noise: f64,
    /// Probability that an order caused by nothing paid comes from an earlier customer.
    pub repeat_rate: f64,
    /// Probability that an order is refunded, fully or in part.
    pub refund_rate: f64,
    /// Paid channels.
    pub channels: Vec<ChannelSpec>,
}

/// A paid channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelSpec {
    /// Name, as in `media_daily`.
    pub name: String,
    /// Mean spend per day over all regions, while on air.
    pub daily_spend: f64,
    /// Share of the effect that is carried over to the next day, from 0 to below 1.
    pub decay: f64,
    /// Saturation over spend relative to `daily_spend`.
    pub saturation: Saturation,
    /// Revenue per unit of spend when `daily_spend` is spent every day.
    pub roas: f64,
    /// Cost of a thousand impressions.
    pub cpm: f64,
    /// Clicks per impression; 0 for channels that nobody clicks.
    pub click_rate: f64,
    /// What visits from here are called in web analytics, as (source, medium); `None` when
    /// visits cannot be recognized, as with television.
    pub tracking: Option<(String, String)>,
    /// Campaigns; their shares should sum to 1.
    pub campaigns: Vec<CampaignSpec>,
}

/// A campaign of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignSpec {
    /// Name, unique within the channel.
    pub name: String,
    /// Share of the channel's spend.
    pub share: f64,
    /// When it runs; `None` means always.
    pub flights: Option<Flights>,
}

/// On for some days, off for some days, again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flights {
    /// Days on air.
    pub on: u32,
    /// Days off air.
    pub off: u32,
    /// Days into the first cycle at the start of the world.
    pub offset: u32,
}

impl Flights {
    /// Whether the campaign is on air on the day with this index.
    #[must_use]
    pub fn on_air(&self, day: u32) -> bool {
        (day + self.offset) % (self.on + self.off).max(1) < self.on
    }
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            start: NaiveDate::from_ymd_opt(2024, 11, 20).expect("a day of the calendar"),
            days: 730,
            geos: 3,
            seed: 7,
            currency: "EUR".to_owned(),
            zone: chrono_tz::Europe::Berlin,
            base_revenue: 2_500.0,
            mean_order: 95.0,
            order_variation: 0.55,
            trend: 0.08,
            season: 0.18,
            weekdays: [1.05, 0.98, 0.97, 0.97, 1.0, 0.95, 1.08],
            promo_lift: 0.30,
            elasticity: -1.2,
            competitor_effect: 0.04,
            noise: 0.06,
            repeat_rate: 0.45,
            refund_rate: 0.06,
            channels: default_channels(),
        }
    }
}

impl WorldSpec {
    /// Names and market shares of the regions; the shares sum to 1.
    #[must_use]
    pub fn regions(&self) -> Vec<(&'static str, f64)> {
        const STATES: [(&str, f64); 16] = [
            ("DE-NW", 21.0),
            ("DE-BY", 16.0),
            ("DE-BW", 13.0),
            ("DE-NI", 9.5),
            ("DE-HE", 7.5),
            ("DE-RP", 5.0),
            ("DE-SN", 4.8),
            ("DE-BE", 4.5),
            ("DE-SH", 3.5),
            ("DE-BB", 3.0),
            ("DE-ST", 2.6),
            ("DE-TH", 2.5),
            ("DE-HH", 2.3),
            ("DE-MV", 1.9),
            ("DE-SL", 1.2),
            ("DE-HB", 0.8),
        ];
        let count = usize::try_from(self.geos)
            .unwrap_or(usize::MAX)
            .clamp(1, STATES.len());
        let total: f64 = STATES[..count].iter().map(|(_, weight)| weight).sum();
        STATES[..count]
            .iter()
            .map(|(name, weight)| (*name, weight / total))
            .collect()
    }
}

/// Meta, Google, TikTok and television: two always-on channels, one newcomer, one in bursts.
#[must_use]
pub fn default_channels() -> Vec<ChannelSpec> {
    vec![meta(), google(), tiktok(), tv()]
}

fn tracking(source: &str, medium: &str) -> Option<(String, String)> {
    Some((source.to_owned(), medium.to_owned()))
}

fn meta() -> ChannelSpec {
    ChannelSpec {
        name: "meta".to_owned(),
        daily_spend: 220.0,
        decay: 0.45,
        saturation: Saturation::Logistic { rate: 1.4 },
        roas: 2.2,
        cpm: 9.5,
        click_rate: 0.012,
        tracking: tracking("facebook", "paid_social"),
        campaigns: vec![
            campaign("Prospecting Broad", 0.55, None),
            campaign("Retargeting 30d", 0.25, None),
            campaign("Seasonal Sale", 0.20, Some((21, 28, 0))),
        ],
    }
}

fn google() -> ChannelSpec {
    ChannelSpec {
        name: "google".to_owned(),
        daily_spend: 180.0,
        decay: 0.20,
        saturation: Saturation::Hill {
            half: 1.1,
            slope: 1.2,
        },
        roas: 3.1,
        cpm: 38.0,
        click_rate: 0.055,
        tracking: tracking("google", "cpc"),
        campaigns: vec![
            campaign("Search - Brand", 0.30, None),
            campaign("Search - Generic", 0.45, None),
            campaign("PMax - Catalog", 0.25, Some((60, 30, 10))),
        ],
    }
}

fn tiktok() -> ChannelSpec {
    ChannelSpec {
        name: "tiktok".to_owned(),
        daily_spend: 70.0,
        decay: 0.30,
        saturation: Saturation::Logistic { rate: 2.0 },
        roas: 1.4,
        cpm: 4.5,
        click_rate: 0.009,
        tracking: tracking("tiktok", "paid_social"),
        campaigns: vec![
            campaign("TT Prospecting", 0.65, None),
            campaign("TT Spark Ads", 0.35, Some((35, 21, 5))),
        ],
    }
}

fn tv() -> ChannelSpec {
    ChannelSpec {
        name: "tv".to_owned(),
        daily_spend: 320.0,
        decay: 0.75,
        saturation: Saturation::Hill {
            half: 0.9,
            slope: 1.5,
        },
        roas: 1.7,
        cpm: 14.0,
        click_rate: 0.0,
        tracking: None,
        campaigns: vec![campaign("TV Flight", 1.0, Some((28, 35, 14)))],
    }
}

fn campaign(name: &str, share: f64, flights: Option<(u32, u32, u32)>) -> CampaignSpec {
    let flights = flights.map(|(on, off, offset)| Flights { on, off, offset });
    CampaignSpec {
        name: name.to_owned(),
        share,
        flights,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_regions_weekdays_and_campaigns_add_up() {
        for geos in [0, 1, 3, 16, 99] {
            let regions = WorldSpec {
                geos,
                ..WorldSpec::default()
            }
            .regions();
            assert!((regions.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-12);
        }
        let spec = WorldSpec::default();
        assert!((spec.weekdays.iter().sum::<f64>() - 7.0).abs() < 1e-9);
        for channel in &spec.channels {
            let total: f64 = channel.campaigns.iter().map(|c| c.share).sum();
            assert!((total - 1.0).abs() < 1e-9, "{}", channel.name);
        }
    }

    #[test]
    fn flights_repeat() {
        let flights = Flights {
            on: 2,
            off: 3,
            offset: 1,
        };
        let days: Vec<bool> = (0..7).map(|day| flights.on_air(day)).collect();
        assert_eq!(days, [true, false, false, false, true, true, false]);
    }
}

//! TikTok Ads: rows of zeros while a campaign is off air, and a footer.

use super::{Sheet, Sum, channel, money, ratio};
use crate::world::World;

const HEADER: [&str; 25] = [
    "By Day",
    "Campaign name",
    "Ad group name",
    "Ad name",
    "Primary status",
    "Cost",
    "CPC (destination)",
    "CPM",
    "Impressions",
    "Clicks (destination)",
    "CTR (destination)",
    "Reach",
    "Frequency",
    "Conversions",
    "CPA",
    "CVR (clicks)",
    "Results",
    "Cost per result",
    "Result rate",
    "2-second video views",
    "6-second video views",
    "Video views at 100%",
    "Complete payment",
    "Total complete payment value",
    "Currency",
];

pub(super) fn file(world: &World) -> Vec<u8> {
    let mut sheet = Sheet::new();
    sheet.row(HEADER);
    let Some(index) = channel(world, "tiktok") else {
        return sheet.finish();
    };
    let regions = world.spec.regions();
    let campaigns = &world.spec.channels[index].campaigns;
    let (mut total, mut rows) = (Sum::default(), 0);
    for row in world.media.iter().filter(|row| row.channel == index) {
        let mut sum = Sum::default();
        sum.add(row);
        total.add(row);
        rows += 1;
        let date = world.days[row.day as usize].date.to_string();
        let status = if row.spend > 0.0 {
            "Active"
        } else {
            "Not delivering"
        };
        let names = [
            &campaigns[row.campaign].name,
            regions[row.geo].0,
            "UGC 1",
            status,
        ];
        sheet.row(record(&date, names, &world.spec.currency, sum));
    }
    let footer = format!("Total of {rows} results");
    sheet.row(record(&footer, ["-"; 4], &world.spec.currency, total));
    sheet.finish()
}

fn record(day: &str, names: [&str; 4], currency: &str, sum: Sum) -> [String; 25] {
    let [campaign, ad_group, ad, status] = names.map(str::to_owned);
    let (impressions, clicks) = (sum.impressions as f64, sum.clicks as f64);
    let purchases = sum.purchases as f64;
    let share = |part: f64, whole: f64| ratio(100.0 * part, whole, "0.00") + "%";
    let views = |rate: f64| libm::round(impressions * rate).to_string();
    let reach = libm::round(impressions / 1.1);
    let cost_per_purchase = ratio(sum.spend, purchases, "0.00");
    [
        day.to_owned(),
        campaign,
        ad_group,
        ad,
        status,
        money(sum.spend),
        ratio(sum.spend, clicks, "0.00"),
        ratio(1_000.0 * sum.spend, impressions, "0.00"),
        sum.impressions.to_string(),
        sum.clicks.to_string(),
        share(clicks, impressions),
        reach.to_string(),
        ratio(impressions, reach, "0.00"),
        sum.purchases.to_string(),
        cost_per_purchase.clone(),
        share(purchases, clicks),
        sum.purchases.to_string(),
        cost_per_purchase,
        share(purchases, impressions),
        views(0.24),
        views(0.06),
        views(0.008),
        sum.purchases.to_string(),
        money(sum.purchase_value),
        currency.to_owned(),
    ]
}

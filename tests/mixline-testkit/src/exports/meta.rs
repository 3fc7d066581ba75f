//! Meta Ads Manager: a summary row first, the currency in the headings, no region.

use super::{Sheet, Sum, channel, money, ratio};
use crate::world::World;

const HEADER: [&str; 30] = [
    "Reporting starts",
    "Reporting ends",
    "Campaign name",
    "Ad set name",
    "Ad name",
    "Day",
    "Campaign delivery",
    "Attribution setting",
    "Results",
    "Result indicator",
    "Reach",
    "Frequency",
    "Cost per results",
    "Ad set budget",
    "Ad set budget type",
    "Amount spent (CUR)",
    "Ends",
    "Impressions",
    "CPM (cost per 1,000 impressions) (CUR)",
    "Link clicks",
    "CPC (cost per link click) (CUR)",
    "CTR (link click-through rate)",
    "Clicks (all)",
    "CTR (all)",
    "CPC (all) (CUR)",
    "Landing page views",
    "Cost per landing page view (CUR)",
    "Purchases",
    "Purchases conversion value",
    "Purchase ROAS (return on ad spend)",
];
/// All clicks for each link click.
const ALL_CLICKS: f64 = 1.3;

pub(super) fn file(world: &World) -> Vec<u8> {
    let mut sheet = Sheet::new();
    let currency = format!("({})", world.spec.currency);
    sheet.row(HEADER.map(|heading| heading.replace("(CUR)", &currency)));
    let (Some(index), Some(first), Some(last)) = (
        channel(world, "meta"),
        world.days.first(),
        world.days.last(),
    ) else {
        return sheet.finish();
    };
    let range = [first.date.to_string(), last.date.to_string()];
    let regions = world.spec.regions();
    let campaigns = &world.spec.channels[index].campaigns;
    let delivered = || {
        world
            .media
            .iter()
            .filter(|row| row.channel == index && row.spend > 0.0)
    };
    let mut total = Sum::default();
    delivered().for_each(|row| total.add(row));
    sheet.row(record(&range, ["", "", "", ""], total));
    for row in delivered() {
        let date = world.days[row.day as usize].date.to_string();
        let mut sum = Sum::default();
        sum.add(row);
        let names = [
            &campaigns[row.campaign].name,
            regions[row.geo].0,
            "Main",
            &date,
        ];
        sheet.row(record(&range, names, sum));
    }
    sheet.finish()
}

/// A row; the summary row has no names.
fn record(range: &[String; 2], names: [&str; 4], sum: Sum) -> Vec<String> {
    let summary = names[0].is_empty();
    let of_ad = |text: &str| if summary { "" } else { text }.to_owned();
    let attribution = if summary {
        "Multiple attribution settings"
    } else {
        "7-day click or 1-day view"
    };
    let bought = |text: String| {
        if sum.purchases > 0 {
            text
        } else {
            String::new()
        }
    };
    let mut record = range.to_vec();
    record.extend(names.map(str::to_owned));
    record.extend([
        of_ad("active"),
        attribution.to_owned(),
        bought(sum.purchases.to_string()),
        bought(of_ad("actions:offsite_conversion.fb_pixel_purchase")),
        libm::round(sum.impressions as f64 / 1.2).to_string(),
        "1.20".to_owned(),
        ratio(sum.spend, sum.purchases as f64, ""),
        of_ad("100"),
        of_ad("Daily"),
        money(sum.spend),
        of_ad("Ongoing"),
    ]);
    record.extend(delivery(sum));
    record.extend([
        bought(sum.purchases.to_string()),
        bought(money(sum.purchase_value)),
        bought(ratio(sum.purchase_value, sum.spend, "")),
    ]);
    record
}

/// The columns from `Impressions` to `Cost per landing page view`.
fn delivery(sum: Sum) -> [String; 10] {
    let (impressions, clicks) = (sum.impressions as f64, sum.clicks as f64);
    let all_clicks = libm::round(clicks * ALL_CLICKS);
    let views = libm::round(clicks * 0.8);
    [
        sum.impressions.to_string(),
        ratio(1_000.0 * sum.spend, impressions, ""),
        sum.clicks.to_string(),
        ratio(sum.spend, clicks, ""),
        ratio(100.0 * clicks, impressions, ""),
        all_clicks.to_string(),
        ratio(100.0 * all_clicks, impressions, ""),
        ratio(sum.spend, all_clicks, ""),
        views.to_string(),
        ratio(sum.spend, views, ""),
    ]
}

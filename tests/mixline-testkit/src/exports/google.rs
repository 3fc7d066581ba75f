//! Google Ads: two lines before the header, `1,234`, `--`, and two totals rows at the end.

use super::{Sheet, Sum, channel, ratio};
use crate::world::World;

const HEADER: [&str; 20] = [
    "Campaign status",
    "Campaign",
    "Budget",
    "Budget name",
    "Budget type",
    "Campaign type",
    "Day",
    "Impr.",
    "Interactions",
    "Interaction rate",
    "Currency code",
    "Avg. cost",
    "Cost",
    "Clicks",
    "Conv. rate",
    "Conversions",
    "Avg. CPC",
    "Cost / conv.",
    "Conv. value",
    "Search impr. share",
];

pub(super) fn file(world: &World) -> Vec<u8> {
    let mut sheet = Sheet::new();
    sheet.row(["Campaign performance"]);
    let date = |day: Option<&crate::Day>| day.map(|d| d.date.format("%B %-d, %Y").to_string());
    let (first, last) = (date(world.days.first()), date(world.days.last()));
    let range = [first.unwrap_or_default(), last.unwrap_or_default()];
    sheet.row([range.join(" - ")]);
    sheet.row(HEADER);
    if let Some(index) = channel(world, "google") {
        rows(world, index, &mut sheet);
    }
    sheet.finish()
}

/// A row for each day and campaign with cost, and the totals.
fn rows(world: &World, index: usize, sheet: &mut Sheet) {
    let currency = &world.spec.currency;
    let mut total = Sum::default();
    for day in &world.days {
        for (number, campaign) in world.spec.channels[index].campaigns.iter().enumerate() {
            let mut sum = Sum::default();
            let regions = world.rows_of(day.index).iter();
            let regions = regions.filter(|r| r.channel == index && r.campaign == number);
            for row in regions.filter(|row| row.spend > 0.0) {
                sum.add(row);
                total.add(row);
            }
            if sum.spend > 0.0 {
                let start = [
                    "Enabled",
                    &campaign.name,
                    "100.00",
                    "--",
                    "Daily",
                    kind(&campaign.name),
                ];
                sheet.row(record(start, &day.date.to_string(), currency, sum));
            }
        }
    }
    for name in ["Total: Campaigns", "Total: Account"] {
        sheet.row(record([name, "", "", "", "", ""], "", currency, total));
    }
}

/// The campaign type, which people put into names.
fn kind(campaign: &str) -> &'static str {
    if campaign.starts_with("PMax") {
        "Performance Max"
    } else {
        "Search"
    }
}

fn record(start: [&str; 6], day: &str, currency: &str, sum: Sum) -> [String; 20] {
    let [status, campaign, budget, budget_name, budget_type, kind] = start.map(str::to_owned);
    let (clicks, purchases) = (sum.clicks as f64, sum.purchases as f64);
    let cpc = ratio(sum.spend, clicks, "--");
    let share = if kind == "Search" { "62.40%" } else { "--" };
    [
        status,
        campaign,
        budget,
        budget_name,
        budget_type,
        kind,
        day.to_owned(),
        thousands(&sum.impressions.to_string()),
        thousands(&sum.clicks.to_string()),
        ratio(100.0 * clicks, sum.impressions as f64, "0.00") + "%",
        currency.to_owned(),
        cpc.clone(),
        thousands(&super::money(sum.spend)),
        thousands(&sum.clicks.to_string()),
        ratio(100.0 * purchases, clicks, "0.00") + "%",
        thousands(&super::money(purchases)),
        cpc,
        ratio(sum.spend, purchases, "--"),
        thousands(&super::money(sum.purchase_value)),
        share.to_owned(),
    ]
}

/// `1234567.80` → `1,234,567.80`.
fn thousands(number: &str) -> String {
    let (whole, fraction) = number
        .split_once('.')
        .map_or((number, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    fraction.map_or(grouped.clone(), |fraction| format!("{grouped}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_separated() {
        let cases = [
            ("0", "0"),
            ("999", "999"),
            ("1000", "1,000"),
            ("1234567.80", "1,234,567.80"),
        ];
        for (plain, grouped) in cases {
            assert_eq!(thousands(plain), grouped);
        }
    }
}

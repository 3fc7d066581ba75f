//! Exports as people have them, and the reference sets of other tools, through the source files
//! that are shipped.

use mixline_artifact::export;
use mixline_schema::catalog::{
    Controls, MappingReport, MediaDaily, Orders, Outcome, RawGoogleAds, RawMetaAds,
    RawShopifyOrders, RawTiktokAds,
};

use crate::support::{Project, example, shared};

fn export(source: &str) -> Option<Project> {
    let data = shared("ads/exports")?;
    let text = example(&format!("exports/{source}.toml"));
    let project = Project::new(&[(source, &text)]).reading(&data);
    project.ingested();
    Some(project)
}

fn sum(values: impl Iterator<Item = f64>) -> f64 {
    (values.sum::<f64>() * 100.0).round() / 100.0
}

#[test]
fn a_meta_export_loses_its_summary_row_and_keeps_everything_else() {
    let Some(project) = export("meta_ads_manager") else {
        return;
    };
    let rows = project.rows::<RawMetaAds>();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        sum(rows.iter().map(|row| row.spend)),
        135.52,
        "the summary row says the same"
    );
    assert!(
        rows.iter().all(|row| row.currency == "USD"),
        "the currency is in the heading"
    );
    let retargeting = rows
        .iter()
        .find(|row| row.campaign == "Retargeting — 30d")
        .expect("it");
    assert_eq!(
        (retargeting.ad.as_str(), retargeting.clicks),
        ("UGC \"unboxing\"", Some(43))
    );
    assert_eq!(retargeting.purchase_value, Some(541.6));
    assert_eq!(
        rows.iter().filter(|row| row.purchases.is_none()).count(),
        1,
        "missing is not zero"
    );
    let media = project.rows::<MediaDaily>();
    assert_eq!(sum(media.iter().filter_map(|row| row.spend)), 135.52);
    assert!(
        media
            .iter()
            .all(|row| row.channel == "meta" && row.geo == "all")
    );
}

#[test]
fn a_google_report_reads_the_same_as_csv_and_as_utf_16_with_tabs() {
    let Some(csv) = export("google_ads_campaign") else {
        return;
    };
    let Some(excel) = export("google_ads_excel") else {
        return;
    };
    let rows = csv.rows::<RawGoogleAds>();
    assert_eq!(rows, excel.rows::<RawGoogleAds>());
    assert_eq!(rows.len(), 3, "two title lines and two totals are no data");
    assert_eq!(sum(rows.iter().map(|row| row.cost)), 199.30);
    assert_eq!(
        rows.iter().filter_map(|row| row.impressions).sum::<i64>(),
        13_188
    );
    assert_eq!(
        sum(rows.iter().filter_map(|row| row.conversion_value)),
        1818.60
    );
    let report = excel.rows::<MappingReport>();
    let file = report
        .iter()
        .find(|row| row.source == "google_ads_excel" && row.column == "(file)")
        .expect("a fact about the file");
    let expected = "UTF-16LE, tab-separated, headings in row 3, 3 rows read, 2 total rows left out";
    assert_eq!(file.note, expected);
    let ours = report.iter().filter(|row| row.source == "google_ads_excel");
    let ignored = ours.filter(|row| row.decision == "ignored").count();
    assert_eq!(ignored, 20 - 9, "every column is accounted for");
}

#[test]
fn a_tiktok_report_loses_its_footer() {
    let Some(project) = export("tiktok_ads") else {
        return;
    };
    let rows = project.rows::<RawTiktokAds>();
    assert_eq!((rows.len(), sum(rows.iter().map(|row| row.cost))), (2, 8.0));
    assert_eq!(rows[0].purchase_value, Some(59.0));
}

#[test]
fn shopify_orders_are_folded_dated_by_the_shop_and_nobody_can_be_recognized() {
    let Some(project) = export("shopify_orders") else {
        return;
    };
    let raw = project.rows::<RawShopifyOrders>();
    let items: Vec<(&str, i64)> = raw
        .iter()
        .map(|row| (row.order_name.as_str(), row.line_items))
        .collect();
    assert_eq!(items, [("#1001", 2), ("#1002", 1), ("#1003", 1)]);
    let orders = project.rows::<Orders>();
    let days: Vec<String> = orders.iter().map(|order| order.date.to_string()).collect();
    assert_eq!(
        days,
        ["2026-09-01", "2026-09-01", "2026-09-02"],
        "days of the shop, not of UTC"
    );
    let revenue: Vec<f64> = orders.iter().map(|order| order.revenue).collect();
    assert_eq!(
        revenue,
        [29.98, 35.0, 0.0],
        "whole, partly refunded, voided"
    );
    assert_eq!(orders[0].geo, "IL");
    let keys: Vec<Option<usize>> = raw
        .iter()
        .map(|row| row.customer_key.as_ref().map(String::len))
        .collect();
    assert_eq!(keys, [Some(32), Some(32), None]);
    for (name, frame) in project.frames() {
        let text = serde_json::to_string(&export::rows(&frame).expect("encodes")).expect("JSON");
        for secret in ["example.com", "ann@", "Ann Example", "Main St"] {
            assert!(!text.contains(secret), "`{secret}` is in {name}");
        }
    }
}

/// Ingests one reference set.
fn reference(tool: &str, source: &str) -> Option<Project> {
    let data = shared(&format!("mmm/{tool}"))?;
    let text = example(&format!("{tool}/{source}.toml"));
    let project = Project::new(&[(source, &text)]).reading(&data);
    project.ingested();
    Some(project)
}

#[test]
fn every_reference_set_is_ingested_by_a_shipped_source_file() {
    let mut files = 0;
    for tool in ["meridian", "pymc-marketing", "robyn"] {
        let Some(data) = shared(&format!("mmm/{tool}")) else {
            return;
        };
        let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sources/examples");
        let mut described: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(format!("{examples}/{tool}")).expect("examples") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let project = reference(tool, &name).expect("the data is there");
            let report = project.rows::<MappingReport>();
            assert!(
                report
                    .iter()
                    .all(|row| row.decision != "missing" || row.column == "(no geo)"),
                "{name}"
            );
            described.push(std::fs::read_to_string(path).expect("it reads"));
        }
        for entry in std::fs::read_dir(data).expect("data") {
            let name = entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned();
            if name.ends_with(".csv") {
                files += 1;
                assert!(
                    described
                        .iter()
                        .any(|text| text.contains(&format!("\"{name}\""))),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(files, 20, "every set is described");
}

#[test]
fn a_geo_panel_keeps_its_geos_its_units_and_its_products_of_columns() {
    let Some(project) = reference("meridian", "geo_all_channels") else {
        return;
    };
    let media = project.rows::<MediaDaily>();
    assert_eq!(media.len(), 40 * 156 * 6);
    let organic: Vec<&MediaDaily> = media
        .iter()
        .filter(|row| row.channel == "organic_channel0")
        .collect();
    assert!(
        organic
            .iter()
            .all(|row| row.spend.is_none() && row.impressions.is_some())
    );
    let outcome = project.rows::<Outcome>();
    let first = |metric: &str| {
        let wanted = |row: &&Outcome| row.geo == "Geo0" && row.metric == metric;
        outcome.iter().find(wanted).expect("a row").value
    };
    assert_eq!(first("conversions"), 1_954_576.8);
    assert!((first("revenue") - 1_954_576.8 * 0.020_054_754).abs() < 1e-6);
    assert!(
        project
            .rows::<Controls>()
            .iter()
            .any(|row| row.control == "population")
    );
}

#[test]
fn words_become_flags_and_holidays_of_many_countries_stand_side_by_side() {
    let Some(weekly) = reference("robyn", "dt_simulated_weekly") else {
        return;
    };
    let names: std::collections::BTreeSet<String> = weekly
        .rows::<Controls>()
        .into_iter()
        .map(|row| row.control)
        .collect();
    assert!(
        names.iter().any(|name| name.starts_with("event:")),
        "{names:?}"
    );
    assert!(!names.contains("event:na"));
    let Some(holidays) = reference("robyn", "dt_prophet_holidays") else {
        return;
    };
    let rows = holidays.rows::<Controls>();
    assert!(rows.len() > 85_000, "{}", rows.len());
    let unity = ["Tag der Deutschen Einheit", "German Unity"];
    let named = |control: &str| unity.iter().any(|name| control.contains(name));
    assert!(
        rows.iter()
            .any(|row| row.geo == "DE" && named(&row.control))
    );
}

#[test]
fn features_and_target_in_two_files_are_read_side_by_side() {
    let Some(project) = reference("pymc-marketing", "processed") else {
        return;
    };
    let outcome = project.rows::<Outcome>();
    assert_eq!(outcome.len(), 200);
    assert_eq!(outcome.iter().filter(|row| row.geo == "US").count(), 100);
}

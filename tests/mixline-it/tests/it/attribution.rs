//! Attribution as people read it: the view of the report and `mixline attribution`, over tables
//! written by hand whose answers are known.

use mixline_artifact::{Store, Table, testing::provenance};
use mixline_schema::catalog::{
    AttributionChannels, AttributionLags, AttributionMethods, AttributionPaths,
    AttributionPositions, AttributionReconciliation, JourneyQuarantine,
};
use mixline_schema::{Artifact, WriteMode};
use serde_json::Value;

use crate::optimize::{close, column, data_of, fitted, number, report, rows};
use crate::support::{Project, text};

/// Channels, and the revenue that the first method gives each.
const CHANNELS: [(&str, f64); 7] = [
    ("google", 310_000.0),
    ("meta", 205_000.0),
    ("direct", 190_000.0),
    ("email", 120_000.0),
    ("tiktok", 85_000.0),
    ("organic", 60_000.0),
    ("tv", 30_000.0),
];
const REVENUE: f64 = 1_000_000.0;
/// Methods, and how far each moves revenue from google to meta and tv.
const METHODS: [(&str, f64); 15] = [
    ("last_touch", 0.0),
    ("last_non_direct", 0.01),
    ("first_touch", 0.1),
    ("linear", 0.05),
    ("time_decay", 0.03),
    ("position_based", 0.05),
    ("markov_1", 0.08),
    ("markov_2", 0.075),
    ("markov_3", 0.07),
    ("markov_1_converting", 0.04),
    ("shapley", 0.045),
    ("shapley_incremental", 0.09),
    ("data_driven", 0.085),
    ("mmm_informed", 0.14),
    ("spend_share", 0.2),
];
const ORDERS: f64 = 20_000.0;

async fn commit<A: Artifact>(store: &Store, rows: Vec<A>) {
    let table = Table::from_rows(rows).expect("legal rows");
    let log = store.log(A::NAME).expect("a legal name");
    log.commit(table, WriteMode::Replace, provenance("by hand", 7))
        .await
        .expect("commits");
}

fn channels() -> Vec<AttributionChannels> {
    let day = |month, day| chrono::NaiveDate::from_ymd_opt(2026, month, day).expect("a day");
    let row = |method: &str, moved: f64, rank: usize, (channel, base): (&str, f64)| {
        let moved = moved * REVENUE;
        let revenue = match channel {
            "google" => base - moved,
            "meta" => base + 0.6 * moved,
            "tv" => base + 0.4 * moved,
            _ => base,
        };
        let half = 0.04 * revenue + 4_000.0;
        AttributionChannels {
            method: method.to_owned(),
            channel: channel.to_owned(),
            first: day(1, 5),
            last: day(10, 30),
            currency: "EUR".to_owned(),
            conversions: ORDERS * revenue / REVENUE,
            revenue,
            share: revenue / REVENUE,
            revenue_mean: revenue,
            revenue_q05: revenue - half,
            revenue_q25: revenue - 0.4 * half,
            revenue_q50: revenue,
            revenue_q75: revenue + 0.4 * half,
            revenue_q95: revenue + half,
            rank: rank as i64 + 1,
            keeps_rank: 0.95,
            removal_effect: method
                .starts_with("markov")
                .then_some((1.7 * revenue / REVENUE).min(1.0)),
        }
    };
    let rows = METHODS.iter().flat_map(|(method, moved)| {
        let own = CHANNELS.iter().enumerate();
        own.map(move |(rank, channel)| row(method, *moved, rank, *channel))
    });
    rows.collect()
}

fn methods() -> Vec<AttributionMethods> {
    let row = |(method, moved): &(&str, f64)| AttributionMethods {
        method: (*method).to_owned(),
        journeys: 150_000,
        conversions: ORDERS as i64,
        revenue: REVENUE,
        revenue_credited: 870_000.0,
        stability: 0.97 - moved,
        resamples: 200,
        conversion_rate: method.starts_with("markov").then_some(0.1333),
        note: "Shares revenue over the touches of a journey.".to_owned(),
    };
    METHODS.iter().map(row).collect()
}

fn paths() -> Vec<AttributionPaths> {
    let named = [
        "google",
        "(no touches)",
        "meta",
        "meta > google",
        "google ×2",
        "email",
        "meta ×2 > google",
        "tiktok > meta > google",
        "organic > google",
        "google > email",
        "meta > email > google ×3 > tiktok > organic > meta ×2 > direct > google > email ×4",
        "direct",
    ];
    let row = |(at, path): (usize, &&str)| AttributionPaths {
        path: (*path).to_owned(),
        rank: at as i64 + 1,
        touches: 2,
        conversions: 3_000.0 / (at + 1) as f64,
        nulls: 9_000.0,
        revenue: 150_000.0 / (at + 1) as f64,
        conversion_rate: 0.25 / (at + 1) as f64,
    };
    named.iter().enumerate().map(row).collect()
}

fn lags() -> Vec<AttributionLags> {
    let row = |measure: &str, bucket: i64, conversions: f64| AttributionLags {
        measure: measure.to_owned(),
        bucket,
        conversions,
        revenue: 50.0 * conversions,
    };
    let lengths = (0..25).map(|n| row("path_length", n, (4_000.0 * 0.8f64.powi(n as i32)).round()));
    let days = (0..85).map(|n| {
        row(
            "days_to_conversion",
            n,
            (2_000.0 * 0.92f64.powi(n as i32)).round(),
        )
    });
    lengths.chain(days).collect()
}

fn positions() -> Vec<AttributionPositions> {
    let opens = [0.45, 0.7, 0.2, 0.15, 0.8, 0.6, 0.9];
    let row = |channel: &str, position: i64, revenue: f64| AttributionPositions {
        channel: channel.to_owned(),
        position,
        conversions: ORDERS * revenue / REVENUE,
        revenue,
    };
    let rows = CHANNELS
        .iter()
        .zip(opens)
        .flat_map(|((channel, all), opens)| {
            let rest = 1.0 - opens;
            let parts = [opens, 0.6 * rest, 0.3 * rest, 0.1 * rest];
            (1..)
                .zip(parts)
                .map(move |(at, part)| row(channel, at, all * part))
        });
    rows.collect()
}

fn reconciliation() -> Vec<AttributionReconciliation> {
    let row = |(channel, all): &(&str, f64)| AttributionReconciliation {
        channel: (*channel).to_owned(),
        path_revenue: *all,
        model_share: (!matches!(*channel, "email" | "organic" | "direct")).then_some(0.15),
        target_revenue: 150_000.0,
        reconciled_revenue: 140_000.0,
        carried_by: "paths".to_owned(),
        factor: 150_000.0 / all,
        unreconciled_revenue: if *channel == "tv" { 10_000.0 } else { 0.0 },
    };
    CHANNELS.iter().map(row).collect()
}

fn quarantine() -> Vec<JourneyQuarantine> {
    let row = |n: i64| JourneyQuarantine {
        record: if n % 10 == 0 { "order" } else { "touch" }.to_owned(),
        id: format!("record {n}"),
        at: chrono::DateTime::from_timestamp(1_770_000_000 + n, 0).expect("an instant"),
        channel: "meta".to_owned(),
        campaign: String::new(),
        reason: if n % 10 == 0 {
            "duplicate_order"
        } else {
            "duplicate"
        }
        .to_owned(),
        revenue: (n % 10 == 0).then_some(50.0),
    };
    (0..40).map(row).collect()
}

/// Commits every table of attribution that people are shown.
pub(crate) async fn by_hand(project: &Project) {
    let store = project.store().await;
    commit(&store, channels()).await;
    commit(&store, methods()).await;
    commit(&store, paths()).await;
    commit(&store, lags()).await;
    commit(&store, positions()).await;
    commit(&store, reconciliation()).await;
    commit(&store, quarantine()).await;
}

fn sum(rows: &[Value], key: &str) -> f64 {
    rows.iter().map(|row| number(row, key)).sum()
}

#[tokio::test]
async fn the_view_of_attribution_shows_what_the_tables_say() {
    let project = fitted();
    by_hand(&project).await;
    project.ok(&["run", "weekly_optimize"]);
    let page = report(&project);
    assert!(page.contains("<section id=\"attribution\""));

    let shown = data_of(&page, "c26");
    let table = rows(&project, "attribution_channels");
    assert!(close(column(&shown, 2).iter().sum(), METHODS.len() as f64));
    assert!(close(
        column(&shown, 3).iter().sum(),
        sum(&table, "revenue_q05") / REVENUE
    ));
    assert!(close(
        column(&shown, 4).iter().sum(),
        sum(&table, "revenue_q95") / REVENUE
    ));
    let removal = data_of(&page, "c27");
    let drawn: f64 = (1..=4).flat_map(|at| column(&removal, at)).sum();
    let known: f64 = table
        .iter()
        .filter_map(|row| row["removal_effect"].as_f64())
        .sum();
    assert!(close(drawn, known), "{drawn} {known}");
    let all = column(&data_of(&page, "c29"), 5);
    assert!(close(
        all.iter().sum(),
        sum(&rows(&project, "attribution_positions"), "revenue")
    ));
    let all = column(&data_of(&page, "c30"), 1);
    assert!(close(
        all.iter().sum(),
        sum(&rows(&project, "attribution_paths"), "conversions")
    ));
    let mut lags = rows(&project, "attribution_lags");
    let folded: f64 = ["c28-touches", "c28-days"]
        .iter()
        .flat_map(|figure| column(&data_of(&page, figure), 1))
        .sum();
    assert!(close(folded, sum(&lags, "conversions")));
    lags.retain(|row| row["measure"] == "days_to_conversion" && number(row, "bucket") >= 30.0);
    let last = data_of(&page, "c28-days").pop().expect("a bucket");
    assert_eq!(last[0], "30+");
    assert!(close(
        last[1].parse().expect("a number"),
        sum(&lags, "conversions")
    ));

    let briefing = rows(&project, "briefing");
    let said = |part: &str| {
        briefing
            .iter()
            .any(|row| row["text"].as_str().is_some_and(|text| text.contains(part)))
    };
    assert!(said(
        "attribution alone is no ground for moving money there"
    ));
    assert!(said(
        "The mix model gives tv more revenue than journeys can carry"
    ));
    assert!(page.contains("Touches and orders in no journey"));
}

#[tokio::test]
async fn methods_are_compared_in_a_terminal() {
    let project = Project::initialized();
    let missing = project.output(&["attribution", "compare"]);
    assert_eq!(missing.status.code(), Some(65));
    let said = text(&missing.stderr);
    assert!(
        said.contains("`attribution_channels` has no version") && said.contains("daily_ingest"),
        "{said}"
    );
    by_hand(&project).await;
    let shares = project.ok(&["attribution", "compare"]);
    assert!(shares.contains("31.0 %"), "{shares}");
    assert!(
        shares.contains("Methods disagree on meta, google, tv by more than their own"),
        "{shares}"
    );
    assert!(
        shares.contains("stability") && shares.contains("87.0 %"),
        "{shares}"
    );
    let revenue = project.ok(&["attribution", "compare", "--revenue"]);
    assert!(revenue.contains("310 000"), "{revenue}");
    let one = project.ok(&["attribution", "compare", "--channel", "tv", "--at", "0"]);
    assert!(
        one.contains("keeps rank") && !one.contains("google"),
        "{one}"
    );
    let json = project.ok(&["attribution", "compare", "--channel", "tv", "--json"]);
    let json: Value = serde_json::from_str(&json).expect("a JSON document");
    assert_eq!(
        json["channels"].as_array().map(Vec::len),
        Some(METHODS.len())
    );
    assert_eq!(json["disputed"], serde_json::json!(["tv"]));
    let wrong = project.output(&["attribution", "compare", "--channel", "radio"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("the channels are meta, google"));
    let later = project.output(&["attribution", "compare", "--at", "9"]);
    assert!(text(&later.stderr).contains("no version 9"));
    let paths = project.ok(&["attribution", "paths", "-n", "2"]);
    assert!(
        paths.contains("(no touches)") && paths.contains("10 more paths"),
        "{paths}"
    );
}

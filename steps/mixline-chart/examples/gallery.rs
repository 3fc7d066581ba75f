//! All charts on one page, from invented numbers: `cargo run -p mixline-chart --example gallery
//! -- gallery.html`.
//!
//! Fourteen channels with a negative one and long names, so that what is ugly shows. A second
//! argument `dark` or `light` fixes the theme; otherwise the reader's preference decides.

use std::fmt::Write;

use mixline_chart::charts::plan::{Plan, PlanRow};
use mixline_chart::charts::response::{CurvePoint, Observed, ResponseCurves, ResponsePanel};
use mixline_chart::charts::roi_forest::{RoiForest, RoiRow};
use mixline_chart::charts::waterfall::{Part, Waterfall};
use mixline_chart::{ChannelColors, Figure, Interval, Measure, style};

/// Name, weekly spend, half-saturation spend, top response, width of intervals.
const CHANNELS: [(&str, f64, f64, f64, f64); 14] = [
    ("TV linear", 84_000.0, 120_000.0, 260_000.0, 0.25),
    ("Meta", 62_000.0, 70_000.0, 240_000.0, 0.2),
    ("Google Search brand", 21_000.0, 9_000.0, 60_000.0, 0.35),
    (
        "Google Search generic & shopping",
        48_000.0,
        40_000.0,
        190_000.0,
        0.18,
    ),
    ("YouTube", 33_000.0, 90_000.0, 170_000.0, 0.4),
    ("TikTok", 26_000.0, 60_000.0, 110_000.0, 0.5),
    (
        "Display prospecting (programmatic, open exchange)",
        18_000.0,
        14_000.0,
        15_000.0,
        0.7,
    ),
    ("Radio", 15_000.0, 30_000.0, 42_000.0, 0.45),
    ("Out of home", 22_000.0, 50_000.0, 48_000.0, 0.55),
    ("Affiliate", 9_000.0, 8_000.0, 30_000.0, 0.3),
    ("Podcast", 6_000.0, 20_000.0, 31_000.0, 0.6),
    ("Pinterest", 4_000.0, 9_000.0, 9_000.0, 0.8),
    ("Print", 11_000.0, 20_000.0, -9_000.0, 0.6),
    ("E-mail", 1_500.0, 2_000.0, 22_000.0, 0.3),
];
const WEEKS: f64 = 52.0;

fn response(channel: usize, spend: f64) -> f64 {
    let (_, _, half, top, _) = CHANNELS[channel];
    top * spend / (spend + half)
}

fn interval(median: f64, relative: f64) -> Interval {
    let half = median.abs() * relative;
    Interval {
        mean: median + 0.03 * half,
        q05: median - half,
        q25: median - 0.38 * half,
        q50: median,
        q75: median + 0.42 * half,
        q95: median + 1.15 * half,
    }
}

fn names() -> Vec<&'static str> {
    CHANNELS.iter().map(|c| c.0).collect()
}

fn colors() -> ChannelColors {
    ChannelColors::new(&names())
}

fn revenue() -> Measure {
    Measure::new("revenue", "EUR")
}

fn contribution(i: usize) -> f64 {
    response(i, CHANNELS[i].1) * WEEKS
}

fn roi(i: usize) -> f64 {
    response(i, CHANNELS[i].1) / CHANNELS[i].1
}

fn marginal(i: usize, spend: f64) -> f64 {
    (response(i, spend * 1.01 + 1.0) - response(i, spend)) / (spend * 0.01 + 1.0)
}

fn waterfall() -> Figure {
    let part = |i: usize| {
        let draws = interval(contribution(i), CHANNELS[i].4);
        Part::with_interval(CHANNELS[i].0, draws.mean, draws.q05, draws.q95)
    };
    Waterfall {
        key: "waterfall".into(),
        outcome: revenue(),
        baseline: 31.4e6,
        controls: vec![Part::new("Price", -1.1e6), Part::new("Holidays", 3.9e6)],
        channels: (0..CHANNELS.len()).map(part).collect(),
        observed: 66.8e6,
        colors: colors(),
    }
    .figure()
}

fn forest() -> Figure {
    let row = |i: usize| RoiRow {
        channel: CHANNELS[i].0.into(),
        roi: interval(roi(i), CHANNELS[i].4),
        prior: (i % 4 != 2).then(|| interval(1.2, 0.9)),
        spend: CHANNELS[i].1 * WEEKS,
        above_target: Some((roi(i) / 2.0).clamp(0.0, 0.99)),
    };
    RoiForest {
        key: "forest".into(),
        outcome: revenue(),
        currency: "EUR".into(),
        target: Some(1.0),
        rows: (0..CHANNELS.len()).map(row).collect(),
        colors: colors(),
    }
    .figure()
}

const MOVES: [f64; 14] = [
    0.8, 1.2, 0.7, 1.25, 1.4, 1.3, 0.6, 1.1, 0.7, 1.3, 1.5, 1.0, 0.5, 1.5,
];

fn plan() -> Figure {
    let row = |i: usize| {
        let now = CHANNELS[i].1 * WEEKS;
        PlanRow {
            channel: CHANNELS[i].0.into(),
            now,
            planned: now * MOVES[i],
            lower: Some(now * 0.5),
            upper: Some(now * 1.5),
            roi: Some(response(i, CHANNELS[i].1 * MOVES[i]) / (CHANNELS[i].1 * MOVES[i])),
            marginal_roi: Some(marginal(i, CHANNELS[i].1 * MOVES[i])),
            extrapolated: MOVES[i] > 1.3,
        }
    };
    let outcome = |moves: [f64; 14]| -> f64 {
        (0..14)
            .map(|i| response(i, CHANNELS[i].1 * moves[i]) * WEEKS)
            .sum()
    };
    Plan {
        key: "plan".into(),
        outcome: revenue(),
        currency: "EUR".into(),
        outcome_now: outcome([1.0; 14]),
        outcome_planned: outcome(MOVES),
        rows: (0..14).map(row).collect(),
    }
    .figure()
}

fn response_curves() -> Figure {
    let point = |i: usize, spend: f64| CurvePoint {
        spend,
        response: interval(response(i, spend), CHANNELS[i].4),
        marginal: Some(interval(marginal(i, spend), CHANNELS[i].4 * 1.2)),
    };
    let panel = |i: usize| {
        let now = CHANNELS[i].1;
        ResponsePanel {
            channel: CHANNELS[i].0.into(),
            points: (0..=40)
                .map(|k| point(i, now * f64::from(k) / 16.0))
                .collect(),
            now,
            planned: Some(now * MOVES[i]),
            lower: Some(now * 0.5),
            upper: Some(now * 1.5),
            observed: Some(Observed {
                p05: now * 0.4,
                p95: now * 1.25,
                max: now * 1.35,
            }),
        }
    };
    ResponseCurves {
        key: "response".into(),
        outcome: revenue(),
        spend: "spend per week".into(),
        currency: "EUR".into(),
        target: Some(1.0),
        panels: (0..8).map(panel).collect(),
        colors: colors(),
    }
    .figure()
}

fn page(figures: &[Figure], theme: Option<&str>) -> String {
    let theme = theme.map_or(String::new(), |t| format!(" data-theme=\"{t}\""));
    let mut html = format!(
        "<!doctype html><html lang=\"en\"{theme}><meta charset=\"utf-8\"><title>Gallery</title><style>{}\n\
         body{{font-family:system-ui,sans-serif;max-width:1080px;margin:20px auto;color:#1b2127}}\
         [data-theme=dark] body{{background:#15191e;color:#e9ecef}}\
         figure{{margin:0 0 36px}}h2{{font-size:18px;margin:0}}figcaption{{margin:4px 0 12px}}\
         </style>",
        style::CSS
    );
    for f in figures {
        let _ = write!(
            html,
            "<figure><h2>{} {}</h2><figcaption>{}</figcaption>{}<details><summary>Data</summary>{}</details></figure>",
            f.id,
            f.title,
            f.caption,
            f.svg,
            f.table.to_html(&f.title)
        );
    }
    html
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .unwrap_or_else(|| "gallery.html".to_owned());
    let theme = arguments.next();
    let figures = figures();
    std::fs::write(path, page(&figures, theme.as_deref()))
}

fn figures() -> Vec<Figure> {
    vec![waterfall(), forest(), plan(), response_curves()]
}

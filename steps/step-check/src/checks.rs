//! Which rule looks at which table.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use mixline_schema::Window;
use mixline_schema::catalog::{Controls, MediaDaily, Orders, Outcome, Touchpoints};

use crate::config::Config;
use crate::finding::{Finding, Severity};
use crate::rules::{currency, dates, media, pairs, rows, target, text, variation};
use crate::series::{Points, moments, sums};

const MEDIA: &str = "media_daily";
const ORDERS: &str = "orders";
const OUTCOME: &str = "outcome";
const CONTROLS: &str = "controls";

/// Everything there is to check.
#[derive(Debug, Default)]
pub(crate) struct Data {
    pub(crate) media: Vec<MediaDaily>,
    pub(crate) orders: Vec<Orders>,
    pub(crate) touchpoints: Vec<Touchpoints>,
    pub(crate) outcome: Vec<Outcome>,
    pub(crate) controls: Vec<Controls>,
    pub(crate) window: Option<Window>,
}

impl Data {
    pub(crate) fn is_empty(&self) -> bool {
        self.media.is_empty()
            && self.orders.is_empty()
            && self.touchpoints.is_empty()
            && self.outcome.is_empty()
            && self.controls.is_empty()
    }

    fn spend(&self) -> BTreeMap<String, Points> {
        let known = |row: &MediaDaily| Some((row.channel.clone(), row.date, row.spend?));
        sums(self.media.iter().filter_map(known))
    }

    /// Outcome by metric and region; the subject is the metric, with the region where there is one.
    fn targets(&self) -> BTreeMap<String, Points> {
        sums(
            self.outcome
                .iter()
                .map(|row| (at_geo(&row.metric, &row.geo), row.date, row.value)),
        )
    }

    /// Controls by name, the mean over regions.
    fn drivers(&self) -> BTreeMap<String, Points> {
        let mut values: BTreeMap<String, BTreeMap<NaiveDate, Vec<f64>>> = BTreeMap::new();
        for row in &self.controls {
            let days = values.entry(row.control.clone()).or_default();
            days.entry(row.date).or_default().push(row.value);
        }
        let mean = |values: Vec<f64>| moments(&values).map_or(0.0, |(mean, _)| mean);
        let means =
            |days: BTreeMap<NaiveDate, Vec<f64>>| days.into_iter().map(|(d, v)| (d, mean(v)));
        values
            .into_iter()
            .map(|(name, days)| (name, means(days).collect()))
            .collect()
    }

    /// The instant after which no day has begun yet, as far as can be known: the end of the window,
    /// or the newest order or touch when the run is about an older window.
    fn horizon(&self) -> Option<DateTime<Utc>> {
        let newest = self.orders.iter().map(|order| order.ordered_at).max();
        self.order_horizon()
            .map(|horizon| newest.map_or(horizon, |newest| newest.max(horizon)))
    }

    /// The same for orders, which cannot vouch for themselves.
    fn order_horizon(&self) -> Option<DateTime<Utc>> {
        let newest = self.touchpoints.iter().map(|touch| touch.occurred_at).max();
        let end = self.window?.end;
        Some(newest.map_or(end, |newest| newest.max(end)))
    }

    fn order_revenue(&self) -> Points {
        let rows = self
            .orders
            .iter()
            .map(|order| ((), order.date, order.revenue));
        sums(rows).remove(&()).unwrap_or_default()
    }
}

fn at_geo(name: &str, geo: &str) -> String {
    if geo == "all" {
        name.to_owned()
    } else {
        format!("{name} in {geo}")
    }
}

/// Every rule on every table.
pub(crate) fn all(data: &Data, config: &Config) -> Vec<Finding> {
    let mut findings = media_findings(data, config);
    findings.extend(order_findings(data, config));
    findings.extend(target_findings(data, config));
    findings.extend(control_findings(data, config));
    findings.extend(collinear_findings(data, config));
    findings.extend(currency::mixed(currencies(data)));
    findings.extend(texts(data));
    findings
}

fn media_findings(data: &Data, config: &Config) -> Vec<Finding> {
    let name = |row: &MediaDaily| format!("{} / {} / {}", row.channel, row.campaign, row.geo);
    let mut findings = dates::duplicate(MEDIA, data.media.iter().map(|row| (row.date, name(row))));
    let mut by_channel: BTreeMap<&str, Vec<&MediaDaily>> = BTreeMap::new();
    for row in &data.media {
        by_channel.entry(&row.channel).or_default().push(row);
    }
    for (channel, rows) in by_channel {
        findings.extend(channel_findings(channel, &rows, data, config));
    }
    for (channel, spend) in data.spend() {
        findings.extend(media::spike(
            &channel,
            &spend,
            config.spike_factor,
            config.spike_values,
        ));
        findings.extend(low(MEDIA, &channel, &spend, config));
    }
    let totals = sums(
        data.media
            .iter()
            .filter_map(|row| Some(((), row.date, row.spend?))),
    );
    let tail = |totals| rows::partial_tail(MEDIA, "spend", totals, config.tail_share);
    findings.extend(totals.get(&()).and_then(tail));
    findings
}

/// Rules on the rows of one channel.
fn channel_findings(
    channel: &str,
    rows: &[&MediaDaily],
    data: &Data,
    config: &Config,
) -> Vec<Finding> {
    let days: Points = rows.iter().map(|row| (row.date, 0.0)).collect();
    let advice = "if the channel was off, insert zeros; if an export is missing, deliver it";
    let severity = Severity::Warning;
    let mut findings = day_findings(severity, MEDIA, channel, &days, advice, data.horizon());
    let nulls = rows.iter().filter(|row| row.spend.is_none()).count();
    findings.extend(media::null(channel, nulls, rows.len(), config.null_share));
    let spend = rows.iter().filter_map(|row| Some((row.date, row.spend?)));
    findings.extend(media::negative(channel, &spend.collect::<Vec<_>>()));
    let units = |row: &&MediaDaily| Some((row.spend?, row.impressions.or(row.clicks)?));
    let units: Vec<_> = rows.iter().filter_map(units).collect();
    findings.extend(media::units(channel, &units, config.units_share));
    findings
}

fn order_findings(data: &Data, config: &Config) -> Vec<Finding> {
    let revenue = data.order_revenue();
    let days: Vec<NaiveDate> = revenue.keys().copied().collect();
    let mut findings = dates::null(ORDERS, "date", &days);
    findings.extend(
        data.order_horizon()
            .and_then(|horizon| dates::future(ORDERS, "date", &days, horizon)),
    );
    let advice = "if the shop was closed, all is well; otherwise an export is missing";
    let allowed = config.order_gap_days;
    findings.extend(dates::gap(
        Severity::Warning,
        ORDERS,
        "date",
        &days,
        allowed,
        advice,
    ));
    findings.extend(target::negative(ORDERS, "revenue", &revenue));
    findings.extend(rows::partial_tail(
        ORDERS,
        "revenue",
        &revenue,
        config.tail_share,
    ));
    if data.outcome.is_empty() && !revenue.is_empty() {
        let (Some(first), Some(last)) = (days.first(), days.last()) else {
            return findings;
        };
        // Days without an order count: their revenue is 0, not unknown.
        let range: Vec<NaiveDate> = first.iter_days().take_while(|day| day <= last).collect();
        findings.extend(rows::few(ORDERS, "revenue", &range, few(data, config)));
    }
    findings
}

fn target_findings(data: &Data, config: &Config) -> Vec<Finding> {
    let name = |row: &Outcome| format!("{} / {}", row.metric, row.geo);
    let mut findings = dates::duplicate(
        OUTCOME,
        data.outcome.iter().map(|row| (row.date, name(row))),
    );
    let advice = "deliver the missing periods: a target that is not known cannot be filled";
    for (subject, points) in data.targets() {
        let days: Vec<NaiveDate> = points.keys().copied().collect();
        let severity = Severity::Error;
        findings.extend(day_findings(
            severity,
            OUTCOME,
            &subject,
            &points,
            advice,
            data.horizon(),
        ));
        findings.extend(target::negative(OUTCOME, &subject, &points));
        findings.extend(rows::few(OUTCOME, &subject, &days, few(data, config)));
        findings.extend(rows::partial_tail(
            OUTCOME,
            &subject,
            &points,
            config.tail_share,
        ));
    }
    findings
}

fn control_findings(data: &Data, config: &Config) -> Vec<Finding> {
    let name = |row: &Controls| format!("{} / {}", row.control, row.geo);
    let mut findings = dates::duplicate(
        CONTROLS,
        data.controls.iter().map(|row| (row.date, name(row))),
    );
    let by_geo = sums(
        data.controls
            .iter()
            .map(|row| (at_geo(&row.control, &row.geo), row.date, row.value)),
    );
    let advice = "deliver the missing periods, or fill them by a rule you can state";
    for (subject, points) in by_geo {
        let severity = Severity::Error;
        findings.extend(day_findings(
            severity,
            CONTROLS,
            &subject,
            &points,
            advice,
            data.horizon(),
        ));
        findings.extend(low(CONTROLS, &subject, &points, config));
    }
    findings
}

/// The rules about days that hold for every series.
fn day_findings(
    severity: Severity,
    artifact: &'static str,
    subject: &str,
    points: &Points,
    advice: &str,
    horizon: Option<DateTime<Utc>>,
) -> Vec<Finding> {
    let days: Vec<NaiveDate> = points.keys().copied().collect();
    let mut findings = dates::null(artifact, subject, &days);
    findings.extend(dates::mixed_frequency(severity, artifact, subject, &days));
    findings.extend(dates::gap(severity, artifact, subject, &days, 0, advice));
    findings.extend(horizon.and_then(|horizon| dates::future(artifact, subject, &days, horizon)));
    findings
}

fn low(artifact: &'static str, subject: &str, points: &Points, config: &Config) -> Option<Finding> {
    variation::low(
        artifact,
        subject,
        points,
        config.low_nonzero_share,
        config.low_variation,
    )
}

fn few(data: &Data, config: &Config) -> rows::Few {
    let counted = || data.spend().len() + data.drivers().len();
    rows::Few {
        days: config.few_days,
        weeks: config.few_weeks,
        too_few_weeks: config.too_few_weeks,
        per_parameter: config.rows_per_parameter,
        parameters: config.parameters.unwrap_or_else(counted),
    }
}

fn collinear_findings(data: &Data, config: &Config) -> Vec<Finding> {
    let (spend, controls) = (data.spend(), data.drivers());
    let media = spend
        .iter()
        .map(|(name, points)| (MEDIA, name.as_str(), points));
    let others = controls
        .iter()
        .map(|(name, points)| (CONTROLS, name.as_str(), points));
    let drivers: Vec<pairs::Driver<'_>> = media.chain(others).collect();
    pairs::collinear(&drivers, config.correlation, config.inflation)
}

/// The currency of every row with money.
fn currencies(data: &Data) -> impl Iterator<Item = (&'static str, &str)> {
    let media = data.media.iter().filter(|row| row.spend.is_some());
    let media = media.map(|row| (MEDIA, row.currency.as_str()));
    let orders = data
        .orders
        .iter()
        .map(|row| (ORDERS, row.currency.as_str()));
    let money = data.outcome.iter().filter(|row| is_currency(&row.unit));
    media
        .chain(orders)
        .chain(money.map(|row| (OUTCOME, row.unit.as_str())))
}

fn is_currency(unit: &str) -> bool {
    unit.len() == 3 && unit.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn texts(data: &Data) -> Vec<Finding> {
    let (media, touches) = (&data.media, &data.touchpoints);
    let mut findings = text::formula(MEDIA, "channel", media.iter().map(|r| r.channel.as_str()));
    findings.extend(text::formula(
        MEDIA,
        "campaign",
        media.iter().map(|r| r.campaign.as_str()),
    ));
    findings.extend(text::formula(
        MEDIA,
        "geo",
        media.iter().map(|r| r.geo.as_str()),
    ));
    findings.extend(text::formula(
        "touchpoints",
        "channel",
        touches.iter().map(|r| r.channel.as_str()),
    ));
    findings.extend(text::formula(
        "touchpoints",
        "campaign",
        touches.iter().map(|r| r.campaign.as_str()),
    ));
    let orders = data.orders.iter().map(|r| r.order_id.as_str());
    findings.extend(text::formula(ORDERS, "order_id", orders));
    findings.extend(text::formula(
        OUTCOME,
        "metric",
        data.outcome.iter().map(|r| r.metric.as_str()),
    ));
    findings.extend(text::formula(
        CONTROLS,
        "control",
        data.controls.iter().map(|r| r.control.as_str()),
    ));
    findings
}

//! Clicks and views of known visitors, and the channel each belongs to.

use std::collections::BTreeMap;

use mixline_schema::catalog::Touchpoints;
use mixline_step::StepError;
use polars::prelude::{DataFrame, PolarsResult};

use super::Job;
use crate::cell::instant::instant;
use crate::describe::Source;
use crate::identity::Identity;
use crate::read::{Field, Need, Type};

fn fields() -> Vec<Field> {
    use Need::{Full, Optional};
    use Type::{Instant, Text};
    vec![
        Field::new(
            "occurred_at",
            Instant,
            Full,
            &[
                "event_timestamp",
                "timestamp",
                "occurred_at",
                "event_time",
                "time",
            ],
        ),
        Field::new(
            "kind",
            Text,
            Optional,
            &["event_name", "event", "kind", "type"],
        ),
        Field::new(
            "customer",
            Text,
            Need::Column,
            &["user_email", "email", "user_id", "customer_id", "customer"],
        ),
        Field::new("channel", Text, Optional, &["channel", "channel_grouping"]),
        Field::new(
            "campaign",
            Text,
            Optional,
            &["campaign", "utm_campaign", "campaign_name"],
        ),
        Field::new("source", Text, Optional, &["source", "utm_source"]),
        Field::new("medium", Text, Optional, &["medium", "utm_medium"]),
    ]
}

/// Events that are touches: what analytics call them, and what they are.
const KINDS: [(&str, &str); 8] = [
    ("click", "click"),
    ("ad_click", "click"),
    ("session_start", "click"),
    ("visit", "click"),
    ("view", "view"),
    ("impression", "view"),
    ("ad_impression", "view"),
    ("ad_view", "view"),
];

/// What was left out of a file.
#[derive(Debug, Default)]
struct Left {
    nobody: u64,
    other_events: BTreeMap<String, u64>,
    again: u64,
}

/// A touch's key: who, when, where.
type Key = (String, i64, String, String);

/// Reads the files of a source.
pub(crate) fn read(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<Vec<Touchpoints>, StepError> {
    let mut touches: BTreeMap<Key, &'static str> = BTreeMap::new();
    for file in files {
        let Some((sheet, _, rows)) = job.read(source, file, fields(), None) else {
            continue;
        };
        let Some(identity) = job.identity else {
            continue;
        };
        let left = add(&rows.frame, source, identity, &mut touches);
        let left =
            left.map_err(|error| StepError::bug("columns do not fit together").because(error))?;
        job.report
            .note(source, &sheet, "left out", left.to_string());
    }
    let touch = |((customer_key, at, channel, campaign), kind): (Key, &str)| Touchpoints {
        customer_key,
        occurred_at: instant(at),
        channel,
        campaign,
        kind: kind.to_owned(),
    };
    Ok(touches.into_iter().map(touch).collect())
}

fn add(
    frame: &DataFrame,
    source: &Source,
    identity: &Identity,
    touches: &mut BTreeMap<Key, &'static str>,
) -> PolarsResult<Left> {
    let text = |name: &str| frame.column(name)?.str();
    let at = frame.column("occurred_at")?.i64()?;
    let (kind, customer) = (text("kind")?, text("customer")?);
    let (channel, campaign) = (text("channel")?, text("campaign")?);
    let (origin, medium) = (text("source")?, text("medium")?);
    let mut left = Left::default();
    let cells = at
        .iter()
        .zip(kind.iter())
        .zip(customer.iter())
        .zip(channel.iter());
    let cells = cells
        .zip(campaign.iter())
        .zip(origin.iter().zip(medium.iter()));
    for (((((at, kind), customer), channel), campaign), (origin, medium)) in cells {
        let Some(key) = customer.and_then(|customer| identity.key(customer)) else {
            left.nobody += 1;
            continue;
        };
        let Some(kind) = kind_of(kind) else {
            *left
                .other_events
                .entry(kind.unwrap_or_default().to_owned())
                .or_default() += 1;
            continue;
        };
        let channel = channel
            .filter(|channel| !is_unset(channel))
            .map(str::to_lowercase);
        let channel = channel.or_else(|| source.channel.clone());
        let channel = channel.unwrap_or_else(|| channel_of(origin, medium));
        let campaign = campaign
            .filter(|campaign| !is_unset(campaign))
            .unwrap_or("all")
            .to_owned();
        let at = at.unwrap_or_default();
        left.again += u64::from(touches.insert((key, at, channel, campaign), kind).is_some());
    }
    Ok(left)
}

fn kind_of(event: Option<&str>) -> Option<&'static str> {
    let Some(event) = event else {
        return Some("click");
    };
    KINDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(event))
        .map(|(_, kind)| *kind)
}

/// What analytics write when they do not know.
fn is_unset(text: &str) -> bool {
    matches!(text, "(not set)" | "(none)" | "(not provided)" | "(other)")
}

/// The channel of a source and a medium, by the usual tags of links: what is paid goes to the
/// platform it was paid to, the rest by its medium.
fn channel_of(source: Option<&str>, medium: Option<&str>) -> String {
    let (source, medium) = (
        source.unwrap_or_default().to_lowercase(),
        medium.unwrap_or_default().to_lowercase(),
    );
    let has = |words: &[&str]| words.iter().any(|word| source.contains(word));
    let paid = ["cpc", "ppc", "cpm", "cpv", "display", "banner"].contains(&medium.as_str())
        || medium.contains("paid");
    match medium.as_str() {
        _ if paid && has(&["facebook", "instagram", "meta", "fb"]) => "meta",
        _ if paid && has(&["google", "youtube", "adwords", "gads"]) => "google",
        _ if paid && has(&["tiktok"]) => "tiktok",
        _ if paid && has(&["bing", "microsoft"]) => "microsoft",
        _ if paid && !source.is_empty() => return source,
        "email" | "e-mail" | "newsletter" => "email",
        "organic" => "organic_search",
        "social" | "organic_social" | "sm" => "organic_social",
        "affiliate" => "affiliate",
        "referral" => "referral",
        _ if source.is_empty() || source == "(direct)" => "direct",
        _ => "other",
    }
    .to_owned()
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} rows name nobody, {} came twice",
            self.nobody, self.again
        )?;
        let others: u64 = self.other_events.values().sum();
        if others > 0 {
            let names: Vec<&str> = self
                .other_events
                .keys()
                .take(10)
                .map(String::as_str)
                .collect();
            write!(f, ", {others} are other events ({})", names.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paid_clicks_go_to_the_platform_and_the_rest_goes_by_medium() {
        let channel = |source, medium| channel_of(Some(source), Some(medium));
        assert_eq!(channel("google", "cpc"), "google");
        assert_eq!(channel("google", "organic"), "organic_search");
        assert_eq!(channel("facebook.com", "paid_social"), "meta");
        assert_eq!(channel("taboola", "cpc"), "taboola");
        assert_eq!(channel("spring", "email"), "email");
        assert_eq!(channel("(direct)", "(none)"), "direct");
        assert_eq!(channel_of(None, None), "direct");
    }
}

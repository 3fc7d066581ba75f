//! Clicks and views of visitors, the channel each belongs to, and who anonymous visitors are.
//!
//! A row that names a customer is the customer's. One that only has an anonymous id is the
//! visitor's, under a key of their own; a row that has both says who the visitor is.

use std::collections::BTreeMap;

use mixline_schema::catalog::{Identities, Touchpoints};
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
        Field::new(
            "anonymous",
            Text,
            Optional,
            &[
                "user_pseudo_id",
                "anonymous_id",
                "client_id",
                "visitor_id",
                "cookie_id",
            ],
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
    shared: u64,
    other_events: BTreeMap<String, u64>,
    again: u64,
}

/// A touch's key: who, when, where.
type Key = (String, i64, String, String);

/// Touches by key, and anonymous visitors by theirs.
#[derive(Debug, Default)]
struct Met {
    touches: BTreeMap<Key, &'static str>,
    /// The customer, and when the two were first linked.
    visitors: BTreeMap<String, (i64, String)>,
}

/// What the files of a source hold.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) touches: Vec<Touchpoints>,
    pub(crate) identities: Vec<Identities>,
}

/// Reads the files of a source.
pub(crate) fn read(
    job: &mut Job<'_>,
    source: &Source,
    files: &[String],
) -> Result<Found, StepError> {
    let mut met = Met::default();
    for file in files {
        let Some((sheet, _, rows)) = job.read(source, file, fields(), None) else {
            continue;
        };
        let Some(identity) = job.identity else {
            continue;
        };
        let left = add(&rows.frame, source, identity, &mut met);
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
    let visitor = |(anonymous_key, (at, customer_key)): (String, (i64, String))| Identities {
        anonymous_key,
        customer_key,
        linked_at: instant(at),
    };
    Ok(Found {
        touches: met.touches.into_iter().map(touch).collect(),
        identities: met.visitors.into_iter().map(visitor).collect(),
    })
}

impl Met {
    /// Whose touch it is. A visitor whom two customers claim belongs to the first.
    fn who(
        &mut self,
        customer: Option<String>,
        visitor: Option<String>,
        at: i64,
    ) -> Option<(String, bool)> {
        let (Some(customer), Some(visitor)) = (&customer, &visitor) else {
            return customer.or(visitor).map(|key| (key, false));
        };
        let link = self
            .visitors
            .entry(visitor.clone())
            .or_insert_with(|| (at, customer.clone()));
        let shared = link.1 != *customer;
        if at < link.0 {
            *link = (at, customer.clone());
        }
        Some((customer.clone(), shared))
    }
}

/// The key of an anonymous id: never that of a customer who happens to be called the same.
fn visitor_key(identity: &Identity, id: &str) -> Option<String> {
    let id = id.trim();
    if id.is_empty() {
        return None;
    }
    identity.key(&format!("visitor {id}"))
}

fn add(
    frame: &DataFrame,
    source: &Source,
    identity: &Identity,
    met: &mut Met,
) -> PolarsResult<Left> {
    let text = |name: &str| frame.column(name)?.str();
    let at = frame.column("occurred_at")?.i64()?;
    let (kind, customer, anonymous) = (text("kind")?, text("customer")?, text("anonymous")?);
    let (channel, campaign) = (text("channel")?, text("campaign")?);
    let (origin, medium) = (text("source")?, text("medium")?);
    let mut left = Left::default();
    let cells = at
        .iter()
        .zip(kind.iter())
        .zip(customer.iter().zip(anonymous.iter()))
        .zip(channel.iter());
    let cells = cells
        .zip(campaign.iter())
        .zip(origin.iter().zip(medium.iter()));
    for (((((at, kind), (customer, anonymous)), channel), campaign), (origin, medium)) in cells {
        let at = at.unwrap_or_default();
        let customer = customer.and_then(|customer| identity.key(customer));
        let visitor = anonymous.and_then(|id| visitor_key(identity, id));
        let Some((key, shared)) = met.who(customer, visitor, at) else {
            left.nobody += 1;
            continue;
        };
        left.shared += u64::from(shared);
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
        let before = met.touches.insert((key, at, channel, campaign), kind);
        left.again += u64::from(before.is_some());
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
        if self.shared > 0 {
            let shared = self.shared;
            write!(f, ", {shared} are of visitors whom several customers claim")?;
        }
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

//! What each method says.

use mixline_attribution::ChannelId;
use mixline_attribution_tables::Method;
use mixline_schema::catalog::{AttributionChannels, AttributionMethods};

use crate::gather::Gathered;
use crate::results::{Answer, Answers};

/// Credit by method and channel.
pub(crate) fn channels(answers: &Answers, found: &Gathered) -> Vec<AttributionChannels> {
    let Some((first, last)) = found.period else {
        return Vec::new();
    };
    let currency = found.currency.clone().unwrap_or_default();
    let revenue = found.survey.counts().value;
    let mut rows = Vec::new();
    for answer in &answers.all {
        for (rank, channel) in (1..).zip(ranked(answer, found)) {
            let at = channel.index();
            let (totals, interval) = (&answer.weighed.totals, &answer.weighed.intervals[at]);
            let value = totals.value_of(channel);
            rows.push(AttributionChannels {
                method: answer.method.to_string(),
                channel: found.channels.name(channel).to_owned(),
                first,
                last,
                currency: currency.clone(),
                conversions: totals.conversions_of(channel).max(0.0),
                revenue: value,
                share: if revenue == 0.0 { 0.0 } else { value / revenue },
                revenue_mean: interval.mean,
                revenue_q05: interval.q05,
                revenue_q25: interval.q25,
                revenue_q50: interval.q50,
                revenue_q75: interval.q75,
                revenue_q95: interval.q95,
                rank,
                keeps_rank: answer.weighed.stability.keeps_rank[at],
                removal_effect: answer.removal.as_ref().map(|effects| effects[at].min(1.0)),
            });
        }
    }
    rows
}

/// Channels by value, greatest first; among equals in the order they were met.
fn ranked(answer: &Answer, found: &Gathered) -> Vec<ChannelId> {
    let mut channels: Vec<ChannelId> = found.channels.ids().collect();
    let value = |channel: &ChannelId| answer.weighed.totals.value_of(*channel);
    channels.sort_by(|a, b| value(b).total_cmp(&value(a)));
    channels
}

/// One row per method.
pub(crate) fn methods(
    answers: &Answers,
    found: &Gathered,
    resamples: usize,
) -> Vec<AttributionMethods> {
    let counts = found.survey.counts();
    let row = |answer: &Answer| AttributionMethods {
        method: answer.method.to_string(),
        journeys: counts.journeys as i64,
        conversions: counts.conversions as i64,
        revenue: counts.value,
        revenue_credited: answer.weighed.credited,
        stability: answer.weighed.stability.overlap.clamp(0.0, 1.0),
        // The mix model's intervals are its own.
        resamples: if answer.method == Method::MmmInformed {
            0
        } else {
            resamples as i64
        },
        conversion_rate: answer.conversion_rate,
        note: answer.note.clone(),
    };
    answers.all.iter().map(row).collect()
}

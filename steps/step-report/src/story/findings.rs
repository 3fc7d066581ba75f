//! What happened, sentence by sentence: the most useful ones first.

use super::{Level, Sentence, roas_words};
use crate::Config;
use crate::data::Data;
use crate::format::{list, money, percent};

/// Every finding there is something to say about.
pub(crate) fn all(config: &Config, data: &Data) -> Vec<Sentence> {
    let found = [
        media_share(data),
        best_and_worst(config, data),
        recent(data),
        outside_observed(data),
        disagreement(data),
        review(data),
        quality(data),
        other_champion(data),
    ];
    found.into_iter().flatten().collect()
}

/// How much of the outcome media brought.
fn media_share(data: &Data) -> Option<Sentence> {
    let observed = data.observed();
    let media: f64 = data
        .totals
        .iter()
        .filter(|row| row.kind == "media")
        .map(|row| row.mean)
        .sum();
    let spend: f64 = data.results.iter().filter_map(|row| row.spend).sum();
    if observed <= 0.0 || spend <= 0.0 {
        return None;
    }
    let (first, last) = data.period();
    Some((
        Level::Info,
        format!(
            "From {first} to {last}, media brought {} of {} {} ({}), {} for each unit spent.",
            money(media, &data.outcome.unit),
            money(observed, &data.outcome.unit),
            data.outcome.name,
            percent(media / observed),
            mixline_chart::number::compact(media / spend),
        ),
    ))
}

fn best_and_worst(config: &Config, data: &Data) -> Option<Sentence> {
    let mut paid: Vec<_> = data
        .results
        .iter()
        .filter(|row| row.roas_q50.is_some())
        .collect();
    paid.sort_by(|a, b| {
        b.roas_q50
            .unwrap_or(0.0)
            .total_cmp(&a.roas_q50.unwrap_or(0.0))
    });
    let (best, worst) = (paid.first()?, paid.last()?);
    if paid.len() < 2 {
        return None;
    }
    let below = worst.roas_q50.is_some_and(|roas| roas < config.target_roas);
    let level = if below { Level::Warning } else { Level::Info };
    let tail = if below { ", less than it cost" } else { "" };
    Some((
        level,
        format!(
            "{} returned most, {} per unit spent; {} least, {}{tail}.",
            best.channel,
            roas_words(best)?,
            worst.channel,
            roas_words(worst)?,
        ),
    ))
}

/// The last four periods beside the four before.
fn recent(data: &Data) -> Option<Sentence> {
    let values: Vec<f64> = data.by_period().into_values().collect();
    let n = values.len();
    if n < 8 {
        return None;
    }
    let (now, before): (f64, f64) = (
        values[n - 4..].iter().sum(),
        values[n - 8..n - 4].iter().sum(),
    );
    if before <= 0.0 {
        return None;
    }
    let change = now / before - 1.0;
    let word = if change >= 0.0 { "more" } else { "less" };
    Some((
        Level::Info,
        format!(
            "The last four periods brought {} {}, {} {word} than the four before.",
            money(now, &data.outcome.unit),
            data.outcome.name,
            percent(change.abs()),
        ),
    ))
}

/// Channels that the plan takes beyond what was ever spent.
fn outside_observed(data: &Data) -> Option<Sentence> {
    let beyond: Vec<String> = data
        .proposals("best")
        .into_iter()
        .filter(|row| !row.inside_observed)
        .map(|row| row.channel)
        .collect();
    (!beyond.is_empty()).then(|| {
        let text = format!(
            "The plan takes {} beyond what was ever spent: go there in steps, and watch.",
            list(&beyond)
        );
        (Level::Warning, text)
    })
}

/// Channels about which attribution and the model differ.
fn disagreement(data: &Data) -> Option<Sentence> {
    let unstable: Vec<String> = data
        .comparison
        .iter()
        .filter(|row| row.unstable)
        .map(|row| row.channel.clone())
        .collect();
    (!unstable.is_empty()).then(|| {
        let text = format!(
            "Attribution and the model disagree about {}.",
            list(&unstable)
        );
        (Level::Warning, text)
    })
}

/// Checks that ask for a look.
fn review(data: &Data) -> Option<Sentence> {
    let open: Vec<&str> = data
        .checks
        .iter()
        .filter(|row| row.verdict == "review" && row.check != "verdict")
        .map(|row| row.message.as_str())
        .collect();
    let first = open.first()?;
    let more = match open.len() - 1 {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    Some((Level::Warning, format!("To look at: {first}{more}.")))
}

/// Errors and warnings about the data.
fn quality(data: &Data) -> Option<Sentence> {
    let count = |severity: &str| {
        data.findings
            .iter()
            .filter(|row| row.severity == severity)
            .count()
    };
    let (errors, warnings) = (count("error"), count("warning"));
    let level = if errors > 0 {
        Level::Error
    } else {
        Level::Info
    };
    (errors + warnings > 0).then(|| {
        let text = format!(
            "The data checks found {} and {}.",
            mixline_chart::number::count(errors, "error", "errors"),
            mixline_chart::number::count(warnings, "warning", "warnings"),
        );
        (level, text)
    })
}

/// Whether the plan rests on an older model than the figures.
fn other_champion(data: &Data) -> Option<Sentence> {
    let champion = &data.champion.as_ref()?.fitted.card;
    (champion.model_id != data.fitted.card.model_id).then(|| {
        let text = format!(
            "The plan rests on champion {} with data to {}; the newest model was not promoted.",
            champion.model_id, champion.data_until
        );
        (Level::Warning, text)
    })
}

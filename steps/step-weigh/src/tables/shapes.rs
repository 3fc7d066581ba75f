//! What journeys look like, and the models behind methods.

use mixline_attribution::conversion::Fitted;
use mixline_attribution::markov::Transition;
use mixline_attribution::{ChannelId, Channels};
use mixline_attribution_tables::Method;
use mixline_schema::catalog::{
    AttributionLags, AttributionPaths, AttributionPositions, ConversionModels, MarkovTransitions,
};

use crate::gather::Gathered;

/// The transition matrices.
pub(crate) fn transitions(found: &Gathered) -> Vec<MarkovTransitions> {
    let chains = found.chains.iter().zip(found.survey.chains());
    chains
        .flat_map(|(method, chain)| {
            chain
                .matrix()
                .into_iter()
                .map(|step| transition(*method, &step, &found.channels))
        })
        .collect()
}

fn transition(method: Method, step: &Transition, channels: &Channels) -> MarkovTransitions {
    let words = |state: &[ChannelId]| {
        let names: Vec<&str> = state
            .iter()
            .map(|channel| channels.name(*channel))
            .collect();
        names.join(" > ")
    };
    MarkovTransitions {
        method: method.to_string(),
        from_state: match step.from.as_slice() {
            [] => "(start)".to_owned(),
            state => words(state),
        },
        to_state: match &step.to {
            Some(state) => words(state),
            None if step.converts => "(conversion)".to_owned(),
            None => "(null)".to_owned(),
        },
        journeys: step.count,
        probability: step.probability.clamp(0.0, 1.0),
    }
}

/// The paths with most conversions.
pub(crate) fn paths(found: &Gathered, most: usize) -> Vec<AttributionPaths> {
    let row = |(rank, path): (i64, mixline_attribution::Path)| AttributionPaths {
        path: match path.touches() {
            0 => "(no touches)".to_owned(),
            _ => path.words(&found.channels),
        },
        rank,
        touches: i64::from(path.touches()),
        conversions: path.outcome.conversions,
        nulls: path.outcome.nulls,
        revenue: path.outcome.value,
        conversion_rate: path.outcome.conversions / path.outcome.journeys(),
    };
    (1..).zip(found.survey.paths.top(most)).map(row).collect()
}

/// Lengths of paths and days to conversion.
pub(crate) fn lags(found: &Gathered) -> Vec<AttributionLags> {
    let paths = &found.survey.paths;
    let measures = [
        ("path_length", &paths.lengths),
        ("days_to_conversion", &paths.days),
    ];
    measures
        .into_iter()
        .flat_map(|(measure, histogram)| {
            histogram
                .iter()
                .map(move |(bucket, (conversions, revenue))| AttributionLags {
                    measure: measure.to_owned(),
                    bucket: i64::from(*bucket),
                    conversions: *conversions,
                    revenue: *revenue,
                })
        })
        .collect()
}

/// The ordered Shapley value.
pub(crate) fn positions(found: &Gathered) -> Vec<AttributionPositions> {
    let positions = found.survey.positions.iter();
    positions
        .map(
            |((channel, position), (conversions, revenue))| AttributionPositions {
                channel: found.channels.name(*channel).to_owned(),
                position: *position as i64,
                conversions: *conversions,
                revenue: *revenue,
            },
        )
        .collect()
}

/// The model of conversions.
pub(crate) fn model(fitted: &Fitted, found: &Gathered) -> Vec<ConversionModels> {
    let row = |parameter: &str, channel: &str, value: f64| ConversionModels {
        parameter: parameter.to_owned(),
        channel: channel.to_owned(),
        value,
    };
    let model = &fitted.model;
    let mut rows = vec![
        row("base", "", model.base),
        row("half_life_days", "", model.half_life_days),
        row("log_loss", "", fitted.quality.log_loss),
        row("null_log_loss", "", fitted.quality.null_log_loss),
        row("sample_share", "", found.survey.sample().share()),
    ];
    for channel in found.channels.ids() {
        let name = found.channels.name(channel);
        rows.push(row("own", name, model.own[channel.index()]));
        rows.push(row("carry", name, model.carry[channel.index()]));
    }
    rows
}

//! The conversion-rate game, and why it is refused.

use super::game::exact;
use crate::by_channel::distinct;
use crate::channel::ChannelId;
use crate::journey::Journey;

/// Why credits of the conversion-rate game are not used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RateError {
    /// A channel would owe conversions.
    #[error(
        "the game of conversion rates gives a channel {credit:.1} of {conversions:.1} conversions: \
         a rate can fall when a channel joins, so the game rewards channels for being rare and \
         charges those that also meet people who do not buy"
    )]
    Negative {
        /// The channel with the least credit.
        channel: ChannelId,
        /// Its credit, scaled to the number of conversions.
        credit: f64,
        /// All conversions.
        conversions: f64,
    },
    /// More channels than can be enumerated.
    #[error(
        "the game of conversion rates has {0} channels; every coalition of at most 20 can be looked at"
    )]
    TooMany(usize),
}

/// Credits by channel of the game in which a coalition is worth the conversion rate of the journeys
/// inside it, scaled to the number of conversions; and whether they may be used.
///
/// ```text
/// v(S) = conversions of journeys inside S / journeys inside S
/// ```
///
/// Early papers and several packages play it. It is here for comparison with them: as soon as a
/// channel also meets people who do not buy, its credit may be negative, and then the second part
/// says so.
///
/// # Errors
/// [`RateError::TooMany`].
pub fn rate_game<'a>(
    journeys: impl IntoIterator<Item = Journey<'a>>,
    channels: usize,
) -> Result<(Vec<f64>, Result<(), RateError>), RateError> {
    let mut converted = vec![0.0; 1 << channels.min(20)];
    let mut all = converted.clone();
    if channels > 20 {
        return Err(RateError::TooMany(channels));
    }
    for journey in journeys {
        let set = distinct(journey.touches);
        let mask = set
            .iter()
            .fold(0_usize, |mask, channel| mask | 1 << channel.0);
        converted[mask] += journey.outcome.conversions;
        all[mask] += journey.outcome.journeys();
    }
    let conversions: f64 = converted.iter().skip(1).sum();
    add_up_subsets(&mut converted, channels);
    add_up_subsets(&mut all, channels);
    let rate = |coalition: u32| {
        let at = coalition as usize;
        if all[at] > 0.0 {
            converted[at] / all[at]
        } else {
            0.0
        }
    };
    let values = exact(channels, rate).ok_or(RateError::TooMany(channels))?;
    let whole: f64 = values.iter().sum();
    let scale = if whole == 0.0 {
        0.0
    } else {
        conversions / whole
    };
    let credits: Vec<f64> = values.iter().map(|value| value * scale).collect();
    let least = credits
        .iter()
        .copied()
        .enumerate()
        .min_by(|a, b| a.1.total_cmp(&b.1));
    let verdict = match least {
        Some((at, credit)) if credit < 0.0 => Err(RateError::Negative {
            channel: ChannelId(at as u32),
            credit,
            conversions,
        }),
        _ => Ok(()),
    };
    Ok((credits, verdict))
}

/// Replaces each coalition's number by the sum over all its subsets.
fn add_up_subsets(of: &mut [f64], players: usize) {
    for player in 0..players {
        for coalition in 0..of.len() {
            if coalition >> player & 1 == 1 {
                of[coalition] += of[coalition ^ 1 << player];
            }
        }
    }
}

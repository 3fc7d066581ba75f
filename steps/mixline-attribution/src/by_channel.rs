//! From credit by channel to credit by touch.

use crate::channel::ChannelId;
use crate::journey::Touch;

/// Fills `shares` with one weight per touch, from one weight per distinct channel.
///
/// `weigh` gets the distinct channels whose touches count (weight above 0), oldest first, and sets
/// their weights; each is then divided over the channel's touches by the touches' own weights.
pub(crate) fn spread(
    touches: &[Touch],
    shares: &mut Vec<f64>,
    weigh: impl FnOnce(&mut [(ChannelId, f64)]),
) {
    let mut channels: Vec<(ChannelId, f64)> = Vec::new();
    let mut mass: Vec<f64> = Vec::new();
    shares.clear();
    // A touch's entry in `channels` stands in `shares` until it is replaced by the weight.
    for touch in touches {
        if touch.weight <= 0.0 {
            shares.push(f64::NAN);
            continue;
        }
        let at = channels
            .iter()
            .position(|(channel, _)| *channel == touch.channel);
        let at = at.unwrap_or_else(|| {
            channels.push((touch.channel, 0.0));
            mass.push(0.0);
            channels.len() - 1
        });
        mass[at] += touch.weight;
        shares.push(at as f64);
    }
    weigh(&mut channels);
    for (touch, share) in touches.iter().zip(shares.iter_mut()) {
        *share = if share.is_nan() {
            0.0
        } else {
            let at = *share as usize;
            channels[at].1 * touch.weight / mass[at]
        };
    }
}

/// The distinct channels of the touches that count, oldest first.
pub(crate) fn distinct(touches: &[Touch]) -> Vec<ChannelId> {
    let mut channels = Vec::new();
    for touch in touches.iter().filter(|touch| touch.weight > 0.0) {
        if !channels.contains(&touch.channel) {
            channels.push(touch.channel);
        }
    }
    channels
}

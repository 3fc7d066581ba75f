//! Touches as a flat web analytics export: GA4's names, microseconds since 1970.

use super::Sheet;
use crate::journeys::UNPAID;
use crate::tables::{address, names};
use crate::world::World;

const HEADER: [&str; 7] = [
    "event_timestamp",
    "event_name",
    "user_email",
    "source",
    "medium",
    "campaign",
    "channel",
];

pub(super) fn file(world: &World) -> Vec<u8> {
    let mut sheet = Sheet::new();
    sheet.row(HEADER);
    for touch in &world.touches {
        let (channel, campaign) = names(&world.spec, touch);
        let (source, medium) = match touch.source {
            Ok(index) => {
                let tracking = world.spec.channels[index].tracking.as_ref();
                tracking.map_or(("", ""), |(source, medium)| {
                    (source.as_str(), medium.as_str())
                })
            }
            Err(index) => (UNPAID[index].1, UNPAID[index].2),
        };
        let event = if touch.click { "click" } else { "view" };
        let at = touch.at.timestamp_micros().to_string();
        let email = address(touch.visitor);
        let campaign = campaign.unwrap_or("(not set)");
        sheet.row([&at, event, &email, source, medium, campaign, channel]);
    }
    sheet.finish()
}

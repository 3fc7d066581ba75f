//! One line a day: channels without an export of their own, and the controls.

use super::{Sheet, money};
use crate::world::World;

/// Channels that have an export of their own.
const ELSEWHERE: [&str; 3] = ["meta", "google", "tiktok"];

pub(super) fn file(world: &World) -> Vec<u8> {
    let mut sheet = Sheet::new();
    let channels = world.spec.channels.iter().enumerate();
    let here: Vec<_> = channels
        .filter(|(_, c)| !ELSEWHERE.contains(&c.name.as_str()))
        .collect();
    let mut header = vec!["date".to_owned()];
    header.extend(
        here.iter()
            .map(|(_, channel)| format!("{}_spend", channel.name)),
    );
    header.extend(["price_index", "promo", "competitor"].map(str::to_owned));
    sheet.row(header);
    for day in &world.days {
        let mut row = vec![day.date.to_string()];
        row.extend(
            here.iter()
                .map(|(index, _)| money(world.spend(day.index, *index))),
        );
        row.push(day.price_index.to_string());
        row.push(u8::from(day.promo).to_string());
        row.push(day.competitor.to_string());
        sheet.row(row);
    }
    sheet.finish()
}

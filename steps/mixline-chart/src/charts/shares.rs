//! C08: each channel's share of spend beside its share of the effect.
//!
//! Effect is what media brought in, the baseline left out, so that both shares add up to one.

use crate::axis::{self, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::finite;
use crate::number::{compact, percent, percent_labels};
use crate::palette::ChannelColors;
use crate::scale::{Band, Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

const ROW: f64 = 40.0;

/// Shares of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// One row per channel; drawn by falling share of spend.
    pub rows: Vec<ShareRow>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One channel.
#[derive(Debug, Clone, PartialEq)]
pub struct ShareRow {
    /// The channel.
    pub channel: String,
    /// Money spent.
    pub spend: f64,
    /// What it brought in, mean.
    pub effect: f64,
}

/// A row as drawn.
struct Drawn<'a> {
    row: &'a ShareRow,
    spend: f64,
    effect: f64,
}

impl Shares {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let rows = self.drawn();
        let words = Words {
            id: "C08",
            key: key_of(&self.key, "C08"),
            title: "Share of spend and share of effect".to_owned(),
            caption: caption(&rows),
            description: description(&rows),
        };
        words.with(self.draw(&rows), table(&rows))
    }

    fn drawn(&self) -> Vec<Drawn<'_>> {
        let sum =
            |of: fn(&ShareRow) -> f64| -> f64 { self.rows.iter().map(|r| finite(of(r))).sum() };
        let (spend, effect) = (sum(|r| r.spend), sum(|r| r.effect));
        let share = |value: f64, total: f64| {
            if total == 0.0 {
                0.0
            } else {
                finite(value) / total
            }
        };
        let mut rows: Vec<Drawn<'_>> = self
            .rows
            .iter()
            .map(|row| Drawn {
                row,
                spend: finite(share(row.spend, spend)),
                effect: finite(share(row.effect, effect)),
            })
            .collect();
        rows.sort_by(|a, b| b.spend.total_cmp(&a.spend));
        rows
    }

    fn draw(&self, rows: &[Drawn<'_>]) -> Svg {
        let top = 34.0;
        let frame = Frame {
            left: axis::name_room(rows.iter().map(|r| r.row.channel.as_str())),
            right: NORMAL - 130.0,
            top,
            bottom: top + ROW * rows.len().max(1) as f64,
        };
        let (low, high) = extent_with_zero(rows.iter().flat_map(|r| [r.spend, r.effect]));
        let scale = Linear::nice(low, high, frame.xs());
        let mut svg = Svg::new(&key_of(&self.key, "C08"), NORMAL, frame.bottom + 44.0);
        let entries = [
            (Sign::Faint, "ink", "share of spend"),
            (Sign::Square, "ink", "share of effect"),
        ];
        axis::key(&mut svg, 2.0, frame.right, 10.0, &entries);
        svg.text(
            "note",
            (NORMAL - 4.0, top - 6.0),
            Anchor::End,
            "effect ÷ spend",
        );
        axis::below_with(
            &mut svg,
            &frame,
            &scale,
            "Share of all channels",
            &percent_labels,
        );
        let bands = Band::new(top, ROW);
        for (i, row) in rows.iter().enumerate() {
            let y = bands.mid(i);
            svg.group_titled(&self.colors.class(&row.row.channel), &words(row));
            axis::name(&mut svg, frame.left - 8.0, y, &row.row.channel);
            for (class, share, from) in
                [("faint", row.spend, y - 15.0), ("bar", row.effect, y + 1.0)]
            {
                svg.rect(
                    class,
                    (scale.at(0.0), scale.within(share)),
                    (from, from + 14.0),
                );
                let end = scale.within(share.max(0.0)) + 6.0;
                svg.text(
                    "value halo",
                    (end, from + 11.0),
                    Anchor::Start,
                    &percent(share),
                );
            }
            let ratio = row.effect / row.spend;
            svg.text(
                "value",
                (NORMAL - 4.0, y + 4.0),
                Anchor::End,
                &compact(ratio),
            );
            svg.close();
        }
        svg
    }
}

fn words(row: &Drawn<'_>) -> String {
    format!(
        "{}: {} of spend, {} of effect",
        row.row.channel,
        percent(row.spend),
        percent(row.effect)
    )
}

fn caption(rows: &[Drawn<'_>]) -> String {
    let gap = |r: &&Drawn<'_>| r.effect - r.spend;
    let most = rows.iter().max_by(|a, b| gap(a).total_cmp(&gap(b)));
    let least = rows.iter().min_by(|a, b| gap(a).total_cmp(&gap(b)));
    match (most, least) {
        (Some(most), Some(least)) if rows.len() > 1 => format!(
            "{} gives {} of the effect for {} of the spend, {} only {} for {}.",
            most.row.channel,
            percent(most.effect),
            percent(most.spend),
            least.row.channel,
            percent(least.effect),
            percent(least.spend),
        ),
        _ => "With one channel there is nothing to share.".to_owned(),
    }
}

fn description(rows: &[Drawn<'_>]) -> String {
    let rows: Vec<String> = rows.iter().map(words).collect();
    format!("Paired bars per channel. {}.", rows.join("; "))
}

fn table(rows: &[Drawn<'_>]) -> DataTable {
    let mut table = DataTable::new(vec![
        Column::words("Channel"),
        Column::numbers("Share of spend", ""),
        Column::numbers("Share of effect", ""),
        Column::numbers("Effect ÷ spend", ""),
    ]);
    table.rows = rows
        .iter()
        .map(|r| {
            let numbers = [r.spend, r.effect, r.effect / r.spend].map(Cell::number);
            let mut cells = vec![Cell::text(r.row.channel.clone())];
            cells.extend(numbers);
            cells
        })
        .collect();
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Shares {
        let row = |channel: &str, spend: f64, effect: f64| ShareRow {
            channel: channel.into(),
            spend,
            effect,
        };
        Shares {
            key: String::new(),
            rows: vec![
                row("TV", 50.0, 20.0),
                row("Meta", 30.0, 60.0),
                row("Search", 20.0, 20.0),
            ],
            colors: ChannelColors::new(&["TV", "Meta", "Search"]),
        }
    }

    #[test]
    fn both_shares_add_up_to_one() {
        let svg = sample().figure().svg;
        let unit = |widths: Vec<f64>| widths.iter().sum::<f64>();
        let (spend, effect) = (
            unit(attribute(&svg, "rect", "faint", "width")[1..].to_vec()),
            unit(attribute(&svg, "rect", "bar", "width")[1..].to_vec()),
        );
        assert!((spend - effect).abs() < 0.1, "{spend} {effect}");
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.rows[0].spend = x;
            chart.rows[1].effect = x;
            chart.rows[2].channel = NAMES[2].into();
            sound(&chart.figure());
            chart.rows.clear();
            sound(&chart.figure());
        }
    }
}

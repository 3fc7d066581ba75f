//! C27: how many conversions a Markov chain loses without a channel, one mark per chain.
//!
//! Removal effects overlap (a conversion that needs two channels is lost with either), so they do
//! not add up to anything. Chains of several orders side by side show how far the answer depends
//! on how much of the path a chain remembers.

use std::collections::BTreeMap;

use crate::axis::{self, Entry, Frame, Sign};
use crate::figure::{Figure, NORMAL, Words, key_of};
use crate::measure::finite;
use crate::number::{percent, percent_labels};
use crate::palette::ChannelColors;
use crate::scale::{Linear, extent_with_zero};
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};

/// Height of one mark and of the gap between channels.
const MARK: f64 = 11.0;
const GAP: f64 = 12.0;
/// Marks of chains, in their order; more chains begin again.
const SIGNS: [Sign; 4] = [Sign::Marker, Sign::Hollow, Sign::Triangle, Sign::Tick];

/// Removal effects of several chains.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// One series per chain.
    pub chains: Vec<Chain>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Its name: `Markov, order 2`.
    pub name: String,
    /// Channel and share of conversions lost without it.
    pub effects: Vec<(String, f64)>,
}

/// A channel with one effect per chain; NaN where the chain has none.
type Row = (String, Vec<f64>);

impl Removal {
    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let rows = self.rows();
        let words = Words {
            id: "C27",
            key: key_of(&self.key, "C27"),
            title: "Conversions lost without a channel".to_owned(),
            caption: caption(&rows),
            description: description(&rows),
        };
        words.with(self.draw(&rows), self.table(&rows))
    }

    /// Channels by falling mean effect.
    fn rows(&self) -> Vec<Row> {
        let mut channels: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for (at, chain) in self.chains.iter().enumerate() {
            for (channel, effect) in &chain.effects {
                let empty = || vec![f64::NAN; self.chains.len()];
                channels.entry(channel).or_insert_with(empty)[at] = *effect;
            }
        }
        let mut rows: Vec<Row> = channels
            .into_iter()
            .map(|(channel, effects)| (channel.to_owned(), effects))
            .collect();
        let sum = |row: &Row| row.1.iter().map(|x| finite(*x)).sum::<f64>();
        rows.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
        rows
    }

    fn draw(&self, rows: &[Row]) -> Svg {
        let left = axis::name_room(rows.iter().map(|r| r.0.as_str()));
        let row = MARK * self.chains.len().max(1) as f64 + GAP;
        let mut svg = Svg::new(&key_of(&self.key, "C27"), NORMAL, 0.0);
        let entries: Vec<Entry<'_>> = self
            .chains
            .iter()
            .enumerate()
            .map(|(at, chain)| (SIGNS[at % SIGNS.len()], "quiet", chain.name.as_str()))
            .collect();
        let top = 10.0 + axis::key(&mut svg, 2.0, NORMAL - 8.0, 10.0, &entries);
        let frame = Frame {
            left,
            right: NORMAL - 130.0,
            top,
            bottom: top + row * rows.len().max(1) as f64,
        };
        let (low, high) = extent_with_zero(rows.iter().flat_map(|r| r.1.clone()));
        let scale = Linear::nice(low, high, frame.xs());
        svg.set_height(frame.bottom + 44.0);
        let title = "Share of conversions lost without the channel";
        axis::below_with(&mut svg, &frame, &scale, title, &percent_labels);
        for (i, own) in rows.iter().enumerate() {
            let y = top + row * i as f64;
            svg.group_titled(&self.colors.class(&own.0), &words(own));
            axis::name(&mut svg, left - 8.0, y + row / 2.0, &own.0);
            for (at, effect) in own.1.iter().enumerate().filter(|(_, x)| x.is_finite()) {
                let y = y + GAP / 2.0 + MARK * (at as f64 + 0.5);
                svg.line("hair", (scale.at(0.0), y), (scale.within(*effect), y));
                mark(
                    &mut svg,
                    SIGNS[at % SIGNS.len()],
                    (scale.within(*effect), y),
                );
            }
            let at = (NORMAL - 4.0, y + row / 2.0 + 4.0);
            svg.text("value", at, Anchor::End, &range(&own.1));
            svg.close();
        }
        svg
    }

    fn table(&self, rows: &[Row]) -> DataTable {
        let mut columns = vec![Column::words("Channel")];
        columns.extend(self.chains.iter().map(|c| Column::numbers(&c.name, "")));
        let mut table = DataTable::new(columns);
        for (channel, effects) in rows {
            let mut cells = vec![Cell::text(channel.clone())];
            cells.extend(effects.iter().map(|x| Cell::number(*x)));
            table.rows.push(cells);
        }
        table
    }
}

fn mark(svg: &mut Svg, sign: Sign, (x, y): (f64, f64)) {
    match sign {
        Sign::Hollow => svg.circle("hollow", (x, y), 4.0),
        Sign::Triangle => svg.arrow("solid", (x + 4.0, y), 1.0, 9.0),
        Sign::Tick => svg.line("thin", (x, y - 5.0), (x, y + 5.0)),
        _ => svg.circle("marker", (x, y), 5.0),
    }
}

/// `41 % to 48 %`, or one number where chains agree to the percent.
fn range(effects: &[f64]) -> String {
    let known = effects.iter().filter(|x| x.is_finite());
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| {
        (l.min(*x), h.max(*x))
    });
    if low > high {
        return "unknown".to_owned();
    }
    let (low, high) = (percent(low), percent(high));
    if low == high {
        low
    } else {
        format!("{low} to {high}")
    }
}

fn words(row: &Row) -> String {
    format!("{}: {}", row.0, range(&row.1))
}

fn caption(rows: &[Row]) -> String {
    match rows.first() {
        Some((channel, effects)) => format!(
            "Without {channel}, {} of the conversions would be lost, most of all channels; a \
             conversion that needs two channels counts for both.",
            range(effects)
        ),
        None => "No chain was solved.".to_owned(),
    }
}

fn description(rows: &[Row]) -> String {
    let rows: Vec<String> = rows.iter().map(words).collect();
    format!(
        "Removal effects by channel, one mark per chain. {}.",
        rows.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn sample() -> Removal {
        let chain = |name: &str, effects: &[(&str, f64)]| Chain {
            name: name.into(),
            effects: effects.iter().map(|(c, x)| ((*c).into(), *x)).collect(),
        };
        Removal {
            key: String::new(),
            chains: vec![
                chain("Markov, order 1", &[("TV", 0.48), ("Search", 0.72)]),
                chain("Markov, order 2", &[("Search", 0.7), ("TV", 0.5)]),
            ],
            colors: ChannelColors::new(&["TV", "Search"]),
        }
    }

    #[test]
    fn every_chain_has_a_mark_of_its_own_in_every_row() {
        let figure = sample().figure();
        // The key comes first.
        let (dots, rings) = (
            attribute(&figure.svg, "circle", "marker", "cx"),
            attribute(&figure.svg, "circle", "hollow", "cx"),
        );
        assert_eq!((dots.len(), rings.len()), (3, 3));
        assert!(
            dots[1] > rings[1] && dots[2] < rings[2],
            "{dots:?} {rings:?}"
        );
        assert!(
            figure
                .caption
                .starts_with("Without Search, 70\u{a0}% to 72\u{a0}%")
        );
    }

    #[test]
    fn a_chain_without_the_channel_leaves_a_gap() {
        let mut chart = sample();
        chart.chains[1].effects.pop();
        let figure = chart.figure();
        assert_eq!(attribute(&figure.svg, "circle", "hollow", "cx").len(), 2);
        assert_eq!(figure.table.rows[1][2], Cell::Empty);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.chains[0].effects[0].1 = x;
            chart.chains[1].effects[0].0 = NAMES[2].into();
            chart.chains[1].name = NAMES[2].into();
            sound(&chart.figure());
            chart.chains.clear();
            sound(&chart.figure());
        }
    }
}

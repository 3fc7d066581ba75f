//! C26: how every attribution method shares the outcome over channels, and how far they differ.
//!
//! A heat table, one row per method and one column per channel. Its last rows are its message:
//! the range from the lowest to the highest method, and whether methods differ by more than their
//! own 90 % intervals. A number that depends that much on the method is no measurement.

use std::collections::BTreeMap;

use crate::axis;
use crate::figure::{Figure, NORMAL, WIDE, Words, key_of};
use crate::measure::{Measure, finite};
use crate::number::{count, percent};
use crate::palette::ChannelColors;
use crate::scale::Linear;
use crate::svg::{Anchor, Svg};
use crate::table::{Cell, Column, DataTable};
use crate::text;

const ROW: f64 = 26.0;
const TOP: f64 = 34.0;
/// Least and most width of a column.
const COLUMN: (f64, f64) = (76.0, 110.0);
/// Levels of the heat, as in the stylesheet.
const LEVELS: usize = 6;

/// Shares of all methods.
#[derive(Debug, Clone, PartialEq)]
pub struct Methods {
    /// Beginning of element ids; the id of the chart when empty.
    pub key: String,
    /// The outcome that is shared.
    pub outcome: Measure,
    /// One row each, in this order.
    pub methods: Vec<Method>,
    /// Colours of the channels.
    pub colors: ChannelColors,
}

/// One method.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name: `last touch`.
    pub name: String,
    /// Whether it counts where methods are compared; a rule that looks at no journey does not.
    pub compared: bool,
    /// What it gives each channel.
    pub shares: Vec<MethodShare>,
}

/// What a method gives a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodShare {
    /// The channel.
    pub channel: String,
    /// Share of the outcome.
    pub share: f64,
    /// 5 % and 95 % quantile of the share; both the same where the method knows nothing of the
    /// channel, which is then not compared.
    pub interval: (f64, f64),
}

/// What the methods say of one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The channel.
    pub channel: String,
    /// The method that gives least, and its share.
    pub least: (String, f64),
    /// The method that gives most, and its share.
    pub most: (String, f64),
    /// Methods compared.
    pub compared: usize,
    /// Whether two methods lie apart by more than their own intervals.
    pub disputed: bool,
    /// Mean over methods.
    mean: f64,
}

impl Spread {
    /// From the lowest share to the highest.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.most.1 - self.least.1
    }

    /// `18 – 31 %`, or one share where both ends read the same.
    fn words(&self) -> String {
        let (low, high) = (percent(self.least.1), percent(self.most.1));
        if low == high {
            return high;
        }
        let low = low.trim_end_matches('%').trim_end();
        format!("{low} – {high}")
    }
}

impl Methods {
    /// What the methods say of each channel, by falling mean share.
    #[must_use]
    pub fn spreads(&self) -> Vec<Spread> {
        let mut channels: BTreeMap<&str, Vec<(&Method, &MethodShare)>> = BTreeMap::new();
        for method in &self.methods {
            for share in &method.shares {
                let own = channels.entry(&share.channel).or_default();
                own.push((method, share));
            }
        }
        let mut spreads: Vec<Spread> = channels
            .into_iter()
            .map(|(channel, said)| spread(channel, &said, self.methods.len()))
            .collect();
        spreads.sort_by(|a, b| b.mean.total_cmp(&a.mean));
        spreads
    }

    /// The figure.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let spreads = self.spreads();
        let words = Words {
            id: "C26",
            key: key_of(&self.key, "C26"),
            title: format!("Share of {} by attribution method", self.outcome.name),
            caption: self.caption(&spreads),
            description: self.description(&spreads),
        };
        words.with(self.draw(&spreads), self.table(&spreads))
    }

    fn draw(&self, spreads: &[Spread]) -> Svg {
        let left = axis::name_room(self.methods.iter().map(|m| m.name.as_str()));
        let most = ((WIDE - left) / COLUMN.0) as usize;
        let shown = &spreads[..spreads.len().min(most)];
        let columns = shown.len().max(1) as f64;
        let width = if left + columns * COLUMN.0 > NORMAL {
            WIDE
        } else {
            NORMAL
        };
        let step = ((width - left) / columns).min(COLUMN.1);
        let bottom = TOP + ROW * self.methods.len() as f64;
        let mut svg = Svg::new(&key_of(&self.key, "C26"), width, bottom + 74.0);
        for (i, method) in self.methods.iter().enumerate() {
            let y = TOP + ROW * (i as f64 + 0.5);
            axis::name(&mut svg, left - 8.0, y, &method.name);
        }
        for (row, y) in [("Range", bottom + 22.0), ("Methods", bottom + 62.0)] {
            svg.text("note", (left - 8.0, y), Anchor::End, row);
        }
        let top = highest(shown);
        for (i, own) in shown.iter().enumerate() {
            let from = left + step * i as f64;
            svg.group(&self.colors.class(&own.channel));
            self.draw_column(&mut svg, own, (from, from + step), top);
            self.draw_range(&mut svg, own, (from, from + step), bottom, top);
            svg.close();
        }
        let rest = spreads.len() - shown.len();
        if rest > 0 {
            let more = count(rest, "smaller channel is", "smaller channels are");
            let note = format!("{more} in the data below.");
            svg.set_height(bottom + 92.0);
            svg.text("note", (left, bottom + 84.0), Anchor::Start, &note);
        }
        svg
    }

    fn draw_column(&self, svg: &mut Svg, own: &Spread, x: (f64, f64), top: f64) {
        let mid = f64::midpoint(x.0, x.1);
        let room = x.1 - x.0 - 6.0;
        svg.text_within("label", (mid, 18.0), Anchor::Middle, &own.channel, room);
        svg.rect("bar", (x.0 + 1.0, x.1 - 1.0), (TOP - 8.0, TOP - 4.0));
        for (i, method) in self.methods.iter().enumerate() {
            let Some(cell) = method.shares.iter().find(|s| s.channel == own.channel) else {
                continue;
            };
            let y = TOP + ROW * i as f64;
            svg.group_titled("cell", &words(method, cell));
            svg.rect(
                &format!("heat{}", level(cell.share, top)),
                (x.0 + 1.0, x.1 - 1.0),
                (y + 1.0, y + ROW - 1.0),
            );
            let at = (mid, y + ROW / 2.0 + 4.0);
            svg.text("value", at, Anchor::Middle, &percent(cell.share));
            svg.close();
        }
    }

    /// The range in numbers, on a scale of its own, and what to make of it.
    fn draw_range(&self, svg: &mut Svg, own: &Spread, x: (f64, f64), bottom: f64, top: f64) {
        let mid = f64::midpoint(x.0, x.1);
        if own.compared < 2 {
            let at = (mid, bottom + 62.0);
            return svg.text("note", at, Anchor::Middle, "one view");
        }
        let said = format!(
            "{}: {} by {} to {} by {}",
            own.channel,
            percent(own.least.1),
            own.least.0,
            percent(own.most.1),
            own.most.0
        );
        svg.group_titled("range", &said);
        svg.text(
            "value strong",
            (mid, bottom + 22.0),
            Anchor::Middle,
            &own.words(),
        );
        let (scale, y) = (
            Linear::exact(0.0, top, (x.0 + 8.0, x.1 - 8.0)),
            bottom + 38.0,
        );
        svg.line("grid", (x.0 + 8.0, y), (x.1 - 8.0, y));
        let ends = (scale.within(own.least.1), scale.within(own.most.1));
        svg.line("thick", (ends.0, y), (ends.1.max(ends.0 + 1.0), y));
        svg.close();
        let (class, verdict) = if own.disputed {
            ("warn", "disagree")
        } else {
            ("note", "agree")
        };
        svg.text(
            &format!("small {class}"),
            (mid, bottom + 62.0),
            Anchor::Middle,
            verdict,
        );
    }

    fn caption(&self, spreads: &[Spread]) -> String {
        let widest = spreads
            .iter()
            .filter(|s| s.compared > 1)
            .max_by(|a, b| a.width().total_cmp(&b.width()));
        let Some(widest) = widest else {
            return "There are not two methods to compare.".to_owned();
        };
        let disputed = spreads.iter().filter(|s| s.disputed).count();
        let tail = match disputed {
            0 => "no two methods differ by more than their own intervals".to_owned(),
            n => format!(
                "on {n} of {} methods differ by more than their own intervals",
                count(spreads.len(), "channel", "channels")
            ),
        };
        format!(
            "Methods differ most about {}, from {} ({}) to {} ({}); {tail}.",
            widest.channel,
            percent(widest.least.1),
            widest.least.0,
            percent(widest.most.1),
            widest.most.0,
        )
    }

    fn description(&self, spreads: &[Spread]) -> String {
        let rows: Vec<String> = spreads
            .iter()
            .map(|s| {
                let verdict = match (s.compared, s.disputed) {
                    (0 | 1, _) => return format!("{}, not compared", s.channel),
                    (_, true) => "methods disagree",
                    (_, false) => "methods agree",
                };
                format!("{} {}, {verdict}", s.channel, s.words())
            })
            .collect();
        format!(
            "A table of {} and {}; the range of shares by channel: {}.",
            count(self.methods.len(), "method", "methods"),
            count(spreads.len(), "channel", "channels"),
            rows.join("; ")
        )
    }

    fn table(&self, spreads: &[Spread]) -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Method"),
            Column::words("Channel"),
            Column::numbers("Share", ""),
            Column::numbers("5 %", ""),
            Column::numbers("95 %", ""),
            Column::words("Compared"),
        ]);
        for method in &self.methods {
            for own in spreads {
                let cells = method.shares.iter().filter(|s| s.channel == own.channel);
                table.rows.extend(cells.map(|cell| {
                    vec![
                        Cell::text(method.name.clone()),
                        Cell::text(cell.channel.clone()),
                        Cell::number(cell.share),
                        Cell::number(cell.interval.0),
                        Cell::number(cell.interval.1),
                        Cell::text(if method.compared { "yes" } else { "no" }),
                    ]
                }));
            }
        }
        table
    }
}

fn spread(channel: &str, said: &[(&Method, &MethodShare)], methods: usize) -> Spread {
    let sum: f64 = said.iter().map(|(_, s)| finite(s.share)).sum();
    let compared: Vec<_> = said
        .iter()
        .filter(|(m, s)| m.compared && s.share.is_finite() && s.interval.0 < s.interval.1)
        .collect();
    let named = |found: Option<&&(&Method, &MethodShare)>| {
        found.map_or((String::new(), f64::NAN), |(m, s)| {
            (m.name.clone(), s.share)
        })
    };
    let by_share = |a: &&&(&Method, &MethodShare), b: &&&(&Method, &MethodShare)| {
        a.1.share.total_cmp(&b.1.share)
    };
    let fold = |of: fn(&MethodShare) -> f64, pick: fn(f64, f64) -> f64, start: f64| {
        let known = compared.iter().map(|(_, s)| of(s));
        known.filter(|x| !x.is_nan()).fold(start, pick)
    };
    let highest_low = fold(|s| s.interval.0, f64::max, f64::NEG_INFINITY);
    let lowest_high = fold(|s| s.interval.1, f64::min, f64::INFINITY);
    Spread {
        channel: channel.to_owned(),
        least: named(compared.iter().min_by(by_share)),
        most: named(compared.iter().max_by(by_share)),
        compared: compared.len(),
        disputed: highest_low > lowest_high,
        mean: sum / methods.max(1) as f64,
    }
}

/// The end of the common scale of heat and ranges.
fn highest(spreads: &[Spread]) -> f64 {
    let ends = spreads.iter().flat_map(|s| [s.most.1, s.mean]);
    let top = ends.filter(|x| x.is_finite()).fold(0.0, f64::max);
    if top > 0.0 { top } else { 1.0 }
}

/// Level of the heat of a share.
fn level(share: f64, top: f64) -> usize {
    let part = (finite(share) / top).clamp(0.0, 1.0);
    ((part * LEVELS as f64) as usize).min(LEVELS - 1)
}

fn words(method: &Method, cell: &MethodShare) -> String {
    format!(
        "{}, {}: {} (90 % interval {} to {})",
        text::capital(&method.name),
        cell.channel,
        percent(cell.share),
        percent(cell.interval.0),
        percent(cell.interval.1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::checks::{NAMES, NASTY, attribute, sound};

    fn method(name: &str, shares: &[(&str, f64)]) -> Method {
        let share = |(channel, share): &(&str, f64)| MethodShare {
            channel: (*channel).into(),
            share: *share,
            interval: (share - 0.05, share + 0.05),
        };
        Method {
            name: name.into(),
            compared: true,
            shares: shares.iter().map(share).collect(),
        }
    }

    fn sample() -> Methods {
        Methods {
            key: String::new(),
            outcome: Measure::new("revenue", "EUR"),
            methods: vec![
                method("last touch", &[("Meta", 0.2), ("Search", 0.6), ("TV", 0.2)]),
                method("linear", &[("Meta", 0.28), ("Search", 0.4), ("TV", 0.32)]),
            ],
            colors: ChannelColors::new(&["TV", "Meta", "Search"]),
        }
    }

    #[test]
    fn methods_disagree_where_their_intervals_do_not_meet() {
        let spreads = sample().spreads();
        let disputed: Vec<_> = spreads
            .iter()
            .map(|s| (s.channel.as_str(), s.disputed))
            .collect();
        assert_eq!(
            disputed,
            [("Search", true), ("TV", true), ("Meta", false)],
            "columns by mean share"
        );
        let figure = sample().figure();
        assert_eq!(figure.svg.matches(">disagree<").count(), 2);
        assert_eq!(
            figure.caption.replace('\u{a0}', " "),
            "Methods differ most about Search, from 40 % (linear) to 60 % (last touch); on 2 of 3 \
             channels methods differ by more than their own intervals."
        );
    }

    #[test]
    fn a_method_that_is_not_compared_opens_no_dispute() {
        let mut chart = sample();
        chart.methods[0].compared = false;
        assert!(chart.spreads().iter().all(|s| !s.disputed));
        let figure = chart.figure();
        assert_eq!(figure.caption, "There are not two methods to compare.");
        assert_eq!(figure.table.rows.len(), 6, "it is shown all the same");
    }

    #[test]
    fn a_method_that_knows_nothing_of_a_channel_opens_no_dispute() {
        let mut chart = sample();
        let unknown = &mut chart.methods[1].shares[1];
        (unknown.share, unknown.interval) = (0.0, (0.0, 0.0));
        let spreads = chart.spreads();
        let search = spreads.iter().find(|s| s.channel == "Search").unwrap();
        assert_eq!((search.compared, search.disputed), (1, false));
        assert!(chart.figure().svg.contains(">one view<"));
    }

    #[test]
    fn more_of_the_outcome_is_never_drawn_fainter() {
        let levels: Vec<usize> = (0..=20).map(|i| level(f64::from(i) / 20.0, 1.0)).collect();
        assert!(levels.windows(2).all(|w| w[0] <= w[1]), "{levels:?}");
        assert_eq!((levels[0], levels[20]), (0, LEVELS - 1));
        let svg = sample().figure().svg;
        assert_eq!(attribute(&svg, "rect", "heat5", "x").len(), 1);
    }

    #[test]
    fn many_channels_leave_the_smallest_to_the_table() {
        let mut chart = sample();
        for method in &mut chart.methods {
            method.shares = (0..40)
                .map(|i| MethodShare {
                    channel: format!("Channel {i}"),
                    share: f64::from(i) / 780.0,
                    interval: (0.0, 1.0),
                })
                .collect();
        }
        let figure = chart.figure();
        sound(&figure);
        assert!(
            figure.wide
                && figure
                    .svg
                    .contains("smaller channels are in the data below.")
        );
        assert_eq!(figure.table.rows.len(), 80);
    }

    #[test]
    fn anything_is_drawn() {
        for x in NASTY {
            let mut chart = sample();
            chart.methods[0].shares[0].share = x;
            chart.methods[1].shares[1].interval = (x, x);
            chart.methods[1].shares[2].channel = NAMES[2].into();
            chart.methods[1].name = NAMES[0].into();
            sound(&chart.figure());
            chart.methods.clear();
            sound(&chart.figure());
        }
    }
}

//! Axes, grid lines and keys, the same in every chart.

use crate::number::tick_labels;
use crate::scale::{Linear, Time};
use crate::svg::{Anchor, LABEL, SMALL, Svg};
use crate::text;

/// The rectangle that data are drawn in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Frame {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Frame {
    pub(crate) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From left to right.
    pub(crate) fn xs(&self) -> (f64, f64) {
        (self.left, self.right)
    }

    /// From the bottom to the top, as values grow.
    pub(crate) fn ys(&self) -> (f64, f64) {
        (self.bottom, self.top)
    }
}

/// Whether two texts of these widths and centres would touch.
fn too_dense(labels: &[String], scale: &Linear, ticks: &[f64]) -> bool {
    labels.windows(2).zip(ticks.windows(2)).any(|(l, t)| {
        let room = (scale.at(t[1]) - scale.at(t[0])).abs();
        text::width(&l[0], SMALL) / 2.0 + text::width(&l[1], SMALL) / 2.0 + 8.0 > room
    })
}

/// Ticks that leave room between their labels.
fn airy_ticks(scale: &Linear, label: &dyn Fn(&[f64]) -> Vec<String>) -> (Vec<f64>, Vec<String>) {
    for most in (2..=6).rev() {
        let ticks = scale.ticks_at_most(most);
        let labels = label(&ticks);
        if !too_dense(&labels, scale, &ticks) {
            return (ticks, labels);
        }
    }
    let (low, high) = scale.domain();
    (
        vec![low, high],
        vec![String::new(), label(&[high]).concat()],
    )
}

/// A horizontal axis below a frame, with vertical grid lines and a title at its left end.
pub(crate) fn below(svg: &mut Svg, frame: &Frame, scale: &Linear, title: &str) {
    below_with(svg, frame, scale, title, &tick_labels);
}

/// [`below`], with labels of one's own.
pub(crate) fn below_with(
    svg: &mut Svg,
    frame: &Frame,
    scale: &Linear,
    title: &str,
    label: &dyn Fn(&[f64]) -> Vec<String>,
) {
    let (ticks, labels) = airy_ticks(scale, label);
    for (tick, label) in ticks.iter().zip(&labels) {
        let x = scale.at(*tick);
        svg.line("grid", (x, frame.top), (x, frame.bottom));
        let y = frame.bottom + 16.0;
        svg.text("axis", (x, y), Anchor::Middle, label);
    }
    let zero = scale.at(0.0);
    if scale.domain().0 <= 0.0 && scale.domain().1 >= 0.0 {
        svg.line("zero", (zero, frame.top), (zero, frame.bottom));
    }
    title_below(svg, frame, title);
}

/// Title under the labels of a horizontal axis.
pub(crate) fn title_below(svg: &mut Svg, frame: &Frame, title: &str) {
    let at = (frame.left, frame.bottom + 34.0);
    let (short, _) = text::fit(title, SMALL, svg.width() - frame.left - 4.0);
    svg.text("axis", at, Anchor::Start, &short);
}

/// Horizontal grid lines with labels left of a frame, and a title above it.
pub(crate) fn left(svg: &mut Svg, frame: &Frame, scale: &Linear, title: &str) {
    left_with(svg, frame, scale, title, 6, &tick_labels);
}

/// [`left`], with labels of one's own and at most some ticks.
pub(crate) fn left_with(
    svg: &mut Svg,
    frame: &Frame,
    scale: &Linear,
    title: &str,
    most: usize,
    label: &dyn Fn(&[f64]) -> Vec<String>,
) {
    let ticks = scale.ticks_at_most(most);
    for (tick, label) in ticks.iter().zip(label(&ticks)) {
        let y = scale.at(*tick);
        let class = if *tick == 0.0 { "zero" } else { "grid" };
        svg.line(class, (frame.left, y), (frame.right, y));
        svg.text("axis", (frame.left - 6.0, y + 4.0), Anchor::End, &label);
    }
    let at = (frame.left - left_room(scale, most, label), frame.top - 10.0);
    svg.text("axis", (at.0.max(2.0), at.1), Anchor::Start, title);
}

/// Room that the labels of a vertical axis need.
pub(crate) fn left_room(scale: &Linear, most: usize, label: &dyn Fn(&[f64]) -> Vec<String>) -> f64 {
    let labels = label(&scale.ticks_at_most(most));
    6.0 + text::column(labels.iter().map(String::as_str), SMALL, 16.0, 90.0)
}

/// An axis of time below a frame.
pub(crate) fn time_below(svg: &mut Svg, frame: &Frame, time: &Time, most: usize) {
    svg.line(
        "zero",
        (frame.left, frame.bottom),
        (frame.right, frame.bottom),
    );
    for (day, label) in time.ticks(most) {
        let x = time.at(day).clamp(frame.left, frame.right);
        svg.line("zero", (x, frame.bottom), (x, frame.bottom + 4.0));
        let half = text::width(&label, SMALL) / 2.0;
        let x = x.clamp(half.min(frame.left), (svg.width() - half - 2.0).max(half));
        svg.text("axis", (x, frame.bottom + 17.0), Anchor::Middle, &label);
    }
}

/// What a sign in a key looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Marker,
    Hollow,
    Square,
    Faint,
    Thin,
    Thick,
    Prior,
    Line,
    Dashed,
    Reference,
    Shade,
    Band,
    Tick,
    Triangle,
}

/// One entry of a key: sign, class of its colour, words.
pub(crate) type Entry<'a> = (Sign, &'a str, &'a str);

/// A row of signs and their words, wrapped within a frame from `y` on; gives the height used.
pub(crate) fn key(svg: &mut Svg, left: f64, right: f64, y: f64, entries: &[Entry<'_>]) -> f64 {
    let (mut x, mut row) = (left, 0.0);
    for (sign, class, words) in entries {
        let room = 24.0 + text::width(words, SMALL) + 16.0;
        if x > left && x + room - 16.0 > right {
            (x, row) = (left, row + 18.0);
        }
        svg.group(class);
        draw_sign(svg, *sign, x, y + row);
        svg.close();
        svg.text("note", (x + 24.0, y + row + 4.0), Anchor::Start, words);
        x += room;
    }
    row + 18.0
}

fn draw_sign(svg: &mut Svg, sign: Sign, x: f64, y: f64) {
    let mid = (x + 9.0, y);
    let bar = |svg: &mut Svg, class: &str, half: f64| {
        svg.rect(class, (x, x + 18.0), (y - half, y + half));
    };
    let stroke = |svg: &mut Svg, class: &str| svg.line(class, (x, y), (x + 18.0, y));
    match sign {
        Sign::Marker => svg.circle("marker", mid, 5.5),
        Sign::Hollow => svg.circle("hollow", mid, 4.5),
        Sign::Square => bar(svg, "bar", 5.0),
        Sign::Faint => bar(svg, "faint", 5.0),
        Sign::Shade => bar(svg, "shade", 6.0),
        Sign::Band => bar(svg, "band50", 5.0),
        Sign::Thin => stroke(svg, "thin"),
        Sign::Thick => stroke(svg, "thick"),
        Sign::Prior => stroke(svg, "prior"),
        Sign::Line => stroke(svg, "median"),
        Sign::Dashed => stroke(svg, "dashed"),
        Sign::Reference => stroke(svg, "ref"),
        Sign::Tick => svg.line("whisker", (x + 9.0, y - 6.0), (x + 9.0, y + 6.0)),
        Sign::Triangle => svg.arrow("solid", (x + 14.0, y), 1.0, 9.0),
    }
}

/// A name left of a row, cut to its room.
pub(crate) fn name(svg: &mut Svg, right: f64, y: f64, name: &str) {
    svg.text_within("label", (right, y + 4.0), Anchor::End, name, right - 2.0);
}

/// Room for names left of rows.
pub(crate) fn name_room<'a>(names: impl IntoIterator<Item = &'a str>) -> f64 {
    text::column(names, LABEL, 60.0, 190.0) + 10.0
}

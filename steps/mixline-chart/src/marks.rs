//! Marks that several charts draw: intervals in a row, bands along a line, labels of points.

use crate::measure::Interval;
use crate::scale::Linear;
use crate::svg::{Anchor, LABEL, Svg};
use crate::text;

/// A row of a forest: thin 90 %, thick 50 %, a dot at the median. What lies beyond the scale
/// ends in an arrow.
pub(crate) fn forest(svg: &mut Svg, scale: &Linear, y: f64, draws: &Interval) {
    segment(svg, "thin", scale, y, draws.q05, draws.q95);
    segment(svg, "thick", scale, y, draws.q25, draws.q75);
    beyond(svg, scale, y, draws.q05, draws.q95);
    if draws.q50.is_finite() {
        svg.circle("marker", (scale.within(draws.q50), y), 5.5);
    }
}

/// A stretch of a row, cut to the scale.
pub(crate) fn segment(svg: &mut Svg, class: &str, scale: &Linear, y: f64, low: f64, high: f64) {
    if low.is_nan() || high.is_nan() {
        return;
    }
    let (a, b) = (scale.within(low), scale.within(high));
    if (b - a).abs() > 1e-9 {
        svg.line(class, (a, y), (b, y));
    }
}

/// Arrows where a stretch goes on beyond the scale.
fn beyond(svg: &mut Svg, scale: &Linear, y: f64, low: f64, high: f64) {
    let (first, last) = scale.domain();
    if high > last {
        svg.arrow("solid", (scale.at(last) + 7.0, y), 1.0, 8.0);
    }
    if low < first {
        svg.arrow("solid", (scale.at(first) - 7.0, y), -1.0, 8.0);
    }
}

/// Bands of 90 % and 50 % around a line: `(x, draws)` with x in pixels.
pub(crate) fn bands(svg: &mut Svg, scale: &Linear, points: &[(f64, Interval)]) {
    let area = |low: fn(&Interval) -> f64, high: fn(&Interval) -> f64| -> Vec<_> {
        points
            .iter()
            .map(|(x, d)| (*x, scale.within(low(d)), scale.within(high(d))))
            .collect()
    };
    svg.area("band90", &area(|d| d.q05, |d| d.q95));
    svg.area("band50", &area(|d| d.q25, |d| d.q75));
}

/// A point with a name to be written near it.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) at: (f64, f64),
    pub(crate) radius: f64,
    pub(crate) name: String,
}

/// A box that is taken.
type Taken = (f64, f64, f64, f64);

fn overlap(a: Taken, b: Taken) -> f64 {
    let w = a.2.min(b.2) - a.0.max(b.0);
    let h = a.3.min(b.3) - a.1.max(b.1);
    w.max(0.0) * h.max(0.0)
}

/// Writes each name where it touches nothing: right, left, above or below its point, or, if all
/// are taken, farther away with a line. A name without a place is left to the tooltip.
pub(crate) fn names(svg: &mut Svg, points: &[Named], bounds: Taken) {
    let mut taken: Vec<Taken> = points.iter().map(box_of).collect();
    for point in points.iter().filter(|p| !p.name.is_empty()) {
        let (name, _) = text::fit(&point.name, LABEL, 130.0);
        let width = text::width(&name, LABEL);
        let found = places(point, width).into_iter().find_map(|(x, y, far)| {
            let place = (x, y - 10.0, x + width, y + 3.0);
            let inside = place.0 >= bounds.0
                && place.1 >= bounds.1
                && place.2 <= bounds.2
                && place.3 <= bounds.3;
            let free = taken.iter().all(|t| overlap(*t, place) <= 0.0);
            (inside && free).then_some((place, x, y, far))
        });
        if let Some((place, x, y, far)) = found {
            taken.push(place);
            if far {
                let end = (
                    point.at.0.clamp(place.0, place.2),
                    point.at.1.clamp(place.1, place.3),
                );
                svg.line("hair quiet", point.at, end);
            }
            svg.text("small halo", (x, y), Anchor::Start, &name);
        }
    }
}

fn box_of(p: &Named) -> Taken {
    let r = p.radius + 1.0;
    (p.at.0 - r, p.at.1 - r, p.at.0 + r, p.at.1 + r)
}

/// Places to try for a name, best first: `(x, baseline, far away)`.
fn places(p: &Named, width: f64) -> Vec<(f64, f64, bool)> {
    let (x, y) = p.at;
    let mut all = Vec::new();
    for (extra, far) in [(4.0, false), (16.0, true), (30.0, true), (46.0, true)] {
        let r = p.radius + extra;
        let d = r * 0.75;
        all.extend([
            (x + r, y + 4.0, far),
            (x - r - width, y + 4.0, far),
            (x - width / 2.0, y - r, far),
            (x - width / 2.0, y + r + 9.0, far),
            (x + d, y - d, far),
            (x - d - width, y - d, far),
            (x + d, y + d + 9.0, far),
            (x - d - width, y + d + 9.0, far),
        ]);
    }
    all
}

/// Value of a piecewise linear line at an x; beyond its ends, that of the end.
pub(crate) fn along(points: &[(f64, f64)], x: f64) -> f64 {
    let Some(after) = points.iter().position(|p| p.0 >= x) else {
        return points.last().map_or(f64::NAN, |p| p.1);
    };
    let (x1, y1) = points[after];
    let Some((x0, y0)) = after.checked_sub(1).map(|i| points[i]) else {
        return y1;
    };
    let share = if x1 > x0 { (x - x0) / (x1 - x0) } else { 1.0 };
    y0 + share * (y1 - y0)
}

/// The part of a piecewise linear line between two xs, with points at both.
pub(crate) fn between(points: &[(f64, f64)], low: f64, high: f64) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    let (low, high) = (low.max(first.0), high.min(last.0));
    if low.is_nan() || high.is_nan() || low >= high {
        return Vec::new();
    }
    let mut part = vec![(low, along(points, low))];
    part.extend(points.iter().filter(|p| p.0 > low && p.0 < high));
    part.push((high, along(points, high)));
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_can_be_cut() {
        let line = [(0.0, 0.0), (10.0, 20.0), (20.0, 20.0)];
        assert_eq!(along(&line, 5.0), 10.0);
        assert_eq!(
            between(&line, 5.0, 15.0),
            [(5.0, 10.0), (10.0, 20.0), (15.0, 20.0)]
        );
        assert!(between(&line, 30.0, 40.0).is_empty());
        assert!(along(&[], 1.0).is_nan());
    }

    #[test]
    fn names_do_not_touch() {
        let points: Vec<Named> = (0..12)
            .map(|i| Named {
                at: (100.0 + f64::from(i), 100.0),
                radius: 5.0,
                name: format!("Channel {i}"),
            })
            .collect();
        let mut svg = Svg::new("k", 400.0, 400.0);
        names(&mut svg, &points, (0.0, 0.0, 400.0, 400.0));
        let out = svg.finish("t", "d");
        assert!(out.matches("<text").count() >= 6);
    }
}

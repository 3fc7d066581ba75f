//! A small writer of SVG elements: everything escaped, every coordinate with two decimals.
//!
//! The same data gives the same bytes, on every machine and in every run. There are no style
//! attributes, no scripts and no references to anything outside, so that a page with a strict
//! content security policy shows the charts; looks come from the classes in
//! [`crate::style::CSS`].

use std::fmt::Write;

use crate::text;

/// Font size of names and values in pixels, as in the stylesheet.
pub const LABEL: f64 = 12.0;
/// Font size of axis labels, notes and keys in pixels, as in the stylesheet.
pub const SMALL: f64 = 11.0;

/// Where a text hangs on its x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// A drawing under way.
#[derive(Debug, Clone)]
pub struct Svg {
    key: String,
    width: f64,
    height: f64,
    body: String,
    open: usize,
}

impl Svg {
    /// An empty drawing; `key` begins every id in it.
    #[must_use]
    pub fn new(key: &str, width: f64, height: f64) -> Self {
        Self {
            key: key.to_owned(),
            width,
            height,
            body: String::new(),
            open: 0,
        }
    }

    /// Natural width in pixels.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Natural height in pixels.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.height
    }

    /// Sets the natural height, when it follows from what was drawn.
    pub fn set_height(&mut self, height: f64) {
        self.height = height;
    }

    /// The drawing as one element with its title and its description for those who do not see it.
    #[must_use]
    pub fn finish(mut self, title: &str, description: &str) -> String {
        while self.open > 0 {
            self.close();
        }
        let (w, h) = (number(self.width), number(self.height));
        let (key, body) = (&self.key, &self.body);
        let (title, description) = (escape(title), escape(description));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" \
             aria-labelledby=\"{key}-title {key}-desc\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {w} {h}\" preserveAspectRatio=\"xMinYMin meet\">\
             <title id=\"{key}-title\">{title}</title><desc id=\"{key}-desc\">{description}</desc>\n\
             {body}</svg>"
        )
    }

    /// Opens a group; [`Svg::close`] ends it.
    pub fn group(&mut self, class: &str) {
        self.open += 1;
        let _ = writeln!(self.body, "<g class=\"{}\">", escape(class));
    }

    /// Opens a group that shows a text when pointed at.
    pub fn group_titled(&mut self, class: &str, title: &str) {
        self.open += 1;
        let (class, title) = (escape(class), escape(title));
        let _ = writeln!(self.body, "<g class=\"{class}\"><title>{title}</title>");
    }

    /// Ends the innermost group.
    pub fn close(&mut self) {
        if self.open > 0 {
            self.open -= 1;
            self.body.push_str("</g>\n");
        }
    }

    /// A rectangle between two corners, in any order.
    pub fn rect(&mut self, class: &str, x: (f64, f64), y: (f64, f64)) {
        let attributes = [
            ("x", x.0.min(x.1)),
            ("y", y.0.min(y.1)),
            ("width", (x.1 - x.0).abs()),
            ("height", (y.1 - y.0).abs()),
        ];
        self.shape("rect", class, &attributes);
    }

    /// A line from a point to a point.
    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let attributes = [("x1", from.0), ("y1", from.1), ("x2", to.0), ("y2", to.1)];
        self.shape("line", class, &attributes);
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, centre: (f64, f64), radius: f64) {
        let attributes = [("cx", centre.0), ("cy", centre.1), ("r", radius.max(0.0))];
        self.shape("circle", class, &attributes);
    }

    fn shape(&mut self, name: &str, class: &str, attributes: &[(&str, f64)]) {
        let _ = write!(self.body, "<{name} class=\"{}\"", escape(class));
        for (attribute, value) in attributes {
            let _ = write!(self.body, " {attribute}=\"{}\"", number(*value));
        }
        self.body.push_str("/>\n");
    }

    /// A line through points; points that are not finite break it.
    pub fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        let mut pen_down = false;
        for (x, y) in points {
            if x.is_finite() && y.is_finite() {
                let command = if pen_down { 'L' } else { 'M' };
                let _ = write!(path, "{command}{} {}", number(*x), number(*y));
                pen_down = true;
            } else {
                pen_down = false;
            }
        }
        self.path(class, &path);
    }

    /// The area between two lines over the same xs: `(x, low, high)`.
    pub fn area(&mut self, class: &str, points: &[(f64, f64, f64)]) {
        let finite = |p: &(f64, f64, f64)| p.0.is_finite() && p.1.is_finite() && p.2.is_finite();
        for run in points.split(|p| !finite(p)).filter(|r| r.len() > 1) {
            let mut path = String::new();
            for (i, (x, _, high)) in run.iter().enumerate() {
                let command = if i == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{command}{} {}", number(*x), number(*high));
            }
            for (x, low, _) in run.iter().rev() {
                let _ = write!(path, "L{} {}", number(*x), number(*low));
            }
            path.push('Z');
            self.path(class, &path);
        }
    }

    /// A closed shape through points.
    pub fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", number(*x), number(*y));
        }
        path.push('Z');
        self.path(class, &path);
    }

    fn path(&mut self, class: &str, path: &str) {
        if !path.is_empty() {
            let _ = writeln!(
                self.body,
                "<path class=\"{}\" d=\"{path}\"/>",
                escape(class)
            );
        }
    }

    /// A diamond around a point.
    pub fn diamond(&mut self, class: &str, (x, y): (f64, f64), r: f64) {
        self.polygon(class, &[(x, y - r), (x + r, y), (x, y + r), (x - r, y)]);
    }

    /// A triangle that points right (`1`) or left (`-1`).
    pub fn arrow(&mut self, class: &str, (x, y): (f64, f64), direction: f64, size: f64) {
        let back = x - direction.signum() * size;
        self.polygon(
            class,
            &[(x, y), (back, y - size * 0.6), (back, y + size * 0.6)],
        );
    }

    /// A text on its baseline.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, content: &str) {
        self.text_titled(class, (x, y), anchor, content, None);
    }

    /// A text that is cut to some room; what was cut shows when pointed at.
    pub fn text_within(
        &mut self,
        class: &str,
        at: (f64, f64),
        anchor: Anchor,
        content: &str,
        room: f64,
    ) {
        let (short, cut) = text::fit(content, LABEL, room);
        self.text_titled(class, at, anchor, &short, cut.then_some(content));
    }

    fn text_titled(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        anchor: Anchor,
        content: &str,
        title: Option<&str>,
    ) {
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (class, content) = (escape(class), escape(content));
        let (x, y) = (number(x), number(y));
        let _ = write!(
            self.body,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\"{anchor}>"
        );
        if let Some(title) = title {
            let _ = write!(self.body, "<title>{}</title>", escape(title));
        }
        let _ = writeln!(self.body, "{content}</text>");
    }
}

/// A coordinate: two decimals at most, no negative zero, nothing that is not a number.
#[must_use]
pub fn number(value: f64) -> String {
    let value = if value.is_nan() { 0.0 } else { value };
    let text = format!("{:.2}", value.clamp(-1e6, 1e6));
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// A text that means itself in XML and HTML, in content and in attributes; characters that XML
/// forbids become `\u{fffd}`.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_finite() {
        for (value, want) in [
            (1.0, "1"),
            (1.005, "1"),
            (-0.001, "0"),
            (1.256, "1.26"),
            (f64::NAN, "0"),
            (f64::INFINITY, "1000000"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), want);
        }
    }

    #[test]
    fn names_cannot_break_out() {
        let mut svg = Svg::new("k", 10.0, 10.0);
        svg.text("label", (0.0, 0.0), Anchor::Start, "<b> & \"x\" 'y'\u{1}");
        let out = svg.finish("<t>", "&");
        assert!(out.contains("&lt;b&gt; &amp; &quot;x&quot; &#39;y&#39;\u{fffd}"));
        assert!(!out.contains("<b>") && !out.contains("<t>"));
    }

    #[test]
    fn groups_are_closed_and_ids_begin_with_the_key() {
        let mut svg = Svg::new("c01", 10.0, 10.0);
        svg.group("a");
        svg.group_titled("b", "t");
        let out = svg.finish("t", "d");
        assert_eq!(out.matches("<g").count(), out.matches("</g>").count());
        assert!(out.contains("aria-labelledby=\"c01-title c01-desc\""));
    }

    #[test]
    fn a_gap_in_the_data_is_a_gap_in_the_line() {
        let mut svg = Svg::new("k", 10.0, 10.0);
        svg.polyline("x", &[(0.0, 0.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]);
        assert!(svg.finish("", "").contains("d=\"M0 0M2 2L3 3\""));
    }
}

//! The one stylesheet of all drawings.
//!
//! A page includes [`CSS`] once. Everything in it is below `svg.chart`, so it changes nothing
//! else on the page. Colours are custom properties: light by default, dark when the reader
//! prefers dark or the root element says `data-theme="dark"`, always light on paper.

/// Stylesheet of all figures.
pub const CSS: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::CSS;
    use crate::palette::{CHANNELS, DARK, LIGHT, contrast};

    #[test]
    fn the_stylesheet_has_the_colours_of_the_palette() {
        for (i, colour) in CHANNELS.iter().enumerate() {
            assert_eq!(
                CSS.matches(&format!("--c{i}:{};", colour.light)).count(),
                2,
                "{i}"
            );
            assert_eq!(
                CSS.matches(&format!("--c{i}:{};", colour.dark)).count(),
                2,
                "{i}"
            );
            assert!(CSS.contains(&format!("svg.chart .c{i}{{--ch:var(--c{i})}}")));
        }
        assert!(CSS.contains(&format!("--bg:{LIGHT};")));
        assert!(CSS.contains(&format!("--bg:{DARK};")));
    }

    #[test]
    fn ink_is_readable_in_both_themes() {
        for (name, least) in [("ink", 7.0), ("muted", 4.5), ("base", 3.0), ("neg", 3.0)] {
            let marker = format!("--{name}:");
            let values: Vec<&str> = CSS
                .match_indices(&marker)
                .map(|(at, _)| &CSS[at + marker.len()..at + marker.len() + 7])
                .collect();
            assert_eq!(values.len(), 4, "{name}");
            assert!(contrast(values[0], LIGHT) >= least, "{name} light");
            assert!(contrast(values[1], DARK) >= least, "{name} dark");
        }
    }

    #[test]
    fn nothing_is_fetched() {
        for word in ["url(", "@import", "http", "expression"] {
            assert!(!CSS.contains(word), "{word}");
        }
    }
}

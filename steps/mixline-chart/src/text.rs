//! How wide a text is without asking a browser, and what to do when it is too wide.
//!
//! Widths are those of Helvetica and Arial with some room for wider system fonts: an estimate
//! that is a little too wide leaves a gap, one that is too narrow clips a name.

/// Advance widths of the printable ASCII characters in thousandths of the font size.
const ASCII: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];
/// Room for fonts wider than Helvetica.
const ROOM: f64 = 1.14;

/// Estimated width of a text in pixels at a font size in pixels.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size * ROOM / 1000.0
}

fn advance(c: char) -> f64 {
    match c {
        ' '..='~' => f64::from(ASCII[c as usize - ' ' as usize]),
        '\u{a0}' | '\u{202f}' => 278.0,
        '…' | '\u{1100}'..='\u{11ff}' | '\u{2e80}'.. => 1000.0,
        _ => 600.0,
    }
}

/// The text if it fits, or its beginning with `…`; the flag says that something was cut.
#[must_use]
pub fn fit(text: &str, size: f64, room: f64) -> (String, bool) {
    if width(text, size) <= room {
        return (text.to_owned(), false);
    }
    let mut used = width("…", size);
    let mut short = String::new();
    for c in text.chars() {
        used += advance(c) * size * ROOM / 1000.0;
        if used > room {
            break;
        }
        short.push(c);
    }
    (format!("{}…", short.trim_end()), true)
}

/// Room for a column of names: the widest of them, within limits.
#[must_use]
pub fn column<'a>(
    names: impl IntoIterator<Item = &'a str>,
    size: f64,
    least: f64,
    most: f64,
) -> f64 {
    names
        .into_iter()
        .map(|n| width(n, size))
        .fold(least, f64::max)
        .min(most.max(least))
}

/// A text in lines no wider than `room`, at most `most` lines; the last one ends in `…` if text
/// is left over.
#[must_use]
pub fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, size) + width(word, size) + size * 0.3 <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines.into_iter().map(|l| fit(&l, size, room).0).collect()
}

/// Moves positions apart until neighbours are at least `gap` away, in their order, within
/// `[low, high]` as long as there is room; each stays as near to its wish as that allows.
#[must_use]
pub fn spread(wishes: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by(|a, b| wishes[*a].total_cmp(&wishes[*b]));
    let mut placed = vec![0.0; wishes.len()];
    let mut next = low;
    for i in &order {
        let wish = if wishes[*i].is_finite() {
            wishes[*i]
        } else {
            low
        };
        placed[*i] = wish.max(next);
        next = placed[*i] + gap;
    }
    let mut limit = high;
    for i in order.iter().rev() {
        placed[*i] = placed[*i].min(limit);
        limit = placed[*i] - gap;
    }
    placed
}

/// A name as an element id: lower-case letters, digits and single hyphens.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The text with its first letter in upper case.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_names_are_cut() {
        assert_eq!(fit("Meta", 12.0, 200.0), ("Meta".to_owned(), false));
        let (short, cut) = fit("A very long name of a channel", 12.0, 60.0);
        assert!(cut && short.ends_with('…') && width(&short, 12.0) <= 60.0);
    }

    #[test]
    fn slugs_are_safe() {
        assert_eq!(slug("C01: Meta & <Co>"), "c01-meta-co");
        assert_eq!(slug("***"), "");
    }

    #[test]
    fn lines_are_wrapped() {
        let lines = wrap("one two three four five six seven", 12.0, 60.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
    }

    proptest! {
        #[test]
        fn spread_keeps_the_gap(wishes in prop::collection::vec(0.0..100.0f64, 0..8)) {
            let mut placed = spread(&wishes, 10.0, 0.0, 100.0);
            placed.sort_by(f64::total_cmp);
            for w in placed.windows(2) {
                prop_assert!(w[1] - w[0] >= 10.0 - 1e-9);
            }
            for p in &placed {
                prop_assert!((-1e-9..=100.0 + 1e-9).contains(p));
            }
        }

        #[test]
        fn fit_fits(text in ".{0,60}", room in 20.0..300.0f64) {
            prop_assert!(width(&fit(&text, 12.0, room).0, 12.0) <= room + 1e-9);
        }
    }
}

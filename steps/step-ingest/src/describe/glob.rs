//! File name patterns: `*` stands for any characters but `/`, `?` for one.

/// Whether a name fits a pattern.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    fits(&pattern, &name)
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            let reach = name.iter().position(|c| *c == '/').unwrap_or(name.len());
            (0..=reach).any(|skip| fits(rest, &name[skip..]))
        }
        (Some(('?', rest)), Some((c, name))) => *c != '/' && fits(rest, name),
        (Some((p, rest)), Some((c, name))) => p == c && fits(rest, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stay_within_a_folder() {
        assert!(matches("meta*.csv", "meta_2026.csv"));
        assert!(matches("meta/*.csv", "meta/a.csv"));
        assert!(matches("m?ta.csv", "meta.csv"));
        assert!(matches("*", "a"));
        assert!(!matches("*.csv", "meta/a.csv"));
        assert!(!matches("meta*.csv", "google.csv"));
    }
}

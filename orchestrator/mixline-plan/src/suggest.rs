//! "Did you mean": the nearest of the names that exist.

/// A hint that names the nearest of `known`, or lists them when none is near.
pub(crate) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().min_by_key(|k| distance(name, k)).copied();
    match near {
        Some(near) if distance(name, near) <= 1 + name.len() / 4 => {
            Some(format!("did you mean `{near}`?"))
        }
        Some(_) if known.len() <= 20 => Some(format!("known: {}", known.join(", "))),
        _ => None,
    }
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

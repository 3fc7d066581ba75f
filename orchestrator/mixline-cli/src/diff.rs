//! What differs between two versions: rows added, removed and changed, by key.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// A row of a table as JSON.
pub(crate) type Row = serde_json::Map<String, Value>;

/// The difference between two versions.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Difference {
    /// Rows whose key is only in the second.
    pub(crate) added: Vec<Row>,
    /// Rows whose key is only in the first.
    pub(crate) removed: Vec<Row>,
    /// Rows in both with other values.
    pub(crate) changed: Vec<Change>,
    /// Rows that are equal.
    pub(crate) unchanged: usize,
}

/// One row in both versions with other values.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Change {
    /// The row's key.
    pub(crate) key: Row,
    /// Column → old and new value.
    pub(crate) columns: BTreeMap<String, [Value; 2]>,
}

/// Compares two tables. Without a key, rows are compared whole and counted.
pub(crate) fn difference(old: Vec<Row>, new: Vec<Row>, key: &[&str]) -> Difference {
    let mut result = Difference::default();
    let mut rest = by_key(old, key);
    for row in new {
        let found = rest.get_mut(&key_text(&row, key)).and_then(Vec::pop);
        match found {
            None => result.added.push(row),
            Some(before) if before == row => result.unchanged += 1,
            Some(before) => result.changed.push(change(&before, &row, key)),
        }
    }
    result.removed = rest.into_values().flatten().collect();
    result
}

fn by_key(rows: Vec<Row>, key: &[&str]) -> BTreeMap<String, Vec<Row>> {
    let mut map: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows {
        map.entry(key_text(&row, key)).or_default().push(row);
    }
    map
}

/// JSON text of the key cells: `1` and `"1"` stay different.
fn key_text(row: &Row, key: &[&str]) -> String {
    let cells: Vec<&Value> = if key.is_empty() {
        row.values().collect()
    } else {
        key.iter()
            .map(|column| row.get(*column).unwrap_or(&Value::Null))
            .collect()
    };
    serde_json::to_string(&cells).unwrap_or_default()
}

fn change(old: &Row, new: &Row, key: &[&str]) -> Change {
    let cell = |row: &Row, column: &str| row.get(column).cloned().unwrap_or(Value::Null);
    let names = old.keys().chain(new.keys());
    let columns = names
        .filter(|name| cell(old, name) != cell(new, name))
        .map(|name| (name.clone(), [cell(old, name), cell(new, name)]))
        .collect();
    let key = key
        .iter()
        .map(|column| ((*column).to_owned(), cell(new, column)))
        .collect();
    Change { key, columns }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(value: Value) -> Vec<Row> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn rows_are_matched_by_key_and_changed_cells_named() {
        let old = rows(json!([{"k": 1, "v": "a"}, {"k": 2, "v": "b"}, {"k": 3, "v": "c"}]));
        let new = rows(json!([{"k": 1, "v": "a"}, {"k": 2, "v": "B"}, {"k": 4, "v": "d"}]));
        let difference = difference(old, new, &["k"]);
        assert_eq!(difference.unchanged, 1);
        assert_eq!(difference.added, rows(json!([{"k": 4, "v": "d"}])));
        assert_eq!(difference.removed, rows(json!([{"k": 3, "v": "c"}])));
        let expected = json!([{"key": {"k": 2}, "columns": {"v": ["b", "B"]}}]);
        assert_eq!(serde_json::to_value(&difference.changed).unwrap(), expected);
    }

    #[test]
    fn without_a_key_equal_rows_are_counted_one_by_one() {
        let old = rows(json!([{"v": 1}, {"v": 1}, {"v": 2}]));
        let new = rows(json!([{"v": 1}, {"v": 3}]));
        let difference = difference(old, new, &[]);
        let counts = (
            difference.added.len(),
            difference.removed.len(),
            difference.unchanged,
        );
        assert_eq!(counts, (1, 2, 1));
        assert!(difference.changed.is_empty());
    }
}

//! Reference data beside the checkout.

use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::Value;

/// A file of the shared data; `None`, and a line that says so, on a machine that has none. CI has
/// them.
///
/// # Panics
/// When it is missing and `CI` is set.
#[must_use]
pub fn file(path: &str) -> Option<PathBuf> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    if file.exists() {
        return Some(file);
    }
    let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
    assert!(
        !ci,
        "{} is missing, and CI must compare with it",
        file.display()
    );
    eprintln!("skipped: {} is missing", file.display());
    None
}

/// Golden numbers of a peer tool.
///
/// # Panics
/// When the file is not JSON.
#[must_use]
pub fn golden(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(file(&format!("golden/{name}"))?).unwrap();
    // Where PyMC's own gradient fails, its numbers are NaN, which JSON does not have.
    Some(serde_json::from_str(&text.replace("NaN", "null")).unwrap())
}

/// A list of numbers, nested lists flattened row by row; null is NaN.
///
/// # Panics
/// When it holds anything else.
#[must_use]
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        other => vec![other.as_f64().unwrap()],
    }
}

/// A CSV file as columns by heading.
#[derive(Debug)]
pub struct Csv {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    /// Reads a file of the shared data.
    ///
    /// # Panics
    /// When the file is no CSV.
    #[must_use]
    pub fn read(path: &str) -> Option<Self> {
        let mut reader = csv::Reader::from_path(file(path)?).unwrap();
        let headings = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let row =
            |row: Result<csv::StringRecord, _>| row.unwrap().iter().map(str::to_owned).collect();
        Some(Self {
            headings,
            rows: reader.records().map(row).collect(),
        })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The cells of a column.
    ///
    /// # Panics
    /// When there is no such column.
    #[must_use]
    pub fn text(&self, heading: &str) -> Vec<String> {
        let at = self.headings.iter().position(|own| own == heading).unwrap();
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    /// A column of numbers.
    ///
    /// # Panics
    /// When a cell is no number.
    #[must_use]
    pub fn numbers(&self, heading: &str) -> Vec<f64> {
        self.text(heading)
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect()
    }

    /// A column of dates.
    ///
    /// # Panics
    /// When a cell is no date.
    #[must_use]
    pub fn dates(&self, heading: &str) -> Vec<NaiveDate> {
        self.text(heading)
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect()
    }
}

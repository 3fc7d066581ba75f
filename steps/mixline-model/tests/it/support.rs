//! Reference data beside the checkout.

use std::path::PathBuf;

use serde_json::Value;

/// A file of the shared data; `None`, and a line that says so, on a machine that has none. CI has
/// them.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
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
pub(crate) fn golden(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(&format!("golden/{name}"))?).unwrap();
    // Where PyMC's own gradient fails, its numbers are NaN, which JSON does not have.
    Some(serde_json::from_str(&text.replace("NaN", "null")).unwrap())
}

/// A list of numbers, nested lists flattened row by row.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        other => vec![other.as_f64().unwrap()],
    }
}

/// A CSV file as columns by heading.
pub(crate) struct Csv {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    pub(crate) fn read(path: &str) -> Option<Self> {
        let mut reader = csv::Reader::from_path(shared(path)?).unwrap();
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

    pub(crate) fn text(&self, heading: &str) -> Vec<String> {
        let at = self.headings.iter().position(|own| own == heading).unwrap();
        self.rows.iter().map(|row| row[at].clone()).collect()
    }

    pub(crate) fn numbers(&self, heading: &str) -> Vec<f64> {
        self.text(heading)
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect()
    }

    pub(crate) fn dates(&self, heading: &str) -> Vec<chrono::NaiveDate> {
        self.text(heading)
            .iter()
            .map(|cell| cell.parse().unwrap())
            .collect()
    }
}

use mixline_model::panel::{Channel, Control, Panel};
use mixline_model::spec::{Argument, ModelSpec, Prior};
use mixline_numerics::distribution::Family;

/// The national example of PyMC-Marketing.
pub(crate) fn national_panel() -> Option<Panel> {
    let csv = Csv::read("mmm/pymc-marketing/mmm_example.csv")?;
    let dates = csv.dates("date_week");
    let channel = |name: &str| Channel {
        name: name.to_owned(),
        media: csv.numbers(name),
        spend: Some(csv.numbers(name)),
    };
    let control = |name: &str| Control {
        name: name.to_owned(),
        values: csv.numbers(name),
    };
    Some(Panel {
        geos: vec!["national".into()],
        holdout: vec![false; dates.len()],
        dates,
        outcome: csv.numbers("y"),
        channels: vec![channel("x1"), channel("x2")],
        controls: vec![control("event_1"), control("event_2"), control("t")],
        population: None,
    })
}

pub(crate) fn prior(family: Family, parameters: &[(&str, f64)]) -> Prior {
    Prior::new(family, parameters)
}

/// Its specification: geometric adstock, logistic saturation.
pub(crate) fn national_spec() -> ModelSpec {
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    let mut set = |name: &str, prior: Prior| spec.priors.insert(name.to_owned(), prior);
    set(
        "intercept_contribution",
        prior(Family::Normal, &[("mu", 0.5), ("sigma", 0.2)]),
    );
    set(
        "gamma_control",
        prior(Family::Normal, &[("mu", 0.0), ("sigma", 0.05)]),
    );
    set(
        "gamma_fourier",
        prior(Family::Laplace, &[("mu", 0.0), ("b", 0.2)]),
    );
    set("y_sigma", prior(Family::HalfNormal, &[("sigma", 6.0)]));
    let shares = vec![1.312_639_03, 0.687_360_97];
    let beta = prior(Family::HalfNormal, &[]).with("sigma", Argument::List(shares));
    set("saturation_beta", beta);
    spec
}

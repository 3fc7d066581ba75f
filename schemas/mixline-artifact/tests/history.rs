//! Tables of every schema version that was ever declared are still read.

use std::path::PathBuf;

use mixline_artifact::{Checked, DataFrame};
use mixline_schema::{ArtifactSpec, catalog};
use polars::prelude::{
    Column, DataType, IntoColumn as _, NamedFrom as _, Series, TimeUnit, TimeZone,
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../history"))
}

/// A declaration with sample rows, as it was kept when it was new.
fn kept() -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(folder()).expect("schemas/history");
    let files = entries.map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("it reads");
        let name = path
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        (name, serde_json::from_str(&text).expect("JSON"))
    };
    files.map(read).collect()
}

#[test]
fn rows_of_every_version_that_is_still_current_keep_the_contract_of_today() {
    let kept = kept();
    let mut read = 0;
    for (name, declaration) in &kept {
        let artifact = declaration["name"].as_str().expect("a name");
        let version = declaration["schema_version"].as_u64().expect("a version");
        let Some(spec) = catalog::find(artifact) else {
            continue;
        };
        if u64::from(spec.schema_version) == version {
            let rows = sample(declaration);
            Checked::new(spec, rows).unwrap_or_else(|violations| panic!("{name}: {violations}"));
            read += 1;
        }
    }
    assert!(read > 0 && read <= kept.len());
}

#[test]
fn every_declaration_has_its_sample() {
    let names: Vec<String> = kept().into_iter().map(|(name, _)| name).collect();
    let of = |spec: &ArtifactSpec| format!("{}.v{}", spec.name, spec.schema_version);
    for spec in catalog::all() {
        assert!(
            names.contains(&of(spec)),
            "{}: run `cargo dev generate`",
            of(spec)
        );
    }
}

/// The sample rows as a frame, with the columns of their own time.
fn sample(declaration: &Value) -> DataFrame {
    let rows = declaration["sample"].as_array().expect("sample rows");
    let columns = declaration["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| {
            let name = column["name"].as_str().expect("a name");
            let cells: Vec<&Value> = rows.iter().map(|row| &row[name]).collect();
            typed(name, column["ty"].as_str().expect("a type"), &cells)
        });
    DataFrame::new(rows.len(), columns.collect()).expect("columns of one length")
}

fn typed(name: &str, ty: &str, cells: &[&Value]) -> Column {
    let name = name.into();
    let ints = || cells.iter().map(|cell| cell.as_i64()).collect::<Vec<_>>();
    let texts = || cells.iter().map(|cell| cell.as_str()).collect::<Vec<_>>();
    match ty {
        "int" => Series::new(name, ints()).into_column(),
        "float" => {
            let cells: Vec<Option<f64>> = cells.iter().map(|cell| cell.as_f64()).collect();
            Series::new(name, cells).into_column()
        }
        "bool" => {
            let cells: Vec<Option<bool>> = cells.iter().map(|cell| cell.as_bool()).collect();
            Series::new(name, cells).into_column()
        }
        "date" => Series::new(name, ints())
            .into_column()
            .cast(&DataType::Date)
            .expect("days"),
        "timestamp" => {
            let micros = Series::new(name, ints());
            let instants = micros.i64().expect("numbers").clone();
            instants
                .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
                .into_column()
        }
        "binary" => {
            let bytes: Vec<Option<&[u8]>> = cells
                .iter()
                .map(|cell| cell.as_str().map(str::as_bytes))
                .collect();
            Series::new(name, bytes).into_column()
        }
        _ => Series::new(name, texts()).into_column(),
    }
}

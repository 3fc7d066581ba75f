//! Which columns a column is made from: what the step declares, and what follows from the tables'
//! own declarations.
//!
//! Two things are known of a column. A step may say what it is made from. If it does not, and an
//! input has a column of the same name, type, unit and meaning (the same line of documentation),
//! the values are taken to be the same. Of any other column nothing is known but that its table
//! was made from the inputs, and that is what is said.

use std::collections::BTreeMap;

use mixline_schema::{ArtifactSpec, ColumnChange, ColumnLineage, ColumnSpec, catalog};
use serde::Serialize;

/// Why a column is said to be made from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The step declares it.
    Declared,
    /// Both have the same name, type, unit and meaning.
    SameMeaning,
}

/// A column of an input that an output column is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnSource {
    /// Input port.
    pub port: String,
    /// Artifact behind it.
    pub artifact: String,
    /// Column.
    pub column: String,
    /// How the output follows from it.
    pub change: ColumnChange,
    /// How this is known.
    pub basis: Basis,
}

/// What is known of the columns of one output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Column → what it is made from; empty for one that follows from configuration alone.
    pub known: BTreeMap<String, Vec<ColumnSource>>,
    /// Columns of which only the inputs of the table are known.
    pub unknown: Vec<String>,
}

impl Columns {
    /// Of the output `port` that is written as `artifact`, from what the step `declared` and the
    /// `inputs` that were bound, by port. `None` for an artifact that is not in the catalogue.
    #[must_use]
    pub fn of_output(
        (port, artifact): (&str, &str),
        declared: &[ColumnLineage],
        inputs: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let spec = catalog::find(artifact)?;
        let mut columns = Self::default();
        for column in &spec.columns {
            let key = format!("{port}.{}", column.name);
            let sources = match declared.iter().find(|entry| entry.column == key) {
                Some(entry) => Some(declared_sources(entry, inputs)),
                None => inferred_sources(column, inputs),
            };
            match sources {
                Some(sources) => drop(columns.known.insert(column.name.to_owned(), sources)),
                None => columns.unknown.push(column.name.to_owned()),
            }
        }
        Some(columns)
    }
}

/// The columns of an input; none for an artifact that is not in the catalogue.
pub(super) fn columns_of(artifact: &str) -> &'static [ColumnSpec] {
    catalog::find(artifact).map_or(&[], |spec: &'static ArtifactSpec| &spec.columns)
}

fn declared_sources(entry: &ColumnLineage, inputs: &BTreeMap<String, String>) -> Vec<ColumnSource> {
    let source = |from: &String| {
        let (port, column) = from.split_once('.')?;
        Some(ColumnSource {
            port: port.to_owned(),
            // A port that was not bound took no part.
            artifact: inputs.get(port)?.clone(),
            column: column.to_owned(),
            change: entry.change,
            basis: Basis::Declared,
        })
    };
    entry.from.iter().filter_map(source).collect()
}

fn inferred_sources(
    column: &ColumnSpec,
    inputs: &BTreeMap<String, String>,
) -> Option<Vec<ColumnSource>> {
    let same = |other: &&ColumnSpec| {
        (other.name, other.ty, other.unit, other.doc)
            == (column.name, column.ty, column.unit, column.doc)
    };
    let mut found = Vec::new();
    for (port, artifact) in inputs {
        if columns_of(artifact).iter().any(|other| same(&other)) {
            found.push(ColumnSource {
                port: port.clone(),
                artifact: artifact.clone(),
                column: column.name.to_owned(),
                change: ColumnChange::Identity,
                basis: Basis::SameMeaning,
            });
        }
    }
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs() -> BTreeMap<String, String> {
        let pairs = [
            ("media", "media_daily"),
            ("attribution", "attribution_events"),
        ];
        pairs
            .into_iter()
            .map(|(port, artifact)| (port.to_owned(), artifact.to_owned()))
            .collect()
    }

    #[test]
    fn what_is_declared_wins_and_the_rest_is_the_same_or_unknown() {
        let declared = [ColumnLineage {
            column: "metrics.roas".into(),
            change: ColumnChange::Aggregation,
            from: vec![
                "attribution.revenue".into(),
                "media.spend".into(),
                "orders.revenue".into(),
            ],
        }];
        let output = ("metrics", "unified_daily_metrics");
        let columns = Columns::of_output(output, &declared, &inputs()).unwrap();
        let roas = &columns.known["roas"];
        let seen: Vec<_> = roas
            .iter()
            .map(|s| (s.artifact.as_str(), s.column.as_str()))
            .collect();
        assert_eq!(
            seen,
            [("attribution_events", "revenue"), ("media_daily", "spend")]
        );
        assert!(roas.iter().all(|source| source.basis == Basis::Declared));
        // "Business day." here and there; revenue means something else in each table.
        let date = &columns.known["date"];
        assert_eq!((date.len(), date[0].basis), (1, Basis::SameMeaning));
        assert!(columns.unknown.contains(&"attributed_revenue".to_owned()));
        assert!(columns.unknown.contains(&"mer".to_owned()));
    }

    #[test]
    fn a_table_under_a_name_of_its_own_is_no_dead_end() {
        let inputs = BTreeMap::from([
            ("model".to_owned(), "model".to_owned()),
            ("draws".to_owned(), "champion_draws".to_owned()),
        ]);
        let declared = [ColumnLineage {
            column: "report.bytes".into(),
            change: ColumnChange::Transformation,
            from: vec!["model.bytes".into(), "draws.value".into()],
        }];
        let columns = Columns::of_output(("report", "report"), &declared, &inputs).unwrap();
        let bytes = &columns.known["bytes"];
        assert_eq!((bytes[0].artifact.as_str(), bytes.len()), ("model", 2));
        // A file's name is a file's name, unless the step says otherwise.
        assert_eq!(columns.known["name"][0].basis, Basis::SameMeaning);
        assert!(columns_of("posterior_netcdf").len() == 3 && columns.unknown.is_empty());
    }

    #[test]
    fn every_column_is_either_known_or_unknown() {
        for spec in catalog::all() {
            let columns = Columns::of_output(("out", spec.name), &[], &inputs()).unwrap();
            assert_eq!(
                columns.known.len() + columns.unknown.len(),
                spec.columns.len()
            );
        }
        assert_eq!(
            Columns::of_output(("out", "nobody_knows"), &[], &inputs()),
            None
        );
    }
}

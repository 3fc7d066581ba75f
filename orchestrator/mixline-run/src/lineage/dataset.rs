//! Datasets: how artifact versions are named and described.

use std::collections::{BTreeMap, BTreeSet};

use mixline_schema::{Assertion, OutputResult, catalog};
use serde_json::{Map, Value, json};

use super::columns::{ColumnSource, Columns, columns_of};
use super::facets;
use crate::event::ResolvedInput;

/// The address of a store as datasets are named by it: a container on Azure belongs to an account,
/// which OpenLineage asks for and `az://` leaves out.
pub(super) fn named_by_account(store: &str, account: Option<&str>) -> String {
    let (Some(rest), Some(account)) = (store.strip_prefix("az://"), account) else {
        return store.to_owned();
    };
    let (container, key) = rest.split_once('/').unwrap_or((rest, ""));
    format!("abfss://{container}@{account}.dfs.core.windows.net/{key}")
}

/// The store, in OpenLineage's naming: namespace and the prefix of every name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DatasetNames {
    namespace: String,
    prefix: String,
}

impl DatasetNames {
    /// From a store URL or folder. Object stores keep scheme and bucket as the namespace.
    pub(super) fn of_store(url: &str) -> Self {
        if url.starts_with("memory:") {
            return Self {
                namespace: "inmemory://".into(),
                prefix: String::new(),
            };
        }
        let (namespace, path) = match url.split_once("://") {
            Some(("file", path)) => ("file".to_owned(), path.to_owned()),
            Some((scheme, rest)) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (format!("{scheme}://{bucket}"), key.to_owned())
            }
            None => ("file".to_owned(), url.to_owned()),
        };
        Self {
            namespace,
            prefix: path.trim_end_matches('/').to_owned(),
        }
    }

    fn name(&self, artifact: &str) -> String {
        if self.prefix.is_empty() {
            artifact.to_owned()
        } else {
            format!("{}/{artifact}", self.prefix)
        }
    }

    /// What the columns of an output are made from. Of columns nobody has declared, it is said that
    /// any column of any input may have played a part.
    pub(super) fn column_lineage(
        &self,
        columns: &Columns,
        inputs: &BTreeMap<String, ResolvedInput>,
    ) -> Value {
        let field = |artifact: &str, column: &str, how: Value| {
            json!({
                "namespace": self.namespace,
                "name": self.name(artifact),
                "field": column,
                "transformations": [how],
            })
        };
        let known = |source: &ColumnSource| {
            field(
                &source.artifact,
                &source.column,
                facets::transformation(source),
            )
        };
        let fields: Map<String, Value> = columns
            .known
            .iter()
            .map(|(column, from)| {
                let from: Vec<Value> = from.iter().map(known).collect();
                (column.clone(), json!({ "inputFields": from }))
            })
            .collect();
        let mut dataset = Vec::new();
        if !columns.unknown.is_empty() {
            let artifacts: BTreeSet<&str> = inputs.values().map(|i| i.artifact.as_str()).collect();
            for artifact in artifacts {
                let columns = columns_of(artifact).iter();
                dataset.extend(columns.map(|c| field(artifact, c.name, facets::undeclared())));
            }
        }
        facets::column_lineage(fields, dataset)
    }

    /// A version that was read, with the rules that were checked on it.
    pub(super) fn input(&self, input: &ResolvedInput, checked: &[Assertion]) -> Value {
        let about = |assertion: &&Assertion| assertion.artifact.as_deref() == Some(&input.artifact);
        let about: Vec<&Assertion> = checked.iter().filter(about).collect();
        let mut facets = Map::new();
        if !about.is_empty() {
            facets.insert("dataQualityAssertions".into(), facets::assertions(&about));
        }
        json!({
            "namespace": self.namespace,
            "name": self.name(&input.artifact),
            "facets": dataset_facets(&input.artifact, input.version),
            "inputFacets": facets,
        })
    }

    /// A version that was committed, or found unchanged, with what its columns are made from.
    pub(super) fn output(&self, output: &OutputResult, columns: Option<Value>) -> Value {
        let mut facets = dataset_facets(&output.artifact, output.version);
        if let Some(columns) = columns {
            facets.insert("columnLineage".into(), columns);
        }
        json!({
            "namespace": self.namespace,
            "name": self.name(&output.artifact),
            "facets": facets,
            "outputFacets": {"outputStatistics": facets::output_statistics(output.rows)},
        })
    }
}

fn dataset_facets(artifact: &str, version: u64) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("version".into(), facets::version(version));
    if let Some(spec) = catalog::find(artifact) {
        all.insert("schema".into(), facets::schema(spec));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_as_openlineage_asks() {
        for (url, namespace, name) in [
            ("s3://acme/artifacts/", "s3://acme", "artifacts/orders"),
            ("gs://acme", "gs://acme", "orders"),
            ("file:///data/store", "file", "/data/store/orders"),
            ("/data/store", "file", "/data/store/orders"),
            ("memory:", "inmemory://", "orders"),
            ("az://lake/shop", "az://lake", "shop/orders"),
            (
                "abfss://lake@acme.dfs.core.windows.net/shop",
                "abfss://lake@acme.dfs.core.windows.net",
                "shop/orders",
            ),
        ] {
            let names = DatasetNames::of_store(url);
            assert_eq!(
                (names.namespace.as_str(), names.name("orders").as_str()),
                (namespace, name)
            );
        }
    }

    #[test]
    fn a_container_on_azure_is_named_by_its_account() {
        let named = |store, account| named_by_account(store, account);
        let acme = "abfss://lake@acme.dfs.core.windows.net/";
        assert_eq!(named("az://lake", Some("acme")), acme);
        let below = named("az://lake/a/b", Some("acme"));
        assert_eq!(below, format!("{acme}a/b"));
        assert_eq!(named("az://lake/a", None), "az://lake/a");
        assert_eq!(named("s3://lake/a", Some("acme")), "s3://lake/a");
    }
}

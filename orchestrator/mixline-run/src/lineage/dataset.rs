//! Datasets: how artifact versions are named and described.

use mixline_schema::{OutputResult, catalog};
use serde_json::{Map, Value, json};

use super::facets;
use crate::event::ResolvedInput;

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

    /// A version that was read.
    pub(super) fn input(&self, input: &ResolvedInput) -> Value {
        json!({
            "namespace": self.namespace,
            "name": self.name(&input.artifact),
            "facets": dataset_facets(&input.artifact, input.version),
            "inputFacets": {},
        })
    }

    /// A version that was committed, or found unchanged.
    pub(super) fn output(&self, output: &OutputResult) -> Value {
        json!({
            "namespace": self.namespace,
            "name": self.name(&output.artifact),
            "facets": dataset_facets(&output.artifact, output.version),
            "outputFacets": {"outputStatistics": facets::output_statistics(output.rows)},
        })
    }
}

fn dataset_facets(artifact: &str, version: u64) -> Value {
    let mut all = Map::new();
    all.insert("version".into(), facets::version(version));
    if let Some(spec) = catalog::find(artifact) {
        all.insert("schema".into(), facets::schema(spec));
    }
    Value::Object(all)
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
        ] {
            let names = DatasetNames::of_store(url);
            assert_eq!(
                (names.namespace.as_str(), names.name("orders").as_str()),
                (namespace, name)
            );
        }
    }
}

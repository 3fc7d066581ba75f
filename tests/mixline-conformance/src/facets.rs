//! Facets: where they sit, which schema their key names, which one they claim.

use std::path::Path;

use serde_json::{Value, json};

use crate::{SITE, Spec};

/// A facet of an event.
pub(crate) struct Facet<'a> {
    /// How the names of the schemas of its place end.
    endings: &'static [&'static str],
    key: &'a str,
    body: &'a Value,
}

const DATASET: &[&str] = &["DatasetFacet", "LineageFacet"];

/// Every facet of an event, with its place.
pub(crate) fn of(event: &Value) -> Vec<Facet<'_>> {
    let mut holders: Vec<(&'static [&'static str], &Value)> = vec![
        (&["RunFacet"], &event["run"]["facets"]),
        (&["JobFacet", "LineageFacet"], &event["job"]["facets"]),
    ];
    for dataset in ["inputs", "outputs"]
        .iter()
        .filter_map(|key| event[key].as_array())
        .flatten()
    {
        holders.push((DATASET, &dataset["facets"]));
        holders.push((DATASET, &dataset["inputFacets"]));
        holders.push((DATASET, &dataset["outputFacets"]));
    }
    let entries = holders
        .into_iter()
        .filter_map(|(endings, holder)| holder.as_object().map(|facets| (endings, facets)));
    let facet = |endings| move |(key, body)| Facet { endings, key, body };
    entries
        .flat_map(|(endings, facets)| {
            facets
                .iter()
                .map(move |(k, b)| facet(endings)((k.as_str(), b)))
        })
        .collect()
}

/// The current schema of every facet.
pub(crate) fn current(folder: &Path) -> Vec<Value> {
    let entries = std::fs::read_dir(folder.join("spec/facets")).expect("the facets' folder");
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .filter(|file| {
            file.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|file| {
            let bytes = std::fs::read(&file).expect("a facet's schema");
            serde_json::from_slice(&bytes).expect("a facet's schema is JSON")
        })
        .collect()
}

impl Spec {
    pub(crate) fn facet_problems(&self, facet: &Facet<'_>) -> Vec<String> {
        let Facet { key, body, .. } = facet;
        let claimed = body["_schemaURL"].as_str().unwrap_or_default();
        let wrapped = json!({ *key: body });
        let named: Vec<&str> = self.named(facet).collect();
        if named.is_empty() {
            return custom(key, claimed);
        }
        let fits = |id: &&str| self.breaches(id, &wrapped);
        let breaches: Vec<Vec<String>> = named.iter().map(fits).collect();
        match breaches.iter().any(Vec::is_empty) {
            true => Vec::new(),
            false => breaches
                .into_iter()
                .flatten()
                .map(|problem| format!("{key}: {problem}"))
                .collect(),
        }
    }

    /// The schemas that the key names in the facet's place.
    fn named<'a>(&'a self, facet: &'a Facet<'_>) -> impl Iterator<Item = &'a str> {
        self.current.iter().filter_map(|schema| {
            let id = schema["$id"].as_str()?;
            let name = id.rsplit('/').next()?.trim_end_matches(".json");
            let here = facet.endings.iter().any(|ending| name.ends_with(ending));
            (here && schema["properties"].get(facet.key).is_some()).then_some(id)
        })
    }

    /// What a facet does not keep of the schema that it claims.
    pub(crate) fn claim_problems(&self, facet: &Facet<'_>) -> Vec<String> {
        let Facet { key, body, .. } = facet;
        let claimed = body["_schemaURL"].as_str().unwrap_or_default();
        if !claimed.starts_with(&format!("{SITE}facets/")) {
            return vec![format!("{key}: `{claimed}` is no published facet")];
        }
        let Ok(schema) = self.load(claimed) else {
            return vec![format!("{claimed} was never published")];
        };
        let mut problems = self.breaches(claimed, &json!({ *key: body }));
        if schema["properties"].get(*key).is_none() {
            problems.push(format!("is not the key of {claimed}"));
        }
        let definition = claimed.split_once("#/$defs/").map(|(_, name)| name);
        if definition.is_some_and(|name| schema["$defs"].get(name).is_none()) {
            problems.push(format!("{claimed} points to no definition"));
        }
        problems
    }
}

/// A facet of one's own: a prefixed key, and an address that does not move.
fn custom(key: &str, claimed: &str) -> Vec<String> {
    let prefixed = key.split_once('_').is_some_and(|(prefix, rest)| {
        let mut letters = prefix.chars();
        letters.next().is_some_and(|c| c.is_ascii_lowercase())
            && letters.all(|c| c.is_ascii_alphanumeric())
            && rest.chars().next().is_some_and(|c| c.is_ascii_lowercase())
    });
    let mut problems = Vec::new();
    if !prefixed {
        problems.push(format!(
            "{key}: is neither a facet of the standard nor prefixed"
        ));
    }
    if claimed.is_empty() {
        problems.push(format!("{key}: names no schema"));
    }
    problems
}

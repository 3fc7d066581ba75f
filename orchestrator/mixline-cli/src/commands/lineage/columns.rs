//! What one column was made from, or what was made from it, version by version.
//!
//! The commits say which versions went into a version; the step that made it says which columns
//! went into which. Where it says nothing, only the table is known, and that is what is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;

use mixline_artifact::CommitRecord;
use mixline_plan::StepEntry;
use mixline_run::Engine;
use mixline_run::lineage::{Basis, ColumnSource, Columns};
use mixline_schema::{ColumnChange, InputRef, Provenance, catalog};
use serde::Serialize;

use crate::app::App;
use crate::commands::artifact;
use crate::failure::{Failure, Outcome};

/// A column of a version, and what hangs below it.
#[derive(Debug, Serialize)]
pub(super) struct ColumnNode {
    artifact: String,
    version: u64,
    /// Absent when the table is known and the column is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// `daily_ingest.measure`, or the step.
    by: String,
    /// How the column above follows from this one, or this one from the column above.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<ColumnChange>,
    /// How that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
    /// Said in full elsewhere in the tree.
    repeated: bool,
    below: Vec<ColumnNode>,
}

/// An edge between two columns; a target without a column is a whole table.
struct Edge {
    artifact: String,
    version: u64,
    column: Option<String>,
    change: Option<ColumnChange>,
    basis: Option<Basis>,
}

/// The walk over columns.
pub(super) struct ColumnWalk<'a> {
    engine: &'a Engine,
    /// Every commit, when the way is down.
    consumers: Option<&'a [(String, CommitRecord)]>,
    seen: BTreeSet<(String, u64, String)>,
    steps: BTreeMap<String, Option<StepEntry>>,
    /// Steps whose declarations are of another build than the one that made the version.
    rebuilt: BTreeSet<String>,
}

impl<'a> ColumnWalk<'a> {
    pub(super) fn new(engine: &'a Engine, consumers: Option<&'a [(String, CommitRecord)]>) -> Self {
        Self {
            engine,
            consumers,
            seen: BTreeSet::new(),
            steps: BTreeMap::new(),
            rebuilt: BTreeSet::new(),
        }
    }

    /// The tree of a column.
    pub(super) async fn tree(
        &mut self,
        name: &str,
        version: u64,
        column: &str,
    ) -> Outcome<ColumnNode> {
        let Some(spec) = catalog::find(name) else {
            let message = format!("the columns of `{name}` are not declared");
            return Err(Failure::usage(message).hint(format!("mixline lineage {name}")));
        };
        if spec.column(column).is_none() {
            let known: Vec<&str> = spec.columns.iter().map(|column| column.name).collect();
            let message = format!("`{name}` has no column `{column}`");
            return Err(Failure::usage(message).hint(format!("it has {}", known.join(", "))));
        }
        let root = Edge {
            artifact: name.to_owned(),
            version,
            column: Some(column.to_owned()),
            change: None,
            basis: None,
        };
        self.node(root).await
    }

    /// Steps that have been built anew since: what they declare today is what was shown.
    pub(super) fn rebuilt(&self) -> impl Iterator<Item = &str> {
        self.rebuilt.iter().map(String::as_str)
    }

    /// Boxed, because trees are as deep as pipelines are long.
    fn node(&mut self, edge: Edge) -> Pin<Box<dyn Future<Output = Outcome<ColumnNode>> + '_>> {
        Box::pin(async move {
            let log = self.engine.store().log(&edge.artifact)?;
            let record = log.commit_info(edge.version).await.ok();
            let provenance = record
                .as_ref()
                .and_then(|record| record.provenance.as_ref());
            let mut node = ColumnNode {
                by: artifact::maker(provenance),
                artifact: edge.artifact,
                version: edge.version,
                column: edge.column,
                change: edge.change,
                basis: edge.basis,
                repeated: false,
                below: Vec::new(),
            };
            // Of a whole table `mixline lineage TABLE` tells the rest.
            let Some(column) = node.column.clone() else {
                return Ok(node);
            };
            let key = (node.artifact.clone(), node.version, column.clone());
            node.repeated = !self.seen.insert(key);
            if node.repeated {
                return Ok(node);
            }
            let edges = match self.consumers {
                Some(all) => self.down(all, &node.artifact, node.version, &column).await,
                None => match provenance {
                    Some(provenance) => self.up(&node.artifact, &column, provenance).await,
                    None => Vec::new(),
                },
            };
            for edge in edges {
                node.below.push(self.node(edge).await?);
            }
            Ok(node)
        })
    }

    async fn up(&mut self, name: &str, column: &str, provenance: &Provenance) -> Vec<Edge> {
        let columns = self.columns(name, provenance).await;
        let version = |port: &str| provenance.inputs.iter().find(|input| input.port == port);
        if let Some(sources) = columns.and_then(|mut columns| columns.known.remove(column)) {
            let edge = |source: ColumnSource| {
                let input = version(&source.port)?;
                Some(Edge {
                    artifact: input.artifact.clone(),
                    version: input.version,
                    column: Some(source.column),
                    change: Some(source.change),
                    basis: Some(source.basis),
                })
            };
            return sources.into_iter().filter_map(edge).collect();
        }
        let whole = |input: &InputRef| whole_table(&input.artifact, input.version);
        provenance.inputs.iter().map(whole).collect()
    }

    async fn down(
        &mut self,
        all: &[(String, CommitRecord)],
        name: &str,
        version: u64,
        column: &str,
    ) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (consumer, record) in all {
            let Some(provenance) = &record.provenance else {
                continue;
            };
            let ports: Vec<&str> = provenance
                .inputs
                .iter()
                .filter(|input| input.artifact == name && input.version == version)
                .map(|input| input.port.as_str())
                .collect();
            if ports.is_empty() {
                continue;
            }
            let Some(columns) = self.columns(consumer, provenance).await else {
                edges.push(whole_table(consumer, record.version));
                continue;
            };
            let is_read = |source: &&ColumnSource| {
                source.column == column && ports.contains(&source.port.as_str())
            };
            for (made, sources) in &columns.known {
                edges.extend(sources.iter().find(is_read).map(|source| Edge {
                    artifact: consumer.clone(),
                    version: record.version,
                    column: Some(made.clone()),
                    change: Some(source.change),
                    basis: Some(source.basis),
                }));
            }
            if !columns.unknown.is_empty() {
                edges.push(whole_table(consumer, record.version));
            }
        }
        edges
    }

    /// What is known of the columns of a version.
    async fn columns(&mut self, name: &str, provenance: &Provenance) -> Option<Columns> {
        let inputs = provenance
            .inputs
            .iter()
            .map(|input| (input.port.clone(), input.artifact.clone()))
            .collect();
        let entry = self.step(&provenance.step).await;
        let rebuilt = entry.is_some_and(|entry| {
            entry.code != provenance.code_version && !entry.descriptor.columns.is_empty()
        });
        let columns = match entry {
            None => Columns::of_output(("", name), &[], &inputs),
            Some(entry) => {
                let outputs = &entry.descriptor.outputs;
                let named = outputs.iter().find(|port| port.artifact == name);
                let only = outputs.first().filter(|_| outputs.len() == 1);
                let port = named.or(only).map_or("", |port| port.name.as_str());
                Columns::of_output((port, name), &entry.descriptor.columns, &inputs)
            }
        };
        if rebuilt {
            self.rebuilt.insert(provenance.step.clone());
        }
        columns
    }

    /// What a step says of itself today; `None` when it is not there any more.
    async fn step(&mut self, step: &str) -> Option<&StepEntry> {
        if !self.steps.contains_key(step) {
            let entry = match self.engine.find_step(step) {
                Ok(path) => self.engine.describe(&path).await.ok(),
                Err(_) => None,
            };
            self.steps.insert(step.to_owned(), entry);
        }
        self.steps.get(step)?.as_ref()
    }
}

fn whole_table(artifact: &str, version: u64) -> Edge {
    Edge {
        artifact: artifact.to_owned(),
        version,
        column: None,
        change: None,
        basis: None,
    }
}

/// Prints the tree.
pub(super) fn print(app: &App, node: &ColumnNode, lead: &str, rest: &str) -> Outcome<()> {
    let style = app.style();
    let column = node
        .column
        .as_ref()
        .map(|column| format!(".{column}"))
        .unwrap_or_default();
    let name = style.bold(&format!("{}@{}{column}", node.artifact, node.version));
    app.line(format!(
        "{lead}{name}{}",
        style.dim(&format!("  {}", note(node)))
    ))?;
    let last = node.below.len();
    for (place, below) in node.below.iter().enumerate() {
        let (head, tail) = if place + 1 == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        print(
            app,
            below,
            &format!("{rest}{head}"),
            &format!("{rest}{tail}"),
        )?;
    }
    Ok(())
}

fn note(node: &ColumnNode) -> String {
    if node.repeated {
        return "(shown above)".to_owned();
    }
    if node.column.is_none() {
        return format!("{}, which columns is not declared", node.by);
    }
    let change = match node.change {
        None => return node.by.clone(),
        Some(ColumnChange::Identity) => "the same values",
        Some(ColumnChange::Transformation) => "computed",
        Some(ColumnChange::Aggregation) => "aggregated",
    };
    let basis = match node.basis {
        Some(Basis::SameMeaning) => ", by name and meaning",
        _ => "",
    };
    format!("{}, {change}{basis}", node.by)
}

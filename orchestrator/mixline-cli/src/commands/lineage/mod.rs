//! `mixline lineage`.

mod columns;

use std::collections::BTreeSet;
use std::process::ExitCode;

use mixline_artifact::CommitRecord;
use mixline_run::Engine;
use mixline_schema::{ArtifactRef, ArtifactRefError, Provenance, fingerprint};
use serde::Serialize;

use columns::ColumnWalk;

use crate::app::{self, App};
use crate::commands::artifact;
use crate::failure::Outcome;
use crate::ui::words;

/// Show what a version or a column was made from, down to the files, or what was made from it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline lineage unified_daily_metrics
  mixline lineage unified_daily_metrics.roas
  mixline lineage orders@3.revenue --down")]
pub(crate) struct Args {
    /// Artifact, or a column of it: `name`, `name@3`, `name@alias`, `name.column`
    #[arg(value_name = "NAME[@V][.COLUMN]")]
    target: Target,
    /// What was made from it instead
    #[arg(long)]
    down: bool,
}

/// An artifact version, or a column of it.
#[derive(Debug, Clone)]
struct Target {
    artifact: ArtifactRef,
    column: Option<String>,
}

impl std::str::FromStr for Target {
    type Err = ArtifactRefError;

    fn from_str(text: &str) -> Result<Self, ArtifactRefError> {
        let (artifact, column) = match text.split_once('.') {
            Some((artifact, column)) => (artifact, Some(column.to_owned())),
            None => (text, None),
        };
        Ok(Self {
            artifact: artifact.parse()?,
            column,
        })
    }
}

/// A version and what hangs below it.
#[derive(Debug, Serialize)]
struct Node {
    artifact: String,
    version: u64,
    /// `daily_ingest.measure`, or the step.
    by: String,
    committed_at: Option<chrono::DateTime<chrono::Utc>>,
    run_id: Option<String>,
    digest: Option<String>,
    /// Files that the step watched; known for the last execution of a task, and listed at the
    /// first of its outputs.
    files: Vec<String>,
    /// Said in full elsewhere in the tree.
    repeated: bool,
    below: Vec<Node>,
}

/// Carries out `mixline lineage`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let (log, version) = engine.store().resolve(&args.target.artifact).await?;
    let name = log.name().to_owned();
    if let Some(column) = &args.target.column {
        return of_column(app, &engine, (&name, version, column), args.down).await;
    }
    let mut walk = Walk {
        engine: &engine,
        seen: BTreeSet::new(),
        listed: BTreeSet::new(),
        consumers: Vec::new(),
    };
    if args.down {
        walk.consumers = consumers(&engine).await?;
    }
    let tree = walk.node(name, version, args.down).await?;
    if app.json() {
        app.document(&tree)?;
    } else {
        print(app, &tree, "", "")?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn of_column(
    app: &App,
    engine: &Engine,
    (name, version, column): (&str, u64, &str),
    down: bool,
) -> Outcome<ExitCode> {
    let all = match down {
        true => Some(consumers(engine).await?),
        false => None,
    };
    let mut walk = ColumnWalk::new(engine, all.as_deref());
    let tree = walk.tree(name, version, column).await?;
    if app.json() {
        app.document(&tree)?;
    } else {
        columns::print(app, &tree, "", "")?;
        for step in walk.rebuilt() {
            app.note(format!(
                "{step} has been built anew since; shown is what it declares today"
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every commit of ours with the versions it read.
async fn consumers(engine: &Engine) -> Outcome<Vec<(String, CommitRecord)>> {
    let mut all = Vec::new();
    for name in engine.store().artifacts().await? {
        let history = engine.store().log(&name)?.history(None).await?;
        all.extend(history.into_iter().map(|record| (name.clone(), record)));
    }
    Ok(all)
}

struct Walk<'a> {
    engine: &'a Engine,
    seen: BTreeSet<(String, u64)>,
    /// Executions whose files have been listed.
    listed: BTreeSet<String>,
    consumers: Vec<(String, CommitRecord)>,
}

impl Walk<'_> {
    /// Boxed, because trees are as deep as pipelines are long.
    fn node(
        &mut self,
        name: String,
        version: u64,
        down: bool,
    ) -> std::pin::Pin<Box<dyn Future<Output = Outcome<Node>> + '_>> {
        Box::pin(async move {
            let record = self
                .engine
                .store()
                .log(&name)?
                .commit_info(version)
                .await
                .ok();
            let repeated = !self.seen.insert((name.clone(), version));
            let mut node = self.bare(&name, version, record.as_ref()).await?;
            node.repeated = repeated;
            if repeated {
                return Ok(node);
            }
            let next: Vec<(String, u64)> = match down {
                true => self.made_from(&name, version),
                false => {
                    let inputs = record
                        .and_then(|record| record.provenance)
                        .map(|p| p.inputs);
                    let inputs = inputs.unwrap_or_default().into_iter();
                    inputs
                        .map(|input| (input.artifact, input.version))
                        .collect()
                }
            };
            for (name, version) in next {
                node.below.push(self.node(name, version, down).await?);
            }
            Ok(node)
        })
    }

    fn made_from(&self, name: &str, version: u64) -> Vec<(String, u64)> {
        let reads = |record: &CommitRecord| {
            let inputs = record
                .provenance
                .iter()
                .flat_map(|provenance| &provenance.inputs);
            inputs
                .into_iter()
                .any(|input| input.artifact == name && input.version == version)
        };
        let found = self.consumers.iter().filter(|(_, record)| reads(record));
        found
            .map(|(name, record)| (name.clone(), record.version))
            .collect()
    }

    async fn bare(
        &mut self,
        name: &str,
        version: u64,
        record: Option<&CommitRecord>,
    ) -> Outcome<Node> {
        let provenance = record.and_then(|record| record.provenance.as_ref());
        let mut files = Vec::new();
        let first =
            |provenance: &&Provenance| self.listed.insert(provenance.fingerprint.to_string());
        if let Some(provenance) = provenance.filter(first) {
            let slot = [provenance.slot.clone()];
            let documents = self.engine.state().last_documents(&slot).await?;
            let same = documents
                .into_values()
                .find(|document| fingerprint(document) == provenance.fingerprint);
            files = same
                .into_iter()
                .flat_map(|document| document.observed.into_keys())
                .collect();
        }
        Ok(Node {
            artifact: name.to_owned(),
            version,
            by: artifact::maker(provenance),
            committed_at: record.map(|record| record.timestamp),
            run_id: provenance
                .and_then(|p| p.run.as_ref())
                .map(|run| run.run_id.clone()),
            digest: record.map(|record| record.digest.to_string()),
            files,
            repeated: false,
            below: Vec::new(),
        })
    }
}

fn print(app: &App, node: &Node, lead: &str, rest: &str) -> Outcome<()> {
    let style = app.style();
    let name = style.bold(&format!("{}@{}", node.artifact, node.version));
    let when = node
        .committed_at
        .map(|at| words::ago(at, app::now()))
        .unwrap_or_default();
    let note = if node.repeated {
        "  (shown above)".to_owned()
    } else {
        format!("  {}, {when}", node.by)
    };
    app.line(format!("{lead}{name}{}", style.dim(&note)))?;
    if node.repeated {
        return Ok(());
    }
    let last = node.files.len() + node.below.len();
    let branch = |place: usize| {
        if place + 1 == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        }
    };
    for (place, file) in node.files.iter().enumerate() {
        app.line(format!("{rest}{}{file}", branch(place).0))?;
    }
    for (place, below) in node.below.iter().enumerate() {
        let (head, tail) = branch(node.files.len() + place);
        print(
            app,
            below,
            &format!("{rest}{head}"),
            &format!("{rest}{tail}"),
        )?;
    }
    Ok(())
}

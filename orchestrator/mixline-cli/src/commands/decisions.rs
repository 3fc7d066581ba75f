//! `mixline decisions`: what is recommended, and saying yes or no to it.

use std::process::ExitCode;

use clap::Subcommand;
use mixline_artifact::{Store, Table as Rows};
use mixline_schema::catalog::DecisionStore;
use mixline_schema::{Artifact as _, Digest, Provenance, WriteMode};
use serde_json::json;

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::ui::table::Table;

/// List recommendations, accept or reject one, or record what one brought
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List open recommendations, the most certain first
    List {
        /// Also those that were answered, expired or superseded
        #[arg(long)]
        all: bool,
    },
    /// Show one with its evidence
    Show(Id),
    /// Say yes: it will be done
    Accept(Answer),
    /// Say no: it is not proposed again during the cool-down
    Reject(Answer),
    /// Record what an accepted one has gained
    Measure {
        #[command(flatten)]
        id: Id,
        /// Profit gained
        #[arg(value_name = "GAIN", allow_hyphen_values = true)]
        gain: f64,
        /// Who measured it
        #[arg(long, value_name = "NAME", default_value = "a person")]
        by: String,
    },
}

#[derive(Debug, clap::Args)]
struct Id {
    /// Decision id, or its beginning
    #[arg(value_name = "DECISION")]
    id: String,
}

#[derive(Debug, clap::Args)]
struct Answer {
    #[command(flatten)]
    id: Id,
    /// Who decided
    #[arg(long, value_name = "NAME", default_value = "a person")]
    by: String,
}

/// Carries out `mixline decisions`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let store = engine.store();
    let rows = read(store).await?;
    match &args.command {
        Command::List { all } => list(app, rows, *all)?,
        Command::Show(id) => show(app, &find(&rows, &id.id)?)?,
        Command::Accept(answer) => answered(app, store, &rows, answer, "accepted").await?,
        Command::Reject(answer) => answered(app, store, &rows, answer, "rejected").await?,
        Command::Measure { id, gain, by } => {
            let mut row = find(&rows, &id.id)?;
            if row.status != "accepted" && row.status != "measured" {
                let text = format!(
                    "`{}` is {}: only accepted decisions are measured",
                    row.decision_id, row.status
                );
                return Err(Failure::usage(text));
            }
            row.measured_gain = Some(*gain);
            write(app, store, row, "measured", by).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(store: &Store) -> Outcome<Vec<DecisionStore>> {
    let log = store.log(DecisionStore::NAME)?;
    Ok(match log.head().await? {
        Some(head) => log.read_table::<DecisionStore>(Some(head)).await?.rows(),
        None => Vec::new(),
    })
}

fn list(app: &App, mut rows: Vec<DecisionStore>, all: bool) -> Outcome<()> {
    rows.retain(|row| all || row.status == "proposed");
    rows.sort_by(|a, b| {
        b.made_on
            .cmp(&a.made_on)
            .then(b.confidence.total_cmp(&a.confidence))
    });
    if app.json() {
        let rows: Vec<_> = rows.iter().map(document).collect();
        return app.document(&rows);
    }
    if rows.is_empty() {
        return app.note("nothing is recommended; `mixline run daily_ingest` looks every day");
    }
    let mut table = Table::new(&[
        "decision",
        "status",
        "confidence",
        "expected gain",
        "until",
        "what to do",
    ]);
    for row in rows {
        let gain = row
            .expected_gain
            .map(|gain| format!("{gain:.0} {}", row.unit));
        table.row(vec![
            row.decision_id,
            row.status,
            format!("{:.2}", row.confidence),
            gain.unwrap_or_default(),
            row.expires_on.to_string(),
            row.message,
        ]);
    }
    app.table(&table)
}

fn document(row: &DecisionStore) -> serde_json::Value {
    json!({
        "decision_id": row.decision_id, "status": row.status, "action": row.action,
        "rule": row.rule, "channel": row.channel, "to_channel": row.to_channel,
        "unit": row.unit, "current_spend": row.current_spend,
        "proposed_spend": row.proposed_spend, "expected_gain": row.expected_gain,
        "expected_gain_q05": row.expected_gain_q05, "expected_gain_q95": row.expected_gain_q95,
        "probability_of_gain": row.probability_of_gain, "confidence": row.confidence,
        "confidence_reason": row.confidence_reason, "message": row.message,
        "evidence": serde_json::from_str::<serde_json::Value>(&row.evidence).unwrap_or_default(),
        "model_id": row.model_id, "data_until": row.data_until, "made_on": row.made_on,
        "expires_on": row.expires_on, "decided_by": row.decided_by,
        "decided_at": row.decided_at, "measured_gain": row.measured_gain,
    })
}

fn show(app: &App, row: &DecisionStore) -> Outcome<()> {
    if app.json() {
        return app.document(&document(row));
    }
    app.line(app.style().bold(&row.message))?;
    app.line(format!(
        "  decision    {} ({}), by rule {}",
        row.decision_id, row.status, row.rule
    ))?;
    app.line(format!(
        "  confidence  {:.2}: {}",
        row.confidence, row.confidence_reason
    ))?;
    app.line(format!(
        "  made on     {}, worth acting on until {}",
        row.made_on, row.expires_on
    ))?;
    app.line(format!(
        "  data until  {}, model {}",
        row.data_until, row.model_id
    ))?;
    app.line(format!("  evidence    {}", row.evidence))
}

fn find(rows: &[DecisionStore], id: &str) -> Outcome<DecisionStore> {
    let found: Vec<&DecisionStore> = rows
        .iter()
        .filter(|row| row.decision_id.starts_with(id))
        .collect();
    match found[..] {
        [row] => Ok(row.clone()),
        [] => Err(Failure::usage(format!("there is no decision `{id}`"))
            .hint("`mixline decisions list --all` shows them")),
        _ => {
            Err(Failure::usage(format!("`{id}` begins several decisions"))
                .hint("write more of the id"))
        }
    }
}

async fn answered(
    app: &App,
    store: &Store,
    rows: &[DecisionStore],
    answer: &Answer,
    status: &str,
) -> Outcome<()> {
    let row = find(rows, &answer.id.id)?;
    if row.status != "proposed" {
        let text = format!("`{}` is {} already", row.decision_id, row.status);
        return Err(Failure::usage(text));
    }
    write(app, store, row, status, &answer.by).await
}

/// Commits a decision's new status.
async fn write(
    app: &App,
    store: &Store,
    mut row: DecisionStore,
    status: &str,
    by: &str,
) -> Outcome<()> {
    let at = app::now();
    let id = row.decision_id.clone();
    (row.status, row.decided_by, row.decided_at) = (status.to_owned(), by.to_owned(), Some(at));
    let rows = Rows::from_rows(vec![row]).map_err(|error| Failure::data(error.to_string()))?;
    let provenance = Provenance {
        step: "mixline".to_owned(),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        run: None,
        slot: "mixline decisions".to_owned(),
        fingerprint: Digest::of_bytes(format!("{id} {status} {by} {at}").as_bytes()),
        inputs: Vec::new(),
        window: None,
        seed: 0,
        forced: false,
        committed_at: at,
    };
    store
        .log(DecisionStore::NAME)?
        .commit(rows, WriteMode::Upsert, provenance)
        .await?;
    if app.json() {
        return app.document(&json!({ "decision_id": id, "status": status, "decided_by": by }));
    }
    app.note(format!("{id} is {status}"))
}

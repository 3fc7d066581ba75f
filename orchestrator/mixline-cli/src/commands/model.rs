//! `mixline model`: candidates, the champion, and changing one's mind.
//!
//! `step-promote` writes the champion as `champion_model` and `champion_draws`; the commands here
//! read the same artifacts and commit to them the same way, so that what a person decides is a
//! version with a history like any other.

use std::process::ExitCode;

use clap::Subcommand;
use mixline_artifact::{Checked, Log, Store, Table as Rows};
use mixline_run::Engine;
use mixline_run::mlflow::{self, Told};
use mixline_schema::catalog::{File, ModelRegistry, PosteriorDraws};
use mixline_schema::{Artifact, Digest, InputRef, Provenance, WriteMode};
use serde_json::{Value, json};

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::outside::variable;
use crate::ui::table::Table;

/// List mix models, show one, make one the champion, or go back to the one before
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List candidates and champions, the newest decision first
    List,
    /// Show a model: what was fitted, and what became of it
    Show {
        /// Model id, or its beginning; the champion when left out
        #[arg(value_name = "MODEL")]
        model: Option<String>,
    },
    /// Make a model the champion, whatever the checks said
    Promote {
        /// Model id, or its beginning
        #[arg(value_name = "MODEL")]
        model: String,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "promoted by hand")]
        reason: String,
    },
    /// Make the champion before this one the champion again
    Rollback {
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "rolled back")]
        reason: String,
    },
}

/// Where the fit writes, and where the champion is kept: card and draws.
const CANDIDATE: [&str; 2] = ["model", "posterior_draws"];
const CHAMPION: [&str; 2] = ["champion_model", "champion_draws"];

/// Carries out `mixline model`.
pub(crate) async fn execute(app: &App, args: &Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    let store = engine.store();
    match &args.command {
        Command::List => list(app, store).await?,
        Command::Show { model } => show(app, store, model.as_deref()).await?,
        Command::Promote { model, reason } => {
            let found = find(store, model).await?;
            crown(app, &engine, &found, reason).await?;
        }
        Command::Rollback { reason } => {
            let found = before(store).await?;
            crown(app, &engine, &found, reason).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A version of a model: card and draws of one fit.
struct Found {
    model_id: String,
    card: Value,
    /// Artifact and version of the card, and of the draws.
    places: [(&'static str, u64); 2],
}

async fn registry(store: &Store) -> Outcome<Vec<ModelRegistry>> {
    let log = store.log(ModelRegistry::NAME)?;
    let mut rows = match log.head().await? {
        Some(head) => log.read_table::<ModelRegistry>(Some(head)).await?.rows(),
        None => Vec::new(),
    };
    rows.sort_by_key(|row| std::cmp::Reverse(row.decision));
    Ok(rows)
}

async fn list(app: &App, store: &Store) -> Outcome<()> {
    let rows = registry(store).await?;
    if app.json() {
        let rows: Vec<Value> = rows.iter().map(row_json).collect();
        return app.document(&rows);
    }
    if rows.is_empty() {
        return app.note("no model yet; `mixline run weekly_retrain` fits one");
    }
    let mut table = Table::new(&[
        "model",
        "status",
        "verdict",
        "data until",
        "score",
        "champion's",
        "reason",
    ]);
    for row in rows {
        let number =
            |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.4}"));
        table.row(vec![
            row.model_id,
            row.status,
            row.verdict,
            row.data_until.to_string(),
            number(row.score),
            number(row.champion_score),
            row.reason,
        ]);
    }
    app.table(&table)
}

fn row_json(row: &ModelRegistry) -> Value {
    json!({
        "model_id": row.model_id,
        "status": row.status,
        "engine": row.engine,
        "verdict": row.verdict,
        "data_until": row.data_until,
        "score": row.score,
        "champion_score": row.champion_score,
        "reason": row.reason,
        "decision": row.decision,
    })
}

async fn show(app: &App, store: &Store, model: Option<&str>) -> Outcome<()> {
    let found = match model {
        Some(model) => find(store, model).await?,
        None => {
            let mut champions = versions(store, CHAMPION).await?;
            champions.pop().ok_or_else(no_champion)?
        }
    };
    let rows = registry(store).await?;
    let row = rows.iter().find(|row| row.model_id == found.model_id);
    let [(card, card_version), (draws, draws_version)] = found.places;
    let document = json!({
        "model_id": found.model_id,
        "artifacts": [format!("{card}@{card_version}"), format!("{draws}@{draws_version}")],
        "decision": row.map(row_json),
        "card": found.card,
    });
    if app.json() {
        return app.document(&document);
    }
    app.line(app.style().bold(&found.model_id))?;
    app.line(format!(
        "  kept in   {card}@{card_version}, {draws}@{draws_version}"
    ))?;
    if let Some(row) = row {
        app.line(format!(
            "  status    {} (verdict {})",
            row.status, row.verdict
        ))?;
        app.line(format!("  because   {}", row.reason))?;
    }
    let text = |key: &str| found.card[key].as_str().unwrap_or_default().to_owned();
    let names = |key: &str| {
        let items = found.card[key].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    app.line(format!("  engine    {}", text("engine")))?;
    app.line(format!(
        "  data      {} to {}",
        text("data_from"),
        text("data_until")
    ))?;
    app.line(format!("  channels  {}", names("channels")))?;
    app.line(format!("  geos      {}", names("geos")))?;
    app.note(app.style().dim("`--json` shows the whole model card"))
}

fn no_champion() -> Failure {
    Failure::data("there is no champion yet").hint("`mixline model list` shows the candidates")
}

/// The versions of a pair of artifacts that come from one fit, oldest first.
async fn versions(store: &Store, pair: [&'static str; 2]) -> Outcome<Vec<Found>> {
    let (cards, draws) = (store.log(pair[0])?, store.log(pair[1])?);
    let drawn = draws.history(None).await?;
    let mut found = Vec::new();
    for record in cards.history(None).await? {
        let Some(made) = &record.provenance else {
            continue;
        };
        // Both were written by one execution, so they carry one fingerprint.
        let partner = drawn.iter().find(|own| {
            own.provenance
                .as_ref()
                .is_some_and(|own| own.fingerprint == made.fingerprint)
        });
        let Some(partner) = partner else { continue };
        let rows = cards.read_table::<File>(Some(record.version)).await?.rows();
        let Some(file) = rows.first() else { continue };
        let Ok(card) = serde_json::from_slice::<Value>(&file.bytes) else {
            continue;
        };
        found.push(Found {
            model_id: card["model_id"].as_str().unwrap_or_default().to_owned(),
            card,
            places: [(pair[0], record.version), (pair[1], partner.version)],
        });
    }
    Ok(found)
}

/// The newest version of the model whose id begins so.
async fn find(store: &Store, id: &str) -> Outcome<Found> {
    let mut all = versions(store, CHAMPION).await?;
    all.extend(versions(store, CANDIDATE).await?);
    all.retain(|found| found.model_id.starts_with(id));
    let mut ids: Vec<&str> = all.iter().map(|found| found.model_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > 1 {
        let text = format!("`{id}` begins several models: {}", ids.join(", "));
        return Err(Failure::usage(text).hint("write more of the id"));
    }
    all.pop().ok_or_else(|| {
        Failure::usage(format!(
            "there is no model `{id}` whose draws are still in the store"
        ))
        .hint("`mixline model list` shows the ids")
    })
}

/// The champion before the present one.
async fn before(store: &Store) -> Outcome<Found> {
    let mut all = versions(store, CHAMPION).await?;
    let present = all.pop().ok_or_else(no_champion)?.model_id;
    let earlier = all
        .into_iter()
        .rev()
        .find(|found| found.model_id != present);
    earlier.ok_or_else(|| Failure::data(format!("`{present}` is the only champion so far")))
}

/// Commits a model as the champion and writes the decision down.
async fn crown(app: &App, engine: &Engine, found: &Found, reason: &str) -> Outcome<()> {
    let store = engine.store();
    let provenance = provenance(store, found, reason).await?;
    let [card, draws] = found.places;
    copy::<File>(store, card, CHAMPION[0], &provenance).await?;
    copy::<PosteriorDraws>(store, draws, CHAMPION[1], &provenance).await?;
    let mut rows = registry(store).await?;
    let next = rows.iter().map(|row| row.decision).max().unwrap_or(0) + 1;
    for row in &mut rows {
        if row.model_id == found.model_id {
            row.status = "champion".to_owned();
            row.reason = reason.to_owned();
            row.decision = next;
        } else if row.status == "champion" {
            row.status = "retired".to_owned();
        }
    }
    let rows = Rows::from_rows(rows).map_err(|error| Failure::data(error.to_string()))?;
    let log = store.log(ModelRegistry::NAME)?;
    log.commit(rows, WriteMode::Upsert, provenance).await?;
    tell(engine, &found.model_id).await;
    if app.json() {
        return app.document(&json!({ "champion": found.model_id, "reason": reason }));
    }
    app.note(format!("{} is the champion now", found.model_id))
}

/// Tells MLflow who the champion is, where it is configured. The champion stands whatever it says.
async fn tell(engine: &Engine, model_id: &str) {
    let told = mlflow::promote(engine.project(), &variable, model_id).await;
    let untold = match told {
        Ok(Told::Nobody | Told::Alias { .. }) => return,
        Ok(Told::Unknown { model }) => format!("`{model}` has no version for {model_id} there"),
        Ok(Told::Failed(trouble)) => trouble.why().to_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!(
        "warning: MLflow was not told of the champion ({untold}); `mixline model promote \
         {model_id}` tells it again, or set the alias `champion` there by hand"
    );
}

async fn copy<A: Artifact>(
    store: &Store,
    (artifact, version): (&'static str, u64),
    to: &str,
    provenance: &Provenance,
) -> Outcome<()> {
    let frame = store
        .log(artifact)?
        .read_as(A::spec(), Some(version))
        .await?;
    let rows = Checked::new(A::spec(), frame).map_err(|error| Failure::data(error.to_string()))?;
    let log: Log = store.log(to)?;
    log.commit(rows, WriteMode::Replace, provenance.clone())
        .await?;
    Ok(())
}

async fn provenance(store: &Store, found: &Found, reason: &str) -> Outcome<Provenance> {
    let committed_at = app::now();
    let mut inputs = Vec::new();
    for (port, (artifact, version)) in ["model", "draws"].into_iter().zip(found.places) {
        let record = store.log(artifact)?.commit_info(version).await?;
        let (port, artifact) = (port.to_owned(), artifact.to_owned());
        inputs.push(InputRef {
            port,
            artifact,
            version,
            digest: record.digest,
        });
    }
    let identity = format!("{} {reason} {committed_at}", found.model_id);
    Ok(Provenance {
        step: "mixline".to_owned(),
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        run: None,
        slot: "mixline model".to_owned(),
        fingerprint: Digest::of_bytes(identity.as_bytes()),
        inputs,
        window: None,
        seed: 0,
        forced: false,
        committed_at,
    })
}

//! `mixline schedule`.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use mixline_plan::{Odd, Schedule, preview};
use mixline_run::metrics::{Metrics, serve};
use mixline_run::scheduler::Scheduler;
use mixline_run::store::FireState;
use mixline_run::{Cancel, Engine, Journal};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::app::{self, App};
use crate::failure::{Failure, Outcome};
use crate::outside::Outside;
use crate::signals::Stop;
use crate::ui::table::Table;
use crate::ui::words;

/// Run DAGs on their schedules, and see when
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Preview(Preview),
    /// Show how far each schedule has come, and what fires next
    Status,
    /// Run DAGs on their schedules until stopped
    ///
    /// A fire is a row in the state database, unique by DAG and interval, so nothing is lost or run
    /// twice whatever is restarted when. Of several schedulers on one database one leads; the others
    /// stand by and take over within ten seconds when it is gone. Steps that are running when the
    /// scheduler stops go on by themselves, and the next one takes them over.
    Run(Run),
    /// List the intervals of a DAG that were due, and what became of them
    Fires {
        /// DAG name
        dag: String,
    },
    /// Fire nothing new for a DAG until it goes on
    Pause {
        /// DAG name
        dag: String,
    },
    /// Let a paused DAG go on; its catch-up policy says what becomes of missed intervals
    Unpause {
        /// DAG name
        dag: String,
    },
}

/// Options of the scheduler.
#[derive(Debug, clap::Args)]
struct Run {
    /// Serve metrics for Prometheus and a health check here, for example `127.0.0.1:9464`
    #[arg(long, value_name = "ADDRESS", env = "MIXLINE_METRICS")]
    metrics: Option<std::net::SocketAddr>,
}

/// List the next fires, with the odd ones marked
#[derive(Debug, clap::Args)]
struct Preview {
    /// Only this DAG
    dag: Option<String>,
    /// Fires of each DAG to list
    #[arg(long, short = 'n', value_name = "N", default_value_t = 5)]
    count: usize,
    /// From this day or instant (UTC) on instead of now
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
}

impl Args {
    /// Whether this is the scheduler itself.
    pub(crate) fn is_run(&self) -> bool {
        matches!(self.command, Command::Run(_))
    }
}

/// Carries out `mixline schedule …`.
pub(crate) async fn execute(app: &App, args: Args) -> Outcome<ExitCode> {
    let engine = app.engine().await?;
    match args.command {
        Command::Preview(args) => list(app, &engine, &args)?,
        Command::Status => status(app, &engine).await?,
        Command::Run(args) => return run(app, engine, &args).await,
        Command::Fires { dag } => fires(app, &engine, &dag).await?,
        Command::Pause { dag } => pause(app, &engine, &dag, true).await?,
        Command::Unpause { dag } => pause(app, &engine, &dag, false).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The scheduled DAGs, with their schedules.
fn scheduled(engine: &Engine, only: Option<&str>) -> Outcome<Vec<(String, Schedule)>> {
    let names = match only {
        Some(name) => vec![name.to_owned()],
        None => engine.dags()?,
    };
    let mut found = Vec::new();
    for name in names {
        let dag = engine.load_dag(&name)?;
        match (dag.schedule, only) {
            (Some(schedule), _) => found.push((dag.name, schedule)),
            (None, Some(name)) => {
                let message = format!("`{name}` has no schedule");
                let hint = "add a [schedule] table with `cron` and `zone` to its file";
                return Err(Failure::config(message).hint(hint));
            }
            (None, None) => {}
        }
    }
    Ok(found)
}

fn list(app: &App, engine: &Engine, args: &Preview) -> Outcome<()> {
    let from = match &args.from {
        Some(text) => mixline_schema::Window::parse_bound(text)?,
        None => app::now(),
    };
    let dags = scheduled(engine, args.dag.as_deref())?;
    let mut table = Table::new(&["dag", "fires at", "UTC", "interval", "note"]);
    let mut documents = Vec::<Value>::new();
    for (dag, schedule) in &dags {
        for fire in preview(schedule, from, args.count) {
            table.row(vec![
                dag.clone(),
                fire.at
                    .with_timezone(&schedule.zone)
                    .format("%a %Y-%m-%d %H:%M %Z")
                    .to_string(),
                words::instant(fire.at),
                fire.window.to_string(),
                fire.odd
                    .map(|odd| oddity(odd).to_owned())
                    .unwrap_or_default(),
            ]);
            documents.push(json!({ "dag": dag, "fire": fire }));
        }
    }
    if app.json() {
        return app.document(&json!({ "fires": documents }));
    }
    match documents.is_empty() {
        true => app.note("no DAG has a schedule"),
        false => app.table(&table),
    }
}

fn oddity(odd: Odd) -> &'static str {
    match odd {
        Odd::Gap => "clocks go forward: the interval is shorter",
        Odd::Fold => "clocks go back: the interval is longer",
    }
}

async fn status(app: &App, engine: &Engine) -> Outcome<()> {
    let mut table = Table::new(&[
        "dag",
        "cron",
        "zone",
        "fired up to",
        "next",
        ">waiting",
        ">failed",
        "note",
    ]);
    let mut documents = Vec::<Value>::new();
    for (dag, schedule) in scheduled(engine, None)? {
        let cursor = engine.state().cursor(&dag).await?;
        let waiting = engine
            .state()
            .fires(&dag, Some(FireState::Pending))
            .await?
            .len();
        let failed = engine.state().fires(&dag, Some(FireState::Failed)).await?;
        let next = schedule.next_after(app::now());
        let note = match cursor {
            None => "no scheduler has seen it yet",
            Some(cursor) if cursor.paused => "paused",
            Some(_) => "",
        };
        table.row(vec![
            dag.clone(),
            schedule.cron.clone(),
            schedule.zone.to_string(),
            cursor
                .map(|cursor| words::instant(cursor.at))
                .unwrap_or_default(),
            next.map(words::instant).unwrap_or_default(),
            waiting.to_string(),
            failed.len().to_string(),
            note.to_owned(),
        ]);
        documents.push(json!({
            "dag": dag, "cron": schedule.cron, "zone": schedule.zone, "cursor": cursor,
            "next": next, "waiting": waiting, "failed": failed,
        }));
    }
    let leader = engine.state().leader().await?;
    if app.json() {
        let leader = leader.map(|leader| {
            json!({
                "host": leader.host, "pid": leader.owner.pid, "term": leader.term,
                "remaining_ms": leader.remaining_ms,
            })
        });
        return app.document(&json!({ "schedules": documents, "leader": leader }));
    }
    if documents.is_empty() {
        return app.note("no DAG has a schedule");
    }
    app.table(&table)?;
    app.note(match leader.filter(|leader| leader.remaining_ms > 0) {
        Some(leader) => format!(
            "led by process {} on {}, term {}",
            leader.owner.pid, leader.host, leader.term
        ),
        None => "no scheduler is running; `mixline schedule run` starts one".to_owned(),
    })
}

async fn fires(app: &App, engine: &Engine, dag: &str) -> Outcome<()> {
    scheduled(engine, Some(dag))?;
    let fires = engine.state().fires(dag, None).await?;
    if app.json() {
        return app.document(&json!({ "fires": fires }));
    }
    if fires.is_empty() {
        return app.note("nothing has been due yet");
    }
    let mut table = Table::new(&["interval", "!state", "due seen", "run", "error"]);
    for fire in &fires {
        let run = fire.run_id.as_deref().map(words::short_id);
        table.row(vec![
            fire.window.to_string(),
            fire.state.as_str().to_owned(),
            words::instant(fire.created_at),
            run.unwrap_or_default().to_owned(),
            fire.error.clone().unwrap_or_default(),
        ]);
    }
    app.table(&table)
}

async fn run(app: &App, engine: Engine, args: &Run) -> Outcome<ExitCode> {
    let stop =
        Stop::saying("steps that run go on by themselves; the next scheduler takes them over")?;
    let dags = scheduled(&engine, None)?;
    if dags.is_empty() {
        return Err(Failure::config(
            "no DAG has a schedule, so there is nothing to wait for",
        ));
    }
    for (dag, schedule) in &dags {
        let next = schedule
            .next_after(app::now())
            .map(words::instant)
            .unwrap_or_default();
        app.note(format!("{dag}: next at {next}"))?;
    }
    let outside = Outside::open(engine)?;
    let metrics = Arc::<Metrics>::default();
    if let Some(address) = args.metrics {
        measure(app, &outside, &metrics, (address, stop.cancel())).await?;
    }
    let mut subscribers = outside.subscribers();
    subscribers.push(Arc::new(Journal));
    let scheduler = Scheduler::new(outside.engine().clone(), subscribers);
    let ran = scheduler.with_metrics(metrics).run(stop.cancel()).await;
    outside.finish().await;
    ran?;
    Ok(stop.or(ExitCode::SUCCESS))
}

/// Serves metrics beside the scheduler.
async fn measure(
    app: &App,
    outside: &Outside,
    metrics: &Arc<Metrics>,
    (address, stop): (std::net::SocketAddr, Cancel),
) -> Outcome<()> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::config(format!("could not listen on {address}: {error}"))
            .hint("name another address with --metrics; port 0 takes a free one")
    })?;
    app.note(format!(
        "metrics at http://{}/metrics",
        listener.local_addr()?
    ))?;
    let served = serve(
        listener,
        Arc::clone(metrics),
        outside.engine().clone(),
        stop,
    );
    tokio::spawn(served);
    Ok(())
}

async fn pause(app: &App, engine: &Engine, dag: &str, paused: bool) -> Outcome<()> {
    scheduled(engine, Some(dag))?;
    engine.state().set_paused(dag, paused, app::now()).await?;
    if app.json() {
        return app.document(&json!({ "dag": dag, "paused": paused }));
    }
    app.note(match paused {
        true => format!("{dag} fires nothing until `mixline schedule unpause {dag}`"),
        false => format!("{dag} fires on its schedule"),
    })
}

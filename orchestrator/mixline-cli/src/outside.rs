//! The world outside that wants to know of runs: lineage servers, collectors of
//! traces, MLflow.
//!
//! The environment is read here, once, and handed on as values.

use std::sync::Arc;
use std::time::Duration;

use mixline_run::relay::{Consumer, Relay};
use mixline_run::{Engine, Origin, Subscriber, lineage, mlflow, otlp};

use crate::app;
use crate::failure::Outcome;

/// How long a command that is done waits for a service that is slow or away. What is not told by
/// then stays in the outbox.
const PATIENCE: Duration = Duration::from_secs(5);

/// An engine whose runs are told to everybody who wants to know.
#[derive(Debug)]
pub(crate) struct Outside {
    engine: Engine,
    relay: Relay,
}

impl Outside {
    /// Finds out who wants to know, and begins to tell them what is left from earlier runs.
    pub(crate) fn open(engine: Engine) -> Outcome<Self> {
        let consumers = consumers(&engine)?;
        let engine = engine.with_consumers(&consumers);
        let relay = Relay::start(engine.state(), app::now, consumers);
        Ok(Self { engine, relay })
    }

    /// The engine to run with.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Who must hear the events of a run.
    pub(crate) fn subscribers(&self) -> Vec<Arc<dyn Subscriber>> {
        vec![self.relay.subscriber()]
    }

    /// Tells what is left, and says what could not be told.
    pub(crate) async fn finish(self) {
        for backlog in self.relay.finish(PATIENCE).await {
            let why = backlog
                .error
                .unwrap_or_else(|| "not enough time".to_owned());
            eprintln!(
                "warning: {} does not know of {} run(s) yet ({why}); the next command that runs a \
                 DAG, or `mixline schedule run`, tells it",
                backlog.consumer, backlog.runs
            );
        }
    }
}

/// Names of everybody who wants to know.
pub(crate) fn names(engine: &Engine) -> Outcome<Vec<String>> {
    let consumers = consumers(engine)?;
    Ok(consumers.iter().map(|c| c.name().to_owned()).collect())
}

fn consumers(engine: &Engine) -> Outcome<Vec<Arc<dyn Consumer>>> {
    let mut consumers = lineage::consumers(engine.project(), &variable)?;
    consumers.extend(otlp::consumer(&variable)?);
    consumers.extend(mlflow::consumer(
        engine.project(),
        engine.store(),
        &variable,
    )?);
    Ok(consumers)
}

/// Who started this process.
pub(crate) fn origin() -> Origin {
    lineage::origin(&variable)
}

/// A variable of the environment, read at this edge only.
#[expect(clippy::disallowed_methods, reason = "the command line is an edge")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

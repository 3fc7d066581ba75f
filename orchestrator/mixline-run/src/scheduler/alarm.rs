//! The alarm clock. It wakes the scheduler and decides nothing: a tick that comes late, twice or
//! not at all changes no fire, because what is due follows from the cursor and the clock alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::error::RunError;

/// Rings at a steady pace until it is stopped.
pub(super) struct Alarm {
    jobs: JobScheduler,
}

impl Alarm {
    /// An alarm that rings `bell` every `pace`.
    pub(super) async fn every(pace: Duration, bell: Arc<Notify>) -> Result<Self, RunError> {
        let jobs = JobScheduler::new().await.map_err(failed)?;
        let job = Job::new_repeated_async(pace, move |_, _| {
            let bell = Arc::clone(&bell);
            Box::pin(async move { bell.notify_one() })
        });
        jobs.add(job.map_err(failed)?).await.map_err(failed)?;
        jobs.start().await.map_err(failed)?;
        Ok(Self { jobs })
    }

    /// Stops ringing.
    pub(super) async fn stop(mut self) {
        if let Err(error) = self.jobs.shutdown().await {
            tracing::debug!(%error, "the alarm did not stop");
        }
    }
}

fn failed(source: JobSchedulerError) -> RunError {
    RunError::Alarm {
        source: Box::new(source),
    }
}

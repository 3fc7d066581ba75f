//! What an engine runs attempts with unless told otherwise: binaries as processes, images as
//! containers.

use std::sync::Arc;

use super::{ContainerExecutor, Executor, Job, Outcome, ProcessExecutor, Program, Stop};

/// See the module.
#[derive(Debug, Clone)]
pub struct LocalExecutor {
    containers: Arc<ContainerExecutor>,
}

impl LocalExecutor {
    /// Images run with `containers`.
    #[must_use]
    pub fn new(containers: Arc<ContainerExecutor>) -> Self {
        Self { containers }
    }

    fn of(&self, job: &Job) -> &dyn Executor {
        match job.program {
            Program::Binary(_) => &ProcessExecutor,
            Program::Image { .. } => self.containers.as_ref(),
        }
    }
}

#[async_trait::async_trait]
impl Executor for LocalExecutor {
    async fn run(&self, job: &Job, stop: Stop) -> Outcome {
        self.of(job).run(job, stop).await
    }

    async fn reattach(&self, job: &Job, stop: Stop) -> Outcome {
        self.of(job).reattach(job, stop).await
    }

    async fn leaves_trace(&self, job: &Job) -> bool {
        self.of(job).leaves_trace(job).await
    }
}

//! What can go wrong around a run. A task that fails is not here: that is an event.

use std::path::PathBuf;

use mixline_artifact::StoreError;
use mixline_plan::PlanError;

/// A run that could not be planned, started or recorded.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The project file.
    #[error(transparent)]
    Project(#[from] crate::project::ProjectError),
    /// The store.
    #[error("could not {action} the store {url}; check the address and that it can be reached")]
    Store {
        /// What was tried.
        action: &'static str,
        /// Store URL.
        url: String,
        /// Cause.
        #[source]
        source: Box<StoreError>,
    },
    /// Somebody else holds the state database.
    #[error(
        "the state database {place} is locked by another process; wait for it to finish, or stop it"
    )]
    Locked {
        /// Where the database is.
        place: String,
        /// Cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// The server of the state database does not answer.
    #[error(
        "could not reach the state database {place}; check that the server runs, host and port, and that it takes connections from here"
    )]
    Unreachable {
        /// Where the database is.
        place: String,
        /// Cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// The server of the state database does not let us in.
    #[error(
        "the state database {place} refused the user or the password; set both in MIXLINE_DATABASE_URL, or the password in PGPASSWORD"
    )]
    Refused {
        /// Where the database is.
        place: String,
        /// Cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// The server has no such database.
    #[error(
        "the server has no state database {place}; make one with `createdb`, or correct the name"
    )]
    NoDatabase {
        /// Where the database would be.
        place: String,
        /// Cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// A newer version of Mixline has changed the tables.
    #[error(
        "the state database {place} was written by a newer version of Mixline (its tables have number {applied}, this version knows {known}); use that version, or another database"
    )]
    NewerState {
        /// Where the database is.
        place: String,
        /// Number of its newest migration.
        applied: usize,
        /// Number of the newest migration known here.
        known: usize,
    },
    /// The state database.
    #[error("could not {action} the state database {place}")]
    State {
        /// What was tried.
        action: &'static str,
        /// Where the database is.
        place: String,
        /// Cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// The state database is a server's, and what was asked for is for a file.
    #[error(
        "the state database {place} is kept by a server; back it up with `pg_dump` and put it back with `pg_restore`"
    )]
    NotAFile {
        /// Where the database is.
        place: String,
    },
    /// A copy of a state database cannot be used.
    #[error("{path} cannot be used as the state database: {problem}")]
    BadCopy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A row of the state database does not read back.
    #[error(
        "the state database holds {what} that does not read back; was it written by a newer version?"
    )]
    Damaged {
        /// What it is.
        what: String,
        /// Cause.
        #[source]
        source: serde_json::Error,
    },
    /// A file or folder.
    #[error("could not {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Cause.
        #[source]
        source: std::io::Error,
    },
    /// There is no such DAG.
    #[error("there is no DAG `{name}` in {folder}; it holds {known}")]
    NoDag {
        /// Asked name.
        name: String,
        /// DAG folder.
        folder: PathBuf,
        /// Names that exist, ready to print.
        known: String,
    },
    /// There is no such run.
    #[error("there is no run `{run_id}`; `mixline runs` lists them")]
    NoRun {
        /// Asked run.
        run_id: String,
    },
    /// The DAG file or the plan has errors; all of them.
    #[error("{}", lines(errors))]
    Plan {
        /// Every error found.
        errors: Vec<PlanError>,
    },
    /// Another scheduler was faster, or another run of the DAG is going.
    #[error("the fire of `{dag}` for {window} has been taken by another run")]
    FireTaken {
        /// DAG name.
        dag: String,
        /// Data interval.
        window: String,
    },
    /// Another scheduler has taken the lease.
    #[error("another scheduler leads by now; this one waits for its turn")]
    Deposed,
    /// Another orchestrator goes on with the run.
    #[error(
        "the run {run_id} was taken over by another orchestrator, which goes on with it; `mixline runs show {run_id}` tells how it ends"
    )]
    Superseded {
        /// The run.
        run_id: String,
    },
    /// The alarm that wakes the scheduler.
    #[error("could not set the alarm that wakes the scheduler")]
    Alarm {
        /// Cause.
        #[from]
        source: Box<tokio_cron_scheduler::JobSchedulerError>,
    },
    /// A defect of ours.
    #[error(
        "it broke off: this is a bug in Mixline; please report it with the lines before this one"
    )]
    Broken {
        /// The panic.
        #[source]
        source: tokio::task::JoinError,
    },
    /// The container engine, or an image.
    #[error(transparent)]
    Container(#[from] crate::executor::ContainerError),
    /// A step binary is nowhere to be found.
    #[error(
        "there is no step `{step}` in {searched}; build it, or name its folder under `steps` in mixline.toml"
    )]
    NoStep {
        /// Step name.
        step: String,
        /// Folders searched, ready to print.
        searched: String,
    },
    /// A step binary does not describe itself.
    #[error("`{path} describe` {problem}")]
    Describe {
        /// The binary.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// An error with its causes, on one line. Causes that a message repeats are left out.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        match text.trim_end().ends_with(cause.trim_end()) {
            true => text,
            false => format!("{text}: {cause}"),
        }
    });
    text.trim_end().replace('\n', "; ")
}

fn lines(errors: &[PlanError]) -> String {
    errors
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl RunError {
    pub(crate) fn store(action: &'static str, url: &str) -> impl FnOnce(StoreError) -> Self {
        let url = url.to_owned();
        move |source| Self::Store {
            action,
            url,
            source: Box::new(source),
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_one_line_and_says_nothing_twice() {
        let source = std::io::Error::other("the disk\nis full");
        let error = RunError::io("write", "a.csv".as_ref())(source);
        assert_eq!(chain(&error), "could not write a.csv: the disk; is full");
        let same = std::io::Error::other(std::io::Error::other("once"));
        assert_eq!(chain(&same), "once");
    }
}

//! What attempts said: from the file while they run, from the store afterwards.

use super::Engine;
use crate::error::{RunError, chain};
use crate::project::{log_object, log_objects};

impl Engine {
    /// The output of an attempt so far; `None` when there is no such attempt.
    ///
    /// # Errors
    /// [`RunError::Io`] or [`RunError::Store`].
    pub async fn task_log(
        &self,
        run_id: &str,
        task: &str,
        attempt: u32,
    ) -> Result<Option<String>, RunError> {
        let file = self.project.log_file(run_id, task, attempt);
        match tokio::fs::read(&file).await {
            Ok(bytes) => return Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(RunError::io("read", &file)(source)),
        }
        let kept = self
            .store
            .get_object(&log_object(run_id, task, attempt))
            .await;
        let kept = kept.map_err(RunError::store("read the logs of", self.store.url()))?;
        Ok(kept.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Removes what the attempts of a run said. What cannot be removed is a warning.
    pub(super) async fn forget_logs(&self, run_id: &str) {
        let _ = std::fs::remove_dir_all(self.project.log_folder(run_id));
        if let Err(error) = self.store.remove_objects(&log_objects(run_id)).await {
            tracing::warn!(
                run_id,
                error = chain(&error),
                "could not remove the task logs of an old run"
            );
        }
    }

    /// Removes the log files of runs that another process, on another machine perhaps, has forgotten.
    pub(crate) async fn forget_stray_logs(&self) {
        let Ok(known) = self.db.run_ids().await else {
            return;
        };
        let Ok(folders) = std::fs::read_dir(self.project.state.join("logs")) else {
            return;
        };
        for folder in folders.filter_map(Result::ok) {
            let name = folder.file_name().to_string_lossy().into_owned();
            if !known.contains(&name) {
                let _ = std::fs::remove_dir_all(folder.path());
            }
        }
    }
}

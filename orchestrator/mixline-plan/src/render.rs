//! A plan as people read it.

use std::fmt;

use crate::plan::{Plan, PlannedTask, Verdict};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.map(|w| format!(" {w}")).unwrap_or_default();
        let runs = self.tasks.iter().filter(|t| t.verdict.runs()).count();
        writeln!(
            f,
            "{}{window}: {runs} to run, {} reused",
            self.dag,
            self.tasks.len() - runs
        )?;
        let width = self.tasks.iter().map(|t| t.name.len()).max().unwrap_or(0);
        for task in &self.tasks {
            writeln!(f, "  {:width$}  {}", task.name, verdict(task))?;
        }
        Ok(())
    }
}

fn verdict(task: &PlannedTask) -> String {
    match &task.verdict {
        Verdict::Reuse { outputs, .. } => {
            let outputs: Vec<String> = outputs
                .iter()
                .map(|o| format!("{}@{}", o.artifact, o.version))
                .collect();
            format!("reuse  {}", outputs.join(", "))
        }
        Verdict::Run { reasons } => {
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            format!("run    {}", reasons.join("; "))
        }
    }
}

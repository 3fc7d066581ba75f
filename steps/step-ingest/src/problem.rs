//! What is wrong with a file, and where: everything at once, so that one look mends it.

use std::fmt;

use mixline_step::StepError;

/// Problems that are named; the rest is counted.
const SHOWN: usize = 20;

/// One thing wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// File, relative to the data folder.
    pub(crate) file: String,
    /// Row as a spreadsheet numbers it, the headings included; `None` for the whole file.
    pub(crate) row: Option<u64>,
    /// Heading of the column.
    pub(crate) column: Option<String>,
    /// What is wrong.
    pub(crate) message: String,
}

impl Problem {
    /// A problem of a whole file.
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            row: None,
            column: None,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Problems of all files, and what to do about them.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    first: Vec<Problem>,
    total: usize,
    hint: Option<String>,
}

impl Problems {
    /// Adds a problem.
    pub(crate) fn add(&mut self, problem: Problem) {
        self.total += 1;
        if self.first.len() < SHOWN {
            self.first.push(problem);
        }
    }

    /// Adds problems of which only the first were kept.
    pub(crate) fn extend(&mut self, kept: Vec<Problem>, total: usize) {
        let hidden = total - kept.len();
        kept.into_iter().for_each(|problem| self.add(problem));
        self.total += hidden;
    }

    /// Says what to do, unless something has been said already.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) {
        self.hint.get_or_insert_with(|| hint.into());
    }

    /// The error for the caller, if there is any problem.
    pub(crate) fn into_result(self) -> Result<(), StepError> {
        if self.total == 0 {
            return Ok(());
        }
        let mut lines: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        if self.total > lines.len() {
            lines.push(format!("… and {} more", self.total - lines.len()));
        }
        let many = if self.total == 1 {
            "problem"
        } else {
            "problems"
        };
        let message = format!(
            "the export files have {} {many}; nothing was stored",
            self.total
        );
        let hint = self.hint.unwrap_or_else(|| {
            "mend the file or export it again, or describe it better in its source file".to_owned()
        });
        Err(StepError::data(message)
            .because(lines.join("\n"))
            .hint(hint))
    }
}

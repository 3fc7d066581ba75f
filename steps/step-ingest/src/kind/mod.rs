//! The kinds of sources: which fields each looks for, and which tables come out of it.

pub(crate) mod ads;
pub(crate) mod shopify;
pub(crate) mod touchpoints;
pub(crate) mod wide;

use std::path::Path;

use crate::describe::Source;
use crate::identity::Identity;
use crate::problem::Problems;
use crate::read::{self, Field, Mapping, Rows};
use crate::report::Report;
use crate::sheet::Sheet;

/// What a kind works with.
pub(crate) struct Job<'a> {
    /// Folder of the export files.
    pub(crate) data: &'a Path,
    /// The secret of the project, when personal data is to be hashed.
    pub(crate) identity: Option<&'a Identity>,
    /// What is wrong.
    pub(crate) problems: &'a mut Problems,
    /// What was read how.
    pub(crate) report: &'a mut Report,
}

impl Job<'_> {
    /// Reads one file with these fields; `None` when there are problems, which have been added.
    pub(crate) fn read(
        &mut self,
        source: &Source,
        file: &str,
        fields: Vec<Field>,
        totals: Option<(&str, &str)>,
    ) -> Option<(Sheet, Mapping, Rows)> {
        let fields: Vec<Field> = fields
            .into_iter()
            .map(|field| field.declared(source))
            .collect();
        let opened = Sheet::open(self.data, file, source, |headings| {
            Mapping::missing(&fields, headings)
        });
        let sheet = match opened {
            Ok(sheet) => sheet,
            Err(problem) => {
                self.problems.add(problem);
                return None;
            }
        };
        let mut mapping = Mapping::of(fields, &sheet.headings);
        if let Some((day, name)) = totals {
            mapping = mapping.with_totals(day, name);
        }
        let rows = read::rows(&sheet, &mapping, source, self.problems)?;
        self.report.read(source, &sheet, &mapping, &rows);
        Some((sheet, mapping, rows))
    }
}

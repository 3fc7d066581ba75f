//! Which files there are, and which source each belongs to.

use std::path::Path;

use mixline_step::StepError;

use crate::describe::{Source, matches};

/// The files below a folder, relative to it, in name order. Notes beside the data are not data.
pub(crate) fn below(folder: &Path) -> Result<Vec<String>, StepError> {
    let mut files = Vec::new();
    walk(folder, "", &mut files).map_err(|error| {
        StepError::data(format!(
            "the folder of export files, {}, cannot be read",
            folder.display()
        ))
        .because(error)
        .hint("`data` names it, relative to the project")
    })?;
    files.sort();
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let shown = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        if name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            walk(&entry.path(), &shown, files)?;
        } else if !name.to_lowercase().ends_with(".md") {
            files.push(shown);
        }
    }
    Ok(())
}

/// Each source with its files. A file that two sources want is an error: it would count twice.
pub(crate) fn claims<'a>(
    sources: &'a [Source],
    files: &[String],
) -> Result<Vec<(&'a Source, Vec<String>)>, StepError> {
    let wants = |source: &Source, file: &str| source.files.iter().any(|p| matches(p, file));
    let mut faults = Vec::new();
    for file in files {
        let claimants: Vec<&str> = sources
            .iter()
            .filter(|s| wants(s, file))
            .map(|s| s.path.as_str())
            .collect();
        if claimants.len() > 1 {
            faults.push(format!("{file} is matched by {}", claimants.join(" and ")));
        }
    }
    let claims: Vec<(&Source, Vec<String>)> = sources
        .iter()
        .map(|source| {
            (
                source,
                files
                    .iter()
                    .filter(|file| wants(source, file))
                    .cloned()
                    .collect(),
            )
        })
        .collect();
    let absent = claims
        .iter()
        .filter(|(source, files)| source.required && files.is_empty());
    faults.extend(absent.map(|(source, _)| {
        format!(
            "{} is required, and no file matches {}",
            source.path,
            source.files.join(", ")
        )
    }));
    match faults.is_empty() {
        true => Ok(claims),
        false => Err(StepError::data("files and sources do not fit together")
            .because(faults.join("\n"))
            .hint("make the patterns under `files` more exact, or deliver what is missing")),
    }
}

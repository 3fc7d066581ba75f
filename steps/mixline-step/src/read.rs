//! Inputs: found first, read only when they are needed.
//!
//! Finding costs one look at a log and gives the digest that the fingerprint needs; reading
//! happens only when nothing can be reused.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use mixline_artifact::{Log, Store, Stream, Table};
use mixline_schema::{Artifact, ArtifactRef, Digest, InputRef, Selector};
use polars::frame::DataFrame;
use polars::prelude::{ParquetReader, SerReader as _};

use crate::csv_file;
use crate::error::StepError;
use crate::ports::{Given, InputField as _, PortSpec};
use crate::program::Program;
use crate::request::{Request, Source};

/// An input that exists.
pub(crate) struct Found {
    pub(crate) spec: PortSpec,
    pub(crate) digest: Digest,
    place: Place,
}

enum Place {
    Store { log: Log, version: u64 },
    File(PathBuf),
}

impl Found {
    /// The version behind the input, when it is one.
    pub(crate) fn reference(&self) -> Option<InputRef> {
        match &self.place {
            Place::Store { log, version } => Some(InputRef {
                port: self.spec.port.name.clone(),
                artifact: log.name().to_owned(),
                version: *version,
                digest: self.digest.clone(),
            }),
            Place::File(_) => None,
        }
    }

    /// What the step gets: the rows, or for a port that is read piece by piece their source.
    async fn given(&self) -> Result<Given, StepError> {
        match &self.place {
            Place::Store { log, version } if self.spec.streamed => Ok(Given::Stream(
                Stream::of_version(log.clone(), self.spec.spec, *version),
            )),
            _ => self.rows().await.map(Given::Whole),
        }
    }

    /// Reads the rows.
    async fn rows(&self) -> Result<DataFrame, StepError> {
        match &self.place {
            Place::Store { log, version } => {
                let rows = log.read_as(self.spec.spec, Some(*version)).await;
                rows.map_err(|error| {
                    let name = log.name();
                    StepError::from(error).context(format!("`{name}@{version}` cannot be read"))
                })
            }
            Place::File(path) => read_file(path, &self.spec),
        }
    }
}

/// Finds every input; optional ones that do not exist are left out.
pub(crate) async fn find(
    program: &Program,
    request: &Request,
    store: Option<&Store>,
) -> Result<Vec<Found>, StepError> {
    let mut found = Vec::new();
    for spec in &program.inputs {
        let port = &spec.port;
        let input = match request.sources.get(&port.name) {
            Some(Source::File(path)) => Some(find_file(spec, path)?),
            Some(Source::Store(reference)) => find_version(spec, reference, store, request).await?,
            None => {
                let head = ArtifactRef {
                    name: port.artifact.clone(),
                    selector: Selector::Head,
                };
                find_version(spec, &head, store, request).await?
            }
        };
        match input {
            Some(input) => found.push(input),
            None if port.optional => {}
            None => return Err(missing(spec, request)),
        }
    }
    Ok(found)
}

fn missing(spec: &PortSpec, request: &Request) -> StepError {
    let port = &spec.port;
    let artifact = match request.sources.get(&port.name) {
        Some(Source::Store(reference)) => reference.name.clone(),
        _ => port.artifact.clone(),
    };
    let place = if request.context.store.is_empty() {
        "no store"
    } else {
        &request.context.store
    };
    StepError::data(format!(
        "input `{}`: `{artifact}` has no version in {place}",
        port.name
    ))
    .hint(format!(
        "run the step that writes `{artifact}`, or give a file: --in {}=./{artifact}.parquet",
        port.name
    ))
}

/// The version a reference means; `None` when the head of an empty artifact is asked for.
async fn find_version(
    spec: &PortSpec,
    reference: &ArtifactRef,
    store: Option<&Store>,
    request: &Request,
) -> Result<Option<Found>, StepError> {
    let Some(store) = store else {
        return if spec.port.optional {
            Ok(None)
        } else {
            Err(request
                .store()
                .err()
                .unwrap_or_else(|| missing(spec, request)))
        };
    };
    let named = |error: StepError| {
        error.context(format!(
            "input `{}`: `{reference}` cannot be found",
            spec.port.name
        ))
    };
    let (log, version) = if reference.selector == Selector::Head {
        let log = store.log(&reference.name).map_err(|e| named(e.into()))?;
        match log.head().await.map_err(|e| named(e.into()))? {
            Some(version) => (log, version),
            None => return Ok(None),
        }
    } else {
        store
            .resolve(reference)
            .await
            .map_err(|e| named(e.into()))?
    };
    let info = log
        .commit_info(version)
        .await
        .map_err(|e| named(e.into()))?;
    let place = Place::Store { log, version };
    Ok(Some(Found {
        spec: spec.clone(),
        digest: info.digest,
        place,
    }))
}

fn find_file(spec: &PortSpec, path: &Path) -> Result<Found, StepError> {
    let digest = crate::code::digest_of_file(path).map_err(|error| {
        StepError::data(format!(
            "input `{}`: `{}` cannot be read",
            spec.port.name,
            path.display()
        ))
        .because(error)
    })?;
    Ok(Found {
        spec: spec.clone(),
        digest,
        place: Place::File(path.to_path_buf()),
    })
}

fn read_file(path: &Path, spec: &PortSpec) -> Result<DataFrame, StepError> {
    if path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
    {
        return (spec.table)(csv_file::read(path, spec.spec)?);
    }
    let broken = || StepError::data(format!("`{}` cannot be read as Parquet", path.display()));
    let file = File::open(path).map_err(|error| broken().because(error))?;
    ParquetReader::new(file)
        .finish()
        .map_err(|error| broken().because(error))
}

/// A value from a JSON file; for [`Tool`]s.
///
/// [`Tool`]: crate::Tool
///
/// # Errors
/// A usage error that names the file.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &str) -> Result<T, StepError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| StepError::usage(format!("cannot read `{path}`")).because(error))?;
    serde_json::from_str(&text).map_err(|error| {
        StepError::usage(format!("`{path}` is not what it should be")).because(error)
    })
}

/// A table from a .parquet or .csv file, checked against its declaration; for [`Tool`]s.
///
/// [`Tool`]: crate::Tool
///
/// # Errors
/// A data error that names the file.
pub fn read_table<A: Artifact>(path: &str) -> Result<Table<A>, StepError> {
    let port = PortSpec::input::<Table<A>>(A::NAME, None, "");
    let frame = read_file(Path::new(path), &port)?;
    Table::take(path, Some(Given::Whole(frame)))
}

/// What the step gets of every input that was found.
pub(crate) async fn give(found: &[Found]) -> Result<BTreeMap<String, Given>, StepError> {
    let mut given = BTreeMap::new();
    for input in found {
        given.insert(input.spec.port.name.clone(), input.given().await?);
    }
    Ok(given)
}

/// Every input that was found, wholly, to be looked at.
pub(crate) async fn read_all(found: &[Found]) -> Result<BTreeMap<String, Given>, StepError> {
    let mut given = BTreeMap::new();
    for input in found {
        given.insert(
            input.spec.port.name.clone(),
            Given::Whole(input.rows().await?),
        );
    }
    Ok(given)
}

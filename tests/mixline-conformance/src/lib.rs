//! OpenLineage conformance, offline: what the core schema alone lets through is caught here.
//!
//! The core schema accepts broken facets and a missing event type. So an event conforms when it
//! passes the core schema with formats asserted, when every facet passes the schema that its key
//! names (and, if it is ours, the one that it claims), and when the events of a run follow the run cycle. The schemas
//! are reference data beside the repository.

mod cycle;
mod facets;
mod receiver;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

pub use cycle::cycle_problems;
pub use receiver::{Answer, Receiver};

const SPEC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/data/openlineage-spec"
);
const SITE: &str = "https://openlineage.io/spec/";
const CORE: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json";

/// The published schemas.
#[derive(Debug)]
pub struct Spec {
    folder: PathBuf,
    /// Validators that have been built, by address.
    built: RefCell<BTreeMap<String, Arc<jsonschema::Validator>>>,
    current: Vec<Value>,
}

impl Spec {
    /// The schemas, or `None` (with a line that says so) on a machine that has none.
    ///
    /// # Panics
    /// Where `CI` is set and they are missing: CI must check conformance. When they do not read.
    #[must_use]
    pub fn open() -> Option<Self> {
        let folder = PathBuf::from(SPEC);
        if folder.is_dir() {
            let current = facets::current(&folder);
            return Some(Self {
                folder,
                built: RefCell::default(),
                current,
            });
        }
        let ci = std::env::var_os("CI").is_some_and(|ci| !ci.is_empty());
        assert!(
            !ci,
            "{SPEC} is missing, and CI must check OpenLineage conformance"
        );
        eprintln!("skipped: {SPEC} is missing");
        None
    }

    /// The folder of the schemas and of upstream's examples.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that is wrong with one event.
    #[must_use]
    pub fn problems(&self, event: &Value) -> Vec<String> {
        let mut problems = self.breaches(CORE, event);
        if event.get("eventType").is_none() {
            problems.push("eventType is missing".to_owned());
        }
        for facet in facets::of(event) {
            problems.extend(self.facet_problems(&facet));
        }
        problems
    }

    /// The same, for events of ours: every facet also keeps the published schema that it claims.
    /// (Upstream's own examples do not.)
    #[must_use]
    pub fn strict_problems(&self, event: &Value) -> Vec<String> {
        let claims = facets::of(event)
            .into_iter()
            .flat_map(|facet| self.claim_problems(&facet));
        let mut problems = self.problems(event);
        problems.extend(claims);
        problems
    }

    /// Breaches of the schema at an address; a schema that is not there is a breach.
    fn breaches(&self, url: &str, instance: &Value) -> Vec<String> {
        match self.validator(url) {
            Ok(validator) => validator
                .iter_errors(instance)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect(),
            Err(error) => vec![format!("{url}: {error}")],
        }
    }

    fn validator(&self, url: &str) -> Result<Arc<jsonschema::Validator>, String> {
        let address = url.split('#').next().unwrap_or(url);
        if let Some(known) = self.built.borrow().get(address) {
            return Ok(Arc::clone(known));
        }
        let schema = self.load(address)?;
        let validator = jsonschema::options()
            .with_retriever(Offline(self.folder.clone()))
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| error.to_string())?;
        let validator = Arc::new(validator);
        let mut built = self.built.borrow_mut();
        built.insert(address.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }

    fn load(&self, address: &str) -> Result<Value, String> {
        Offline(self.folder.clone()).load(address)
    }
}

/// Finds published schemas on disk.
struct Offline(PathBuf);

impl Offline {
    fn load(&self, url: &str) -> Result<Value, String> {
        let address = url.split('#').next().unwrap_or(url);
        let rest = address
            .strip_prefix(SITE)
            .ok_or("it is not a published OpenLineage schema")?;
        let bytes = std::fs::read(self.0.join("published").join(rest))
            .map_err(|_| "there is no such published schema")?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }
}

impl jsonschema::Retrieve for Offline {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.load(uri.as_str())?)
    }
}

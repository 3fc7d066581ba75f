//! The context document, wherever it comes from.

use std::collections::BTreeMap;
use std::io::Read as _;

use mixline_schema::StepContext;
use serde_json::Value;

use crate::error::StepError;

/// The context of a call that gives flags only.
pub(crate) fn empty() -> StepContext {
    StepContext {
        store: String::new(),
        run: None,
        inputs: BTreeMap::new(),
        outputs: BTreeMap::new(),
        config: Value::Null,
        window: None,
        seed: 0,
        fingerprint: None,
        force: false,
    }
}

/// Reads the context document: inline JSON, `-` for standard input, or a path.
pub(crate) fn read(given: &str) -> Result<StepContext, StepError> {
    let (place, text) = if given.starts_with('{') {
        ("the inline context".to_owned(), given.to_owned())
    } else if given == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| {
                StepError::usage("the context cannot be read from standard input").because(error)
            })?;
        ("the context on standard input".to_owned(), text)
    } else {
        let path = given.strip_prefix("file://").unwrap_or(given);
        let text = std::fs::read_to_string(path).map_err(|error| {
            StepError::usage(format!("the context file `{path}` cannot be read"))
                .hint("give --context a path, inline JSON, or `-`")
                .because(error)
        })?;
        (format!("the context file `{path}`"), text)
    };
    let mut json = serde_json::Deserializer::from_str(&text);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let at = if path == "." {
            String::new()
        } else {
            format!(" at `{path}`")
        };
        StepError::usage(format!("{place} is wrong{at}")).because(error.into_inner())
    })
}

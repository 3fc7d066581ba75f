//! A task's configuration against the step's JSON Schema: unknown keys, before anything runs.
//!
//! Only names are checked here; the step itself checks values and reports them with their path.

use serde_json::Value;

use crate::error::PlanError;
use crate::suggest;

/// Unknown keys of `config`, at every depth where the schema is closed.
pub(crate) fn unknown_keys(
    file: &str,
    path: &str,
    config: &Value,
    schema: &Value,
) -> Vec<PlanError> {
    let mut errors = Vec::new();
    walk(file, path, config, schema, schema, &mut errors);
    errors
}

fn walk(
    file: &str,
    path: &str,
    value: &Value,
    schema: &Value,
    root: &Value,
    errors: &mut Vec<PlanError>,
) {
    let schema = resolve(schema, root);
    let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return;
    };
    let closed = schema["additionalProperties"] == Value::Bool(false);
    for (key, value) in fields {
        let below = format!("{path}.{key}");
        match known.get(key) {
            Some(schema) => walk(file, &below, value, schema, root, errors),
            None if closed => {
                let hint = suggest::hint(key, known.keys().map(String::as_str));
                let message = format!("`{key}` is not a configuration key of this step");
                errors.push(
                    PlanError::new(file, below, "config.unknown_key", message).maybe_hint(hint),
                );
            }
            None => {}
        }
    }
}

/// Follows `$ref` into `$defs`, and the one object of an `anyOf` with null.
fn resolve<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
        return root.pointer(pointer).unwrap_or(schema);
    }
    let options = schema["anyOf"].as_array().map_or(&[][..], Vec::as_slice);
    let mut objects = options.iter().filter(|o| o["type"] != "null");
    match (objects.next(), objects.next()) {
        (Some(only), None) => resolve(only, root),
        _ => schema,
    }
}

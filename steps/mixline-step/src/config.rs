//! Configuration: layers of JSON, checked before anything runs.
//!
//! Later layers win key by key: the context's `config`, then `--config FILE`, then each `--set`.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::StepError;

/// Puts `over` on top of `base`; objects are merged, everything else is replaced.
pub(crate) fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

/// Reads a TOML or JSON file.
pub(crate) fn read_file(path: &Path) -> Result<Value, StepError> {
    let at = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        StepError::config(format!("the configuration file `{at}` cannot be read")).because(error)
    })?;
    let broken = format!("the configuration file `{at}` is not valid");
    if path
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return serde_json::from_str(&text)
            .map_err(|error| StepError::config(broken).because(error));
    }
    text.parse::<toml::Table>()
        .map(|table| to_json(toml::Value::Table(table)))
        .map_err(|error| StepError::config(broken).because(error))
}

/// Applies one `key.path=value`.
pub(crate) fn set(config: &mut Value, assignment: &str) -> Result<(), StepError> {
    let usage = || {
        StepError::usage(format!("`--set {assignment}` is not an assignment"))
            .hint("write --set key=value or --set section.key=value")
    };
    let (path, text) = assignment.split_once('=').ok_or_else(usage)?;
    if path.split('.').any(|key| key.trim().is_empty()) {
        return Err(usage());
    }
    if config.is_null() {
        *config = Value::Object(Map::new());
    }
    let mut place = config;
    for key in path.split('.').map(str::trim) {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(fields) = place else {
            return Err(StepError::config(format!(
                "`--set {path}`: the part before `{key}` is a value"
            )));
        };
        place = fields.entry(key).or_insert(Value::Null);
    }
    *place = value_of(text);
    Ok(())
}

/// A TOML value where the text is one, the text itself otherwise: `3`, `true`, `[1, 2]`,
/// `"quoted"` and `plain words` all do what they look like.
fn value_of(text: &str) -> Value {
    match format!("value = {text}").parse::<toml::Table>() {
        Ok(mut table) if table.len() == 1 => table
            .remove("value")
            .map_or_else(|| Value::from(text), to_json),
        _ => Value::from(text),
    }
}

/// TOML as JSON; dates and times become their text.
fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(instant) => Value::String(instant.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => table
            .into_iter()
            .map(|(key, value)| (key, to_json(value)))
            .collect(),
    }
}

/// The typed configuration; an absent one is the empty object.
pub(crate) fn parse<C: DeserializeOwned>(raw: &Value) -> Result<C, StepError> {
    let object = normal(raw);
    serde_path_to_error::deserialize(&object).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." {
            "the configuration is wrong".to_owned()
        } else {
            format!("the configuration is wrong at `{path}`")
        };
        StepError::config(place)
            .hint("`describe` prints the configuration's JSON Schema")
            .because(error.into_inner())
    })
}

/// `null` and nothing mean the empty configuration.
pub(crate) fn normal(raw: &Value) -> Value {
    if raw.is_null() {
        Value::Object(Map::new())
    } else {
        raw.clone()
    }
}

/// Names every top-level key the schema does not know, so that a typo is refused even by a step
/// that forgot `deny_unknown_fields`.
pub(crate) fn refuse_unknown_keys(raw: &Value, schema: &Value) -> Result<(), StepError> {
    let Value::Object(given) = raw else {
        return Ok(());
    };
    let composed = ["oneOf", "anyOf", "allOf", "$ref"]
        .iter()
        .any(|key| schema.get(key).is_some());
    let open = !matches!(
        schema.get("additionalProperties"),
        None | Some(Value::Bool(false))
    );
    if composed || open {
        return Ok(());
    }
    let empty = Map::new();
    let known = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let quoted = |key: &String| format!("`{key}`");
    let unknown: Vec<String> = given
        .keys()
        .filter(|key| !known.contains_key(*key))
        .map(quoted)
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let known: Vec<String> = known.keys().map(quoted).collect();
    let hint = if known.is_empty() {
        "this step has no configuration".to_owned()
    } else {
        format!("known keys are {}", known.join(", "))
    };
    let message = format!("unknown configuration key {}", unknown.join(", "));
    Err(StepError::config(message).hint(hint))
}

/// The paths behind the observed keys of an effective configuration.
pub(crate) fn observed_paths(effective: &Value, keys: &[String]) -> Vec<String> {
    let mut paths = Vec::new();
    for key in keys {
        let place = key
            .split('.')
            .try_fold(effective, |value, part| value.get(part));
        match place {
            Some(Value::String(path)) => paths.push(path.clone()),
            Some(Value::Array(items)) => {
                paths.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    paths.retain(|path| !path.is_empty());
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use mixline_schema::ExitCode;
    use serde_json::json;

    #[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
    #[serde(default)]
    #[derive(Default)]
    struct Lax {
        draws: u32,
        nested: Vec<Inner>,
    }

    #[derive(Debug, Default, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters here")]
        rate: f64,
    }

    #[test]
    fn set_reads_toml_values_and_falls_back_to_text() {
        let mut config = Value::Null;
        for assignment in [
            "a=3",
            "b.c=true",
            "b.d=[1, 2]",
            "e=plain words",
            "f=\"7\"",
            "g=2026-11-20",
            "h=",
            "i=x=y",
        ] {
            set(&mut config, assignment).unwrap();
        }
        let expected = json!({
            "a": 3, "b": {"c": true, "d": [1, 2]}, "e": "plain words", "f": "7",
            "g": "2026-11-20", "h": "", "i": "x=y"
        });
        assert_eq!(config, expected);
        assert_eq!(
            set(&mut config, "novalue").unwrap_err().exit_code(),
            ExitCode::Usage
        );
        assert_eq!(
            set(&mut config, "a.b=1").unwrap_err().exit_code(),
            ExitCode::Config
        );
    }

    #[test]
    fn later_layers_win_key_by_key() {
        let mut base = json!({"a": 1, "b": {"c": 1, "d": 2}});
        merge(&mut base, json!({"b": {"c": [3]}, "e": 5}));
        assert_eq!(base, json!({"a": 1, "b": {"c": [3], "d": 2}, "e": 5}));
    }

    #[test]
    fn an_unknown_key_is_refused_even_when_the_step_forgot_to() {
        let schema = schemars::schema_for!(Lax).to_value();
        let error = refuse_unknown_keys(&json!({"drawz": 1}), &schema).unwrap_err();
        assert_eq!(
            error.chain(),
            "unknown configuration key `drawz`\n  hint: known keys are `draws`, `nested`"
        );
        assert_eq!(error.exit_code(), ExitCode::Config);
        refuse_unknown_keys(&json!({"draws": 1}), &schema).unwrap();
    }

    #[test]
    fn a_wrong_value_is_named_by_its_path() {
        let error = parse::<Lax>(&json!({"nested": [{"rate": "x"}]})).unwrap_err();
        assert!(
            error.chain().contains("at `nested[0].rate`"),
            "{}",
            error.chain()
        );
        let error = parse::<Lax>(&json!({"nested": [{"rate": 1.0, "rat": 2}]})).unwrap_err();
        assert!(
            error.chain().contains("unknown field `rat`"),
            "{}",
            error.chain()
        );
        let empty = parse::<Lax>(&Value::Null).unwrap();
        assert!(empty.draws == 0 && empty.nested.is_empty());
    }

    #[test]
    fn observed_keys_hold_a_path_or_a_list() {
        let config = json!({"file": "a.csv", "more": ["b", "c"], "source": {"dir": "d"}, "no": ""});
        let keys = ["file", "more", "source.dir", "no", "absent"].map(str::to_owned);
        assert_eq!(observed_paths(&config, &keys), ["a.csv", "b", "c", "d"]);
    }
}

//! The YAML file of OpenLineage's own clients (`OPENLINEAGE_CONFIG`), read as the variables that it
//! stands for.
//!
//! `transport: {auth: {apiKey: …}}` is `OPENLINEAGE__TRANSPORT__AUTH__API_KEY`; the keys of the Java
//! client (`apiKey`) and those of the Python client (`api_key`) are the same. What the file says wins
//! over variables, as in the official clients
//! (<https://openlineage.io/docs/client/python/configuration>).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::relay::SettingsError;

const VARIABLE: &str = "OPENLINEAGE_CONFIG";
/// What each variable of the file begins with.
const PREFIX: &str = "OPENLINEAGE";

/// Variable → value. Its values may be secrets: it has no `Debug`.
#[derive(Default)]
pub(super) struct ConfigFile(BTreeMap<String, String>);

impl ConfigFile {
    /// The file that the environment names. One that cannot be read is a warning, as the variable may be
    /// meant for another machine.
    pub(super) fn named_by(get: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let Some(path) = get(VARIABLE) else {
            return Ok(Self::default());
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|problem| SettingsError::Value {
                name: format!("{VARIABLE} ({path})"),
                problem,
            }),
            Err(error) => {
                tracing::warn!(path, %error, "{VARIABLE} names a file that cannot be read");
                Ok(Self::default())
            }
        }
    }

    /// What is wrong is said without the text: it may hold a key.
    fn parse(text: &str) -> Result<Self, String> {
        let document: Value = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location();
            let place = place.map(|at| format!(" at line {}, column {}", at.line(), at.column()));
            format!("is not YAML{}", place.unwrap_or_default())
        })?;
        let mut file = Self::default();
        match document {
            Value::Null => {}
            Value::Object(_) => file.flatten(PREFIX, &document),
            _ => return Err("holds no keys; it begins with `transport:`".to_owned()),
        }
        Ok(file)
    }

    /// A group of keys is known as a whole, in JSON, and by each of them.
    fn flatten(&mut self, name: &str, value: &Value) {
        if let Value::Object(keys) = value {
            for (key, value) in keys {
                self.flatten(&format!("{name}__{}", screaming(key)), value);
            }
        }
        let text = match value {
            Value::Null => return,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.0.insert(name.to_owned(), text);
    }

    /// What the file says about a variable.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// `apiKey` and `api_key` as `API_KEY`.
fn screaming(key: &str) -> String {
    let mut name = String::new();
    let mut after_small = false;
    for letter in key.chars() {
        if letter.is_uppercase() && after_small {
            name.push('_');
        }
        after_small = letter.is_lowercase() || letter.is_ascii_digit();
        name.extend(letter.to_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_clients_are_variables() {
        let text = "transport:\n  type: http\n  url: https://lineage\n  timeout: 2.5\n  \
                    auth: {type: api_key, apiKey: secret}\n  custom_headers: {x-team: data}\n\
                    facets: {disabled: [spark_unknown]}\n";
        let file = ConfigFile::parse(text).unwrap();
        for (name, value) in [
            ("TYPE", "http"),
            ("URL", "https://lineage"),
            ("TIMEOUT", "2.5"),
            ("AUTH__API_KEY", "secret"),
            ("CUSTOM_HEADERS", r#"{"x-team":"data"}"#),
            ("COMPRESSION", ""),
        ] {
            let got = file.get(&format!("OPENLINEAGE__TRANSPORT__{name}"));
            assert_eq!(got.unwrap_or_default(), value, "{name}");
        }
        assert_eq!(screaming("logFilePath"), screaming("log_file_path"));
    }

    #[test]
    fn what_is_no_configuration_is_told_by_its_place_and_shows_no_key() {
        for text in [
            "transport: {apiKey: topsecret",
            "- topsecret",
            "a: topsecret: b",
        ] {
            let problem = ConfigFile::parse(text).err().unwrap();
            assert!(!problem.contains("topsecret"), "{problem}");
        }
        let problem = ConfigFile::parse("transport:\n  a: b\n c: [\n")
            .err()
            .unwrap();
        assert!(problem.contains("line 3"), "{problem}");
        assert!(ConfigFile::parse("").unwrap().0.is_empty());
    }

    #[test]
    fn a_file_of_another_machine_stops_nobody() {
        let file = ConfigFile::named_by(&|_| Some("/no/such/openlineage.yml".to_owned()));
        assert!(file.unwrap().0.is_empty());
    }
}

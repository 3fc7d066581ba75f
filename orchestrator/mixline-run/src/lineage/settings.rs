//! Where lineage goes: `mixline.toml`, and the variables that OpenLineage's own clients read.
//!
//! | variable | meaning |
//! |---|---|
//! | `OPENLINEAGE_DISABLED` | `true`: nothing is told to anybody |
//! | `OPENLINEAGE_URL`, `OPENLINEAGE_ENDPOINT` | the server, and the path on it (`api/v1/lineage`) |
//! | `OPENLINEAGE_API_KEY` | bearer token |
//! | `OPENLINEAGE_NAMESPACE` | namespace of our jobs |
//! | `OPENLINEAGE_PARENT_ID`, `OPENLINEAGE_ROOT_PARENT_ID` | `namespace/job/run-id` of who started us |
//! | `AZURE_STORAGE_ACCOUNT_NAME` | the account by which datasets on Azure are named |
//! | `OPENLINEAGE_CONFIG` | a YAML file that says what `OPENLINEAGE__…` says (`config_file.rs`) |
//! | `OPENLINEAGE__TRANSPORT__…` | `TYPE` (`http`, `file`, `console`), `URL`, `ENDPOINT`, `TIMEOUT` (seconds), `AUTH` (JSON), `AUTH__TYPE`, `AUTH__API_KEY`, `CUSTOM_HEADERS` (JSON), `COMPRESSION` (`gzip`), `LOG_FILE_PATH` |
//!
//! A variable wins over `mixline.toml`, a transport variable over its short form, and the YAML file over
//! both, as in the official clients.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::config_file::ConfigFile;
use super::consumer::{OpenLineage, Transport};
use super::dataset::named_by_account;
use crate::event::{Origin, ParentRun};
use crate::project::Project;
use crate::relay::{Consumer, Http, HttpSettings, SettingsError};

/// How variables are looked up: the edges pass the environment, tests a map.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

const TRANSPORT: &str = "OPENLINEAGE__TRANSPORT__";
const ENDPOINT: &str = "api/v1/lineage";
/// The account of a store on Azure, as the store itself reads it.
const ACCOUNT: &str = "AZURE_STORAGE_ACCOUNT_NAME";

/// The consumers of OpenLineage events that the project and the environment ask for.
///
/// # Errors
/// [`SettingsError`] with the variable or address that cannot be used.
pub fn consumers(
    project: &Project,
    variables: Variables<'_>,
) -> Result<Vec<Arc<dyn Consumer>>, SettingsError> {
    let get = |name: &str| variables(name).filter(|value| !value.trim().is_empty());
    if get("OPENLINEAGE_DISABLED").is_some_and(|value| is_true(&value)) {
        return Ok(Vec::new());
    }
    let file = ConfigFile::named_by(&get)?;
    let get = |name: &str| file.get(name).or_else(|| get(name));
    let namespace = namespace(project, variables);
    let store = named_by_account(&project.store, get(ACCOUNT).as_deref());
    let consumer = |(name, transport)| {
        Arc::new(OpenLineage::new(name, &namespace, &store, transport)) as Arc<dyn Consumer>
    };
    let transports = named(transports(project, &get)?);
    Ok(transports.into_iter().map(consumer).collect())
}

/// Where events go. The project's file comes first, so that its name in the outbox is the same with
/// and without variables. A file that is asked for twice is written once.
fn transports(
    project: &Project,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Transport>, SettingsError> {
    let own = project.openlineage_file.clone();
    let asked = transport(project, get)?.filter(|asked| match (asked, &own) {
        (Transport::File(asked), Some(own)) => !is_same(asked, own),
        _ => true,
    });
    Ok(own.map(Transport::File).into_iter().chain(asked).collect())
}

fn is_same(one: &Path, other: &Path) -> bool {
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole(one) == whole(other)
}

/// Gives each a name of its own: the outbox knows them by it.
fn named(transports: Vec<Transport>) -> Vec<(String, Transport)> {
    let mut seen = BTreeMap::new();
    let name = |transport: Transport| {
        let name = transport.name();
        let count = seen.entry(name).and_modify(|count| *count += 1);
        match *count.or_insert(1) {
            1 => (name.to_owned(), transport),
            count => (format!("{name}-{count}"), transport),
        }
    };
    transports.into_iter().map(name).collect()
}

/// The namespace of our jobs.
#[must_use]
pub fn namespace(project: &Project, variables: Variables<'_>) -> String {
    let set = variables("OPENLINEAGE_NAMESPACE").filter(|value| !value.trim().is_empty());
    set.unwrap_or_else(|| project.namespace.clone())
}

/// Who started this process, for the runs it was started for. What cannot be read is a warning:
/// somebody else's variable must not stop a run.
#[must_use]
pub fn origin(variables: Variables<'_>) -> Origin {
    let parent = |name: &str| {
        let text = variables(name).filter(|text| !text.is_empty())?;
        let parsed = ParentRun::parse(&text);
        if parsed.is_none() {
            tracing::warn!(
                variable = name,
                "is not `namespace/job/run-id` and is left out"
            );
        }
        parsed
    };
    Origin {
        parent: parent("OPENLINEAGE_PARENT_ID"),
        root: parent("OPENLINEAGE_ROOT_PARENT_ID"),
        traceparent: variables("TRACEPARENT").filter(|text| !text.is_empty()),
    }
}

fn transport(
    project: &Project,
    get: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Transport>, SettingsError> {
    let of_transport = |key: &str| get(&format!("{TRANSPORT}{key}"));
    let url = of_transport("URL")
        .or_else(|| get("OPENLINEAGE_URL"))
        .or_else(|| project.openlineage.url.clone());
    let kind = of_transport("TYPE").map(|kind| kind.to_lowercase());
    match (kind.as_deref(), url) {
        (Some("console"), _) => Ok(Some(Transport::Console)),
        (Some("file"), _) => {
            let path = of_transport("LOG_FILE_PATH").or_else(|| of_transport("LOCATION"));
            let path = path
                .ok_or_else(|| wrong("LOG_FILE_PATH", "is missing; the file transport needs it"))?;
            Ok(Some(Transport::File(PathBuf::from(path))))
        }
        (Some("http") | None, Some(url)) => http(project, get, &url).map(Some),
        (Some("http"), None) => Err(wrong("URL", "is missing; the http transport needs it")),
        (None, None) => Ok(None),
        (Some(other), _) => {
            let problem = format!("is `{other}`; `http`, `file` and `console` are known");
            Err(wrong("TYPE", &problem))
        }
    }
}

fn http(
    project: &Project,
    get: &dyn Fn(&str) -> Option<String>,
    url: &str,
) -> Result<Transport, SettingsError> {
    let of_transport = |key: &str| get(&format!("{TRANSPORT}{key}"));
    let endpoint = of_transport("ENDPOINT")
        .or_else(|| get("OPENLINEAGE_ENDPOINT"))
        .or_else(|| project.openlineage.endpoint.clone())
        .unwrap_or_else(|| ENDPOINT.to_owned());
    let mut settings = HttpSettings::new(url);
    settings.token = token(get)?;
    if let Some(seconds) = of_transport("TIMEOUT") {
        let seconds = seconds.trim().parse().ok();
        settings.timeout = seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|timeout| !timeout.is_zero())
            .ok_or_else(|| wrong("TIMEOUT", "is not a positive number of seconds"))?;
    }
    settings.gzip = match of_transport("COMPRESSION").as_deref() {
        None => false,
        Some("gzip") => true,
        Some(_) => {
            return Err(wrong(
                "COMPRESSION",
                "is not `gzip`; leave it out to send plain JSON",
            ));
        }
    };
    if let Some(headers) = of_transport("CUSTOM_HEADERS") {
        let headers: BTreeMap<String, String> = serde_json::from_str(&headers)
            .map_err(|_| wrong("CUSTOM_HEADERS", "is not a JSON object of texts"))?;
        settings.headers = headers.into_iter().collect();
    }
    let http = Http::new(&settings)?;
    Ok(Transport::Http { http, endpoint })
}

/// The bearer token: nested variables, one JSON document, or the short form.
fn token(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, SettingsError> {
    let of_auth = |key: &str| get(&format!("{TRANSPORT}AUTH__{key}"));
    if let Some(key) = of_auth("API_KEY").or_else(|| of_auth("APIKEY")) {
        return Ok(Some(key));
    }
    if let Some(auth) = get(&format!("{TRANSPORT}AUTH")) {
        let auth: Value = serde_json::from_str(&auth).map_err(|_| {
            wrong(
                "AUTH",
                "is not a JSON object like {\"type\": \"api_key\", \"apiKey\": \"…\"}",
            )
        })?;
        let key = auth.get("apiKey").or_else(|| auth.get("api_key"));
        return Ok(key.and_then(Value::as_str).map(str::to_owned));
    }
    Ok(get("OPENLINEAGE_API_KEY"))
}

fn wrong(key: &str, problem: &str) -> SettingsError {
    SettingsError::Value {
        name: format!("{TRANSPORT}{key}"),
        problem: problem.to_owned(),
    }
}

fn is_true(value: &str) -> bool {
    matches!(
        value.trim().to_lowercase().as_str(),
        "true" | "1" | "t" | "y" | "yes" | "on"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(file: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, SettingsError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mixline.toml"), file).unwrap();
        let project = Project::load(dir.path(), None).unwrap();
        let map: BTreeMap<String, String> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let all = consumers(&project, &|name| map.get(name).cloned())?;
        Ok(all.iter().map(|consumer| format!("{consumer:?}")).collect())
    }

    #[test]
    fn variables_win_over_the_file_and_transport_variables_over_short_ones() {
        let file = "[openlineage]\nurl = \"http://file:1\"\n";
        assert!(asked("", &[]).unwrap().is_empty());
        assert!(asked(file, &[]).unwrap()[0].contains("http://file:1"));
        let short = ("OPENLINEAGE_URL", "http://short:1");
        assert!(asked(file, &[short]).unwrap()[0].contains("http://short:1"));
        let long = ("OPENLINEAGE__TRANSPORT__URL", "http://long:1");
        assert!(asked(file, &[short, long]).unwrap()[0].contains("http://long:1"));
        let endpoint = ("OPENLINEAGE_ENDPOINT", "custom/path");
        assert!(asked(file, &[endpoint]).unwrap()[0].contains("custom/path"));
        assert!(
            asked(file, &[short, ("OPENLINEAGE_DISABLED", "true")])
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn the_file_of_the_official_clients_wins_over_variables() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openlineage.yml");
        let transport = "transport: {type: http, url: 'http://yaml:1', auth: {apiKey: topsecret}}";
        std::fs::write(&path, transport).unwrap();
        let file = ("OPENLINEAGE_CONFIG", path.to_str().unwrap());
        let long = ("OPENLINEAGE__TRANSPORT__URL", "http://long:1");
        let shown = &asked("", &[file, long]).unwrap()[0];
        assert!(shown.contains("http://yaml:1"), "{shown}");
        assert!(!shown.contains("topsecret"), "{shown}");
        std::fs::write(&path, "transport: {type: kafka}").unwrap();
        let said = asked("", &[file]).unwrap_err().to_string();
        assert!(said.contains("kafka"), "{said}");
    }

    #[test]
    fn transports_beside_http() {
        let kind = |kind| ("OPENLINEAGE__TRANSPORT__TYPE", kind);
        assert!(asked("", &[kind("console")]).unwrap()[0].contains("Console"));
        let path = ("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", "events.ndjson");
        assert!(asked("", &[kind("file"), path]).unwrap()[0].contains("events.ndjson"));
        let both = asked(
            "openlineage_file = \"x\"\n",
            &[("OPENLINEAGE_URL", "http://h:1")],
        );
        assert_eq!(both.unwrap().len(), 2);
        let url = ("OPENLINEAGE_URL", "http://h:1");
        let lz4 = ("OPENLINEAGE__TRANSPORT__COMPRESSION", "lz4");
        for wrong in [
            &[kind("kafka")][..],
            &[kind("http")],
            &[kind("file")],
            &[url, lz4],
        ] {
            let said = asked("", wrong).unwrap_err().to_string();
            assert!(said.contains(TRANSPORT), "{said}");
        }
    }

    #[test]
    fn two_files_have_two_names_and_one_file_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = "openlineage_file = \"own.ndjson\"\n";
        std::fs::write(dir.path().join("mixline.toml"), file).unwrap();
        let project = Project::load(dir.path(), None).unwrap();
        let names = |path: &Path| {
            let path = path.display().to_string();
            let consumers = consumers(&project, &|name| match name {
                "OPENLINEAGE__TRANSPORT__TYPE" => Some("file".to_owned()),
                "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH" => Some(path.clone()),
                _ => None,
            });
            let names = consumers.unwrap().into_iter().map(|c| c.name().to_owned());
            names.collect::<Vec<_>>()
        };
        let two = names(&dir.path().join("other.ndjson"));
        assert_eq!(two, ["openlineage-file", "openlineage-file-2"]);
        assert_eq!(names(&dir.path().join("own.ndjson")), ["openlineage-file"]);
    }

    #[test]
    fn datasets_on_azure_are_named_by_the_account_of_the_store() {
        let file = "store = \"az://lake/shop\"\nopenlineage_file = \"x\"\n";
        let account = ("AZURE_STORAGE_ACCOUNT_NAME", "acme");
        let named = &asked(file, &[account]).unwrap()[0];
        let store = "abfss://lake@acme.dfs.core.windows.net/shop";
        assert!(named.contains(store), "{named}");
        assert!(asked(file, &[]).unwrap()[0].contains("az://lake/shop"));
    }

    #[test]
    fn the_key_is_found_in_each_form_and_never_shown() {
        for (name, value) in [
            ("OPENLINEAGE_API_KEY", "topsecret"),
            ("OPENLINEAGE__TRANSPORT__AUTH__API_KEY", "topsecret"),
            (
                "OPENLINEAGE__TRANSPORT__AUTH",
                r#"{"type": "api_key", "apiKey": "topsecret"}"#,
            ),
        ] {
            let get = |asked: &str| (asked == name).then(|| value.to_owned());
            assert_eq!(token(&get).unwrap().as_deref(), Some("topsecret"), "{name}");
            let shown = asked("", &[("OPENLINEAGE_URL", "http://h:1"), (name, value)]).unwrap();
            assert!(!shown[0].contains("topsecret"), "{}", shown[0]);
        }
    }

    #[test]
    fn a_parent_that_cannot_be_read_stops_nobody() {
        let id = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";
        let good = format!("ns/job/{id}");
        let read = |value: &str| {
            origin(&|name| (name == "OPENLINEAGE_PARENT_ID").then(|| value.to_owned())).parent
        };
        assert_eq!(read(&good).map(|parent| parent.job), Some("job".to_owned()));
        assert_eq!(read("nonsense"), None);
    }
}

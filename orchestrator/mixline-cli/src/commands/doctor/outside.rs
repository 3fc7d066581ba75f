//! The world outside: credentials, and who has not been told yet. Values are never shown.

use mixline_run::store::Backlog;
use mixline_run::{Engine, Project};

use super::Check;
use crate::failure::Outcome;
use crate::outside::{self, variable};

/// Variables that give credentials, by the scheme of the store. One line each is enough.
const OF_STORES: &[(&str, &[&[&str]])] = &[
    (
        "s3",
        &[
            &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
            &["AWS_WEB_IDENTITY_TOKEN_FILE"],
            &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
        ],
    ),
    (
        "gs",
        &[
            &["GOOGLE_SERVICE_ACCOUNT"],
            &["GOOGLE_APPLICATION_CREDENTIALS"],
        ],
    ),
    (
        "az",
        &[
            &["AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"],
            &["AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"],
            &["AZURE_FEDERATED_TOKEN_FILE"],
        ],
    ),
];

/// Which credentials are there, by name.
pub(super) fn credentials(project: &Project) -> Vec<Check> {
    let scheme = project.store.split_once("://").map(|(scheme, _)| scheme);
    let of_store = OF_STORES.iter().find(|(name, _)| Some(*name) == scheme);
    let mut checks: Vec<Check> = of_store
        .map(|(_, ways)| store_credentials(ways))
        .into_iter()
        .collect();
    if lineage_server(project) {
        checks.push(match is_set("OPENLINEAGE_API_KEY") {
            true => Check::ok("credentials", "OPENLINEAGE_API_KEY is set"),
            false => Check::ok(
                "credentials",
                "OPENLINEAGE_API_KEY is not set; servers without a key need none",
            ),
        });
    }
    checks
}

fn store_credentials(ways: &[&[&str]]) -> Check {
    match ways
        .iter()
        .find(|names| names.iter().all(|name| is_set(name)))
    {
        Some(names) => Check::ok("credentials", format!("{} set", names.join(" and "))),
        None => {
            let known: Vec<String> = ways.iter().map(|names| names.join(" + ")).collect();
            let seen = format!("none of {} is set", known.join(", "));
            let advice = "set one of them, unless the machine has a role of its own";
            Check::warn("credentials", seen, advice)
        }
    }
}

fn lineage_server(project: &Project) -> bool {
    project.openlineage.url.is_some() || is_set("OPENLINEAGE_URL")
}

fn is_set(name: &str) -> bool {
    variable(name).is_some_and(|value| !value.is_empty())
}

/// Who has not been told of every run yet.
pub(super) async fn outbox(engine: &Engine) -> Outcome<Check> {
    let backlogs = engine.state().backlogs().await?;
    if backlogs.is_empty() {
        return Ok(Check::ok("outbox", "everybody has been told of every run"));
    }
    let known = outside::names(engine)?;
    let (told, strangers): (Vec<_>, Vec<_>) = backlogs
        .iter()
        .partition(|backlog| known.contains(&backlog.consumer));
    let seen: Vec<String> = backlogs.iter().map(waiting).collect();
    Ok(Check::warn(
        "outbox",
        seen.join("; "),
        &advice(&told, &strangers),
    ))
}

fn waiting(backlog: &Backlog) -> String {
    let why = backlog.error.as_deref().unwrap_or("not tried yet");
    let (consumer, runs) = (&backlog.consumer, backlog.runs);
    format!("{consumer} waits for {runs} run(s): {why}")
}

/// What to do for those who will be told, and for those whom nobody will tell.
fn advice(told: &[&Backlog], strangers: &[&Backlog]) -> String {
    let mut advice = Vec::new();
    if !told.is_empty() {
        let text = "the next command that runs a DAG, or the scheduler, tries again; check the \
                    server's address and key";
        advice.push(text.to_owned());
    }
    for Backlog { consumer, .. } in strangers {
        advice.push(format!(
            "{consumer} is not configured here: configure it again, or drop what waits with \
             `mixline state forget-consumer {consumer}`"
        ));
    }
    advice.join("; ")
}

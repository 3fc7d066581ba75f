//! The program as callers start it: secrets in its environment, deliveries in its store.

use std::path::Path;
use std::process::{Command, Output};

use mixline_artifact::Store;
use mixline_schema::catalog::Deliveries;

use crate::receiver::{Answer, Receiver};

const BRIEFING: &str = include_str!("../data/briefing.csv");

/// A folder with a briefing and a configuration.
struct Project(tempfile::TempDir);

impl Project {
    fn new(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("briefing.csv"), BRIEFING).unwrap();
        std::fs::write(dir.path().join("notify.toml"), config).unwrap();
        Self(dir)
    }

    fn run(&self, environment: &[(&str, &str)]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_step-notify"))
            .args(["run", "--store", "./store", "--config", "notify.toml"])
            .args(["--in", "briefing=briefing.csv", "--log", "trace"])
            .envs(environment.iter().copied())
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn deliveries(&self) -> Vec<Deliveries> {
        let folder = self.0.path().join("store").display().to_string();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let store = Store::open(&folder).await.unwrap();
            let log = store.log("deliveries").unwrap();
            log.read_table::<Deliveries>(None).await.unwrap().rows()
        })
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Every byte of every file below a folder.
fn files(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(files(&path));
        } else {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

const CONFIG: &str = r#"
retry_delay_ms = 5
attempts = 2
[targets.team]
kind = "slack"
url_env = "TEST_CHAT_URL"
[targets.ops]
kind = "webhook"
url_env = "TEST_HOOK_URL"
secret_env = "TEST_HOOK_SECRET"
"#;

#[test]
fn a_failed_run_keeps_what_was_sent_and_the_next_one_sends_the_rest() {
    let chat = Receiver::start(&[]);
    let hook = Receiver::start(&[Answer::Status(503, ""), Answer::Status(503, "")]);
    let (chat_url, hook_url) = (chat.url("/chat-token"), hook.url("/hook-token"));
    let environment = [
        ("TEST_CHAT_URL", chat_url.as_str()),
        ("TEST_HOOK_URL", hook_url.as_str()),
        ("TEST_HOOK_SECRET", "signing-secret"),
    ];
    let project = Project::new(CONFIG);
    let first = project.run(&environment);
    assert_eq!(first.status.code(), Some(75), "{}", said(&first));
    let statuses = |rows: &[Deliveries]| -> Vec<(String, String, i64)> {
        let status = |row: &Deliveries| (row.target.clone(), row.status.clone(), row.attempts);
        rows.iter().map(status).collect()
    };
    let owned = |rows: [(&str, &str, i64); 2]| rows.map(|(a, b, c)| (a.into(), b.into(), c));
    assert_eq!(
        statuses(&project.deliveries()),
        owned([("ops", "failed", 2), ("team", "sent", 1)])
    );
    let second = project.run(&environment);
    assert_eq!(second.status.code(), Some(0), "{}", said(&second));
    assert_eq!(
        statuses(&project.deliveries()),
        owned([("ops", "sent", 3), ("team", "sent", 1)])
    );
    let third = project.run(&environment);
    assert_eq!(third.status.code(), Some(0), "{}", said(&third));
    assert_eq!((chat.connections(), hook.connections()), (1, 3));
    let stored = String::from_utf8_lossy(&files(&project.0.path().join("store"))).into_owned();
    for secret in [
        "chat-token",
        "hook-token",
        "signing-secret",
        crate::receiver::BODY,
    ] {
        for output in [&first, &second, &third] {
            assert!(
                !said(output).contains(secret),
                "{secret} in {}",
                said(output)
            );
        }
        assert!(!stored.contains(secret), "{secret} is in the store");
    }
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let output = Project::new(CONFIG).run(&[("TEST_CHAT_URL", "https://hooks.example/x")]);
    assert_eq!(output.status.code(), Some(77));
    let said = said(&output);
    assert!(
        said.contains("TEST_HOOK_") && said.contains("targets.ops"),
        "{said}"
    );
}

#[test]
fn wrong_configurations_exit_as_such() {
    for (config, word) in [
        ("[targets.a]\nkind = \"pigeon\"", "pigeon"),
        (
            "[targets.a]\nkind = \"slack\"\nurl_env = \"A\"\nchannel = \"x\"",
            "channel",
        ),
        ("retries = 2", "retries"),
    ] {
        let output = Project::new(config).run(&[]);
        assert_eq!(output.status.code(), Some(78), "{}", said(&output));
        assert!(said(&output).contains(word), "{}", said(&output));
    }
}

#[test]
fn without_targets_an_empty_table_is_committed() {
    let project = Project::new("");
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("no targets are configured"));
    assert!(project.deliveries().is_empty());
}

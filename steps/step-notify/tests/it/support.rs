//! One run of the step, with secrets in files of a temporary folder.

use std::path::PathBuf;

use mixline_schema::catalog::{Briefing, Deliveries, File};
use mixline_step::{Context, Step as _, StepError, Table};
use serde_json::{Value, json};
use step_notify::{Config, Inputs, Notify};

/// The report of every test: bytes that no text encoding would keep.
pub(crate) const REPORT: &[u8] = b"<!doctype html>\n<p>line\r\n\xff\x00.\r\n..\n\xc3\xbc</p>";

/// A step with its targets.
pub(crate) struct Bench {
    dir: tempfile::TempDir,
    pub(crate) config: Value,
    pub(crate) sentences: Vec<Briefing>,
    pub(crate) report: bool,
}

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) rows: Vec<Deliveries>,
    pub(crate) error: Option<StepError>,
    pub(crate) notes: Value,
}

impl Bench {
    /// Fast retries, no targets.
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            config: json!({"targets": {}, "retry_delay_ms": 5, "timeout_seconds": 5}),
            sentences: week(),
            report: true,
        }
    }

    /// The same with one more configuration key.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.config[key] = value;
        self
    }

    pub(crate) fn target(mut self, name: &str, target: Value) -> Self {
        self.config["targets"][name] = target;
        self
    }

    /// A file that holds a secret.
    pub(crate) fn secret(&self, name: &str, value: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, format!("{value}\n")).unwrap();
        path
    }

    pub(crate) fn slack(self, name: &str, url: &str) -> Self {
        let file = self.secret(name, url);
        self.target(name, json!({"kind": "slack", "url_file": file}))
    }

    /// A webhook whose secret is `whsec_` and base64 of `signing key of NAME`.
    pub(crate) fn webhook(self, name: &str, url: &str, secret: &str) -> Self {
        let url = self.secret(name, url);
        let secret = self.secret(&format!("{name}.key"), secret);
        self.target(
            name,
            json!({"kind": "webhook", "url_file": url, "secret_file": secret}),
        )
    }

    pub(crate) fn email(self, name: &str, port: u16, changes: Value) -> Self {
        let mut target = json!({
            "kind": "email", "host": "127.0.0.1", "port": port, "security": "none",
            "from": "Mixline <reports@example.com>", "to": ["Team Ö <team@example.com>"]
        });
        let fields = target.as_object_mut().unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        self.target(name, target)
    }

    /// A run that must come to an end, good or bad.
    pub(crate) fn run(&self, before: &[Deliveries]) -> Run {
        let ctx = Context::for_test();
        let config = self.config();
        let outputs = Notify::run(&config, self.inputs(before), &ctx).unwrap();
        Run {
            rows: outputs.deliveries.rows(),
            error: ctx.late_failure(),
            notes: serde_json::to_value(ctx.notes()).unwrap(),
        }
    }

    /// A run that must fail before anything is sent.
    pub(crate) fn refused(&self) -> StepError {
        let config = self.config();
        Notify::run(&config, self.inputs(&[]), &Context::for_test()).unwrap_err()
    }

    fn config(&self) -> Config {
        let config = serde_json::from_value(self.config.clone()).unwrap();
        Notify::validate(&config).unwrap();
        config
    }

    fn inputs(&self, before: &[Deliveries]) -> Inputs {
        let file = File {
            name: "weekly.html".to_owned(),
            media_type: "text/html".to_owned(),
            bytes: REPORT.to_vec(),
        };
        Inputs {
            briefing: Table::from_rows(self.sentences.clone()).unwrap(),
            report: self.report.then(|| Table::from_rows(vec![file]).unwrap()),
            deliveries: Some(Table::from_rows(before.to_vec()).unwrap()),
        }
    }
}

impl Run {
    /// Target, status and tries of every row.
    pub(crate) fn told(&self) -> Vec<(&str, &str, i64)> {
        fn told(row: &Deliveries) -> (&str, &str, i64) {
            (&row.target, &row.status, row.attempts)
        }
        self.rows.iter().map(told).collect()
    }

    /// The error's whole text.
    pub(crate) fn said(&self) -> String {
        self.error
            .as_ref()
            .map(StepError::chain)
            .unwrap_or_default()
    }
}

pub(crate) fn sentence(position: i64, kind: &str, level: &str, text: &str) -> Briefing {
    Briefing {
        position,
        kind: kind.to_owned(),
        level: level.to_owned(),
        text: text.to_owned(),
    }
}

fn week() -> Vec<Briefing> {
    vec![
        sentence(0, "subject", "info", "Week 46: Umsätze & spend"),
        sentence(
            1,
            "verdict",
            "warning",
            "Spend grew <fast>; orders did not.",
        ),
        sentence(2, "finding", "info", "Meta brought 3.1 for each euro."),
        sentence(
            3,
            "finding",
            "error",
            "TikTok has sent no data since Friday.",
        ),
        sentence(4, "decision", "info", "Move 10 % from TikTok to search."),
    ]
}

//! A real MLflow server on loopback: runs, params, metrics, files, model versions and aliases.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::readers::python;
use crate::support::{Project, text};

/// A server with everything in a scratch folder; its process group ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        // MLflow starts workers of its own; the group is ours alone.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(python: &Path, folder: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a port")
            .port();
        std::fs::create_dir_all(folder).expect("a folder");
        let log = std::fs::File::create(folder.join("server.log")).expect("a log");
        let child = Command::new(python)
            .args([
                "-m",
                "mlflow",
                "server",
                "--host",
                "127.0.0.1",
                "--workers",
                "1",
            ])
            .args(["--port", &port.to_string()])
            .args([
                "--backend-store-uri",
                &format!("sqlite:///{}/mlflow.db", folder.display()),
            ])
            .args([
                "--artifacts-destination",
                &folder.join("files").display().to_string(),
            ])
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("python starts");
        let server = Self { child, port };
        for _ in 0..900 {
            if server
                .ask("GET", "/health", None)
                .is_some_and(|(status, _)| status == 200)
            {
                return server;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
        panic!("the MLflow server did not start\n{log}");
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let body = body.map(Value::to_string).unwrap_or_default();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            self.port
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer.split(' ').nth(1)?.parse().ok()?;
        let (_, body) = answer.split_once("\r\n\r\n")?;
        Some((status, body.to_owned()))
    }

    fn document(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let path = format!("/api/2.0/mlflow/{path}");
        let (status, body) = self.ask(method, &path, body).expect("an answer");
        assert_eq!(status, 200, "{path}: {body}");
        let (start, end) = (body.find('{').unwrap_or(0), body.rfind('}').unwrap_or(0));
        serde_json::from_str(&body[start..=end]).expect("a document")
    }

    /// The runs of an experiment.
    fn runs(&self, experiment: &str) -> Vec<Value> {
        let path = format!("experiments/get-by-name?experiment_name={experiment}");
        let id = self.document("GET", &path, None)["experiment"]["experiment_id"].clone();
        let found = self.document(
            "POST",
            "runs/search",
            Some(&json!({ "experiment_ids": [id] })),
        );
        found["runs"].as_array().cloned().unwrap_or_default()
    }

    fn alias(&self, alias: &str) -> String {
        let path = format!("registered-models/alias?name=mixline-mmm&alias={alias}");
        let found = self.document("GET", &path, None);
        found["model_version"]["version"]
            .as_str()
            .expect("a version")
            .to_owned()
    }
}

fn run(project: &Project, server: &Server, args: &[&str]) -> String {
    let output = project
        .mixline(args)
        .env("MLFLOW_TRACKING_URI", server.url())
        .output();
    let output = output.expect("mixline starts");
    assert!(
        output.status.success(),
        "{args:?}\n{}",
        text(&output.stderr)
    );
    text(&output.stderr)
}

fn entry<'a>(run: &'a Value, list: &str, key: &str) -> &'a Value {
    let entries = run["data"][list]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let found = entries.iter().find(|entry| entry["key"] == key);
    found.map_or(&Value::Null, |entry| &entry["value"])
}

#[test]
fn runs_models_and_aliases_are_logged_once_and_a_server_that_is_away_is_told_later() {
    let Some(python) = python() else { return };
    let project = Project::initialized();
    let days = ["--set", "days=500", "--seed", "3"];
    project.ok(&[&["step", "run", "step-synthesize", "--"][..], &days].concat());
    project.ok(&["run", "daily_ingest"]);
    let server = Server::start(&python, &project.path().join("mlflow"));
    // Files of this experiment lie elsewhere than its number says.
    let elsewhere = json!({
        "name": "weekly_retrain",
        "artifact_location": "mlflow-artifacts:/team/mmm",
    });
    server.document("POST", "experiments/create", Some(&elsewhere));
    // Nobody listens on port 9: a warning, no failure, and the run waits for a better address.
    let away = project
        .mixline(&["run", "weekly_retrain"])
        .env("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        .output()
        .expect("mixline starts");
    assert!(away.status.success(), "{}", text(&away.stderr));
    assert!(
        text(&away.stderr).contains("mlflow does not know of 1 run"),
        "{}",
        text(&away.stderr)
    );
    // All reused: nothing new to log, and what waited is told.
    let mut said = String::new();
    for _ in 0..10 {
        said = run(&project, &server, &["run", "weekly_retrain"]);
        if !said.contains("does not know") {
            break;
        }
    }
    assert!(!said.contains("does not know"), "{said}");
    let runs = server.runs("weekly_retrain");
    assert_eq!(runs.len(), 1, "{runs:#?}");
    let logged = &runs[0];
    assert_eq!(logged["info"]["status"], "FINISHED");
    assert_eq!(entry(logged, "params", "fit.draws"), "1000");
    assert!(
        entry(logged, "metrics", "fit.worst_r_hat")
            .as_f64()
            .is_some_and(|r| r < 1.05)
    );
    assert_eq!(server.alias("challenger"), "1");
    assert_eq!(server.alias("champion"), "1");
    let id = logged["info"]["run_id"].as_str().expect("an id");
    let files = server.document("GET", &format!("artifacts/list?run_id={id}"), None);
    assert!(
        files["files"]
            .as_array()
            .is_some_and(|files| !files.is_empty()),
        "{files:#}"
    );

    // The same run told again, as after a crash before the last position was kept.
    let database = project.path().join(".mixline/state.db");
    let again = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); \
        db.execute(\"INSERT INTO outbox (consumer, run_id) SELECT 'mlflow', run_id FROM runs \
        WHERE dag = 'weekly_retrain'\"); db.commit()";
    let told = Command::new(&python)
        .args(["-c", again])
        .arg(&database)
        .output();
    assert!(told.expect("python starts").status.success());
    let mut said = String::new();
    for _ in 0..10 {
        said = run(&project, &server, &["resume"]);
        if !said.contains("does not know") {
            break;
        }
    }
    assert!(!said.contains("does not know"), "{said}");
    assert_eq!(server.runs("weekly_retrain").len(), 1);
    let versions = server.document(
        "GET",
        "model-versions/search?filter=name%3D%27mixline-mmm%27",
        None,
    );
    assert_eq!(
        versions["model_versions"].as_array().map(Vec::len),
        Some(1),
        "{versions:#}"
    );
    let metric = format!("metrics/get-history?run_id={id}&metric_key=fit.worst_r_hat");
    let history = server.document("GET", &metric, None);
    assert_eq!(
        history["metrics"].as_array().map(Vec::len),
        Some(1),
        "{history:#}"
    );

    // A promotion by hand is told at once, and one that cannot be told stands all the same.
    let alias = json!({ "name": "mixline-mmm", "alias": "champion" });
    server.document("DELETE", "registered-models/alias", Some(&alias));
    let models = project.ok(&["model", "list", "--json"]);
    let models: Value = serde_json::from_str(&models).expect("a document");
    let model = models[0]["model_id"].as_str().expect("a model");
    let said = run(&project, &server, &["model", "promote", model]);
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(server.alias("champion"), "1");
    let away = project
        .mixline(&["model", "promote", model])
        .env("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        .output()
        .expect("mixline starts");
    assert!(away.status.success(), "{}", text(&away.stderr));
    assert!(text(&away.stderr).contains("MLflow was not told"));
}

//! Mixline as `docker/compose.yaml` deploys it: the scheduler in its image, with the engine's socket, a
//! state database on Postgres, a store in a bucket, and the steps as containers beside it. Only the
//! network is the machine's own here, where compose makes one.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use mixline_servers::{Postgres, S3};
use serde_json::Value;

use crate::between::engine_socket;
use crate::containers::{images_or_skip, is_root, open_to_nobody, own, seen_running};
use crate::support::{Project, text};

/// A window every few seconds, as long as it takes to see one run.
const DAG: &str = "name = \"beat\"\n[schedule]\ncron = \"*/3 * * * * *\"\nzone = \"UTC\"\n\
    [tasks.deployed]\nstep = \"step-noop\"\nconfig = { sleep_ms = 1500 }\n";
/// Time for a run, with a scheduler to be started and a database to be made.
const PATIENCE: Duration = Duration::from_secs(120);
/// Who it all belongs to when the tests run as root: root is nobody's user in a container.
const USER: &str = "65532:65532";

/// The scheduler's container; gone with the test.
struct Deployed {
    name: String,
}

impl Deployed {
    /// Waits until `seen` sees something, and tells all that the scheduler said when it does not, or
    /// when the scheduler is gone.
    fn wait<T>(&self, what: &str, mut seen: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(seen) = seen() {
                return seen;
            }
            let state = self.state();
            let goes_on = state.starts_with("running") && began.elapsed() < PATIENCE;
            assert!(
                goes_on,
                "no {what} after {:?}; the scheduler: {state}\n{}",
                began.elapsed(),
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its state and its exit code.
    fn state(&self) -> String {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
        docker(&["inspect", "--format", format, &self.name]).1
    }

    fn log(&self) -> String {
        docker(&["logs", "--timestamps", &self.name]).1
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        let _ = docker(&["rm", "--force", &self.name]);
    }
}

fn docker(args: &[&str]) -> (bool, String) {
    let output = Command::new("docker").args(args).output();
    let output = output.expect("docker starts");
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.success(), said)
}

/// A project whose store is a bucket and whose steps are containers on the machine's network.
fn project(images: &str, store: &str) -> Project {
    let project = Project::empty();
    let file = project.path().join("mixline.toml");
    let config = format!(
        "store = {store:?}\nexecutor = \"container\"\nsteps = []\n[container]\nimage = {images:?}\n\
         network = \"host\"\nenv = [\"AWS_ENDPOINT\", \"AWS_ALLOW_HTTP\"]\n"
    );
    std::fs::write(&file, config).expect("writes");
    project.dag("beat", DAG);
    open_to_nobody(project.path());
    if is_root() {
        own(project.path());
    }
    project
}

/// Starts the scheduler as compose.yaml does.
fn deploy(project: &Project, images: &str, variables: &[(&str, String)]) -> Deployed {
    let (socket, folder) = (engine_socket(), project.path().display().to_string());
    let group = std::fs::metadata(&socket).expect("a socket").gid();
    let name = format!("mixline-deployed-{}", std::process::id());
    let mut command: Vec<String> = [
        "run",
        "--detach",
        "--name",
        &name,
        "--network",
        "host",
        "--user",
        USER,
        "--read-only",
        "--cap-drop",
        "ALL",
        "--security-opt",
        "no-new-privileges:true",
        "--tmpfs",
        "/tmp",
    ]
    .map(str::to_owned)
    .into();
    command.extend(["--group-add".to_owned(), group.to_string()]);
    command.extend(["--volume".to_owned(), format!("{folder}:{folder}")]);
    command.extend([
        "--volume".to_owned(),
        format!("{socket}:/var/run/docker.sock"),
    ]);
    command.extend(["--workdir".to_owned(), folder.clone()]);
    command.extend(["--env".to_owned(), format!("MIXLINE_PROJECT={folder}")]);
    for (name, value) in variables {
        command.extend(["--env".to_owned(), format!("{name}={value}")]);
    }
    command.push(images.replace("{step}", "orchestrator"));
    command.extend(["schedule".to_owned(), "run".to_owned()]);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    let (started, said) = docker(&command);
    assert!(started, "{said}");
    Deployed { name }
}

#[test]
fn the_scheduler_in_its_image_runs_steps_beside_it_and_leaves_them_alone_when_it_stops() {
    let images = images_or_skip!();
    let (Some(database), Some(bucket)) = (Postgres::start(), S3::start()) else {
        return;
    };
    let project = project(&images, &bucket.store_url());
    let mut variables = bucket.variables();
    variables.push(("MIXLINE_DATABASE_URL", database.database()));
    let deployed = deploy(&project, &images, &variables);
    let step = deployed.wait("container of the step", || seen_running("deployed"));
    // The grace of compose: what runs is left alone, and adopted at the next start.
    let (stopped, said) = docker(&["stop", "--time", "15", &deployed.name]);
    assert!(stopped, "{said}");
    let (state, log) = (deployed.state(), deployed.log());
    let code = state.split_whitespace().nth(1);
    assert!(
        code.is_some_and(|code| ["0", "143"].contains(&code)),
        "{state}\n{log}"
    );
    assert!(docker(&["inspect", &step]).0, "the step outlives it\n{log}");
    let (started, said) = docker(&["start", &deployed.name]);
    assert!(started, "{said}");
    let ended = deployed.wait("two runs that succeeded", || {
        let runs = runs(&project, &variables);
        let good = runs.iter().filter(|run| run["state"] == "succeeded");
        (good.count() >= 2).then_some(runs)
    });
    let bad = ended.iter().find(|run| run["state"] == "failed");
    assert_eq!(bad, None, "{}", deployed.log());
}

/// The runs, as `mixline` outside sees them in the same database.
fn runs(project: &Project, variables: &[(&'static str, String)]) -> Vec<Value> {
    let mut command = project.mixline(&["runs", "list", "--json"]);
    let output = command.envs(variables.iter().cloned()).output();
    let output = output.expect("mixline starts");
    let shown = text(&output.stdout);
    let shown: Value = serde_json::from_str(&shown).unwrap_or(Value::Null);
    shown["runs"].as_array().cloned().unwrap_or_default()
}

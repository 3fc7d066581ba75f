//! Steps as containers of a real Docker engine: the same tables, the same reuse, the same ends.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::between::Between;
use crate::support::{Project, bin, text};

/// Who the images run as when the project belongs to root.
const NOBODY: u32 = 65532;
/// Long enough for a container to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pattern of the images, made by `cargo dev test` together with an engine.
pub(crate) fn images() -> Option<String> {
    let images = std::env::var_os("MIXLINE_TEST_IMAGES")?;
    Some(images.to_string_lossy().into_owned())
}

/// The images, or a word why the test is left out; in CI that is an error.
macro_rules! images_or_skip {
    () => {
        match $crate::containers::images() {
            Some(images) => images,
            None => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "CI runs the container tests: use `cargo dev test`"
                );
                eprintln!("skipped: MIXLINE_TEST_IMAGES is not set; `cargo dev test` sets it");
                return;
            }
        }
    };
}
pub(crate) use images_or_skip;

/// Makes a project one whose tasks are containers, and readable to nobody.
fn contain(project: &Project, images: &str) {
    let file = project.path().join("mixline.toml");
    let config = std::fs::read_to_string(&file).expect("reads");
    let container =
        format!("executor = \"container\"\n{config}\n[container]\nimage = {images:?}\n");
    std::fs::write(&file, container).expect("writes");
    let store = project.path().join("store");
    std::fs::create_dir_all(&store).expect("writes");
    open_to_nobody(project.path());
    // Of what tells who somebody is, only an initialized project has the key.
    let state = project.path().join(".mixline");
    std::fs::create_dir_all(&state).expect("writes");
    if is_root() {
        own(&store);
        own(&state);
    }
}

pub(crate) fn open_to_nobody(folder: &Path) {
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder, open).expect("our own folder");
}

/// Gives a file, or a folder with all that is in it, to nobody.
pub(crate) fn own(path: &Path) {
    let owner = format!("{NOBODY}:{NOBODY}");
    let owned = Command::new("chown")
        .args(["-R", &owner])
        .arg(path)
        .status();
    assert!(owned.expect("chown starts").success());
}

pub(crate) fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id starts");
    text(&id.stdout).trim() == "0"
}

/// What `docker` prints.
fn docker(args: &[&str]) -> String {
    let output = Command::new("docker")
        .args(args)
        .output()
        .expect("docker starts");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "docker {args:?} failed\n{out}\n{err}"
    );
    out
}

/// Ids of the containers of a project's tasks named `task`, running or not.
fn containers(task: &str) -> Vec<String> {
    let filter = format!("label=io.mixline.task={task}");
    let ids = docker(&["ps", "--all", "--quiet", "--filter", &filter]);
    ids.lines().map(str::to_owned).collect()
}

/// Waits until the task has a container that runs.
fn running(task: &str) -> String {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(id) = seen_running(task) {
            return id;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no container of {task} within {PATIENCE:?}");
}

/// The container of the task that runs at this moment.
pub(crate) fn seen_running(task: &str) -> Option<String> {
    let filter = format!("label=io.mixline.task={task}");
    let ids = docker(&["ps", "--quiet", "--filter", &filter]);
    ids.lines().next().map(str::to_owned)
}

/// A DAG of one task that waits. Its name is the task's, so that tests do not meet.
fn waiting(name: &str, sleep_ms: u64) -> String {
    format!(
        "name = \"{name}\"\n[tasks.{name}]\nstep = \"step-noop\"\nretries = 2\n\
         retry_delay = \"10ms\"\nmemory_mib = 300\nconfig = {{ sleep_ms = {sleep_ms} }}\n"
    )
}

/// Artifact → content digest of its newest version.
async fn digests(project: &Project, artifacts: &[&str]) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for artifact in artifacts {
        let history = project.history(artifact).await;
        let newest = history.last().expect("a version");
        digests.insert((*artifact).to_owned(), newest.digest.to_string());
    }
    digests
}

#[tokio::test]
async fn daily_ingest_in_containers_makes_the_same_tables_and_then_reuses_them() {
    let images = images_or_skip!();
    let artifacts = [
        "media_daily",
        "orders",
        "attribution_events",
        "unified_daily_metrics",
    ];
    let synthesize = [
        "step",
        "run",
        "step-synthesize",
        "--",
        "--set",
        "days=90",
        "--seed",
        "3",
    ];
    let processes = Project::initialized();
    let contained = Project::initialized();
    // E-mails are hashed with a key of the project: the same key, the same hashes.
    let key = ".mixline/hash.key";
    std::fs::copy(processes.path().join(key), contained.path().join(key)).expect("copies");
    for project in [&processes, &contained] {
        project.ok(&synthesize);
    }
    contain(&contained, &images);
    processes.ok(&["run", "daily_ingest"]);
    contained.ok(&["run", "daily_ingest"]);
    assert_eq!(
        digests(&processes, &artifacts).await,
        digests(&contained, &artifacts).await
    );
    let plan = contained.ok(&["plan", "daily_ingest"]);
    assert!(plan.contains("nothing to run"), "{plan}");
    let events = contained.ok(&["logs", "latest", "ingest"]);
    assert!(
        events.contains("\"level\":\"INFO\""),
        "JSON lines of the step: {events}"
    );
}

#[tokio::test]
async fn a_container_outlives_its_orchestrator_and_is_found_again() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("outlives", &waiting("outlives", 6000));
    contain(&project, &images);
    let mut run = project.mixline(&["run", "outlives"]);
    run.stdout(Stdio::null()).stderr(Stdio::null());
    let mut orchestrator = run.spawn().expect("mixline starts");
    let id = running("outlives");
    orchestrator.kill().expect("kill -9");
    orchestrator.wait().expect("reaped");
    let format = "{{.HostConfig.Memory}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} \
                  {{.HostConfig.NetworkMode}}";
    let seen = docker(&["inspect", "--format", format, &id]);
    assert_eq!(seen.trim(), format!("{} true [ALL] none", 300 << 20));
    let user = docker(&["inspect", "--format", "{{.Config.User}}", &id]);
    assert!(!user.starts_with("0:") && !user.trim().is_empty(), "{user}");
    let resumed = project.ok(&["resume"]);
    assert!(resumed.contains("succeeded"), "{resumed}");
    let history = project.history("noop").await;
    assert_eq!(history.len(), 1, "one container, one commit");
    let provenance = history[0].provenance.as_ref().expect("a step wrote it");
    assert_eq!(
        provenance.run.as_ref().map(|run| run.attempt),
        Some(1),
        "no second attempt"
    );
    assert_eq!(
        containers("outlives"),
        Vec::<String>::new(),
        "nothing is left behind"
    );
}

#[tokio::test]
async fn an_engine_that_is_away_for_a_while_loses_and_doubles_nothing() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("away", &waiting("away", 5000));
    contain(&project, &images);
    let engine = Between::honest();
    let mut run = project.mixline(&["run", "away"]);
    run.env("DOCKER_HOST", engine.host());
    run.stdout(Stdio::null()).stderr(Stdio::null());
    let mut orchestrator = run.spawn().expect("mixline starts");
    running("away");
    engine.cut(true);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(containers("away").len(), 1, "nobody started another one");
    engine.cut(false);
    assert!(orchestrator.wait().expect("reaped").success());
    let history = project.history("noop").await;
    assert_eq!(history.len(), 1, "one container, one commit");
    let provenance = history[0].provenance.as_ref().expect("a step wrote it");
    let attempt = provenance.run.as_ref().map(|run| run.attempt);
    assert_eq!(attempt, Some(1), "no second attempt");
    let said = project.ok(&["logs", "latest", "away"]);
    assert!(
        said.contains("output committed"),
        "heard to its end: {said}"
    );
    assert_eq!(containers("away"), Vec::<String>::new());
}

#[tokio::test]
async fn an_engine_that_forgets_who_follows_a_log_holds_nobody_up() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("forgotten", &waiting("forgotten", 1));
    contain(&project, &images);
    let engine = Between::forgetful();
    let mut run = project.mixline(&["run", "forgotten"]);
    let output = run.env("DOCKER_HOST", engine.host()).output();
    let output = output.expect("mixline starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(engine.forgotten(), 2, "to describe itself, and to work");
    assert_eq!(project.history("noop").await.len(), 1);
    let said = project.ok(&["logs", "latest", "forgotten"]);
    assert!(
        said.contains("output committed"),
        "heard to its end: {said}"
    );
    assert_eq!(containers("forgotten"), Vec::<String>::new());
}

#[tokio::test]
async fn a_killed_container_is_tried_again() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("killed", &waiting("killed", 3000));
    contain(&project, &images);
    let mut run = project.mixline(&["run", "killed"]);
    run.stdout(Stdio::null()).stderr(Stdio::null());
    let mut orchestrator = run.spawn().expect("mixline starts");
    docker(&["kill", "--signal", "KILL", &running("killed")]);
    assert!(orchestrator.wait().expect("reaped").success());
    let history = project.history("noop").await;
    assert_eq!(history.len(), 1);
    let provenance = history[0].provenance.as_ref().expect("a step wrote it");
    assert_eq!(provenance.run.as_ref().map(|run| run.attempt), Some(2));
    assert_eq!(containers("killed"), Vec::<String>::new());
}

#[tokio::test]
async fn a_stopped_run_stops_its_container_and_commits_nothing() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("stopped", &waiting("stopped", 60_000));
    contain(&project, &images);
    let mut run = project.mixline(&["run", "stopped"]);
    run.stdout(Stdio::null()).stderr(Stdio::null());
    let mut orchestrator = run.spawn().expect("mixline starts");
    running("stopped");
    // A signal that comes before the step listens would end it by force: also an end, not this one.
    std::thread::sleep(Duration::from_secs(2));
    let pid = orchestrator.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.expect("kill starts").success());
    let ended = orchestrator.wait().expect("reaped");
    assert_eq!(ended.code(), Some(143));
    assert!(project.history("noop").await.is_empty());
    assert_eq!(containers("stopped"), Vec::<String>::new());
}

#[test]
fn an_image_that_is_nowhere_is_a_configuration_error_that_names_it() {
    let images = images_or_skip!();
    let project = Project::empty();
    let task = "name = \"none\"\n[tasks.none]\nstep = \"step-noop\"\nimage = \"no.such/image:1\"\n";
    project.dag("none", task);
    contain(&project, &images);
    let output = project.output(&["run", "none"]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{err}");
    assert!(
        err.contains("no.such/image:1") && err.contains("pull"),
        "{err}"
    );
}

#[test]
fn doctor_compares_images_with_binaries() {
    let images = images_or_skip!();
    let project = Project::empty();
    project.dag("waits", &waiting("waits", 1));
    contain(&project, &images);
    let check = || {
        let seen = text(&project.output(&["doctor", "--json"]).stdout);
        let seen: serde_json::Value = serde_json::from_str(&seen).expect("a document");
        let checks = seen["checks"].as_array().expect("checks").clone();
        let check = checks.into_iter().find(|check| check["what"] == "images");
        check.expect("images are looked at")
    };
    assert_eq!(check()["verdict"], "ok", "{}", check());
    let file = project.path().join("mixline.toml");
    let config = std::fs::read_to_string(&file).expect("reads");
    let other = images.replace("{step}", "step-fit");
    std::fs::write(&file, config.replace(&images, &other)).expect("writes");
    assert_eq!(check()["verdict"], "warn");
    let seen = check()["seen"].to_string();
    assert!(seen.contains("holds step-fit, not step-noop"), "{seen}");
    std::fs::write(&file, config.replace(&images, "no.such/{step}:1")).expect("writes");
    assert_eq!(check()["verdict"], "fail");
    let seen = check()["seen"].to_string();
    assert!(seen.contains("no.such/step-noop:1"), "{seen}");
}

#[test]
fn every_binary_has_an_image() {
    let images = images_or_skip!();
    let folder = bin("mixline").parent().expect("a folder").to_owned();
    let names = std::fs::read_dir(folder)
        .expect("lists")
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().to_string_lossy().into_owned();
            (name.starts_with("step-") && !name.contains('.')).then_some(name)
        });
    for name in names {
        docker(&["image", "inspect", &images.replace("{step}", &name)]);
    }
}

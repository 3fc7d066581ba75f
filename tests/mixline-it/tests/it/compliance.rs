//! Every step is held to the contract with real inputs, as a binary and as an image: what the three
//! pipelines have written is read by one step alone.

use mixline_schema::StepDescriptor;
use serde_json::Value;

use crate::containers::{images, is_root, open_to_nobody, own};
use crate::support::{Project, bin};

/// What only a process, or only an image, gives a chance to check.
const OF_PROCESSES: &[&str] = &["describe_fast"];
const OF_IMAGES: &[&str] = &["xcom", "non_root", "read_only_root"];

#[tokio::test]
async fn every_step_keeps_the_contract_as_a_binary_and_as_an_image() {
    let images = images();
    assert!(
        images.is_some() || std::env::var_os("CI").is_none(),
        "CI checks images: use `cargo dev test`"
    );
    let project = project();
    let mut calls = Vec::new();
    for descriptor in steps(&project) {
        calls.push((
            descriptor.name.clone(),
            arguments(&project, &descriptor).await,
        ));
    }
    let binaries = || {
        let call = |(step, arguments): &(String, Vec<String>)| {
            let binary = bin(step).display().to_string();
            verify(&project, &binary, arguments, OF_IMAGES)
        };
        calls.iter().flat_map(call).collect::<Vec<_>>()
    };
    let contained = || {
        let images = images.iter();
        let calls = images.flat_map(|images| calls.iter().map(move |call| (images, call)));
        let call = |(images, (step, arguments)): (&String, &(String, Vec<String>))| {
            verify(
                &project,
                &images.replace("{step}", step),
                arguments,
                OF_PROCESSES,
            )
        };
        calls.flat_map(call).collect::<Vec<_>>()
    };
    let broken = std::thread::scope(|scope| {
        let binaries = scope.spawn(binaries);
        let mut broken = contained();
        broken.extend(binaries.join().expect("no assertion broke"));
        broken
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    if images.is_none() {
        eprintln!("images are left out: MIXLINE_TEST_IMAGES is not set; `cargo dev test` sets it");
    }
}

/// A project in which every pipeline has run, readable to the user of the images.
fn project() -> Project {
    let project = Project::initialized();
    let synthesize = "step run step-synthesize -- --set days=500 --seed 3";
    project.ok(&synthesize.split(' ').collect::<Vec<_>>());
    for dag in ["daily_ingest", "weekly_retrain", "weekly_optimize"] {
        project.ok(&["run", dag]);
    }
    std::fs::create_dir_all(project.path().join("inputs")).expect("writes");
    open_to_nobody(project.path());
    if is_root() {
        own(&project.path().join(".mixline"));
    }
    project
}

fn steps(project: &Project) -> Vec<StepDescriptor> {
    let listed = project.ok(&["step", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let steps = listed["steps"].as_array().expect("a list");
    let descriptor = |step: &Value| serde_json::from_value(step["descriptor"].clone());
    steps
        .iter()
        .map(|step| descriptor(step).expect("a descriptor"))
        .collect()
}

/// The rules that a step breaks, or that were not checked though they could have been.
fn verify(project: &Project, step: &str, arguments: &[String], left_out: &[&str]) -> Vec<String> {
    let folder = project.path().display().to_string();
    let mut args = vec!["step", "verify", step, "--json", "--mount", &folder];
    // The one step that can be told to take its time.
    if step.contains("step-noop") {
        args.extend(["--slow", "--set sleep_ms=30000"]);
    }
    args.push("--");
    args.extend(arguments.iter().map(String::as_str));
    let output = project.output(&args);
    let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut broken = Vec::new();
    for finding in seen["findings"].as_array().expect("findings") {
        let rule = finding["rule"].as_str().expect("a rule");
        let unchecked = finding["verdict"] == "not_applicable" && !left_out.contains(&rule);
        if finding["verdict"] == "fail" || unchecked {
            broken.push(format!("{step}: {finding}"));
        }
        if rule == "sigterm" {
            eprintln!("{step}: {}", finding["detail"]);
        }
    }
    broken
}

/// What makes a step succeed on its own: its inputs as files, and its folders where it may write.
async fn arguments(project: &Project, descriptor: &StepDescriptor) -> Vec<String> {
    let mut arguments = Vec::new();
    let store = project.store().await;
    for port in &descriptor.inputs {
        let log = store.log(&port.artifact).expect("a legal name");
        if log.head().await.expect("lists").is_none() {
            continue;
        }
        // A table of one file is that file; others are written as one.
        let files = log.snapshot(None).await.expect("reads").files;
        let file = match files.as_slice() {
            [only] => project
                .path()
                .join("store")
                .join(&port.artifact)
                .join(&only.path),
            _ => {
                let name = format!("{}.parquet", port.artifact);
                let file = project.path().join("inputs").join(name);
                let to = file.display().to_string();
                project.ok(&["artifact", "export", &port.artifact, "--to", &to]);
                file
            }
        };
        let input = format!("{}={}", port.name, file.display());
        arguments.extend(["--in".to_owned(), input]);
    }
    let folders: &[(&str, &str)] = match descriptor.name.as_str() {
        "step-ingest" => &[
            ("sources", "sources"),
            ("data", "data/raw"),
            ("hash_key_file", ".mixline/hash.key"),
        ],
        _ => &[],
    };
    // Less of what takes long: stopping and going on are looked at, not the numbers.
    let quick: &[&str] = match descriptor.name.as_str() {
        "step-fit" => &["draws=200", "tune=200"],
        "step-weigh" => &["resamples=20"],
        _ => &[],
    };
    for setting in quick {
        arguments.extend(["--set".to_owned(), (*setting).to_owned()]);
    }
    for (setting, folder) in folders {
        let path = project.path().join(folder).display().to_string();
        arguments.extend(["--set".to_owned(), format!("{setting}={path}")]);
    }
    arguments
}

//! Kill -9 at random moments: after a restart every run ends in a legal state.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Project, asked, text};

const TASKS: usize = 4;
/// Kills in this run; the bar asks for 200.
const KILLS_VARIABLE: &str = "MIXLINE_CRASH_KILLS";

#[tokio::test]
async fn kill_nine_at_random_points_loses_nothing_and_doubles_nothing() {
    let kills = asked(KILLS_VARIABLE, 200_u64);
    let project = Project::empty();
    project.dag("chain", &chain());
    for kill in 0..kills {
        let seed = kill.to_string();
        let mut run = project.mixline(&["run", "chain", "--seed", &seed]);
        run.stdout(Stdio::null()).stderr(Stdio::null());
        let mut orchestrator = run.spawn().expect("mixline starts");
        std::thread::sleep(Duration::from_millis(pause(kill)));
        if kill % 2 == 0 {
            kill_steps(&project);
        }
        orchestrator.kill().expect("kill -9");
        orchestrator.wait().expect("reaped");
        if kill % 10 == 9 {
            settle(&project).await;
        }
    }
    settle(&project).await;
    for task in 0..TASKS {
        every_version_reads_whole(&project, &format!("noop_{task}")).await;
    }
}

/// Restarts, lets every open run end, and looks at what is left.
async fn settle(project: &Project) {
    let resumed = project.output(&["resume"]);
    assert!(resumed.status.code().is_some(), "resume was killed");
    let runs = project.ok(&["runs", "list", "--json", "--limit", "1000"]);
    let legal = ["succeeded", "failed", "cancelled"];
    let runs: serde_json::Value = serde_json::from_str(&runs).expect("runs are JSON");
    for run in runs["runs"].as_array().expect("a list of runs") {
        let state = run["state"].as_str().unwrap_or_default();
        assert!(
            legal.contains(&state),
            "run left in {state}: {run}\n{}",
            text(&resumed.stderr)
        );
    }
    for task in 0..TASKS {
        no_version_is_lost_or_doubled(project, &format!("noop_{task}")).await;
    }
}

async fn no_version_is_lost_or_doubled(project: &Project, artifact: &str) {
    let history = project.history(artifact).await;
    let versions: Vec<u64> = history.iter().map(|c| c.version).collect();
    assert_eq!(
        versions,
        (0..versions.len() as u64).collect::<Vec<_>>(),
        "{artifact} has a gap"
    );
    // Work is done twice when a commit repeats the one before it. That a step of a killed run
    // commits between two attempts of the next run, and the next run then has to put its own rows
    // back, is as it must be: the newest commit is what the table holds.
    let fingerprints: Vec<String> = history
        .iter()
        .filter_map(|commit| commit.provenance.as_ref())
        .map(|provenance| provenance.fingerprint.to_string())
        .collect();
    let doubled = fingerprints.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(doubled, None, "{artifact}: committed twice");
}

async fn every_version_reads_whole(project: &Project, artifact: &str) {
    let log = project.store().await.log(artifact).expect("a legal name");
    let head = log
        .head()
        .await
        .expect("the log lists")
        .expect("there is a version");
    assert!(
        head > 20,
        "the kills came too early to test anything: {artifact}@{head}"
    );
    for version in 0..=head {
        log.read(Some(version))
            .await
            .expect("every visible version reads whole");
    }
}

/// A pause that walks over the whole life of a run, from before its first write to its end. A run
/// of four steps takes about a tenth of a second, more on a machine that is busy.
fn pause(kill: u64) -> u64 {
    kill.wrapping_mul(2_654_435_761) % 240
}

fn kill_steps(project: &Project) {
    let pattern = format!("step-noop.*{}", project.path().display());
    let _ = Command::new("pkill").args(["-9", "-f", &pattern]).status();
}

fn chain() -> String {
    let mut dag = String::from("name = \"chain\"\n[defaults]\nretry_delay = \"10ms\"\n");
    for i in 0..TASKS {
        dag += &format!(
            "\n[tasks.noop_{i}]\nstep = \"step-noop\"\noutputs = {{ out = \"noop_{i}\" }}\n"
        );
        if i > 0 {
            dag += &format!("inputs = {{ input = \"noop_{}\" }}\n", i - 1);
        }
    }
    dag
}

//! Many processes commit to one artifact at once.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};

use crate::support::{Project, asked, bin, text};

const PROCESSES: u64 = 16;
/// The full 100 rounds of the bar, when asked for; a tenth in every test run.
const ROUNDS_VARIABLE: &str = "MIXLINE_RACE_ROUNDS";

#[tokio::test]
async fn sixteen_processes_commit_to_one_artifact_and_none_is_lost_or_doubled() {
    let rounds = asked(ROUNDS_VARIABLE, 10_u64);
    let project = Project::empty();
    for round in 0..rounds {
        let seeds = (0..PROCESSES).map(|i| round * PROCESSES + i);
        let racers: Vec<Child> = seeds.map(|seed| commit(&project, seed)).collect();
        for racer in racers {
            let output = racer.wait_with_output().expect("the step ends");
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
    }
    let history = project.history("noop").await;
    let versions: Vec<u64> = history.iter().map(|c| c.version).collect();
    assert_eq!(
        versions,
        (0..rounds * PROCESSES).collect::<Vec<_>>(),
        "one order without a gap"
    );
    let seeds: BTreeSet<u64> = history
        .iter()
        .filter_map(|c| c.provenance.as_ref())
        .map(|p| p.seed)
        .collect();
    assert_eq!(
        seeds.len() as u64,
        rounds * PROCESSES,
        "every commit present exactly once"
    );
}

fn commit(project: &Project, seed: u64) -> Child {
    Command::new(bin("step-noop"))
        .args(["run", "--store", "./store", "--seed", &seed.to_string()])
        .current_dir(project.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the step starts")
}

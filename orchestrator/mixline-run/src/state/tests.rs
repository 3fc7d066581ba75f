//! Laws of the policy, over random plans, random outcomes and random orders of events.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use mixline_schema::{Digest, FingerprintInputs};
use proptest::prelude::*;

use super::*;
use crate::fixture::{plan, task};

/// One thing that is under way and will come to an event.
#[derive(Debug, Clone)]
enum Under {
    Settling(String),
    Attempt(String, u32),
    Timer(String, DateTime<Utc>),
}

struct World {
    state: RunState,
    under: Vec<Under>,
    seq: u64,
    now: DateTime<Utc>,
    launches: BTreeMap<String, u32>,
    log: Vec<RecordedEvent>,
}

impl World {
    fn new(tasks: Vec<PlannedTask>, max_parallel: usize, slots: usize) -> Self {
        let mut world = Self {
            state: RunState::default(),
            under: Vec::new(),
            seq: 0,
            now: DateTime::UNIX_EPOCH,
            launches: BTreeMap::new(),
            log: Vec::new(),
        };
        world.send(RunEvent::RunCreated {
            plan: Box::new(plan(tasks)),
            trigger: "test".into(),
            max_parallel,
            pools: BTreeMap::from([("pool".to_owned(), slots)]),
            origin: Box::default(),
        });
        world
    }

    fn send(&mut self, event: RunEvent) {
        let mut events = std::collections::VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            self.now += TimeDelta::milliseconds(1);
            let at = self.now;
            let recorded = RecordedEvent {
                run_id: "r".into(),
                seq: self.seq,
                at,
                event,
            };
            self.seq += 1;
            self.log.push(recorded.clone());
            for command in self.state.apply(&recorded) {
                self.obey(command, &mut events);
            }
        }
    }

    fn obey(&mut self, command: Command, events: &mut std::collections::VecDeque<RunEvent>) {
        match command {
            Command::Record(event) => events.push_back(event),
            Command::Settle { task } => self.under.push(Under::Settling(task)),
            Command::Wake { task, at } => self.under.push(Under::Timer(task, at)),
            Command::Launch { task, attempt } => {
                let again = self
                    .under
                    .iter()
                    .any(|u| matches!(u, Under::Attempt(name, _) if *name == task));
                assert!(!again, "{task} runs twice at once");
                self.ready(&task);
                *self.launches.entry(task.clone()).or_default() += 1;
                self.under.push(Under::Attempt(task.clone(), attempt));
                events.push_back(RunEvent::AttemptStarted { task, attempt });
            }
            Command::Kill { task } => {
                let running = self
                    .under
                    .iter()
                    .any(|u| matches!(u, Under::Attempt(name, _) if *name == task));
                assert!(running, "{task} is stopped and does not run");
            }
        }
    }

    fn ready(&self, task: &str) {
        let rules = &self.state.rules[task];
        for dep in &rules.deps {
            let state = self.state.task(dep).unwrap().state;
            let good = matches!(
                state,
                TaskState::Succeeded | TaskState::Reused | TaskState::Skipped
            ) || (state == TaskState::Failed && self.state.rules[dep].tolerated);
            assert!(good, "{task} starts while {dep} is {state:?}");
        }
    }

    fn busy(&self) -> usize {
        self.under
            .iter()
            .filter(|under| matches!(under, Under::Attempt(..)))
            .count()
    }

    /// Lets one of the things under way come to its end, as the two numbers say.
    fn step(&mut self, which: u8, how: u8) {
        let under = self.under.remove(usize::from(which) % self.under.len());
        let event = match under {
            Under::Settling(task) => settled(task, how),
            Under::Attempt(task, attempt) => ended(task, attempt, how),
            Under::Timer(task, at) => {
                self.now = self.now.max(at);
                RunEvent::RetryDue { task }
            }
        };
        self.send(event);
    }
}

fn settled(task: String, how: u8) -> RunEvent {
    match how % 8 {
        0 => RunEvent::TaskReused {
            task,
            fingerprint: Digest::of_bytes(b"f"),
            outputs: Vec::new(),
        },
        1 => RunEvent::TaskSkipped {
            task,
            reason: "no input".into(),
        },
        _ => queued(task),
    }
}

fn queued(task: String) -> RunEvent {
    let document = FingerprintInputs {
        step: "step-x".into(),
        code_version: "1".into(),
        config: serde_json::Value::Null,
        inputs: BTreeMap::new(),
        observed: BTreeMap::new(),
        window: None,
        seed: 0,
    };
    RunEvent::TaskQueued {
        task,
        inputs: BTreeMap::new(),
        fingerprint: mixline_schema::fingerprint(&document),
        document: Box::new(document),
        reasons: Vec::new(),
    }
}

fn ended(task: String, attempt: u32, how: u8) -> RunEvent {
    let class = match how % 10 {
        0 => ErrorClass::Transient,
        1 => ErrorClass::Infrastructure,
        2 => ErrorClass::Data,
        3 => ErrorClass::Stopped,
        4 => return RunEvent::AttemptLost { task, attempt },
        5 => {
            return RunEvent::TaskSkipped {
                task,
                reason: "exit 99".into(),
            };
        }
        _ => {
            return RunEvent::AttemptSucceeded {
                task,
                attempt,
                result: Box::new(result()),
            };
        }
    };
    RunEvent::AttemptFailed {
        task,
        attempt,
        class,
        exit_code: None,
        error: "no".into(),
        assertions: Vec::new(),
    }
}

fn result() -> StepResult {
    StepResult {
        status: StepStatus::Succeeded,
        step: "step-x".into(),
        outputs: Vec::new(),
        fingerprint: None,
        seconds: 0.0,
        peak_rss_mib: 0.0,
        checks: BTreeMap::new(),
        error: None,
    }
}

fn tasks() -> impl Strategy<Value = Vec<PlannedTask>> {
    let one = (any::<u8>(), 0..3_u32, any::<bool>(), any::<bool>());
    prop::collection::vec(one, 1..9).prop_map(|drawn| {
        let named =
            drawn
                .into_iter()
                .enumerate()
                .map(|(index, (deps, retries, tolerated, pool))| {
                    let upstream = (0..index).filter(|dep| deps & (1 << dep) != 0);
                    let names: Vec<String> = upstream.map(|dep| format!("t{dep}")).collect();
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    PlannedTask {
                        retries,
                        retry_delay: Duration::from_secs(1),
                        tolerated,
                        pool: pool.then(|| "pool".to_owned()),
                        ..task(&format!("t{index}"), &names)
                    }
                });
        named.collect()
    })
}

proptest! {
    #[test]
    fn a_run_always_ends_and_never_breaks_the_rules(
        tasks in tasks(),
        (parallel, slots) in (1..4_usize, 1..3_usize),
        choices in prop::collection::vec((any::<u8>(), any::<u8>()), 400),
        cancel in prop::option::of(0..40_usize),
    ) {
        let budget: BTreeMap<_, _> = tasks.iter().map(|t| (t.name.clone(), t.retries + 4)).collect();
        let mut world = World::new(tasks, parallel, slots);
        for (index, (which, how)) in choices.into_iter().enumerate() {
            if cancel == Some(index) && world.state.end().is_none() {
                world.send(RunEvent::CancelRequested);
            }
            prop_assert!(world.busy() <= parallel);
            if world.state.end().is_some() {
                break;
            }
            prop_assert!(!world.under.is_empty(), "stuck: {:?}", world.state.tasks);
            world.step(which, how);
        }
        prop_assert!(world.state.end().is_some());
        for (task, launches) in &world.launches {
            prop_assert!(*launches <= budget[task], "{task} started {launches} times");
        }
        let finishes = world.log.iter().filter(|e| matches!(e.event, RunEvent::RunFinished { .. }));
        prop_assert_eq!(finishes.count(), 1);
        let folded = RunState::fold(&world.log);
        prop_assert_eq!(folded.end(), world.state.end());
    }

    #[test]
    fn a_restart_anywhere_still_comes_to_the_end(
        tasks in tasks(),
        choices in prop::collection::vec((any::<u8>(), any::<u8>()), 400),
        crash in 0..30_usize,
    ) {
        let mut world = World::new(tasks, 2, 1);
        for (index, (which, how)) in choices.into_iter().enumerate() {
            if world.state.end().is_some() {
                break;
            }
            if index == crash {
                restart(&mut world);
            }
            prop_assert!(!world.under.is_empty(), "stuck: {:?}", world.state.tasks);
            world.step(which, how);
        }
        prop_assert!(world.state.end().is_some());
    }
}

/// Everything but the log and the running attempts is forgotten.
fn restart(world: &mut World) {
    world
        .under
        .retain(|under| matches!(under, Under::Attempt(..)));
    world.state = RunState::fold(&world.log);
    let mut events = std::collections::VecDeque::new();
    for command in world.state.resume(world.now) {
        world.obey(command, &mut events);
    }
    for event in events {
        world.send(event);
    }
}

fn run_one(retries: u32, ends: &[u8]) -> World {
    let one = PlannedTask {
        retries,
        retry_delay: Duration::from_secs(10),
        ..task("a", &[])
    };
    let mut world = World::new(vec![one], 1, 1);
    world.step(0, 7);
    for how in ends {
        world.step(0, *how);
        if world.state.end().is_none() {
            world.step(0, 0);
        }
    }
    world
}

#[test]
fn transient_failures_are_tried_again_within_the_retries() {
    let world = run_one(2, &[0, 0, 0]);
    assert_eq!(world.state.end(), Some(RunEnd::Failed));
    assert_eq!(world.launches["a"], 3);
}

#[test]
fn the_delay_doubles() {
    let world = run_one(2, &[0, 0, 9]);
    let due = |event: &RecordedEvent| match &event.event {
        RunEvent::TaskRetrying { due, .. } => Some((*due - event.at).num_seconds()),
        _ => None,
    };
    let waits: Vec<i64> = world.log.iter().filter_map(due).collect();
    assert!(matches!(waits[..], [9..=10, 19..=20]), "{waits:?}");
    assert_eq!(world.state.end(), Some(RunEnd::Succeeded));
}

#[test]
fn wrong_data_is_never_tried_again() {
    assert_eq!(run_one(5, &[2]).launches["a"], 1);
}

#[test]
fn lost_attempts_have_a_budget_of_their_own() {
    let world = run_one(0, &[4, 4, 4, 4]);
    assert_eq!(world.launches["a"], 4);
    assert_eq!(world.state.end(), Some(RunEnd::Failed));
}

#[test]
fn a_tolerated_failure_does_not_fail_the_run_and_does_not_stop_others() {
    let first = PlannedTask {
        tolerated: true,
        ..task("a", &[])
    };
    let mut world = World::new(vec![first, task("b", &["a"])], 1, 1);
    for how in [7, 2, 7, 9] {
        world.step(0, how);
    }
    assert_eq!(world.state.task("a").unwrap().state, TaskState::Failed);
    assert_eq!(world.state.task("b").unwrap().state, TaskState::Succeeded);
    assert_eq!(world.state.end(), Some(RunEnd::Succeeded));
}

#[test]
fn a_failure_reaches_everything_downstream() {
    let tasks = vec![task("a", &[]), task("b", &["a"]), task("c", &["b"])];
    let mut world = World::new(tasks, 1, 1);
    world.step(0, 7);
    world.step(0, 2);
    assert_eq!(
        world.state.task("c").unwrap().state,
        TaskState::UpstreamFailed
    );
    assert_eq!(world.state.end(), Some(RunEnd::Failed));
}

//! Plans of one good DAG and of patches of it, and the laws of schedules.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mixline_schema::{Digest, Port, Resources, StepDescriptor, WriteMode};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schedule::{CatchUp, Overlap, Schedule, due, preview};
use crate::*;

const DAG: &str = r#"
name = "daily"
[defaults]
retries = 2
timeout = "10m"
[tasks.ingest]
step = "step-ingest"
[tasks.ingest.config]
data = "raw"
[tasks.check]
step = "step-check"
[tasks.measure]
step = "step-measure"
after = ["check"]
"#;

fn port(name: &str, mode: Option<WriteMode>) -> Port {
    let (name, artifact) = (name.to_owned(), name.to_owned());
    Port {
        name,
        artifact,
        schema_version: 1,
        optional: false,
        mode,
        doc: String::new(),
    }
}

fn step(name: &str, inputs: &[&str], outputs: &[&str]) -> (String, StepEntry) {
    let schema = json!({
        "type": "object", "additionalProperties": false,
        "properties": {"data": {"type": "string"}, "nested": {"$ref": "#/$defs/N"}},
        "$defs": {"N": {"type": "object", "additionalProperties": false, "properties": {"draws": {}}}},
    });
    let descriptor = StepDescriptor {
        name: name.into(),
        about: String::new(),
        code_version: "1".into(),
        inputs: inputs.iter().map(|p| port(p, None)).collect(),
        outputs: outputs
            .iter()
            .map(|p| port(p, Some(WriteMode::Upsert)))
            .collect(),
        columns: Vec::new(),
        config_schema: schema,
        observes: vec!["data".into()],
        windowed: false,
        resources: Resources::default(),
        exit_codes: BTreeMap::new(),
    };
    (
        name.to_owned(),
        StepEntry {
            descriptor,
            code: format!("b3:{name}"),
            image: None,
        },
    )
}

fn catalogue() -> Catalogue {
    let steps = [
        step("step-ingest", &[], &["media_daily", "orders"]),
        step("step-check", &["media_daily"], &["findings"]),
        step("step-measure", &["media_daily", "orders"], &["metrics"]),
    ];
    Catalogue {
        steps: steps.into_iter().collect(),
        ..Catalogue::default()
    }
}

fn parsed(toml: &str) -> Dag {
    Dag::parse(toml, "dags/daily.toml").expect("a good DAG")
}

fn errors(toml: &str) -> String {
    let dag = Dag::parse(toml, "dags/daily.toml");
    let found = match dag {
        Err(errors) => errors,
        Ok(dag) => plan(&dag, &catalogue(), &Request::default(), &History::default())
            .expect_err("must fail"),
    };
    found.iter().map(|e| format!("{e}\n")).collect()
}

/// Plays a plan: every running task commits what it would.
fn play(plan: &Plan, history: &mut History) {
    for task in &plan.tasks {
        let mut resolved = BTreeMap::new();
        for (port, input) in &task.inputs {
            let head = &history.heads[&input.artifact];
            resolved.insert(port.clone(), (head.version, head.digest.clone()));
        }
        let (fingerprint, document, verdict) = settle(task, &resolved, history);
        if !verdict.runs() {
            continue;
        }
        for output in &task.outputs {
            let version = history
                .heads
                .get(&output.artifact)
                .map_or(0, |h| h.version + 1);
            let digest =
                Digest::of_bytes(format!("{}{:?}", output.artifact, task.config).as_bytes());
            history.heads.insert(
                output.artifact.clone(),
                Head {
                    version,
                    digest: digest.clone(),
                },
            );
            let commit = SlotCommit {
                version,
                fingerprint: fingerprint.clone(),
                digest,
                rows: 1,
            };
            history
                .slots
                .insert((task.slot.clone(), output.artifact.clone()), commit);
        }
        history.last.insert(task.slot.clone(), document);
    }
}

fn shown(dag: &Dag, request: &Request, history: &History) -> String {
    plan(dag, &catalogue(), request, history)
        .expect("plans")
        .to_string()
}

#[test]
fn a_first_plan_runs_everything_in_order_and_a_second_reuses_everything() {
    let (dag, mut history) = (parsed(DAG), History::default());
    insta::assert_snapshot!(shown(&dag, &Request::default(), &history), @r"
    daily: 3 to run, 0 reused
      ingest   run    never ran
      check    run    after ingest, if its rows change
      measure  run    after ingest, if its rows change
    ");
    play(
        &plan(&dag, &catalogue(), &Request::default(), &history).expect("plans"),
        &mut history,
    );
    insta::assert_snapshot!(shown(&dag, &Request::default(), &history), @r"
    daily: 0 to run, 3 reused
      ingest   reuse  media_daily@0, orders@0
      check    reuse  findings@0
      measure  reuse  metrics@0
    ");
}

#[test]
fn every_kind_of_change_is_a_typed_reason() {
    let (dag, mut history) = (parsed(DAG), History::default());
    play(
        &plan(&dag, &catalogue(), &Request::default(), &history).expect("plans"),
        &mut history,
    );
    let reasons = |dag: &Dag, catalogue: &Catalogue, request: &Request| {
        let planned = plan(dag, catalogue, request, &history).expect("plans");
        let Verdict::Run { reasons } = planned.tasks[0].verdict.clone() else {
            return "reuse".into();
        };
        reasons
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let request = Request::default();
    let other = parsed(&DAG.replace("\"raw\"", "\"other\""));
    assert_eq!(
        reasons(&other, &catalogue(), &request),
        r#"config data: "raw" → "other""#
    );
    let mut rebuilt = catalogue();
    rebuilt.steps.get_mut("step-ingest").expect("there").code = "b3:new".into();
    assert_eq!(
        reasons(&dag, &rebuilt, &request),
        "code changed (step-ing → new)"
    );
    let seeded = Request {
        seed: 5,
        ..Request::default()
    };
    assert_eq!(reasons(&dag, &catalogue(), &seeded), "seed 0 → 5");
    let forced = Request {
        force: Force::Tasks(BTreeSet::from(["ingest".into()])),
        ..Request::default()
    };
    assert_eq!(reasons(&dag, &catalogue(), &forced), "forced");
    let observed = BTreeMap::from([("raw/a.csv".to_owned(), Digest::of_bytes(b"a"))]);
    let observing = Request {
        observed: BTreeMap::from([("ingest".into(), observed)]),
        ..Request::default()
    };
    assert_eq!(reasons(&dag, &catalogue(), &observing), "raw/a.csv is new");
}

#[test]
fn a_task_whose_predecessor_wrote_the_same_rows_is_reused_after_all() {
    let (dag, mut history) = (parsed(DAG), History::default());
    play(
        &plan(&dag, &catalogue(), &Request::default(), &history).expect("plans"),
        &mut history,
    );
    let forced = Request {
        force: Force::Tasks(BTreeSet::from(["ingest".into()])),
        ..Request::default()
    };
    let planned = plan(&dag, &catalogue(), &forced, &history).expect("plans");
    let measure = planned
        .tasks
        .iter()
        .find(|t| t.name == "measure")
        .expect("there");
    assert!(measure.verdict.runs(), "not known before ingest has run");
    let head = |name: &str| (7, history.heads[name].digest.clone());
    let resolved = ["media_daily", "orders"].map(|name| (name.to_owned(), head(name)));
    let (_, _, verdict) = settle(measure, &resolved.into_iter().collect(), &history);
    assert!(!verdict.runs(), "same content, other version: {verdict:?}");
}

#[test]
fn selecting_tasks_reads_the_others_from_the_store() {
    let (dag, mut history) = (parsed(DAG), History::default());
    play(
        &plan(&dag, &catalogue(), &Request::default(), &history).expect("plans"),
        &mut history,
    );
    let request = Request {
        select: vec!["measure".into()],
        ..Request::default()
    };
    let planned = plan(&dag, &catalogue(), &request, &history).expect("plans");
    assert_eq!(planned.tasks.len(), 1);
    assert!(matches!(
        planned.tasks[0].inputs["orders"].from,
        Source::Store { version: 0, .. }
    ));
}

#[test]
fn every_error_is_reported_at_once_with_its_place() {
    let broken = r#"
name = "daily"
[tasks.a]
step = "step-igest"
[tasks.b]
step = "step-check"
after = ["nobody"]
inputs = { media = "media_daily" }
[tasks.b.config]
dat = 1
nested = { drows = 4 }
"#;
    insta::assert_snapshot!(errors(broken), @r"
    dags/daily.toml, tasks.a.step: there is no step `step-igest` (hint: did you mean `step-ingest`?)
    dags/daily.toml, tasks.b.after: there is no task `nobody` (hint: known: a, b)
    dags/daily.toml, tasks.b.config.dat: `dat` is not a configuration key of this step (hint: did you mean `data`?)
    dags/daily.toml, tasks.b.config.nested.drows: `drows` is not a configuration key of this step (hint: did you mean `draws`?)
    dags/daily.toml, tasks.b.inputs.media: step-check has no input port `media` (hint: known: media_daily)
    dags/daily.toml, tasks.b.inputs.media_daily: `media_daily` does not exist and no task of this DAG writes it (hint: run the DAG or the step that writes `media_daily` first)
    ");
}

#[test]
fn what_a_task_reads_of_its_own_output_is_no_reason_to_run_again() {
    let dag = parsed("name = \"daily\"\n[tasks.decide]\nstep = \"step-decide\"\n");
    let steps = [step(
        "step-decide",
        &["metrics", "decisions"],
        &["decisions"],
    )];
    let catalogue = Catalogue {
        steps: steps.into_iter().collect(),
        ..Catalogue::default()
    };
    let planned = |history: &History| {
        plan(&dag, &catalogue, &Request::default(), history).expect("a good DAG")
    };
    let mut history = History::default();
    for artifact in ["metrics", "decisions"] {
        let digest = Digest::of_bytes(artifact.as_bytes());
        history
            .heads
            .insert(artifact.into(), Head { version: 0, digest });
    }
    let first = planned(&history);
    assert!(first.tasks[0].verdict.runs() && first.tasks[0].remembers("decisions"));
    play(&first, &mut history);
    assert_eq!(
        history.heads["decisions"].version, 1,
        "its memory has changed"
    );
    assert!(!planned(&history).tasks[0].verdict.runs());
    let changed = Head {
        version: 1,
        digest: Digest::of_bytes(b"new metrics"),
    };
    history.heads.insert("metrics".into(), changed);
    assert!(
        planned(&history).tasks[0].verdict.runs(),
        "another input has changed"
    );
}

#[test]
fn a_cycle_is_printed_as_the_way_round() {
    let cyclic = DAG.replace(
        "[tasks.ingest.config]",
        "after = [\"measure\"]\n[tasks.ingest.config]",
    );
    insta::assert_snapshot!(errors(&cyclic), @"dags/daily.toml, tasks: the tasks wait for each other: check → measure → ingest → check");
}

#[test]
fn a_typing_error_names_file_line_and_key() {
    insta::assert_snapshot!(errors(&DAG.replace("retries = 2", "retrys = 2")), @"dags/daily.toml, line 4, defaults.retrys: unknown field `retrys`, expected one of `retries`, `retry_delay`, `timeout`, `pool`");
    insta::assert_snapshot!(errors(&DAG.replace("\"10m\"", "\"10 min\"")), @"dags/daily.toml, line 5, defaults.timeout: `10 min` is not a duration; write `250ms`, `90s`, `10m`, `2h` or `1d`");
    assert!(errors("name = \"x").contains("line 1"));
}

#[test]
fn ports_of_different_schema_versions_do_not_match() {
    let mut catalogue = catalogue();
    catalogue
        .steps
        .get_mut("step-check")
        .expect("there")
        .descriptor
        .inputs[0]
        .schema_version = 2;
    let found = plan(
        &parsed(DAG),
        &catalogue,
        &Request::default(),
        &History::default(),
    )
    .expect_err("must fail");
    assert_eq!(found[0].code, "port.schema_version");
}

#[test]
fn ten_thousand_chained_tasks_plan_in_order() {
    let mut toml = String::from("name = \"big\"\n");
    for i in 0..10_000 {
        toml +=
            &format!("[tasks.t{i:05}]\nstep = \"step-link\"\noutputs = {{ out = \"a{i:05}\" }}\n");
        if i > 0 {
            toml += &format!("inputs = {{ input = \"a{:05}\" }}\n", i - 1);
        }
    }
    let (name, mut link) = step("step-link", &["input"], &["out"]);
    link.descriptor.inputs[0].optional = true;
    let catalogue = Catalogue {
        steps: BTreeMap::from([(name, link)]),
        ..Catalogue::default()
    };
    let planned = plan(
        &parsed(&toml),
        &catalogue,
        &Request::default(),
        &History::default(),
    )
    .expect("plans");
    let names: Vec<String> = planned.tasks.iter().map(|t| t.name.clone()).collect();
    assert!(names.is_sorted() && names.len() == 10_000);
}

#[test]
fn the_published_schema_names_every_key_of_a_task() {
    let schema = dag_schema();
    let task = &schema["$defs"]["TaskFile"]["properties"];
    for key in [
        "step",
        "config",
        "after",
        "inputs",
        "outputs",
        "retries",
        "timeout",
        "tolerated",
    ] {
        assert_ne!(task[key], Value::Null, "{key}");
    }
}

proptest! {
    #[test]
    fn random_dags_plan_in_an_order_that_respects_every_edge(edges in proptest::collection::vec((0usize..30, 0usize..30), 0..80)) {
        let mut toml = String::from("name = \"random\"\n");
        for i in 0..30 {
            let after: Vec<String> = edges.iter().filter(|(a, b)| *b == i && a < b).map(|(a, _)| format!("\"t{a:02}\"")).collect();
            toml += &format!("[tasks.t{i:02}]\nstep = \"step-ingest\"\noutputs = {{ media_daily = \"m{i}\", orders = \"o{i}\" }}\nafter = [{}]\n", after.join(", "));
        }
        let planned = plan(&parsed(&toml), &catalogue(), &Request::default(), &History::default()).expect("acyclic");
        let place: BTreeMap<&str, usize> = planned.tasks.iter().enumerate().map(|(i, t)| (t.name.as_str(), i)).collect();
        for task in &planned.tasks {
            for dep in &task.deps {
                prop_assert!(place[dep.as_str()] < place[task.name.as_str()]);
            }
        }
    }

    #[test]
    fn no_fire_is_lost_or_doubled_whatever_the_restarts(
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kathmandu", "UTC", "Europe/London"]),
        cron in proptest::sample::select(vec!["0 6 * * *", "30 2 * * *", "30 1 * * *", "0 0 * * *", "0 * * * *", "0 */2 * * *", "15 2 * * 0", "0 2 * * 1", "0 8 1 * *"]),
        start in 1_514_764_800i64..1_893_456_000,
        cuts in proptest::collection::vec(0i64..(12 * 86_400), 0..6),
    ) {
        let mut schedule = Schedule::new(cron, zone, CatchUp::All, Overlap::Queue).expect("good");
        schedule.catch_up_cap = usize::MAX;
        let at = |s: i64| DateTime::<Utc>::from_timestamp(s, 0).expect("in range");
        let (from, until) = (at(start), at(start + 12 * 86_400));
        let whole = due(&schedule, from, until);
        let mut cuts: Vec<DateTime<Utc>> = cuts.into_iter().map(|c| from + chrono::TimeDelta::seconds(c)).collect();
        cuts.sort();
        cuts.push(until);
        let (mut cursor, mut pieces) = (from, Vec::new());
        for now in cuts {
            let found = due(&schedule, cursor, now);
            cursor = found.last().map_or(cursor, |w| w.end);
            pieces.extend(found);
        }
        prop_assert_eq!(&pieces, &whole);
        prop_assert!(whole.windows(2).all(|w| w[0].end == w[1].start), "contiguous");
        prop_assert!(whole.iter().all(|w| w.start < w.end));
    }
}

fn fires(zone: &str, cron: &str, from: &str, count: usize) -> Vec<String> {
    let schedule = Schedule::new(cron, zone, CatchUp::All, Overlap::Queue).expect("good");
    let from = DateTime::parse_from_rfc3339(from)
        .expect("an instant")
        .with_timezone(&Utc);
    preview(&schedule, from, count)
        .into_iter()
        .map(|f| f.local)
        .collect()
}

#[test]
fn golden_fires_around_changes_of_clocks() {
    let ny = "America/New_York";
    assert_eq!(
        fires(ny, "30 2 * * *", "2026-03-08T05:00:00Z", 2),
        ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]
    );
    assert_eq!(
        fires(ny, "30 1 * * *", "2026-11-01T04:00:00Z", 2),
        ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]
    );
    assert_eq!(
        fires(ny, "0 * * * *", "2026-11-01T04:30:00Z", 3),
        [
            "2026-11-01T01:00:00-04:00",
            "2026-11-01T01:00:00-05:00",
            "2026-11-01T02:00:00-05:00"
        ]
    );
    assert_eq!(
        fires(ny, "0 */2 * * *", "2026-11-01T03:30:00Z", 3),
        [
            "2026-11-01T00:00:00-04:00",
            "2026-11-01T02:00:00-05:00",
            "2026-11-01T04:00:00-05:00"
        ]
    );
    assert_eq!(
        fires(
            "Australia/Lord_Howe",
            "15 2 * * *",
            "2026-10-03T12:00:00Z",
            2
        ),
        ["2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"]
    );
    assert_eq!(
        fires("America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00:00Z", 2),
        ["2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]
    );
    assert_eq!(
        fires("Asia/Kathmandu", "0 6 * * *", "2026-01-01T00:00:00Z", 1),
        ["2026-01-01T06:00:00+05:45"]
    );
    assert_eq!(
        fires("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00Z", 2),
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
}

#[test]
fn a_daily_schedule_fires_once_on_every_local_day_for_thirteen_years() {
    for zone in [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "UTC",
    ] {
        for cron in ["0 6 * * *", "30 2 * * *", "0 0 * * *"] {
            let fires = fires(zone, cron, "2018-01-01T12:00:00Z", 4_747);
            let days: BTreeSet<&str> = fires.iter().map(|f| &f[..10]).collect();
            assert_eq!(days.len(), fires.len(), "{zone} {cron}: a day fired twice");
            let (first, last) = (days.first().expect("days"), days.last().expect("days"));
            let day = |text: &str| text.parse::<chrono::NaiveDate>().expect("a day");
            assert_eq!(
                (day(last) - day(first)).num_days() + 1,
                4_747,
                "{zone} {cron}: a day was lost"
            );
        }
    }
}

#[test]
fn catch_up_last_and_none_run_at_most_one_window() {
    let at = |text: &str| {
        DateTime::parse_from_rfc3339(text)
            .expect("an instant")
            .with_timezone(&Utc)
    };
    let schedule =
        |catch_up| Schedule::new("0 6 * * *", "UTC", catch_up, Overlap::Queue).expect("good");
    let (cursor, now) = (at("2026-01-01T06:00:00Z"), at("2026-01-04T20:00:00Z"));
    let all = due(&schedule(CatchUp::All), cursor, now);
    assert_eq!(all.len(), 3);
    assert_eq!(due(&schedule(CatchUp::Last), cursor, now), all[2..]);
    assert_eq!(
        due(&schedule(CatchUp::None), cursor, now),
        [],
        "the last fire is more than half a period old"
    );
    assert_eq!(
        due(&schedule(CatchUp::None), cursor, at("2026-01-04T06:00:01Z")),
        all[2..]
    );
}

#[test]
fn schedules_that_cannot_work_are_refused_with_the_reason() {
    let refused = |cron, zone| {
        let errors = Schedule::new(cron, zone, CatchUp::Last, Overlap::Skip).expect_err("refused");
        errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(refused("0 3 31 2 *", "UTC").contains("never fires"));
    assert!(refused("60 * * * *", "UTC").contains("not a cron expression"));
    assert!(refused("0 6 * * *", "Europe/Berlim").contains("did you mean `Europe/Berlin`?"));
}

#[test]
fn a_task_with_an_image_of_its_own_runs_the_code_and_has_the_limits_it_names() {
    let dag = parsed(
        "name = \"daily\"\n[tasks.ingest]\nstep = \"step-ingest\"\nimage = \"mine:1\"\n\
         memory_mib = 4096\n[tasks.check]\nstep = \"step-check\"\n",
    );
    let mut catalogue = catalogue();
    let mut own = catalogue.steps["step-ingest"].clone();
    (own.code, own.image) = ("sha256:1".into(), Some("mine:1".into()));
    catalogue.tasks.insert("ingest".into(), own);
    let planned = plan(&dag, &catalogue, &Request::default(), &History::default());
    let planned = planned.expect("a good DAG");
    let task = |name: &str| planned.tasks.iter().find(|t| t.name == name).unwrap();
    assert_eq!(task("ingest").code, "sha256:1");
    assert_eq!(task("ingest").image.as_deref(), Some("mine:1"));
    assert_eq!(task("ingest").resources.memory_mib, 4096);
    assert_eq!(task("check").image, None);
    assert_eq!(task("check").code, "b3:step-check");
}

#[test]
fn a_place_that_contradicts_itself_is_refused_with_its_key() {
    let toml = "name = \"d\"\n[tasks.a]\nstep = \"step-a\"\nexecutor = \"process\"\n\
                image = \"x\"\ncores = 0.0\nmemory_mib = 1\n";
    let errors = Dag::parse(toml, "d.toml").expect_err("three errors");
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for key in ["tasks.a.image", "tasks.a.cores", "tasks.a.memory_mib"] {
        assert!(
            text.iter().any(|line| line.contains(key)),
            "{key}: {text:?}"
        );
    }
}

//! Planning: match ports, order tasks, decide each one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mixline_schema::{Digest, Port, Resources, Selector, WriteMode};

use crate::config;
use crate::dag::{Dag, Task};
use crate::error::PlanError;
use crate::graph::Graph;
use crate::plan::{
    Catalogue, Force, History, Plan, PlannedInput, PlannedOutput, PlannedTask, Request, Source,
    StepEntry, Verdict,
};
use crate::reason::Reason;
use crate::settle::settle;
use crate::suggest;

/// Plans a DAG: which tasks run, in which order, and why.
///
/// # Errors
/// Everything wrong with the DAG, the request, and how they fit the steps and the past: unknown
/// steps, ports, configuration keys and tasks, ports that do not match, inputs nobody writes,
/// cycles.
pub fn plan(
    dag: &Dag,
    catalogue: &Catalogue,
    request: &Request,
    history: &History,
) -> Result<Plan, Vec<PlanError>> {
    let mut errors = Vec::new();
    check_names(dag, request, &mut errors);
    let members = members(dag, catalogue, request, &mut errors);
    let writers = writers(dag, &members, &mut errors);
    let mut graph = Graph::new(members.len());
    let planner = Planner {
        dag,
        request,
        history,
        members,
        writers,
    };
    let inputs = planner.link(&mut graph, &mut errors);
    match graph.order() {
        Ok(order) if errors.is_empty() => Ok(planner.decide(&order, &graph, inputs)),
        Ok(_) => Err(sorted(errors)),
        Err(cycle) => {
            let names: Vec<&str> = cycle.iter().map(|i| planner.members[*i].name).collect();
            let message = format!("the tasks wait for each other: {}", names.join(" → "));
            errors.push(PlanError::new(&dag.file, "tasks", "task.cycle", message));
            Err(sorted(errors))
        }
    }
}

fn sorted(mut errors: Vec<PlanError>) -> Vec<PlanError> {
    errors.sort();
    errors.dedup();
    errors
}

/// One task with its step.
struct Member<'a> {
    name: &'a str,
    task: &'a Task,
    step: &'a StepEntry,
}

impl Member<'_> {
    fn output_artifact<'b>(&'b self, port: &'b Port) -> &'b str {
        self.task
            .outputs
            .get(&port.name)
            .map_or(&port.artifact, |artifact| artifact)
    }
}

/// Names in the request and in `after` that name no task.
fn check_names(dag: &Dag, request: &Request, errors: &mut Vec<PlanError>) {
    let mut check = |path: String, name: &str| {
        if !dag.tasks.contains_key(name) {
            let hint = suggest::hint(name, dag.tasks.keys().map(String::as_str));
            let message = format!("there is no task `{name}`");
            errors.push(PlanError::new(&dag.file, path, "task.unknown", message).maybe_hint(hint));
        }
    };
    for name in &request.select {
        check("selection".into(), name);
    }
    if let Force::Tasks(names) = &request.force {
        names
            .iter()
            .for_each(|name| check("forced tasks".into(), name));
    }
    for (task, definition) in &dag.tasks {
        for name in &definition.after {
            check(format!("tasks.{task}.after"), name);
        }
    }
}

/// The selected tasks whose steps exist, in name order.
fn members<'a>(
    dag: &'a Dag,
    catalogue: &'a Catalogue,
    request: &Request,
    errors: &mut Vec<PlanError>,
) -> Vec<Member<'a>> {
    let selected: BTreeSet<&str> = request.select.iter().map(String::as_str).collect();
    let mut members = Vec::new();
    for (name, task) in &dag.tasks {
        if !selected.is_empty() && !selected.contains(name.as_str()) {
            continue;
        }
        let Some(step) = catalogue.entry(name, &task.step) else {
            let hint = suggest::hint(&task.step, catalogue.steps.keys().map(String::as_str));
            let message = format!("there is no step `{}`", task.step);
            let path = format!("tasks.{name}.step");
            errors.push(PlanError::new(&dag.file, path, "step.unknown", message).maybe_hint(hint));
            continue;
        };
        check_task(dag, name, task, step, errors);
        members.push(Member { name, task, step });
    }
    members
}

fn check_task(dag: &Dag, name: &str, task: &Task, step: &StepEntry, errors: &mut Vec<PlanError>) {
    let descriptor = &step.descriptor;
    let mut ports = |kind: &str, given: Vec<&String>, known: &[Port]| {
        for port in given {
            if !known.iter().any(|p| p.name == *port) {
                let hint = suggest::hint(port, known.iter().map(|p| p.name.as_str()));
                let message = format!("{} has no {kind} port `{port}`", task.step);
                let path = format!("tasks.{name}.{kind}s.{port}");
                errors.push(
                    PlanError::new(&dag.file, path, "port.unknown", message).maybe_hint(hint),
                );
            }
        }
    };
    ports("input", task.inputs.keys().collect(), &descriptor.inputs);
    ports("output", task.outputs.keys().collect(), &descriptor.outputs);
    let path = format!("tasks.{name}.config");
    errors.extend(config::unknown_keys(
        &dag.file,
        &path,
        &task.config,
        &descriptor.config_schema,
    ));
}

/// One output of one task.
#[derive(Clone, Copy)]
struct Writer<'a> {
    member: usize,
    port: &'a Port,
}

/// Artifact → the outputs that write it, in task order.
type Writers<'a> = HashMap<String, Vec<Writer<'a>>>;

fn writers<'a>(dag: &Dag, members: &[Member<'a>], errors: &mut Vec<PlanError>) -> Writers<'a> {
    let mut writers: Writers<'a> = HashMap::new();
    for (member, m) in members.iter().enumerate() {
        for port in &m.step.descriptor.outputs {
            writers
                .entry(m.output_artifact(port).to_owned())
                .or_default()
                .push(Writer { member, port });
        }
    }
    for (artifact, writers) in &writers {
        let replaces = writers
            .iter()
            .any(|w| w.port.mode == Some(WriteMode::Replace));
        if writers.len() > 1 && replaces {
            let names: Vec<&str> = writers.iter().map(|w| members[w.member].name).collect();
            let message = format!(
                "`{artifact}` is replaced by more than one task: {}",
                names.join(", ")
            );
            let path = format!("tasks.{}", names[0]);
            errors.push(
                PlanError::new(&dag.file, path, "output.conflict", message)
                    .hint("give one of them another name under `outputs`"),
            );
        }
    }
    writers
}

type Inputs = Vec<BTreeMap<String, PlannedInput>>;

struct Planner<'a> {
    dag: &'a Dag,
    request: &'a Request,
    history: &'a History,
    members: Vec<Member<'a>>,
    writers: Writers<'a>,
}

impl Planner<'_> {
    /// Adds every edge and says where each port's rows come from.
    fn link(&self, graph: &mut Graph, errors: &mut Vec<PlanError>) -> Inputs {
        for writers in self.writers.values() {
            for pair in writers
                .windows(2)
                .filter(|pair| pair[0].member != pair[1].member)
            {
                graph.add(pair[0].member, pair[1].member);
            }
        }
        let index: HashMap<&str, usize> = self
            .members
            .iter()
            .enumerate()
            .map(|(i, m)| (m.name, i))
            .collect();
        let mut inputs = Vec::with_capacity(self.members.len());
        for (at, member) in self.members.iter().enumerate() {
            for name in &member.task.after {
                if let Some(before) = index.get(name.as_str()) {
                    graph.add(*before, at);
                }
            }
            let ports = member.step.descriptor.inputs.iter();
            inputs.push(
                ports
                    .map(|port| (port.name.clone(), self.input(at, port, graph, errors)))
                    .collect(),
            );
        }
        inputs
    }

    fn input(
        &self,
        at: usize,
        port: &Port,
        graph: &mut Graph,
        errors: &mut Vec<PlanError>,
    ) -> PlannedInput {
        let member = &self.members[at];
        let reference = member.task.inputs.get(&port.name);
        let artifact = reference.map_or(&port.artifact, |r| &r.name);
        let follows_head = reference.is_none_or(|r| r.selector == Selector::Head);
        let writers = self.writers.get(artifact).filter(|_| follows_head);
        let others = writers.into_iter().flatten().filter(|w| w.member != at);
        let mut from = None;
        for writer in others {
            graph.add(writer.member, at);
            self.check_schema(member, port, writer, errors);
            from = Some(Source::Task(self.members[writer.member].name.to_owned()));
        }
        let key = reference.map_or_else(|| artifact.clone(), ToString::to_string);
        let stored = || self.history.heads.get(&key);
        let from = from.unwrap_or_else(|| match stored() {
            Some(head) => Source::Store {
                version: head.version,
                digest: head.digest.clone(),
            },
            None => Source::Absent,
        });
        if from == Source::Absent && !port.optional {
            let path = format!("tasks.{}.inputs.{}", member.name, port.name);
            let file = &self.dag.file;
            errors.push(PlanError::input_missing(file, path, &key, artifact));
        }
        let (artifact, schema_version) = (artifact.clone(), port.schema_version);
        PlannedInput {
            artifact,
            schema_version,
            optional: port.optional,
            from,
        }
    }

    fn check_schema(
        &self,
        member: &Member<'_>,
        port: &Port,
        writer: &Writer<'_>,
        errors: &mut Vec<PlanError>,
    ) {
        if writer.port.schema_version != port.schema_version {
            let message = format!(
                "reads v{} of `{}`, but {} writes v{}",
                port.schema_version,
                port.artifact,
                self.members[writer.member].name,
                writer.port.schema_version,
            );
            let path = format!("tasks.{}.inputs.{}", member.name, port.name);
            errors.push(
                PlanError::new(&self.dag.file, path, "port.schema_version", message)
                    .hint("use steps of one release"),
            );
        }
    }

    fn decide(&self, order: &[usize], graph: &Graph, mut inputs: Inputs) -> Plan {
        let mut planned: HashMap<&str, PlannedTask> = HashMap::with_capacity(order.len());
        for &at in order {
            let deps = graph
                .before(at)
                .into_iter()
                .map(|i| self.members[i].name.to_owned())
                .collect();
            let mut task = self.task(at, deps, std::mem::take(&mut inputs[at]));
            task.verdict = self.verdict(&task, &planned);
            planned.insert(self.members[at].name, task);
        }
        let tasks = order
            .iter()
            .filter_map(|at| planned.remove(self.members[*at].name))
            .collect();
        Plan {
            dag: self.dag.name.clone(),
            window: self.request.window,
            seed: self.request.seed,
            tasks,
        }
    }

    fn task(
        &self,
        at: usize,
        deps: Vec<String>,
        inputs: BTreeMap<String, PlannedInput>,
    ) -> PlannedTask {
        let Member { name, task, step } = &self.members[at];
        let window = self.request.window.filter(|_| step.descriptor.windowed);
        let place = format!("{}.{name}", self.dag.name);
        let output = |port: &Port| PlannedOutput {
            port: port.name.clone(),
            artifact: self.members[at].output_artifact(port).to_owned(),
            optional: port.optional,
        };
        PlannedTask {
            name: (*name).to_owned(),
            step: task.step.clone(),
            code: step.code.clone(),
            config: task.config.clone(),
            deps,
            inputs,
            outputs: step.descriptor.outputs.iter().map(output).collect(),
            columns: step.descriptor.columns.clone(),
            slot: window.map_or_else(|| place.clone(), |w| format!("{place} {w}")),
            window,
            seed: self.request.seed,
            observed: self
                .request
                .observed
                .get(*name)
                .cloned()
                .unwrap_or_default(),
            verdict: Verdict::Run {
                reasons: Vec::new(),
            },
            retries: task.retries,
            retry_delay: task.retry_delay,
            timeout: task.timeout,
            pool: task.pool.clone(),
            tolerated: task.tolerated,
            image: step.image.clone(),
            resources: Resources {
                cores: task.cores.unwrap_or(step.descriptor.resources.cores),
                memory_mib: task
                    .memory_mib
                    .unwrap_or(step.descriptor.resources.memory_mib),
            },
        }
    }

    fn verdict(&self, task: &PlannedTask, planned: &HashMap<&str, PlannedTask>) -> Verdict {
        let forced = match &self.request.force {
            Force::None => false,
            Force::All => true,
            Force::Tasks(names) => names.contains(&task.name),
        };
        if forced {
            return Verdict::Run {
                reasons: vec![Reason::Forced],
            };
        }
        match self.resolve(task, planned) {
            Ok(resolved) => settle(task, &resolved, self.history).2,
            Err(upstream) => Verdict::Run {
                reasons: upstream
                    .into_iter()
                    .map(|task| Reason::UpstreamRuns { task })
                    .collect(),
            },
        }
    }

    /// The versions a task would read, or the tasks it must wait for to know.
    fn resolve(
        &self,
        task: &PlannedTask,
        planned: &HashMap<&str, PlannedTask>,
    ) -> Result<BTreeMap<String, (u64, Digest)>, BTreeSet<String>> {
        let (mut resolved, mut upstream) = (BTreeMap::new(), BTreeSet::new());
        for (port, input) in &task.inputs {
            let version = match &input.from {
                Source::Absent => None,
                Source::Store { version, digest } => Some((*version, digest.clone())),
                Source::Task(writer) => match planned.get(writer.as_str()).map(|t| &t.verdict) {
                    Some(Verdict::Reuse { outputs, .. }) => {
                        let written = outputs.iter().find(|o| o.artifact == input.artifact);
                        let head = || self.history.heads.get(&input.artifact);
                        let head = || head().map(|h| (h.version, h.digest.clone()));
                        written.map(|o| (o.version, o.digest.clone())).or_else(head)
                    }
                    _ => {
                        upstream.insert(writer.clone());
                        None
                    }
                },
            };
            if let Some(version) = version {
                resolved.insert(port.clone(), version);
            }
        }
        if upstream.is_empty() {
            Ok(resolved)
        } else {
            Err(upstream)
        }
    }
}

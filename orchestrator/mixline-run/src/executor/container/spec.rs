//! What the engine is asked for: a container that can do no more than its step has to.
//!
//! Read-only root, no capabilities, no root user, no more memory and processors than the task may
//! have. The project is mounted to be read and the store to be written, both at the same path as
//! outside, so that the context means the same in a container and in a process.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount, MountType};

use super::settings::{ContainerSettings, Folder};
use crate::executor::Job;

/// Nobody, on every system.
const NOBODY: &str = "65532:65532";
/// Memory for a step that only says what it is.
const DESCRIBING_MIB: u64 = 256;
/// Where a step may write what it forgets.
const SCRATCH: &str = "/tmp";
/// Where objects stores' clients look for credentials and addresses.
const STORE_VARIABLES: &[&str] = &["AWS_", "GOOGLE_", "AZURE_"];
/// What is passed on always: how to log.
const VARIABLES: &[&str] = &["MIXLINE_LOG", "MIXLINE_LOG_FORMAT"];

/// The label that tells the attempts of a task apart.
pub(super) const ATTEMPT: &str = "io.mixline.attempt";

/// Labels by which an attempt is found again.
pub(super) fn labels(job: &Job) -> HashMap<String, String> {
    let run = job.context.run.as_ref();
    let pairs = run.map(|run| {
        [
            ("io.mixline.run", run.run_id.clone()),
            ("io.mixline.dag", run.dag.clone()),
            ("io.mixline.task", run.task.clone()),
            (ATTEMPT, run.attempt.to_string()),
        ]
    });
    let pairs = pairs.into_iter().flatten();
    let mut labels: HashMap<String, String> =
        pairs.map(|(key, value)| (key.to_owned(), value)).collect();
    labels.insert("io.mixline.step".to_owned(), job.step.clone());
    labels
}

/// The name people see in `docker ps`.
pub(super) fn name(job: &Job) -> Option<String> {
    let run = job.context.run.as_ref()?;
    Some(format!(
        "mixline-{}-{}-{}",
        run.run_id, run.task, run.attempt
    ))
}

/// The machine around an attempt.
pub(super) struct Around<'a> {
    pub(super) settings: &'a ContainerSettings,
    /// What `MIXLINE_CONTEXT` is to be, and the file it names when it names one.
    pub(super) context: (String, Option<PathBuf>),
    /// The orchestrator's environment.
    pub(super) environment: Vec<(String, String)>,
    /// Processors of the engine's machine: more cannot be asked for.
    pub(super) processors: f64,
}

/// The container of an attempt. `image` is an image's id.
pub(super) fn body(job: &Job, image: &str, around: &Around<'_>) -> ContainerCreateBody {
    let store = local(&job.context.store);
    let network = around.settings.network.clone();
    let network = network.or_else(|| store.is_some().then(|| "none".to_owned()));
    let tmp = HashMap::from([(SCRATCH.to_owned(), "rw,nosuid,nodev,mode=1777".to_owned())]);
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["run".to_owned()]),
        user: Some(user(around.settings, store)),
        env: Some(variables(job, around, store.is_some())),
        working_dir: Some(job.folder.display().to_string()),
        labels: Some(labels(job)),
        host_config: Some(HostConfig {
            mounts: Some(mounts(job, store, around)),
            tmpfs: Some(tmp),
            network_mode: network,
            nano_cpus: Some(nano_cpus(job.resources.cores, around.processors)),
            ..confined(job.resources.memory_mib)
        }),
        ..ContainerCreateBody::default()
    }
}

/// The container that says what an image is. It sees nothing.
pub(super) fn describing(image: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["describe".to_owned()]),
        user: Some(NOBODY.to_owned()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            ..confined(DESCRIBING_MIB)
        }),
        ..ContainerCreateBody::default()
    }
}

/// What holds for every container: nothing but its own files to write, no rights, so much memory.
fn confined(memory_mib: u64) -> HostConfig {
    let memory = i64::try_from(memory_mib << 20).unwrap_or(i64::MAX);
    HostConfig {
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        memory: Some(memory),
        // As much as memory: no swap, since a fit that swaps never ends.
        memory_swap: Some(memory),
        // Whatever the engine's own choice: what is said is read back from it.
        log_config: Some(HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: None,
        }),
        ..HostConfig::default()
    }
}

/// The folder of a store that is one.
pub(super) fn local(store: &str) -> Option<&Path> {
    (!store.contains("://") && store != "memory:").then(|| Path::new(store))
}

fn nano_cpus(cores: f64, processors: f64) -> i64 {
    (cores.min(processors) * 1e9) as i64
}

/// Who it runs as: never root.
fn user(settings: &ContainerSettings, store: Option<&Path>) -> String {
    if let Some(user) = &settings.user {
        return user.clone();
    }
    let owner = store.and_then(|folder| std::fs::metadata(folder).ok());
    match owner.filter(|owner| owner.uid() != 0) {
        Some(owner) => format!("{}:{}", owner.uid(), owner.gid()),
        None => NOBODY.to_owned(),
    }
}

fn variables(job: &Job, around: &Around<'_>, folder: bool) -> Vec<String> {
    let passed = |name: &str| {
        VARIABLES.contains(&name)
            || around.settings.env.iter().any(|wanted| wanted == name)
            || (!folder && STORE_VARIABLES.iter().any(|start| name.starts_with(start)))
    };
    let given = around.environment.iter().filter(|(name, _)| passed(name));
    let given = given.map(|(name, value)| format!("{name}={value}"));
    let context = format!("MIXLINE_CONTEXT={}", around.context.0);
    let trace = format!("TRACEPARENT={}", job.traceparent);
    given.chain([context, trace]).collect()
}

fn mounts(job: &Job, store: Option<&Path>, around: &Around<'_>) -> Vec<Mount> {
    let folder = |path: &Path, read_only| Folder {
        path: path.to_owned(),
        read_only,
    };
    let mut folders = vec![folder(&job.folder, true)];
    folders.extend(store.map(|store| folder(store, false)));
    folders.extend(around.settings.folders(&job.folder));
    folders.extend(around.context.1.as_ref().map(|file| folder(file, true)));
    folders.into_iter().map(mount).collect()
}

fn mount(folder: Folder) -> Mount {
    let path = folder.path.display().to_string();
    Mount {
        target: Some(path.clone()),
        source: Some(path),
        typ: Some(MountType::BIND),
        read_only: Some(folder.read_only),
        ..Mount::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mixline_schema::{Resources, RunRef, StepContext};

    use super::*;
    use crate::executor::Program;

    fn job(store: &str) -> Job {
        let run = RunRef {
            run_id: "r1".into(),
            dag: "d".into(),
            task: "t".into(),
            attempt: 2,
        };
        Job {
            program: Program::Image {
                name: "mixline/step-x:latest".into(),
                id: "sha256:1".into(),
            },
            resources: Resources {
                cores: 64.0,
                memory_mib: 256,
            },
            folder: "/project".into(),
            context: StepContext {
                store: store.into(),
                run: Some(run),
                inputs: BTreeMap::new(),
                outputs: BTreeMap::new(),
                config: serde_json::json!({}),
                window: None,
                seed: 0,
                fingerprint: None,
                force: false,
            },
            step: "step-x".into(),
            traceparent: "00-1-2-01".into(),
            log_file: "/project/.mixline/logs/r1/t/2.log".into(),
            timeout: None,
            waited: std::time::Duration::ZERO,
        }
    }

    fn made(store: &str) -> ContainerCreateBody {
        let settings = ContainerSettings {
            env: vec!["SLACK_URL".into()],
            ..ContainerSettings::default()
        };
        let variable = |name: &str| (name.to_owned(), "v".to_owned());
        let names = [
            "SLACK_URL",
            "AWS_REGION",
            "MIXLINE_STORE",
            "HOME",
            "TRACEPARENT",
        ];
        let around = Around {
            settings: &settings,
            context: ("{}".into(), None),
            environment: names.map(variable).into(),
            processors: 2.0,
        };
        body(&job(store), "sha256:1", &around)
    }

    #[test]
    fn a_container_is_bound_to_what_its_step_needs() {
        let body = made("/project/store");
        let host = body.host_config.unwrap();
        assert_eq!(body.user.as_deref(), Some(NOBODY));
        assert_eq!(host.readonly_rootfs, Some(true));
        assert_eq!(host.network_mode.as_deref(), Some("none"));
        assert_eq!(host.memory, Some(256 << 20));
        assert_eq!(host.nano_cpus, Some(2_000_000_000));
        let mounts = host.mounts.unwrap();
        let seen = |mount: &Mount| (mount.target.clone().unwrap(), mount.read_only.unwrap());
        let seen: Vec<_> = mounts.iter().map(seen).collect();
        assert_eq!(
            seen,
            [("/project".into(), true), ("/project/store".into(), false)]
        );
        let env = body.env.unwrap();
        assert_eq!(
            env,
            ["SLACK_URL=v", "MIXLINE_CONTEXT={}", "TRACEPARENT=00-1-2-01"],
            "no variable leaks, and the trace is the attempt's"
        );
    }

    #[test]
    fn a_store_with_a_url_gets_a_network_and_credentials_but_no_mount() {
        let body = made("s3://bucket/mixline");
        let host = body.host_config.unwrap();
        assert_eq!(host.network_mode, None);
        assert_eq!(host.mounts.unwrap().len(), 1);
        assert!(body.env.unwrap().contains(&"AWS_REGION=v".to_owned()));
    }

    #[test]
    fn the_labels_name_the_attempt() {
        let labels = labels(&job("/s"));
        assert_eq!(labels["io.mixline.run"], "r1");
        assert_eq!(labels["io.mixline.task"], "t");
        assert_eq!(labels["io.mixline.attempt"], "2");
        assert_eq!(name(&job("/s")).as_deref(), Some("mixline-r1-t-2"));
    }
}

//! What one call asks for: the context document with the flags on top of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mixline_schema::{ArtifactRef, StepContext, Window, WindowError, artifact_name_is_valid};

use crate::cli::RunArgs;
use crate::config;
use crate::document;
use crate::error::StepError;
use crate::ports::PortSpec;
use crate::program::Program;

/// Where an input comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// A version in the store.
    Store(ArtifactRef),
    /// A plain file.
    File(PathBuf),
}

/// One call, settled.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The context; its `inputs` and `outputs` are not used, see the fields below.
    pub(crate) context: StepContext,
    /// Inputs that were named; the others default to the artifact of their port.
    pub(crate) sources: BTreeMap<String, Source>,
    /// Port → artifact to write, for every port.
    pub(crate) artifacts: BTreeMap<String, String>,
    /// Optional outputs to write, when the caller chose some.
    pub(crate) only: Option<BTreeSet<String>>,
    /// Write plain files here and commit nothing.
    pub(crate) out_dir: Option<PathBuf>,
}

impl Request {
    /// The store URL, or what to do about its absence.
    pub(crate) fn store(&self) -> Result<&str, StepError> {
        if self.context.store.is_empty() {
            return Err(StepError::usage("no store was given").hint(
                "add --store ./store, or read and write plain files with --in and --out-dir",
            ));
        }
        Ok(&self.context.store)
    }
}

/// The request behind the flags.
pub(crate) fn build(program: &Program, args: &RunArgs) -> Result<Request, StepError> {
    let mut context = match args
        .context
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        Some(given) => document::read(given)?,
        None => document::empty(),
    };
    let mut sources = BTreeMap::new();
    for (port, reference) in std::mem::take(&mut context.inputs) {
        known(&program.inputs, &port, "input")?;
        sources.insert(port, Source::Store(reference));
    }
    let mut artifacts: BTreeMap<_, _> = program
        .outputs
        .iter()
        .map(|spec| (spec.port.name.clone(), spec.port.artifact.clone()))
        .collect();
    for (port, name) in std::mem::take(&mut context.outputs) {
        rename(program, &mut artifacts, &port, &name)?;
    }
    for entry in args.inputs.iter().filter(|entry| !entry.trim().is_empty()) {
        let (port, source) = input(program, entry.trim())?;
        sources.insert(port, source);
    }
    let only = outputs(program, args, &mut artifacts)?;
    overlay(&mut context, args)?;
    if !program.descriptor.windowed {
        context.window = None;
    }
    Ok(Request {
        context,
        sources,
        artifacts,
        only,
        out_dir: args.out_dir.clone(),
    })
}

/// Puts store, configuration, window and seed of the flags on top of the context. A fingerprint
/// that was computed for other values is dropped.
fn overlay(context: &mut StepContext, args: &RunArgs) -> Result<(), StepError> {
    if let Some(store) = args.store.as_deref().filter(|store| !store.is_empty()) {
        store.clone_into(&mut context.store);
    }
    let before = (context.config.clone(), context.window, context.seed);
    if let Some(path) = args
        .config
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty())
    {
        config::merge(&mut context.config, config::read_file(path)?);
    }
    for assignment in args.set.iter().filter(|text| !text.trim().is_empty()) {
        config::set(&mut context.config, assignment)?;
    }
    let given = |bound: &Option<String>| bound.clone().filter(|text| !text.is_empty());
    context.window = match (given(&args.window_start), given(&args.window_end)) {
        (Some(start), Some(end)) => Some(Window {
            start: Window::parse_bound(&start).map_err(bad_window)?,
            end: Window::parse_bound(&end).map_err(bad_window)?,
        }),
        (None, None) => context.window,
        _ => {
            return Err(StepError::usage("half a window was given")
                .hint("give both --window-start and --window-end, or neither"));
        }
    };
    if let Some(window) = context.window {
        check_window(window, args.allow_empty_window)?;
    }
    context.seed = args.seed.unwrap_or(context.seed);
    context.force |= args.force;
    if before != (context.config.clone(), context.window, context.seed) || !args.inputs.is_empty() {
        context.fingerprint = None;
    }
    Ok(())
}

fn bad_window(error: WindowError) -> StepError {
    StepError::usage("the window is wrong").because(error)
}

fn check_window(window: Window, allow_empty: bool) -> Result<(), StepError> {
    match Window::new(window.start, window.end) {
        Ok(_) => Ok(()),
        Err(WindowError::Empty(_)) if allow_empty => Ok(()),
        Err(error) => Err(bad_window(error)),
    }
}

fn known<'a>(ports: &'a [PortSpec], name: &str, kind: &str) -> Result<&'a PortSpec, StepError> {
    ports
        .iter()
        .find(|spec| spec.port.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = ports
                .iter()
                .map(|spec| format!("`{}`", spec.port.name))
                .collect();
            let hint = if names.is_empty() {
                format!("this step has no {kind}s")
            } else {
                format!("the {kind}s of this step are {}", names.join(", "))
            };
            StepError::usage(format!("there is no {kind} called `{name}`")).hint(hint)
        })
}

fn input(program: &Program, entry: &str) -> Result<(String, Source), StepError> {
    let (port, text) = entry.split_once('=').ok_or_else(|| {
        StepError::usage(format!("`--in {entry}` names no version"))
            .hint("write --in port=name, --in port=name@3 or --in port=./file.parquet")
    })?;
    known(&program.inputs, port, "input")?;
    let path = PathBuf::from(text);
    let is_file = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("parquet") || e.eq_ignore_ascii_case("csv"));
    let source = if is_file {
        Source::File(path)
    } else {
        Source::Store(text.parse().map_err(|error| {
            StepError::usage(format!("`--in {entry}` cannot be understood"))
                .hint("files end in .parquet or .csv")
                .because(error)
        })?)
    };
    Ok((port.to_owned(), source))
}

fn outputs(
    program: &Program,
    args: &RunArgs,
    artifacts: &mut BTreeMap<String, String>,
) -> Result<Option<BTreeSet<String>>, StepError> {
    let mut named = BTreeSet::new();
    for entry in args
        .outputs
        .iter()
        .map(|entry| entry.trim())
        .filter(|entry| !entry.is_empty())
    {
        let (port, name) = match entry.split_once('=') {
            Some((port, name)) => (port, Some(name)),
            // `--out posterior_draws` may also name the artifact of a port.
            None => (entry, None),
        };
        let by_artifact = || {
            let mut specs = program.outputs.iter();
            specs
                .find(|spec| spec.port.artifact == port)
                .map(|spec| spec.port.name.clone())
        };
        let port = match known(&program.outputs, port, "output") {
            Ok(spec) => spec.port.name.clone(),
            Err(error) => by_artifact().ok_or(error)?,
        };
        if let Some(name) = name {
            rename(program, artifacts, &port, name)?;
        }
        named.insert(port);
    }
    Ok((!named.is_empty()).then_some(named))
}

fn rename(
    program: &Program,
    artifacts: &mut BTreeMap<String, String>,
    port: &str,
    name: &str,
) -> Result<(), StepError> {
    known(&program.outputs, port, "output")?;
    if !artifact_name_is_valid(name) {
        return Err(StepError::usage(format!("`{name}` is no artifact name"))
            .hint("use lower-case words joined by `_`"));
    }
    artifacts.insert(port.to_owned(), name.to_owned());
    Ok(())
}

#[cfg(test)]
#[expect(
    unreachable_pub,
    reason = "`inputs!` and `outputs!` declare public structs"
)]
mod tests {
    use super::*;
    use crate::{Context, NoConfig, Step, inputs, outputs};
    use mixline_schema::catalog::{File, MediaDaily};
    use mixline_schema::{Digest, ExitCode};

    inputs! {
        /// Inputs.
        pub struct Inputs {
            /// Spend.
            media: MediaDaily,
        }
    }
    outputs! {
        /// Outputs.
        pub struct Outputs {
            /// A report.
            report: Option<File> as "weekly_report" => Replace,
            /// Spend.
            media: MediaDaily => Upsert,
        }
    }

    struct Probe;

    impl Step for Probe {
        const NAME: &'static str = "step-probe";
        const ABOUT: &'static str = "A step for these tests.";
        const WINDOWED: bool = true;
        type Config = NoConfig;
        type Inputs = Inputs;
        type Outputs = Outputs;
        fn run(_: &NoConfig, inputs: Inputs, _: &Context) -> Result<Outputs, StepError> {
            Ok(Outputs {
                report: None,
                media: inputs.media,
            })
        }
    }

    fn ask(args: RunArgs) -> Result<Request, StepError> {
        build(&Program::of::<Probe>(), &args)
    }

    fn context() -> String {
        let fingerprint = Digest::of_bytes(b"x");
        format!(
            r#"{{"store": "memory:", "inputs": {{"media": "media_daily@3"}}, "seed": 2,
                "window": {{"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}},
                "config": {{"a": 1}}, "fingerprint": "{fingerprint}"}}"#
        )
    }

    #[test]
    fn flags_win_over_the_context_and_void_its_fingerprint() {
        let plain = ask(RunArgs {
            context: Some(context()),
            ..RunArgs::default()
        })
        .unwrap();
        assert!(plain.context.fingerprint.is_some());
        assert_eq!(
            plain.sources["media"],
            Source::Store("media_daily@3".parse().unwrap())
        );
        let args = RunArgs {
            context: Some(context()),
            store: Some("./other".into()),
            inputs: vec!["media=./m.CSV".into()],
            set: vec!["b=2".into()],
            seed: Some(9),
            ..RunArgs::default()
        };
        let changed = ask(args).unwrap();
        assert_eq!(changed.context.store, "./other");
        assert_eq!(changed.context.config, serde_json::json!({"a": 1, "b": 2}));
        assert_eq!(
            (changed.context.seed, changed.context.fingerprint),
            (9, None)
        );
        assert_eq!(changed.sources["media"], Source::File("./m.CSV".into()));
    }

    #[test]
    fn outputs_are_chosen_and_renamed_by_port_or_artifact() {
        let args = RunArgs {
            outputs: vec!["weekly_report".into(), "media=media_copy".into()],
            ..RunArgs::default()
        };
        let request = ask(args).unwrap();
        assert_eq!(request.artifacts["media"], "media_copy");
        assert_eq!(request.artifacts["report"], "weekly_report");
        assert_eq!(request.only.unwrap().len(), 2);
        let args = RunArgs {
            outputs: vec!["media=Bad Name".into()],
            ..RunArgs::default()
        };
        assert_eq!(ask(args).unwrap_err().exit_code(), ExitCode::Usage);
    }

    #[test]
    fn a_window_that_is_empty_or_reversed_is_refused_wherever_it_comes_from() {
        let window = |start: &str, end: &str, allow_empty_window| {
            ask(RunArgs {
                window_start: Some(start.into()),
                window_end: Some(end.into()),
                allow_empty_window,
                ..RunArgs::default()
            })
        };
        let error = window("2026-01-01", "2026-01-01", false).unwrap_err();
        assert!(
            error.chain().contains("--allow-empty-window"),
            "{}",
            error.chain()
        );
        assert!(window("2026-01-01", "2026-01-01", true).is_ok());
        assert!(window("2026-01-02", "2026-01-01", true).is_err());
        let empty = context().replace("2026-01-02", "2026-01-01");
        assert!(
            ask(RunArgs {
                context: Some(empty),
                ..RunArgs::default()
            })
            .is_err()
        );
    }

    #[test]
    fn a_wrong_context_is_named_by_its_path() {
        let wrong = r#"{"store": "memory:", "run": {"run_id": 3}}"#.to_owned();
        let error = ask(RunArgs {
            context: Some(wrong),
            ..RunArgs::default()
        })
        .unwrap_err();
        assert!(
            error.chain().contains("at `run.run_id`"),
            "{}",
            error.chain()
        );
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}

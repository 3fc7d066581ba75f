//! `step-fit transform` and `step-fit density`: the model's inner workings as JSON.

use std::collections::BTreeMap;

use mixline_model::Model;
use mixline_model::kernel::{AdstockKind, SaturationKind, convolve};
use mixline_model::posterior::{Density, Posterior, read_point};
use mixline_model::spec::ModelSpec;
use mixline_numerics::density::LogDensity as _;
use mixline_step::clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use mixline_step::{StepError, Tool, read_json, read_table};
use serde_json::{Value, json};

/// Applies an adstock or a saturation to a series.
pub(crate) const TRANSFORM: Tool = Tool {
    command: transform_command,
    run: transform,
};
/// Evaluates the log-density at points.
pub(crate) const DENSITY: Tool = Tool {
    command: density_command,
    run: density,
};

fn path(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FILE")
        .required(true)
        .help(help)
}

fn transform_command() -> Command {
    Command::new("transform")
        .about("Apply an adstock or a saturation kind to a series, and print the result as JSON")
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .required(true)
                .help(
                    "geometric, delayed, binomial, weibull_pdf, weibull_cdf; logistic, \
             inverse_scaled_logistic, tanh, michaelis_menten, hill, hill_sigmoid, root, log, none",
                ),
        )
        .arg(
            Arg::new("params")
                .long("params")
                .value_name("JSON")
                .default_value("{}")
                .help("Parameters by name, for example {\"alpha\": 0.5}"),
        )
        .arg(
            Arg::new("l-max")
                .long("l-max")
                .value_name("PERIODS")
                .default_value("8")
                .value_parser(value_parser!(usize))
                .help("Lags of an adstock"),
        )
        .arg(
            Arg::new("normalize")
                .long("normalize")
                .value_name("BOOL")
                .default_value("true")
                .value_parser(value_parser!(bool))
                .action(ArgAction::Set)
                .help("Whether adstock weights are divided by their sum"),
        )
        .arg(path("x", "The series: a JSON list of numbers"))
}

fn transform(arguments: &ArgMatches) -> Result<Value, StepError> {
    let text = |name: &str| {
        arguments
            .get_one::<String>(name)
            .cloned()
            .unwrap_or_default()
    };
    let kind = text("kind");
    let x: Vec<f64> = read_json(&text("x"))?;
    let given: BTreeMap<String, f64> = parameters(&text("params"))?;
    let take = |names: &[&str]| -> Result<Vec<f64>, StepError> {
        let missing = |name: &str| {
            StepError::usage(format!("`{kind}` needs the parameter `{name}`"))
                .hint(format!("its parameters are {}", names.join(", ")))
        };
        let one = |name: &&str| given.get(*name).copied().ok_or_else(|| missing(name));
        names.iter().map(one).collect()
    };
    if let Ok(adstock) = serde_json::from_value::<AdstockKind>(json!(kind)) {
        let l_max = arguments
            .get_one::<usize>("l-max")
            .copied()
            .unwrap_or(8)
            .max(1);
        let normalize = arguments
            .get_one::<bool>("normalize")
            .copied()
            .unwrap_or(true);
        let weights = adstock.weights(&take(adstock.parameter_names())?, l_max, normalize);
        return Ok(json!({"kind": kind, "weights": weights, "y": convolve(&x, &weights)}));
    }
    let saturation: SaturationKind = serde_json::from_value(json!(kind)).map_err(|_| {
        StepError::usage(format!("`{kind}` is neither an adstock nor a saturation"))
            .hint("`step-fit transform --help` lists the kinds")
    })?;
    let shape = take(saturation.shape_names())?;
    let amplitude = take(&[saturation.amplitude_name()])?[0];
    let y: Vec<f64> = x
        .iter()
        .map(|x| saturation.value(*x, amplitude, &shape))
        .collect();
    Ok(json!({"kind": kind, "y": y}))
}

fn parameters(text: &str) -> Result<BTreeMap<String, f64>, StepError> {
    serde_json::from_str(text)
        .map_err(|error| StepError::usage("`--params` is not a JSON map of numbers").because(error))
}

fn density_command() -> Command {
    Command::new("density")
        .about("Evaluate log-density and gradient at points, on PyMC's scale and on the sampler's")
        .arg(path(
            "spec",
            "The model: JSON, as under `model` in the configuration",
        ))
        .arg(path(
            "data",
            "The design: a .parquet or .csv file of the artifact `design`",
        ))
        .arg(path(
            "points",
            "A JSON list of points; each a map from parameter name to values",
        ))
}

fn density(arguments: &ArgMatches) -> Result<Value, StepError> {
    let text = |name: &str| {
        arguments
            .get_one::<String>(name)
            .cloned()
            .unwrap_or_default()
    };
    let spec: ModelSpec = read_json(&text("spec"))?;
    let design = read_table::<mixline_schema::catalog::Design>(&text("data"))?;
    let (panel, _) = mixline_model_tables::read_panel(&design.rows())
        .map_err(|error| StepError::data("the design makes no panel").because(error))?;
    let model = Model::new(spec, panel).map_err(crate::refused)?;
    let points: Vec<BTreeMap<String, Value>> = read_json(&text("points"))?;
    let (mut joint, mut ours) = (Density::new(&model), Posterior::new(&model));
    let (labels, coordinates) = (model.layout.labels(), ours.labels());
    let by_name = |names: &[String], values: &[f64]| {
        let pairs = names.iter().cloned().zip(values.iter().copied());
        pairs.collect::<BTreeMap<String, f64>>()
    };
    let mut found = Vec::with_capacity(points.len());
    for point in &points {
        let named = point
            .iter()
            .map(|(name, value)| (name.clone(), numbers(value)))
            .collect();
        let u = read_point(&model, &named)
            .map_err(|error| StepError::usage("a point cannot be read").because(error))?;
        let mut gradient = vec![0.0; u.len()];
        let plain = joint.log_density(&u, false, &mut gradient).ok();
        let with = joint.log_density(&u, true, &mut gradient).ok();
        let q = ours.coordinates_of(&u);
        let mut by_q = vec![0.0; q.len()];
        let sampled = ours.eval(&q, &mut by_q).ok();
        found.push(json!({
            "log_density": with,
            "log_density_without_jacobian": plain,
            "gradient": by_name(&labels, &gradient),
            "sampler": {
                "coordinates": by_name(&coordinates, &q),
                "log_density": sampled,
                "gradient": by_name(&coordinates, &by_q),
            },
        }));
    }
    Ok(json!({ "parameters": labels, "points": found }))
}

/// A list of numbers, nested lists flattened row by row.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => other.as_f64().into_iter().collect(),
    }
}

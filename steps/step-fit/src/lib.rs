//! Fits the marketing-mix model to the design.
//!
//! ```text
//! design ─► Model ─► Bayesian engine (NUTS)  ─┐
//!                └─► econometric engine ──────┴─► model, posterior_draws, posterior_summary,
//!                                                  sampler_stats, posterior_netcdf
//! ```
//!
//! `step-fit transform` and `step-fit density` show kernels and log-density to anyone who doubts
//! them.

mod config;
mod netcdf;
mod summary;
mod tools;

pub use config::Config;

use std::sync::Mutex;
use std::sync::PoisonError;

use mixline_model::fit::{Draws, FitError, fit_bayesian, fit_econometric};
use mixline_model::{Model, ModelError};
use mixline_model_tables::{Engine, ModelCard, draws_to_pieces, read_panel};
use mixline_numerics::sampler::{Progress, SampleError, Warmup};
use mixline_schema::catalog::{Design, File, PosteriorDraws, PosteriorSummary, SamplerStats};
use mixline_step::{Column, Context, Resources, Step, StepError, Table, Tool, inputs, outputs};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series to fit.
        design: Design,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// The model card: specification, scales, identity.
        model: File as "model" => Replace,
        /// Draws of every parameter.
        draws: Pieces<PosteriorDraws> => Replace,
        /// Every parameter in one row.
        summary: PosteriorSummary => Replace,
        /// What the sampler recorded; Bayesian engine only.
        sampler: Option<SamplerStats> => Replace,
        /// The draws as a netCDF-4 file that ArviZ opens.
        netcdf: Option<File> as "posterior_netcdf" => Replace,
    }
}

/// Names of parameters tell channels, controls and regions.
const LABEL: &[&str] = &["design.geo", "design.variable"];

/// What parameters are fitted to. Dates are where seasons and events come from.
const DATA: &[&str] = &["design.date", "design.value"];

/// The step.
#[derive(Debug)]
pub struct Fit;

impl Step for Fit {
    const NAME: &'static str = "step-fit";
    const ABOUT: &'static str = "Fits the marketing-mix model.";
    const COLUMNS: &'static [Column] = &[
        Column::made("model.name", &[]),
        Column::made("model.media_type", &[]),
        // The card holds names, scales and the digest that tells one fit from another.
        Column::made(
            "model.bytes",
            &[
                "design.date",
                "design.geo",
                "design.variable",
                "design.value",
                "design.split",
            ],
        ),
        Column::made("draws.parameter", LABEL),
        Column::made("draws.chain", &[]),
        Column::made("draws.draw", &[]),
        Column::made("draws.value", DATA),
        Column::made("summary.parameter", LABEL),
        Column::made("summary.mean", DATA),
        Column::made("summary.sd", DATA),
        Column::made("summary.q05", DATA),
        Column::made("summary.q25", DATA),
        Column::made("summary.q50", DATA),
        Column::made("summary.q75", DATA),
        Column::made("summary.q95", DATA),
        Column::made("summary.mcse_mean", DATA),
        Column::made("summary.ess_bulk", DATA),
        Column::made("summary.ess_tail", DATA),
        Column::made("summary.r_hat", DATA),
        Column::made("sampler.chain", &[]),
        Column::made("sampler.draw", &[]),
        Column::made("sampler.energy", DATA),
        Column::made("sampler.diverging", DATA),
        Column::made("sampler.steps", DATA),
        Column::made("sampler.depth_reached", DATA),
        Column::made("netcdf.name", &[]),
        Column::made("netcdf.media_type", &[]),
        Column::made(
            "netcdf.bytes",
            &[
                "design.date",
                "design.geo",
                "design.variable",
                "design.value",
            ],
        ),
    ];
    const RESOURCES: Resources = Resources {
        cores: 4.0,
        memory_mib: 4096,
    };
    const TOOLS: &'static [Tool] = &[tools::TRANSFORM, tools::DENSITY];
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn validate(config: &Config) -> Result<(), StepError> {
        config.check()
    }

    fn run(config: &Config, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        ctx.progress(0.0, "loading");
        let model = model(config, &inputs.design.rows())?;
        let seed = ctx.seed();
        let mut card = ModelCard::new(&model, config.engine, seed);
        ctx.note("model_id", card.model_id.clone());
        ctx.note("parameters", model.layout.len());
        ctx.note("sampled_parameters", model.sampled());
        let draws = match config.engine {
            Engine::Bayesian => bayesian(config, &model, ctx)?,
            Engine::Econometric => {
                ctx.progress(0.2, "regressing");
                let fitted = fit_econometric(&model, &config.econometric, seed);
                let (regression, draws) = fitted.map_err(failed)?;
                card.r_squared = Some(regression.r_squared);
                ctx.note("r_squared", regression.r_squared);
                draws
            }
        };
        card.warmup = draws.warmup.map(|warmup| warmup_name(warmup).to_owned());
        ctx.progress(0.92, "summarising");
        outputs(config, &model, &card, draws, ctx)
    }
}

/// The model of a design.
fn model(config: &Config, design: &[Design]) -> Result<Model, StepError> {
    let (panel, _) = read_panel(design).map_err(|error| {
        StepError::data("the design makes no panel")
            .because(error)
            .hint("run step-prepare again, or compare the columns with `mixline artifact show design`")
    })?;
    Model::new(config.model.clone(), panel).map_err(refused)
}

/// Data errors and configuration errors have different exit codes.
fn refused(error: ModelError) -> StepError {
    match &error {
        ModelError::Panel(_) => StepError::data("the data cannot be modelled")
            .because(error)
            .hint("step-explore says more about the data"),
        _ => StepError::config("the model cannot be built").because(error),
    }
}

fn failed(error: FitError) -> StepError {
    let hint = match &error {
        FitError::Sample(SampleError::NoStart) => {
            "the priors and the data contradict each other: look at the scales in design_columns"
        }
        _ => "try the econometric engine, which shows what the data can tell",
    };
    StepError::data("the fit failed").because(error).hint(hint)
}

fn bayesian(config: &Config, model: &Model, ctx: &Context) -> Result<Draws, StepError> {
    let shown = Mutex::new(-1.0);
    let watch = |progress: Progress| {
        let fraction = progress.done as f64 / progress.total.max(1) as f64;
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        if fraction - *shown >= 0.02 {
            *shown = fraction;
            let stage = if progress.tuning {
                "tuning"
            } else {
                "sampling"
            };
            let (done, total, divergences) = (progress.done, progress.total, progress.divergences);
            let text = format!("{stage}: {done} of {total} draws, {divergences} divergences");
            ctx.progress(0.05 + 0.85 * fraction, &text);
        }
        !ctx.stopping()
    };
    ctx.progress(0.02, "finding the mode");
    let draws = fit_bayesian(model, &config.settings(ctx.seed()), watch).map_err(failed)?;
    let flags = draws.statistics.iter().flat_map(|chain| &chain.diverging);
    ctx.note("divergences", flags.filter(|diverging| **diverging).count());
    ctx.note("evaluations", draws.evaluations);
    if let Some(warmup) = draws.warmup {
        ctx.note("warmup", warmup_name(warmup));
    }
    Ok(draws)
}

fn warmup_name(warmup: Warmup) -> &'static str {
    match warmup {
        Warmup::Laplace => "laplace",
        Warmup::Plain => "plain",
    }
}

fn outputs(
    config: &Config,
    model: &Model,
    card: &ModelCard,
    draws: Draws,
    ctx: &Context,
) -> Result<Outputs, StepError> {
    if !draws.chains.iter().flatten().all(|value| value.is_finite()) {
        return Err(StepError::data(
            "the fit ended with draws that are not finite",
        ));
    }
    let summary = summary::rows(&draws);
    let worst = summary
        .iter()
        .filter_map(|row| row.r_hat)
        .fold(1.0, f64::max);
    let fewest = summary
        .iter()
        .filter_map(|row| row.ess_bulk)
        .fold(f64::INFINITY, f64::min);
    if fewest.is_finite() {
        ctx.note("worst_r_hat", worst);
        ctx.note("fewest_ess_bulk", fewest);
    }
    ctx.progress(0.96, "writing draws");
    let bug = |what: &str| format!("the {what} cannot be written");
    let file = card
        .file()
        .map_err(|error| StepError::bug(bug("model card")).because(error))?;
    let sampler = summary::sampler(&draws);
    let netcdf = config
        .netcdf
        .then(|| netcdf::file(model, &draws))
        .transpose()?;
    Ok(Outputs {
        model: Table::from_rows(vec![file])?,
        draws: draws_to_pieces(draws.into()),
        summary: Table::from_rows(summary)?,
        sampler: sampler.map(Table::from_rows).transpose()?,
        netcdf: netcdf
            .map(|file| Table::from_rows(vec![file]))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests;

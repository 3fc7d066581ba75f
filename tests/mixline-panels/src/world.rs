//! Worlds made by the fitted family itself, so that the truth is known.
//!
//! Parameters are drawn from the model's own priors or given; media are random with pauses; the
//! outcome follows from the model's evaluator plus its scatter.

use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::panel::{Channel, Panel};
use mixline_model::response::Evaluator;
use mixline_model::spec::{ModelSpec, ScaleMethod};
use mixline_numerics::random::{Stream, standard_normal, stream, uniform};

use crate::reference::paid;

/// Size and seed of a world.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Geos.
    pub geos: usize,
    /// Weeks.
    pub weeks: usize,
    /// Channels.
    pub channels: usize,
    /// Seed.
    pub seed: u64,
}

/// A world and its truth.
#[derive(Debug)]
pub struct World {
    /// The data.
    pub panel: Panel,
    /// What the fit is given: the family the data come from.
    pub spec: ModelSpec,
    /// Every parameter, in the order of the layout.
    pub truth: Vec<f64>,
    /// ROAS of each channel over all geos and weeks.
    pub roas: Vec<f64>,
}

/// A specification whose scales are fixed, so that drawn parameters keep their meaning whatever
/// the data turn out to be.
#[must_use]
pub fn spec() -> ModelSpec {
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 1;
    spec.scaling.outcome.method = ScaleMethod::Fixed(1000.0);
    spec.scaling.media.method = ScaleMethod::Fixed(100.0);
    spec
}

/// Draws a world.
///
/// # Panics
/// When `size` is too small for a model.
#[must_use]
pub fn draw(size: Size) -> World {
    let mut rng = stream(size.seed, 7);
    let mut panel = media(size, &mut rng);
    let spec = spec();
    let model = Model::new(spec.clone(), panel.clone()).unwrap();
    let truth = parameters(&model, &mut rng);
    let mut evaluator = Evaluator::new(&model);
    evaluator.set(&truth);
    let mut contribution = vec![0.0; size.channels];
    for g in 0..size.geos {
        let mu = evaluator.linear_predictor(g);
        for (t, mu) in mu.iter().enumerate() {
            let y = mu + evaluator.sigma(g) * standard_normal(&mut rng);
            panel.outcome[g * size.weeks + t] = y * model.design.outcome_scale[g];
        }
        for (c, sum) in contribution.iter_mut().enumerate() {
            let series = evaluator.contribution(g, c);
            *sum += model.design.outcome_scale[g] * series.iter().sum::<f64>();
        }
    }
    let spend = |channel: &Channel| channel.spend.iter().flatten().sum::<f64>();
    let roas = panel
        .channels
        .iter()
        .zip(contribution)
        .map(|(own, sum)| sum / spend(own))
        .collect();
    World {
        panel,
        spec,
        truth,
        roas,
    }
}

/// Media that come and go.
fn media(size: Size, rng: &mut Stream) -> Panel {
    let cells = size.geos * size.weeks;
    let start = NaiveDate::from_ymd_opt(2023, 1, 2).unwrap();
    let mut series = |level: f64| {
        let mut on = true;
        let one = |_| {
            if uniform(rng) < 0.15 {
                on = !on;
            }
            let burst = libm_exp(0.5 * standard_normal(rng));
            if on { level * burst } else { 0.0 }
        };
        (0..cells).map(one).collect::<Vec<f64>>()
    };
    let channels =
        (0..size.channels).map(|c| paid(&format!("c{c}"), series(40.0 + 10.0 * (c % 4) as f64)));
    Panel {
        channels: channels.collect(),
        geos: (0..size.geos).map(|g| format!("geo{g:03}")).collect(),
        dates: (0..size.weeks as u64)
            .map(|t| start + Days::new(7 * t))
            .collect(),
        // Anything that is not constant: the real outcome follows.
        outcome: (0..cells).map(|at| at as f64).collect(),
        holdout: vec![false; size.weeks],
        controls: Vec::new(),
        population: None,
    }
}

fn libm_exp(x: f64) -> f64 {
    mixline_numerics::lanes::exp(x)
}

/// Parameters in the range where data say something, drawn around typical values.
fn parameters(model: &Model, rng: &mut Stream) -> Vec<f64> {
    let labels = model.layout.labels();
    let mut values = vec![0.0; labels.len()];
    let mut around = |middle: f64, spread: f64| middle * libm_exp(spread * standard_normal(rng));
    let mut means: Vec<(String, f64)> = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        let (name, element) = label.split_once('[').unwrap_or((label, ""));
        values[at] = match name {
            "adstock_alpha" => (around(0.4, 0.4)).min(0.8),
            "saturation_lam" => around(2.0, 0.3),
            "saturation_beta_mu" => {
                let mean = around(0.35, 0.3);
                means.push((element.trim_end_matches(']').to_owned(), mean));
                mean
            }
            "saturation_beta_sigma" => 0.08,
            "saturation_beta" => {
                let channel = element
                    .trim_end_matches(']')
                    .rsplit(',')
                    .next()
                    .unwrap_or_default();
                let mean = means.iter().find(|(own, _)| own == channel);
                match mean {
                    Some((_, mean)) => mean + 0.08 * (around(1.0, 0.5) - 1.1),
                    None => around(0.35, 0.3),
                }
            }
            "intercept_contribution" | "intercept_contribution_mu" => around(1.5, 0.1),
            "intercept_contribution_sigma" => 0.2,
            "gamma_fourier" => 0.1,
            "y_sigma" => 0.08,
            _ => 0.1,
        };
    }
    values
}

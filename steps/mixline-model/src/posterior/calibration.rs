//! Response priors and lift tests, through the whole response.
//!
//! Both are statements on a weighted sum of saturated series,
//!
//! ```text
//! S = Σ_g Σ_t ω_gt (f(x′_g)_t − f(x_g)_t)
//! ```
//!
//! - *Lift test*: Σ_c β_c S_c ~ Normal(lift, standard error), with x′ the media times the test's
//!   factor inside its window, and ω the outcome's unit over the periods that were compared.
//! - *Response prior* on Q = a S u, with amplitude a and a constant u: log p(Q) + log S takes the
//!   place of the amplitude's prior, which is the exact change of variables from Q to a.

use mixline_numerics::distribution::Distribution;
use mixline_numerics::lanes::{dot, vectorized};
use mixline_numerics::transform::Transform;

use super::density::{adstock_values, effective_shape};
use crate::design::Design;
use crate::error::ModelError;
use crate::kernel::MediaKernel;
use crate::kernel::media::{Padded, Trace, Weights};
use crate::layout::{Arg, ElementPrior, Layout};
use crate::model::Model;
use crate::panel::Panel;
use crate::spec::{LiftTest, ModelSpec, ResponsePrior, ResponseQuantity};

/// Response priors and lift tests of a model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calibration {
    responses: Vec<Response>,
    tests: Vec<Test>,
}

/// One geo's part of a sum over saturated series.
#[derive(Debug, Clone)]
struct Part {
    geo: usize,
    /// x′; `None` where there is nothing to subtract from.
    changed: Padded,
    /// Whether f(x) is subtracted.
    contrast: bool,
    /// ω.
    weights: Vec<f64>,
}

#[derive(Debug, Clone)]
struct Response {
    channel: usize,
    /// Index of the amplitude a.
    amplitude: usize,
    prior: Distribution,
    /// u.
    unit: f64,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Test {
    lift: f64,
    standard_error: f64,
    /// Parts by channel.
    channels: Vec<(usize, Vec<Part>)>,
}

/// The step by which marginal returns are measured.
pub(crate) const MARGINAL_STEP: f64 = 0.01;

impl Calibration {
    pub(crate) fn new(
        spec: &ModelSpec,
        panel: &Panel,
        design: &Design,
        layout: &mut Layout,
    ) -> Result<Self, ModelError> {
        let mut this = Self::default();
        for (name, prior) in &spec.response_priors {
            this.responses
                .push(Response::new(name, prior, panel, design, layout)?);
        }
        for test in &spec.lift_tests {
            let touched = |name: &String| spec.synergies.iter().flatten().any(|own| own == name);
            if let Some(name) = test.factors.keys().find(|name| touched(name)) {
                let reason =
                    format!("`{name}` has a synergy, which lift tests do not take into account");
                return Err(ModelError::setting(
                    format!("lift_tests.{}", test.name),
                    reason,
                ));
            }
            this.tests.push(Test::new(test, panel, design)?);
        }
        Ok(this)
    }

    /// The lifts of all tests as one draw of the parameters has them, in the specification's order.
    pub(crate) fn lifts(&self, model: &Model, values: &[f64]) -> Vec<f64> {
        let tests = self.tests.iter();
        tests.map(|test| test.predicted(model, values)).collect()
    }

    /// Whether a lift test is about channel `c`.
    pub(crate) fn tests_channel(&self, c: usize) -> bool {
        self.tests
            .iter()
            .flat_map(|test| &test.channels)
            .any(|(channel, _)| *channel == c)
    }

    /// log p of all statements, adding derivatives to `gradient`.
    pub(crate) fn add(&self, model: &Model, values: &[f64], gradient: &mut [f64]) -> f64 {
        let responses = self
            .responses
            .iter()
            .map(|one| one.add(model, values, gradient));
        let mut total: f64 = responses.sum();
        for test in &self.tests {
            total += test.add(model, values, gradient);
        }
        total
    }
}

impl Response {
    fn new(
        name: &str,
        response: &ResponsePrior,
        panel: &Panel,
        design: &Design,
        layout: &mut Layout,
    ) -> Result<Self, ModelError> {
        let key = format!("response_priors.{name}");
        let wrong = |reason: &str| ModelError::setting(key.clone(), reason);
        let channel = panel
            .channels
            .iter()
            .position(|channel| channel.name == name);
        let channel = channel.ok_or_else(|| wrong("no such channel"))?;
        if design.kernels[channel].saturation.couples_amplitude() {
            return Err(wrong(
                "this saturation has no amplitude of its own; choose another kind",
            ));
        }
        let slot = layout.channels[channel].amplitude;
        let amplitude = match (slot.is_per_geo(), layout.priors[slot.base].as_normal()) {
            (false, _) => slot.base,
            (true, Some([Arg::Parameter(mean), _])) => mean,
            _ => {
                return Err(wrong(
                    "needs one amplitude for all geos, or amplitudes around a common mean",
                ));
            }
        };
        if !matches!(layout.transforms[amplitude], Transform::Log) {
            return Err(wrong(
                "needs an amplitude above 0: give it a positive prior",
            ));
        }
        let prior = response.prior.fixed(&key, 0)?;
        layout.priors[amplitude] = ElementPrior::Response;
        let divisor = match response.on {
            ResponseQuantity::ContributionShare => fitted_sum(panel, &panel.outcome),
            _ => match &panel.channels[channel].spend {
                Some(spend) => fitted_sum(panel, spend),
                None => return Err(wrong("the channel has no spend, so it has no return on it")),
            },
        };
        if !(divisor.is_finite() && divisor > 0.0) {
            return Err(wrong("spend and outcome must add up to more than 0"));
        }
        let marginal = response.on == ResponseQuantity::MarginalRoas;
        let factor = if marginal { 1.0 + MARGINAL_STEP } else { 1.0 };
        let lags = design.kernels[channel].lags();
        let part = |geo: usize| Part {
            geo,
            changed: changed(design, geo, channel, lags, |_| factor),
            contrast: marginal,
            weights: design
                .mask(geo)
                .iter()
                .map(|mask| mask * design.outcome_scale[geo])
                .collect(),
        };
        Ok(Self {
            channel,
            amplitude,
            prior,
            unit: if marginal {
                1.0 / (divisor * MARGINAL_STEP)
            } else {
                1.0 / divisor
            },
            parts: (0..design.geos).map(part).collect(),
        })
    }

    fn add(&self, model: &Model, values: &[f64], gradient: &mut [f64]) -> f64 {
        let amplitude = values[self.amplitude];
        let sum: f64 = self
            .parts
            .iter()
            .map(|part| part.sum(model, values, self.channel))
            .sum();
        let quantity = amplitude * sum * self.unit;
        let (log_density, slope) = self.prior.log_density(quantity);
        gradient[self.amplitude] += slope * sum * self.unit;
        let by_sum = slope * amplitude * self.unit + 1.0 / sum;
        for part in &self.parts {
            part.back(model, values, self.channel, by_sum, gradient);
        }
        log_density + libm::log(sum * self.unit)
    }
}

impl Test {
    fn new(test: &LiftTest, panel: &Panel, design: &Design) -> Result<Self, ModelError> {
        let key = format!("lift_tests.{}", test.name);
        let wrong = |reason: String| ModelError::setting(key.clone(), reason);
        if !(test.standard_error.is_finite() && test.standard_error > 0.0 && test.lift.is_finite())
        {
            return Err(wrong(
                "needs a finite lift and a standard error above 0".into(),
            ));
        }
        if test.factors.is_empty() || !test.factors.values().all(|f| f.is_finite() && *f >= 0.0) {
            return Err(wrong("needs factors, and none of them negative".into()));
        }
        let until = test.measured_until.unwrap_or(test.end);
        let inside = |from, to| {
            let within = panel
                .dates
                .iter()
                .map(move |date| *date >= from && *date < to);
            within.collect::<Vec<bool>>()
        };
        let (moved, measured) = (inside(test.start, test.end), inside(test.start, until));
        if !moved.contains(&true) {
            let reason = format!("no period begins between {} and {}", test.start, test.end);
            return Err(wrong(reason));
        }
        let chosen = |geo: &usize| test.geos.is_empty() || test.geos.contains(&panel.geos[*geo]);
        let geos: Vec<usize> = (0..panel.geos.len()).filter(chosen).collect();
        let channels = test.factors.iter().filter_map(|(name, factor)| {
            let c = panel
                .channels
                .iter()
                .position(|channel| channel.name == *name)?;
            let lags = design.kernels[c].lags();
            let part = |&geo: &usize| {
                let mut weights = vec![0.0; design.row];
                for (weight, _) in weights
                    .iter_mut()
                    .zip(&measured)
                    .filter(|(_, inside)| **inside)
                {
                    *weight = design.outcome_scale[geo];
                }
                let factor = |t: usize| if moved[t] { *factor } else { 1.0 };
                Part {
                    geo,
                    changed: changed(design, geo, c, lags, factor),
                    contrast: true,
                    weights,
                }
            };
            Some((c, geos.iter().map(part).collect()))
        });
        Ok(Self {
            lift: test.lift,
            standard_error: test.standard_error,
            channels: channels.collect(),
        })
    }

    /// The lift that the model expects.
    fn predicted(&self, model: &Model, values: &[f64]) -> f64 {
        let of = |(c, parts): &(usize, Vec<Part>)| {
            let amplitude = |geo: usize| values[model.layout.channels[*c].amplitude.of(geo)];
            let parts = parts.iter();
            parts
                .map(|part| amplitude(part.geo) * part.sum(model, values, *c))
                .sum::<f64>()
        };
        self.channels.iter().map(of).sum()
    }

    fn add(&self, model: &Model, values: &[f64], gradient: &mut [f64]) -> f64 {
        let amplitude = |c: usize, geo: usize| model.layout.channels[c].amplitude.of(geo);
        let predicted = self.predicted(model, values);
        let z = (self.lift - predicted) / self.standard_error;
        let by_predicted = z / self.standard_error;
        for (c, parts) in &self.channels {
            for part in parts {
                let at = amplitude(*c, part.geo);
                let by_sum = by_predicted * values[at];
                let sum = part.back(model, values, *c, by_sum, gradient);
                gradient[at] += by_predicted * sum;
            }
        }
        -0.5 * z * z - libm::log(self.standard_error) - super::likelihood::LN_SQRT_TAU
    }
}

impl Part {
    /// This geo's part of S.
    fn sum(&self, model: &Model, values: &[f64], c: usize) -> f64 {
        let kernel = &model.design.kernels[c];
        let (weights, shape) = self.shape(model, values, c);
        let mut trace = Trace::new(model.design.periods, kernel.lags());
        kernel.forward(&self.changed, &weights, shape, &mut trace);
        let mut sum = vectorized(|| dot(&self.weights, &trace.value));
        if self.contrast {
            kernel.forward(model.design.media(self.geo, c), &weights, shape, &mut trace);
            sum -= vectorized(|| dot(&self.weights, &trace.value));
        }
        sum
    }

    /// Adds `by_sum` · ∂S/∂(parameters); returns this geo's part of S.
    fn back(
        &self,
        model: &Model,
        values: &[f64],
        c: usize,
        by_sum: f64,
        gradient: &mut [f64],
    ) -> f64 {
        let mut sum = self.back_one(model, values, c, &self.changed, by_sum, gradient);
        if self.contrast {
            let media = model.design.media(self.geo, c);
            sum -= self.back_one(model, values, c, media, -by_sum, gradient);
        }
        sum
    }

    fn back_one(
        &self,
        model: &Model,
        values: &[f64],
        c: usize,
        media: &Padded,
        by_sum: f64,
        gradient: &mut [f64],
    ) -> f64 {
        let kernel = &model.design.kernels[c];
        let (weights, shape) = self.shape(model, values, c);
        let mut trace = Trace::new(model.design.periods, kernel.lags());
        kernel.forward(media, &weights, shape, &mut trace);
        let adjoint: Vec<f64> = self.weights.iter().map(|weight| weight * by_sum).collect();
        let back = kernel.backward(media, &weights, &adjoint, &mut trace);
        let slots = &model.layout.channels[c];
        for (slot, amount) in slots.adstock.iter().zip(back.adstock) {
            if let Some(slot) = slot {
                gradient[slot.of(self.geo)] += amount;
            }
        }
        let amplitude = slots.amplitude.of(self.geo);
        for (slot, amount) in slots.shape.iter().zip(back.saturation) {
            let Some(slot) = slot else { continue };
            if kernel.saturation.couples_amplitude() {
                gradient[amplitude] += amount * values[slot.of(self.geo)];
                gradient[slot.of(self.geo)] += amount * values[amplitude];
            } else {
                gradient[slot.of(self.geo)] += amount;
            }
        }
        vectorized(|| dot(&self.weights, &trace.value))
    }

    fn shape(&self, model: &Model, values: &[f64], c: usize) -> (Weights, [f64; 2]) {
        let kernel: &MediaKernel = &model.design.kernels[c];
        let mut weights = Weights::new(kernel);
        weights.set(kernel, adstock_values(model, values, self.geo, c));
        (weights, effective_shape(model, values, self.geo, c))
    }
}

/// A channel's scaled media times a factor per period.
fn changed(
    design: &Design,
    geo: usize,
    c: usize,
    lags: usize,
    factor: impl Fn(usize) -> f64,
) -> Padded {
    let own = &design.media(geo, c).values()[..design.periods];
    let scaled: Vec<f64> = own.iter().enumerate().map(|(t, x)| x * factor(t)).collect();
    Padded::new(&scaled, lags)
}

/// Sum over the cells that take part in the fit.
fn fitted_sum(panel: &Panel, values: &[f64]) -> f64 {
    let periods = panel.periods();
    let cells = (0..panel.geos.len()).flat_map(|g| (0..periods).map(move |t| (g, t)));
    cells
        .filter(|&(g, t)| panel.fitted(g, t))
        .map(|(g, t)| values[g * periods + t])
        .sum()
}

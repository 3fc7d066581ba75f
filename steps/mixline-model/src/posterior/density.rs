//! log p of all parameters, on PyMC's unconstrained scale.
//!
//! ```text
//! log p(u) = Σ log prior(x) + log likelihood(y | x) + Σ log |dx/du|,   x = x(u)
//! ```
//!
//! Derivatives are taken by hand once: kernels give ∂f/∂(their parameters) forward, the residual
//! gives ∂L/∂μ, and dot products of both give the rest. Geo follows geo, so memory does not grow
//! with their number; nothing is allocated, except by calibration.

use mixline_numerics::density::{Divergence, LogDensity};
use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::lanes::vectorized;

use super::likelihood::Scatter;
use super::linear;
use super::marginal::Marginal;
use crate::kernel::media::{Trace, Weights};
use crate::kernel::{ADSTOCK_PARAMETERS, SHAPE_PARAMETERS};
use crate::layout::{ElementPrior, Slot};
use crate::model::Model;

/// The log-density with its buffers.
#[derive(Debug, Clone)]
pub struct Density<'m> {
    pub(super) model: &'m Model,
    /// x.
    pub(super) values: Vec<f64>,
    /// dx/du.
    pub(super) slopes: Vec<f64>,
    /// ∂ log p / ∂x.
    pub(super) gradient: Vec<f64>,
    /// Whether coefficients by geo are integrated out.
    integrate: bool,
    /// Whether kinks of priors are rounded off, for searches of the mode.
    smooth: bool,
    pub(super) work: Work,
    pub(super) marginal: Marginal,
}

/// Buffers of one geo.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub weights: Vec<Weights>,
    pub traces: Vec<Trace>,
    pub residual: Vec<f64>,
    /// ∂L/∂μ.
    pub slope: Vec<f64>,
    /// ∂L/∂f of one channel.
    pub adjoint: Vec<f64>,
    /// What every channel's effect is multiplied with; 1 when it is constant.
    pub multiplier: Vec<f64>,
}

impl Work {
    fn new(model: &Model) -> Self {
        let design = &model.design;
        let trace = |kernel: &crate::kernel::MediaKernel| Trace::new(design.periods, kernel.lags());
        Self {
            weights: design.kernels.iter().map(Weights::new).collect(),
            traces: design.kernels.iter().map(trace).collect(),
            residual: vec![0.0; design.row],
            slope: vec![0.0; design.row],
            adjoint: vec![0.0; design.row],
            multiplier: vec![1.0; design.row],
        }
    }
}

impl<'m> Density<'m> {
    /// The density of all parameters, none integrated out: what PyMC computes.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        Self::build(model, false)
    }

    pub(super) fn build(model: &'m Model, integrate: bool) -> Self {
        let len = model.layout.len();
        Self {
            model,
            values: vec![0.0; len],
            slopes: vec![0.0; len],
            gradient: vec![0.0; len],
            integrate: integrate && model.integrated.count() > 0,
            smooth: false,
            work: Work::new(model),
            marginal: Marginal::new(model),
        }
    }

    /// The same density with the kink of Laplace priors rounded off.
    #[must_use]
    pub fn smoothed(mut self) -> Self {
        self.smooth = true;
        self
    }

    /// log p with or without log |dx/du|, and its gradient with respect to u.
    ///
    /// `u`: one number per parameter, in the order of
    /// [`Layout::labels`](crate::layout::Layout::labels).
    ///
    /// # Errors
    /// [`Divergence`] when the value or a part of the gradient is not finite.
    pub fn log_density(
        &mut self,
        u: &[f64],
        jacobian: bool,
        gradient: &mut [f64],
    ) -> Result<f64, Divergence> {
        let mut total = self.constrain(u, jacobian, gradient);
        total += self.priors();
        total += self.likelihood();
        total += self.calibration();
        for ((out, slope), by_value) in gradient.iter_mut().zip(&self.slopes).zip(&self.gradient) {
            *out += slope * by_value;
        }
        let finite = total.is_finite() && gradient.iter().all(|g| g.is_finite());
        if finite { Ok(total) } else { Err(Divergence) }
    }

    /// Sets x and dx/du; Σ log |dx/du|, whose gradient starts `gradient`.
    pub(super) fn constrain(&mut self, u: &[f64], jacobian: bool, gradient: &mut [f64]) -> f64 {
        let mut total = 0.0;
        for (at, u) in u.iter().enumerate() {
            let constrained = self.model.layout.transforms[at].constrain(*u);
            self.values[at] = constrained.value;
            self.slopes[at] = constrained.slope;
            let counts = jacobian && !self.skips(at);
            gradient[at] = if counts {
                constrained.log_jacobian_slope
            } else {
                0.0
            };
            total += if counts {
                constrained.log_jacobian
            } else {
                0.0
            };
        }
        total
    }

    /// Whether a parameter is integrated out here.
    fn skips(&self, at: usize) -> bool {
        self.integrate && self.model.integrated.holds(at)
    }

    fn priors(&mut self) -> f64 {
        self.gradient.fill(0.0);
        let mut total = 0.0;
        for at in 0..self.values.len() {
            if self.skips(at) {
                continue;
            }
            let prior = self.model.layout.priors[at];
            total += match prior {
                ElementPrior::Fixed(fixed)
                    if self.smooth && fixed.family() == Distributions::Laplace =>
                {
                    rounded(fixed.parameters(), self.values[at], &mut self.gradient[at])
                }
                _ => prior.add(at, &self.values, &mut self.gradient),
            };
        }
        total
    }

    fn likelihood(&mut self) -> f64 {
        self.prepare_media();
        let mut total = 0.0;
        for g in 0..self.model.design.geos {
            self.forward(g);
            total += if self.integrate {
                self.marginal_geo(g)
            } else {
                self.sampled_geo(g)
            };
        }
        total
    }

    fn calibration(&mut self) -> f64 {
        let model = self.model;
        model
            .calibration
            .add(model, &self.values, &mut self.gradient)
    }

    /// What all geos share: adstock weights, and the drift of the effect.
    pub(super) fn prepare_media(&mut self) {
        for c in 0..self.model.design.kernels.len() {
            self.set_weights(0, c);
        }
        drift(self.model, &self.values, &mut self.work.multiplier);
    }

    pub(super) fn set_weights(&mut self, g: usize, c: usize) {
        let p = adstock_values(self.model, &self.values, g, c);
        self.work.weights[c].set(&self.model.design.kernels[c], p);
    }

    /// Runs the kernels of geo `g`.
    pub(super) fn forward(&mut self, g: usize) {
        let model = self.model;
        for (c, kernel) in model.design.kernels.iter().enumerate() {
            let per_geo = model.layout.channels[c]
                .adstock
                .iter()
                .flatten()
                .any(|s| s.is_per_geo());
            if g > 0 && per_geo {
                self.set_weights(g, c);
            }
            let shape = effective_shape(model, &self.values, g, c);
            let work = &mut self.work;
            kernel.forward(
                model.design.media(g, c),
                &work.weights[c],
                shape,
                &mut work.traces[c],
            );
            if !model.design.drift.is_empty() {
                for (f, m) in work.traces[c].value.iter_mut().zip(&work.multiplier) {
                    *f *= m;
                }
            }
        }
    }

    pub(super) fn scatter(&self, g: usize) -> Scatter {
        let layout = &self.model.layout;
        Scatter {
            family: self.model.spec.likelihood.family,
            sigma: self.values[layout.sigma.of(g)],
            nu: layout
                .nu
                .map_or(f64::INFINITY, |slot| self.values[slot.of(g)]),
        }
    }

    /// log likelihood of geo `g`, adding to the gradient.
    fn sampled_geo(&mut self, g: usize) -> f64 {
        let scatter = self.scatter(g);
        let Self {
            model,
            values,
            gradient,
            work,
            ..
        } = self;
        let (design, layout) = (&model.design, &model.layout);
        let (outcome, mask) = (design.outcome(g), design.mask(g));
        let score = vectorized(
            #[inline(always)]
            || {
                linear::subtract(model, values, work, g, |_| false);
                let fitted = design.fitted[g];
                let score = scatter.score(outcome, &work.residual, mask, fitted, &mut work.slope);
                linear::add_gradient(model, gradient, work, g, |_| false);
                score
            },
        );
        gradient[layout.sigma.of(g)] += score.sigma;
        if let Some(slot) = layout.nu {
            gradient[slot.of(g)] += score.nu;
        }
        for c in 0..design.kernels.len() {
            self.sampled_adjoint(g, c);
            self.backward(g, c);
        }
        score.log_density
    }

    /// ∂L/∂f of channel `c`: its amplitude times ∂L/∂μ, and what synergies add.
    pub(super) fn sampled_adjoint(&mut self, g: usize, c: usize) {
        let Self {
            model,
            values,
            work,
            ..
        } = self;
        let beta = values[model.layout.channels[c].amplitude.of(g)];
        for (out, e) in work.adjoint.iter_mut().zip(&work.slope) {
            *out = beta * e;
        }
        for (pair, slot) in model.synergies.iter().zip(&model.layout.synergies) {
            let other = match pair {
                [a, b] if *a == c => *b,
                [a, b] if *b == c => *a,
                _ => continue,
            };
            let delta = values[slot.of(g)];
            let partner = &work.traces[other].value;
            for ((out, e), f) in work.adjoint.iter_mut().zip(&work.slope).zip(partner) {
                *out += delta * e * f;
            }
        }
    }

    /// Adds the gradient of channel `c`'s kernel, for the adjoint in the buffer.
    pub(super) fn backward(&mut self, g: usize, c: usize) {
        let Self {
            model,
            values,
            gradient,
            work,
            ..
        } = self;
        let kernel = &model.design.kernels[c];
        let media = model.design.media(g, c);
        back_through_drift(model, work, c, gradient);
        let back = kernel.backward(media, &work.weights[c], &work.adjoint, &mut work.traces[c]);
        let slots = &model.layout.channels[c];
        add_by_slot(&slots.adstock, g, back.adstock, gradient);
        let mut by_shape = back.saturation;
        if kernel.saturation.couples_amplitude()
            && let Some(shape) = slots.shape[0]
        {
            // The curve saw the product of amplitude and shape.
            let amplitude = slots.amplitude.of(g);
            gradient[amplitude] += by_shape[0] * values[shape.of(g)];
            by_shape[0] *= values[amplitude];
        }
        add_by_slot(&slots.shape, g, by_shape, gradient);
    }
}

impl LogDensity for Density<'_> {
    fn dim(&self) -> usize {
        self.values.len()
    }

    fn eval(&mut self, u: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence> {
        self.log_density(u, true, gradient)
    }
}

fn add_by_slot<const N: usize>(
    slots: &[Option<Slot>; N],
    g: usize,
    amounts: [f64; N],
    gradient: &mut [f64],
) {
    for (slot, amount) in slots.iter().zip(amounts) {
        if let Some(slot) = slot {
            gradient[slot.of(g)] += amount;
        }
    }
}

/// The media multiplier, e^(straight lines between knots); 1 without knots.
pub(crate) fn drift(model: &Model, values: &[f64], multiplier: &mut [f64]) {
    if model.design.drift.is_empty() {
        return;
    }
    multiplier.fill(0.0);
    for (column, slot) in model.design.drift.iter().zip(&model.layout.drift) {
        for (sum, h) in multiplier.iter_mut().zip(column) {
            *sum += values[slot.base] * h;
        }
    }
    multiplier.iter_mut().for_each(|m| *m = libm::exp(*m));
}

/// Adds the gradient of the drift, and turns ∂L/∂(m f) into ∂L/∂f.
fn back_through_drift(model: &Model, work: &mut Work, c: usize, gradient: &mut [f64]) {
    for (column, slot) in model.design.drift.iter().zip(&model.layout.drift) {
        let cells = work.adjoint.iter().zip(&work.traces[c].value).zip(column);
        gradient[slot.base] += cells.map(|((a, f), h)| a * f * h).sum::<f64>();
    }
    if !model.design.drift.is_empty() {
        for (a, m) in work.adjoint.iter_mut().zip(&work.multiplier) {
            *a *= m;
        }
    }
}

/// The values of a channel's adstock parameters in geo `g`.
pub(crate) fn adstock_values(
    model: &Model,
    values: &[f64],
    g: usize,
    c: usize,
) -> [f64; ADSTOCK_PARAMETERS] {
    model.layout.channels[c]
        .adstock
        .map(|slot| slot.map_or(0.0, |slot| values[slot.of(g)]))
}

/// The shape parameters that a channel's curve takes in geo `g`.
pub(crate) fn effective_shape(
    model: &Model,
    values: &[f64],
    g: usize,
    c: usize,
) -> [f64; SHAPE_PARAMETERS] {
    let slots = &model.layout.channels[c];
    let shape = slots
        .shape
        .map(|slot| slot.map_or(0.0, |slot| values[slot.of(g)]));
    let amplitude = values[slots.amplitude.of(g)];
    model.design.kernels[c]
        .saturation
        .effective_shape(amplitude, shape)
}

/// A Laplace density with its kink rounded off: −√(z² + δ²) instead of −|z|.
fn rounded(parameters: &[f64], x: f64, gradient: &mut f64) -> f64 {
    const DELTA: f64 = 0.3;
    let z = (x - parameters[0]) / parameters[1];
    let root = (z * z + DELTA * DELTA).sqrt();
    *gradient += -z / (root * parameters[1]);
    -root
}

//! The posterior as the sampler sees it.

use mixline_numerics::density::{Divergence, LogDensity};
use mixline_numerics::random::Stream;

use super::coordinates::{Coordinates, Values};
use super::density::Density;
use crate::model::Model;

/// log p in the sampler's coordinates q: the density of [`Density`], with coefficients by geo
/// integrated out, and the change of variables from u to q.
#[derive(Debug, Clone)]
pub struct Posterior<'m> {
    density: Density<'m>,
    coordinates: Coordinates,
    u: Vec<f64>,
    by_u: Vec<f64>,
}

impl<'m> Posterior<'m> {
    /// The posterior of a model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let len = model.layout.len();
        Self {
            density: Density::build(model, true),
            coordinates: Coordinates::new(model),
            u: vec![0.0; len],
            by_u: vec![0.0; len],
        }
    }

    /// The same posterior with the kinks of priors rounded off, for searches of the mode.
    #[must_use]
    pub fn smoothed(mut self) -> Self {
        self.density = self.density.smoothed();
        self
    }

    /// A point to start from: every parameter at the centre of its prior.
    #[must_use]
    pub fn start(&self) -> Vec<f64> {
        self.coordinates.start(self.density.model)
    }

    /// The sampler's coordinates of a point on PyMC's unconstrained scale.
    #[must_use]
    pub fn coordinates_of(&self, u: &[f64]) -> Vec<f64> {
        self.coordinates.inverse(self.density.model, u)
    }

    /// log |du/dq| at a point of the sampler's coordinates.
    pub fn log_jacobian(&mut self, q: &[f64]) -> f64 {
        self.coordinates.forward(self.density.model, q, &mut self.u)
    }

    /// All parameters in their own units, in the order of the layout, for a draw of q; those
    /// integrated out are drawn from their conditional posterior.
    pub fn parameters(&mut self, q: &[f64], rng: &mut Stream) -> &[f64] {
        let model = self.density.model;
        self.coordinates.forward(model, q, &mut self.u);
        self.density.constrain(&self.u, false, &mut self.by_u);
        if model.integrated.count() > 0 {
            self.density.draw_integrated(rng);
        }
        &self.density.values
    }

    /// Labels of the coordinates: the parameter each one stands for.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let labels = self.density.model.layout.labels();
        self.coordinates
            .sampled
            .iter()
            .map(|&at| labels[at].clone())
            .collect()
    }
}

impl LogDensity for Posterior<'_> {
    fn dim(&self) -> usize {
        self.coordinates.sampled.len()
    }

    fn eval(&mut self, q: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence> {
        let Self {
            density,
            coordinates,
            u,
            by_u,
        } = self;
        let model = density.model;
        let jacobian = coordinates.forward(model, q, u);
        let value = density.log_density(u, true, by_u)?;
        let (values, slopes) = (&density.values[..], &density.slopes[..]);
        let x = Values { values, slopes };
        coordinates.backward(model, u, x, by_u, gradient);
        let total = value + jacobian;
        let finite = total.is_finite() && gradient.iter().all(|g| g.is_finite());
        if finite { Ok(total) } else { Err(Divergence) }
    }
}

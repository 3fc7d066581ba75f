//! One draw's series.

use crate::kernel::media::{Padded, Trace, Weights};
use crate::model::Model;
use crate::posterior::density::{adstock_values, drift, effective_shape};
use crate::spec::{Family, Link};

/// Computes the series that one draw of the parameters implies.
#[derive(Debug, Clone)]
pub struct Evaluator<'m> {
    model: &'m Model,
    values: Vec<f64>,
    weights: Vec<Weights>,
    traces: Vec<Trace>,
    multiplier: Vec<f64>,
}

impl<'m> Evaluator<'m> {
    /// For draws of this model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let design = &model.design;
        let trace = |kernel: &crate::kernel::MediaKernel| Trace::new(design.periods, kernel.lags());
        Self {
            model,
            values: vec![0.0; model.layout.len()],
            weights: design.kernels.iter().map(Weights::new).collect(),
            traces: design.kernels.iter().map(trace).collect(),
            multiplier: vec![1.0; design.row],
        }
    }

    /// Takes one draw: every parameter, in the order of the layout.
    pub fn set(&mut self, values: &[f64]) {
        self.values.copy_from_slice(values);
        drift(self.model, values, &mut self.multiplier);
    }

    /// s(adstock(x)) of channel `c` in geo `g`, at amplitude one; one value per period.
    pub fn saturated(&mut self, g: usize, c: usize) -> &[f64] {
        let model = self.model;
        self.run(g, c, model.design.media(g, c))
    }

    /// The same with the media times `factor` in every period.
    pub fn saturated_at(&mut self, g: usize, c: usize, factor: f64) -> &[f64] {
        let model = self.model;
        let own = &model.design.media(g, c).values()[..model.design.periods];
        let scaled: Vec<f64> = own.iter().map(|x| x * factor).collect();
        let lags = model.design.kernels[c].lags();
        self.run(g, c, &Padded::new(&scaled, lags))
    }

    fn run(&mut self, g: usize, c: usize, media: &Padded) -> &[f64] {
        let model = self.model;
        let kernel = &model.design.kernels[c];
        self.weights[c].set(kernel, adstock_values(model, &self.values, g, c));
        let shape = effective_shape(model, &self.values, g, c);
        kernel.forward(media, &self.weights[c], shape, &mut self.traces[c]);
        if !model.design.drift.is_empty() {
            for (f, m) in self.traces[c].value.iter_mut().zip(&self.multiplier) {
                *f *= m;
            }
        }
        &self.traces[c].value[..model.design.periods]
    }

    /// The amplitude of channel `c` in geo `g`.
    #[must_use]
    pub fn amplitude(&self, g: usize, c: usize) -> f64 {
        self.values[self.model.layout.channels[c].amplitude.of(g)]
    }

    /// What linear term `k` adds in geo `g`, scaled; one value per period.
    #[must_use]
    pub fn term(&self, g: usize, k: usize) -> Vec<f64> {
        let design = &self.model.design;
        let coefficient = self.values[self.model.layout.terms[k].of(g)];
        let column = &design.terms[k].column(g, design.row)[..design.periods];
        column.iter().map(|x| coefficient * x).collect()
    }

    /// What channel `c` adds in geo `g`, scaled; one value per period.
    pub fn contribution(&mut self, g: usize, c: usize) -> Vec<f64> {
        let amplitude = self.amplitude(g, c);
        self.saturated(g, c).iter().map(|f| amplitude * f).collect()
    }

    /// What synergy `s` adds in geo `g`, scaled; one value per period.
    pub fn synergy(&mut self, g: usize, s: usize) -> Vec<f64> {
        let [a, b] = self.model.synergies[s];
        let delta = self.values[self.model.layout.synergies[s].of(g)];
        let first = self.saturated(g, a).to_vec();
        let second = self.saturated(g, b);
        first
            .iter()
            .zip(second)
            .map(|(fa, fb)| delta * fa * fb)
            .collect()
    }

    /// μ of geo `g`, on the scale where effects add up; one value per period.
    pub fn linear_predictor(&mut self, g: usize) -> Vec<f64> {
        let design = &self.model.design;
        let mut total = vec![0.0; design.periods];
        let mut add = |series: &[f64], factor: f64| {
            for (sum, x) in total.iter_mut().zip(series) {
                *sum += factor * x;
            }
        };
        for k in 0..design.terms.len() {
            let coefficient = self.values[self.model.layout.terms[k].of(g)];
            add(design.terms[k].column(g, design.row), coefficient);
        }
        for c in 0..design.kernels.len() {
            let amplitude = self.amplitude(g, c);
            add(self.saturated(g, c), amplitude);
        }
        for s in 0..self.model.synergies.len() {
            add(&self.synergy(g, s), 1.0);
        }
        total
    }

    /// Scale of the likelihood in geo `g`.
    #[must_use]
    pub fn sigma(&self, g: usize) -> f64 {
        self.values[self.model.layout.sigma.of(g)]
    }

    /// Degrees of freedom of a Student-t likelihood.
    #[must_use]
    pub fn nu(&self, g: usize) -> Option<f64> {
        self.model.layout.nu.map(|slot| self.values[slot.of(g)])
    }

    /// The expected outcome in original units for a μ.
    ///
    /// Under a log link, e^(μ + σ²/2) for a Normal, and the median e^μ for a Student-t, which has
    /// no mean there.
    #[must_use]
    pub fn expected(&self, g: usize, mu: f64) -> f64 {
        let scale = self.model.design.outcome_scale[g];
        let likelihood = self.model.spec.likelihood;
        match (likelihood.link, likelihood.family) {
            (Link::Identity, _) => scale * mu,
            (Link::Log, Family::StudentT) => scale * libm::exp(mu),
            (Link::Log, _) => {
                let sigma = self.sigma(g);
                scale * libm::exp(mu + 0.5 * sigma * sigma)
            }
        }
    }
}

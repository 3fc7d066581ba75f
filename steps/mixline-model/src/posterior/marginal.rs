//! The likelihood of a geo with its own coefficients integrated out.
//!
//! With columns D (n × p), prior b ~ N(m, T²), T diagonal, and r = y − (everything else) − D m:
//!
//! ```text
//! B = DᵀD/σ²,  A = I + T B T = L Lᵀ,  C = T A⁻¹ T  (the posterior covariance of b)
//! h = C Dᵀr/σ²,  e = (r − D h)/σ²
//! log p = −n log σ√(2π) − Σ log L_ii − rᵀe/2
//! ∂/∂m = Dᵀe,  ∂/∂D_j = e (m + h)_j − D C_j/σ²,  ∂/∂τ_j = τ_j ((Dᵀe)_j² − (B − B C B)_jj)
//! ∂/∂σ² = −((n − p) + tr A⁻¹)/2σ² + eᵀe/2
//! b | y ~ N(m + h, C)
//! ```
//!
//! Stable as τ → 0, since only A is factored.

use mixline_numerics::lanes::{axpy, dot, vectorized};
use mixline_numerics::random::{Stream, standard_normal};

use super::density::Density;
use super::integrated::Source;
use super::likelihood::LN_SQRT_TAU;
use super::linear;
use crate::model::Model;

/// Buffers for p columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Marginal {
    p: usize,
    /// D, column by column.
    columns: Vec<Vec<f64>>,
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// B.
    gram: Vec<f64>,
    /// L.
    factor: Vec<f64>,
    /// A⁻¹, then C.
    inverse: Vec<f64>,
    shift: Vec<f64>,
    projected: Vec<f64>,
    scratch: Vec<f64>,
}

impl Marginal {
    pub(super) fn new(model: &Model) -> Self {
        let p = model.integrated.columns.len();
        let square = || vec![0.0; p * p];
        let line = || vec![0.0; p];
        Self {
            p,
            columns: vec![vec![0.0; model.design.row]; p],
            mean: line(),
            scale: line(),
            gram: square(),
            factor: square(),
            inverse: square(),
            shift: line(),
            projected: line(),
            scratch: line(),
        }
    }

    /// Factors A, and fills A⁻¹.
    fn factor(&mut self) {
        let p = self.p;
        for i in 0..p {
            for j in 0..=i {
                let mut sum = self.scale[i] * self.gram[i * p + j] * self.scale[j];
                sum += f64::from(u8::from(i == j));
                for k in 0..j {
                    sum -= self.factor[i * p + k] * self.factor[j * p + k];
                }
                self.factor[i * p + j] = if i == j {
                    sum.max(1.0).sqrt()
                } else {
                    sum / self.factor[j * p + j]
                };
            }
        }
        for column in 0..p {
            self.scratch.fill(0.0);
            self.scratch[column] = 1.0;
            self.solve();
            for row in 0..p {
                self.inverse[row * p + column] = self.scratch[row];
            }
        }
    }

    /// scratch ← A⁻¹ scratch.
    fn solve(&mut self) {
        let p = self.p;
        for i in 0..p {
            let mut sum = self.scratch[i];
            for k in 0..i {
                sum -= self.factor[i * p + k] * self.scratch[k];
            }
            self.scratch[i] = sum / self.factor[i * p + i];
        }
        self.solve_transposed();
    }

    /// scratch ← L⁻ᵀ scratch.
    fn solve_transposed(&mut self) {
        let p = self.p;
        for i in (0..p).rev() {
            let mut sum = self.scratch[i];
            for k in i + 1..p {
                sum -= self.factor[k * p + i] * self.scratch[k];
            }
            self.scratch[i] = sum / self.factor[i * p + i];
        }
    }

    /// C from A⁻¹.
    fn scale_inverse(&mut self) {
        for i in 0..self.p {
            for j in 0..self.p {
                self.inverse[i * self.p + j] *= self.scale[i] * self.scale[j];
            }
        }
    }
}

impl Density<'_> {
    /// Fills D, m, T, and the residual; then B, L, C and h.
    fn condition(&mut self, g: usize) -> f64 {
        let scatter = self.scatter(g);
        let Self {
            model,
            values,
            work,
            marginal,
            ..
        } = self;
        let (design, layout) = (&model.design, &model.layout);
        let mask = design.mask(g);
        for (j, (source, slot)) in model.integrated.columns.iter().enumerate() {
            if let Some([mean, scale]) = layout.priors[slot.of(g)].as_normal() {
                (marginal.mean[j], marginal.scale[j]) = (mean.value(values), scale.value(values));
            }
            let column = match source {
                Source::Term(k) => design.terms[*k].column(g, design.row),
                Source::Channel(c) => &work.traces[*c].value,
            };
            for ((out, value), mask) in marginal.columns[j].iter_mut().zip(column).zip(mask) {
                *out = value * mask;
            }
        }
        let precision = 1.0 / (scatter.sigma * scatter.sigma);
        let integrated = &model.integrated;
        vectorized(
            #[inline(always)]
            || {
                linear::subtract(model, values, work, g, |at| integrated.holds(at));
                let residual = &mut work.residual;
                for (column, mean) in marginal.columns.iter().zip(&marginal.mean) {
                    axpy(-mean, column, residual);
                }
                for i in 0..marginal.p {
                    for j in 0..=i {
                        let product = precision * dot(&marginal.columns[i], &marginal.columns[j]);
                        marginal.gram[i * marginal.p + j] = product;
                        marginal.gram[j * marginal.p + i] = product;
                    }
                    marginal.projected[i] = precision * dot(&marginal.columns[i], residual);
                }
            },
        );
        marginal.factor();
        let p = marginal.p;
        let trace: f64 = (0..p).map(|i| marginal.inverse[i * p + i]).sum();
        marginal.scale_inverse();
        vectorized(
            #[inline(always)]
            || {
                for i in 0..p {
                    marginal.shift[i] =
                        dot(&marginal.inverse[i * p..(i + 1) * p], &marginal.projected);
                }
            },
        );
        trace
    }

    /// log likelihood of geo `g` with its coefficients integrated out, adding to the gradient.
    pub(super) fn marginal_geo(&mut self, g: usize) -> f64 {
        let trace = self.condition(g);
        let sigma = self.scatter(g).sigma;
        let precision = 1.0 / (sigma * sigma);
        let Self {
            model,
            gradient,
            work,
            marginal,
            ..
        } = self;
        let (design, layout, p) = (&model.design, &model.layout, marginal.p);
        let (quadratic, squares) = vectorized(
            #[inline(always)]
            || {
                work.slope.copy_from_slice(&work.residual);
                for (column, shift) in marginal.columns.iter().zip(&marginal.shift) {
                    axpy(-shift, column, &mut work.slope);
                }
                work.slope.iter_mut().for_each(|e| *e *= precision);
                let held = |at| model.integrated.holds(at);
                linear::add_gradient(model, gradient, work, g, held);
                for (j, column) in marginal.columns.iter().enumerate() {
                    marginal.projected[j] = dot(column, &work.slope);
                }
                (
                    dot(&work.residual, &work.slope),
                    dot(&work.slope, &work.slope),
                )
            },
        );
        for (j, (_, slot)) in model.integrated.columns.iter().enumerate() {
            let Some([mean, scale]) = layout.priors[slot.of(g)].as_normal() else {
                continue;
            };
            let by_mean = marginal.projected[j];
            mean.add(by_mean, gradient);
            // (B C B)_jj = Σ_ik B_ji C_ik B_kj
            let row = &marginal.gram[j * p..(j + 1) * p];
            let inner = vectorized(
                #[inline(always)]
                || {
                    let products =
                        (0..p).map(|i| row[i] * dot(&marginal.inverse[i * p..(i + 1) * p], row));
                    products.sum::<f64>()
                },
            );
            let by_scale = marginal.scale[j] * (by_mean * by_mean - (row[j] - inner));
            scale.add(by_scale, gradient);
        }
        let n = design.fitted[g];
        let by_variance = -((n - p as f64) + trace) * precision / 2.0 + squares / 2.0;
        gradient[layout.sigma.of(g)] += by_variance * 2.0 * sigma;
        let determinant: f64 = (0..p).map(|i| libm::log(marginal.factor[i * p + i])).sum();
        let value = -n * (libm::log(sigma) + LN_SQRT_TAU) - determinant - quadratic / 2.0;
        for c in 0..self.model.design.kernels.len() {
            self.marginal_adjoint(g, c, precision);
            self.backward(g, c);
        }
        value
    }

    /// ∂L/∂f of channel `c`.
    fn marginal_adjoint(&mut self, g: usize, c: usize, precision: f64) {
        let columns = &self.model.integrated.columns;
        let Some(j) = columns
            .iter()
            .position(|(source, _)| *source == Source::Channel(c))
        else {
            self.sampled_adjoint(g, c);
            return;
        };
        let Self {
            model,
            work,
            marginal,
            ..
        } = self;
        let mask = model.design.mask(g);
        vectorized(
            #[inline(always)]
            || {
                let level = marginal.mean[j] + marginal.shift[j];
                for (out, e) in work.adjoint.iter_mut().zip(&work.slope) {
                    *out = level * e;
                }
                for (i, column) in marginal.columns.iter().enumerate() {
                    axpy(
                        -precision * marginal.inverse[i * marginal.p + j],
                        column,
                        &mut work.adjoint,
                    );
                }
                for (out, mask) in work.adjoint.iter_mut().zip(mask) {
                    *out *= mask;
                }
            },
        );
    }

    /// Draws the integrated coefficients of every geo, given all other values.
    pub(super) fn draw_integrated(&mut self, rng: &mut Stream) {
        self.prepare_media();
        for g in 0..self.model.design.geos {
            self.forward(g);
            self.condition(g);
            // b = m + h + T L⁻ᵀ z has covariance T A⁻¹ T = C.
            for z in &mut self.marginal.scratch {
                *z = standard_normal(rng);
            }
            self.marginal.solve_transposed();
            for (j, (_, slot)) in self.model.integrated.columns.iter().enumerate() {
                let marginal = &self.marginal;
                self.values[slot.of(g)] =
                    marginal.mean[j] + marginal.shift[j] + marginal.scale[j] * marginal.scratch[j];
            }
        }
    }
}

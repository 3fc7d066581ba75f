//! A density in the coordinates of its Laplace approximation.

use super::laplace::Laplace;
use crate::density::{Divergence, LogDensity};
use crate::lanes::{axpy, dot, vectorized};

/// `density` as a function of ξ, where θ = mode + L ξ. The Jacobian is a constant and left out.
#[derive(Debug, Clone)]
pub struct Whitened<'a, D> {
    density: D,
    laplace: &'a Laplace,
    theta: Vec<f64>,
    slope: Vec<f64>,
}

impl<'a, D: LogDensity> Whitened<'a, D> {
    /// Changes the coordinates of `density`.
    pub fn new(density: D, laplace: &'a Laplace) -> Self {
        let dim = density.dim();
        Self {
            density,
            laplace,
            theta: vec![0.0; dim],
            slope: vec![0.0; dim],
        }
    }

    /// θ = mode + L ξ.
    pub fn color(laplace: &Laplace, xi: &[f64], theta: &mut [f64]) {
        vectorized(
            #[inline(always)]
            || {
                theta.copy_from_slice(&laplace.mode);
                for (column, x) in laplace.factor.chunks_exact(xi.len().max(1)).zip(xi) {
                    axpy(*x, column, theta);
                }
            },
        );
    }
}

impl<D: LogDensity> LogDensity for Whitened<'_, D> {
    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn eval(&mut self, xi: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence> {
        Self::color(self.laplace, xi, &mut self.theta);
        let value = self.density.eval(&self.theta, &mut self.slope)?;
        let columns = self.laplace.factor.chunks_exact(xi.len().max(1));
        vectorized(
            #[inline(always)]
            || {
                for (column, gradient) in columns.zip(gradient.iter_mut()) {
                    *gradient = dot(column, &self.slope);
                }
            },
        );
        Ok(value)
    }
}

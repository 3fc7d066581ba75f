//! The Laplace approximation: a Normal with the mode as mean and the inverse Hessian as covariance.

use nalgebra::{DMatrix, SymmetricEigen};

use super::mode::{Mode, find_mode};
use crate::density::{Divergence, LogDensity};

/// A Normal approximation of a density around its mode.
#[derive(Debug, Clone)]
pub struct Laplace {
    /// The mode, d numbers.
    pub mode: Vec<f64>,
    /// L with L Lᵀ = covariance, d × d, column by column.
    pub factor: Vec<f64>,
    /// Whether the curvature was positive in every direction. Where it was not, the covariance
    /// was taken from the size of the curvature, and only serves as a scale.
    pub proper: bool,
    /// Evaluations used.
    pub evaluations: usize,
}

/// Curvatures below this share of the largest one are not told apart from noise.
const SMALLEST: f64 = 1e-10;

impl Laplace {
    /// Finds the mode from `start` and the curvature there, by differences of the gradient.
    ///
    /// `None` when no mode is found within `limit` evaluations.
    pub fn find(density: &mut impl LogDensity, start: &[f64], limit: usize) -> Option<Self> {
        let mode = find_mode(density, start, limit)?;
        if !mode.converged {
            return None;
        }
        let hessian = curvature(density, &mode).ok()?;
        let (factor, proper) = inverse_root(hessian)?;
        Some(Self {
            evaluations: mode.evaluations + 2 * mode.point.len(),
            mode: mode.point,
            factor,
            proper,
        })
    }
}

/// −∂² log p / ∂θ² by central differences of the gradient, made symmetric.
fn curvature(density: &mut impl LogDensity, mode: &Mode) -> Result<DMatrix<f64>, Divergence> {
    let dim = mode.point.len();
    let mut hessian = DMatrix::zeros(dim, dim);
    let (mut up, mut down) = (vec![0.0; dim], vec![0.0; dim]);
    let mut point = mode.point.clone();
    for j in 0..dim {
        let h = 1e-4;
        point[j] = mode.point[j] + h;
        density.eval(&point, &mut up)?;
        point[j] = mode.point[j] - h;
        density.eval(&point, &mut down)?;
        point[j] = mode.point[j];
        for i in 0..dim {
            hessian[(i, j)] = (down[i] - up[i]) / (2.0 * h);
        }
    }
    let transposed = hessian.transpose();
    Ok((hessian + transposed) * 0.5)
}

/// L with L Lᵀ = H⁻¹ and whether H was positive definite. Otherwise |H| stands in for H.
fn inverse_root(hessian: DMatrix<f64>) -> Option<(Vec<f64>, bool)> {
    let dim = hessian.nrows();
    if hessian.iter().any(|x| !x.is_finite()) {
        return None;
    }
    // H = C Cᵀ gives H⁻¹ = C⁻ᵀ C⁻¹, so L = C⁻ᵀ.
    if let Some(cholesky) = hessian.clone().cholesky()
        && let Some(inverse) = cholesky.l().try_inverse()
    {
        return Some((inverse.transpose().as_slice().to_vec(), true));
    }
    let SymmetricEigen {
        eigenvectors,
        eigenvalues,
    } = hessian.symmetric_eigen();
    let floor = (eigenvalues.amax() * SMALLEST).max(1e-6);
    let mut factor = eigenvectors;
    for j in 0..dim {
        let scale = 1.0 / eigenvalues[j].abs().max(floor).sqrt();
        factor.column_mut(j).scale_mut(scale);
    }
    Some((factor.as_slice().to_vec(), false))
}

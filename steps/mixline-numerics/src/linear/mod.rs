//! Least squares, ordinary and with a ridge penalty.
//!
//! ```text
//! minimise |y − X b|² + λ Σ_j d_j b_j²
//! ```
//!
//! Solved through the singular value decomposition of the standardised columns, so collinear
//! columns share their effect instead of exploding, and a constant column is no error.

use nalgebra::{DMatrix, DVector};

/// A linear fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Constant term.
    pub intercept: f64,
    /// One coefficient per column, in the columns' own units.
    pub coefficients: Vec<f64>,
    /// Standard errors under independent errors of equal variance; for ridge, of the penalised
    /// estimate given λ.
    pub standard_errors: Vec<f64>,
    /// Share of variance explained: 1 − |y − ŷ|² / |y − ȳ|²; 0 when y is constant.
    pub r_squared: f64,
    /// The penalty used, in units of standardised columns.
    pub penalty: f64,
    /// Residual standard deviation, with the effective degrees of freedom.
    pub residual_sd: f64,
}

/// Why there is no fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinearError {
    /// Columns of unequal length, or none of the length of y.
    #[error("every column needs one value per observation")]
    Shape,
    /// Too few observations.
    #[error("a linear fit needs at least two observations")]
    TooFew,
    /// NaN or infinite input.
    #[error("the input holds a value that is not finite")]
    NotFinite,
}

/// Columns with mean and spread taken out, decomposed.
struct Standardised {
    means: Vec<f64>,
    scales: Vec<f64>,
    u: DMatrix<f64>,
    singular: DVector<f64>,
    v_t: DMatrix<f64>,
    mean: f64,
    centred: DVector<f64>,
}

/// Singular values below this share of the largest count as zero.
const RANK: f64 = 1e-10;

impl Standardised {
    fn new(columns: &[&[f64]], y: &[f64]) -> Result<Self, LinearError> {
        let n = y.len();
        if columns.iter().any(|column| column.len() != n) {
            return Err(LinearError::Shape);
        }
        if n < 2 {
            return Err(LinearError::TooFew);
        }
        let all = columns.iter().copied().flatten().chain(y);
        if !all.clone().all(|x| x.is_finite()) {
            return Err(LinearError::NotFinite);
        }
        let average = |x: &[f64]| x.iter().sum::<f64>() / n as f64;
        let means: Vec<f64> = columns.iter().map(|column| average(column)).collect();
        let spread = |(column, mean): (&&[f64], &f64)| {
            let square: f64 = column.iter().map(|x| (x - mean) * (x - mean)).sum();
            let sd = (square / n as f64).sqrt();
            // A spread of rounding errors is no spread.
            if sd > 1e-12 * mean.abs() { sd } else { 0.0 }
        };
        let scales: Vec<f64> = columns.iter().zip(&means).map(spread).collect();
        // The decomposition refuses an empty matrix; a column of zeros changes nothing.
        let x = DMatrix::from_fn(n, columns.len().max(1), |i, j| {
            if scales.get(j).is_some_and(|&scale| scale > 0.0) {
                (columns[j][i] - means[j]) / scales[j]
            } else {
                0.0
            }
        });
        let mean = average(y);
        let svd = x.svd(true, true);
        Ok(Self {
            means,
            scales,
            u: svd.u.unwrap_or_default(),
            singular: svd.singular_values,
            v_t: svd.v_t.unwrap_or_default(),
            mean,
            centred: DVector::from_iterator(n, y.iter().map(|value| value - mean)),
        })
    }

    /// σ² / (σ² + λ) for each direction; 0 for directions that do not exist.
    fn shrinkage(&self, penalty: f64) -> DVector<f64> {
        let floor = RANK * self.singular.iter().copied().fold(0.0, f64::max);
        self.singular.map(|s| {
            if s > floor {
                s * s / (s * s + penalty)
            } else {
                0.0
            }
        })
    }

    fn solve(&self, penalty: f64) -> Fit {
        let n = self.centred.len() as f64;
        let shrink = self.shrinkage(penalty);
        let projected = self.u.transpose() * &self.centred;
        let parts = projected.component_mul(&shrink);
        let fitted = &self.u * &parts;
        let residual = &self.centred - fitted;
        let freedom = (n - 1.0 - shrink.sum()).max(1.0);
        let variance = residual.norm_squared() / freedom;
        let over = |x: f64, s: f64| if s > 0.0 { x / s } else { 0.0 };
        let scaled = parts.zip_map(&self.singular, over);
        let spread = shrink.zip_map(&self.singular, over);
        let standardised = self.v_t.transpose() * scaled;
        let coefficient = |j: usize| over(standardised[j], self.scales[j]);
        let coefficients: Vec<f64> = (0..self.scales.len()).map(coefficient).collect();
        let error = |j: usize| {
            let column = self.v_t.column(j).component_mul(&spread);
            over((variance * column.norm_squared()).sqrt(), self.scales[j])
        };
        let offset: f64 = coefficients
            .iter()
            .zip(&self.means)
            .map(|(b, m)| b * m)
            .sum();
        let total = self.centred.norm_squared();
        Fit {
            intercept: self.mean - offset,
            standard_errors: (0..self.scales.len()).map(error).collect(),
            coefficients,
            r_squared: if total > 0.0 {
                1.0 - residual.norm_squared() / total
            } else {
                0.0
            },
            penalty,
            residual_sd: variance.sqrt(),
        }
    }

    /// Generalised cross-validation n |r|² / (n − 1 − Σ shrinkage)² (Golub, Heath, Wahba 1979).
    fn gcv(&self, penalty: f64) -> f64 {
        let n = self.centred.len() as f64;
        let shrink = self.shrinkage(penalty);
        let projected = self.u.transpose() * &self.centred;
        let kept = &self.u * projected.component_mul(&shrink);
        let freedom = n - 1.0 - shrink.sum();
        if freedom <= 0.0 {
            return f64::INFINITY;
        }
        n * (&self.centred - kept).norm_squared() / (freedom * freedom)
    }
}

/// Ordinary least squares with an intercept; the shortest solution when columns are collinear.
///
/// `columns`: p slices of length n. `y`: length n.
///
/// # Errors
/// [`LinearError`].
pub fn ols(columns: &[&[f64]], y: &[f64]) -> Result<Fit, LinearError> {
    Ok(Standardised::new(columns, y)?.solve(0.0))
}

/// Ridge regression with a given penalty λ ≥ 0 on the coefficients of standardised columns.
///
/// # Errors
/// [`LinearError`].
pub fn ridge(columns: &[&[f64]], y: &[f64], penalty: f64) -> Result<Fit, LinearError> {
    Ok(Standardised::new(columns, y)?.solve(penalty.max(0.0)))
}

/// Ridge regression with the penalty of least generalised cross-validation error, from 61 values
/// between 1e-4 and 1e2 times the number of observations, and 0.
///
/// # Errors
/// [`LinearError`].
pub fn ridge_cv(columns: &[&[f64]], y: &[f64]) -> Result<Fit, LinearError> {
    let problem = Standardised::new(columns, y)?;
    let grid = (0..=60).map(|i| y.len() as f64 * libm::exp10(-4.0 + 0.1 * f64::from(i)));
    let mut best = (f64::INFINITY, 0.0);
    for penalty in std::iter::once(0.0).chain(grid) {
        let error = problem.gcv(penalty);
        if error < best.0 {
            best = (error, penalty);
        }
    }
    Ok(problem.solve(best.1))
}

/// The variance inflation factor of each column: 1 / (1 − R²) of the column on all others.
///
/// Infinite for a column that is a combination of the others, 1 for a constant one.
///
/// # Errors
/// [`LinearError`].
pub fn variance_inflation(columns: &[&[f64]]) -> Result<Vec<f64>, LinearError> {
    (0..columns.len())
        .map(|j| {
            let others: Vec<&[f64]> = columns
                .iter()
                .enumerate()
                .filter(|&(i, _)| i != j)
                .map(|(_, column)| *column)
                .collect();
            let r_squared = ols(&others, columns[j])?.r_squared;
            let rest = 1.0 - r_squared;
            Ok(if rest > 1e-12 {
                1.0 / rest
            } else {
                f64::INFINITY
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;

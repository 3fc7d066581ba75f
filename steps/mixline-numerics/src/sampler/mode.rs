//! The mode of a density, by the method of Broyden, Fletcher, Goldfarb and Shanno.

use nalgebra::{DMatrix, DVector};

use crate::density::LogDensity;

/// Where the search for the mode ended.
#[derive(Debug, Clone)]
pub struct Mode {
    /// The point.
    pub point: Vec<f64>,
    /// log p there.
    pub log_density: f64,
    /// Whether the gradient vanished to working precision.
    pub converged: bool,
    /// Evaluations used.
    pub evaluations: usize,
}

/// Sufficient increase and curvature conditions of the line search (Nocedal and Wright, 3.1).
const INCREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// The longest step in any coordinate: unconstrained scales are of order one.
const LONGEST: f64 = 2.0;

/// Climbs from `start` until the Newton decrement gᵀ H⁻¹ g is below 1e-6, or `limit` evaluations.
///
/// `None` when the density has no finite value at the start.
pub fn find_mode(density: &mut impl LogDensity, start: &[f64], limit: usize) -> Option<Mode> {
    let dim = density.dim();
    let mut climb = Climb::new(density, start)?;
    let mut inverse = DMatrix::<f64>::identity(dim, dim);
    let mut scaled = false;
    let mut converged = dim == 0;
    while !converged && climb.evaluations < limit {
        let mut direction = &inverse * &climb.gradient;
        if direction.dot(&climb.gradient) <= 0.0 {
            inverse.fill_with_identity();
            direction.clone_from(&climb.gradient);
        }
        let decrement = direction.dot(&climb.gradient);
        if scaled && decrement < 1e-6 {
            converged = true;
            break;
        }
        let longest = direction.amax();
        if longest > LONGEST {
            direction *= LONGEST / longest;
        }
        let Some((step, change)) = climb.line_search(&direction, limit) else {
            converged = decrement < 1e-3;
            break;
        };
        update(&mut inverse, &step, &change, &mut scaled);
    }
    Some(Mode {
        point: climb.point.as_slice().to_vec(),
        log_density: climb.value,
        converged,
        evaluations: climb.evaluations,
    })
}

/// The BFGS update of the inverse Hessian of −log p, for step s and change of gradient y.
fn update(
    inverse: &mut DMatrix<f64>,
    step: &DVector<f64>,
    change: &DVector<f64>,
    scaled: &mut bool,
) {
    let curvature = step.dot(change);
    if curvature <= 1e-12 * step.norm() * change.norm() {
        return;
    }
    if !*scaled {
        *inverse *= curvature / change.norm_squared();
        *scaled = true;
    }
    let product = &*inverse * change;
    let scale = (1.0 + change.dot(&product) / curvature) / curvature;
    inverse.ger(scale, step, step, 1.0);
    inverse.ger(-1.0 / curvature, &product, step, 1.0);
    inverse.ger(-1.0 / curvature, step, &product, 1.0);
}

/// The state of a climb.
struct Climb<'a, D> {
    density: &'a mut D,
    point: DVector<f64>,
    value: f64,
    gradient: DVector<f64>,
    evaluations: usize,
}

impl<'a, D: LogDensity> Climb<'a, D> {
    fn new(density: &'a mut D, start: &[f64]) -> Option<Self> {
        let point = DVector::from_column_slice(start);
        let mut gradient = DVector::zeros(start.len());
        let value = density.eval(start, gradient.as_mut_slice()).ok()?;
        Some(Self {
            density,
            point,
            value,
            gradient,
            evaluations: 1,
        })
    }

    /// Moves uphill along `direction` by bisection on the Wolfe conditions; the step taken and the
    /// change of −gradient, or `None` when no step is uphill.
    fn line_search(
        &mut self,
        direction: &DVector<f64>,
        limit: usize,
    ) -> Option<(DVector<f64>, DVector<f64>)> {
        let slope = direction.dot(&self.gradient);
        let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
        let mut gradient = self.gradient.clone();
        let mut best = None;
        for _ in 0..40 {
            let point = &self.point + direction * length;
            let value = self.density.eval(point.as_slice(), gradient.as_mut_slice());
            self.evaluations += 1;
            match value {
                Ok(value) if value >= self.value + INCREASE * length * slope => {
                    let flat = direction.dot(&gradient) <= CURVATURE * slope;
                    best = Some((point, value, gradient.clone()));
                    if flat {
                        break;
                    }
                    low = length;
                }
                _ => high = length,
            }
            if self.evaluations >= limit {
                break;
            }
            length = if high.is_finite() {
                (low + high) / 2.0
            } else {
                2.0 * length
            };
            if direction.amax() * (high - low).abs() < 1e-12 {
                break;
            }
        }
        let (point, value, gradient) = best?;
        let step = &point - &self.point;
        let change = &self.gradient - &gradient;
        (self.point, self.value, self.gradient) = (point, value, gradient);
        Some((step, change))
    }
}

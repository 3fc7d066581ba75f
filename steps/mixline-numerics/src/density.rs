//! What a sampler needs of a model: the logarithm of a density, and its gradient.

/// The density has no finite value here: a step went too far. The sampler steps back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the log-density is not finite at this point")]
pub struct Divergence;

/// The logarithm of a density on ℝᵈ, up to a constant, with its gradient.
///
/// Evaluation may use buffers of its own (`&mut self`) and should not allocate.
pub trait LogDensity {
    /// Number of coordinates, d.
    fn dim(&self) -> usize;

    /// log p(θ), and ∂ log p / ∂θ written to `gradient`. Both slices have length [`dim`](Self::dim).
    ///
    /// # Errors
    /// [`Divergence`] when the value or a part of the gradient is not finite.
    fn eval(&mut self, theta: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence>;
}

impl<D: LogDensity + ?Sized> LogDensity for &mut D {
    fn dim(&self) -> usize {
        (**self).dim()
    }
    fn eval(&mut self, theta: &[f64], gradient: &mut [f64]) -> Result<f64, Divergence> {
        (**self).eval(theta, gradient)
    }
}

/// The gradient by central differences of fourth order, to check [`LogDensity::eval`].
///
/// ```text
/// f′(x) ≈ (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h,   h = 1e-4 · max(1, |x|)
/// ```
///
/// # Errors
/// [`Divergence`] when a point of the stencil has no finite value.
pub fn finite_differences(
    density: &mut impl LogDensity,
    theta: &[f64],
) -> Result<Vec<f64>, Divergence> {
    let mut scratch = vec![0.0; theta.len()];
    let mut at = theta.to_vec();
    let mut value = |index: usize, x: f64, at: &mut Vec<f64>| {
        let before = std::mem::replace(&mut at[index], x);
        let value = density.eval(at, &mut scratch);
        at[index] = before;
        value
    };
    (0..theta.len())
        .map(|index| {
            let x = theta[index];
            let h = 1e-4 * x.abs().max(1.0);
            let near = value(index, x + h, &mut at)? - value(index, x - h, &mut at)?;
            let far = value(index, x + 2.0 * h, &mut at)? - value(index, x - 2.0 * h, &mut at)?;
            Ok((8.0 * near - far) / (12.0 * h))
        })
        .collect()
}

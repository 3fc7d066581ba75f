//! Draws from the prior, for prior predictive checks and for what the data taught.

use mixline_numerics::distribution::Distribution;
use mixline_numerics::random::stream;

use crate::layout::ElementPrior;
use crate::model::Model;

/// `count` draws of every parameter from its prior, row by row.
///
/// Hyperparameters are drawn first, then what hangs on them. An amplitude whose prior is one on
/// the response has no prior of its own, and is NaN.
#[must_use]
pub fn draw_prior(model: &Model, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut rng = stream(seed, 0);
    (0..count)
        .map(|_| {
            let mut values = vec![f64::NAN; model.layout.len()];
            for (at, prior) in model.layout.priors.iter().enumerate() {
                if let ElementPrior::Fixed(distribution) = prior {
                    values[at] = distribution.sample(&mut rng);
                }
            }
            for (at, prior) in model.layout.priors.iter().enumerate() {
                if let ElementPrior::Linked { family, args } = prior {
                    let count = family.parameter_names().len();
                    let parameters = args.map(|arg| arg.value(&values));
                    let distribution = Distribution::new(*family, &parameters[..count]);
                    values[at] = distribution.map_or(f64::NAN, |d| d.sample(&mut rng));
                }
            }
            values
        })
        .collect()
}

//! Quantiles and highest density intervals of draws.

/// The quantile at `p`, linear between order statistics (type 7 of R and NumPy). NaN without draws.
#[must_use]
pub fn quantile(draws: &[f64], p: f64) -> f64 {
    let mut sorted = draws.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = p.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
}

/// The shortest interval that holds the share `mass` of the draws (one mode is assumed); `None`
/// when there are too few draws for it.
///
/// Domain: `mass` in (0, 1).
#[must_use]
pub fn hdi(draws: &[f64], mass: f64) -> Option<(f64, f64)> {
    let mut sorted = draws.to_vec();
    sorted.sort_by(f64::total_cmp);
    let inside = (mass * sorted.len() as f64).floor() as usize;
    let ends = sorted.get(inside..)?;
    let width = |at: usize| ends[at] - sorted[at];
    let shortest = (0..ends.len()).min_by(|a, b| width(*a).total_cmp(&width(*b)))?;
    Some((sorted[shortest], ends[shortest]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        let draws = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(
            [0.0, 0.5, 1.0].map(|p| quantile(&draws, p)),
            [1.0, 2.5, 4.0]
        );
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn the_shortest_interval_lies_where_the_draws_are_densest() {
        let draws = [0.0, 5.0, 5.1, 5.2, 5.3, 9.0];
        assert_eq!(hdi(&draws, 0.5), Some((5.0, 5.3)));
        assert_eq!(hdi(&[], 0.9), None);
    }
}

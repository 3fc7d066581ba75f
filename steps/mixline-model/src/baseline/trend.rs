//! Trend and time-varying intercept.

use super::Column;

/// A linear trend that may bend.
///
/// ```text
/// column 0    u = t / (n − 1),                   0 at the first period, 1 at the last
/// column j    max(0, u − j / (changepoints + 1))
/// ```
pub(crate) fn trend_columns(changepoints: usize, periods: usize) -> Vec<Column> {
    let u = |t: usize| t as f64 / (periods.max(2) - 1) as f64;
    let bent = |from: f64| (0..periods).map(|t| (u(t) - from).max(0.0)).collect();
    let bend = |j: usize| Column {
        label: format!("changepoint_{j}"),
        values: bent(j as f64 / (changepoints + 1) as f64),
    };
    let slope = Column {
        label: "slope".into(),
        values: bent(0.0),
    };
    std::iter::once(slope)
        .chain((1..=changepoints).map(bend))
        .collect()
}

/// Hat functions: 1 at their own knot, 0 at the neighbours, straight between.
pub(crate) fn knot_columns(count: usize, periods: usize) -> Vec<Column> {
    let count = count.min(periods).max(2);
    let spacing = (periods.max(2) - 1) as f64 / (count - 1) as f64;
    (0..count)
        .map(|k| Column {
            label: format!("knot_{}", k + 1),
            values: (0..periods)
                .map(|t| (1.0 - (t as f64 / spacing - k as f64).abs()).max(0.0))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hats_sum_to_one_and_the_trend_bends_where_it_should() {
        let hats = knot_columns(5, 23);
        for t in 0..23 {
            let total: f64 = hats.iter().map(|hat| hat.values[t]).sum();
            assert!((total - 1.0).abs() < 1e-12);
        }
        let trend = trend_columns(1, 11);
        assert_eq!((trend[0].values[0], trend[0].values[10]), (0.0, 1.0));
        assert_eq!((trend[1].values[5], trend[1].values[10]), (0.0, 0.5));
    }
}

//! Resamples of a number, in six numbers.

/// Mean and quantiles: q05 … q95 is the 90 % interval, q25 … q75 the 50 % one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// Mean over resamples.
    pub mean: f64,
    /// 5 % quantile.
    pub q05: f64,
    /// 25 % quantile.
    pub q25: f64,
    /// Median.
    pub q50: f64,
    /// 75 % quantile.
    pub q75: f64,
    /// 95 % quantile.
    pub q95: f64,
}

impl Interval {
    /// A value that nothing is known about.
    #[must_use]
    pub fn point(value: f64) -> Self {
        Self {
            mean: value,
            q05: value,
            q25: value,
            q50: value,
            q75: value,
            q95: value,
        }
    }

    /// The same interval in another unit.
    #[must_use]
    pub fn scaled(self, by: f64) -> Self {
        Self {
            mean: self.mean * by,
            q05: self.q05 * by,
            q25: self.q25 * by,
            q50: self.q50 * by,
            q75: self.q75 * by,
            q95: self.q95 * by,
        }
    }

    /// The summary of some values; `None` when there are none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        values.sort_by(f64::total_cmp);
        let at = |p: f64| {
            // Between two ranks, the value between the two (the default of NumPy and R).
            let rank = p * (values.len() - 1) as f64;
            let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
            low + (high - low) * rank.fract()
        };
        Some(Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            q05: at(0.05),
            q25: at(0.25),
            q50: at(0.5),
            q75: at(0.75),
            q95: at(0.95),
        })
    }
}

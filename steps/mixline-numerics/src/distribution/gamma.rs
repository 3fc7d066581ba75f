//! The gamma function's logarithm and its derivative.

/// log |Γ(x)|.
pub(super) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// ψ(x) = d log Γ(x) / dx, for x > 0.
///
/// The recurrence ψ(x) = ψ(x + 1) − 1/x up to x ≥ 10, then the asymptotic series (Abramowitz and
/// Stegun 6.3.5, 6.3.18); absolute error below 1e-13.
pub(super) fn digamma(x: f64) -> f64 {
    let (mut x, mut sum) = (x, 0.0);
    while x < 10.0 {
        sum -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0 - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * 691.0 / 32760.0)))));
    sum + libm::log(x) - 0.5 / x - series
}

#[cfg(test)]
mod tests {
    #[test]
    fn digamma_at_known_points() {
        let euler = 0.577_215_664_901_532_9;
        assert!((super::digamma(1.0) + euler).abs() < 1e-13);
        assert!((super::digamma(0.5) + euler + 2.0 * std::f64::consts::LN_2).abs() < 1e-13);
        assert!((super::digamma(25.0) - 3.198_742_512_067_934).abs() < 1e-6);
    }
}

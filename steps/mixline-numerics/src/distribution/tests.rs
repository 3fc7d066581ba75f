use proptest::prelude::*;

use super::*;
use crate::random::stream;

/// Parameters inside the domain of each family.
fn example(family: Family, a: f64, b: f64) -> Vec<f64> {
    match family {
        Family::HalfNormal | Family::Exponential => vec![b],
        Family::StudentT => vec![3.0 + a.abs(), a, b],
        Family::TruncatedNormal => vec![a, b, a - 1.5 * b, a + 2.0 * b],
        Family::Uniform => vec![a, a + b],
        Family::Gamma | Family::Beta | Family::InverseGamma => vec![3.0 + a.abs(), b],
        Family::Normal | Family::LogNormal | Family::Laplace => vec![a, b],
    }
}

fn padded(values: &[f64]) -> Parameters {
    let mut parameters = Parameters::default();
    parameters[..values.len()].copy_from_slice(values);
    parameters
}

proptest! {
    #[test]
    fn derivatives_agree_with_finite_differences(a in -1.0..1.0f64, b in 0.3..1.5f64, u in -1.0..1.0f64) {
        for family in Family::ALL {
            let values = example(family, a, b);
            let parameters = padded(&values);
            let x = family.transform(&parameters).constrain(u + 0.01).value;
            let score = family.score(x, &parameters);
            let fixed = Distribution::new(family, &values).unwrap().log_density(x);
            prop_assert_eq!((score.log_density, score.slope), fixed);
            let close = |got: f64, want: f64| (got - want).abs() < 1e-5 * want.abs().max(1.0);
            let h = 1e-6;
            let slope = |plus: f64, minus: f64| (plus - minus) / (2.0 * h);
            let by_x = slope(
                family.score(x + h, &parameters).log_density,
                family.score(x - h, &parameters).log_density,
            );
            // The kink of the Laplace density may lie between the two points.
            if !(family == Family::Laplace && (x - a).abs() < 1e-3) {
                prop_assert!(close(score.slope, by_x), "{family:?}: {} {by_x}", score.slope);
            }
            for index in 0..values.len() {
                let at = |by: f64| {
                    let mut moved = parameters;
                    moved[index] += by;
                    family.score(x, &moved).log_density
                };
                let want = slope(at(h), at(-h));
                let got = score.parameter_slopes[index];
                let kink = family == Family::Laplace && (x - a).abs() < 1e-3;
                prop_assert!(kink || close(got, want), "{family:?}[{index}]: {got} {want}");
            }
        }
    }

    #[test]
    fn the_density_integrates_to_one(a in -0.5..0.5f64, b in 0.5..1.5f64) {
        for family in Family::ALL {
            let distribution = Distribution::new(family, &example(family, a, b)).unwrap();
            let transform = distribution.transform();
            let step = 0.002;
            let mass: f64 = (-20_000..20_000)
                .map(|i| {
                    let at = transform.constrain(f64::from(i) * step);
                    let (log_density, _) = distribution.log_density(at.value);
                    (log_density + at.log_jacobian).exp() * step
                })
                .sum();
            prop_assert!((mass - 1.0).abs() < 1e-3, "{family:?}: {mass}");
        }
    }
}

#[test]
fn draws_have_the_stated_moments() {
    for family in Family::ALL {
        let distribution = Distribution::new(family, &example(family, 0.7, 0.8)).unwrap();
        let mut rng = stream(5, 0);
        let n = 40_000;
        let draws: Vec<f64> = (0..n).map(|_| distribution.sample(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let sd = distribution.sd();
        let off = (mean - distribution.mean()).abs() / (sd / f64::from(n).sqrt());
        assert!(
            off < 4.5,
            "{family:?}: {mean} against {}",
            distribution.mean()
        );
        let spread = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
        assert!(
            (spread.sqrt() / sd - 1.0).abs() < 0.15,
            "{family:?}: {spread}"
        );
    }
}

#[test]
fn parameters_from_a_mean_and_a_deviation() {
    for family in [
        Family::Gamma,
        Family::Beta,
        Family::InverseGamma,
        Family::LogNormal,
    ] {
        let distribution = family.from_mean_and_sd(0.4, 0.2).unwrap().unwrap();
        assert!((distribution.mean() - 0.4).abs() < 1e-12, "{family:?}");
        assert!((distribution.sd() - 0.2).abs() < 1e-12, "{family:?}");
    }
    assert!(Family::Beta.from_mean_and_sd(1.4, 0.2).unwrap().is_err());
    assert!(Family::Normal.from_mean_and_sd(1.0, 1.0).is_none());
}

#[test]
fn a_bad_parameter_is_named() {
    let error = Distribution::new(Family::Gamma, &[-1.0, 1.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Gamma needs `alpha` finite and above 0, but it is -1"
    );
    let error = Distribution::new(Family::Normal, &[0.0]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Normal takes the parameters mu, sigma, but 1 were given"
    );
    assert!(Distribution::new(Family::Uniform, &[1.0, 1.0]).is_err());
    assert!(Distribution::new(Family::Normal, &[f64::NAN, 1.0]).is_err());
}

#[test]
fn outside_the_support_the_density_is_zero() {
    let gamma = Distribution::new(Family::Gamma, &[2.0, 1.0]).unwrap();
    assert_eq!(gamma.log_density(-1.0), (f64::NEG_INFINITY, 0.0));
}

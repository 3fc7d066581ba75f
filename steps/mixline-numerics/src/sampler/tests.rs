use std::num::NonZeroUsize;

use super::*;
use crate::density::{Divergence, LogDensity};
use crate::diagnostics::{Chains, ess_bulk, mcse_mean, rhat};

/// A Normal with strong correlation and unequal scales.
#[derive(Debug, Clone)]
struct Correlated;

impl LogDensity for Correlated {
    fn dim(&self) -> usize {
        2
    }
    fn eval(&mut self, x: &[f64], g: &mut [f64]) -> Result<f64, Divergence> {
        // Precision of sd 1 and 10, correlation 0.9, mean (1, −20).
        let (a, b) = (x[0] - 1.0, (x[1] + 20.0) / 10.0);
        let scale = 1.0 / (1.0 - 0.81);
        g[0] = -scale * (a - 0.9 * b);
        g[1] = -scale * (b - 0.9 * a) / 10.0;
        Ok(-0.5 * scale * (a * a - 1.8 * a * b + b * b))
    }
}

/// Neal's funnel: its mode lies far from where its mass is, so a Laplace start misleads.
#[derive(Debug, Clone)]
struct Funnel;

impl LogDensity for Funnel {
    fn dim(&self) -> usize {
        6
    }
    fn eval(&mut self, x: &[f64], g: &mut [f64]) -> Result<f64, Divergence> {
        let precision = libm::exp(-x[0]);
        let squares: f64 = x[1..].iter().map(|x| x * x).sum();
        g[0] = -x[0] / 9.0 - 2.5 + 0.5 * squares * precision;
        for (g, x) in g[1..].iter_mut().zip(&x[1..]) {
            *g = -x * precision;
        }
        let value = -x[0] * x[0] / 18.0 - 2.5 * x[0] - 0.5 * squares * precision;
        let finite = value.is_finite() && g.iter().all(|g| g.is_finite());
        if finite { Ok(value) } else { Err(Divergence) }
    }
}

fn settings() -> Settings {
    Settings {
        draws: 800,
        seed: 11,
        ..Settings::default()
    }
}

fn go(_: Progress) -> bool {
    true
}

#[test]
fn the_laplace_approximation_of_a_normal_is_exact() {
    let laplace = Laplace::find(&mut Correlated, &[0.0, 0.0], 1000).unwrap();
    assert!(laplace.proper);
    assert!((laplace.mode[0] - 1.0).abs() < 1e-3 && (laplace.mode[1] + 20.0).abs() < 1e-2);
    let l = &laplace.factor;
    let covariance = |i: usize, j: usize| l[i] * l[j] + l[2 + i] * l[2 + j];
    assert!((covariance(0, 0) - 1.0).abs() < 1e-6);
    assert!((covariance(1, 1) - 100.0).abs() < 1e-4);
    assert!((covariance(0, 1) - 9.0).abs() < 1e-5);
}

#[test]
fn draws_have_the_moments_of_the_density() {
    for laplace in [true, false] {
        let settings = Settings {
            laplace,
            ..settings()
        };
        let draws = sample(|| Correlated, &mut Correlated, &[0.0, 0.0], &settings, go).unwrap();
        let expected = if laplace {
            Warmup::Laplace
        } else {
            Warmup::Plain
        };
        assert_eq!(draws.warmup, expected);
        assert_eq!(draws.divergences(), 0);
        for (index, mean, sd) in [(0, 1.0, 1.0), (1, -20.0, 10.0)] {
            let chains = Chains::new(draws.coordinate(index)).unwrap();
            assert!(rhat(&chains) < 1.01 && ess_bulk(&chains) > 400.0);
            let all: Vec<f64> = chains.draws().collect();
            let average = all.iter().sum::<f64>() / all.len() as f64;
            assert!(
                (average - mean).abs() < 4.0 * mcse_mean(&chains),
                "{average}"
            );
            let square = all.iter().map(|x| (x - average).powi(2)).sum::<f64>();
            let spread = (square / all.len() as f64).sqrt();
            assert!((spread / sd - 1.0).abs() < 0.08, "{spread}");
        }
    }
}

#[test]
fn the_draws_do_not_depend_on_the_number_of_threads() {
    let with = |threads| {
        let threads = NonZeroUsize::new(threads).unwrap();
        let settings = Settings {
            threads,
            chains: 5,
            ..settings()
        };
        sample(|| Correlated, &mut Correlated, &[0.0, 0.0], &settings, go).unwrap()
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(8));
    assert_ne!(one.chains[0], one.chains[1]);
}

#[test]
fn a_misleading_mode_falls_back_to_the_plain_warm_up() {
    let start = [0.0, 0.1, -0.1, 0.1, -0.1, 0.1];
    let draws = sample(|| Funnel, &mut Funnel, &start, &settings(), go).unwrap();
    assert_eq!(draws.warmup, Warmup::Plain);
    // The plain attempt finds the mass: x₀ ~ Normal(0, 3).
    let all: Vec<f64> = draws.coordinate(0).concat();
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    assert!(mean.abs() < 2.5, "{mean}");
}

/// Finite nowhere.
struct Nowhere;

impl LogDensity for Nowhere {
    fn dim(&self) -> usize {
        1
    }
    fn eval(&mut self, _: &[f64], _: &mut [f64]) -> Result<f64, Divergence> {
        Err(Divergence)
    }
}

#[test]
fn a_density_without_a_start_and_a_stopped_run_are_errors() {
    let none = sample(|| Nowhere, &mut Nowhere, &[0.0], &settings(), go).unwrap_err();
    assert_eq!(none, SampleError::NoStart);
    let stopped = sample(
        || Correlated,
        &mut Correlated,
        &[0.0, 0.0],
        &settings(),
        |at| at.done < 100,
    );
    assert_eq!(stopped.unwrap_err(), SampleError::Stopped);
}

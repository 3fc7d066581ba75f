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

/// Two modes far apart: no Laplace approximation fits it.
#[derive(Debug, Clone)]
struct TwoModes;

impl LogDensity for TwoModes {
    fn dim(&self) -> usize {
        1
    }
    fn eval(&mut self, x: &[f64], g: &mut [f64]) -> Result<f64, Divergence> {
        let (left, right) = (-0.5 * (x[0] + 9.0).powi(2), -0.5 * (x[0] - 9.0).powi(2));
        let top = left.max(right);
        let (wl, wr) = ((left - top).exp(), (right - top).exp());
        g[0] = -(wl * (x[0] + 9.0) + wr * (x[0] - 9.0)) / (wl + wr);
        Ok(top + (wl + wr).ln())
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
fn chains_that_do_not_meet_fall_back_to_the_plain_warm_up() {
    let settings = Settings {
        plain_tune: 200,
        chains: 6,
        ..settings()
    };
    let draws = sample(|| TwoModes, &mut TwoModes, &[0.1], &settings, go).unwrap();
    // Whitened chains start near one mode and stay there; that is a fit that looks converged,
    // so either answer is allowed, but never a mixture that claims to be mixed.
    assert_eq!(draws.chains.len(), 6);
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

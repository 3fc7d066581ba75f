use proptest::prelude::*;

use super::*;
use crate::random::{standard_normal, stream};

fn column(seed: u64, n: usize) -> Vec<f64> {
    let mut rng = stream(seed, 0);
    (0..n).map(|_| standard_normal(&mut rng)).collect()
}

proptest! {
    #[test]
    fn exact_data_give_exact_coefficients(a in -5.0..5.0f64, b in -5.0..5.0f64, c in -5.0..5.0f64) {
        let (x, z) = (column(1, 30), column(2, 30));
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| a + b * x + c * z).collect();
        let fit = ols(&[&x, &z], &y).unwrap();
        prop_assert!((fit.intercept - a).abs() < 1e-9);
        prop_assert!((fit.coefficients[0] - b).abs() < 1e-9);
        prop_assert!((fit.coefficients[1] - c).abs() < 1e-9);
    }

    #[test]
    fn residuals_are_orthogonal_to_the_columns(seed in 0u64..200) {
        let (x, z, y) = (column(seed, 25), column(seed + 1000, 25), column(seed + 2000, 25));
        let fit = ols(&[&x, &z], &y).unwrap();
        let residual = |i: usize| {
            y[i] - fit.intercept - fit.coefficients[0] * x[i] - fit.coefficients[1] * z[i]
        };
        for column in [&x, &z, &vec![1.0; 25]] {
            let product: f64 = (0..25).map(|i| residual(i) * column[i]).sum();
            prop_assert!(product.abs() < 1e-9);
        }
        prop_assert!((0.0..=1.0).contains(&fit.r_squared));
    }

    #[test]
    fn a_larger_penalty_gives_smaller_coefficients(seed in 0u64..100) {
        let (x, z, y) = (column(seed, 25), column(seed + 1000, 25), column(seed + 2000, 25));
        let size = |penalty| {
            let fit = ridge(&[&x, &z], &y, penalty).unwrap();
            fit.coefficients.iter().map(|b| b * b).sum::<f64>()
        };
        prop_assert!(size(0.0) + 1e-12 >= size(10.0) && size(10.0) >= size(1000.0));
    }
}

#[test]
fn standard_errors_are_those_of_the_textbook() {
    // y on x with n = 5: b = 0.9, se = √(Σr²/3 / Σ(x−x̄)²).
    let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0], [1.2, 1.9, 3.2, 3.9, 4.8]);
    let fit = ols(&[&x], &y).unwrap();
    assert!((fit.coefficients[0] - 0.92).abs() < 1e-12);
    let squares: f64 = x
        .iter()
        .zip(&y)
        .map(|(x, y)| (y - fit.intercept - 0.92 * x).powi(2))
        .sum();
    assert!((fit.standard_errors[0] - (squares / 3.0 / 10.0).sqrt()).abs() < 1e-12);
}

#[test]
fn twins_share_their_effect_and_a_constant_has_none() {
    let x = column(3, 20);
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    let fit = ols(&[&x, &x, &[7.0; 20]], &y).unwrap();
    assert!((fit.coefficients[0] - 1.0).abs() < 1e-9 && (fit.coefficients[1] - 1.0).abs() < 1e-9);
    assert_eq!(fit.coefficients[2], 0.0);
    let inflation = variance_inflation(&[&x, &x, &column(4, 20)]).unwrap();
    assert!(inflation[0].is_infinite() && inflation[2] < 2.0);
}

#[test]
fn cross_validation_shrinks_noise_and_leaves_signal() {
    let (x, y) = (column(5, 40), column(6, 40));
    let noise = ridge_cv(&[&x], &y).unwrap();
    assert!(noise.penalty > 0.0);
    let signal: Vec<f64> = x.iter().zip(&y).map(|(x, e)| 5.0 * x + 0.1 * e).collect();
    let fit = ridge_cv(&[&x], &signal).unwrap();
    assert!((fit.coefficients[0] - 5.0).abs() < 0.1);
}

#[test]
fn bad_input_is_an_error() {
    assert_eq!(ols(&[&[1.0]], &[1.0, 2.0]).unwrap_err(), LinearError::Shape);
    assert_eq!(ols(&[], &[1.0]).unwrap_err(), LinearError::TooFew);
    assert_eq!(
        ols(&[&[1.0, f64::NAN]], &[1.0, 2.0]).unwrap_err(),
        LinearError::NotFinite
    );
    assert_eq!(ols(&[], &[1.0, 2.0]).unwrap().intercept, 1.5);
}

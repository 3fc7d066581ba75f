//! `pair.collinear`: drivers that move together cannot be told apart.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::finding::Finding;
use crate::series::{Points, moments};

/// Fewest common periods for a correlation to mean anything.
const LEAST: usize = 8;
/// A pivot below this makes a correlation matrix singular.
const SINGULAR: f64 = 1e-10;

/// A driver: artifact, name, values.
pub(crate) type Driver<'a> = (&'static str, &'a str, &'a Points);

/// `pair.collinear`: two drivers with an absolute correlation above `correlation` over their
/// common periods; and, among the other drivers, those whose variance inflation factor over the
/// periods common to all is above `inflation`. Drivers that do not move are left to `var.low`.
pub(crate) fn collinear(drivers: &[Driver<'_>], correlation: f64, inflation: f64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut paired = BTreeSet::new();
    for (index, a) in drivers.iter().enumerate() {
        for b in &drivers[index + 1..] {
            let days: Vec<NaiveDate> =
                a.2.keys()
                    .filter(|d| b.2.contains_key(d))
                    .copied()
                    .collect();
            let rho = standardized(a.2, &days)
                .zip(standardized(b.2, &days))
                .map(|(x, y)| dot(&x, &y));
            if let Some(rho) = rho.filter(|rho| rho.abs() > correlation) {
                findings.push(pair(a, b, rho, correlation));
                paired.extend([a.1, b.1]);
            }
        }
    }
    let inflated = inflation_factors(drivers).into_iter();
    findings.extend(
        inflated
            .filter(|(driver, factor)| *factor > inflation && !paired.contains(driver.1))
            .map(|(driver, factor)| inflated_finding(&driver, factor, inflation)),
    );
    findings
}

fn pair(a: &Driver<'_>, b: &Driver<'_>, rho: f64, limit: f64) -> Finding {
    Finding::warning("pair.collinear", a.0, format!("{} and {}", a.1, b.1))
        .says(format!("they move together: the correlation is {rho:.3}"))
        .advises(
            "merge them, or vary one of them on purpose, so that their effects can be told apart",
        )
        .measured(rho, limit)
}

fn inflated_finding(driver: &Driver<'_>, factor: f64, limit: f64) -> Finding {
    let message = if factor.is_finite() {
        format!(
            "the other drivers nearly add up to it: its variance inflation factor is {factor:.1}"
        )
    } else {
        "it is an exact combination of the other drivers".to_owned()
    };
    Finding::warning("pair.collinear", driver.0, driver.1)
        .says(message)
        .advises("leave one of the drivers out, or merge some")
        .measured(factor, limit)
}

/// Values on `days` with mean 0 and length 1; `None` when there are too few or they do not move.
fn standardized(points: &Points, days: &[NaiveDate]) -> Option<Vec<f64>> {
    let values: Vec<f64> = days
        .iter()
        .filter_map(|day| points.get(day))
        .copied()
        .collect();
    let (mean, deviation) = moments(&values).filter(|_| values.len() >= LEAST)?;
    // Rounding alone leaves a deviation of this size.
    if deviation <= 1e-12 * mean.abs() {
        return None;
    }
    let length = deviation * (values.len() as f64).sqrt();
    Some(
        values
            .into_iter()
            .map(|value| (value - mean) / length)
            .collect(),
    )
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The diagonal of the inverse correlation matrix, by driver. Nothing when there are not more
/// common periods than drivers.
fn inflation_factors<'a>(drivers: &[Driver<'a>]) -> Vec<(Driver<'a>, f64)> {
    let Some((first, rest)) = drivers.split_first() else {
        return Vec::new();
    };
    let common = |day: &&NaiveDate| rest.iter().all(|driver| driver.2.contains_key(day));
    let days: Vec<NaiveDate> = first.2.keys().filter(common).copied().collect();
    let moving: Vec<(Driver<'a>, Vec<f64>)> = drivers
        .iter()
        .filter_map(|d| Some((*d, standardized(d.2, &days)?)))
        .collect();
    if moving.len() < 2 || days.len() < moving.len() + 2 {
        return Vec::new();
    }
    let matrix: Vec<Vec<f64>> = moving
        .iter()
        .map(|(_, a)| moving.iter().map(|(_, b)| dot(a, b)).collect())
        .collect();
    let factors = inverse_diagonal(matrix);
    moving
        .into_iter()
        .map(|(driver, _)| driver)
        .zip(factors)
        .collect()
}

/// The diagonal of the inverse of a correlation matrix by elimination without exchanges, which is
/// stable for such matrices. A row that is a combination of earlier ones gets infinity and is
/// left out.
fn inverse_diagonal(mut matrix: Vec<Vec<f64>>) -> Vec<f64> {
    let size = matrix.len();
    let mut inverse: Vec<Vec<f64>> = (0..size)
        .map(|i| (0..size).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    let mut singular = vec![false; size];
    for column in 0..size {
        let pivot = matrix[column][column];
        if pivot.abs() < SINGULAR {
            singular[column] = true;
            continue;
        }
        for at in 0..size {
            matrix[column][at] /= pivot;
            inverse[column][at] /= pivot;
        }
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row][column];
            for at in 0..size {
                matrix[row][at] -= factor * matrix[column][at];
                inverse[row][at] -= factor * inverse[column][at];
            }
        }
    }
    let diagonal = |i: usize| {
        if singular[i] {
            f64::INFINITY
        } else {
            inverse[i][i]
        }
    };
    (0..size).map(diagonal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::testing::points;

    /// Scattered values that are the same every time.
    fn scattered(salt: u64) -> Vec<f64> {
        let mut state = salt.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(u32::MAX)
        };
        (0..60).map(|_| next()).collect()
    }

    fn run(series: &[(&'static str, Vec<f64>)], correlation: f64) -> Vec<Finding> {
        let points: Vec<(&str, Points)> = series
            .iter()
            .map(|(name, values)| (*name, points(values.iter().copied())))
            .collect();
        let drivers: Vec<Driver<'_>> = points
            .iter()
            .map(|(name, points)| ("media_daily", *name, points))
            .collect();
        collinear(&drivers, correlation, 10.0)
    }

    #[test]
    fn pairs_are_found_above_the_limit_whatever_their_sign() {
        let a = scattered(1);
        let opposite: Vec<f64> = a.iter().map(|x| 3.0 - 2.0 * x).collect();
        let found = run(
            &[("a", a.clone()), ("b", opposite), ("c", scattered(2))],
            0.95,
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].subject, "a and b");
        assert!((found[0].value.unwrap() + 1.0).abs() < 1e-9);
        let exact = run(
            &[("a", [1.0, 2.0].repeat(5)), ("b", [2.0, 4.0].repeat(5))],
            1.0,
        );
        assert!(
            exact.iter().all(|f| f.subject != "a and b"),
            "the limit itself is allowed"
        );
    }

    #[test]
    fn a_sum_of_others_is_found_by_its_inflation() {
        let (a, b, c) = (scattered(1), scattered(2), scattered(3));
        let sum: Vec<f64> = a
            .iter()
            .zip(&b)
            .zip(&c)
            .map(|((x, y), z)| x + y + z)
            .collect();
        let nearly: Vec<f64> = sum
            .iter()
            .zip(scattered(4))
            .map(|(s, e)| s + 0.05 * e)
            .collect();
        let names = |found: Vec<Finding>| found.into_iter().map(|f| f.subject).collect::<Vec<_>>();
        let three = [("a", a), ("b", b), ("c", c)];
        assert!(run(&three, 0.95).is_empty());
        let with = |last: Vec<f64>| [&three[..], &[("sum", last)]].concat();
        assert_eq!(names(run(&with(nearly), 0.95)), ["a", "b", "c", "sum"]);
        assert!(
            names(run(&with(sum), 0.95)).contains(&"sum".to_owned()),
            "an exact sum"
        );
    }

    #[test]
    fn the_inflation_of_two_drivers_follows_from_their_correlation() {
        let rho: f64 = 0.6;
        let factors = inverse_diagonal(vec![vec![1.0, rho], vec![rho, 1.0]]);
        assert!(
            factors
                .iter()
                .all(|f| (f - 1.0 / (1.0 - rho * rho)).abs() < 1e-12)
        );
    }

    #[test]
    fn drivers_that_do_not_move_or_hardly_overlap_are_left_alone() {
        assert!(run(&[("a", vec![1.0; 60]), ("b", scattered(2))], 0.95).is_empty());
        assert!(
            run(
                &[("a", vec![1.0, 2.0, 3.0]), ("b", vec![1.0, 2.0, 3.0])],
                0.95
            )
            .is_empty()
        );
    }
}

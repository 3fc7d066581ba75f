//! Every kind and combination: gradient against differences, and laws.

use proptest::prelude::*;

use super::adstock::{AdstockKind, convolve};
use super::media::{MediaKernel, Padded, Shape, Trace, Weights};
use super::saturation::SaturationKind;

/// Parameters inside the domain of every kind.
fn example(kernel: &MediaKernel, a: f64, b: f64) -> Shape {
    let adstock = match kernel.adstock {
        AdstockKind::None => [0.0; 2],
        AdstockKind::Geometric | AdstockKind::Binomial => [0.1 + 0.8 * a, 0.0],
        AdstockKind::Delayed => [0.1 + 0.8 * a, 4.0 * b],
        AdstockKind::WeibullPdf | AdstockKind::WeibullCdf => [0.6 + 3.0 * a, 0.6 + 2.0 * b],
    };
    let saturation = match kernel.saturation {
        SaturationKind::Root => [0.2 + 0.7 * a, 0.0],
        _ => [0.3 + 2.0 * b, 0.3 + 1.5 * a],
    };
    Shape {
        adstock,
        saturation,
    }
}

fn kernels() -> impl Iterator<Item = MediaKernel> {
    AdstockKind::ALL.into_iter().flat_map(|adstock| {
        SaturationKind::ALL.into_iter().flat_map(move |saturation| {
            [(true, true), (true, false), (false, true), (false, false)].map(
                move |(normalize, adstock_first)| MediaKernel {
                    adstock,
                    l_max: 5,
                    normalize,
                    saturation,
                    adstock_first,
                },
            )
        })
    })
}

/// L = Σ c_t f_t and its gradient.
fn weighted(kernel: &MediaKernel, x: &[f64], c: &[f64], shape: &Shape) -> (f64, [f64; 4]) {
    let (series, mut trace) = (
        Padded::new(x, kernel.lags()),
        Trace::new(x.len(), kernel.lags()),
    );
    let mut weights = Weights::new(kernel);
    weights.set(kernel, shape.adstock);
    kernel.forward(&series, &weights, shape.saturation, &mut trace);
    let value = trace.value.iter().zip(c).map(|(f, c)| f * c).sum();
    let mut adjoint = c.to_vec();
    adjoint.resize(trace.value.len(), 0.0);
    let back = kernel.backward(&series, &weights, &adjoint, &mut trace);
    let [a0, a1] = back.adstock;
    let [s0, s1] = back.saturation;
    (value, [a0, a1, s0, s1])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn gradients_agree_with_differences(
        a in 0.0..1.0f64,
        b in 0.05..1.0f64,
        x in prop::collection::vec(0.05..1.5f64, 13),
        c in prop::collection::vec(-1.0..1.0f64, 13),
    ) {
        for kernel in kernels() {
            let shape = example(&kernel, a, b);
            let (_, gradient) = weighted(&kernel, &x, &c, &shape);
            let counts = (
                kernel.adstock.parameter_names().len(),
                kernel.saturation.shape_names().len(),
            );
            for (index, got) in gradient.into_iter().enumerate() {
                let present = if index < 2 { index < counts.0 } else { index - 2 < counts.1 };
                let moved = |by: f64| {
                    let mut moved = shape;
                    if index < 2 { moved.adstock[index] += by } else { moved.saturation[index - 2] += by }
                    weighted(&kernel, &x, &c, &moved).0
                };
                let h = 1e-4;
                let near = moved(h) - moved(-h);
                let far = moved(2.0 * h) - moved(-2.0 * h);
                let want = if present { (8.0 * near - far) / (12.0 * h) } else { 0.0 };
                // Where the least or greatest Weibull weight changes place there is a kink.
                let kink = kernel.adstock == AdstockKind::WeibullPdf && index < 2;
                let tolerance = 1e-6 * want.abs().max(1.0) * if kink { 1e3 } else { 1.0 };
                prop_assert!(
                    (got - want).abs() < tolerance,
                    "{kernel:?}[{index}] at {shape:?}: {got} against {want}"
                );
            }
        }
    }

    #[test]
    fn adstock_is_linear_causal_and_keeps_the_total(
        a in 0.0..1.0f64,
        b in 0.0..1.0f64,
        x in prop::collection::vec(0.0..5.0f64, 1..30),
        factor in 0.1..10.0f64,
    ) {
        for kind in AdstockKind::ALL {
            let kernel = MediaKernel {
                adstock: kind, l_max: 6, normalize: true,
                saturation: SaturationKind::None, adstock_first: true,
            };
            let shape = example(&kernel, a, b);
            let weights = kind.weights(&shape.adstock, 6, true);
            prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{kind:?}");
            prop_assert!(weights.iter().all(|w| *w >= 0.0), "{kind:?}: {weights:?}");
            let z = kernel.apply(&x, &shape);
            let scaled: Vec<f64> = x.iter().map(|x| x * factor).collect();
            for (once, more) in z.iter().zip(kernel.apply(&scaled, &shape)) {
                prop_assert!((once * factor - more).abs() <= 1e-9 * more.abs().max(1.0));
            }
            let plain = convolve(&x, &weights);
            prop_assert!(z.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-9));
            // With room for the tail, nothing is lost.
            let mut long = x.clone();
            long.extend([0.0; 8]);
            let total: f64 = kernel.apply(&long, &shape).iter().sum();
            prop_assert!((total - x.iter().sum::<f64>()).abs() < 1e-9 * total.max(1.0));
            // A later change leaves earlier periods alone.
            let mut changed = x.clone();
            if let Some(last) = changed.last_mut() { *last += 1.0 }
            let before = x.len() - 1;
            prop_assert_eq!(&kernel.apply(&changed, &shape)[..before], &z[..before]);
        }
    }

    #[test]
    fn saturation_starts_at_zero_and_never_falls(
        a in 0.0..1.0f64, b in 0.0..1.0f64, low in 0.0..3.0f64, step in 0.001..2.0f64,
    ) {
        for kind in SaturationKind::ALL {
            let kernel = MediaKernel {
                adstock: AdstockKind::None, l_max: 1, normalize: true,
                saturation: kind, adstock_first: true,
            };
            let p = example(&kernel, a, b).saturation;
            prop_assert!(kind.cell(0.0, p).value.abs() < 1e-12, "{kind:?}");
            let (here, there) = (kind.cell(low, p).value, kind.cell(low + step, p).value);
            prop_assert!(there >= here - 1e-12, "{kind:?}: {here} {there}");
            let bounded = !matches!(
                kind, SaturationKind::None | SaturationKind::Root | SaturationKind::Log
            );
            prop_assert!(!bounded || there <= 1.0 + 1e-12, "{kind:?}: {there}");
        }
    }
}

#[test]
fn half_saturation_is_where_it_is_said_to_be() {
    let half = |kind: SaturationKind, x: f64, p: [f64; 2]| (kind.cell(x, p).value - 0.5).abs();
    assert!(half(SaturationKind::Logistic, 3f64.ln() / 2.0, [2.0, 0.0]) < 1e-14);
    assert!(half(SaturationKind::InverseScaledLogistic, 0.7, [0.7, 0.0]) < 1e-14);
    assert!(half(SaturationKind::MichaelisMenten, 0.7, [0.7, 0.0]) < 1e-14);
    assert!(half(SaturationKind::Hill, 0.7, [1.9, 0.7]) < 1e-14);
}

#[test]
fn zero_media_and_parameters_on_the_border_stay_finite() {
    for kernel in kernels() {
        // Where the kernel divides by its parameter, 0 is outside the domain.
        let divides = matches!(
            kernel.saturation,
            SaturationKind::MichaelisMenten
                | SaturationKind::InverseScaledLogistic
                | SaturationKind::Tanh
        );
        for p in [0.0f64, 1e-12, 1e6] {
            if divides && p == 0.0 {
                continue;
            }
            let shape = Shape {
                adstock: [p.min(1.0), p],
                saturation: [p, p],
            };
            let (value, gradient) = weighted(&kernel, &[0.0; 9], &[1.0; 9], &shape);
            assert!(
                (value.is_finite() && gradient.iter().all(|g| g.is_finite())),
                "{kernel:?} at {p}: {value} {gradient:?}"
            );
        }
    }
}

#[test]
fn the_weibull_density_of_one_lag_is_the_identity() {
    assert_eq!(AdstockKind::WeibullPdf.weights(&[2.0, 3.0], 1, true), [1.0]);
    assert_eq!(
        AdstockKind::WeibullCdf.weights(&[2.0, 3.0], 3, false).len(),
        4
    );
}

//! The gradient against differences, and the laws of the sampler's coordinates, for models of
//! every kind.

use chrono::{Days, NaiveDate};
use mixline_model::Model;
use mixline_model::kernel::{AdstockKind, SaturationKind};
use mixline_model::panel::{Channel, Control, Panel};
use mixline_model::posterior::{Density, Posterior};
use mixline_model::spec::{
    Argument, ChannelSpec, Event, Family, Knots, LiftTest, Link, ModelSpec, ResponsePrior,
    ResponseQuantity, Treatment, Trend,
};
use mixline_numerics::density::{LogDensity, finite_differences};
use mixline_numerics::distribution::Family as Distributions;
use mixline_numerics::random::{standard_normal, stream, uniform};
use mixline_panels::reference::prior;

/// A small world: outcomes above zero, media with gaps, one control, history and a holdout.
fn panel(geos: usize, channels: usize) -> Panel {
    let periods = 30;
    let mut rng = stream(17, geos as u64);
    let cells = geos * periods;
    let mut series = |gaps: f64| -> Vec<f64> {
        (0..cells)
            .map(|_| {
                if uniform(&mut rng) < gaps {
                    0.0
                } else {
                    10.0 + 40.0 * uniform(&mut rng)
                }
            })
            .collect()
    };
    let media: Vec<Vec<f64>> = (0..channels).map(|_| series(0.3)).collect();
    let control = series(0.0);
    let mut outcome = series(0.0);
    // History before the outcome, a gap in the last geo, and a holdout at the end.
    for g in 0..geos {
        outcome[g * periods] = f64::NAN;
    }
    outcome[cells - 7] = f64::NAN;
    let start = NaiveDate::from_ymd_opt(2025, 1, 6).unwrap();
    Panel {
        geos: (0..geos).map(|g| format!("geo{g}")).collect(),
        dates: (0..periods as u64)
            .map(|t| start + Days::new(7 * t))
            .collect(),
        outcome,
        holdout: (0..periods).map(|t| t >= periods - 3).collect(),
        channels: media
            .into_iter()
            .enumerate()
            .map(|(c, media)| Channel {
                name: format!("c{c}"),
                spend: (c < 2).then(|| media.iter().map(|x| x * 1.7).collect()),
                media,
            })
            .collect(),
        controls: vec![Control {
            name: "price".into(),
            values: control,
        }],
        population: Some((0..geos).map(|g| 1000.0 * (g + 1) as f64).collect()),
    }
}

/// Checks the gradient of PyMC's scale and of the sampler's, at random points.
fn check(name: &str, spec: ModelSpec, panel: Panel) {
    let model = Model::new(spec, panel).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut rng = stream(3, 1);
    let mut posterior = Posterior::new(&model);
    let start = posterior.start();
    assert_eq!(start.len(), model.sampled());
    for round in 0..3 {
        let spread = if round == 0 { 0.0 } else { 0.4 };
        let q: Vec<f64> = start
            .iter()
            .map(|x| x + spread * standard_normal(&mut rng) + 0.01)
            .collect();
        agrees(&format!("{name} (sampler)"), &mut posterior, &q);
        let u: Vec<f64> = (0..model.layout.len())
            .map(|_| 0.3 * standard_normal(&mut rng) + 0.2)
            .collect();
        let mut density = Density::new(&model);
        agrees(&format!("{name} (PyMC)"), &mut density, &u);
        // The same point in both coordinates has the same density, up to the Jacobian.
        if model.sampled() == model.layout.len() {
            let q = posterior.coordinates_of(&u);
            let mut ignored = vec![0.0; u.len()];
            let theirs = density.eval(&u, &mut ignored).unwrap();
            let ours = posterior.eval(&q, &mut ignored).unwrap();
            let gap = ours - theirs - posterior.log_jacobian(&q);
            assert!(gap.abs() < 1e-8 * theirs.abs().max(1.0), "{name}: {gap}");
        }
    }
}

fn agrees(name: &str, density: &mut impl LogDensity, at: &[f64]) {
    let mut gradient = vec![0.0; at.len()];
    density
        .eval(at, &mut gradient)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let want = finite_differences(density, at).unwrap();
    let size = gradient.iter().fold(1.0f64, |most, g| most.max(g.abs()));
    for (index, (got, want)) in gradient.iter().zip(&want).enumerate() {
        let error = (got - want).abs() / want.abs().max(1e-3 * size).max(1.0);
        assert!(error < 1e-6, "{name}[{index}]: {got} against {want}");
    }
}

#[test]
fn every_adstock_and_saturation() {
    for adstock in AdstockKind::ALL {
        // Weibull's least weight has a kink where two weights meet; the kernels' own test knows.
        for saturation in SaturationKind::ALL {
            for adstock_first in [true, false] {
                let mut spec = ModelSpec::default();
                spec.media.adstock = adstock;
                spec.media.saturation = saturation;
                spec.media.adstock_first = adstock_first;
                spec.media.l_max = 5;
                spec.media.normalize = adstock_first;
                check(
                    &format!("{adstock:?} {saturation:?} {adstock_first}"),
                    spec,
                    panel(1, 2),
                );
            }
        }
    }
}

#[test]
fn every_term_of_the_baseline() {
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    spec.baseline.fourier.monthly = 1;
    spec.baseline.trend = Some(Trend { changepoints: 2 });
    spec.baseline.knots = Some(Knots { count: 4 });
    let start = NaiveDate::from_ymd_opt(2025, 2, 10).unwrap();
    spec.baseline
        .events
        .insert("fair".into(), vec![Event { start, end: None }]);
    spec.baseline
        .treatments
        .insert("price".into(), Treatment::Min);
    spec.synergies = vec![["c0".into(), "c1".into()]];
    check("baseline", spec, panel(1, 3));
}

#[test]
fn every_likelihood() {
    for family in [Family::Normal, Family::StudentT, Family::TruncatedNormal] {
        let mut spec = ModelSpec::default();
        spec.likelihood.family = family;
        check(&format!("{family:?}"), spec.clone(), panel(1, 2));
        if family != Family::TruncatedNormal {
            spec.likelihood.link = Link::Log;
            check(&format!("{family:?} log"), spec, panel(1, 2));
        }
    }
}

#[test]
fn effects_that_drift() {
    for geos in [1, 3] {
        let mut spec = ModelSpec::default();
        spec.media.time_varying = Some(Knots { count: 4 });
        check(&format!("drift in {geos}"), spec.clone(), panel(geos, 2));
        spec.likelihood.family = Family::StudentT;
        spec.synergies = vec![["c0".into(), "c1".into()]];
        check(&format!("drift in {geos}, sampled"), spec, panel(geos, 3));
    }
}

#[test]
fn kinds_and_lengths_by_channel() {
    let mut spec = ModelSpec::default();
    let own = ChannelSpec {
        adstock: Some(AdstockKind::Delayed),
        saturation: Some(SaturationKind::MichaelisMenten),
        l_max: Some(3),
        ..ChannelSpec::default()
    };
    spec.media.channels.insert("c1".into(), own);
    let own = ChannelSpec {
        saturation: Some(SaturationKind::Root),
        ..ChannelSpec::default()
    };
    spec.media.channels.insert("c2".into(), own);
    check("mixed", spec, panel(1, 3));
}

fn lift() -> LiftTest {
    let day = |month, day| NaiveDate::from_ymd_opt(2025, month, day).unwrap();
    LiftTest {
        name: "blackout".into(),
        start: day(3, 3),
        end: day(3, 31),
        measured_until: Some(day(4, 14)),
        geos: Vec::new(),
        factors: [("c0".to_owned(), 0.0), ("c1".to_owned(), 1.5)].into(),
        lift: -20.0,
        standard_error: 8.0,
    }
}

#[test]
fn calibration_by_experiments_and_response_priors() {
    let roas = |on| ResponsePrior {
        on,
        prior: prior(Distributions::LogNormal, &[("mu", 0.2), ("sigma", 0.9)]),
    };
    for on in [
        ResponseQuantity::Roas,
        ResponseQuantity::MarginalRoas,
        ResponseQuantity::ContributionShare,
    ] {
        for geos in [1, 3] {
            let mut spec = ModelSpec::default();
            spec.response_priors.insert("c0".into(), roas(on));
            check(&format!("{on:?} {geos}"), spec, panel(geos, 2));
        }
    }
    for saturation in [SaturationKind::Logistic, SaturationKind::Tanh] {
        let mut spec = ModelSpec {
            lift_tests: vec![lift()],
            ..ModelSpec::default()
        };
        spec.media.saturation = saturation;
        check("lift", spec.clone(), panel(1, 2));
        check("lift by geo", spec, panel(3, 2));
    }
}

#[test]
fn panels_of_every_pooling() {
    check("default", ModelSpec::default(), panel(4, 2));
    let hyper = |prior, dims: &[&str]| {
        let mut prior: mixline_model::spec::Prior = prior;
        prior.dims = dims.iter().map(|dim| (*dim).to_owned()).collect();
        Argument::Prior(Box::new(prior))
    };
    let half = |sigma: f64| prior(Distributions::HalfNormal, &[("sigma", sigma)]);
    // Positive effects by geo, sampled; saturation by geo; noise by geo; per-capita scales.
    let mut spec = ModelSpec::default();
    let beta = prior(Distributions::HalfNormal, &[]).with("sigma", hyper(half(0.5), &["channel"]));
    spec.priors.insert("saturation_beta".into(), beta.per_geo());
    spec.priors.insert("y_sigma".into(), half(0.5).per_geo());
    spec.scaling.outcome.per_capita = true;
    spec.scaling.media.per_capita = true;
    check("half-normal", spec.clone(), panel(3, 2));
    let lam = prior(Distributions::LogNormal, &[])
        .with(
            "mu",
            hyper(
                prior(Distributions::Normal, &[("mu", 1.0), ("sigma", 0.5)]),
                &["channel"],
            ),
        )
        .with("sigma", hyper(half(0.3), &[]));
    spec.priors.insert("saturation_lam".into(), lam.per_geo());
    check("saturation by geo", spec, panel(3, 2));
    // Everything integrated out, with a likelihood that allows it, and one that does not.
    let mut spec = ModelSpec::default();
    let gamma = prior(Distributions::Normal, &[("mu", 0.0), ("sigma", 0.5)]);
    spec.priors.insert("gamma_control".into(), gamma.per_geo());
    spec.scaling.outcome.per_geo = true;
    check("controls by geo", spec.clone(), panel(4, 2));
    spec.likelihood.family = Family::StudentT;
    check("student panel", spec, panel(4, 2));
    let synergies = vec![["c0".into(), "c1".into()]];
    let spec = ModelSpec {
        synergies,
        ..ModelSpec::default()
    };
    check("synergy panel", spec, panel(3, 3));
}

#[test]
fn integrating_out_is_exact() {
    // Over the coefficients of one geo, the joint density integrates to the marginal one: for a
    // Normal, joint(mode) − ½ log |H| + p/2 log 2π. Checked through the ratio of both densities
    // at two points of the other parameters.
    let mut spec = ModelSpec::default();
    let fixed = |mean: f64, sd: f64| prior(Distributions::Normal, &[("mu", mean), ("sigma", sd)]);
    spec.priors
        .insert("intercept_contribution".into(), fixed(0.5, 0.4).per_geo());
    spec.priors
        .insert("saturation_beta".into(), fixed(0.3, 0.2).per_geo());
    let mut data = panel(2, 1);
    data.controls.clear();
    let model = Model::new(spec, data).unwrap();
    let (mut joint, mut marginal) = (Density::new(&model), Posterior::new(&model));
    let names = marginal.labels();
    let labels = model.layout.labels();
    assert_eq!(names.len(), labels.len() - 4);
    let mut gap = Vec::new();
    for q in [[-0.5, 0.4, -1.2], [0.7, -0.3, -0.8]] {
        let mut ignored = vec![0.0; q.len()];
        let value = marginal.eval(&q, &mut ignored).unwrap();
        let mut u = vec![0.0; labels.len()];
        for (name, q) in names.iter().zip(q) {
            u[labels.iter().position(|label| label == name).unwrap()] = q;
        }
        gap.push(laplace_integral(&mut joint, &u, &labels) - value);
    }
    assert!((gap[0] - gap[1]).abs() < 1e-6, "{gap:?}");
    assert!(gap[0].abs() < 1e-6, "{gap:?}");
}

/// log ∫ exp(joint) over intercepts and amplitudes, which is exact for a Normal.
fn laplace_integral(joint: &mut Density<'_>, u: &[f64], labels: &[String]) -> f64 {
    let free: Vec<usize> = (0..labels.len())
        .filter(|&at| {
            labels[at].starts_with("intercept") || labels[at].starts_with("saturation_beta")
        })
        .collect();
    let n = free.len();
    let mut at = u.to_vec();
    let mut gradient = vec![0.0; u.len()];
    let mut slopes = |at: &[f64]| {
        let value = joint.eval(at, &mut gradient).unwrap();
        (
            value,
            free.iter().map(|&i| gradient[i]).collect::<Vec<f64>>(),
        )
    };
    // The Hessian is constant: one column per unit step.
    let (_, base) = slopes(&at);
    let mut hessian = vec![vec![0.0; n]; n];
    for j in 0..n {
        at[free[j]] += 1.0;
        let (_, moved) = slopes(&at);
        at[free[j]] -= 1.0;
        for i in 0..n {
            hessian[i][j] = base[i] - moved[i];
        }
    }
    // Gaussian elimination: the step to the mode, and log |H|.
    let (mut a, mut b, mut log_det) = (hessian, base, 0.0);
    for i in 0..n {
        log_det += a[i][i].ln();
        for k in i + 1..n {
            let factor = a[k][i] / a[i][i];
            let above = a[i].clone();
            for (below, above) in a[k].iter_mut().zip(&above).skip(i) {
                *below -= factor * above;
            }
            b[k] -= factor * b[i];
        }
    }
    for i in (0..n).rev() {
        for j in i + 1..n {
            b[i] -= a[i][j] * b[j];
        }
        b[i] /= a[i][i];
    }
    for (i, step) in free.iter().zip(&b) {
        at[*i] += step;
    }
    let (value, _) = slopes(&at);
    value - 0.5 * log_det + 0.5 * n as f64 * (2.0 * std::f64::consts::PI).ln()
}

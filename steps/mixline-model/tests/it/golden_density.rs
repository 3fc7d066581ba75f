//! Log-densities and gradients against PyMC.

use std::collections::BTreeMap;

use mixline_model::Model;
use mixline_model::kernel::{AdstockKind, SaturationKind};
use mixline_model::posterior::{Density, read_point};
use mixline_model::spec::{Argument, ModelSpec, Prior};
use mixline_numerics::distribution::Family;
use mixline_panels::reference::{meridian, national, national_spec, prior};
use mixline_panels::shared::{golden, numbers};
use serde_json::Value;

/// One golden point: its position, values and gradient.
struct Case<'a> {
    point: &'a Value,
    log_density: f64,
    without_jacobian: Option<f64>,
    order: Vec<String>,
    gradient: Vec<f64>,
}

fn cases(golden: &Value) -> Vec<Case<'_>> {
    let points = golden.get("points").unwrap_or(golden).as_array().unwrap();
    let first = |point: &'static [&'static str], value: &Value| {
        point
            .iter()
            .find_map(|key| value.get(*key).cloned())
            .unwrap()
    };
    points
        .iter()
        .map(|case| Case {
            point: case
                .get("point_unconstrained")
                .or_else(|| case.get("point"))
                .unwrap(),
            log_density: first(&["logp_with_jacobian", "logp"], case)
                .as_f64()
                .unwrap(),
            without_jacobian: case.get("logp_without_jacobian").and_then(Value::as_f64),
            order: first(&["grad_order", "order"], case)
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            gradient: numbers(&case["grad"]),
        })
        .collect()
}

/// Differences between points to 1e-8 relative, gradients to 1e-8.
fn assert_agrees(model: &Model, golden: &Value) {
    let mut density = Density::new(model);
    let mut offsets = Vec::new();
    for case in cases(golden) {
        let named: BTreeMap<String, Vec<f64>> = case
            .point
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), numbers(value)))
            .collect();
        let u = read_point(model, &named).unwrap();
        let mut gradient = vec![0.0; u.len()];
        let value = density.log_density(&u, true, &mut gradient).unwrap();
        offsets.push((value - case.log_density, case.log_density.abs()));
        if let Some(want) = case.without_jacobian {
            let mut ignored = vec![0.0; u.len()];
            let plain = density.log_density(&u, false, &mut ignored).unwrap();
            let by_jacobian = (value - plain) - (case.log_density - want);
            assert!(by_jacobian.abs() < 1e-9, "Jacobian: {by_jacobian:e}");
        }
        let mut want = case.gradient.iter();
        for name in &case.order {
            let blocks = model.layout.blocks.iter().filter(|block| {
                let suffix = model.layout.transforms[block.offset].suffix();
                format!("{}{suffix}", block.name) == *name
            });
            for block in blocks {
                for (element, got) in gradient[block.offset..block.offset + block.len]
                    .iter()
                    .enumerate()
                {
                    let want = want.next().unwrap();
                    let label = block.label(element);
                    if want.is_nan() {
                        // Hill's slope is infinite at zero media; the chain rule there is 0 · ∞,
                        // and the derivative is 0.
                        assert!(got.is_finite(), "{label}: {got}");
                        continue;
                    }
                    assert!(
                        (got - want).abs() <= 1e-8 * want.abs().max(1.0),
                        "{label}: {got} against {want}"
                    );
                }
            }
        }
        assert!(want.next().is_none());
    }
    let (base, _) = offsets[0];
    for (offset, size) in &offsets {
        assert!(
            (offset - base).abs() <= 1e-8 * size,
            "{offset} against {base}"
        );
    }
    // The constant is PyMC's too.
    assert!(base.abs() <= 1e-8 * offsets[0].1, "{base}");
}

#[test]
fn the_national_example_has_pymcs_density() {
    let (Some(golden), Some(panel)) = (golden("density_geometric_logistic.json"), national())
    else {
        return;
    };
    assert_agrees(&Model::new(national_spec(), panel).unwrap(), &golden);
}

#[test]
fn delayed_adstock_and_hill_saturation_have_pymcs_density() {
    let (Some(golden), Some(panel)) = (golden("density_delayed_hill.json"), national()) else {
        return;
    };
    let mut spec = national_spec();
    spec.media.adstock = AdstockKind::Delayed;
    spec.media.saturation = SaturationKind::Hill;
    spec.priors.remove("saturation_beta");
    assert_agrees(&Model::new(spec, panel).unwrap(), &golden);
}

#[test]
fn the_five_geo_panel_has_pymcs_density() {
    let (Some(golden), Some(panel)) = (golden("density_geo5.json"), meridian(5, false)) else {
        return;
    };
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    spec.scaling.outcome.per_geo = true;
    spec.scaling.media.per_geo = true;
    let hyper = |mut prior: Prior, dims: &[&str]| {
        prior.dims = dims.iter().map(|dim| (*dim).to_owned()).collect();
        Argument::Prior(Box::new(prior))
    };
    let half = |sigma: f64| prior(Family::HalfNormal, &[("sigma", sigma)]);
    let mut set = |name: &str, prior: Prior| spec.priors.insert(name.to_owned(), prior);
    let intercept = prior(Family::Normal, &[])
        .with(
            "mu",
            hyper(prior(Family::Normal, &[("mu", 0.5), ("sigma", 0.3)]), &[]),
        )
        .with("sigma", hyper(half(0.3), &[]));
    set("intercept_contribution", intercept.per_geo());
    set(
        "gamma_control",
        prior(Family::Normal, &[("mu", 0.0), ("sigma", 0.5)]),
    );
    set(
        "gamma_fourier",
        prior(Family::Laplace, &[("mu", 0.0), ("b", 0.2)]),
    );
    let beta = prior(Family::HalfNormal, &[]).with("sigma", hyper(half(0.5), &["channel"]));
    set("saturation_beta", beta.per_geo());
    set("y_sigma", half(0.5).per_geo());
    assert_agrees(&Model::new(spec, panel).unwrap(), &golden);
}

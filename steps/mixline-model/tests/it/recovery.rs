//! Known truths of published simulations.

use mixline_model::Model;
use mixline_model::fit::{Draws, fit_bayesian};
use mixline_model::panel::{Control, Panel};
use mixline_model::response::{Interval, channels};
use mixline_model::spec::{Knots, ModelSpec, Prior};
use mixline_numerics::distribution::Family;
use mixline_numerics::sampler::Settings;
use mixline_panels::reference::{paid, prior};
use mixline_panels::shared::{self, Csv};

/// The 90 % interval of a parameter.
fn interval(draws: &Draws, label: &str) -> Interval {
    let at = draws
        .labels
        .iter()
        .position(|own| own == label)
        .unwrap_or_else(|| panic!("{label}"));
    Interval::of(&mut draws.parameter(at).concat())
}

/// PyMC-Marketing's two-geo panel: adstock and amplitude by geo, saturation shared; the truth is on
/// the scale of the data over their maxima. Priors are ours, by geo.
#[test]
fn the_two_geo_panel_recovers_its_true_parameters() {
    let Some(panel) = two_geos() else { return };
    let path = "mmm/pymc-marketing/mmm_multidimensional_example_true_parameters.json";
    let text = std::fs::read_to_string(shared::file(path).unwrap()).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    let mut set = |name: &str, prior: Prior| spec.priors.insert(name.to_owned(), prior);
    set(
        "adstock_alpha",
        prior(Family::Beta, &[("alpha", 1.0), ("beta", 3.0)]).per_geo(),
    );
    set(
        "saturation_lam",
        prior(Family::Gamma, &[("mu", 0.5), ("sigma", 0.25)]),
    );
    set(
        "saturation_beta",
        prior(Family::HalfNormal, &[("sigma", 0.5)]).per_geo(),
    );
    let model = Model::new(spec, panel).unwrap();
    let draws = fit_bayesian(&model, &Settings::default(), |_| true).unwrap();
    let holds = |label: String, want: f64| {
        let own = interval(&draws, &label);
        eprintln!("{label}: {want:.3} in [{:.3}, {:.3}]", own.q05, own.q95);
        assert!(
            own.q05 <= want && want <= own.q95,
            "{label}: {want} outside {own:?}"
        );
    };
    for (c, channel) in ["x1", "x2"].into_iter().enumerate() {
        let lam = truth["data_vars"]["saturation_lam"]["data"][c]
            .as_f64()
            .unwrap();
        holds(format!("saturation_lam[{channel}]"), lam);
        for (g, geo) in ["geo_a", "geo_b"].into_iter().enumerate() {
            let alpha = truth["data_vars"]["adstock_alpha"]["data"][g][c]
                .as_f64()
                .unwrap();
            holds(format!("adstock_alpha[{geo},{channel}]"), alpha);
            let beta = truth["data_vars"]["saturation_beta"]["data"][c][g]
                .as_f64()
                .unwrap();
            holds(format!("saturation_beta[{geo},{channel}]"), beta);
        }
    }
}

fn two_geos() -> Option<Panel> {
    let csv = Csv::read("mmm/pymc-marketing/mmm_multidimensional_example.csv")?;
    let geo = csv.text("geo");
    let geos = ["geo_a", "geo_b"].map(str::to_owned);
    let of = |name: &String| {
        (0..geo.len())
            .filter(|&row| geo[row] == *name)
            .collect::<Vec<_>>()
    };
    let rows: Vec<usize> = geos.iter().flat_map(of).collect();
    let pick = |heading: &str| -> Vec<f64> {
        let all = csv.numbers(heading);
        rows.iter().map(|&row| all[row]).collect()
    };
    let periods = rows.len() / geos.len();
    let dates = csv.dates("date");
    let control = |name: &str| Control {
        name: name.to_owned(),
        values: pick(name),
    };
    Some(Panel {
        dates: rows[..periods].iter().map(|&row| dates[row]).collect(),
        holdout: vec![false; periods],
        outcome: pick("y"),
        channels: ["x1", "x2"].map(|name| paid(name, pick(name))).into(),
        controls: ["event_1", "event_2"].map(control).into(),
        population: None,
        geos: geos.into(),
    })
}

/// PyMC-Marketing's set with a media effect that falls to a third and comes back: a drifting
/// multiplier recovers what each channel brought in, and the drift itself.
#[test]
fn drifting_media_effects_are_recovered() {
    let Some(csv) = Csv::read("mmm/pymc-marketing/media_tvp_data.csv") else {
        return;
    };
    let dates = csv.dates("date_week");
    let control = |name: &str| Control {
        name: name.to_owned(),
        values: csv.numbers(name),
    };
    let panel = Panel {
        geos: vec!["all".into()],
        holdout: vec![false; dates.len()],
        dates,
        outcome: csv.numbers("y"),
        channels: ["x1", "x2"]
            .map(|name| paid(name, csv.numbers(name)))
            .into(),
        controls: ["event_1", "event_2"].map(control).into(),
        population: None,
    };
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    spec.media.time_varying = Some(Knots { count: 9 });
    let model = Model::new(spec, panel).unwrap();
    let draws = fit_bayesian(&model, &Settings::default(), |_| true).unwrap();
    for (result, name) in channels(&model, &draws).iter().zip(["x1", "x2"]) {
        let want: f64 = csv.numbers(&format!("{name}_contribution")).iter().sum();
        // One draw of noise: 98 % of a Normal with the posterior's spread. The truth of x1 lies
        // just above the 90 % interval.
        let own = result.contribution;
        let sd = (own.q95 - own.q05) / 3.29;
        let off = (want - own.mean) / sd;
        eprintln!("{name}: {want:.1} is {off:.2} sd from {:.1}", own.mean);
        assert!(off.abs() < 2.33, "{name}: {want} against {own:?}");
    }
    // The drift is known up to a factor, which the amplitudes absorb: compare its shape.
    let hidden = csv.numbers("hidden_latent_media_fluctuation");
    for (first, second) in [(1, 6), (6, 9)] {
        let label = |knot: usize| format!("media_drift[knot_{knot}]");
        let [a, b] = [first, second].map(|knot| {
            let at = draws
                .labels
                .iter()
                .position(|own| *own == label(knot))
                .unwrap();
            draws.parameter(at).concat()
        });
        let own = Interval::of(&mut b.iter().zip(&a).map(|(b, a)| b - a).collect::<Vec<f64>>());
        let week = |knot: usize| hidden[(knot - 1) * (hidden.len() - 1) / 8];
        let want = (week(second) / week(first)).ln();
        eprintln!(
            "knot {first} to {second}: {want:.2} in [{:.2}, {:.2}]",
            own.q05, own.q95
        );
        assert!(
            own.q05 <= want && want <= own.q95,
            "{first} to {second}: {want} outside {own:?}"
        );
    }
}

/// The national example is a simulation too: its noise is the only thing between us and the truth.
#[test]
fn the_national_example_recovers_its_true_contributions() {
    let (Some(panel), Some(truth)) = (
        mixline_panels::reference::national(),
        shared::golden("national_truth.json"),
    ) else {
        return;
    };
    let model = Model::new(mixline_panels::reference::national_spec(), panel).unwrap();
    let draws = fit_bayesian(&model, &Settings::default(), |_| true).unwrap();
    for (result, name) in channels(&model, &draws).iter().zip(["x1", "x2"]) {
        let roas = result.roas.unwrap();
        let want = truth["true_roas"][name].as_f64().unwrap();
        assert!(
            roas.q05 <= want && want <= roas.q95,
            "{name}: {want} outside {roas:?}"
        );
    }
    for (name, want) in [("x1", 0.4), ("x2", 0.2)] {
        let alpha = interval(&draws, &format!("adstock_alpha[{name}]"));
        assert!(
            alpha.q05 <= want && want <= alpha.q95,
            "{name}: {want} outside {alpha:?}"
        );
    }
}

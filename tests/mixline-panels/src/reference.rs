//! The panels and specifications of the reference fits.

use mixline_model::panel::{Channel, Control, Panel};
use mixline_model::spec::{Argument, ModelSpec, Prior};
use mixline_numerics::distribution::Family;

use crate::shared::Csv;

/// A prior with plain numbers.
#[must_use]
pub fn prior(family: Family, parameters: &[(&str, f64)]) -> Prior {
    Prior::new(family, parameters)
}

/// PyMC-Marketing's national example: 179 weeks, two channels, three controls.
#[must_use]
pub fn national() -> Option<Panel> {
    let csv = Csv::read("mmm/pymc-marketing/mmm_example.csv")?;
    let dates = csv.dates("date_week");
    let control = |name: &str| Control {
        name: name.to_owned(),
        values: csv.numbers(name),
    };
    Some(Panel {
        geos: vec!["national".into()],
        holdout: vec![false; dates.len()],
        dates,
        outcome: csv.numbers("y"),
        channels: ["x1", "x2"]
            .map(|name| paid(name, csv.numbers(name)))
            .into(),
        controls: ["event_1", "event_2", "t"].map(control).into(),
        population: None,
    })
}

/// A channel of which the model sees the spend.
#[must_use]
pub fn paid(name: &str, spend: Vec<f64>) -> Channel {
    Channel {
        name: name.to_owned(),
        media: spend.clone(),
        spend: Some(spend),
    }
}

/// The specification of its reference posterior: geometric adstock, logistic saturation.
#[must_use]
pub fn national_spec() -> ModelSpec {
    let mut spec = ModelSpec::default();
    spec.baseline.fourier.yearly = 2;
    let mut set = |name: &str, prior: Prior| spec.priors.insert(name.to_owned(), prior);
    set(
        "intercept_contribution",
        prior(Family::Normal, &[("mu", 0.5), ("sigma", 0.2)]),
    );
    set(
        "gamma_control",
        prior(Family::Normal, &[("mu", 0.0), ("sigma", 0.05)]),
    );
    set(
        "gamma_fourier",
        prior(Family::Laplace, &[("mu", 0.0), ("b", 0.2)]),
    );
    set("y_sigma", prior(Family::HalfNormal, &[("sigma", 6.0)]));
    let shares = vec![1.312_639_03, 0.687_360_97];
    let beta = prior(Family::HalfNormal, &[]).with("sigma", Argument::List(shares));
    set("saturation_beta", beta);
    spec
}

/// Meridian's set of 40 geos and 156 weeks: five paid channels, one organic, three controls, the
/// outcome in money. `geos` keeps the most populous ones, in alphabetical order.
#[must_use]
pub fn meridian(geos: usize, organic: bool) -> Option<Panel> {
    let csv = Csv::read("mmm/meridian/geo_all_channels.csv")?;
    let (geo, population) = (csv.text("geo"), csv.numbers("population"));
    let mut people: Vec<(String, f64)> = Vec::new();
    for (geo, population) in geo.iter().zip(&population) {
        if people.last().is_none_or(|(last, _)| last != geo) {
            people.push((geo.clone(), *population));
        }
    }
    people.sort_by(|a, b| b.1.total_cmp(&a.1));
    people.truncate(geos);
    people.sort_by(|a, b| a.0.cmp(&b.0));
    let rows: Vec<usize> = people
        .iter()
        .flat_map(|(name, _)| {
            (0..geo.len())
                .filter(|&row| geo[row] == *name)
                .collect::<Vec<_>>()
        })
        .collect();
    let pick = |heading: &str| -> Vec<f64> {
        let all = csv.numbers(heading);
        rows.iter().map(|&row| all[row]).collect()
    };
    let dates = csv.dates("time");
    let periods = rows.len() / people.len().max(1);
    let (conversions, value) = (pick("conversions"), pick("revenue_per_conversion"));
    let mut channels: Vec<Channel> = (0..5)
        .map(|c| {
            let name = format!("Channel{c}_spend");
            paid(&name, pick(&name))
        })
        .collect();
    if organic {
        let media = pick("Organic_channel0_impression");
        channels.push(Channel {
            name: "Organic_channel0".into(),
            media,
            spend: None,
        });
    }
    let control = |name: &str| Control {
        name: name.to_owned(),
        values: pick(name),
    };
    Some(Panel {
        dates: rows[..periods].iter().map(|&row| dates[row]).collect(),
        holdout: vec![false; periods],
        outcome: conversions.iter().zip(&value).map(|(n, v)| n * v).collect(),
        channels,
        controls: [
            "competitor_sales_control",
            "sentiment_score_control",
            "Promo",
        ]
        .map(control)
        .into(),
        population: Some(people.iter().map(|(_, people)| *people).collect()),
        geos: people.into_iter().map(|(geo, _)| geo).collect(),
    })
}

//! Default priors: PyMC-Marketing's for one series; pooled Normals across geos for a panel.

use mixline_numerics::distribution::Family;

use crate::kernel::{AdstockKind, SaturationKind};
use crate::spec::{Argument, Prior};

fn p(family: Family, parameters: &[(&str, f64)]) -> Prior {
    Prior::new(family, parameters)
}

/// Prior of an adstock parameter.
pub(super) fn adstock(kind: AdstockKind, parameter: &str) -> Prior {
    match (kind, parameter) {
        (_, "alpha") => p(Family::Beta, &[("alpha", 1.0), ("beta", 3.0)]),
        (_, "theta") => p(Family::HalfNormal, &[("sigma", 1.0)]),
        (AdstockKind::WeibullPdf, "lam") => p(Family::Gamma, &[("mu", 2.0), ("sigma", 1.0)]),
        (AdstockKind::WeibullPdf, _) => p(Family::Gamma, &[("mu", 3.0), ("sigma", 1.0)]),
        _ => p(Family::Gamma, &[("mu", 2.0), ("sigma", 2.5)]),
    }
}

/// Prior of a shape parameter of the saturation.
pub(super) fn shape(kind: SaturationKind, parameter: &str) -> Prior {
    match (kind, parameter) {
        (SaturationKind::Logistic, _) => p(Family::Gamma, &[("alpha", 3.0), ("beta", 1.0)]),
        (SaturationKind::InverseScaledLogistic, _) => {
            p(Family::Gamma, &[("alpha", 0.5), ("beta", 1.0)])
        }
        (SaturationKind::Root, _) => p(Family::Beta, &[("alpha", 1.0), ("beta", 2.0)]),
        (SaturationKind::Hill | SaturationKind::HillSigmoid, _) => {
            p(Family::HalfNormal, &[("sigma", 1.5)])
        }
        _ => p(Family::HalfNormal, &[("sigma", 1.0)]),
    }
}

/// Prior of the amplitude of one series.
pub(super) fn amplitude(kind: SaturationKind) -> Prior {
    match kind {
        SaturationKind::MichaelisMenten => p(Family::Gamma, &[("mu", 2.0), ("sigma", 1.0)]),
        SaturationKind::Root => p(Family::Gamma, &[("mu", 1.0), ("sigma", 1.0)]),
        SaturationKind::Hill | SaturationKind::HillSigmoid => {
            p(Family::HalfNormal, &[("sigma", 1.5)])
        }
        SaturationKind::Tanh | SaturationKind::Log => p(Family::HalfNormal, &[("sigma", 1.0)]),
        _ => p(Family::HalfNormal, &[("sigma", 2.0)]),
    }
}

/// Amplitudes by geo around a common one: Normal, so that they can be integrated out exactly.
pub(super) fn pooled_amplitude(kind: SaturationKind) -> Prior {
    let by_channel = |prior: Prior| {
        Argument::Prior(Box::new(Prior {
            dims: vec!["channel".into()],
            ..prior
        }))
    };
    Prior {
        dist: "Normal".into(),
        ..Prior::default()
    }
    .with("mu", by_channel(amplitude(kind)))
    .with(
        "sigma",
        by_channel(p(Family::HalfNormal, &[("sigma", 0.3)])),
    )
    .per_geo()
}

/// The intercept of one series.
pub(super) fn intercept() -> Prior {
    p(Family::Normal, &[("mu", 0.0), ("sigma", 2.0)])
}

/// Intercepts by geo around a common one.
pub(super) fn pooled_intercept() -> Prior {
    Prior {
        dist: "Normal".into(),
        ..Prior::default()
    }
    .with("mu", Argument::Prior(Box::new(intercept())))
    .with(
        "sigma",
        Argument::Prior(Box::new(p(Family::HalfNormal, &[("sigma", 1.0)]))),
    )
    .per_geo()
}

/// Prior of a linear term, by block and label.
pub(super) fn term(block: &str, label: &str) -> Prior {
    match block {
        "gamma_control" => p(Family::Normal, &[("mu", 0.0), ("sigma", 2.0)]),
        "gamma_trend" if label == "slope" => p(Family::Normal, &[("mu", 0.0), ("sigma", 0.5)]),
        "gamma_trend" => p(Family::Laplace, &[("mu", 0.0), ("b", 0.25)]),
        "gamma_knot" => p(Family::Normal, &[("mu", 0.0), ("sigma", 0.2)]),
        "gamma_event" => p(Family::Normal, &[("mu", 0.0), ("sigma", 1.0)]),
        _ => p(Family::Laplace, &[("mu", 0.0), ("b", 1.0)]),
    }
}

/// Prior of the logarithm of the media multiplier at a knot: within a factor of 2.3, nineteen times
/// out of twenty.
pub(super) fn drift() -> Prior {
    p(Family::Normal, &[("mu", 0.0), ("sigma", 0.5)])
}

/// Prior of a synergy coefficient.
pub(super) fn synergy() -> Prior {
    p(Family::Normal, &[("mu", 0.0), ("sigma", 0.5)])
}

/// Scale of the likelihood.
pub(super) fn sigma() -> Prior {
    p(Family::HalfNormal, &[("sigma", 2.0)])
}

/// Degrees of freedom of a Student-t likelihood (Juárez and Steel 2010).
pub(super) fn nu() -> Prior {
    p(Family::Gamma, &[("alpha", 2.0), ("beta", 0.1)])
}

//! The data as the density sees them: scaled, padded, masked, with the baseline's columns.

use mixline_numerics::lanes::padded;

use crate::baseline::{Season, event_column, fourier_columns, knot_columns, trend_columns};
use crate::kernel::MediaKernel;
use crate::kernel::media::Padded;
use crate::panel::Panel;
use serde::{Deserialize, Serialize};

use crate::spec::{Link, ModelSpec, Scale, ScaleMethod, Treatment};

/// What a linear term stands for, in decompositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    /// Level.
    Intercept,
    /// Trend and knots.
    Trend,
    /// Seasonal terms.
    Season,
    /// Controls and treatments.
    Control,
    /// Dated events.
    Event,
}

/// One linear term: a column times a coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What it stands for.
    pub kind: TermKind,
    /// Block of the coefficient: `intercept_contribution`, `gamma_control`, …
    pub block: &'static str,
    /// Label of the coefficient in its block; empty for the intercept.
    pub label: String,
    /// Padded values: one series for all geos, or one after the other.
    values: Vec<f64>,
    per_geo: bool,
}

/// What one unit on the model's scale is worth: the meaning of its parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scales {
    /// Of the outcome, by geo.
    pub outcome: Vec<f64>,
    /// Of media, by channel and geo: `c * geos + g`.
    pub media: Vec<f64>,
}

/// Scaled data.
#[derive(Debug, Clone)]
pub struct Design {
    /// Geos.
    pub geos: usize,
    /// Periods.
    pub periods: usize,
    /// Length of a padded series.
    pub(crate) row: usize,
    /// Scaled (and, under a log link, logarithmic) outcome; 0 where it takes no part in the fit.
    outcome: Vec<f64>,
    /// 1 where the outcome takes part in the fit, else 0.
    mask: Vec<f64>,
    /// Periods that take part, by geo.
    pub(crate) fitted: Vec<f64>,
    /// Kernel of each channel.
    pub kernels: Vec<MediaKernel>,
    /// Scaled media: channel by channel within a geo.
    media: Vec<Padded>,
    /// Hat functions of the media multiplier, padded; none when the effect is constant.
    pub(crate) drift: Vec<Vec<f64>>,
    /// Linear terms; the intercept first.
    pub terms: Vec<Term>,
    /// What one unit of the scaled outcome is worth, by geo.
    pub outcome_scale: Vec<f64>,
    /// What one unit of scaled media is, by channel and geo: `c * geos + g`.
    pub media_scale: Vec<f64>,
    /// Spend-weighted mean of each channel's scaled media, Σx²/Σx; 0 for a channel without media.
    pub reference: Vec<f64>,
}

impl Term {
    /// Root mean square of the values, padding included.
    pub(crate) fn size(&self) -> f64 {
        let squares: f64 = self.values.iter().map(|x| x * x).sum();
        (squares / self.values.len().max(1) as f64).sqrt()
    }

    /// The column of geo `g`.
    #[inline]
    pub(crate) fn column(&self, g: usize, row: usize) -> &[f64] {
        let from = if self.per_geo { g * row } else { 0 };
        &self.values[from..from + row]
    }
}

impl Design {
    /// Scales and pads a valid panel.
    #[must_use]
    pub fn new(spec: &ModelSpec, panel: &Panel) -> Self {
        Self::with_scales(spec, panel, &Scales::of(spec, panel))
    }

    /// The same with scales from an earlier fit.
    pub(crate) fn with_scales(spec: &ModelSpec, panel: &Panel, scales: &Scales) -> Self {
        let (geos, periods) = (panel.geos.len(), panel.periods());
        let row = padded(periods);
        let outcome_scale = scales.outcome.clone();
        let mut outcome = vec![0.0; geos * row];
        let mut mask = vec![0.0; geos * row];
        for g in 0..geos {
            for t in (0..periods).filter(|&t| panel.fitted(g, t)) {
                let scaled = panel.outcome[g * periods + t] / outcome_scale[g];
                outcome[g * row + t] = match spec.likelihood.link {
                    Link::Identity => scaled,
                    Link::Log => libm::log(scaled),
                };
                mask[g * row + t] = 1.0;
            }
        }
        let kernels: Vec<MediaKernel> = panel
            .channels
            .iter()
            .map(|channel| spec.media.kernel(&channel.name))
            .collect();
        let mut design = Self {
            geos,
            periods,
            row,
            fitted: mask
                .chunks_exact(row.max(1))
                .map(|mask| mask.iter().sum())
                .collect(),
            outcome,
            mask,
            media_scale: scales.media.clone(),
            media: Vec::new(),
            reference: Vec::new(),
            drift: drift(spec, periods, row),
            terms: terms(spec, panel, row),
            kernels,
            outcome_scale,
        };
        design.scale_media(panel);
        design
    }

    fn scale_media(&mut self, panel: &Panel) {
        for g in 0..self.geos {
            for (c, channel) in panel.channels.iter().enumerate() {
                let (own, scale) = (panel.of_geo(&channel.media, g), self.media_scale(g, c));
                let scaled: Vec<f64> = own.iter().map(|x| x / scale).collect();
                self.media
                    .push(Padded::new(&scaled, self.kernels[c].lags()));
            }
        }
        for c in 0..panel.channels.len() {
            let cells = (0..self.geos).flat_map(|g| self.media(g, c).values());
            let (sum, square) = cells.fold((0.0, 0.0), |(s, q), x| (s + x, q + x * x));
            self.reference
                .push(if sum > 0.0 { square / sum } else { 0.0 });
        }
    }

    /// Scaled outcome of geo `g`.
    #[inline]
    pub(crate) fn outcome(&self, g: usize) -> &[f64] {
        &self.outcome[g * self.row..(g + 1) * self.row]
    }

    /// Which cells of geo `g` take part in the fit: 1 or 0.
    #[inline]
    pub(crate) fn mask(&self, g: usize) -> &[f64] {
        &self.mask[g * self.row..(g + 1) * self.row]
    }

    /// Scaled media of channel `c` in geo `g`.
    #[inline]
    pub(crate) fn media(&self, g: usize, c: usize) -> &Padded {
        &self.media[g * self.kernels.len() + c]
    }

    /// The scales in use.
    #[must_use]
    pub fn scales(&self) -> Scales {
        Scales {
            outcome: self.outcome_scale.clone(),
            media: self.media_scale.clone(),
        }
    }

    /// The media scale of channel `c` in geo `g`.
    #[must_use]
    pub fn media_scale(&self, g: usize, c: usize) -> f64 {
        self.media_scale[c * self.geos + g]
    }
}

impl Scales {
    /// The scales that the specification asks for, from the data.
    #[must_use]
    pub fn of(spec: &ModelSpec, panel: &Panel) -> Self {
        let fitted = |g: usize, t: usize| panel.fitted(g, t);
        let media = panel.channels.iter();
        let media = media.map(|own| scales(&spec.scaling.media, panel, &own.media, |_, _| true));
        Self {
            outcome: scales(&spec.scaling.outcome, panel, &panel.outcome, fitted),
            media: media.flatten().collect(),
        }
    }

    /// Whether they fit a panel of this size.
    pub(crate) fn fits(&self, panel: &Panel) -> bool {
        let geos = panel.geos.len();
        let usable = |scale: &f64| scale.is_finite() && *scale > 0.0;
        self.outcome.len() == geos
            && self.media.len() == geos * panel.channels.len()
            && self.outcome.iter().chain(&self.media).all(usable)
    }
}

/// One divisor per geo, population included; 1 where a series is all zero.
fn scales(
    scale: &Scale,
    panel: &Panel,
    values: &[f64],
    counts: impl Fn(usize, usize) -> bool,
) -> Vec<f64> {
    let geos = panel.geos.len();
    let people = |g: usize| match (&panel.population, scale.per_capita) {
        (Some(population), true) => population[g],
        _ => 1.0,
    };
    let of = |geos: std::ops::Range<usize>| {
        let mut cells = Vec::new();
        for g in geos {
            let own = panel.of_geo(values, g);
            let kept = (0..own.len()).filter(|&t| counts(g, t));
            cells.extend(kept.map(|t| own[t] / people(g)));
        }
        let divisor = statistic(scale.method, cells);
        if divisor.is_finite() && divisor > 0.0 {
            divisor
        } else {
            1.0
        }
    };
    let shared = of(0..geos);
    (0..geos)
        .map(|g| people(g) * if scale.per_geo { of(g..g + 1) } else { shared })
        .collect()
}

fn statistic(method: ScaleMethod, mut cells: Vec<f64>) -> f64 {
    match method {
        ScaleMethod::Max => cells.iter().fold(0.0, |most, x| x.abs().max(most)),
        ScaleMethod::Mean => cells.iter().sum::<f64>() / cells.len().max(1) as f64,
        ScaleMethod::Median => {
            cells.retain(|x| *x > 0.0);
            cells.sort_by(f64::total_cmp);
            let middle = cells.len() / 2;
            match cells.len() {
                0 => 1.0,
                n if n % 2 == 0 => (cells[middle - 1] + cells[middle]) / 2.0,
                _ => cells[middle],
            }
        }
        ScaleMethod::Fixed(value) => value,
        ScaleMethod::None => 1.0,
    }
}

fn terms(spec: &ModelSpec, panel: &Panel, row: usize) -> Vec<Term> {
    let (dates, periods) = (&panel.dates, panel.periods());
    let pad = |mut values: Vec<f64>| {
        values.resize(row, 0.0);
        values
    };
    let shared = |kind, block, label, values| Term {
        kind,
        block,
        label,
        values: pad(values),
        per_geo: false,
    };
    let one = vec![1.0; periods];
    let mut terms = vec![shared(
        TermKind::Intercept,
        "intercept_contribution",
        String::new(),
        one,
    )];
    for control in &panel.controls {
        let treatment = spec.baseline.treatments.get(&control.name);
        let level = treatment.map_or(0.0, |treatment| level(*treatment, &control.values));
        let mut values = Vec::with_capacity(panel.geos.len() * row);
        for g in 0..panel.geos.len() {
            let own = panel.of_geo(&control.values, g);
            values.extend(pad(own.iter().map(|x| x - level).collect()));
        }
        terms.push(Term {
            kind: TermKind::Control,
            block: "gamma_control",
            label: control.name.clone(),
            values,
            per_geo: true,
        });
    }
    let fourier = spec.baseline.fourier;
    for (season, order, block) in [
        (Season::Yearly, fourier.yearly, "gamma_fourier"),
        (Season::Monthly, fourier.monthly, "gamma_fourier_monthly"),
        (Season::Weekly, fourier.weekly, "gamma_fourier_weekly"),
    ] {
        for column in fourier_columns(season, order, dates) {
            terms.push(shared(TermKind::Season, block, column.label, column.values));
        }
    }
    if let Some(trend) = &spec.baseline.trend {
        for column in trend_columns(trend.changepoints, periods) {
            terms.push(shared(
                TermKind::Trend,
                "gamma_trend",
                column.label,
                column.values,
            ));
        }
    }
    if let Some(knots) = &spec.baseline.knots {
        for column in knot_columns(knots.count, periods) {
            terms.push(shared(
                TermKind::Trend,
                "gamma_knot",
                column.label,
                column.values,
            ));
        }
    }
    for (name, windows) in &spec.baseline.events {
        let values = event_column(windows, dates);
        terms.push(shared(TermKind::Event, "gamma_event", name.clone(), values));
    }
    terms
}

/// Columns of the logarithm of the media multiplier.
fn drift(spec: &ModelSpec, periods: usize, row: usize) -> Vec<Vec<f64>> {
    let columns = spec.media.time_varying.iter();
    let columns = columns.flat_map(|knots| knot_columns(knots.count, periods));
    let pad = |mut values: Vec<f64>| {
        values.resize(row, 0.0);
        values
    };
    columns.map(|column| pad(column.values)).collect()
}

fn level(treatment: Treatment, values: &[f64]) -> f64 {
    match treatment {
        Treatment::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Treatment::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Treatment::Value(value) => value,
    }
}

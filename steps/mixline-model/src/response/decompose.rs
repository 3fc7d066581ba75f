//! Contributions of every component, by period and in total.
//!
//! With an identity link the parts of a draw add up to its expectation. Under a log link a part is
//! what would be missing without it, and what remains of the expectation is the component
//! `interaction`. Observed less expected is `unexplained`: parts always sum to the observed.

use serde::{Deserialize, Serialize};

use super::evaluate::Evaluator;
use super::summary::Interval;
use crate::design::TermKind;
use crate::fit::Draws;
use crate::model::Model;
use crate::spec::Link;

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentKind {
    /// A media channel.
    Media,
    /// Level.
    Intercept,
    /// Trend and knots.
    Trend,
    /// Seasonal terms.
    Season,
    /// A control or treatment.
    Control,
    /// A dated event.
    Event,
    /// Joint effect of two channels, or what multiplies under a log link.
    Interaction,
    /// Observed less expected.
    Unexplained,
}

impl ComponentKind {
    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::Intercept => "intercept",
            Self::Trend => "trend",
            Self::Season => "season",
            Self::Control => "control",
            Self::Event => "event",
            Self::Interaction => "interaction",
            Self::Unexplained => "unexplained",
        }
    }
}

/// A part of the outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Name: of the channel, control or event, or of the kind.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// Linear terms that belong to it.
    terms: Vec<usize>,
    /// The channel, for media.
    channel: Option<usize>,
    /// The synergy, for a joint effect.
    synergy: Option<usize>,
}

/// A component's part of one period's outcome in one geo, or of a total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contribution {
    /// Index into [`Decomposition::components`].
    pub component: usize,
    /// Geo; `None` for a total over geos.
    pub geo: Option<usize>,
    /// Period; `None` for a total over periods.
    pub period: Option<usize>,
    /// In units of the outcome.
    pub value: Interval,
}

/// All contributions.
#[derive(Debug, Clone, PartialEq)]
pub struct Decomposition {
    /// The components.
    pub components: Vec<Component>,
    /// By component, geo and period with an observed outcome.
    pub cells: Vec<Contribution>,
    /// By component and period, over geos; empty for a single geo.
    pub periods: Vec<Contribution>,
    /// By component, over everything observed.
    pub totals: Vec<Contribution>,
}

/// Numbers held at once for one geo: periods × components × draws stay below this.
const HELD: usize = 12_000_000;
/// Draws are never thinned below this.
const FEWEST: usize = 200;

/// Decomposes the outcome of every period with an observed outcome.
///
/// Draws are thinned evenly, to at least 200, where a panel would need too much memory or time.
#[must_use]
pub fn decompose(model: &Model, draws: &Draws) -> Decomposition {
    let components = components(model);
    let design = &model.design;
    let cells = design.periods * components.len();
    let budget = HELD / cells.max(1) / (design.geos / 8).max(1);
    let rows = draws.thinned(budget.max(FEWEST));
    let count = rows.len();
    let mut evaluator = Evaluator::new(model);
    let mut out = Decomposition {
        components,
        cells: vec![],
        periods: vec![],
        totals: vec![],
    };
    let width = out.components.len();
    // Sums over geos, by component and period; and over both; draw by draw.
    let mut by_period = vec![0.0; if design.geos > 1 { cells * count } else { 0 }];
    let mut by_component = vec![0.0; width * count];
    let mut seen = vec![false; design.periods];
    for g in 0..design.geos {
        let mut held = vec![0.0; cells * count];
        for (d, row) in rows.iter().enumerate() {
            evaluator.set(row);
            for (component, series) in parts(model, &mut evaluator, &out.components, g)
                .iter()
                .enumerate()
            {
                for (t, value) in series.iter().enumerate() {
                    held[(component * design.periods + t) * count + d] = *value;
                }
            }
        }
        for component in 0..width {
            for t in (0..design.periods).filter(|&t| observed(model, g, t)) {
                seen[t] = true;
                let at = component * design.periods + t;
                let values = &mut held[at * count..(at + 1) * count];
                let total = &mut by_component[component * count..(component + 1) * count];
                total
                    .iter_mut()
                    .zip(&*values)
                    .for_each(|(sum, x)| *sum += x);
                if design.geos > 1 {
                    let sums = &mut by_period[at * count..(at + 1) * count];
                    sums.iter_mut().zip(&*values).for_each(|(sum, x)| *sum += x);
                }
                let value = Interval::of(values);
                out.cells.push(Contribution {
                    component,
                    geo: Some(g),
                    period: Some(t),
                    value,
                });
            }
        }
    }
    for component in 0..width {
        if design.geos > 1 {
            for t in (0..design.periods).filter(|&t| seen[t]) {
                let at = component * design.periods + t;
                let value = Interval::of(&mut by_period[at * count..(at + 1) * count]);
                out.periods.push(Contribution {
                    component,
                    geo: None,
                    period: Some(t),
                    value,
                });
            }
        }
        let value = Interval::of(&mut by_component[component * count..(component + 1) * count]);
        out.totals.push(Contribution {
            component,
            geo: None,
            period: None,
            value,
        });
    }
    out
}

/// Whether the outcome of a cell was observed, in the fit or in the holdout.
pub(super) fn observed(model: &Model, g: usize, t: usize) -> bool {
    model.panel.outcome[g * model.design.periods + t].is_finite()
}

fn components(model: &Model) -> Vec<Component> {
    let mut components: Vec<Component> = Vec::new();
    let blank = |name: String, kind| Component {
        name,
        kind,
        terms: vec![],
        channel: None,
        synergy: None,
    };
    for (c, channel) in model.panel.channels.iter().enumerate() {
        let media = blank(channel.name.clone(), ComponentKind::Media);
        components.push(Component {
            channel: Some(c),
            ..media
        });
    }
    for (k, term) in model.design.terms.iter().enumerate() {
        let (kind, name) = match term.kind {
            TermKind::Intercept => (ComponentKind::Intercept, "intercept"),
            TermKind::Trend => (ComponentKind::Trend, "trend"),
            TermKind::Season => (ComponentKind::Season, "season"),
            TermKind::Control => (ComponentKind::Control, term.label.as_str()),
            TermKind::Event => (ComponentKind::Event, term.label.as_str()),
        };
        match components
            .iter_mut()
            .find(|known| known.kind == kind && known.name == name)
        {
            Some(known) => known.terms.push(k),
            None => components.push(Component {
                terms: vec![k],
                ..blank(name.to_owned(), kind)
            }),
        }
    }
    for (s, [a, b]) in model.spec.synergies.iter().enumerate() {
        let joint = blank(format!("{a}:{b}"), ComponentKind::Interaction);
        components.push(Component {
            synergy: Some(s),
            ..joint
        });
    }
    if model.spec.likelihood.link == Link::Log {
        components.push(blank("interaction".into(), ComponentKind::Interaction));
    }
    components.push(blank("unexplained".into(), ComponentKind::Unexplained));
    components
}

/// Each component's series in geo `g`, in units of the outcome.
fn parts(
    model: &Model,
    evaluator: &mut Evaluator<'_>,
    components: &[Component],
    g: usize,
) -> Vec<Vec<f64>> {
    let periods = model.design.periods;
    let mut series: Vec<Vec<f64>> = components
        .iter()
        .map(|component| {
            let mut total = vec![0.0; periods];
            let mut add =
                |part: Vec<f64>| total.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            component
                .terms
                .iter()
                .for_each(|&k| add(evaluator.term(g, k)));
            if let Some(c) = component.channel {
                add(evaluator.contribution(g, c));
            }
            if let Some(s) = component.synergy {
                add(evaluator.synergy(g, s));
            }
            total
        })
        .collect();
    let count = components.len();
    for t in 0..periods {
        let mu: f64 = series.iter().map(|part| part[t]).sum();
        let expected = evaluator.expected(g, mu);
        let mut explained = 0.0;
        for part in &mut series[..count - 1] {
            part[t] = match model.spec.likelihood.link {
                Link::Identity => model.design.outcome_scale[g] * part[t],
                Link::Log => expected - evaluator.expected(g, mu - part[t]),
            };
            explained += part[t];
        }
        if model.spec.likelihood.link == Link::Log {
            series[count - 2][t] = expected - explained;
        }
        series[count - 1][t] = model.panel.outcome[g * periods + t] - expected;
    }
    series
}

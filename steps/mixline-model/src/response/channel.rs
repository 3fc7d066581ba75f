//! Results by channel.

use super::decompose::observed;
use super::evaluate::Evaluator;
use super::summary::Interval;
use crate::fit::Draws;
use crate::model::Model;
use crate::posterior::calibration::MARGINAL_STEP;
use crate::spec::Link;

/// What a channel brought in over the observed periods, in all geos or in one.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelResult {
    /// Index of the channel.
    pub channel: usize,
    /// Geo; `None` for all.
    pub geo: Option<usize>,
    /// Money spent; `None` for organic media.
    pub spend: Option<f64>,
    /// In units of the outcome.
    pub contribution: Interval,
    /// Contribution / observed outcome.
    pub share_of_outcome: Interval,
    /// Contribution / contribution of all channels.
    pub share_of_effect: Interval,
    /// Spend / spend of all channels.
    pub share_of_spend: Option<f64>,
    /// Contribution / spend; `None` without spend.
    pub roas: Option<Interval>,
    /// What 1 % more spend would bring, over 1 % of spend; `None` without spend.
    pub marginal_roas: Option<Interval>,
    /// Spend / contribution, the cost of one unit of outcome; `None` without spend.
    pub cost_per_outcome: Option<Interval>,
    /// Probability that the contribution is above 0.
    pub probability_positive: f64,
}

/// Numbers behind the results of one scope (a geo, or all): by channel, draw by draw.
struct Sums {
    contribution: Vec<Vec<f64>>,
    more: Vec<Vec<f64>>,
    spend: Vec<Option<f64>>,
    outcome: f64,
}

impl Sums {
    fn new(channels: usize, draws: usize) -> Self {
        Self {
            contribution: vec![vec![0.0; draws]; channels],
            more: vec![vec![0.0; draws]; channels],
            spend: vec![None; channels],
            outcome: 0.0,
        }
    }

    fn add(&mut self, other: &Self) {
        self.outcome += other.outcome;
        for c in 0..self.spend.len() {
            if let Some(spend) = other.spend[c] {
                *self.spend[c].get_or_insert(0.0) += spend;
            }
            let pairs = [
                (&mut self.contribution[c], &other.contribution[c]),
                (&mut self.more[c], &other.more[c]),
            ];
            for (mine, theirs) in pairs {
                mine.iter_mut().zip(theirs).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}

/// Kernel evaluations a call may spend, in cells.
const BUDGET: usize = 400_000_000;

/// Contributions of every channel over all geos and observed periods, draw by draw.
#[must_use]
pub fn contribution_draws(model: &Model, draws: &Draws) -> Vec<Vec<f64>> {
    let (count, rows) = (model.design.kernels.len(), rows_in_budget(model, draws));
    let mut evaluator = Evaluator::new(model);
    let mut all = Sums::new(count, rows.len());
    for g in 0..model.design.geos {
        all.add(&sums_of_geo(model, &mut evaluator, &rows, g));
    }
    all.contribution
}

/// Results of every channel: over all geos, and in a panel also by geo.
///
/// Under a log link a contribution is what would be missing without the channel.
#[must_use]
pub fn channels(model: &Model, draws: &Draws) -> Vec<ChannelResult> {
    let (count, rows) = (model.design.kernels.len(), rows_in_budget(model, draws));
    let mut evaluator = Evaluator::new(model);
    let mut all = Sums::new(count, rows.len());
    let mut results = Vec::new();
    for g in 0..model.design.geos {
        let own = sums_of_geo(model, &mut evaluator, &rows, g);
        all.add(&own);
        if model.design.geos > 1 {
            results.extend((0..count).map(|c| result(&own, c, Some(g))));
        }
    }
    let totals = (0..count).map(|c| result(&all, c, None));
    totals.chain(results).collect()
}

fn rows_in_budget<'d>(model: &Model, draws: &'d Draws) -> Vec<&'d [f64]> {
    let design = &model.design;
    let cells = 2 * design.kernels.len() * design.geos * design.periods;
    draws.thinned((BUDGET / cells.max(1)).max(200))
}

/// Every channel's sums over the observed periods of one geo.
fn sums_of_geo(model: &Model, evaluator: &mut Evaluator<'_>, rows: &[&[f64]], g: usize) -> Sums {
    let design = &model.design;
    let mut own = Sums::new(design.kernels.len(), rows.len());
    let kept: Vec<usize> = (0..design.periods)
        .filter(|&t| observed(model, g, t))
        .collect();
    own.outcome = sum_over(&kept, design.periods, g, &model.panel.outcome);
    for (c, channel) in model.panel.channels.iter().enumerate() {
        let spend = channel.spend.as_deref();
        own.spend[c] = spend.map(|spend| sum_over(&kept, design.periods, g, spend));
    }
    for (d, row) in rows.iter().enumerate() {
        evaluator.set(row);
        let mu = match model.spec.likelihood.link {
            Link::Log => evaluator.linear_predictor(g),
            Link::Identity => Vec::new(),
        };
        for c in 0..design.kernels.len() {
            let (now, more) = one(model, evaluator, g, c, &kept, &mu);
            (own.contribution[c][d], own.more[c][d]) = (now, more);
        }
    }
    own
}

/// The sum over some periods of one geo.
fn sum_over(kept: &[usize], periods: usize, g: usize, values: &[f64]) -> f64 {
    kept.iter().map(|&t| values[g * periods + t]).sum()
}

/// The contribution of a channel over `kept`, and what 1 % more media would add.
fn one(
    model: &Model,
    evaluator: &mut Evaluator<'_>,
    g: usize,
    c: usize,
    kept: &[usize],
    mu: &[f64],
) -> (f64, f64) {
    let amplitude = evaluator.amplitude(g, c);
    let now: Vec<f64> = evaluator
        .saturated(g, c)
        .iter()
        .map(|f| amplitude * f)
        .collect();
    let more: Vec<f64> = evaluator
        .saturated_at(g, c, 1.0 + MARGINAL_STEP)
        .iter()
        .map(|f| amplitude * f)
        .collect();
    let scale = model.design.outcome_scale[g];
    let mut sums = (0.0, 0.0);
    for &t in kept {
        match model.spec.likelihood.link {
            Link::Identity => {
                sums.0 += scale * now[t];
                sums.1 += scale * (more[t] - now[t]);
            }
            Link::Log => {
                let with = evaluator.expected(g, mu[t]);
                sums.0 += with - evaluator.expected(g, mu[t] - now[t]);
                sums.1 += evaluator.expected(g, mu[t] - now[t] + more[t]) - with;
            }
        }
    }
    sums
}

fn result(sums: &Sums, c: usize, geo: Option<usize>) -> ChannelResult {
    let contribution = &sums.contribution[c];
    let spend = sums.spend[c];
    let paid = spend.filter(|spend| *spend > 0.0);
    let over = |values: &[f64], divisor: f64| {
        Interval::of(&mut values.iter().map(|x| x / divisor).collect::<Vec<f64>>())
    };
    let effect = |d: usize| sums.contribution.iter().map(|own| own[d]).sum::<f64>();
    let mut of_effect: Vec<f64> = contribution
        .iter()
        .enumerate()
        .map(|(d, x)| x / effect(d))
        .collect();
    let all_spend: f64 = sums.spend.iter().flatten().sum();
    let positive = contribution.iter().filter(|x| **x > 0.0).count();
    ChannelResult {
        channel: c,
        geo,
        spend,
        contribution: Interval::of(&mut contribution.clone()),
        share_of_outcome: over(contribution, sums.outcome),
        share_of_effect: Interval::of(&mut of_effect),
        share_of_spend: paid.map(|spend| spend / all_spend),
        roas: paid.map(|spend| over(contribution, spend)),
        marginal_roas: paid.map(|spend| over(&sums.more[c], spend * MARGINAL_STEP)),
        cost_per_outcome: paid.map(|spend| {
            Interval::of(&mut contribution.iter().map(|x| spend / x).collect::<Vec<f64>>())
        }),
        probability_positive: positive as f64 / contribution.len().max(1) as f64,
    }
}

//! Each method's result.

use std::collections::BTreeMap;

use mixline_attribution::conversion::{FitOptions, Fitted};
use mixline_attribution::resample::{Interval, Stability};
use mixline_attribution::survey::{Result as Weighed, Setting};
use mixline_attribution::{ChannelId, Totals};
use mixline_attribution_tables::Method;
use mixline_step::Context;

use crate::config::Config;
use crate::gather::Gathered;
use crate::informed::Informed;

/// A method with its result and what a reader must know of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) weighed: Weighed,
    /// By channel id, for Markov methods.
    pub(crate) removal: Option<Vec<f64>>,
    pub(crate) conversion_rate: Option<f64>,
    pub(crate) note: String,
}

/// All answers, and the model behind two of them.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) all: Vec<Answer>,
    pub(crate) model: Option<Fitted>,
    /// Methods that could not be applied, and why.
    pub(crate) left_out: BTreeMap<Method, String>,
}

impl Answers {
    /// Applies every configured method.
    pub(crate) fn new(
        config: &Config,
        found: &Gathered,
        informed: Option<&Informed>,
        draws: &[Vec<f64>],
        ctx: &Context,
    ) -> Self {
        let setting = Setting {
            channels: found.channels.len(),
            rest: found.direct,
            draws,
        };
        let mut this = Self::default();
        if config.methods.contains(&Method::SpendShare) {
            let weighed = Weighed::summed(&found.by_spend, setting);
            this.add(
                Method::SpendShare,
                weighed,
                "Orders shared by the spend of their day.",
            );
        }
        let touched = found.survey.counts().touched_conversions > 0.0;
        if touched {
            this.touch_methods(config, found, setting, ctx);
        } else {
            let reason = "no order has a touch before it";
            let methods = config
                .methods
                .iter()
                .filter(|method| method.needs_touches());
            this.left_out
                .extend(methods.map(|method| (*method, reason.to_owned())));
        }
        this.informed(config, found, informed, touched);
        this
    }

    fn add(&mut self, method: Method, weighed: Weighed, note: &str) {
        self.all.push(Answer {
            method,
            weighed,
            removal: None,
            conversion_rate: None,
            note: note.to_owned(),
        });
    }

    fn touch_methods(
        &mut self,
        config: &Config,
        found: &Gathered,
        setting: Setting<'_>,
        ctx: &Context,
    ) {
        for (method, weighed) in found.rules.iter().zip(found.survey.rules(setting)) {
            self.add(*method, weighed, rule_note(*method));
        }
        if config.methods.contains(&Method::Shapley) {
            let weighed = found.survey.shapley(setting);
            self.add(Method::Shapley, weighed, "Each order shared equally over its distinct channels: the exact Shapley value of the cumulative game.");
        }
        for (at, method) in found.chains.iter().enumerate() {
            ctx.progress(
                0.6 + 0.1 * at as f64 / found.chains.len() as f64,
                "solving chains",
            );
            self.chain(at, *method, found, setting);
        }
        if config
            .methods
            .iter()
            .any(|method| method.needs_conversion_model())
        {
            ctx.progress(0.7, "fitting the model of conversions");
            self.fitted(config, found, setting, ctx);
        }
    }

    fn chain(&mut self, at: usize, method: Method, found: &Gathered, setting: Setting<'_>) {
        match found.survey.markov(at, setting) {
            Ok(markov) => {
                let removals = markov.effects.removals.iter();
                self.all.push(Answer {
                    method,
                    weighed: markov.result,
                    removal: Some(removals.map(|removal| removal.conversion).collect()),
                    conversion_rate: Some(markov.effects.whole.conversion),
                    note: format!(
                        "Removal effects of {} states, solved exactly; consecutive touches of one \
                         channel are kept.",
                        found.survey.chains()[at].states()
                    ),
                });
            }
            Err(error) => drop(self.left_out.insert(method, error.to_string())),
        }
    }

    fn fitted(&mut self, config: &Config, found: &Gathered, setting: Setting<'_>, ctx: &Context) {
        let wanted = |method: &Method| config.methods.contains(method);
        let options = FitOptions::default();
        match found.survey.conversion_model(&options, setting, ctx.seed()) {
            Ok(model) => {
                let share = 100.0 * found.survey.sample().share();
                let note = |how: &str| {
                    format!("{how} in a model of conversions fitted to {share} % of customers.")
                };
                if wanted(&Method::DataDriven) {
                    let note = note("What the chance of an order loses without the channel,");
                    self.add(Method::DataDriven, model.data_driven, &note);
                }
                if wanted(&Method::ShapleyIncremental) {
                    let note = note("Shapley value of the chance of an order");
                    self.add(Method::ShapleyIncremental, model.incremental, &note);
                }
                self.model = Some(model.fitted);
            }
            Err(error) => {
                for method in [Method::DataDriven, Method::ShapleyIncremental] {
                    if wanted(&method) {
                        self.left_out.insert(method, error.to_string());
                    }
                }
            }
        }
    }

    fn informed(
        &mut self,
        config: &Config,
        found: &Gathered,
        informed: Option<&Informed>,
        touched: bool,
    ) {
        if !config.methods.contains(&Method::MmmInformed) {
            return;
        }
        let Some(informed) = informed.filter(|_| touched) else {
            let reason = "there is no mix model yet, or no order has a touch before it";
            self.left_out.insert(Method::MmmInformed, reason.to_owned());
            return;
        };
        let conversions = found.survey.counts().conversions;
        let mut totals = Totals::default();
        let mut intervals = vec![Interval::point(0.0); found.channels.len()];
        let worth = found.survey.counts().value;
        for (channel, part) in informed.by_channel(found) {
            let share = if worth > 0.0 {
                part.revenue / worth
            } else {
                0.0
            };
            totals.give(channel, share * conversions, part.revenue);
            intervals[channel.index()] = part.interval;
        }
        let credited: f64 = totals.value.iter().sum();
        totals.give(found.direct, 0.0, worth - credited);
        totals.give(
            found.direct,
            conversions - totals.conversions.iter().sum::<f64>(),
            0.0,
        );
        let last = ChannelId(found.channels.len().saturating_sub(1) as u32);
        totals.give(last, 0.0, 0.0);
        let direct = totals.value_of(found.direct);
        intervals[found.direct.index()] = Interval::point(direct);
        let channels = found.channels.len();
        let weighed = Weighed {
            totals,
            credited,
            intervals,
            stability: Stability {
                overlap: 1.0,
                keeps_rank: vec![1.0; channels],
            },
        };
        let note =
            "Shares of paths scaled to the mix model's totals; the intervals are the model's.";
        self.add(Method::MmmInformed, weighed, note);
    }
}

fn rule_note(method: Method) -> &'static str {
    match method {
        Method::LastTouch => "All credit to the last touch before the order.",
        Method::LastNonDirect => "All credit to the last touch that is no direct visit.",
        Method::FirstTouch => "All credit to the first touch within the look-back.",
        Method::Linear => "The same credit to every touch.",
        Method::TimeDecay => "Credit halves with every half-life before the order.",
        Method::PositionBased => "Fixed weights for first and last touch, the rest for the middle.",
        _ => "",
    }
}

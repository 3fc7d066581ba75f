//! Tables of decisions: plans for the budget, what they would bring, and what became of them.

use chrono::{DateTime, NaiveDate, Utc};

crate::artifact! {
    /// Spend by channel as it is and as a plan proposes it, over the planned periods.
    pub struct BudgetPlan: "budget_plan" v1 key [plan, channel, geo] {
        /// `best`, `inside_observed` (no channel beyond what was ever spent), `highest_mean` (when the
        /// goal is more careful than that) or `greedy`.
        plan: String,
        /// Channel.
        channel: String,
        /// Region; `all` when the plan does not tell regions apart.
        geo: String,
        /// Currency code of all money.
        unit: String,
        /// Spend that would go on as it is.
        current: f64 = unit "currency", range NON_NEGATIVE;
        /// Spend proposed.
        proposed: f64 = unit "currency", range NON_NEGATIVE;
        /// Least spend the constraints allow.
        lower: f64 = unit "currency", range NON_NEGATIVE;
        /// Most spend the constraints allow.
        upper: f64 = unit "currency", range NON_NEGATIVE;
        /// What keeps the proposal from moving on: `lower`, `upper`, `locked`, `off`,
        /// a group's name, or empty.
        bound: String,
        /// Most that was ever spent per period, times the planned periods: beyond it the response
        /// is an extrapolation.
        observed_most: f64 = unit "currency", range NON_NEGATIVE;
        /// Whether the proposal stays within what was seen.
        inside_observed: bool,
        /// Outcome that current spend brings, mean over draws.
        current_response: f64,
        /// Outcome that proposed spend brings, mean over draws.
        response: f64,
        /// Response, 5 % quantile.
        response_q05: f64,
        /// Response, 25 % quantile.
        response_q25: f64,
        /// Response, median.
        response_q50: f64,
        /// Response, 75 % quantile.
        response_q75: f64,
        /// Response, 95 % quantile.
        response_q95: f64,
        /// Outcome per unit of spend at the proposal, mean; null without spend.
        roas: Option<f64> = unit "ratio";
        /// Outcome of the next unit of spend now, mean.
        current_marginal_roas: f64 = unit "ratio";
        /// Outcome of the next unit of spend at the proposal, mean.
        marginal_roas: f64 = unit "ratio";
        /// Marginal ROAS, 5 % quantile.
        marginal_roas_q05: f64 = unit "ratio";
        /// Marginal ROAS, 95 % quantile.
        marginal_roas_q95: f64 = unit "ratio";
    }
}

crate::artifact! {
    /// What each plan would bring beside going on as it is, and how good it is known to be.
    pub struct PlanOutcomes: "plan_outcomes" v1 key [plan] {
        /// `current`, `best`, `inside_observed`, `highest_mean`, `greedy`, or `flighted`: the best plan spread over
        /// the periods as pacing allows, its gain told over an even spread.
        plan: String,
        /// First day that is planned.
        first_day: NaiveDate,
        /// Planned periods.
        periods: i64 = unit "periods", range NON_NEGATIVE;
        /// Unit of responses and gains: a currency code, `count`, or empty.
        unit: String,
        /// Spend of the plan.
        budget: f64 = unit "currency", range NON_NEGATIVE;
        /// Outcome from the planned spend, effects after the last planned period included, mean
        /// over draws.
        response: f64,
        /// 5 % quantile.
        response_q05: f64,
        /// 25 % quantile.
        response_q25: f64,
        /// Median.
        response_q50: f64,
        /// 75 % quantile.
        response_q75: f64,
        /// 95 % quantile.
        response_q95: f64,
        /// Response less the response of current spend, mean over draws.
        gain: f64,
        /// Gain, 5 % quantile.
        gain_q05: f64,
        /// Gain, 25 % quantile.
        gain_q25: f64,
        /// Gain, median.
        gain_q50: f64,
        /// Gain, 75 % quantile.
        gain_q75: f64,
        /// Gain, 95 % quantile.
        gain_q95: f64,
        /// Probability that the plan brings more than current spend.
        probability_of_gain: f64 = unit "share", range UNIT;
        /// Response / budget, mean; null without spend.
        roas: Option<f64> = unit "ratio";
        /// Goal that was maximised: `response`, `profit`, `volume`, …
        objective: String,
        /// How: `kkt_newton`, `branch_and_bound`, `pessimist`, `projected_gradient`, `greedy`;
        /// `none` for current spend.
        method: String,
        /// Value of the objective at the plan.
        value: f64,
        /// No plan within the constraints is better than this.
        bound: f64,
        /// What is proven, in a sentence.
        certificate: String,
    }
}

crate::artifact! {
    /// Spend of the best plan by period.
    pub struct PlanSchedule: "plan_schedule" v1 key [channel, geo, date] {
        /// Channel.
        channel: String,
        /// Region; `all` when the plan does not tell regions apart.
        geo: String,
        /// First day of the period.
        date: NaiveDate,
        /// Spend proposed.
        spend: f64 = unit "currency", range NON_NEGATIVE;
    }
}

crate::artifact! {
    /// The best plan at other budgets.
    pub struct BudgetFrontier: "budget_frontier" v1 key [multiplier] {
        /// Budget as a multiple of the plan's.
        multiplier: f64 = unit "", range NON_NEGATIVE;
        /// Budget.
        budget: f64 = unit "currency", range NON_NEGATIVE;
        /// Outcome of the best plan, mean over draws.
        response: f64,
        /// 5 % quantile.
        response_q05: f64,
        /// 25 % quantile.
        response_q25: f64,
        /// Median.
        response_q50: f64,
        /// 75 % quantile.
        response_q75: f64,
        /// 95 % quantile.
        response_q95: f64,
        /// Outcome of current spend scaled to the budget, mean over draws.
        proportional: f64,
        /// Outcome of the next unit of budget, mean over draws.
        marginal_roas: f64 = unit "ratio";
        /// No plan with this budget is better than this.
        bound: f64,
    }
}

crate::artifact! {
    /// What changes of spend would do over the planned periods, by scenario and channel.
    pub struct Scenarios: "scenarios" v1 key [scenario, channel] {
        /// Name of the scenario.
        scenario: String,
        /// Channel; `all` for all channels together.
        channel: String,
        /// Currency code of all money.
        unit: String,
        /// Planned periods.
        periods: i64 = unit "periods", range NON_NEGATIVE;
        /// Relative change of spend: 0.2 is 20 % more.
        change: f64 = unit "share";
        /// Spend that would go on as it is.
        spend_before: f64 = unit "currency", range NON_NEGATIVE;
        /// Spend after the change.
        spend_after: f64 = unit "currency", range NON_NEGATIVE;
        /// Whether spend after the change stays within what was seen.
        inside_observed: bool,
        /// Outcome of spend before the change, mean over draws.
        response_before: f64,
        /// Change of the outcome, mean over draws.
        effect: f64,
        /// Effect, 5 % quantile.
        effect_q05: f64,
        /// Effect, 25 % quantile.
        effect_q25: f64,
        /// Effect, median.
        effect_q50: f64,
        /// Effect, 75 % quantile.
        effect_q75: f64,
        /// Effect, 95 % quantile.
        effect_q95: f64,
        /// Probability that the effect is above 0.
        probability_positive: f64 = unit "share", range UNIT;
        /// Probability that no other scenario brings more profit; null for channels.
        probability_best: Option<f64> = unit "share", range UNIT;
    }
}

crate::artifact! {
    /// What attribution and the mix model say about each channel, side by side.
    pub struct Comparison: "attribution_mmm_comparison" v1 key [channel] {
        /// Channel.
        channel: String,
        /// Attribution method compared: one for all days.
        method: String,
        /// Unit of contributions: a currency code, `count`, or empty.
        unit: String,
        /// Money spent over the compared periods.
        spend: f64 = unit "currency", range NON_NEGATIVE;
        /// Revenue attributed to the channel.
        attributed: f64,
        /// Contribution by the mix model, mean over draws.
        contribution: f64,
        /// Contribution, 5 % quantile.
        contribution_q05: f64,
        /// Contribution, 95 % quantile.
        contribution_q95: f64,
        /// Share of all revenue attributed to compared channels.
        attribution_share: f64 = unit "share", range UNIT;
        /// Share of all contributions of compared channels, mean over draws.
        mmm_share: f64 = unit "share";
        /// Share by the model, 5 % quantile.
        mmm_share_q05: f64 = unit "share";
        /// Share by the model, 95 % quantile.
        mmm_share_q95: f64 = unit "share";
        /// Contribution / attributed revenue; above 1 the channel is under-credited. Null when
        /// nothing is attributed.
        factor: Option<f64> = unit "ratio";
        /// Factor, 5 % quantile.
        factor_q05: Option<f64> = unit "ratio";
        /// Factor, 95 % quantile.
        factor_q95: Option<f64> = unit "ratio";
        /// Attributed ROAS.
        attributed_roas: Option<f64> = unit "ratio";
        /// ROAS by the model, mean over draws.
        mmm_roas: Option<f64> = unit "ratio";
        /// Distance of the two shares relative to the larger one: 0 when equal, 1 when one is 0.
        disagreement: f64 = unit "share", range UNIT;
        /// Whether the disagreement is above the threshold.
        unstable: bool,
        /// Whom to believe about the channel's budget: `model`, `attribution`, `test` or `both`.
        trust: String,
        /// Why, in a sentence.
        reason: String,
    }
}

crate::artifact! {
    /// Recommended actions and what became of them. A store that keeps history.
    pub struct DecisionStore: "decision_store" v1 key [decision_id] {
        /// Identity: a digest of day, action and channels.
        decision_id: String,
        /// `proposed`, `accepted`, `rejected`, `superseded`, `expired` or `measured`.
        status: String,
        /// `scale_up`, `scale_down`, `reallocate`, `hold` or `test`.
        action: String,
        /// Rule that fired.
        rule: String,
        /// Channel concerned; the one that gives, for a reallocation.
        channel: String,
        /// The channel that receives, for a reallocation; empty otherwise.
        to_channel: String,
        /// Currency code of money.
        unit: String,
        /// Spend over the planned periods as it is.
        current_spend: Option<f64> = unit "currency", range NON_NEGATIVE;
        /// Spend over the planned periods as proposed.
        proposed_spend: Option<f64> = unit "currency", range NON_NEGATIVE;
        /// Profit gained over the planned periods: outcome over break-even ROAS, less extra spend; mean
        /// over draws; null where the model cannot say.
        expected_gain: Option<f64>,
        /// Gain, 5 % quantile.
        expected_gain_q05: Option<f64>,
        /// Gain, 95 % quantile.
        expected_gain_q95: Option<f64>,
        /// Probability that the gain is above 0.
        probability_of_gain: Option<f64> = unit "share", range UNIT;
        /// How far to trust it, from the model's checks, interval width and age of data.
        confidence: f64 = unit "share", range UNIT;
        /// What confidence comes from, in a sentence.
        confidence_reason: String,
        /// What to do, in a sentence.
        message: String,
        /// Numbers behind it, as JSON: measure, value, threshold.
        evidence: String,
        /// Model the numbers come from; empty when none was used.
        model_id: String,
        /// Last day of the data behind it.
        data_until: NaiveDate,
        /// First day on which it was proposed.
        made_on: NaiveDate,
        /// Last day on which it is worth acting on.
        expires_on: NaiveDate,
        /// Who set the status: `mixline` or a name.
        decided_by: String,
        /// When the status was set; null for a proposal.
        decided_at: Option<DateTime<Utc>>,
        /// Gain measured afterwards.
        measured_gain: Option<f64>,
    }
}

crate::artifact! {
    /// What a reader should know, in order: sentences for reports and messages.
    pub struct Briefing: "briefing" v1 key [position] {
        /// Place in the order, from 0.
        position: i64 = unit "", range NON_NEGATIVE;
        /// `subject`, `verdict`, `finding` or `decision`.
        kind: String,
        /// `info`, `warning` or `error`.
        level: String,
        /// The sentence.
        text: String,
    }
}

crate::artifact! {
    /// Messages and what became of them: what was sent is not sent again.
    pub struct Deliveries: "deliveries" v1 key [message_id, target] {
        /// Identity of the message: a digest of what it says.
        message_id: String,
        /// Name of the target in the configuration.
        target: String,
        /// `slack`, `webhook` or `email`.
        kind: String,
        /// `sent`, `failed`, `skipped` or `dry_run`.
        status: String,
        /// Tries so far.
        attempts: i64 = unit "count", range NON_NEGATIVE;
        /// Subject line.
        subject: String,
        /// What the receiver said: a status code, or the kind of failure. Never a secret.
        detail: String,
    }
}

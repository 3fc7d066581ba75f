//! Tables of the marketing-mix model: its data, its draws, its verdicts, its results.

use chrono::NaiveDate;

crate::artifact! {
    /// What the model is fitted to, by period: outcome, media, spend, controls, population.
    pub struct Design: "design" v1 key [role, variable, geo, date] {
        /// First day of the period.
        date: NaiveDate,
        /// Region; `all` for national data.
        geo: String,
        /// `outcome`, `media`, `spend`, `control` or `population`.
        role: String,
        /// Name of the channel, control or metric.
        variable: String,
        /// Value of the period.
        value: f64,
        /// Unit: a currency code, `count`, or empty.
        unit: String,
        /// `history` (media before the first outcome), `train` or `holdout`.
        split: String,
    }
}

crate::artifact! {
    /// How each series of the design came about, and what it looks like.
    pub struct DesignColumns: "design_columns" v1 key [role, variable] {
        /// `outcome`, `media`, `spend` or `control`.
        role: String,
        /// Name of the channel, control or metric.
        variable: String,
        /// Table and column it was read from.
        source: String,
        /// How days became periods: `sum` or `mean`.
        aggregation: String,
        /// Unit: a currency code, `count`, or empty.
        unit: String,
        /// Cells: geos × periods.
        cells: i64 = unit "count", range NON_NEGATIVE;
        /// Cells without any source row; media and spend there are 0 by the stated rule.
        absent: i64 = unit "count", range NON_NEGATIVE;
        /// Share of cells that are 0.
        zero_share: f64 = unit "share", range UNIT;
        /// Smallest value.
        least: f64,
        /// Mean value.
        mean: f64,
        /// Largest value.
        most: f64,
        /// Sum over all cells.
        total: f64,
    }
}

crate::artifact! {
    /// What the data look like before a model does: correlations, inflation, shares, fits.
    pub struct ExploreStatistics: "explore_statistics" v1 key [statistic, subject, other] {
        /// `correlation`, `vif`, `variation`, `spend_share`, `geo_r2`, `time_r2`, `ridge`, …
        statistic: String,
        /// Series or channel.
        subject: String,
        /// The other series of a pair; empty otherwise.
        other: String,
        /// The value.
        value: f64,
    }
}

crate::artifact! {
    /// Draws of every model parameter: a posterior sample, or bootstrap repetitions.
    pub struct PosteriorDraws: "posterior_draws" v1 key [parameter, chain, draw] {
        /// Label, for example `adstock_alpha[tv]`.
        parameter: String,
        /// Chain, from 0.
        chain: i64 = unit "", range NON_NEGATIVE;
        /// Draw within the chain, from 0.
        draw: i64 = unit "", range NON_NEGATIVE;
        /// Value on the model's scale.
        value: f64,
    }
}

crate::artifact! {
    /// What the sampler recorded with each draw.
    pub struct SamplerStats: "sampler_stats" v1 key [chain, draw] {
        /// Chain, from 0.
        chain: i64 = unit "", range NON_NEGATIVE;
        /// Draw within the chain, from 0.
        draw: i64 = unit "", range NON_NEGATIVE;
        /// Energy (Hamiltonian).
        energy: f64,
        /// Whether the trajectory diverged.
        diverging: bool,
        /// Leapfrog steps.
        steps: i64 = unit "count", range NON_NEGATIVE;
        /// Whether the trajectory was cut at the greatest depth.
        depth_reached: bool,
    }
}

crate::artifact! {
    /// Every parameter in one row: location, spread, convergence.
    pub struct PosteriorSummary: "posterior_summary" v1 key [parameter] {
        /// Label, for example `adstock_alpha[tv]`.
        parameter: String,
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64 = unit "", range NON_NEGATIVE;
        /// 5 % quantile.
        q05: f64,
        /// 25 % quantile.
        q25: f64,
        /// Median.
        q50: f64,
        /// 75 % quantile.
        q75: f64,
        /// 95 % quantile.
        q95: f64,
        /// Monte Carlo standard error of the mean; null for a constant or a bootstrap.
        mcse_mean: Option<f64>,
        /// Bulk effective sample size.
        ess_bulk: Option<f64> = unit "count";
        /// Tail effective sample size.
        ess_tail: Option<f64> = unit "count";
        /// Rank-normalised split R-hat.
        r_hat: Option<f64>,
    }
}

crate::artifact! {
    /// What the checks of a model found: one row per check and subject.
    pub struct ModelChecks: "model_checks" v1 key [check, subject] {
        /// Check, for example `convergence.r_hat`; `verdict` for the whole.
        check: String,
        /// What inside the model: a parameter, channel or period; empty for all of it.
        subject: String,
        /// `pass`, `review` or `fail`.
        verdict: String,
        /// Measured value, where there is one.
        value: Option<f64>,
        /// Limit it was compared with.
        threshold: Option<f64>,
        /// What was found, in a sentence.
        message: String,
        /// What to do about it; empty on a pass.
        advice: String,
    }
}

crate::artifact! {
    /// Observed and predicted outcome by period and geo.
    pub struct Predictions: "predictions" v1 key [date, geo] {
        /// First day of the period.
        date: NaiveDate,
        /// Region.
        geo: String,
        /// `train` or `holdout`.
        split: String,
        /// Observed outcome.
        observed: f64,
        /// Expected outcome, mean over draws.
        expected: f64,
        /// Expected outcome, 5 % quantile.
        expected_q05: f64,
        /// Expected outcome, 95 % quantile.
        expected_q95: f64,
        /// A new outcome, scatter included, 5 % quantile.
        predicted_q05: f64,
        /// A new outcome, 25 % quantile.
        predicted_q25: f64,
        /// A new outcome, 75 % quantile.
        predicted_q75: f64,
        /// A new outcome, 95 % quantile.
        predicted_q95: f64,
        /// Continuous ranked probability score, in units of the outcome.
        crps: f64,
    }
}

crate::artifact! {
    /// Parts of the outcome by period: media, baseline, controls, and what stays unexplained.
    pub struct Contributions: "contributions" v1 key [date, geo, component] {
        /// First day of the period.
        date: NaiveDate,
        /// Region; `all` for the sum over regions.
        geo: String,
        /// Channel, control or event, or `intercept`, `trend`, `season`, `unexplained`.
        component: String,
        /// `media`, `intercept`, `trend`, `season`, `control`, `event`, `interaction` or
        /// `unexplained`.
        kind: String,
        /// Mean over draws; means of all components add up to the observed outcome.
        mean: f64,
        /// 5 % quantile.
        q05: f64,
        /// 25 % quantile.
        q25: f64,
        /// Median.
        q50: f64,
        /// 75 % quantile.
        q75: f64,
        /// 95 % quantile.
        q95: f64,
    }
}

crate::artifact! {
    /// Parts of the outcome over all observed periods.
    pub struct ContributionTotals: "contribution_totals" v1 key [component] {
        /// Channel, control or event, or `intercept`, `trend`, `season`, `unexplained`.
        component: String,
        /// Kind, as in `contributions`.
        kind: String,
        /// Mean over draws; means of all components add up to the observed outcome.
        mean: f64,
        /// 5 % quantile.
        q05: f64,
        /// 25 % quantile.
        q25: f64,
        /// Median.
        q50: f64,
        /// 75 % quantile.
        q75: f64,
        /// 95 % quantile.
        q95: f64,
        /// Mean share of the observed outcome.
        share: f64 = unit "share";
    }
}

crate::artifact! {
    /// What each channel brought in over the observed periods.
    pub struct MmmResults: "mmm_results" v1 key [channel, geo] {
        /// Channel.
        channel: String,
        /// Region; `all` for the sum over regions.
        geo: String,
        /// `bayesian` or `econometric`.
        engine: String,
        /// Unit of contributions: a currency code, `count`, or empty.
        unit: String,
        /// Money spent; null for organic media.
        spend: Option<f64>,
        /// Contribution, mean over draws.
        contribution: f64,
        /// Contribution, 5 % quantile.
        contribution_q05: f64,
        /// Contribution, 25 % quantile.
        contribution_q25: f64,
        /// Contribution, median.
        contribution_q50: f64,
        /// Contribution, 75 % quantile.
        contribution_q75: f64,
        /// Contribution, 95 % quantile.
        contribution_q95: f64,
        /// Contribution / spend, mean over draws; null without spend.
        roas: Option<f64> = unit "ratio";
        /// ROAS, 5 % quantile.
        roas_q05: Option<f64> = unit "ratio";
        /// ROAS, 25 % quantile.
        roas_q25: Option<f64> = unit "ratio";
        /// ROAS, median.
        roas_q50: Option<f64> = unit "ratio";
        /// ROAS, 75 % quantile.
        roas_q75: Option<f64> = unit "ratio";
        /// ROAS, 95 % quantile.
        roas_q95: Option<f64> = unit "ratio";
        /// Return on the next 1 % of spend, mean over draws.
        marginal_roas: Option<f64> = unit "ratio";
        /// Marginal ROAS, 5 % quantile.
        marginal_roas_q05: Option<f64> = unit "ratio";
        /// Marginal ROAS, 25 % quantile.
        marginal_roas_q25: Option<f64> = unit "ratio";
        /// Marginal ROAS, median.
        marginal_roas_q50: Option<f64> = unit "ratio";
        /// Marginal ROAS, 75 % quantile.
        marginal_roas_q75: Option<f64> = unit "ratio";
        /// Marginal ROAS, 95 % quantile.
        marginal_roas_q95: Option<f64> = unit "ratio";
        /// Spend / contribution, median: what one unit of the outcome cost.
        cost_per_outcome: Option<f64>,
        /// Mean share of the observed outcome.
        share_of_outcome: f64 = unit "share";
        /// Mean share of all channels' contribution.
        share_of_effect: f64 = unit "share";
        /// Share of all channels' spend.
        share_of_spend: Option<f64> = unit "share", range UNIT;
        /// Probability that the contribution is above 0.
        probability_positive: f64 = unit "share", range UNIT;
    }
}

crate::artifact! {
    /// What each channel would have brought in at other levels of media.
    pub struct ResponseCurves: "response_curves" v1 key [channel, multiplier] {
        /// Channel.
        channel: String,
        /// Media in every period as a multiple of what they were.
        multiplier: f64 = unit "", range NON_NEGATIVE;
        /// Spend at that level; null for organic media.
        spend: Option<f64>,
        /// Whether the level lies within what was seen.
        observed: bool,
        /// Contribution, mean over draws.
        mean: f64,
        /// 5 % quantile.
        q05: f64,
        /// 25 % quantile.
        q25: f64,
        /// Median.
        q50: f64,
        /// 75 % quantile.
        q75: f64,
        /// 95 % quantile.
        q95: f64,
    }
}

crate::artifact! {
    /// When the effect of each channel arrives.
    pub struct AdstockCurves: "adstock_curves" v1 key [channel, lag] {
        /// Channel.
        channel: String,
        /// Periods after the media.
        lag: i64 = unit "", range NON_NEGATIVE;
        /// Share of the effect that arrives in this period, mean over draws.
        mean: f64 = unit "share";
        /// 5 % quantile.
        q05: f64 = unit "share";
        /// 25 % quantile.
        q25: f64 = unit "share";
        /// Median.
        q50: f64 = unit "share";
        /// 75 % quantile.
        q75: f64 = unit "share";
        /// 95 % quantile.
        q95: f64 = unit "share";
        /// Periods until half of the effect has arrived, median; the same for every lag.
        half_life: f64 = unit "periods";
    }
}

crate::artifact! {
    /// Every candidate, and what became of it.
    pub struct ModelRegistry: "model_registry" v1 key [model_id] {
        /// Identity of the fit: a digest of data, specification, engine and seed.
        model_id: String,
        /// `champion`, `retired` or `rejected`.
        status: String,
        /// `bayesian` or `econometric`.
        engine: String,
        /// Overall verdict of `model_checks`: `pass`, `review` or `fail`.
        verdict: String,
        /// First day of the last period of the data.
        data_until: NaiveDate,
        /// Mean CRPS on the holdout (or on the training periods when there is none).
        score: Option<f64>,
        /// The standing champion's score on the same periods.
        champion_score: Option<f64>,
        /// Why it was promoted or not.
        reason: String,
        /// Position in the order of decisions, from 1.
        decision: i64 = unit "", range NON_NEGATIVE;
    }
}

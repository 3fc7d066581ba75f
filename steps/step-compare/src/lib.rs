//! Keeps the media rows whose spend is at least `min_spend`.
//!
//! This is the template of a step: ports, a configuration, and one pure function.

use mixline_schema::catalog::MediaDaily;
use mixline_step::{Context, Step, StepError, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mixline_step::inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// Spend by day and channel.
        media: MediaDaily,
    }
}

mixline_step::outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// The rows that were kept.
        kept: MediaDaily as "media_kept" => Replace,
    }
}

/// Configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Smallest spend that is kept, in the row's currency.
    pub min_spend: f64,
}

/// The step.
#[derive(Debug)]
pub struct Compare;

impl Step for Compare {
    const NAME: &'static str = "step-compare";
    const ABOUT: &'static str = "Keeps the media rows whose spend is at least min_spend";
    type Config = Config;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn run(config: &Config, inputs: Inputs, _: &Context) -> Result<Outputs, StepError> {
        let keep = |row: &MediaDaily| row.spend.is_some_and(|spend| spend >= config.min_spend);
        let kept = inputs.media.rows().into_iter().filter(keep).collect();
        Ok(Outputs {
            kept: Table::from_rows(kept)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(channel: &str, spend: Option<f64>) -> MediaDaily {
        MediaDaily {
            date: "2026-01-01".parse().expect("a day"),
            channel: channel.into(),
            campaign: "all".into(),
            geo: "all".into(),
            currency: "EUR".into(),
            spend,
            impressions: None,
            clicks: None,
        }
    }

    #[test]
    fn rows_below_the_limit_and_without_spend_are_left_out() {
        let rows = vec![
            row("meta", Some(2.0)),
            row("google", Some(0.5)),
            row("tv", None),
        ];
        let inputs = Inputs {
            media: Table::from_rows(rows).expect("legal rows"),
        };
        let config = Config { min_spend: 1.0 };
        let out = Compare::run(&config, inputs, &Context::for_test()).expect("runs");
        let channels: Vec<String> = out.kept.rows().into_iter().map(|r| r.channel).collect();
        assert_eq!(channels, ["meta"]);
    }
}

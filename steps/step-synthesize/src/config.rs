//! What a caller may choose about the world.

use chrono::{Days, NaiveDate};
use mixline_step::StepError;
use mixline_testkit::WorldSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest world, in days: a century.
const MOST_DAYS: u32 = 36_525;
/// Number of regions there are names for.
const MOST_GEOS: u32 = 16;

/// The world to make. Everything else about it is fixed, so that its numbers can be compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Number of days.
    pub days: u32,
    /// First day.
    pub start: NaiveDate,
    /// Number of regions, from 1 to 16.
    pub geos: u32,
    /// Seed of the world; the run's seed when it is not set.
    pub seed: Option<u64>,
    /// Expected revenue per day without media; it sets the size of the shop.
    pub base_revenue: f64,
    /// Mean value of an order.
    pub mean_order: f64,
    /// ISO 4217 code of all money.
    pub currency: String,
    /// Folder for the export files, relative to the project.
    pub out: String,
}

impl Default for Config {
    fn default() -> Self {
        let spec = WorldSpec::default();
        Self {
            days: spec.days,
            start: spec.start,
            geos: spec.geos,
            seed: None,
            base_revenue: spec.base_revenue,
            mean_order: spec.mean_order,
            currency: spec.currency,
            out: "data/raw".to_owned(),
        }
    }
}

impl Config {
    /// The world's recipe.
    #[must_use]
    pub fn spec(&self, run_seed: u64) -> WorldSpec {
        WorldSpec {
            start: self.start,
            days: self.days,
            geos: self.geos,
            seed: self.seed.unwrap_or(run_seed),
            currency: self.currency.clone(),
            base_revenue: self.base_revenue,
            mean_order: self.mean_order,
            ..WorldSpec::default()
        }
    }

    /// What the types cannot say.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let currency = self.currency.len() == 3
            && self
                .currency
                .bytes()
                .all(|letter| letter.is_ascii_uppercase());
        let problem = if !(1..=MOST_DAYS).contains(&self.days) {
            format!("`days`: {} is not between 1 and {MOST_DAYS}", self.days)
        } else if self
            .start
            .checked_add_days(Days::new(self.days.into()))
            .is_none()
        {
            format!(
                "`start`: the calendar ends before {} days after {}",
                self.days, self.start
            )
        } else if !(1..=MOST_GEOS).contains(&self.geos) {
            format!("`geos`: {} is not between 1 and {MOST_GEOS}", self.geos)
        } else if !positive(self.base_revenue) {
            format!("`base_revenue`: {} is not above 0", self.base_revenue)
        } else if !positive(self.mean_order) {
            format!("`mean_order`: {} is not above 0", self.mean_order)
        } else if !currency {
            format!(
                "`currency`: `{}` is not a code such as `EUR`",
                self.currency
            )
        } else if self.out.trim().is_empty() {
            "`out`: the folder for the export files is empty".to_owned()
        } else {
            return Ok(());
        };
        Err(StepError::config(problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_worlds_are_refused_with_the_key() {
        let good = Config::default();
        good.check().unwrap();
        for (key, bad) in [
            (
                "days",
                Config {
                    days: 0,
                    ..good.clone()
                },
            ),
            (
                "start",
                Config {
                    start: NaiveDate::MAX,
                    ..good.clone()
                },
            ),
            (
                "geos",
                Config {
                    geos: 17,
                    ..good.clone()
                },
            ),
            (
                "base_revenue",
                Config {
                    base_revenue: 0.0,
                    ..good.clone()
                },
            ),
            (
                "mean_order",
                Config {
                    mean_order: f64::NAN,
                    ..good.clone()
                },
            ),
            (
                "currency",
                Config {
                    currency: "euro".into(),
                    ..good.clone()
                },
            ),
            (
                "out",
                Config {
                    out: " ".into(),
                    ..good.clone()
                },
            ),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains(&format!("`{key}`")), "{error}");
        }
    }

    #[test]
    fn a_misspelled_key_is_refused() {
        assert!(serde_json::from_str::<Config>(r#"{"dayz": 3}"#).is_err());
    }
}

//! Limits of the rules, and what a finding of each code means here.

use std::collections::BTreeMap;

use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};
use crate::rules::CODES;

/// What a finding of a code counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Stops the run.
    Error,
    /// Worth a look.
    Warning,
    /// An idea.
    Suggestion,
    /// Not reported.
    Off,
}

/// Limits and severities. The defaults are the rules as documented.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Code → what it counts as, in place of the documented severity.
    pub severity: BTreeMap<String, Level>,
    /// `date.gap`: more days than this in a row without an order are reported.
    pub order_gap_days: u32,
    /// `media.null`: a larger share of rows without spend is an error, a smaller one a warning.
    pub null_share: f64,
    /// `var.low`: smallest share of periods that are not 0.
    pub low_nonzero_share: f64,
    /// `var.low`: smallest coefficient of variation.
    pub low_variation: f64,
    /// `spend.spike`: a spike is above this many times the median of the days with spend.
    pub spike_factor: f64,
    /// `spend.spike`: fewest days with spend for the median to mean anything.
    pub spike_values: usize,
    /// `rows.few`: fewest days of daily data.
    pub few_days: usize,
    /// `rows.few`: fewest weeks of weekly data.
    pub few_weeks: usize,
    /// `rows.few`: fewer weeks than this are an error.
    pub too_few_weeks: usize,
    /// `rows.few`: periods needed for each parameter.
    pub rows_per_parameter: usize,
    /// `rows.few`: parameters of the model; channels plus controls when it is not set.
    pub parameters: Option<usize>,
    /// `pair.collinear`: largest absolute correlation of two drivers.
    pub correlation: f64,
    /// `pair.collinear`: largest variance inflation factor of a driver.
    pub inflation: f64,
    /// `units.zero_spend`: largest share of rows with spend but no units, or the reverse.
    pub units_share: f64,
    /// `tail.partial`: a last period below this share of the median looks unfinished.
    pub tail_share: f64,
    /// Findings kept for each code and subject; one more row counts the rest.
    pub most_findings: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            severity: BTreeMap::new(),
            order_gap_days: 7,
            null_share: 0.05,
            low_nonzero_share: 0.05,
            low_variation: 0.05,
            spike_factor: 5.0,
            spike_values: 8,
            few_days: 180,
            few_weeks: 52,
            too_few_weeks: 26,
            rows_per_parameter: 10,
            parameters: None,
            correlation: 0.95,
            inflation: 10.0,
            units_share: 0.10,
            tail_share: 0.5,
            most_findings: 20,
        }
    }
}

impl Config {
    /// What the types cannot say.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        if let Some(code) = self
            .severity
            .keys()
            .find(|code| !CODES.contains(&code.as_str()))
        {
            return Err(
                StepError::config(format!("`severity.{code}`: there is no such code"))
                    .hint(format!("the codes are {}", CODES.join(", "))),
            );
        }
        for (key, share) in [
            ("null_share", self.null_share),
            ("low_nonzero_share", self.low_nonzero_share),
            ("correlation", self.correlation),
            ("units_share", self.units_share),
            ("tail_share", self.tail_share),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(StepError::config(format!(
                    "`{key}`: {share} is not between 0 and 1"
                )));
            }
        }
        for (key, limit, least) in [
            ("low_variation", self.low_variation, 0.0),
            ("spike_factor", self.spike_factor, 1.0),
            ("inflation", self.inflation, 1.0),
        ] {
            if !(limit.is_finite() && limit >= least) {
                let problem = format!("`{key}`: {limit} is not a number of at least {least}");
                return Err(StepError::config(problem));
            }
        }
        Ok(())
    }

    /// Findings with this configuration's severities, the most severe first, long lists cut.
    pub(crate) fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let mut kept: Vec<Finding> = findings.into_iter().filter_map(|f| self.level(f)).collect();
        kept.sort_by(|a, b| (a.severity, a.identity()).cmp(&(b.severity, b.identity())));
        kept.dedup_by(|a, b| a.identity() == b.identity());
        cut(kept, self.most_findings)
    }

    fn level(&self, mut finding: Finding) -> Option<Finding> {
        finding.severity = match self.severity.get(finding.code) {
            None => finding.severity,
            Some(Level::Error) => Severity::Error,
            Some(Level::Warning) => Severity::Warning,
            Some(Level::Suggestion) => Severity::Suggestion,
            Some(Level::Off) => return None,
        };
        Some(finding)
    }
}

/// Keeps at most `most` findings of a code and subject, and says how many there were.
fn cut(findings: Vec<Finding>, most: usize) -> Vec<Finding> {
    let mut counts: BTreeMap<(&str, &str, String), usize> = BTreeMap::new();
    let mut kept = Vec::new();
    let mut last = BTreeMap::new();
    for finding in findings {
        let group = (finding.code, finding.artifact, finding.subject.clone());
        let count = counts.entry(group.clone()).or_default();
        *count += 1;
        if *count <= most {
            kept.push(finding);
        } else {
            last.insert(group, finding);
        }
    }
    for (group, mut finding) in last {
        let more = counts[&group] - most;
        finding.message = format!("{more} more of this kind are not listed");
        finding.at = "(more)".to_owned();
        finding.value = Some(more as f64);
        finding.threshold = None;
        kept.push(finding);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(n: usize) -> Vec<Finding> {
        let finding =
            |i| Finding::warning("spend.spike", "media_daily", "tv").at(format!("{i:02}"));
        (0..n).map(finding).collect()
    }

    #[test]
    fn severities_can_be_changed_and_switched_off_by_code() {
        let with = |level| Config {
            severity: [("spend.spike".to_owned(), level)].into(),
            ..Config::default()
        };
        assert_eq!(
            with(Level::Error).apply(findings(1))[0].severity,
            Severity::Error
        );
        assert!(with(Level::Off).apply(findings(1)).is_empty());
        let wrong = Config {
            severity: [("x.y".into(), Level::Off)].into(),
            ..Config::default()
        };
        assert!(wrong.check().unwrap_err().to_string().contains("x.y"));
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let config = Config::default();
        assert_eq!(config.apply(findings(20)).len(), 20);
        let cut = config.apply(findings(25));
        assert_eq!(cut.len(), 21);
        assert_eq!((cut[20].at.as_str(), cut[20].value), ("(more)", Some(5.0)));
    }

    #[test]
    fn limits_that_mean_nothing_are_refused_with_their_key() {
        Config::default().check().unwrap();
        let bad = Config {
            tail_share: 1.5,
            ..Config::default()
        };
        assert!(
            bad.check()
                .unwrap_err()
                .to_string()
                .contains("`tail_share`")
        );
        let bad = Config {
            spike_factor: f64::NAN,
            ..Config::default()
        };
        assert!(
            bad.check()
                .unwrap_err()
                .to_string()
                .contains("`spike_factor`")
        );
        assert!(serde_json::from_str::<Config>(r#"{"spikes": 3}"#).is_err());
    }
}

//! The prior language: distributions by PyMC's names, nested for hierarchies.
//!
//! ```toml
//! saturation_lam = { dist = "Gamma", alpha = 3, beta = 1 }
//! adstock_alpha  = { dist = "Beta", mu = 0.3, sigma = 0.2 }              # by mean and sd
//! saturation_beta = { dist = "HalfNormal", sigma = [1.3, 0.7] }           # by channel
//! intercept = { dist = "Normal", dims = ["geo"],                          # partial pooling
//!               mu = { dist = "Normal", mu = 0.5, sigma = 0.3 },
//!               sigma = { dist = "HalfNormal", sigma = 0.3 } }
//! ```

use std::collections::BTreeMap;

use mixline_numerics::distribution::{Distribution, Family};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A prior: a distribution, its parameters, and whether every geo has its own draw.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Prior {
    /// Distribution, by PyMC's name: `Normal`, `HalfNormal`, `LogNormal`, `Gamma`, `Beta`,
    /// `Laplace`, `StudentT`, `InverseGamma`, `Exponential`, `TruncatedNormal`, `Uniform`.
    #[serde(alias = "distribution")]
    pub dist: String,
    /// `["geo"]` when every geo has its own value; other names (`channel`, `control`) are implied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dims: Vec<String>,
    /// Parameters by name: a number, one number per channel (or control), or a prior.
    #[serde(flatten)]
    pub parameters: BTreeMap<String, Argument>,
}

/// A parameter of a prior.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Argument {
    /// One number for all.
    Number(f64),
    /// One number per element, in order.
    List(Vec<f64>),
    /// A hyperprior: the parameter is itself estimated.
    Prior(Box<Prior>),
}

/// Where a prior makes no sense, and why.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("prior `{name}`: {reason}")]
pub struct PriorError {
    /// Which prior.
    pub name: String,
    /// What is wrong.
    pub reason: String,
}

impl Prior {
    /// A prior with plain numbers.
    #[must_use]
    pub fn new(family: Family, parameters: &[(&str, f64)]) -> Self {
        Self {
            dist: family.name().to_owned(),
            dims: Vec::new(),
            parameters: parameters
                .iter()
                .map(|&(name, value)| (name.to_owned(), Argument::Number(value)))
                .collect(),
        }
    }

    /// The same prior with a draw per geo.
    #[must_use]
    pub fn per_geo(mut self) -> Self {
        self.dims = vec!["geo".to_owned()];
        self
    }

    /// The same prior with one parameter replaced.
    #[must_use]
    pub fn with(mut self, name: &str, argument: Argument) -> Self {
        self.parameters.insert(name.to_owned(), argument);
        self
    }

    /// Whether every geo has its own value.
    #[must_use]
    pub fn has_geo(&self) -> bool {
        self.dims.iter().any(|dim| dim == "geo")
    }

    /// The distribution's family.
    ///
    /// # Errors
    /// [`PriorError`] for a name that is none of PyMC's we know.
    pub fn family(&self, name: &str) -> Result<Family, PriorError> {
        let matches = |family: &Family| {
            family
                .name()
                .eq_ignore_ascii_case(&self.dist.replace('_', ""))
        };
        Family::ALL.into_iter().find(matches).ok_or_else(|| {
            let known: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
            self.error(
                name,
                format!("`{}` is none of {}", self.dist, known.join(", ")),
            )
        })
    }

    /// The prior of element `index` when all parameters are numbers.
    ///
    /// # Errors
    /// [`PriorError`] for unknown or missing parameters, values outside their domain, or a nested
    /// prior.
    pub fn fixed(&self, name: &str, index: usize) -> Result<Distribution, PriorError> {
        let family = self.family(name)?;
        let mut numbers = BTreeMap::new();
        for (key, argument) in &self.parameters {
            let value = match argument {
                Argument::Number(value) => *value,
                Argument::List(values) => *values.get(index).ok_or_else(|| {
                    let reason = format!(
                        "`{key}` has {} values, but element {} is wanted",
                        values.len(),
                        index + 1
                    );
                    self.error(name, reason)
                })?,
                Argument::Prior(_) => {
                    return Err(self.error(
                        name,
                        format!("`{key}` is a prior, where a number is needed"),
                    ));
                }
            };
            numbers.insert(canonical(key), value);
        }
        let build = |reason: String| self.error(name, reason);
        let by_moments = numbers.len() == 2
            && numbers.contains_key("mu")
            && numbers.contains_key("sigma")
            && family != Family::LogNormal
            && family != Family::Normal;
        if by_moments && let Some(result) = family.from_mean_and_sd(numbers["mu"], numbers["sigma"])
        {
            return result.map_err(|error| build(error.to_string()));
        }
        let mut values = Vec::new();
        for &parameter in family.parameter_names() {
            let value = numbers
                .remove(parameter)
                .or_else(|| default(family, parameter));
            values.push(value.ok_or_else(|| {
                let all = family.parameter_names().join(", ");
                build(format!(
                    "`{parameter}` is missing; {} takes {all}",
                    family.name()
                ))
            })?);
        }
        if let Some(unknown) = numbers.keys().next() {
            let all = family.parameter_names().join(", ");
            return Err(build(format!(
                "`{unknown}` is no parameter of {}, which takes {all}",
                family.name()
            )));
        }
        Distribution::new(family, &values).map_err(|error| build(error.to_string()))
    }

    /// Whether a parameter is itself estimated.
    #[must_use]
    pub fn is_hierarchical(&self) -> bool {
        self.parameters
            .values()
            .any(|argument| matches!(argument, Argument::Prior(_)))
    }

    pub(crate) fn error(&self, name: &str, reason: String) -> PriorError {
        PriorError {
            name: name.to_owned(),
            reason,
        }
    }
}

/// Other names of the same parameter.
pub(crate) fn canonical(name: &str) -> &str {
    match name {
        "sd" | "scale_sigma" => "sigma",
        "mean" => "mu",
        other => other,
    }
}

/// PyMC's defaults of parameters that may be left out.
pub(crate) fn default(family: Family, parameter: &str) -> Option<f64> {
    match (family, parameter) {
        (
            Family::Normal
            | Family::LogNormal
            | Family::Laplace
            | Family::StudentT
            | Family::TruncatedNormal,
            "mu",
        ) => Some(0.0),
        (
            Family::Normal
            | Family::LogNormal
            | Family::HalfNormal
            | Family::StudentT
            | Family::TruncatedNormal,
            "sigma",
        ) => Some(1.0),
        (Family::TruncatedNormal, "lower") => Some(f64::NEG_INFINITY),
        (Family::TruncatedNormal, "upper") => Some(f64::INFINITY),
        (Family::Uniform, "lower") => Some(0.0),
        (Family::Uniform, "upper") | (Family::Laplace, "b") => Some(1.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Prior {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn priors_are_read_as_pymc_writes_them() {
        let gamma = parse(r#"{"dist": "Gamma", "alpha": 3, "beta": 1}"#);
        assert_eq!(gamma.fixed("lam", 0).unwrap().parameters(), [3.0, 1.0]);
        let moments = parse(r#"{"distribution": "Gamma", "mu": 2, "sigma": 1}"#);
        assert_eq!(moments.fixed("lam", 0).unwrap().parameters(), [4.0, 2.0]);
        let listed = parse(r#"{"dist": "half_normal", "sigma": [1.5, 0.5]}"#);
        assert_eq!(listed.fixed("beta", 1).unwrap().parameters(), [0.5]);
        let nested = parse(
            r#"{"dist": "HalfNormal", "dims": ["geo"], "sigma": {"dist": "HalfNormal", "sigma": 0.5}}"#,
        );
        assert!(nested.has_geo() && nested.is_hierarchical());
        assert_eq!(parse(&serde_json::to_string(&nested).unwrap()), nested);
    }

    #[test]
    fn mistakes_name_the_prior_and_the_parameter() {
        let message = |text: &str| {
            parse(text)
                .fixed("adstock_alpha", 0)
                .unwrap_err()
                .to_string()
        };
        assert!(
            message(r#"{"dist": "Betta", "alpha": 1}"#)
                .starts_with("prior `adstock_alpha`: `Betta` is none of Normal")
        );
        assert!(message(r#"{"dist": "Beta", "alpha": 1}"#).contains("`beta` is missing"));
        assert!(
            message(r#"{"dist": "Beta", "alpha": 1, "beta": 1, "lam": 2}"#)
                .contains("`lam` is no parameter")
        );
        assert!(message(r#"{"dist": "Beta", "alpha": -1, "beta": 1}"#).contains("above 0"));
        assert!(message(r#"{"dist": "HalfNormal", "sigma": []}"#).contains("has 0 values"));
    }
}

//! Media channels: their kernels.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::baseline::Knots;
use crate::kernel::{AdstockKind, MediaKernel, SaturationKind};

/// Kernels of all channels: defaults, and what single channels do otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Kind of adstock.
    pub adstock: AdstockKind,
    /// Lags in periods.
    pub l_max: usize,
    /// Whether adstock weights are divided by their sum.
    pub normalize: bool,
    /// Kind of saturation.
    pub saturation: SaturationKind,
    /// Whether adstock comes before saturation.
    pub adstock_first: bool,
    /// Whether the effect of all media drifts together: a multiplier e^(straight lines between
    /// knots), around 1.
    pub time_varying: Option<Knots>,
    /// Channels that differ, by name.
    pub channels: BTreeMap<String, ChannelSpec>,
}

/// What one channel does differently.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelSpec {
    /// Kind of adstock.
    pub adstock: Option<AdstockKind>,
    /// Lags in periods.
    pub l_max: Option<usize>,
    /// Whether adstock weights are divided by their sum.
    pub normalize: Option<bool>,
    /// Kind of saturation.
    pub saturation: Option<SaturationKind>,
    /// Whether adstock comes before saturation.
    pub adstock_first: Option<bool>,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            adstock: AdstockKind::Geometric,
            l_max: 8,
            normalize: true,
            saturation: SaturationKind::Logistic,
            adstock_first: true,
            time_varying: None,
            channels: BTreeMap::new(),
        }
    }
}

impl Media {
    /// The kernel of `channel`.
    #[must_use]
    pub fn kernel(&self, channel: &str) -> MediaKernel {
        let own = self.channels.get(channel).cloned().unwrap_or_default();
        MediaKernel {
            adstock: own.adstock.unwrap_or(self.adstock),
            l_max: own.l_max.unwrap_or(self.l_max),
            normalize: own.normalize.unwrap_or(self.normalize),
            saturation: own.saturation.unwrap_or(self.saturation),
            adstock_first: own.adstock_first.unwrap_or(self.adstock_first),
        }
    }
}

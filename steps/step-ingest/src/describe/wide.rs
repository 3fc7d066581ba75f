//! What the columns of a wide file are.

use serde::Deserialize;

/// The columns of one channel. Each is optional: what a file does not have stays unknown.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaColumns {
    /// Channel name.
    pub(crate) channel: String,
    /// Heading of the money spent.
    pub(crate) spend: Option<String>,
    /// Heading of the impressions.
    pub(crate) impressions: Option<String>,
    /// Heading of the clicks.
    pub(crate) clicks: Option<String>,
}

/// A column that a model explains.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeColumn {
    /// Metric name: `revenue`, `orders`, `conversions`, …
    pub(crate) metric: String,
    /// Heading.
    pub(crate) column: String,
    /// Heading of a column it is multiplied by, for example the revenue per conversion.
    pub(crate) times: Option<String>,
    /// Unit: a currency code or `count`.
    pub(crate) unit: String,
}

/// Another driver.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Control {
    /// A column of numbers, under its own name.
    Column(String),
    /// A column of numbers under another name.
    Named {
        /// Name of the driver.
        name: String,
        /// Heading.
        column: String,
    },
    /// A column of words: each word becomes a driver that is 1 on its days.
    Flags {
        /// Heading.
        flags: String,
        /// Put before the word to make the name of the driver.
        #[serde(default)]
        prefix: String,
        /// Words that mean "nothing on this day".
        #[serde(default)]
        none: Vec<String>,
    },
}

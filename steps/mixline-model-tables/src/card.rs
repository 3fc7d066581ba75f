//! The model card: what was fitted.

use chrono::NaiveDate;
use mixline_artifact::Table;
use mixline_model::Model;
use mixline_model::design::Scales;
use mixline_model::spec::ModelSpec;
use mixline_schema::catalog::File;
use serde::{Deserialize, Serialize};

/// How a model was fitted.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// Draws from the posterior, by NUTS.
    #[default]
    Bayesian,
    /// Grid search, ridge regression and bootstrap.
    Econometric,
}

impl Engine {
    /// The name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bayesian => "bayesian",
            Self::Econometric => "econometric",
        }
    }
}

/// What was fitted, to what, how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Digest of data, specification, engine and seed.
    pub model_id: String,
    /// Which engine.
    pub engine: Engine,
    /// The specification.
    pub spec: ModelSpec,
    /// The scales that give the parameters their meaning.
    pub scales: Scales,
    /// Seed of the fit.
    pub seed: u64,
    /// Channels, in order.
    pub channels: Vec<String>,
    /// Geos, in order.
    pub geos: Vec<String>,
    /// First day of the first fitted period.
    pub data_from: NaiveDate,
    /// First day of the last period.
    pub data_until: NaiveDate,
    /// Share of variance explained; econometric engine only.
    pub r_squared: Option<f64>,
    /// How the sampler was tuned: `laplace` or `plain`; Bayesian engine only.
    pub warmup: Option<String>,
}

/// A model card that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// No row.
    #[error("`model` holds no model card")]
    Empty,
    /// Not a model card.
    #[error("`model` is not a model card of this version: {0}")]
    Parse(#[from] serde_json::Error),
}

impl ModelCard {
    /// The card of a model about to be fitted.
    #[must_use]
    pub fn new(model: &Model, engine: Engine, seed: u64) -> Self {
        let panel = &model.panel;
        let scales = model.design.scales();
        let mut hasher = blake3::Hasher::new();
        let identity = (
            engine,
            &model.spec,
            &scales,
            seed,
            &panel.geos,
            &panel.dates,
            &panel.holdout,
        );
        hasher.update(&serde_json::to_vec(&identity).unwrap_or_default());
        let series = panel
            .channels
            .iter()
            .flat_map(|channel| std::iter::once(&channel.media).chain(&channel.spend));
        let controls = panel.controls.iter().map(|control| &control.values);
        for values in std::iter::once(&panel.outcome)
            .chain(series)
            .chain(controls)
        {
            values.iter().for_each(|value| {
                hasher.update(&value.to_le_bytes());
            });
        }
        let first = panel.dates.first().copied().unwrap_or_default();
        let fitted = |t: &usize| (0..panel.geos.len()).any(|g| panel.fitted(g, *t));
        let from = (0..panel.periods())
            .find(fitted)
            .map_or(first, |t| panel.dates[t]);
        Self {
            model_id: hasher.finalize().to_hex()[..16].to_owned(),
            engine,
            spec: model.spec.clone(),
            scales,
            seed,
            channels: panel
                .channels
                .iter()
                .map(|channel| channel.name.clone())
                .collect(),
            geos: panel.geos.clone(),
            data_from: from,
            data_until: panel.dates.last().copied().unwrap_or_default(),
            r_squared: None,
            warmup: None,
        }
    }

    /// Reads a card.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn read(table: &Table<File>) -> Result<Self, CardError> {
        let rows = table.rows();
        let file = rows.first().ok_or(CardError::Empty)?;
        Ok(serde_json::from_slice(&file.bytes)?)
    }

    /// The card as a file artifact's row.
    ///
    /// # Errors
    /// [`CardError::Parse`] never in practice: a card is plain data.
    pub fn file(&self) -> Result<File, CardError> {
        Ok(File {
            name: "model.json".into(),
            media_type: "application/json".into(),
            bytes: serde_json::to_vec_pretty(self)?,
        })
    }
}

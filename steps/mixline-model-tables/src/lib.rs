//! Between the model's matrices and the tables of the store.
//!
//! The steps of the model pipeline meet in three artifacts: `design`, `posterior_draws` and the
//! model card. This crate reads and writes them, so that every step means the same by them:
//!
//! - [`read_panel`]: rows of `design` become a [`Panel`](mixline_model::panel::Panel);
//! - [`ModelCard`]: what was fitted, with the scales that give its parameters their meaning;
//! - [`draws_to_pieces`], [`draws_from_table`]: draws, as long rows;
//! - [`load`]: design, card and draws become a model with its draws;
//! - [`base`]: what plans are made from, or why there may be none.

mod card;
mod draws;
mod panel;
mod planning;
mod verdict;

pub use card::{CardError, Engine, ModelCard};
pub use draws::{DrawsError, draws_from_table, draws_to_pieces};
pub use panel::{HISTORY, HOLDOUT, PanelTableError, Role, TRAIN, Units, read_panel};
pub use planning::{Base, BaseError, NoPlan, Periods, base};
pub use verdict::Verdict;

use mixline_artifact::Table;
use mixline_model::Model;
use mixline_model::fit::Draws;
use mixline_schema::catalog::{Design, File, PosteriorDraws};

/// A fitted model as the steps after the fit see it.
#[derive(Debug)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// Draws of its parameters.
    pub draws: Draws,
    /// What was fitted, and how.
    pub card: ModelCard,
    /// Units of outcome and spend.
    pub units: Units,
}

/// Why a fitted model cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The design.
    #[error(transparent)]
    Panel(#[from] PanelTableError),
    /// The card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The model on this design.
    #[error(transparent)]
    Model(#[from] mixline_model::ModelError),
    /// The draws.
    #[error(transparent)]
    Draws(#[from] DrawsError),
}

/// Puts a model back together from its three artifacts.
///
/// The design may be newer than the fit, as when a standing champion meets new weeks: the card's
/// scales keep the meaning of the parameters.
///
/// # Errors
/// [`LoadError`] when the artifacts do not belong together.
pub fn load(
    design: &Table<Design>,
    card: &Table<File>,
    draws: &Table<PosteriorDraws>,
) -> Result<Fitted, LoadError> {
    let card = ModelCard::read(card)?;
    let (panel, units) = read_panel(&design.rows())?;
    let model = Model::with_scales(card.spec.clone(), panel, &card.scales)?;
    let draws = draws_from_table(draws, &model.layout.labels())?;
    Ok(Fitted {
        model,
        draws,
        card,
        units,
    })
}

//! Points given by parameter name, as PyMC names them.

use std::collections::BTreeMap;

use crate::model::Model;

/// Why a point cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PointError {
    /// A name that belongs to no parameter.
    #[error("`{name}` is no parameter; the parameters are {known}")]
    Unknown {
        /// The name.
        name: String,
        /// All names.
        known: String,
    },
    /// A parameter without a value.
    #[error("`{0}` has no value")]
    Missing(String),
    /// Too few or too many values.
    #[error("`{name}` has {got} values, but {want} are needed")]
    Count {
        /// The name.
        name: String,
        /// Values given.
        got: usize,
        /// Values needed.
        want: usize,
    },
}

/// u, in the order of the layout, from values by name.
///
/// Keys are names of blocks with PyMC's suffix of the unconstrained scale
/// (`saturation_lam_log__`); nested lists are flattened row by row.
///
/// # Errors
/// [`PointError`] for a name or a number of values that does not fit.
pub fn read_point(
    model: &Model,
    point: &BTreeMap<String, Vec<f64>>,
) -> Result<Vec<f64>, PointError> {
    let layout = &model.layout;
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for block in &layout.blocks {
        let suffix = layout.transforms[block.offset].suffix();
        let name = format!("{}{suffix}", block.name);
        places
            .entry(name)
            .or_default()
            .extend(block.offset..block.offset + block.len);
    }
    if let Some(name) = point.keys().find(|name| !places.contains_key(*name)) {
        let known: Vec<&str> = places.keys().map(String::as_str).collect();
        return Err(PointError::Unknown {
            name: name.clone(),
            known: known.join(", "),
        });
    }
    let mut u = vec![0.0; layout.len()];
    for (name, indices) in &places {
        let values = point
            .get(name)
            .ok_or_else(|| PointError::Missing(name.clone()))?;
        if values.len() != indices.len() {
            let (got, want) = (values.len(), indices.len());
            return Err(PointError::Count {
                name: name.clone(),
                got,
                want,
            });
        }
        for (&at, value) in indices.iter().zip(values) {
            u[at] = *value;
        }
    }
    Ok(u)
}

//! Draws as long rows: parameter, chain, draw, value.

use std::sync::Arc;

use mixline_artifact::{Pieces, Table};
use mixline_model::fit::Draws;
use mixline_schema::catalog::PosteriorDraws;
use polars::prelude::{Column, DataFrame, PolarsError};

/// Draws that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum DrawsError {
    /// Writing.
    #[error("the draws cannot be made a table: {0}")]
    Table(String),
    /// Reading draws of another model.
    #[error("`posterior_draws` has no draws of `{0}`: they belong to another model")]
    Missing(String),
    /// Reading draws with a hole.
    #[error("`posterior_draws` has {got} draws of `{parameter}` where others have {want}")]
    Uneven {
        /// Which parameter.
        parameter: String,
        /// Its draws.
        got: usize,
        /// Draws of the others.
        want: usize,
    },
}

impl From<PolarsError> for DrawsError {
    fn from(error: PolarsError) -> Self {
        Self::Table(error.to_string())
    }
}

/// Rows of one piece, about.
const PIECE: usize = 250_000;

/// Draws as rows in key order, piece by piece: long rows take five times the memory of draws, so
/// only those of a few parameters exist at a time.
#[must_use]
pub fn draws_to_pieces(draws: Arc<Draws>) -> Pieces<PosteriorDraws> {
    let mut order: Vec<usize> = (0..draws.width()).collect();
    order.sort_by(|a, b| draws.labels[*a].cmp(&draws.labels[*b]));
    let group = (PIECE / draws.len().max(1)).max(1);
    let starts = (0..order.len()).step_by(group);
    Pieces::new(starts.map(move |start| {
        let end = order.len().min(start + group);
        Table::parse(rows_of(&draws, &order[start..end]))
    }))
}

/// The rows of some parameters, column by column.
fn rows_of(draws: &Draws, parameters: &[usize]) -> DataFrame {
    let rows = draws.len() * parameters.len();
    let mut labels: Vec<&str> = Vec::with_capacity(rows);
    let (mut chains, mut numbers) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut values = Vec::with_capacity(rows);
    for &at in parameters {
        for (chain, held) in draws.chains.iter().enumerate() {
            for (draw, row) in held.chunks_exact(draws.width()).enumerate() {
                labels.push(&draws.labels[at]);
                chains.push(chain as i64);
                numbers.push(draw as i64);
                values.push(row[at]);
            }
        }
    }
    let columns = vec![
        Column::new("parameter".into(), labels),
        Column::new("chain".into(), chains),
        Column::new("draw".into(), numbers),
        Column::new("value".into(), values),
    ];
    DataFrame::new(rows, columns).expect("the columns have one length and different names")
}

/// Draws of the parameters `labels`, in that order.
///
/// # Errors
/// [`DrawsError`] when a parameter is missing or has too few draws.
pub fn draws_from_table(
    table: &Table<PosteriorDraws>,
    labels: &[String],
) -> Result<Draws, DrawsError> {
    let frame = table.df();
    let names = frame.column("parameter")?.str()?;
    let chains = frame.column("chain")?.i64()?;
    let values = frame.column("value")?.f64()?;
    let width = labels.len();
    let at: std::collections::HashMap<&str, usize> = labels
        .iter()
        .enumerate()
        .map(|(at, label)| (label.as_str(), at))
        .collect();
    // Rows come in key order: all draws of a chain of a parameter are neighbours.
    let mut by_chain: Vec<Vec<Vec<f64>>> = Vec::new();
    let mut previous: Option<(&str, Option<usize>)> = None;
    for ((name, chain), value) in names.iter().zip(chains.iter()).zip(values.iter()) {
        let (Some(name), Some(chain), Some(value)) = (name, chain, value) else {
            continue;
        };
        let index = match previous {
            Some((known, index)) if known == name => index,
            _ => at.get(name).copied(),
        };
        previous = Some((name, index));
        let Some(index) = index else { continue };
        let chain = usize::try_from(chain).unwrap_or_default();
        while by_chain.len() <= chain {
            by_chain.push(vec![Vec::new(); width]);
        }
        by_chain[chain][index].push(value);
    }
    let mut draws = Draws {
        labels: labels.to_vec(),
        chains: Vec::new(),
        statistics: Vec::new(),
        warmup: None,
        evaluations: 0,
    };
    for columns in by_chain {
        let want = columns.iter().map(Vec::len).max().unwrap_or_default();
        let mut rows = vec![0.0; want * width];
        for (index, column) in columns.iter().enumerate() {
            if column.is_empty() {
                return Err(DrawsError::Missing(labels[index].clone()));
            }
            if column.len() != want {
                let parameter = labels[index].clone();
                return Err(DrawsError::Uneven {
                    parameter,
                    got: column.len(),
                    want,
                });
            }
            for (draw, value) in column.iter().enumerate() {
                rows[draw * width + index] = *value;
            }
        }
        draws.chains.push(rows);
    }
    if draws.chains.is_empty() {
        return Err(DrawsError::Missing(
            labels.first().cloned().unwrap_or_default(),
        ));
    }
    Ok(draws)
}

//! Draws as long rows: parameter, chain, draw, value.

use mixline_artifact::Table;
use mixline_model::fit::Draws;
use mixline_schema::catalog::PosteriorDraws;
use polars::prelude::{Column, DataFrame, IntoColumn as _, NamedFrom as _, PolarsError, Series};

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

/// Draws as a table, in key order, built column by column.
///
/// # Errors
/// [`DrawsError::Table`] when a value is not finite.
pub fn draws_to_table(draws: &Draws) -> Result<Table<PosteriorDraws>, DrawsError> {
    let width = draws.width();
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|a, b| draws.labels[*a].cmp(&draws.labels[*b]));
    let rows = draws.len() * width;
    let (mut chains, mut numbers) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
    let mut values = Vec::with_capacity(rows);
    let mut labels: Vec<&str> = Vec::with_capacity(rows);
    for &at in &order {
        for (chain, held) in draws.chains.iter().enumerate() {
            for (draw, row) in held.chunks_exact(width.max(1)).enumerate() {
                labels.push(&draws.labels[at]);
                chains.push(chain as i64);
                numbers.push(draw as i64);
                values.push(row[at]);
            }
        }
    }
    let columns: Vec<Column> = vec![
        Series::new("parameter".into(), labels).into_column(),
        Series::new("chain".into(), chains).into_column(),
        Series::new("draw".into(), numbers).into_column(),
        Series::new("value".into(), values).into_column(),
    ];
    let frame = DataFrame::new_infer_height(columns)?;
    Table::parse(frame).map_err(|violations| DrawsError::Table(violations.to_string()))
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

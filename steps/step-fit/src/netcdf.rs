//! The draws as a netCDF-4 file in ArviZ's layout: groups `posterior`, `sample_stats` and
//! `observed_data`, dimensions `chain` and `draw` first.
//!
//! ```python
//! idata = arviz.from_netcdf("posterior.nc")
//! ```

use mixline_model::Model;
use mixline_model::fit::Draws;
use mixline_schema::catalog::File;
use mixline_step::StepError;
use netcdf_writer::{
    DimensionId, NcAttrValue, NcFileBuilder, NcWriteFormat, NcWriteOptions, Result,
};

/// The file.
pub(crate) fn file(model: &Model, draws: &Draws) -> std::result::Result<File, StepError> {
    let bytes = build(model, draws)
        .map_err(|error| StepError::bug("the netCDF file cannot be written").because(error))?;
    Ok(File {
        name: "posterior.nc".into(),
        media_type: "application/x-netcdf".into(),
        bytes,
    })
}

fn build(model: &Model, draws: &Draws) -> Result<Vec<u8>> {
    let mut file = NcFileBuilder::new();
    posterior(&mut file, model, draws)?;
    if !draws.statistics.is_empty() {
        sample_stats(&mut file, draws)?;
    }
    observed(&mut file, model)?;
    for group in ["posterior", "sample_stats", "observed_data"] {
        if group != "sample_stats" || !draws.statistics.is_empty() {
            let library = NcAttrValue::Chars("mixline".into());
            file.add_group_attribute(group, "inference_library", library)?;
        }
    }
    let options = NcWriteOptions {
        format: NcWriteFormat::Nc4,
    };
    Ok(file.to_vec(options)?.1)
}

/// `chain` and `draw` with their coordinates.
fn sizes(file: &mut NcFileBuilder, group: &str, draws: &Draws) -> Result<[DimensionId; 2]> {
    let per_chain = draws.len() / draws.chains.len().max(1);
    let mut make = |name: &str, size: usize| -> Result<DimensionId> {
        let path = format!("{group}/{name}");
        let dimension = file.add_dimension_path(path.clone(), size as u64)?;
        let variable = file.add_variable_path::<i64>(path, &[dimension])?;
        let values: Vec<i64> = (0..size as i64).collect();
        file.write_variable(variable, &values)?;
        Ok(dimension)
    };
    Ok([make("chain", draws.chains.len())?, make("draw", per_chain)?])
}

fn posterior(file: &mut NcFileBuilder, model: &Model, draws: &Draws) -> Result<()> {
    let base = sizes(file, "posterior", draws)?;
    let mut known: Vec<(String, Vec<String>, DimensionId)> = Vec::new();
    for block in merged(model) {
        let mut dims = base.to_vec();
        for (name, labels) in &block.dims {
            // The same name with other labels is another dimension.
            let found = known
                .iter()
                .find(|(own, ours, _)| own == name && ours == labels);
            dims.push(match found {
                Some((_, _, dimension)) => *dimension,
                None => {
                    let taken = known.iter().filter(|(own, ..)| own == name).count();
                    let suffix = if taken == 0 {
                        String::new()
                    } else {
                        format!("_{taken}")
                    };
                    let path = format!("posterior/{name}{suffix}");
                    let dimension = file.add_dimension_path(path.clone(), labels.len() as u64)?;
                    let variable = file.add_string_variable_path(path, &[dimension])?;
                    file.write_string_variable(variable, labels)?;
                    known.push((name.clone(), labels.clone(), dimension));
                    dimension
                }
            });
        }
        let variable = file.add_variable_path::<f64>(format!("posterior/{}", block.name), &dims)?;
        let row = |row: &[f64]| {
            block
                .indices
                .iter()
                .map(|&at| row[at])
                .collect::<Vec<f64>>()
        };
        let values: Vec<f64> = draws.rows().flat_map(row).collect();
        file.write_variable(variable, &values)?;
    }
    Ok(())
}

/// A variable of the file: one block, or several of one name.
struct Variable {
    name: String,
    dims: Vec<(String, Vec<String>)>,
    indices: Vec<usize>,
}

/// Blocks of one name become one variable where their labels follow each other along one
/// dimension, as hyperparameters by channel do; otherwise the name gets a number.
fn merged(model: &Model) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    for block in &model.layout.blocks {
        let indices = block.offset..block.offset + block.len;
        let same = variables
            .iter()
            .filter(|own| own.name == block.name)
            .count();
        let line = |dims: &[(String, Vec<String>)]| dims.len() == 1;
        let last = variables.iter_mut().find(|own| {
            own.name == block.name
                && line(&own.dims)
                && line(&block.dims)
                && own.dims[0].0 == block.dims[0].0
        });
        match last {
            Some(own) => {
                own.dims[0].1.extend(block.dims[0].1.iter().cloned());
                own.indices.extend(indices);
            }
            None => {
                let suffix = if same == 0 {
                    String::new()
                } else {
                    format!("_{same}")
                };
                variables.push(Variable {
                    name: format!("{}{suffix}", block.name),
                    dims: block.dims.clone(),
                    indices: indices.collect(),
                });
            }
        }
    }
    variables
}

fn sample_stats(file: &mut NcFileBuilder, draws: &Draws) -> Result<()> {
    let dims = sizes(file, "sample_stats", draws)?;
    let chains = &draws.statistics;
    let energy: Vec<f64> = chains
        .iter()
        .flat_map(|chain| &chain.energy)
        .copied()
        .collect();
    let variable = file.add_variable_path::<f64>("sample_stats/energy", &dims)?;
    file.write_variable(variable, &energy)?;
    let steps = chains.iter().flat_map(|chain| &chain.steps);
    let steps: Vec<i64> = steps
        .map(|steps| (*steps).try_into().unwrap_or(i64::MAX))
        .collect();
    let variable = file.add_variable_path::<i64>("sample_stats/n_steps", &dims)?;
    file.write_variable(variable, &steps)?;
    // netCDF has no truth values; ArviZ reads 0 and 1.
    let diverging = chains.iter().flat_map(|chain| &chain.diverging);
    let diverging: Vec<i8> = diverging.map(|diverging| i8::from(*diverging)).collect();
    let variable = file.add_variable_path::<i8>("sample_stats/diverging", &dims)?;
    file.write_variable(variable, &diverging)
}

fn observed(file: &mut NcFileBuilder, model: &Model) -> Result<()> {
    let panel = &model.panel;
    let mut text = |name: &str, labels: Vec<String>| -> Result<DimensionId> {
        let path = format!("observed_data/{name}");
        let dimension = file.add_dimension_path(path.clone(), labels.len() as u64)?;
        let variable = file.add_string_variable_path(path, &[dimension])?;
        file.write_string_variable(variable, &labels)?;
        Ok(dimension)
    };
    let geo = text("geo", panel.geos.clone())?;
    let date = text(
        "date",
        panel.dates.iter().map(ToString::to_string).collect(),
    )?;
    let variable = file.add_variable_path::<f64>("observed_data/y", &[geo, date])?;
    file.write_variable(variable, &panel.outcome)
}

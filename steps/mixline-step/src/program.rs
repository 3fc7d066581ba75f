//! A step with its types erased: what the rest of the SDK works with.
//!
//! Everything that depends on the step's own types sits behind two function pointers, so the
//! command line, the store and the reports are compiled once and not once per step.

use std::collections::BTreeMap;

use mixline_artifact::Rows;
use mixline_schema::StepDescriptor;
use serde_json::Value;

use crate::config;
use crate::context::Context;
use crate::error::StepError;
use crate::ports::{Given, InputPorts, OutputPorts, PortSpec};
use crate::step::{Step, descriptor};

/// Output tables by port.
pub(crate) type Frames = Vec<(&'static str, Rows)>;

/// A step function, without its types: configuration and inputs in, outputs out.
type Compute = fn(&Value, &mut BTreeMap<String, Given>, &Context) -> Result<Frames, StepError>;

/// One step, without its types.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) descriptor: StepDescriptor,
    pub(crate) inputs: Vec<PortSpec>,
    pub(crate) outputs: Vec<PortSpec>,
    /// Checks a configuration; gives it back with every default filled in.
    pub(crate) validate: fn(&Value) -> Result<Value, StepError>,
    /// Parses the inputs against their contracts and does nothing with them.
    pub(crate) parse: fn(&mut BTreeMap<String, Given>) -> Result<(), StepError>,
    /// The step function.
    pub(crate) compute: Compute,
}

impl Program {
    pub(crate) fn of<S: Step>() -> Self {
        Self {
            descriptor: descriptor::<S>(),
            inputs: S::Inputs::ports(),
            outputs: S::Outputs::ports(),
            validate: validate::<S>,
            parse: |frames| S::Inputs::from_frames(frames).map(drop),
            compute: compute::<S>,
        }
    }
}

fn validate<S: Step>(raw: &Value) -> Result<Value, StepError> {
    let schema = schemars::schema_for!(S::Config).to_value();
    config::refuse_unknown_keys(raw, &schema)?;
    let parsed: S::Config = config::parse(raw)?;
    S::validate(&parsed)?;
    serde_json::to_value(&parsed)
        .map_err(|error| StepError::bug("the configuration cannot be written").because(error))
}

fn compute<S: Step>(
    raw: &Value,
    frames: &mut BTreeMap<String, Given>,
    ctx: &Context,
) -> Result<Frames, StepError> {
    let parsed: S::Config = config::parse(raw)?;
    let inputs = S::Inputs::from_frames(frames)?;
    Ok(S::run(&parsed, inputs, ctx)?.into_tables())
}

//! Turns draws into what people ask for: contributions, returns, curves.
//!
//! All in units of the outcome, all with 50 % and 90 % intervals over draws. The parts of a period
//! add up to its observed outcome; what the model does not explain is a part of its own.

mod columns;
mod rows;

use mixline_model::response::{adstock_curves, channels, decompose, response_curves};
use mixline_model_tables::load;
use mixline_schema::catalog::{
    AdstockCurves, ContributionTotals, Contributions, Design, File, MmmResults, PosteriorDraws,
    ResponseCurves,
};
use mixline_step::{Column, Context, NoConfig, Resources, Step, StepError, Table, inputs, outputs};

inputs! {
    /// What the step reads.
    pub struct Inputs {
        /// The series that were fitted.
        design: Design,
        /// The model card.
        model: File as "model",
        /// Draws of the parameters.
        draws: PosteriorDraws,
    }
}

outputs! {
    /// What the step writes.
    pub struct Outputs {
        /// Parts of the outcome by period and region.
        contributions: Contributions => Replace,
        /// Parts of the outcome in all.
        totals: ContributionTotals => Replace,
        /// Results by channel.
        results: MmmResults => Replace,
        /// Contribution at other levels of media.
        curves: ResponseCurves => Replace,
        /// When effects arrive.
        adstock: AdstockCurves => Replace,
    }
}

/// The step.
#[derive(Debug)]
pub struct Decompose;

impl Step for Decompose {
    const NAME: &'static str = "step-decompose";
    const ABOUT: &'static str = "Turns draws into contributions, returns and curves.";
    const COLUMNS: &'static [Column] = columns::COLUMNS;
    const RESOURCES: Resources = Resources {
        cores: 2.0,
        memory_mib: 2048,
    };
    type Config = NoConfig;
    type Inputs = Inputs;
    type Outputs = Outputs;

    fn run(_: &NoConfig, inputs: Inputs, ctx: &Context) -> Result<Outputs, StepError> {
        let fitted = load(&inputs.design, &inputs.model, &inputs.draws).map_err(|error| {
            StepError::data("design, model and draws do not belong together")
                .because(error)
                .hint("run step-fit on this design first")
        })?;
        let (model, draws) = (&fitted.model, &fitted.draws);
        ctx.note("model_id", fitted.card.model_id.clone());
        ctx.progress(0.1, "decomposing the outcome");
        let parts = decompose(model, draws);
        ctx.progress(0.5, "channels");
        let results = rows::results(&fitted, &channels(model, draws));
        ctx.progress(0.7, "response curves");
        let curves = response_curves(model, draws);
        let adstock = adstock_curves(model, draws);
        ctx.progress(0.95, "writing");
        Ok(Outputs {
            contributions: Table::from_rows(rows::contributions(&fitted, &parts))?,
            totals: Table::from_rows(rows::totals(model, &parts))?,
            results: Table::from_rows(results)?,
            curves: Table::from_rows(rows::curves(model, &curves))?,
            adstock: Table::from_rows(rows::adstock(model, &adstock))?,
        })
    }
}

#[cfg(test)]
mod tests;

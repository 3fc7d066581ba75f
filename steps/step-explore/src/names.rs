//! Names of series: each may stand for one only, here and in the model.

use mixline_model::panel::Panel;
use mixline_step::StepError;

/// What the explained series is called in findings and statistics.
pub(crate) const OUTCOME: &str = "outcome";

/// Refuses a name that two series share.
///
/// # Errors
/// A data error that names both, and what to do.
pub(crate) fn check(panel: &Panel) -> Result<(), StepError> {
    let controls: Vec<&str> = panel.controls.iter().map(|own| own.name.as_str()).collect();
    for channel in &panel.channels {
        let name = channel.name.as_str();
        if name == OUTCOME {
            return Err(reserved("channel", "media_daily"));
        }
        if controls.contains(&name) {
            let text = format!("`{name}` names a channel and a control in `design`");
            return Err(StepError::data(text).hint(
                "rename one of them in the source of `media_daily` or `controls`, or leave the \
                 control out with the key `controls` of step-prepare",
            ));
        }
    }
    match controls.contains(&OUTCOME) {
        true => Err(reserved("control", "controls")),
        false => Ok(()),
    }
}

fn reserved(kind: &str, table: &str) -> StepError {
    let text = format!("the {kind} `{OUTCOME}` in `design` has the name of what is explained");
    StepError::data(text).hint(format!(
        "rename it in the source of `{table}`, or leave it out with the key `{kind}s` of \
         step-prepare"
    ))
}

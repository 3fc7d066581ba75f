//! Is there enough of it, and is it spread out?

use mixline_model::panel::Panel;

use crate::config::Config;
use crate::notes::{Notes, Severity};

pub(crate) fn look(config: &Config, panel: &Panel, notes: &mut Notes) {
    adequacy(config, panel, notes);
    concentration(config, panel, notes);
}

/// Observations per parameter of a plain model: an amplitude, a decay and a shape per channel, a
/// coefficient per control, an intercept per geo, and four seasonal terms.
fn adequacy(config: &Config, panel: &Panel, notes: &mut Notes) {
    let cells = (0..panel.geos.len()).flat_map(|g| (0..panel.periods()).map(move |t| (g, t)));
    let observations = cells.filter(|&(g, t)| panel.fitted(g, t)).count();
    let parameters = 3 * panel.channels.len() + panel.controls.len() + panel.geos.len() + 4;
    let ratio = observations as f64 / parameters as f64;
    notes.number("adequacy", "design", "", ratio);
    if ratio < config.adequacy {
        notes.find(
            Severity::Warning,
            ("amount.adequacy", "design", ""),
            (ratio, config.adequacy),
            format!("{observations} observations for about {parameters} parameters"),
            "join small channels, use more history or regions, or rely on priors and say so",
        );
    }
}

fn concentration(config: &Config, panel: &Panel, notes: &mut Notes) {
    let spend: Vec<(&str, f64)> = panel
        .channels
        .iter()
        .filter_map(|own| Some((own.name.as_str(), own.spend.as_ref()?.iter().sum())))
        .collect();
    let total: f64 = spend.iter().map(|(_, spend)| spend).sum();
    if total <= 0.0 || spend.len() < 2 {
        return;
    }
    for (name, own) in &spend {
        let share = own / total;
        notes.number("spend_share", name, "", share);
        if share > config.concentration {
            notes.find(
                Severity::Suggestion,
                ("spend.concentrated", name, ""),
                (share, config.concentration),
                format!("{:.0} % of all spend is `{name}`", 100.0 * share),
                "split it by campaign or format, if the parts move apart",
            );
        }
        if share > 0.0 && share < 0.005 {
            notes.find(
                Severity::Suggestion,
                ("spend.tiny", name, ""),
                (share, 0.005),
                format!("`{name}` is {:.2} % of all spend", 100.0 * share),
                "its effect drowns in the noise: join it with a similar channel",
            );
        }
    }
}

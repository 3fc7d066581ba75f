//! The figures of the views, from tables to charts.

mod attribution;
mod channels;
mod model;
mod plan;
mod time;

use mixline_chart::Figure;

use crate::Config;
use crate::data::Data;

/// Who a figure is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// What happened, and what to do?
    Executive,
    /// Which channel, how much?
    Manager,
    /// What do journeys say?
    Attribution,
    /// Is the model right?
    Analyst,
}

/// Every figure there are data for, in the order of the page.
pub(crate) fn all(config: &Config, data: &Data) -> Vec<(View, Figure)> {
    let executive = vec![channels::waterfall(data)];
    let manager = vec![
        channels::shares(data),
        channels::forest(config, data),
        channels::bubbles(config, data),
        plan::curves(config, data),
        plan::dumbbell(data),
        plan::delta(data),
        plan::frontier(data),
        channels::attribution(data),
        channels::adstock(data),
    ];
    let journeys = vec![
        attribution::methods(data),
        attribution::removal(data),
        attribution::positions(data),
        attribution::paths(data),
        attribution::lengths(data),
        attribution::lags(data),
    ];
    let analyst = vec![
        time::actual(data),
        time::over_time(data),
        time::residuals(data),
        model::health(data),
        model::convergence(data),
        model::densities(data),
        model::calibration(data),
        time::inputs(data),
    ];
    let of = |view: View, figures: Vec<Option<Figure>>| {
        figures
            .into_iter()
            .flatten()
            .map(move |figure| (view, figure))
    };
    of(View::Executive, executive)
        .chain(of(View::Manager, manager))
        .chain(of(View::Attribution, journeys))
        .chain(of(View::Analyst, analyst))
        .collect()
}

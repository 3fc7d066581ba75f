//! The figures of the three views, from tables to charts.

mod channels;
mod plan;

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
    /// Is the model right?
    Analyst,
}

/// Every figure there are data for, in the order of the page.
pub(crate) fn all(config: &Config, data: &Data) -> Vec<(View, Figure)> {
    let executive = [channels::waterfall(data)];
    let manager = [
        channels::forest(config, data),
        plan::dumbbell(data),
        plan::curves(config, data),
    ];
    let of = |view: View| move |figure: Option<Figure>| figure.map(|figure| (view, figure));
    executive
        .into_iter()
        .filter_map(of(View::Executive))
        .chain(manager.into_iter().filter_map(of(View::Manager)))
        .collect()
}

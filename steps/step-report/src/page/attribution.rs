//! What stands in the view of attribution besides its figures: how stable each method is, what
//! is in no journey, and how paths were brought in line with the mix model.

use mixline_chart::{Cell, Column, DataTable, Figure};

use super::sections::block;
use super::{figures_of, sentences};
use crate::attribution::{Attribution, method_name};
use crate::data::Data;
use crate::figures::View;
use crate::story::Story;

/// The view; `None` where nothing was attributed.
pub(super) fn attribution(
    data: &Data,
    story: &Story,
    figures: &[(View, Figure)],
) -> Option<String> {
    let own = data.attribution.as_ref()?;
    Some(format!(
        "{}{}{}{}{}",
        sentences(&story.attribution),
        figures_of(View::Attribution, figures),
        stability(own),
        reconciliation(own),
        quarantine(own),
    ))
}

fn stability(own: &Attribution) -> String {
    if own.methods.is_empty() {
        return String::new();
    }
    let currency = own.outcome().unit;
    let mut table = DataTable::new(vec![
        Column::words("Method"),
        Column::numbers("Stability", "%"),
        Column::numbers("Resamples", ""),
        Column::numbers("Journeys", ""),
        Column::numbers("Conversions", ""),
        Column::numbers("Revenue", &currency),
        Column::numbers("Credited to touches", &currency),
        Column::numbers("Conversion rate", ""),
        Column::words("To know"),
    ]);
    for row in &own.methods {
        table.rows.push(vec![
            Cell::text(method_name(&row.method)),
            Cell::number(100.0 * row.stability),
            Cell::number(row.resamples as f64),
            Cell::number(row.journeys as f64),
            Cell::number(row.conversions as f64),
            Cell::number(row.revenue),
            Cell::number(row.revenue_credited),
            Cell::maybe(row.conversion_rate),
            Cell::text(row.note.clone()),
        ]);
    }
    block("Attribution methods and how stable they are", &table)
}

fn reconciliation(own: &Attribution) -> String {
    if own.reconciliation.is_empty() {
        return String::new();
    }
    let currency = own.outcome().unit;
    let all: f64 = own.reconciliation.iter().map(|row| row.path_revenue).sum();
    let mut table = DataTable::new(vec![
        Column::words("Channel"),
        Column::numbers("By paths", &currency),
        Column::numbers("Share by paths", ""),
        Column::numbers("Share by the model", ""),
        Column::numbers("Target", &currency),
        Column::numbers("Reconciled", &currency),
        Column::words("Carried by"),
        Column::numbers("Factor", ""),
        Column::numbers("Not reconciled", &currency),
    ]);
    for row in &own.reconciliation {
        table.rows.push(vec![
            Cell::text(row.channel.clone()),
            Cell::number(row.path_revenue),
            Cell::number(row.path_revenue / all),
            Cell::maybe(row.model_share),
            Cell::number(row.target_revenue),
            Cell::number(row.reconciled_revenue),
            Cell::text(row.carried_by.clone()),
            Cell::number(row.factor),
            Cell::number(row.unreconciled_revenue),
        ]);
    }
    block("Paths and the mix model brought together", &table)
}

fn quarantine(own: &Attribution) -> String {
    if own.quarantine.is_empty() {
        return String::new();
    }
    let mut table = DataTable::new(vec![
        Column::words("Reason"),
        Column::words("Of"),
        Column::numbers("Count", ""),
        Column::numbers("Revenue", &own.outcome().unit),
    ]);
    for row in &own.quarantine {
        let revenue = (row.record == "order").then_some(row.revenue);
        table.rows.push(vec![
            Cell::text(row.reason.replace('_', " ")),
            Cell::text(format!("{}s", row.record).replace("touchs", "touches")),
            Cell::number(row.count as f64),
            Cell::maybe(revenue),
        ]);
    }
    block("Touches and orders in no journey", &table)
}

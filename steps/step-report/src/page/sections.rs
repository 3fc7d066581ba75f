//! What stands in each view besides its figures.

use mixline_chart::number::compact;
use mixline_chart::svg::escape;
use mixline_chart::{Cell, Column, DataTable, Figure};
use mixline_model_tables::Verdict;
use mixline_schema::InputRef;
use mixline_schema::catalog::DecisionStore;

use super::{figures_of, sentences};
use crate::data::Data;
use crate::figures::View;
use crate::format::{money, percent, range};
use crate::story::Story;

/// Data, model and champion in a line.
pub(super) fn meta(data: &Data) -> String {
    let (first, last) = data.period();
    let card = &data.fitted.card;
    let champion = data
        .champion
        .as_ref()
        .map(|base| base.fitted.card.model_id.as_str());
    let role = match champion {
        Some(id) if id == card.model_id => "champion".to_owned(),
        Some(id) => format!("candidate; plans rest on champion {id}"),
        None => "candidate".to_owned(),
    };
    escape(&format!(
        "Periods from {first} to {last} · data through {} · model {} ({role}) · money in {}",
        card.data_until, card.model_id, data.currency
    ))
}

pub(super) fn executive(data: &Data, story: &Story, figures: &[(View, Figure)]) -> String {
    format!(
        "{}{}<h3>What happened</h3>\n{}{}",
        tiles(data),
        decisions(data),
        sentences(&story.findings),
        figures_of(View::Executive, figures),
    )
}

/// The numbers at the top.
fn tiles(data: &Data) -> String {
    let unit = &data.outcome.unit;
    let observed = data.observed();
    let media: f64 = data
        .totals
        .iter()
        .filter(|row| row.kind == "media")
        .map(|row| row.mean)
        .sum();
    // Between the regions of a channel it moves as well.
    let moved: f64 = data
        .plan
        .iter()
        .filter(|row| row.plan == "best")
        .map(|row| (row.proposed - row.current).max(0.0))
        .sum();
    let health = match data.verdict {
        Verdict::Pass => "passed",
        Verdict::Review => "to review",
        Verdict::Fail => "failed",
    };
    let mut tiles = vec![
        (
            mixline_chart::text::capital(&data.outcome.name),
            money(observed, unit),
            String::new(),
        ),
        (
            "Driven by media".to_owned(),
            percent(media / observed),
            money(media, unit),
        ),
    ];
    tiles.extend(blended(data).map(|(mean, words)| ("Blended ROAS".to_owned(), mean, words)));
    if data.no_plan.is_none() && !data.plan.is_empty() {
        let gain = data.outcome_of("best").map_or(0.0, |best| best.gain);
        let words = format!("expected to gain {}", money(gain, unit));
        tiles.push((
            "Money to move".to_owned(),
            money(moved, &data.currency),
            words,
        ));
    }
    tiles.push(("Model checks".to_owned(), health.to_owned(), String::new()));
    let tile = |(name, value, note): &(String, String, String)| {
        format!(
            "<div class=\"tile\"><dt>{}</dt><dd>{}<span>{}</span></dd></div>",
            escape(name),
            escape(value),
            escape(note)
        )
    };
    format!(
        "<dl class=\"tiles\">{}</dl>\n",
        tiles.iter().map(tile).collect::<String>()
    )
}

/// Contribution of all paid channels over their spend, with its 90 % interval.
fn blended(data: &Data) -> Option<(String, String)> {
    let model = &data.fitted.model;
    let draws = mixline_model::response::contribution_draws(model, &data.fitted.draws);
    let paid: Vec<usize> = (0..draws.len())
        .filter(|&c| model.panel.channels[c].spend.is_some())
        .collect();
    let spend: f64 = data.results.iter().filter_map(|row| row.spend).sum();
    let count = draws.first().map_or(0, Vec::len);
    if spend <= 0.0 || count == 0 {
        return None;
    }
    let total = |d: usize| paid.iter().map(|&c| draws[c][d]).sum::<f64>() / spend;
    let mut roas: Vec<f64> = (0..count).map(total).collect();
    let all = mixline_model::response::Interval::of(&mut roas);
    let words = format!("90 %: {} to {}", compact(all.q05), compact(all.q95));
    Some((compact(all.mean), words))
}

/// The three recommendations that matter most.
fn decisions(data: &Data) -> String {
    let open = data.open_decisions();
    let cards: String = open
        .iter()
        .filter(|row| row.action != "hold")
        .take(3)
        .map(|row| card(row))
        .collect();
    if cards.is_empty() {
        return String::new();
    }
    format!("<h3>What to do</h3>\n<div class=\"cards\">{cards}</div>\n")
}

fn card(row: &DecisionStore) -> String {
    let gain = match (
        row.expected_gain,
        row.expected_gain_q05,
        row.expected_gain_q95,
    ) {
        (Some(mean), Some(low), Some(high)) => {
            format!("Expected gain {} {}", range(mean, low, high), row.unit)
        }
        _ => "Brings knowledge, not money at once".to_owned(),
    };
    let sure = row
        .probability_of_gain
        .map(|p| format!(" · probability of a gain {}", percent(p)))
        .unwrap_or_default();
    let undo = match row.action.as_str() {
        "test" => "ends by itself",
        _ => "can be undone next week",
    };
    format!(
        "<article class=\"card\"><h4>{}</h4><p>{}</p><p class=\"small\">{}</p>\
         <p class=\"small\">Confidence {} · {undo} · worth acting on until {} · decision {}</p></article>",
        escape(&mixline_chart::text::capital(&row.action.replace('_', " "))),
        escape(&row.message),
        escape(&format!("{gain}{sure}")),
        percent(row.confidence),
        row.expires_on,
        escape(&row.decision_id),
    )
}

pub(super) fn manager(data: &Data, figures: &[(View, Figure)]) -> String {
    let why = data
        .no_plan
        .map(|reason| format!("<p class=\"error\">{}</p>\n", escape(reason)));
    format!(
        "{}{}{}",
        why.unwrap_or_default(),
        figures_of(View::Manager, figures),
        certificates(data)
    )
}

/// What is proven about each plan.
fn certificates(data: &Data) -> String {
    if data.outcomes.is_empty() {
        return String::new();
    }
    let unit = &data.outcome.unit;
    let mut table = DataTable::new(vec![
        Column::words("Plan"),
        Column::numbers("Budget", &data.currency),
        Column::numbers("Outcome", unit),
        Column::numbers("Gain", unit),
        Column::numbers("Gain, 5 %", unit),
        Column::numbers("Gain, 95 %", unit),
        Column::numbers("Probability of a gain", ""),
        Column::words("Goal"),
        Column::words("What is proven"),
    ]);
    for row in &data.outcomes {
        table.rows.push(vec![
            Cell::text(row.plan.replace('_', " ")),
            Cell::number(row.budget),
            Cell::number(row.response),
            Cell::number(row.gain),
            Cell::number(row.gain_q05),
            Cell::number(row.gain_q95),
            Cell::number(row.probability_of_gain),
            Cell::text(row.objective.clone()),
            Cell::text(row.certificate.clone()),
        ]);
    }
    block("Plans and what is proven about them", &table)
}

pub(super) fn analyst(data: &Data, figures: &[(View, Figure)], inputs: &[InputRef]) -> String {
    format!(
        "{}{}{}{}{}",
        figures_of(View::Analyst, figures),
        checks(data),
        findings(data),
        parameters(data),
        lineage(data, inputs),
    )
}

/// A table under a heading.
pub(super) fn block(title: &str, table: &DataTable) -> String {
    let title = escape(title);
    let html = table.to_html(&title);
    format!(
        "<div class=\"block\"><h3>{title}</h3><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{html}</div></div>\n"
    )
}

fn checks(data: &Data) -> String {
    let mut table = DataTable::new(vec![
        Column::words("Verdict"),
        Column::words("Check"),
        Column::words("Of"),
        Column::numbers("Value", ""),
        Column::numbers("Limit", ""),
        Column::words("Found"),
        Column::words("Advice"),
    ]);
    let mut rows: Vec<_> = data
        .checks
        .iter()
        .filter(|row| row.check != "verdict")
        .collect();
    let rank = |verdict: &str| {
        ["fail", "review", "pass"]
            .iter()
            .position(|v| *v == verdict)
    };
    rows.sort_by_key(|row| (rank(&row.verdict), row.check.clone(), row.subject.clone()));
    for row in rows {
        table.rows.push(vec![
            Cell::text(row.verdict.clone()),
            Cell::text(row.check.clone()),
            Cell::text(row.subject.clone()),
            Cell::maybe(row.value),
            Cell::maybe(row.threshold),
            Cell::text(row.message.clone()),
            Cell::text(row.advice.clone()),
        ]);
    }
    block("Checks of the model", &table)
}

fn findings(data: &Data) -> String {
    if data.findings.is_empty() {
        return String::new();
    }
    let mut table = DataTable::new(vec![
        Column::words("Severity"),
        Column::words("Where"),
        Column::words("Found"),
        Column::words("Advice"),
    ]);
    for row in &data.findings {
        table.rows.push(vec![
            Cell::text(row.severity.clone()),
            Cell::text(
                format!("{} {} {}", row.artifact, row.subject, row.at)
                    .trim()
                    .to_owned(),
            ),
            Cell::text(row.message.clone()),
            Cell::text(row.advice.clone()),
        ]);
    }
    block("Findings about the data", &table)
}

/// Parameters printed at most; the table `posterior_summary` has all.
const PARAMETERS: usize = 200;

fn parameters(data: &Data) -> String {
    let mut columns = vec![Column::words("Parameter")];
    for name in [
        "Mean", "SD", "5 %", "Median", "95 %", "R-hat", "ESS bulk", "ESS tail",
    ] {
        columns.push(Column::numbers(name, ""));
    }
    let mut table = DataTable::new(columns);
    for row in data.summary.iter().take(PARAMETERS) {
        let mut cells = vec![Cell::text(row.parameter.clone())];
        cells.extend([row.mean, row.sd, row.q05, row.q50, row.q95].map(Cell::number));
        cells.extend([row.r_hat, row.ess_bulk, row.ess_tail].map(Cell::maybe));
        table.rows.push(cells);
    }
    let title = match data.summary.len() {
        n if n > PARAMETERS => format!("Parameters, the first {PARAMETERS} of {n}"),
        _ => "Parameters".to_owned(),
    };
    block(&title, &table)
}

/// What every number comes from, and how to make the page again. Tables are named by their content:
/// one and the same may have several versions, and the page must not depend on which was read.
fn lineage(data: &Data, inputs: &[InputRef]) -> String {
    let mut table = DataTable::new(vec![
        Column::words("Table"),
        Column::words("Content digest"),
    ]);
    for input in inputs {
        table.rows.push(vec![
            Cell::text(input.artifact.clone()),
            Cell::text(input.digest.to_string()),
        ]);
    }
    let card = &data.fitted.card;
    format!(
        "{}<p class=\"small\">Model {} ({}, seed {}), {} to {}. Where a number comes from: \
         <code>mixline lineage report</code>; the same page again: \
         <code>mixline run weekly_optimize --force-task report</code>.</p>\n",
        block("Tables behind this page", &table),
        escape(&card.model_id),
        card.engine.name(),
        card.seed,
        card.data_from,
        card.data_until,
    )
}

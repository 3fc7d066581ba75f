//! `mixline attribution paths`.

use mixline_artifact::Store;
use mixline_schema::catalog::AttributionPaths;
use serde_json::{Value, json};

use super::{percent, version};
use crate::app::App;
use crate::failure::Outcome;
use crate::ui::table::Table;
use crate::ui::words;

/// List the paths that end in most orders
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Paths to list; 0 means all
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Version or alias of `attribution_paths` [default: the newest]
    #[arg(long, value_name = "V")]
    at: Option<String>,
}

pub(super) async fn execute(app: &App, store: &Store, args: &Args) -> Outcome<()> {
    let (log, at) = version::<AttributionPaths>(store, args.at.as_deref()).await?;
    let mut rows = log.read_table::<AttributionPaths>(Some(at)).await?.rows();
    rows.sort_by_key(|row| row.rank);
    let total = rows.len();
    if args.limit > 0 {
        rows.truncate(args.limit);
    }
    if app.json() {
        let paths: Vec<Value> = rows.iter().map(document).collect();
        return app.document(&json!({ "version": at, "paths": paths }));
    }
    app.table(&table(&rows))?;
    if total > rows.len() {
        let more = words::counted((total - rows.len()) as u64, "more path");
        app.note(
            app.style()
                .dim(&format!("… {more}; `--limit 0` lists them")),
        )?;
    }
    Ok(())
}

fn document(row: &AttributionPaths) -> Value {
    json!({
        "rank": row.rank, "path": row.path, "touches": row.touches,
        "conversions": row.conversions, "nulls": row.nulls, "revenue": row.revenue,
        "conversion_rate": row.conversion_rate,
    })
}

fn table(rows: &[AttributionPaths]) -> Table {
    let mut table = Table::new(&[
        ">rank",
        "path",
        ">touches",
        ">conversions",
        ">rate",
        ">revenue",
    ]);
    for row in rows {
        table.row(vec![
            row.rank.to_string(),
            row.path.clone(),
            row.touches.to_string(),
            words::amount(row.conversions),
            percent(row.conversion_rate),
            words::amount(row.revenue),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::style::Style;

    #[test]
    fn paths_stand_in_their_order() {
        let row = |rank, path: &str, conversions| AttributionPaths {
            path: path.to_owned(),
            rank,
            touches: 2,
            conversions,
            nulls: 3.0 * conversions,
            revenue: 61.5 * conversions,
            conversion_rate: 0.25,
        };
        let rows = [
            row(1, "meta ×2 > google", 1200.0),
            row(2, "(no touches)", 7.0),
        ];
        insta::assert_snapshot!(table(&rows).render(Style::PLAIN));
    }
}

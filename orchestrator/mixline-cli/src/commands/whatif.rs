//! `mixline optimize` and `mixline simulate`: questions about the coming weeks, answered without
//! committing anything.
//!
//! Both run a step on the store's newest champion into a scratch folder, and print what it wrote.

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use mixline_artifact::export;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::ui::table::Table;
use crate::ui::words::amount;

/// Plan the budget of the coming weeks from the champion's draws, without committing anything
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline optimize                                   as much as now, no channel by more than 50 %
  mixline optimize --budget 400000 --max-change 0.3
  mixline optimize --set plan.channels.tv.locked=true --set plan.channels.meta.max=120000
  mixline optimize --set 'plan.budget.flexible.target_marginal_roas=1.5'

Amounts are totals over the planned periods. `step-optimize describe` prints every key.")]
pub(crate) struct Optimize {
    /// Total to spend over the planned periods
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<f64>,
    /// Most change of a channel against its current spend: 0.3 is ±30 %
    #[arg(long, value_name = "SHARE")]
    max_change: Option<f64>,
    /// Periods to plan
    #[arg(long, value_name = "N")]
    periods: Option<usize>,
    /// Any other value of the step's configuration
    #[arg(long = "set", value_name = "KEY.PATH=VALUE")]
    settings: Vec<String>,
}

/// Say what changes of spend would do, without committing anything
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mixline simulate meta=+20% google=-10%
  mixline simulate tv=-100% --periods 4
  mixline simulate all=+10%")]
pub(crate) struct Simulate {
    /// Changes of spend by channel, in percent or as a share; `all` stands for the others
    #[arg(required = true, value_name = "CHANNEL=CHANGE")]
    changes: Vec<String>,
    /// Periods the changes last
    #[arg(long, value_name = "N")]
    periods: Option<usize>,
}

/// Carries out `mixline optimize`.
pub(crate) async fn optimize(app: &App, args: &Optimize) -> Outcome<ExitCode> {
    let mut settings = args.settings.clone();
    settings.extend(
        args.budget
            .map(|budget| format!("plan.budget.total={budget:?}")),
    );
    settings.extend(
        args.max_change
            .map(|share| format!("plan.max_change={share:?}")),
    );
    settings.extend(
        args.periods
            .map(|periods| format!("horizon.periods={periods}")),
    );
    let answer = match ask(
        app,
        "step-optimize",
        &settings,
        &["budget_plan", "plan_outcomes"],
    )
    .await?
    {
        Answer::Tables(tables) => tables,
        Answer::Ended(code) => return Ok(code),
    };
    let [plan, outcomes] = &answer[..] else {
        return Err(Failure::data("the step wrote no plan"));
    };
    if app.json() {
        app.document(&json!({ "plan": plan, "outcomes": outcomes }))?;
    } else if plan.is_empty() {
        app.line(
            "There is no plan: the newest model failed its checks, or none was promoted yet.",
        )?;
    } else {
        print_plan(app, plan, outcomes)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Carries out `mixline simulate`.
pub(crate) async fn simulate(app: &App, args: &Simulate) -> Outcome<ExitCode> {
    let mut changes = Map::new();
    for text in &args.changes {
        let (channel, change) = parse(text)?;
        changes.insert(channel, json!(change));
    }
    let scenario = args.changes.join(" ");
    let config = json!({ "scenarios": { scenario: changes } });
    let mut settings = vec![format!("scenarios={}", toml_inline(&config["scenarios"]))];
    settings.extend(
        args.periods
            .map(|periods| format!("horizon.periods={periods}")),
    );
    let answer = match ask(app, "step-simulate", &settings, &["scenarios"]).await? {
        Answer::Tables(tables) => tables,
        Answer::Ended(code) => return Ok(code),
    };
    let rows = answer.into_iter().next().unwrap_or_default();
    if app.json() {
        app.document(&rows)?;
    } else if rows.is_empty() {
        app.line(
            "Nothing to simulate: the newest model failed its checks, or none was promoted yet.",
        )?;
    } else {
        print_scenario(app, &rows)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `meta=+20%` or `meta=0.2`.
fn parse(text: &str) -> Outcome<(String, f64)> {
    let wrong = || {
        Failure::usage(format!("`{text}` is no change of spend"))
            .hint("write CHANNEL=CHANGE, for example meta=+20% or meta=-0.1")
    };
    let (channel, change) = text.split_once('=').ok_or_else(wrong)?;
    let (digits, scale) = match change.strip_suffix('%') {
        Some(digits) => (digits, 0.01),
        None => (change, 1.0),
    };
    let value: f64 = digits
        .trim()
        .replace('−', "-")
        .parse()
        .map_err(|_| wrong())?;
    let share = value * scale;
    if channel.is_empty() || !share.is_finite() || share < -1.0 {
        return Err(wrong());
    }
    Ok((channel.to_owned(), share))
}

/// A JSON object as an inline table of TOML.
fn toml_inline(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                // A JSON string is a basic string of TOML, keys included.
                format!("{} = {}", Value::String(key.clone()), toml_inline(value))
            });
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

enum Answer {
    /// Rows of each table asked for.
    Tables(Vec<Vec<Value>>),
    /// The step failed and has said why.
    Ended(ExitCode),
}

/// Runs a step into a scratch folder and reads what it wrote.
async fn ask(app: &App, step: &str, settings: &[String], tables: &[&str]) -> Outcome<Answer> {
    let engine = app.engine().await?;
    let program = engine.find_step(step)?;
    let project = engine.project();
    let folder = std::env::temp_dir().join(format!("mixline-{}", uuid::Uuid::new_v4()));
    let mut command = tokio::process::Command::new(&program);
    command
        .args(["run", "--store", &project.store, "--out-dir"])
        .arg(&folder);
    command.args(["--log", "warn", "--log-format", "pretty"]);
    for setting in settings {
        command.args(["--set", setting]);
    }
    command
        .current_dir(&project.root)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let status = command.status().await;
    let status = status.map_err(|source| Failure::file("start", &program, source))?;
    let answer = if status.success() {
        let read = |table: &&str| rows(folder.join(format!("{table}.parquet")));
        tables
            .iter()
            .map(read)
            .collect::<Outcome<Vec<_>>>()
            .map(Answer::Tables)
    } else {
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        Ok(Answer::Ended(ExitCode::from(code.unwrap_or(1))))
    };
    // A scratch folder that stays behind harms nobody.
    let _ = std::fs::remove_dir_all(&folder);
    answer
}

fn rows(file: PathBuf) -> Outcome<Vec<Value>> {
    let bytes = std::fs::read(&file).map_err(|source| Failure::file("read", &file, source))?;
    let frame = export::decode_parquet(bytes.into())?;
    Ok(export::rows(&frame)?)
}

fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

fn text<'v>(row: &'v Value, key: &str) -> &'v str {
    row[key].as_str().unwrap_or_default()
}

fn print_plan(app: &App, plan: &[Value], outcomes: &[Value]) -> Outcome<()> {
    let mut table = Table::new(&[
        "channel",
        "now",
        "proposed",
        "change",
        "next unit brings",
        "kept by",
        "seen before",
    ]);
    for row in plan.iter().filter(|row| text(row, "plan") == "best") {
        let (now, next) = (number(row, "current"), number(row, "proposed"));
        let change = if now > 0.0 {
            format!("{:+.0} %", 100.0 * (next / now - 1.0))
        } else {
            "new".to_owned()
        };
        let channel = match text(row, "geo") {
            "all" => text(row, "channel").to_owned(),
            geo => format!("{} in {geo}", text(row, "channel")),
        };
        table.row(vec![
            channel,
            amount(now),
            amount(next),
            change,
            format!(
                "{:.2} → {:.2}",
                number(row, "current_marginal_roas"),
                number(row, "marginal_roas")
            ),
            text(row, "bound").to_owned(),
            if row["inside_observed"] == json!(true) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]);
    }
    app.table(&table)?;
    let Some(best) = outcomes.iter().find(|row| text(row, "plan") == "best") else {
        return Ok(());
    };
    let unit = text(best, "unit");
    app.line(format!(
        "\n{} periods from {}: {} {unit} bring {} ({} to {})",
        number(best, "periods"),
        text(best, "first_day"),
        amount(number(best, "budget")),
        amount(number(best, "response")),
        amount(number(best, "response_q05")),
        amount(number(best, "response_q95")),
    ))?;
    app.line(format!(
        "gain over going on as now: {} {unit} ({} to {}), probability of a gain {:.0} %",
        amount(number(best, "gain")),
        amount(number(best, "gain_q05")),
        amount(number(best, "gain_q95")),
        100.0 * number(best, "probability_of_gain"),
    ))?;
    app.note(app.style().dim(text(best, "certificate")))
}

fn print_scenario(app: &App, rows: &[Value]) -> Outcome<()> {
    let mut table = Table::new(&[
        "channel",
        "spend now",
        "spend then",
        "change",
        "effect",
        "5 % to 95 %",
        "better with",
        "seen before",
    ]);
    for row in rows {
        table.row(vec![
            text(row, "channel").to_owned(),
            amount(number(row, "spend_before")),
            amount(number(row, "spend_after")),
            format!("{:+.0} %", 100.0 * number(row, "change")),
            amount(number(row, "effect")),
            format!(
                "{} to {}",
                amount(number(row, "effect_q05")),
                amount(number(row, "effect_q95"))
            ),
            format!("{:.0} %", 100.0 * number(row, "probability_positive")),
            if row["inside_observed"] == json!(true) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]);
    }
    app.table(&table)?;
    let all = rows.iter().find(|row| text(row, "channel") == "all");
    let Some(all) = all else { return Ok(()) };
    let extra = number(all, "spend_after") - number(all, "spend_before");
    app.line(format!(
        "\nover {} periods: outcome {} {unit}, spend {} {unit}",
        number(all, "periods"),
        signed(number(all, "effect")),
        signed(extra),
        unit = text(all, "unit"),
    ))
}

fn signed(value: f64) -> String {
    if value >= 0.5 {
        format!("+{}", amount(value))
    } else {
        amount(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_in_percent_and_as_shares() {
        for (text, want) in [
            ("meta=+20%", 0.2),
            ("meta=-10%", -0.1),
            ("meta=0.5", 0.5),
            ("meta=−100%", -1.0),
        ] {
            let (channel, share) = parse(text).ok().unwrap();
            assert!(channel == "meta" && (share - want).abs() < 1e-12, "{text}");
        }
        for text in ["meta", "=5%", "meta=-101%", "meta=much", "meta=inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_survive_the_way_through_toml() {
        let value = json!({ "a \"b\" +1%": { "tv": -0.25, "all": 0.1 } });
        let text = format!("x = {}", toml_inline(&value));
        let back: toml::Table = text.parse().unwrap();
        let table = back["x"]["a \"b\" +1%"].as_table().unwrap();
        assert_eq!(table["tv"].as_float(), Some(-0.25));
    }
}

//! The numbers of a chart as a table: for people who want them, for screen readers, for
//! spreadsheets.

use std::fmt::Write;

use chrono::NaiveDate;

use crate::number::compact;
use crate::svg::escape;

/// The data behind a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataTable {
    /// What the columns are.
    pub columns: Vec<Column>,
    /// Rows with one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// What it shows.
    pub name: String,
    /// Unit of its numbers; empty when they have none.
    pub unit: String,
    /// Which side its cells keep to.
    pub align: Align,
}

/// Which side the cells of a column keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Names and dates.
    Left,
    /// Numbers.
    Right,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number in the unit of its column.
    Number(f64),
    /// A day.
    Date(NaiveDate),
    /// Nothing known.
    Empty,
}

impl Cell {
    /// Words.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A number; nothing when it is not finite.
    #[must_use]
    pub fn number(value: f64) -> Self {
        if value.is_finite() {
            Self::Number(value)
        } else {
            Self::Empty
        }
    }

    /// A number that may be missing.
    #[must_use]
    pub fn maybe(value: Option<f64>) -> Self {
        value.map_or(Self::Empty, Self::number)
    }
}

impl Column {
    /// A column of words or days.
    #[must_use]
    pub fn words(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            unit: String::new(),
            align: Align::Left,
        }
    }

    /// A column of numbers in a unit.
    #[must_use]
    pub fn numbers(name: &str, unit: &str) -> Self {
        Self {
            name: name.to_owned(),
            unit: unit.to_owned(),
            align: Align::Right,
        }
    }

    /// Name and unit.
    #[must_use]
    pub fn heading(&self) -> String {
        if self.unit.is_empty() {
            self.name.clone()
        } else {
            format!("{} ({})", self.name, self.unit)
        }
    }
}

impl DataTable {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: Vec<Column>) -> Self {
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// The table as CSV (RFC 4180): CRLF after every line, numbers in full. Words that a
    /// spreadsheet would take for a formula begin with an apostrophe.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let heading: Vec<_> = self.columns.iter().map(|c| word(&c.heading())).collect();
        let mut csv = line(&heading);
        for row in &self.rows {
            let cells: Vec<_> = row.iter().map(csv_cell).collect();
            csv.push_str(&line(&cells));
        }
        csv
    }

    /// The table as HTML: numbers in short, the full number in `value`.
    #[must_use]
    pub fn to_html(&self, caption: &str) -> String {
        let caption = escape(caption);
        let mut html = format!("<table class=\"data\"><caption>{caption}</caption><thead><tr>");
        for column in &self.columns {
            let (class, heading) = (class(column.align), escape(&column.heading()));
            let _ = write!(html, "<th scope=\"col\"{class}>{heading}</th>");
        }
        html.push_str("</tr></thead><tbody>\n");
        for row in &self.rows {
            self.html_row(&mut html, row);
        }
        html.push_str("</tbody></table>");
        html
    }

    fn html_row(&self, html: &mut String, row: &[Cell]) {
        html.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let class = self.columns.get(i).map_or("", |c| class(c.align));
            let content = html_cell(cell);
            let _ = if i == 0 {
                write!(html, "<th scope=\"row\"{class}>{content}</th>")
            } else {
                write!(html, "<td{class}>{content}</td>")
            };
        }
        html.push_str("</tr>\n");
    }
}

fn class(align: Align) -> &'static str {
    match align {
        Align::Left => "",
        Align::Right => " class=\"num\"",
    }
}

fn html_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape(text),
        Cell::Number(value) => format!("<data value=\"{value}\">{}</data>", compact(*value)),
        Cell::Date(day) => format!("<time datetime=\"{day}\">{day}</time>"),
        Cell::Empty => "–".to_owned(),
    }
}

fn csv_cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => word(text),
        Cell::Number(value) => value.to_string(),
        Cell::Date(day) => day.to_string(),
        Cell::Empty => String::new(),
    }
}

fn line(cells: &[String]) -> String {
    format!("{}\r\n", cells.join(","))
}

/// Words that cannot become a formula, in quotes where the format asks for them.
fn word(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let safe = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if safe.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> DataTable {
        let mut table = DataTable::new(vec![
            Column::words("Channel"),
            Column::numbers("Spend", "EUR"),
        ]);
        table.rows = vec![
            vec![Cell::text("=1+1"), Cell::number(1_234_567.891)],
            vec![Cell::text("a, \"b\""), Cell::number(f64::NAN)],
            vec![Cell::text("<x>"), Cell::number(-0.1)],
        ];
        table
    }

    #[test]
    fn csv_is_safe_and_exact() {
        assert_eq!(
            table().to_csv(),
            "Channel,Spend (EUR)\r\n'=1+1,1234567.891\r\n\"a, \"\"b\"\"\",\r\n<x>,-0.1\r\n"
        );
    }

    #[test]
    fn every_beginning_of_a_formula_is_defused() {
        for start in ['=', '+', '-', '@', '\t', '\r'] {
            let cell = word(&format!("{start}x"));
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell}");
        }
    }

    #[test]
    fn html_keeps_the_full_number() {
        let html = table().to_html("Spend & effect");
        assert!(html.contains("<caption>Spend &amp; effect</caption>"));
        assert!(html.contains("<data value=\"1234567.891\">1.2\u{a0}M</data>"));
        assert!(html.contains("<th scope=\"row\">&lt;x&gt;</th>"));
        assert!(html.contains("<td class=\"num\">–</td>"));
    }
}

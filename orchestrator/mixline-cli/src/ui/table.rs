//! Tables without borders: aligned columns, numbers to the right.

use comfy_table::{Cell, CellAlignment, presets};

use crate::ui::style::Style;

/// A table to print.
#[derive(Debug, Default)]
pub(crate) struct Table {
    header: Vec<String>,
    right: Vec<bool>,
    state: Option<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns. A name that starts with `>` is a column of numbers, one that
    /// starts with `!` holds states, which are colored.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let header = columns
            .iter()
            .map(|name| name.trim_start_matches(['>', '!']).to_owned());
        Self {
            header: header.collect(),
            right: columns.iter().map(|name| name.starts_with('>')).collect(),
            state: columns.iter().position(|name| name.starts_with('!')),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Line breaks become spaces: one row is one line.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| cell.replace(['\n', '\r', '\t'], " "))
                .collect(),
        );
    }

    /// The table as text, without a line break at its end.
    pub(crate) fn render(&self, style: Style) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_header(self.cells(&self.header));
        for row in &self.rows {
            table.add_row(self.cells(row));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let text = table.to_string();
        let lines = text.lines().enumerate().map(|(at, line)| {
            let line = line.trim_end();
            match at.checked_sub(1) {
                None => style.bold(line),
                Some(row) => self.colored(row, line, style),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn cells(&self, row: &[String]) -> Vec<Cell> {
        let right = |at: usize| self.right.get(at).copied().unwrap_or(false);
        let cell = |(at, text): (usize, &String)| {
            let side = if right(at) {
                CellAlignment::Right
            } else {
                CellAlignment::Left
            };
            Cell::new(text).set_alignment(side)
        };
        row.iter().enumerate().map(cell).collect()
    }

    /// The first occurrence of the row's state word, colored.
    fn colored(&self, row: usize, line: &str, style: Style) -> String {
        let word = self.state.and_then(|at| self.rows.get(row)?.get(at));
        match word.filter(|word| !word.is_empty()) {
            Some(word) => line.replacen(word.as_str(), &style.state(word, word), 1),
            None => line.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_lines_have_no_trailing_space() {
        let mut table = Table::new(&["artifact", ">rows", "by"]);
        table.row(vec!["media_daily".into(), "2,190".into(), "ingest".into()]);
        table.row(vec!["orders".into(), "7".into(), String::new()]);
        insta::assert_snapshot!(table.render(Style::PLAIN), @r"
        artifact      rows  by
        media_daily  2,190  ingest
        orders           7
        ");
    }
}

//! `text.formula`: text that a spreadsheet would execute.

use std::collections::BTreeSet;

use crate::finding::Finding;

/// Characters that begin a formula in spreadsheets.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// `text.formula`: cells of a column that begin with a formula character, each text once.
pub(crate) fn formula<'a>(
    artifact: &'static str,
    column: &str,
    cells: impl IntoIterator<Item = &'a str>,
) -> Vec<Finding> {
    let odd: BTreeSet<&str> = cells
        .into_iter()
        .filter(|cell| cell.starts_with(FORMULA))
        .collect();
    let finding = |cell: &str| {
        Finding::warning("text.formula", artifact, column)
            .at(cell.escape_debug())
            .says(format!("`{}` begins like a formula", cell.escape_debug()))
            .advises("exports neutralize it; rename it in the source if it is not meant")
    };
    odd.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_formula_character_counts_at_the_beginning_only() {
        let cells = [
            "=1+1", "+49", "-5", "@sum", "\tx", "\rx", "a=b", "", "Sale", "=1+1",
        ];
        assert_eq!(formula("media_daily", "campaign", cells).len(), 6);
    }
}

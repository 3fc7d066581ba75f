//! Days as exports write them. One format holds for a whole column, and is chosen by all of it:
//! `03/04/2026` says nothing, `03/14/2026` somewhere below says everything.

use chrono::NaiveDate;

/// Formats that are tried, by name. Day and month swapped are both in the list on purpose.
const FORMATS: [&str; 16] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
];

/// How the days of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DayFormat(String);

impl DayFormat {
    /// A format given by a person (chrono's `strftime` letters).
    pub(crate) fn given(format: &str) -> Self {
        Self(format.to_owned())
    }

    /// The format's letters.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// Days since 1970; `None` for other texts.
    pub(crate) fn read(&self, text: &str) -> Option<i32> {
        let day = match text.as_bytes() {
            bytes if self.0 == FORMATS[0] && bytes.len() == 10 => iso(bytes)?,
            _ => NaiveDate::parse_from_str(without_midnight(text.trim()), &self.0).ok()?,
        };
        // Two-digit years would otherwise be read as years of the first century.
        let sensible = (1900..=2200).contains(&chrono::Datelike::year(&day));
        sensible.then(|| day.to_epoch_days())
    }
}

/// The formats that fit every cell seen so far.
#[derive(Debug, Clone)]
pub(crate) struct Candidates(Vec<DayFormat>);

impl Default for Candidates {
    fn default() -> Self {
        Self(
            FORMATS
                .iter()
                .map(|format| DayFormat::given(format))
                .collect(),
        )
    }
}

/// What the cells say of the format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// This one.
    One(DayFormat),
    /// Day and month could be swapped.
    Ambiguous(Vec<String>),
    /// None fits.
    None,
}

impl Candidates {
    /// Leaves out the formats that do not fit a cell.
    pub(crate) fn see(&mut self, text: &str) {
        if self.0.iter().any(|format| format.read(text).is_some()) {
            self.0.retain(|format| format.read(text).is_some());
        }
    }

    /// What is left.
    pub(crate) fn choice(&self) -> Choice {
        match self.0.as_slice() {
            [] => Choice::None,
            [one] => Choice::One(one.clone()),
            all if all.len() == FORMATS.len() => Choice::None,
            // `%b` and `%B` read the same texts.
            [first, rest @ ..] if rest.iter().all(|format| same(first, format)) => {
                Choice::One(first.clone())
            }
            several => Choice::Ambiguous(several.iter().map(|f| f.0.clone()).collect()),
        }
    }
}

fn same(a: &DayFormat, b: &DayFormat) -> bool {
    a.0.replace("%B", "%b") == b.0.replace("%B", "%b")
}

/// `2026-09-01 00:00:00` and `2026-09-01T00:00:00Z` are days that passed through a database.
fn without_midnight(text: &str) -> &str {
    let Some(at) = text.find("00:00:00").filter(|at| *at >= 9) else {
        return text;
    };
    let rest = text[at + 8..].trim_start_matches(['.', '0', ':', '+', '-']);
    match rest.trim() {
        "" | "Z" | "UTC" => text[..at - 1].trim_end_matches('T'),
        _ => text,
    }
}

fn iso(bytes: &[u8]) -> Option<NaiveDate> {
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().try_fold(0_u32, |sum, byte| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i32::try_from(number(0..4)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(cells: &[&str]) -> Choice {
        let mut candidates = Candidates::default();
        cells.iter().for_each(|cell| candidates.see(cell));
        candidates.choice()
    }

    #[test]
    fn a_column_shows_its_format() {
        let one = |format: &str| Choice::One(DayFormat::given(format));
        assert_eq!(choose(&["2026-09-01"]), one("%Y-%m-%d"));
        assert_eq!(choose(&["2026-09-01T00:00:00Z"]), one("%Y-%m-%d"));
        assert_eq!(choose(&["01.09.2026"]), one("%d.%m.%Y"));
        assert_eq!(choose(&["03/04/2026", "03/14/2026"]), one("%m/%d/%Y"));
        assert_eq!(choose(&["14/03/2026", "03/04/2026"]), one("%d/%m/%Y"));
        assert_eq!(choose(&["Sep 1, 2026"]), one("%b %d, %Y"));
        assert_eq!(choose(&["20260901"]), one("%Y%m%d"));
    }

    #[test]
    fn day_and_month_that_could_be_swapped_are_not_guessed() {
        let expected = Choice::Ambiguous(vec!["%d/%m/%Y".into(), "%m/%d/%Y".into()]);
        assert_eq!(choose(&["03/04/2026", "05/06/2026"]), expected);
        assert_eq!(choose(&["yesterday"]), Choice::None);
    }

    #[test]
    fn days_that_do_not_exist_are_no_days() {
        let iso = DayFormat::given("%Y-%m-%d");
        assert_eq!(iso.read("1970-01-02"), Some(1));
        assert_eq!(iso.read("2026-02-29"), None);
        assert_eq!(iso.read("2O26-02-01"), None);
        assert_eq!(iso.read("0026-02-01"), None);
    }
}

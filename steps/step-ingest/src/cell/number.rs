//! Numbers as exports write them: `1204`, `1,204.50`, `1.204,50`, `1 204,50 €`, `2.4e+06`.
//!
//! A mark is the decimal mark when something proves it: two kinds of marks in one number, a group
//! that does not have three digits, the same mark twice. `1,204` alone proves nothing; such a
//! number is read only if another cell of its column, or its file, has shown what the comma means.

/// What separates whole and fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// `1,204.50`
    Point,
    /// `1.204,50`
    Comma,
}

impl Mark {
    fn char(self) -> char {
        if self == Self::Point { '.' } else { ',' }
    }

    fn other(self) -> Self {
        if self == Self::Point {
            Self::Comma
        } else {
            Self::Point
        }
    }
}

/// What a number says of the decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// No mark at all.
    Silent,
    /// One mark before three digits: either.
    Either,
    /// It can only be read with this one.
    Only(Mark),
}

/// Why a cell is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotANumber {
    /// It is something else.
    Text,
    /// It can be read in two ways.
    Ambiguous,
    /// It is a number with a fraction where a count is wanted.
    Fraction,
}

/// A number; `mark` is what is known of its column.
pub(crate) fn amount(text: &str, mark: Option<Mark>) -> Result<f64, NotANumber> {
    if mark != Some(Mark::Comma)
        && let Some(number) = plain(text.as_bytes(), mark.is_some())
    {
        return Ok(number);
    }
    let clean = clean(text);
    let evidence = evidence_of(&clean);
    let mark = match (mark, evidence) {
        (Some(mark), _) => mark,
        (None, Evidence::Only(mark)) => mark,
        (None, Evidence::Silent) => Mark::Point,
        (None, Evidence::Either) => return Err(NotANumber::Ambiguous),
    };
    parse(&clean, mark).ok_or(NotANumber::Text)
}

/// A count: marks can only be group marks.
pub(crate) fn count(text: &str) -> Result<i64, NotANumber> {
    let bytes = text.as_bytes();
    if !bytes.is_empty() && bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit) {
        return Ok(bytes
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')));
    }
    let clean = clean(text);
    // A mark is taken for a group mark first; `97.0`, as spreadsheets write 97, has none.
    let marks = if clean.contains('.') {
        [Mark::Comma, Mark::Point]
    } else {
        [Mark::Point, Mark::Comma]
    };
    let number = marks
        .into_iter()
        .find_map(|mark| parse(&clean, mark))
        .ok_or(NotANumber::Text)?;
    if number.fract() != 0.0 {
        return Err(NotANumber::Fraction);
    }
    // Whole numbers of this size are exact.
    if number.abs() < 9e15 {
        Ok(number as i64)
    } else {
        Err(NotANumber::Text)
    }
}

/// What a cell says of the decimal mark of its column.
pub(crate) fn evidence(text: &str) -> Evidence {
    evidence_of(&clean(text))
}

/// Digits with at most one point, few enough that the quotient is the nearest number. With
/// `certain`, a point is a decimal point whatever follows it.
fn plain(bytes: &[u8], certain: bool) -> Option<f64> {
    const TENS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut number, mut fraction) = (0_u64, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = number * 10 + u64::from(byte - b'0');
                fraction = fraction.map(|places: usize| places + 1);
            }
            b'.' if fraction.is_none() => fraction = Some(0),
            _ => return None,
        }
    }
    let places = fraction.unwrap_or(0);
    let only_a_point = fraction.is_some() && digits.len() == 1;
    if only_a_point || places > 15 || !certain && places == 3 {
        return None;
    }
    let number = number as f64 / TENS[places];
    Some(if negative { -number } else { number })
}

/// Without spaces, apostrophes and currency signs; with a plain minus sign.
fn clean(text: &str) -> String {
    let kept = text.chars().filter_map(|c| match c {
        ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '€' | '$' | '£' | '¥' => None,
        '−' => Some('-'),
        c => Some(c),
    });
    kept.collect()
}

fn evidence_of(clean: &str) -> Evidence {
    let number = clean.trim_start_matches(['-', '+']);
    let (points, commas) = (number.matches('.').count(), number.matches(',').count());
    match (points, commas) {
        (0, 0) => Evidence::Silent,
        (0, 1) => single(number, Mark::Comma),
        (1, 0) => single(number, Mark::Point),
        (0, _) => Evidence::Only(Mark::Point),
        (_, 0) => Evidence::Only(Mark::Comma),
        _ => {
            let last = if number.rfind('.') > number.rfind(',') {
                Mark::Point
            } else {
                Mark::Comma
            };
            Evidence::Only(last)
        }
    }
}

/// One mark: a group mark stands after one to three digits (not a lone zero) and before three.
fn single(number: &str, mark: Mark) -> Evidence {
    let (whole, rest) = number.split_once(mark.char()).unwrap_or((number, ""));
    let group = (1..=3).contains(&whole.len()) && !whole.starts_with('0') && rest.len() == 3;
    if group && rest.bytes().all(|b| b.is_ascii_digit()) {
        Evidence::Either
    } else {
        Evidence::Only(mark)
    }
}

/// The number, when its groups are groups of three.
fn parse(clean: &str, mark: Mark) -> Option<f64> {
    let unsigned = clean.trim_start_matches(['-', '+']);
    if clean.len() - unsigned.len() > 1
        || !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == mark.char())
    {
        return None;
    }
    let (whole, fraction) = unsigned.split_once(mark.char()).unwrap_or((unsigned, ""));
    let mut groups = whole.split(mark.other().char());
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let grouped = !rest.is_empty();
    if grouped && (!(1..=3).contains(&first.len()) || rest.iter().any(|group| group.len() != 3)) {
        return None;
    }
    let sign = if clean.starts_with('-') { "-" } else { "" };
    let number: f64 = format!("{sign}{first}{}.{fraction}", rest.concat())
        .replace(".e", ".0e")
        .parse()
        .ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_read_by_what_proves_them() {
        let read = |text| amount(text, None);
        assert_eq!(read("1,204.50"), Ok(1204.5));
        assert_eq!(read("1.204,50"), Ok(1204.5));
        assert_eq!(read("1 204,50 €"), Ok(1204.5));
        assert_eq!(read("1'204.50"), Ok(1204.5));
        assert_eq!(read("12,5"), Ok(12.5));
        assert_eq!(read("0.125"), Ok(0.125));
        assert_eq!(read("1,234,567"), Ok(1_234_567.0));
        assert_eq!(read("1.426697e+06"), Ok(1_426_697.0));
        assert_eq!(read("-3.50"), Ok(-3.5));
        assert_eq!(read("−3,50"), Ok(-3.5));
        assert_eq!(read("2.414281100334212"), Ok(2.414281100334212));
    }

    #[test]
    fn what_proves_nothing_is_not_guessed() {
        assert_eq!(amount("1,204", None), Err(NotANumber::Ambiguous));
        assert_eq!(amount("1.204", None), Err(NotANumber::Ambiguous));
        assert_eq!(amount("1,204", Some(Mark::Point)), Ok(1204.0));
        assert_eq!(amount("1,204", Some(Mark::Comma)), Ok(1.204));
        assert_eq!(amount("1.204", Some(Mark::Point)), Ok(1.204));
    }

    #[test]
    fn counts_have_no_fraction_and_marks_are_groups() {
        assert_eq!(count("13,188"), Ok(13_188));
        assert_eq!(count("13.188"), Ok(13_188));
        assert_eq!(count("1.234.567"), Ok(1_234_567));
        assert_eq!(count("97.0"), Ok(97));
        assert_eq!(count("-5"), Ok(-5));
        assert_eq!(count("97.5"), Err(NotANumber::Fraction));
        assert_eq!(count("many"), Err(NotANumber::Text));
    }

    #[test]
    fn other_texts_are_no_numbers() {
        for text in [
            "12x",
            "1,23,456.0",
            "1..2",
            ".",
            "--5",
            "NaN",
            "inf",
            "1e999",
            "2O",
            "",
        ] {
            assert_eq!(
                amount(text, Some(Mark::Point)),
                Err(NotANumber::Text),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn numbers_written_either_way_come_back(cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            let number = cents as f64 / 100.0;
            let point = format!("{number:.2}");
            prop_assert_eq!(amount(&point, None), Ok(number));
            prop_assert_eq!(amount(&point.replace('.', ","), None), Ok(number));
            let whole = (cents / 100).unsigned_abs().to_string();
            let mut grouped = String::new();
            for (at, digit) in whole.chars().enumerate() {
                if at > 0 && (whole.len() - at) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            let sign = if cents < 0 { "-" } else { "" };
            let text = format!("{sign}{grouped}.{:02}", cents.unsigned_abs() % 100);
            prop_assert_eq!(amount(&text, None), Ok(number));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,12}") {
            let _ = (amount(&text, None), amount(&text, Some(Mark::Comma)), count(&text), evidence(&text));
        }
    }
}

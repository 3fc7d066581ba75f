//! Headings: found by name, whatever their case, and read for the currency they carry.

/// The cells of a row of headings.
#[derive(Debug, Clone)]
pub(crate) struct Headings(Vec<Heading>);

/// One heading.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// As it stands in the file.
    pub(crate) text: String,
    /// Currency code at its end: `Amount spent (EUR)`.
    pub(crate) currency: Option<String>,
    plain: String,
}

impl Headings {
    pub(super) fn of(record: &csv::ByteRecord) -> Self {
        let heading = |cell: &[u8]| Heading::of(&String::from_utf8_lossy(cell));
        Self(record.iter().map(heading).collect())
    }

    /// The place of the first heading with one of these names.
    pub(crate) fn place(&self, names: &[String]) -> Option<usize> {
        names.iter().find_map(|name| {
            let wanted = plain(name);
            self.0
                .iter()
                .position(|heading| heading.plain == wanted || plain(&heading.text) == wanted)
        })
    }

    /// The heading at a place.
    pub(crate) fn at(&self, place: usize) -> &Heading {
        &self.0[place]
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Heading> {
        self.0.iter()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// As they stand in the file.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|heading| heading.text.as_str()).collect()
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.iter().all(|heading| heading.text.is_empty())
    }
}

impl Heading {
    fn of(text: &str) -> Self {
        let text = text.trim().trim_start_matches('\u{feff}').to_owned();
        let code = |(rest, code): (&str, &str)| {
            let code = code.strip_suffix(')')?;
            let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
            is_code.then(|| (plain(rest), code.to_owned()))
        };
        match text.rsplit_once(" (").and_then(code) {
            Some((plain, code)) => Self {
                text,
                currency: Some(code),
                plain,
            },
            None => Self {
                plain: plain(&text),
                currency: None,
                text,
            },
        }
    }
}

/// Lower case, with single spaces.
fn plain(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_read_off_and_other_brackets_stay() {
        let heading = Heading::of(" Amount spent (EUR) ");
        assert_eq!(
            (heading.plain.as_str(), heading.currency.as_deref()),
            ("amount spent", Some("EUR"))
        );
        let heading = Heading::of("Clicks (all)");
        assert_eq!(
            (heading.plain.as_str(), heading.currency),
            ("clicks (all)", None)
        );
    }
}

//! Fields: what is looked for in a file, and where it was found.

use crate::describe::Source;
use crate::sheet::Headings;

/// What a field's cells are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// Text as it stands.
    Text,
    /// A whole number.
    Count,
    /// A number.
    Amount,
    /// A day.
    Day,
    /// An instant.
    Instant,
}

/// How much a field is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Heading and every cell.
    Full,
    /// The heading; cells may be empty.
    Column,
    /// Neither.
    Optional,
}

/// Something that is looked for in a file.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Name, as in the tables it goes to and under `[columns]`.
    pub(crate) name: String,
    /// What its cells are.
    pub(crate) ty: Type,
    /// How much it is needed.
    pub(crate) need: Need,
    /// Headings it may have.
    pub(crate) headings: Vec<String>,
}

impl Field {
    /// A field with its usual headings.
    pub(crate) fn new(name: &str, ty: Type, need: Need, headings: &[&str]) -> Self {
        let headings = headings
            .iter()
            .map(|heading| (*heading).to_owned())
            .collect();
        Self {
            name: name.to_owned(),
            ty,
            need,
            headings,
        }
    }

    /// With the heading that a person gave it instead, if one did.
    pub(crate) fn declared(mut self, source: &Source) -> Self {
        if let Some(heading) = source.columns.get(&self.name) {
            self.headings = vec![heading.clone()];
        }
        self
    }

    /// `spend ("Amount spent", "Cost")`.
    fn wanted(&self) -> String {
        let names: Vec<String> = self.headings.iter().map(|h| format!("\"{h}\"")).collect();
        format!("{} ({})", self.name, names.join(" or "))
    }
}

/// The fields of a file and where they stand.
#[derive(Debug, Clone)]
pub(crate) struct Mapping {
    /// Every field with the place of its column.
    pub(crate) fields: Vec<(Field, Option<usize>)>,
    /// The field that is empty in total rows (a day), and the one that is empty in summary rows.
    pub(crate) totals: Option<Totals>,
}

/// How total rows are known.
#[derive(Debug, Clone)]
pub(crate) struct Totals {
    /// Place of the day.
    pub(crate) day: usize,
    /// Place of the campaign.
    pub(crate) name: Option<usize>,
}

impl Mapping {
    /// Finds the fields among the headings.
    pub(crate) fn of(fields: Vec<Field>, headings: &Headings) -> Self {
        let placed = fields.into_iter().map(|field| {
            let place = headings.place(&field.headings);
            (field, place)
        });
        Self {
            fields: placed.collect(),
            totals: None,
        }
    }

    /// What is needed and not there.
    pub(crate) fn missing(fields: &[Field], headings: &Headings) -> Vec<String> {
        let needed = fields.iter().filter(|field| field.need != Need::Optional);
        let missing = needed.filter(|field| headings.place(&field.headings).is_none());
        missing.map(Field::wanted).collect()
    }

    /// With the rule for total rows: no day, and no name or a cell that says "Total".
    pub(crate) fn with_totals(mut self, day: &str, name: &str) -> Self {
        self.totals = self.place(day).map(|day| Totals {
            day,
            name: self.place(name),
        });
        self
    }

    /// The place of a field's column.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.fields
            .iter()
            .find(|(field, _)| field.name == name)
            .and_then(|(_, place)| *place)
    }
}

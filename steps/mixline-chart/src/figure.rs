//! A finished figure: the drawing, the sentence under it and the numbers behind it.

use crate::svg::Svg;
use crate::table::DataTable;
use crate::{style, text};

/// Natural width of a figure in a column of text, in pixels.
pub const NORMAL: f64 = 720.0;
/// Natural width of a figure across the page, in pixels.
pub const WIDE: f64 = 1080.0;

/// A chart with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Which chart of the catalogue: `C01`.
    pub id: &'static str,
    /// Beginning of the ids inside the drawing; different for each figure of a page.
    pub key: String,
    /// Heading, to be written above the drawing.
    pub title: String,
    /// One sentence written from the data, to be written below the heading.
    pub caption: String,
    /// The drawing in words.
    pub description: String,
    /// The drawing, one `<svg>` element to be put into a page that has [`style::CSS`].
    pub svg: String,
    /// The numbers.
    pub table: DataTable,
    /// Whether the figure needs the width of the page.
    pub wide: bool,
}

impl Figure {
    /// The drawing as a file of its own, with its stylesheet inside.
    #[must_use]
    pub fn standalone_svg(&self) -> String {
        let style = format!("<style><![CDATA[{}]]></style>", style::CSS);
        match self.svg.find("</desc>") {
            Some(at) => {
                let (head, rest) = self.svg.split_at(at + "</desc>".len());
                format!("{head}{style}{rest}")
            }
            None => self.svg.clone(),
        }
    }
}

/// What a chart says about itself before it is drawn.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) id: &'static str,
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) caption: String,
    pub(crate) description: String,
}

impl Words {
    /// The figure of a drawing.
    pub(crate) fn with(self, svg: Svg, table: DataTable) -> Figure {
        let wide = svg.width() > NORMAL;
        Figure {
            svg: svg.finish(&self.title, &self.description),
            id: self.id,
            key: self.key,
            title: self.title,
            caption: self.caption,
            description: self.description,
            table,
            wide,
        }
    }
}

/// The key of a figure as a slug; the id of the chart when it is empty.
pub(crate) fn key_of(key: &str, id: &str) -> String {
    let slug = text::slug(key);
    match slug.bytes().next() {
        None => id.to_ascii_lowercase(),
        Some(b'0'..=b'9') => format!("f-{slug}"),
        Some(_) => slug,
    }
}

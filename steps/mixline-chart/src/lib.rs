//! Charts, drawn once, in Rust: the same drawing in a report, in a mail and in a browser.
//!
//! A chart takes a plain struct of numbers and gives a [`Figure`]: an accessible SVG, a sentence
//! written from the data, the drawing in words, and the table behind it. The crate knows nothing
//! of models, files or tables. Any input is drawn: what is missing, infinite or enormous leaves
//! a gap or ends at the edge of the chart, never in a panic.
//!
//! A page puts [`style::CSS`] into one stylesheet, then each figure's `svg` where it belongs,
//! with a key of its own per figure:
//!
//! ```
//! use mixline_chart::charts::waterfall::{Part, Waterfall};
//! use mixline_chart::{ChannelColors, Measure};
//!
//! let figure = Waterfall {
//!     key: "revenue-2025".to_owned(),
//!     outcome: Measure::new("revenue", "EUR"),
//!     baseline: 600.0,
//!     controls: vec![],
//!     channels: vec![Part::new("Meta", 300.0)],
//!     observed: 1000.0,
//!     colors: ChannelColors::new(&["Meta"]),
//! }
//! .figure();
//! assert!(figure.caption.starts_with("Meta brought in 300\u{a0}EUR"));
//! ```

mod axis;
pub mod charts;
mod figure;
mod marks;
mod measure;
pub mod number;
pub mod palette;
pub mod scale;
pub mod style;
pub mod svg;
mod table;
pub mod text;

pub use figure::{Figure, NORMAL, WIDE};
pub use measure::{Interval, Measure, axis_title};
pub use palette::ChannelColors;
pub use table::{Align, Cell, Column, DataTable};

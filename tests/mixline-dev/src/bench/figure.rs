//! Figures taken several times: the median is what to quote, the best what the machine can do.

use anyhow::Result;

/// Values of one figure.
pub(crate) struct Figures {
    label: String,
    values: Vec<f64>,
}

impl Figures {
    /// No values yet.
    pub(crate) fn new(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            values: Vec::new(),
        }
    }

    /// Takes the figure once more.
    pub(crate) fn take(&mut self, measure: impl FnOnce() -> Result<f64>) -> Result<()> {
        self.values.push(measure()?);
        Ok(())
    }

    /// The middle value.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// The least value.
    pub(crate) fn best(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Prints median and best, taken in seconds, as milliseconds.
    pub(crate) fn print_milliseconds(&self) {
        let (median, best) = (self.median() * 1e3, self.best() * 1e3);
        println!("{:<44} {median:>6.0} ms {best:>6.0} ms", self.label);
    }
}

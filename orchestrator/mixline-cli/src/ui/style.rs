//! Colors, on a terminal only.

use std::io::IsTerminal as _;

use crate::cli::ColorWhen;

/// Whether and how to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    color: bool,
}

impl Style {
    /// No colors.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { color: false };

    /// What fits standard output.
    pub(crate) fn for_stdout(when: ColorWhen) -> Self {
        let color = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => std::io::stdout().is_terminal() && !no_color(),
        };
        Self { color }
    }

    /// What fits standard error.
    pub(crate) fn for_stderr() -> Self {
        Self {
            color: std::io::stderr().is_terminal() && !no_color(),
        }
    }

    /// Whether it colors.
    pub(crate) fn is_colored(self) -> bool {
        self.color
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// Bold text.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text that may be skipped.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Good.
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Bad.
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// To be looked at.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Advice.
    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// The word of a state in its color.
    pub(crate) fn state(self, word: &str, text: &str) -> String {
        match word {
            "succeeded" | "ok" | "pass" => self.green(text),
            "failed" | "fail" => self.red(text),
            "upstream_failed" | "retrying" | "lost" | "cancelled" | "warn" => self.yellow(text),
            "reused" | "skipped" | "queued" | "not_applicable" => self.dim(text),
            _ => text.to_owned(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is an edge")]
fn no_color() -> bool {
    std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty())
        || std::env::var("TERM").is_ok_and(|term| term == "dumb")
}

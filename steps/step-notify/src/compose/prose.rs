//! A message for people to read: as plain text, and the same as simple HTML.

use crate::level::Level;
use crate::message::{Message, Sentence};

/// The two forms.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prose {
    /// Plain text.
    pub(crate) text: String,
    /// HTML without anything to load.
    pub(crate) html: String,
}

impl Prose {
    /// A message with at most `findings` findings. `report` says where the report is.
    pub(crate) fn of(message: &Message, findings: usize, report: Option<&str>) -> Self {
        let mut this = Self {
            text: String::new(),
            html: "<!doctype html><html><head><meta charset=\"utf-8\"></head><body \
                   style=\"font-family:sans-serif;line-height:1.4\">"
                .to_owned(),
        };
        this.heading("h2", &message.subject);
        if let Some(verdict) = &message.verdict {
            this.paragraph(&format!("{}{}", sign(verdict.level), verdict.text));
        }
        let (shown, more) = message.first_findings(findings);
        this.list("Findings", shown);
        if let Some(more) = more {
            this.paragraph(&more);
        }
        this.list("Decisions", &message.decisions);
        if let Some(report) = report {
            this.paragraph(report);
        }
        if let Some(url) = &message.report_url {
            this.link("Open the report", url);
        }
        this.html.push_str("</body></html>\n");
        this
    }

    fn heading(&mut self, tag: &str, text: &str) {
        self.html
            .push_str(&format!("<{tag}>{}</{tag}>", escape(text)));
        self.text.push_str(&format!("{text}\n\n"));
    }

    fn paragraph(&mut self, text: &str) {
        self.html.push_str(&format!("<p>{}</p>", escape(text)));
        self.text.push_str(&format!("{text}\n\n"));
    }

    fn list(&mut self, title: &str, sentences: &[Sentence]) {
        if sentences.is_empty() {
            return;
        }
        self.html.push_str(&format!("<h3>{title}</h3><ul>"));
        self.text.push_str(&format!("{title}\n"));
        for sentence in sentences {
            let text = format!("{}{}", sign(sentence.level), sentence.text.trim());
            self.html.push_str(&format!("<li>{}</li>", escape(&text)));
            self.text.push_str(&format!("- {text}\n"));
        }
        self.html.push_str("</ul>");
        self.text.push('\n');
    }

    fn link(&mut self, text: &str, url: &str) {
        let address = escape(url);
        self.html
            .push_str(&format!("<p><a href=\"{address}\">{text}</a></p>"));
        self.text.push_str(&format!("{text}: {url}\n"));
    }
}

/// What stands before a sentence that is more than good to know.
fn sign(level: Level) -> &'static str {
    match level {
        Level::Info => "",
        Level::Warning => "Warning: ",
        Level::Error => "Error: ",
    }
}

/// Text that is only text to a browser, also inside quotes.
fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("<br>"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_shows_text_as_text() {
        assert_eq!(
            escape("<a href=\"x\" title='y'>&\n"),
            "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;<br>"
        );
    }
}

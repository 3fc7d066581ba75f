//! The message: what a briefing says, with the report it comes from and an identity.

use mixline_schema::catalog::{Briefing, File};
use mixline_step::{StepError, Table};
use sha2::{Digest as _, Sha256};

use crate::config::Config;
use crate::level::Level;

/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;
/// Subject of a message that has none.
const UNTITLED: &str = "Mixline report";

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    /// How urgent it is.
    pub(crate) level: Level,
    /// What it says.
    pub(crate) text: String,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// File name.
    pub(crate) name: String,
    /// Media type as written in the artifact.
    pub(crate) media_type: String,
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Digest of the file, in hexadecimal digits.
    pub(crate) sha256: String,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Digest of what the message says. Configuration is no part of it: another subject template
    /// or address of the report does not make it news.
    pub(crate) id: String,
    /// Subject line: one line without control characters.
    pub(crate) subject: String,
    /// The verdict.
    pub(crate) verdict: Option<Sentence>,
    /// What was found, most important first.
    pub(crate) findings: Vec<Sentence>,
    /// What to do.
    pub(crate) decisions: Vec<Sentence>,
    /// How urgent the whole is: the verdict's level, else the highest.
    pub(crate) level: Level,
    /// The report.
    pub(crate) report: Option<Report>,
    /// Where the report can be read.
    pub(crate) report_url: Option<String>,
}

impl Message {
    /// The message of a briefing.
    ///
    /// # Errors
    /// Nothing to do when there is no sentence; a data error when a kind or level is unknown, or
    /// when the subject has control characters, which could end a header line of an e-mail.
    pub(crate) fn read(
        briefing: &Table<Briefing>,
        report: Option<&Table<File>>,
        config: &Config,
    ) -> Result<Self, StepError> {
        let mut rows = briefing.rows();
        rows.sort_by_key(|row| row.position);
        if rows.is_empty() {
            return Err(
                StepError::nothing_to_do("`briefing` has no sentence to tell")
                    .hint("run the step that writes the briefing first"),
            );
        }
        let report = report
            .and_then(|table| table.rows().into_iter().next())
            .map(Report::new);
        let id = identity(&rows, report.as_ref());
        let mut parts = Parts::default();
        for row in rows {
            parts.add(row)?;
        }
        let level = parts.level();
        let headline = parts.headline();
        let verdict = join(parts.verdicts);
        let said = verdict.as_ref().map_or("", |verdict| verdict.text.as_str());
        let subject = config
            .subject_template()?
            .fill(&headline, said, level.word());
        Ok(Self {
            id,
            subject: one_line(&subject)?,
            verdict,
            findings: parts.findings,
            decisions: parts.decisions,
            level,
            report,
            report_url: config.report_link()?,
        })
    }
}

impl Message {
    /// The first findings, at most `limit`, and a sentence that counts the rest.
    pub(crate) fn first_findings(&self, limit: usize) -> (&[Sentence], Option<String>) {
        let (shown, rest) = self.findings.split_at(limit.min(self.findings.len()));
        let more = match rest.len() {
            0 => None,
            1 => Some("1 more finding is not listed here.".to_owned()),
            more => Some(format!("{more} more findings are not listed here.")),
        };
        (shown, more)
    }
}

impl Report {
    fn new(file: File) -> Self {
        Self {
            sha256: hex(&Sha256::digest(&file.bytes)),
            name: file.name,
            media_type: file.media_type,
            bytes: file.bytes,
        }
    }
}

/// Sentences by kind.
#[derive(Default)]
struct Parts {
    subjects: Vec<Sentence>,
    verdicts: Vec<Sentence>,
    findings: Vec<Sentence>,
    decisions: Vec<Sentence>,
}

impl Parts {
    fn add(&mut self, row: Briefing) -> Result<(), StepError> {
        let unknown = |what: &str, word: &str, known: &str| {
            let at = row.position;
            StepError::data(format!(
                "sentence {at} of `briefing` has the {what} `{word}`"
            ))
            .hint(format!("the {what}s are {known}"))
        };
        let level = Level::parse(&row.level)
            .ok_or_else(|| unknown("level", &row.level, "info, warning and error"))?;
        let list = match row.kind.as_str() {
            "subject" => &mut self.subjects,
            "verdict" => &mut self.verdicts,
            "finding" => &mut self.findings,
            "decision" => &mut self.decisions,
            other => {
                let known = "subject, verdict, finding and decision";
                return Err(unknown("kind", other, known));
            }
        };
        list.push(Sentence {
            level,
            text: row.text,
        });
        Ok(())
    }

    fn level(&self) -> Level {
        let highest = |sentences: &[Sentence]| sentences.iter().map(|s| s.level).max();
        highest(&self.verdicts)
            .or_else(|| {
                [&self.subjects, &self.findings, &self.decisions]
                    .into_iter()
                    .filter_map(|sentences| highest(sentences))
                    .max()
            })
            .unwrap_or_default()
    }

    /// The subject, or the first sentence there is.
    fn headline(&self) -> String {
        [
            &self.subjects,
            &self.verdicts,
            &self.findings,
            &self.decisions,
        ]
        .into_iter()
        .find(|sentences| !sentences.is_empty())
        .cloned()
        .and_then(join)
        .map(|sentence| sentence.text)
        .unwrap_or_default()
    }
}

/// Several sentences of one kind as one.
fn join(sentences: Vec<Sentence>) -> Option<Sentence> {
    let level = sentences.iter().map(|sentence| sentence.level).max()?;
    let texts: Vec<String> = sentences
        .into_iter()
        .map(|sentence| sentence.text)
        .collect();
    Some(Sentence {
        level,
        text: texts.join(" "),
    })
}

/// A subject line of bearable length, or an error if it is no line.
fn one_line(subject: &str) -> Result<String, StepError> {
    let subject = subject.trim();
    if subject.chars().any(char::is_control) {
        return Err(StepError::data(
            "the subject in `briefing` has line breaks or control characters",
        )
        .hint("a subject is one line of text; correct the step that writes `briefing`"));
    }
    // Receivers refuse an empty subject.
    let subject = if subject.is_empty() {
        UNTITLED
    } else {
        subject
    };
    Ok(cut(subject, LONGEST_SUBJECT))
}

/// At most `limit` characters; what was cut is marked.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Digest over every sentence and the report. Each part is preceded by its length, so that no two
/// messages share their bytes.
fn identity(rows: &[Briefing], report: Option<&Report>) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    for row in rows {
        part(&row.kind);
        part(&row.level);
        part(&row.text);
    }
    part(report.map_or("no report", |report| report.sha256.as_str()));
    format!("msg_{}", hex(&hasher.finalize()))
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests;

//! Whom to tell, and how hard to try.

mod target;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::level::Level;

pub use target::{Email, Security, Slack, Target, Webhook};
pub(crate) use target::{is_loopback, mailbox, mailboxes};
pub(crate) use template::Template;

/// Most tries of one run.
const MOST_ATTEMPTS: u32 = 20;
/// Most findings a message lists.
const MOST_FINDINGS: usize = 50;
/// Longest wait between two tries without a word from the receiver.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Longest time one attempt may be given.
const LONGEST_TIMEOUT: u64 = 600;
/// Longest name of a target.
const LONGEST_NAME: usize = 64;

/// Whom to tell, and how hard to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Name → who is told. The name is the identity in `deliveries`: a target with another name
    /// is told again. Without targets nothing is sent.
    pub targets: BTreeMap<String, Target>,
    /// The subject line. `{subject}` is the briefing's, `{verdict}` its verdict, `{level}` how
    /// urgent it is.
    pub subject: String,
    /// Where the report can be read, shown as a link.
    pub report_url: Option<String>,
    /// Most findings that Slack and e-mails list. Webhooks get all of them.
    pub findings: usize,
    /// Messages whose verdict is less urgent are not sent.
    pub min_level: Level,
    /// Compose everything and send nothing.
    pub dry_run: bool,
    /// Tries for each target in one run.
    pub attempts: u32,
    /// Wait before the second try, in milliseconds; it doubles with each further try, up to 30
    /// seconds. A receiver that asks for a longer wait gets it, up to 60 seconds.
    pub retry_delay_ms: u64,
    /// How long one try may take, in seconds; for e-mail, how long each stage of the
    /// conversation may take.
    pub timeout_seconds: u64,
    /// Whether addresses may be `http://` on machines other than this one.
    pub allow_http: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            targets: BTreeMap::new(),
            subject: "{subject}".to_owned(),
            report_url: None,
            findings: 3,
            min_level: Level::Info,
            dry_run: false,
            attempts: 4,
            retry_delay_ms: 500,
            timeout_seconds: 20,
            allow_http: false,
        }
    }
}

impl Config {
    /// What the types cannot say.
    pub(crate) fn check(&self) -> Result<(), StepError> {
        self.subject_template()?;
        self.report_link()?;
        within("attempts", self.attempts.into(), 1, MOST_ATTEMPTS.into())?;
        within("findings", self.findings as u64, 0, MOST_FINDINGS as u64)?;
        within("timeout_seconds", self.timeout_seconds, 1, LONGEST_TIMEOUT)?;
        within(
            "retry_delay_ms",
            self.retry_delay_ms,
            0,
            millis(LONGEST_DELAY),
        )?;
        for (name, target) in &self.targets {
            check_name(name)?;
            target.check(&section(name))?;
        }
        Ok(())
    }

    /// How the subject is made.
    pub(crate) fn subject_template(&self) -> Result<Template<'_>, StepError> {
        Template::new("subject", &self.subject)
    }

    /// The report's address, written so that it can stand in a link.
    pub(crate) fn report_link(&self) -> Result<Option<String>, StepError> {
        let Some(text) = &self.report_url else {
            return Ok(None);
        };
        let wrong = || {
            StepError::config("`report_url` is no web address")
                .hint("write it in full: \"https://reports.example.com/weekly\"")
        };
        let url = Url::parse(text).map_err(|error| wrong().because(error))?;
        if !matches!(url.scheme(), "http" | "https") || text.chars().any(char::is_control) {
            return Err(wrong());
        }
        Ok(Some(String::from(url)))
    }

    /// The wait after the `failed`-th failure in a row, from 1.
    pub(crate) fn delay(&self, failed: u32) -> Duration {
        let doubled = 2_u64.saturating_pow(failed.saturating_sub(1));
        Duration::from_millis(self.retry_delay_ms.saturating_mul(doubled)).min(LONGEST_DELAY)
    }

    /// How long one try may take.
    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

/// Path of a target's keys.
pub(crate) fn section(name: &str) -> String {
    format!("targets.{name}")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), StepError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(StepError::config(format!(
        "`{key}`: {value} is not between {least} and {most}"
    )))
}

/// Names are shown in logs and errors, so they are kept plain; an address pasted as a name is not
/// repeated.
fn check_name(name: &str) -> Result<(), StepError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    let problem = format!(
        "a name under `targets` is not made of 1 to {LONGEST_NAME} letters, digits, `_`, `-` or `.`"
    );
    Err(StepError::config(problem).hint("name targets after who reads them: `[….targets.team]`"))
}

#[cfg(test)]
mod tests;

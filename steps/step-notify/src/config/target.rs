//! Who is told: a Slack channel, a program that listens, people with a mailbox.

use std::path::PathBuf;

use lettre::message::{Mailbox, Mailboxes};
use mixline_step::StepError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Place;

/// One receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// An incoming webhook of Slack, or of a chat that understands the same.
    Slack(Slack),
    /// A program that takes JSON, signed after the Standard Webhooks convention.
    Webhook(Webhook),
    /// People, by e-mail.
    Email(Email),
}

/// A Slack channel. Its address is a secret: whoever knows it can write there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Slack {
    /// Environment variable that holds the address.
    pub url_env: Option<String>,
    /// File that holds the address.
    pub url_file: Option<PathBuf>,
}

/// A program that listens for POST requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Environment variable that holds the address.
    pub url_env: Option<String>,
    /// File that holds the address.
    pub url_file: Option<PathBuf>,
    /// Environment variable that holds the signing secret: `whsec_` and base64, or any text, whose
    /// bytes are the key.
    pub secret_env: Option<String>,
    /// File that holds the signing secret.
    pub secret_file: Option<PathBuf>,
    /// Send without a signature. Otherwise a secret is required.
    pub unsigned: bool,
}

/// People with a mailbox, behind a mail server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Email {
    /// The mail server.
    pub host: String,
    /// Its port; by default 465 for `tls`, 587 for `starttls`, 25 for `none`.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub security: Security,
    /// Who sends: `reports@example.com` or `Mixline <reports@example.com>`.
    pub from: String,
    /// Who receives.
    pub to: Vec<String>,
    /// Who gets a copy.
    pub cc: Vec<String>,
    /// User name, when the server wants one and the name is no secret.
    pub user: Option<String>,
    /// Environment variable that holds the user name.
    pub user_env: Option<String>,
    /// File that holds the user name.
    pub user_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    pub password_env: Option<String>,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// Whether the report is attached.
    pub attach_report: bool,
    /// A larger report is not attached, in MB; the text says so.
    pub attach_limit_mb: f64,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after a plain greeting; without it nothing is sent.
    Starttls,
    /// None. Passwords are then sent to this machine only.
    None,
}

impl Default for Email {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: None,
            security: Security::Tls,
            from: String::new(),
            to: Vec::new(),
            cc: Vec::new(),
            user: None,
            user_env: None,
            user_file: None,
            password_env: None,
            password_file: None,
            attach_report: true,
            attach_limit_mb: 10.0,
        }
    }
}

impl Target {
    /// Its word in `deliveries`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Slack(_) => "slack",
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
        }
    }

    /// What the types cannot say.
    pub(crate) fn check(&self, section: &str) -> Result<(), StepError> {
        match self {
            Self::Slack(slack) => slack.url(section).require(),
            Self::Webhook(webhook) => webhook.check(section),
            Self::Email(email) => email.check(section),
        }
    }
}

impl Slack {
    /// Where its address is.
    pub(crate) fn url<'a>(&'a self, section: &'a str) -> Place<'a> {
        Place {
            section,
            key: "url",
            env: self.url_env.as_deref(),
            file: self.url_file.as_deref(),
        }
    }
}

impl Webhook {
    /// Where its address is.
    pub(crate) fn url<'a>(&'a self, section: &'a str) -> Place<'a> {
        Place {
            section,
            key: "url",
            env: self.url_env.as_deref(),
            file: self.url_file.as_deref(),
        }
    }

    /// Where its signing secret is.
    pub(crate) fn secret<'a>(&'a self, section: &'a str) -> Place<'a> {
        Place {
            section,
            key: "secret",
            env: self.secret_env.as_deref(),
            file: self.secret_file.as_deref(),
        }
    }

    fn check(&self, section: &str) -> Result<(), StepError> {
        self.url(section).require()?;
        let secret = self.secret(section);
        match (self.unsigned, secret.is_nowhere()) {
            (false, true) => Err(secret
                .require()
                .expect_err("a secret that is nowhere is missing")
                .hint("name the signing secret with `secret_env`, or write `unsigned = true`")),
            (true, false) => {
                let problem = format!("`{section}` has a signing secret and is `unsigned`");
                Err(StepError::config(problem).hint("keep one of them"))
            }
            _ => secret.check(),
        }
    }
}

impl Email {
    /// The port of the server.
    pub(crate) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.security {
            Security::Tls => 465,
            Security::Starttls => 587,
            Security::None => 25,
        })
    }

    /// Where the user name is, unless it is in the configuration.
    pub(crate) fn user_place<'a>(&'a self, section: &'a str) -> Place<'a> {
        Place {
            section,
            key: "user",
            env: self.user_env.as_deref(),
            file: self.user_file.as_deref(),
        }
    }

    /// Where the password is.
    pub(crate) fn password<'a>(&'a self, section: &'a str) -> Place<'a> {
        Place {
            section,
            key: "password",
            env: self.password_env.as_deref(),
            file: self.password_file.as_deref(),
        }
    }

    /// Whether the server wants to know who sends.
    pub(crate) fn logs_in(&self) -> bool {
        self.user.is_some() || self.user_env.is_some() || self.user_file.is_some()
    }

    /// Largest report that is attached, in bytes.
    pub(crate) fn attach_limit(&self) -> f64 {
        self.attach_limit_mb * 1e6
    }

    fn check(&self, section: &str) -> Result<(), StepError> {
        let host = self.host.trim();
        if host.is_empty()
            || host
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '/')
        {
            return Err(
                StepError::config(format!("`{section}.host` is no host name"))
                    .hint("write the mail server's name: host = \"smtp.example.com\""),
            );
        }
        mailbox(&format!("{section}.from"), &self.from)?;
        if self.to.is_empty() {
            return Err(StepError::config(format!("`{section}.to` is empty"))
                .hint("name at least one address: to = [\"team@example.com\"]"));
        }
        mailboxes(&format!("{section}.to"), &self.to)?;
        mailboxes(&format!("{section}.cc"), &self.cc)?;
        if !(self.attach_limit_mb.is_finite() && self.attach_limit_mb >= 0.0) {
            let limit = self.attach_limit_mb;
            return Err(StepError::config(format!(
                "`{section}.attach_limit_mb`: {limit} is not 0 or more"
            )));
        }
        self.check_login(section)
    }

    fn check_login(&self, section: &str) -> Result<(), StepError> {
        let user = self.user_place(section);
        user.check()?;
        if self.user.is_some() && !user.is_nowhere() {
            return Err(StepError::config(format!("`{section}` has two user names"))
                .hint("keep one of `user`, `user_env` and `user_file`"));
        }
        let password = self.password(section);
        if !self.logs_in() {
            return if password.is_nowhere() {
                Ok(())
            } else {
                Err(
                    StepError::config(format!("`{section}` has a password and no user"))
                        .hint("add `user`, or `user_env`"),
                )
            };
        }
        password.require()?;
        if self.security == Security::None && !is_loopback(&self.host) {
            let problem = format!("`{section}` would send a password over an open connection");
            return Err(StepError::config(problem)
                .hint("set `security` to \"tls\" or \"starttls\", or remove user and password"));
        }
        Ok(())
    }
}

/// Whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// An address that can stand in a header.
pub(crate) fn mailbox(key: &str, text: &str) -> Result<Mailbox, StepError> {
    let advice = "write `name@example.com` or `Name <name@example.com>`, on one line";
    if text.chars().any(char::is_control) {
        let problem = format!("`{key}` has line breaks or control characters");
        return Err(StepError::config(problem).hint(advice));
    }
    let text = text.trim();
    let wrong =
        || StepError::config(format!("`{key}`: `{text}` is no e-mail address")).hint(advice);
    let mailbox: Mailbox = text.parse().map_err(|error| wrong().because(error))?;
    // The parser stops after the first address and leaves the rest unread.
    let address: &str = mailbox.email.as_ref();
    if text != address && !text.ends_with(&format!("<{address}>")) {
        return Err(wrong());
    }
    Ok(mailbox)
}

/// Addresses that can stand in a header.
pub(crate) fn mailboxes(key: &str, texts: &[String]) -> Result<Mailboxes, StepError> {
    let one = |(at, text): (usize, &String)| mailbox(&format!("{key}[{at}]"), text);
    texts.iter().enumerate().map(one).collect()
}

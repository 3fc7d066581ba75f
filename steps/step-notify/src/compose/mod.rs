//! From a message to letters: what exactly each target gets.
//!
//! Composing needs no secret and sends nothing, so everything that can be wrong with a message is
//! known before the first byte leaves.

mod email;
mod prose;
mod slack;
mod webhook;

use mixline_step::StepError;

use crate::config::{Config, Target, section};
use crate::deliver::Access;
use crate::message::Message;

/// What one target gets.
#[derive(Debug)]
pub(crate) struct Letter<'a> {
    /// Name of the target.
    pub(crate) name: &'a str,
    /// The target.
    pub(crate) target: &'a Target,
    /// Identity of the message.
    pub(crate) id: &'a str,
    /// What is sent.
    pub(crate) content: Content,
    config: &'a Config,
}

/// What is sent.
#[derive(Debug)]
pub(crate) enum Content {
    /// A JSON document.
    Json(Vec<u8>),
    /// An e-mail.
    Mail(Box<lettre::Message>),
}

/// The letters of these targets.
///
/// # Errors
/// When a message cannot be written for a target.
pub(crate) fn letters<'a>(
    targets: &[(&'a str, &'a Target)],
    message: &'a Message,
    config: &'a Config,
) -> Result<Vec<Letter<'a>>, StepError> {
    let letter = |&(name, target): &(&'a str, &'a Target)| {
        let content = match target {
            Target::Slack(_) => json(&slack::payload(message, config.findings)),
            Target::Webhook(_) => json(&webhook::payload(message)),
            Target::Email(email) => email::compose(name, email, message, config.findings)
                .map(|mail| Content::Mail(Box::new(mail))),
        }?;
        Ok(Letter {
            name,
            target,
            id: &message.id,
            content,
            config,
        })
    };
    targets.iter().map(letter).collect()
}

impl Letter<'_> {
    /// Reads the secrets that sending it needs.
    ///
    /// # Errors
    /// A credentials error that names what is missing, a configuration error when an address is
    /// none.
    pub(crate) fn access(&self) -> Result<Access, StepError> {
        Access::of(&section(self.name), self.target, self.config)
    }
}

fn json(document: &serde_json::Value) -> Result<Content, StepError> {
    let bytes = serde_json::to_vec(document);
    bytes
        .map(Content::Json)
        .map_err(|error| StepError::bug("the message cannot be written as JSON").because(error))
}

//! What sending to a target needs beside the letter: addresses, keys, connections' settings.

use std::time::Duration;

use mixline_step::StepError;

use crate::compose::{Content, Letter};
use crate::config::{Config, Target};
use crate::deliver::attempt::Attempt;
use crate::deliver::http::Post;
use crate::deliver::sign::Key;
use crate::deliver::smtp::Server;
use crate::failure::Failure;

/// A way to a target.
#[derive(Debug)]
pub(crate) enum Access {
    /// An HTTP address.
    Http(Box<Post>),
    /// A mail server.
    Smtp(Box<Server>),
}

impl Access {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// A credentials error when something is missing, a configuration error when an address is
    /// none or not protected.
    pub(crate) fn of(section: &str, target: &Target, config: &Config) -> Result<Self, StepError> {
        let http = |url, key| Post::new(section, url, key, config);
        match target {
            Target::Slack(slack) => http(slack.url(section).read()?, None),
            Target::Webhook(webhook) => {
                let secret = webhook.secret(section);
                let key = match secret.is_nowhere() {
                    true => None,
                    false => Some(Key::new(&secret.read()?, section)?),
                };
                http(webhook.url(section).read()?, key)
            }
            Target::Email(email) => {
                return Server::new(section, email).map(|server| Self::Smtp(Box::new(server)));
            }
        }
        .map(|post| Self::Http(Box::new(post)))
    }

    /// The host, which is no secret.
    pub(crate) fn host(&self) -> &str {
        match self {
            Self::Http(post) => post.host(),
            Self::Smtp(server) => server.host(),
        }
    }

    /// One try.
    pub(crate) async fn attempt(&self, letter: &Letter<'_>, timeout: Duration) -> Attempt {
        match (self, &letter.content) {
            (Self::Http(post), Content::Json(body)) => post.attempt(letter.id, body).await,
            (Self::Smtp(server), Content::Mail(mail)) => server.attempt(mail, timeout).await,
            // Both follow from the kind of one target.
            _ => Attempt::Never("letter and target differ in kind".into(), Failure::Refused),
        }
    }
}

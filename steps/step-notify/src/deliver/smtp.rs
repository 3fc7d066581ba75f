//! One conversation with a mail server, stage by stage.
//!
//! Stages have names, so that a failure says where it happened, and a time limit each. The answer
//! to the message decides: what the server does after it changes nothing.

use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use mixline_step::StepError;

use crate::config::{Email, Security};
use crate::deliver::attempt::{Attempt, innermost};
use crate::failure::Failure;
use crate::secret::Secret;

/// How long the goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// A mail server. `Debug` hides who logs in.
pub(crate) struct Server {
    host: String,
    port: u16,
    security: Security,
    tls: Option<TlsParameters>,
    login: Option<Credentials>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Why a conversation ended early: in which stage, and what was said.
struct Broken {
    stage: &'static str,
    error: Option<Error>,
}

impl Server {
    /// Reads the credentials and prepares TLS.
    pub(crate) fn new(section: &str, email: &Email) -> Result<Self, StepError> {
        let host = email.host.trim().to_owned();
        let tls = match email.security {
            Security::None => None,
            Security::Tls | Security::Starttls => {
                Some(TlsParameters::new(host.clone()).map_err(|error| {
                    StepError::config(format!("TLS for `{section}` cannot be prepared"))
                        .hint("the machine needs CA certificates: install them or set `SSL_CERT_FILE`")
                        .because(error)
                })?)
            }
        };
        Ok(Self {
            port: email.port(),
            security: email.security,
            tls,
            login: login(section, email)?,
            host,
        })
    }

    /// The host.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// One try; each stage may take `limit`.
    pub(crate) async fn attempt(&self, mail: &lettre::Message, limit: Duration) -> Attempt {
        match self.converse(mail, limit).await {
            Ok((code, mut connection)) => {
                // It has the message: a goodbye that fails is no failure.
                let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
                Attempt::Delivered(code)
            }
            Err(broken) => judge(&broken),
        }
    }

    async fn converse(
        &self,
        mail: &lettre::Message,
        limit: Duration,
    ) -> Result<(String, AsyncSmtpConnection), Broken> {
        let name = ClientId::default();
        let wrapped = self.tls.clone().filter(|_| self.security == Security::Tls);
        let address = (self.host.as_str(), self.port);
        let greeting =
            AsyncSmtpConnection::connect_tokio1(address, Some(limit), &name, wrapped, None);
        let mut connection = stage("greeting", limit, greeting).await?;
        if let (Security::Starttls, Some(tls)) = (self.security, &self.tls) {
            stage("starttls", limit, connection.starttls(tls.clone(), &name)).await?;
        }
        if let Some(login) = &self.login {
            stage("login", limit, connection.auth(DEFAULT_MECHANISMS, login)).await?;
        }
        let formatted = mail.formatted();
        let sending = connection.send(mail.envelope(), &formatted);
        let answer = stage("message", limit, sending).await?;
        Ok((answer.code().to_string(), connection))
    }
}

/// The credentials, when the server wants some.
fn login(section: &str, email: &Email) -> Result<Option<Credentials>, StepError> {
    if !email.logs_in() {
        return Ok(None);
    }
    let user = match &email.user {
        Some(user) => Secret::plain(user),
        None => email.user_place(section).read()?,
    };
    let password = email.password(section).read()?;
    Ok(Some(Credentials::new(
        user.expose().to_owned(),
        password.expose().to_owned(),
    )))
}

/// One stage within its time.
async fn stage<T>(
    stage: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Broken> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Broken {
            stage,
            error: Some(error),
        }),
        Err(_) => Err(Broken { stage, error: None }),
    }
}

/// What a broken conversation means. Of what the server said, only the code is kept.
fn judge(broken: &Broken) -> Attempt {
    let stage = broken.stage;
    let Some(error) = broken.error.as_ref().filter(|error| !error.is_timeout()) else {
        return Attempt::Again(format!("no answer in time at the {stage}"), None);
    };
    if let Some(code) = error.status() {
        let detail = format!("{code} at the {stage}");
        return match (error.is_permanent(), stage) {
            (false, _) => Attempt::Again(detail, None),
            (true, "message") => Attempt::Never(detail, Failure::Refused),
            (true, _) => Attempt::Never(detail, Failure::Access),
        };
    }
    if error.is_client() {
        let detail = match stage {
            "starttls" => "the server offers no STARTTLS",
            "login" => "the server offers no way to log in that is known here",
            _ => "the server cannot take addresses or text beyond ASCII",
        };
        return Attempt::Never(detail.to_owned(), Failure::Access);
    }
    if error.is_response() {
        return Attempt::Again(format!("no SMTP at the {stage}"), None);
    }
    // What the operating system and TLS say of connections names no secret.
    if matches!(stage, "greeting" | "starttls") {
        return Attempt::Again(format!("no connection: {}", innermost(error)), None);
    }
    Attempt::Again(format!("the connection broke at the {stage}"), None)
}

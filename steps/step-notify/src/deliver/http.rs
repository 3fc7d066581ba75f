//! One POST: sent once, never redirected, judged by its status alone.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use mixline_step::StepError;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect, retry};
use url::{Host, Url};

use crate::clock;
use crate::config::{Config, is_loopback};
use crate::deliver::attempt::{Attempt, innermost};
use crate::deliver::sign::Key;
use crate::failure::Failure;
use crate::secret::Secret;

/// An address to post to. `Debug` shows its host only.
pub(crate) struct Post {
    client: Client,
    url: Url,
    host: String,
    key: Option<Key>,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Post {
    /// Checks an address and prepares to post to it.
    pub(crate) fn new(
        section: &str,
        url: Secret,
        key: Option<Key>,
        config: &Config,
    ) -> Result<Self, StepError> {
        let url = address(section, &url, config.allow_http)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .timeout(config.timeout())
            .user_agent(concat!("mixline-step-notify/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&host) {
            // A proxy cannot know this machine's own services.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            StepError::config("HTTP requests cannot be prepared")
                .hint("the machine needs CA certificates: install them or set `SSL_CERT_FILE`")
                .because(error.without_url())
        })?;
        Ok(Self {
            client,
            url,
            host,
            key,
        })
    }

    /// The host.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// One try.
    pub(crate) async fn attempt(&self, id: &str, body: &[u8]) -> Attempt {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("webhook-id", id)
            .header("idempotency-key", id)
            .body(body.to_vec());
        if let Some(key) = &self.key {
            let timestamp = clock::unix_seconds();
            request = request
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", key.sign(id, timestamp, body));
        }
        match request.send().await {
            Ok(response) => judge(&response),
            Err(error) => broken(error),
        }
    }
}

/// An address out of a secret. Errors name where it came from, not what it is.
fn address(section: &str, secret: &Secret, allow_http: bool) -> Result<Url, StepError> {
    let wrong = |what: &str| {
        StepError::config(format!("the address that `{section}` names {what}"))
            .hint("it is written in full, like https://hooks.example.com/…")
    };
    let url =
        Url::parse(secret.expose()).map_err(|error| wrong("is no web address").because(error))?;
    let here = match url.host() {
        None => return Err(wrong("has no host")),
        Some(Host::Domain(name)) => is_loopback(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if here || allow_http => Ok(url),
        "http" => Err(wrong("is not protected: it begins with `http://`")
            .hint("use https, or set `allow_http = true` in a network you trust")),
        _ => Err(wrong("is no web address")),
    }
}

/// What a status means. The response's body is not read.
fn judge(response: &Response) -> Attempt {
    let status = response.status();
    let detail = status.as_u16().to_string();
    match status {
        _ if status.is_success() => Attempt::Delivered(detail),
        _ if status.is_redirection() => Attempt::Never(
            format!("{detail}, redirects are not followed"),
            Failure::Access,
        ),
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Attempt::Again(detail, wish(response))
        }
        _ if status.is_server_error() => Attempt::Again(detail, wish(response)),
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::GONE => Attempt::Never(detail, Failure::Access),
        _ => Attempt::Never(detail, Failure::Refused),
    }
}

/// The wait that `Retry-After` asks for.
fn wish(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry_after(value, clock::now())
}

/// Seconds, or an instant.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    let wait = until.signed_duration_since(DateTime::<Utc>::from(now));
    Some(wait.to_std().unwrap_or_default())
}

/// A request without an answer. Some were perhaps received: the message's id lets receivers tell.
fn broken(error: reqwest::Error) -> Attempt {
    let error = error.without_url();
    if error.is_builder() {
        return Attempt::Never("the request cannot be made".into(), Failure::Access);
    }
    let detail = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        format!("no connection: {}", innermost(&error))
    } else {
        "the connection broke".to_owned()
    };
    Attempt::Again(detail, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_seconds_or_an_instant() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let wish = |value| retry_after(value, now).map(|wait| wait.as_secs());
        assert_eq!(wish("7"), Some(7));
        assert_eq!(wish("Tue, 14 Nov 2023 22:13:50 GMT"), Some(30));
        assert_eq!(wish("Tue, 14 Nov 2023 22:13:10 GMT"), Some(0));
        assert_eq!((wish("-1"), wish("soon"), wish("")), (None, None, None));
    }

    #[test]
    fn addresses_are_protected_or_here() {
        let check = |url: &str, allow| address("targets.a", &Secret::plain(url), allow);
        for fine in [
            "https://hooks.example/x",
            "http://127.0.0.1:8080/x",
            "http://[::1]/x",
            "http://localhost/x",
        ] {
            check(fine, false).unwrap();
        }
        check("http://hooks.example/x", true).unwrap();
        for wrong in [
            "http://hooks.example/topsecret",
            "http://127.0.0.1.evil.example/topsecret",
            "ftp://hooks.example/topsecret",
            "hooks.example/topsecret",
            "https:///",
            "data:,topsecret",
        ] {
            let said = check(wrong, false).unwrap_err().chain();
            assert!(
                said.contains("targets.a") && !said.contains("topsecret"),
                "{said}"
            );
        }
    }
}

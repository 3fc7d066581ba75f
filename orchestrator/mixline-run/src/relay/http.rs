//! HTTP as the consumers speak it: JSON in, a status out, never redirected, never retried here.

use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect, retry};
use serde_json::Value;

use super::Trouble;

/// The longest a request may take, whatever is configured: a claim must outlive it.
const LONGEST: Duration = Duration::from_secs(60);
/// Most of an answer that is read to say why something was refused.
const SAID: usize = 300;

/// Where a service is and how to speak to it. `Debug` shows no secret.
#[derive(Clone)]
pub struct HttpSettings {
    /// Base address.
    pub url: String,
    /// Bearer token.
    pub token: Option<String>,
    /// User and password, for servers that ask for them.
    pub login: Option<(String, String)>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Longest time of one request.
    pub timeout: Duration,
    /// Whether documents are sent compressed.
    pub gzip: bool,
}

impl HttpSettings {
    /// An address with nothing set.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            token: None,
            login: None,
            headers: Vec::new(),
            timeout: Duration::from_secs(5),
            gzip: false,
        }
    }
}

impl std::fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpSettings")
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The address.
    #[error("`{url}` is not a web address; write it in full, like http://localhost:5000")]
    Url {
        /// As it was given, without credentials.
        url: String,
    },
    /// A token or header that cannot be sent.
    #[error("{what} holds characters that no HTTP header may hold")]
    Header {
        /// Which one.
        what: String,
    },
    /// The client itself.
    #[error("HTTP requests cannot be prepared; are CA certificates installed?")]
    Client {
        /// Cause.
        #[source]
        source: Box<reqwest::Error>,
    },
    /// A value of a variable or key.
    #[error("{name} {problem}")]
    Value {
        /// Variable or key.
        name: String,
        /// What is wrong and what to write.
        problem: String,
    },
}

/// A client for one service. `Debug` shows no secret.
#[derive(Clone)]
pub struct Http {
    client: Client,
    base: Url,
    login: Option<(String, String)>,
    gzip: bool,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Http").field(&self.origin()).finish()
    }
}

impl Http {
    /// A client. Loopback addresses are never asked of a proxy.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: &HttpSettings) -> Result<Self, SettingsError> {
        let wrong = || SettingsError::Url {
            url: without_credentials(&settings.url),
        };
        let base = Url::parse(&settings.url).map_err(|_| wrong())?;
        let host = base.host_str().ok_or_else(wrong)?.to_owned();
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let mut builder = Client::builder()
            .default_headers(headers(settings)?)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .timeout(settings.timeout.min(LONGEST))
            .user_agent(concat!("mixline/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&host) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|source| SettingsError::Client {
            source: Box::new(source.without_url()),
        })?;
        Ok(Self {
            client,
            base,
            login: settings.login.clone(),
            gzip: settings.gzip,
        })
    }

    /// Scheme, host and port, for people.
    #[must_use]
    pub fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// A request to a path below the base address; to the address itself when it is empty.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        if !path.is_empty() {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            let base = url.path().trim_end_matches('/');
            url.set_path(&format!("{base}/{}", path.trim_start_matches('/')));
            url.set_query(Some(query).filter(|query| !query.is_empty()));
        }
        let request = self.client.request(method, url);
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    /// A question to a path below the base address.
    pub(crate) fn query<'a>(
        &self,
        path: &str,
        pairs: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> RequestBuilder {
        // A scratch address, because it knows how to write pairs.
        let mut scratch = self.base.clone();
        scratch.query_pairs_mut().clear().extend_pairs(pairs);
        let query = scratch.query().unwrap_or_default();
        self.request(Method::GET, &format!("{path}?{query}"))
    }

    /// Posts a document, takes any success for an answer, and returns what was said.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<String, Trouble> {
        let request = self.request(Method::POST, path);
        let request = match self.gzip {
            true => request
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_ENCODING, "gzip")
                .body(compressed(body)),
            false => request.json(body),
        };
        let response = send(request).await?;
        match response.status() {
            status if status.is_success() => Ok(response.text().await.unwrap_or_default()),
            _ => Err(refused(response).await),
        }
    }
}

fn compressed(body: &Value) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = writer.write_all(body.to_string().as_bytes());
    writer.finish().unwrap_or_default()
}

/// Sends a request; only a missing answer is trouble.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, Trouble> {
    request.send().await.map_err(|error| broken(&error))
}

/// What a status other than success means. Only a document that is refused as such stays refused;
/// a wrong key or address is mended by people, so what waits is kept; and a server that fails may
/// fail at this document alone.
pub(crate) async fn refused(response: Response) -> Trouble {
    let (status, wait) = (response.status(), wish(&response));
    let said = response.text().await.unwrap_or_default();
    let said: String = said.trim().chars().take(SAID).collect();
    let mut why = format!("the server answered {status}");
    why += advice(status);
    if !said.is_empty() {
        why = format!("{why}: {said}");
    }
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY => Trouble::Never { why },
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT | StatusCode::CONFLICT => {
            Trouble::Stuck { why }
        }
        _ => Trouble::Away { why, wait },
    }
}

/// What to mend when a server does not take anything.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => " (is the key right?)",
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNPROCESSABLE_ENTITY
        | StatusCode::CONFLICT
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => "",
        StatusCode::NOT_IMPLEMENTED => " (is the address right?)",
        status if status.is_server_error() => "",
        _ => " (is the address right?)",
    }
}

fn broken(error: &reqwest::Error) -> Trouble {
    if error.is_connect() {
        return Trouble::away("no connection");
    }
    let why = match error.is_timeout() {
        true => "no answer in time",
        false => "the connection broke",
    };
    let why = why.to_owned();
    Trouble::Stuck { why }
}

/// The wait that `Retry-After` asks for, in seconds; dates are left to the back-off.
fn wish(response: &Response) -> Option<Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}

fn headers(settings: &HttpSettings) -> Result<HeaderMap, SettingsError> {
    let wrong = |what: &str| SettingsError::Header {
        what: what.to_owned(),
    };
    let mut all = HeaderMap::new();
    for (name, value) in &settings.headers {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(name))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong(name))?;
        value.set_sensitive(true);
        all.insert(key, value);
    }
    if let Some(token) = &settings.token {
        let mut value =
            HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| wrong("the API key"))?;
        value.set_sensitive(true);
        all.insert(AUTHORIZATION, value);
    }
    Ok(all)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|a| a.is_loopback())
}

/// An address as it may be shown: user and password are cut out.
fn without_credentials(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_credentials_are_not_shown() {
        for wrong in [
            "",
            "localhost:5000",
            "ftp://host/x",
            "http://",
            "http//user:pw@host",
        ] {
            assert!(Http::new(&HttpSettings::new(wrong)).is_err(), "{wrong}");
        }
        let error = Http::new(&HttpSettings::new("ftp://user:topsecret@host/x")).unwrap_err();
        assert!(!error.to_string().contains("topsecret"), "{error}");
        let settings = HttpSettings {
            token: Some("topsecret".into()),
            ..HttpSettings::new("http://localhost:1/base/")
        };
        assert!(!format!("{settings:?}").contains("topsecret"));
        let request = Http::new(&settings).unwrap().request(Method::GET, "/a/b");
        assert_eq!(request.build().unwrap().url().path(), "/base/a/b");
    }

    #[test]
    fn a_token_that_breaks_the_header_is_refused() {
        let settings = HttpSettings {
            token: Some("a\nb".into()),
            ..HttpSettings::new("http://localhost:1")
        };
        assert!(
            Http::new(&settings)
                .unwrap_err()
                .to_string()
                .contains("API key")
        );
    }
}

//! A bucket: of a moto server of our own, or of another server that is named in the environment.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::guard::Guard;
use crate::{free_port, skip};

/// The endpoint of another S3 server to run the same tests against.
const ENDPOINT_VARIABLE: &str = "S3_TEST_ENDPOINT";
/// Its bucket; credentials are in the usual variables.
const BUCKET_VARIABLE: &str = "S3_TEST_BUCKET";
/// Moto, as atomic as S3.
const MOTO: &str = include_str!("moto.py");
/// The Python that has moto, made by `cargo dev test`.
const PYTHON_VARIABLE: &str = "MIXLINE_TEST_PYTHON";

/// A bucket to test with.
#[derive(Debug)]
pub struct S3 {
    /// What runs for us; nothing when the server is somebody else's.
    _guard: Option<Guard>,
    endpoint: String,
    bucket: String,
}

impl S3 {
    /// The bucket of `S3_TEST_ENDPOINT` and `S3_TEST_BUCKET`, or else of a moto server that is
    /// started here; `None`, with a word about it, where there is neither.
    ///
    /// # Panics
    /// When there is neither and `CI` is set, or when moto does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        if let Some(endpoint) = variable(ENDPOINT_VARIABLE) {
            return Some(Self {
                _guard: None,
                endpoint,
                bucket: variable(BUCKET_VARIABLE).unwrap_or_else(|| "mixline-test".to_owned()),
            });
        }
        let Some(python) = variable(PYTHON_VARIABLE) else {
            return skip("MIXLINE_TEST_PYTHON is not set; `cargo dev test` sets it");
        };
        let started = Self::moto(&python);
        Some(started.unwrap_or_else(|error| panic!("moto does not start: {error}")))
    }

    fn moto(python: &str) -> io::Result<Self> {
        let port = free_port()?;
        let folder = TempDir::with_prefix("mixline-moto-")?;
        let mut server = Command::new(python);
        server
            .args(["-c", MOTO, "-H", "127.0.0.1", "-p"])
            .arg(port.to_string());
        let guard = Guard::start(
            folder,
            &server,
            |_| {},
            || make_bucket(port, "mixline").is_ok(),
        )?;
        Ok(Self {
            _guard: Some(guard),
            endpoint: format!("http://127.0.0.1:{port}"),
            bucket: "mixline".to_owned(),
        })
    }

    /// A store URL below a prefix that nobody has used before.
    #[must_use]
    pub fn store_url(&self) -> String {
        let unique = uuid::Uuid::new_v4().simple();
        format!("s3://{}/test-{unique}", self.bucket)
    }

    /// The usual variables that lead there. Credentials of another server are the caller's.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![("AWS_ENDPOINT", self.endpoint.clone())];
        if self.endpoint.starts_with("http://") {
            variables.push(("AWS_ALLOW_HTTP", "true".to_owned()));
        }
        let defaults = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ];
        for (name, value) in defaults {
            let value = variable(name).unwrap_or_else(|| value.to_owned());
            variables.push((name, value));
        }
        variables
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "which servers there are is the caller's to say"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Makes a bucket in moto, which asks nobody for credentials.
fn make_bucket(port: u16, name: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "PUT /{name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 200") {
        true => Ok(()),
        false => Err(io::Error::other(answer)),
    }
}

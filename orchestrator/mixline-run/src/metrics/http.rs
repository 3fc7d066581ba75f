//! The endpoint: `GET /metrics` and `GET /healthz`, and nothing else.
//!
//! HTTP/1.1 with one request per connection: what a scraper needs, without a web server in the
//! scheduler. Requests are bounded in size, time and number.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Metrics;
use crate::dispatcher::Cancel;
use crate::engine::Engine;
use crate::error::chain;

/// Largest head of a request.
const HEAD: usize = 8192;
/// Longest time for a request and its answer.
const TIME: Duration = Duration::from_secs(10);
/// Requests that are served at once; more wait.
const AT_ONCE: usize = 8;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Serves until it is stopped.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, engine: Engine, stop: Cancel) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted.map(|(stream, _)| stream),
            () = stop.cancelled() => break,
        };
        let Ok(stream) = stream else {
            // Out of files, for example: the next one may be luckier.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            break;
        };
        let (metrics, engine) = (Arc::clone(&metrics), engine.clone());
        tokio::spawn(async move {
            let answered = tokio::time::timeout(TIME, answer(stream, &metrics, &engine)).await;
            if !matches!(answered, Ok(Ok(()))) {
                tracing::debug!("a request for metrics was not answered");
            }
            drop(slot);
        });
    }
}

/// A status line's code and words, a content type and a body.
struct Answer(&'static str, &'static str, String);

async fn answer(
    mut stream: TcpStream,
    metrics: &Arc<Metrics>,
    engine: &Engine,
) -> std::io::Result<()> {
    let Answer(status, kind, body) = match head(&mut stream).await? {
        Some(head) => respond(&head, metrics, engine).await,
        None => Answer("431 Request Header Fields Too Large", PLAIN, String::new()),
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// The head of the request; `None` when it is too long.
async fn head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        if bytes.len() >= HEAD {
            return Ok(None);
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

async fn respond(head: &str, metrics: &Arc<Metrics>, engine: &Engine) -> Answer {
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = target.split('?').next().unwrap_or_default();
    match (method, path) {
        ("GET", "/metrics") => {
            let open_metrics = accepts_open_metrics(head);
            let kind = if open_metrics {
                OPEN_METRICS
            } else {
                PROMETHEUS
            };
            match metrics.render(engine, open_metrics).await {
                Ok(text) => Answer("200 OK", kind, text),
                Err(error) => Answer(
                    "503 Service Unavailable",
                    PLAIN,
                    format!("{}\n", chain(&error)),
                ),
            }
        }
        ("GET", "/healthz") => match metrics.is_alive((engine.clock())()) {
            true => Answer("200 OK", PLAIN, "ok\n".to_owned()),
            false => {
                let text = "the scheduler has not ticked for a minute\n".to_owned();
                Answer("503 Service Unavailable", PLAIN, text)
            }
        },
        ("GET", _) => Answer(
            "404 Not Found",
            PLAIN,
            "there is /metrics and /healthz\n".to_owned(),
        ),
        _ => Answer("405 Method Not Allowed", PLAIN, "only GET\n".to_owned()),
    }
}

fn accepts_open_metrics(head: &str) -> bool {
    let mut headers = head.lines().filter_map(|line| line.split_once(':'));
    headers.any(|(name, value)| {
        name.eq_ignore_ascii_case("accept") && value.contains("application/openmetrics-text")
    })
}

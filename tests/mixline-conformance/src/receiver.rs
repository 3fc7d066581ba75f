//! A lineage server for tests: a real one on loopback that fails in the ways servers fail.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How one request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Kept, and answered with 201.
    Take,
    /// Answered with this status, and not kept.
    Refuse(u16),
    /// The connection is closed before the request is looked at.
    Drop,
    /// Kept, and the connection is closed without an answer.
    TakeAndDrop,
    /// Kept and answered, after a while.
    Slow(Duration),
}

#[derive(Debug, Default)]
struct Shared {
    /// Answers to the next requests; then every request is taken.
    script: VecDeque<Answer>,
    taken: Vec<(String, Value)>,
    authorizations: Vec<String>,
    requests: usize,
}

/// A server that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Receiver {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Starts a server whose first answers are scripted; then every request is taken.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            script: script.into_iter().collect(),
            ..Shared::default()
        }));
        Self::listen(0, shared).await
    }

    async fn listen(port: u16, shared: Arc<Mutex<Shared>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .expect("a free port on loopback");
        let port = listener.local_addr().expect("a bound port").port();
        let kept = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            // The connections end with the server.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { port, shared, task }
    }

    /// Stops the server and starts it again on the same port; what it has taken stays.
    ///
    /// # Panics
    /// When somebody else took the port meanwhile.
    pub async fn restart(self) -> Self {
        let (port, shared) = (self.port, Arc::clone(&self.shared));
        self.stop().await;
        Self::listen(port, shared).await
    }

    async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// Its base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Requests so far, taken or not.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .requests
    }

    /// Path and body of everything taken, in order.
    #[must_use]
    pub fn taken(&self) -> Vec<(String, Value)> {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .taken
            .clone()
    }

    /// The `Authorization` of everything taken, where there was one.
    #[must_use]
    pub fn authorizations(&self) -> Vec<String> {
        self.shared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .authorizations
            .clone()
    }
}

async fn serve(stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    let mut stream = BufReader::new(stream);
    while let Some((path, authorization, body)) = request(&mut stream).await {
        let answer = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.requests += 1;
            let answer = shared.script.pop_front().unwrap_or(Answer::Take);
            if !matches!(answer, Answer::Drop | Answer::Refuse(_)) {
                shared.taken.push((path, body));
                shared.authorizations.extend(authorization);
            }
            answer
        };
        let status = match answer {
            Answer::Drop | Answer::TakeAndDrop => return,
            Answer::Refuse(status) => status,
            Answer::Take => 201,
            Answer::Slow(delay) => {
                tokio::time::sleep(delay).await;
                201
            }
        };
        let head = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\n{{}}");
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request: path, authorization and JSON body, compressed or not; `None` when the client is gone.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Option<String>, Value)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization, mut gzip) = (0, None, false);
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).await.ok()?;
        let Some((name, value)) = header.trim().split_once(": ") else {
            break;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => authorization = Some(value.to_owned()),
            "content-encoding" => gzip = value == "gzip",
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    if gzip {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).ok()?;
        body = plain;
    }
    Some((path, authorization, serde_json::from_slice(&body).ok()?))
}

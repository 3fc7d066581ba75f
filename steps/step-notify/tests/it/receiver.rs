//! An HTTP server that records requests and follows a script.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to one request.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status, one more header, and a body that nobody must repeat.
    Status(u16, &'static str),
    /// Nothing, for longer than any test waits.
    Hang,
    /// The connection is reset before the request is read.
    Reset,
}

/// Part of every body: it must never be seen again.
pub(crate) const BODY: &str = "body-that-nobody-repeats";

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that runs until the test process ends.
pub(crate) struct Receiver {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<Request>,
}

impl Receiver {
    /// Follows the script, then answers 200.
    pub(crate) fn start(script: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (theirs, mut script) = (Arc::clone(&seen), VecDeque::from(script.to_vec()));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                theirs.lock().unwrap().connections += 1;
                let answer = script.pop_front().unwrap_or(Answer::Status(200, ""));
                let seen = Arc::clone(&theirs);
                thread::spawn(move || serve(stream, &answer, &seen));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// The only request.
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:#?}");
        requests.into_iter().next().unwrap()
    }
}

fn serve(stream: TcpStream, answer: &Answer, seen: &Mutex<Seen>) {
    if matches!(answer, Answer::Reset) {
        // Closing with bytes unread resets the connection.
        thread::sleep(Duration::from_millis(50));
        return;
    }
    let mut reader = BufReader::new(stream);
    let Some(request) = read(&mut reader) else {
        return;
    };
    seen.lock().unwrap().requests.push(request);
    match answer {
        Answer::Status(status, header) => {
            let length = BODY.len();
            let head = format!("HTTP/1.1 {status} x\r\n{header}content-length: {length}\r\n");
            let answer = format!("{head}connection: close\r\n\r\n{BODY}");
            let _ = reader.get_mut().write_all(answer.as_bytes());
        }
        _ => thread::sleep(Duration::from_secs(60)),
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: line.trim_end().to_owned(),
        headers,
        body,
    })
}

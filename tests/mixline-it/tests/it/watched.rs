//! A scheduler that serves metrics, and what it answers.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::support::Project;

/// A process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a scheduler with metrics on a free port, and waits for its address. What it logs goes to
/// `log`; a pipe must be read, or it fills up and the scheduler stands still.
pub(crate) fn scheduler(project: &Project, log: Stdio) -> (Running, String) {
    let mut child = project
        .mixline(&["schedule", "run", "--metrics", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("mixline starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let address = lines.find_map(|line| {
        let line = line.ok()?;
        let (_, rest) = line.split_once("metrics at http://")?;
        Some(rest.trim_end_matches("/metrics").to_owned())
    });
    (Running(child), address.expect("an address"))
}

/// Status and body of an answer.
pub(crate) fn get(address: &str, path: &str, accept: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("a listener");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    (status, body.to_owned())
}

/// The sum of the samples of a metric, whatever their labels; 0 when there is none.
pub(crate) fn total(metrics: &str, name: &str) -> f64 {
    let of_it = |line: &&str| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with([' ', '{']))
    };
    let value = |line: &str| line.rsplit(' ').next()?.parse::<f64>().ok();
    metrics.lines().filter(of_it).filter_map(value).sum()
}

//! What a program gets, and how it knows whom it is from.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::receiver::{Answer, Receiver, Request};
use crate::support::{Bench, REPORT};

/// The signature that a receiver computes.
fn signature(request: &Request, key: &[u8]) -> String {
    let id = request.header("webhook-id").unwrap();
    let timestamp = request.header("webhook-timestamp").unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn the_whole_message_is_signed() {
    let receiver = Receiver::start(&[]);
    let secret = format!("whsec_{}", STANDARD.encode("twenty-four bytes of key"));
    let bench = Bench::new()
        .webhook("ops", &receiver.url("/hook"), &secret)
        .with("findings", json!(1));
    let run = bench.run(&[]);
    assert_eq!(run.told(), [("ops", "sent", 1)]);
    let request = receiver.request();
    let id = &run.rows[0].message_id;
    assert_eq!(request.header("webhook-id"), Some(id.as_str()));
    assert_eq!(request.header("idempotency-key"), Some(id.as_str()));
    assert_eq!(
        request.header("webhook-signature"),
        Some(signature(&request, b"twenty-four bytes of key").as_str())
    );
    let timestamp: u64 = request
        .header("webhook-timestamp")
        .unwrap()
        .parse()
        .unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    assert!(now.abs_diff(timestamp) < 60);
    let sha256: String = Sha256::digest(REPORT)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let expected = json!({
        "type": "mixline.briefing",
        "message_id": id,
        "subject": "Week 46: Umsätze & spend",
        "level": "warning",
        "verdict": {"level": "warning", "text": "Spend grew <fast>; orders did not."},
        "findings": [
            {"level": "info", "text": "Meta brought 3.1 for each euro."},
            {"level": "error", "text": "TikTok has sent no data since Friday."},
        ],
        "decisions": [{"level": "info", "text": "Move 10 % from TikTok to search."}],
        "report": {"name": "weekly.html", "media_type": "text/html", "bytes": REPORT.len(),
                   "sha256": sha256},
        "report_url": null,
    });
    assert_eq!(request.json(), expected);
}

#[test]
fn every_try_says_the_same_and_is_signed_anew() {
    let receiver = Receiver::start(&[Answer::Status(500, "")]);
    let bench = Bench::new()
        .webhook("ops", &receiver.url("/"), "plain text key")
        .with("retry_delay_ms", json!(1100));
    assert_eq!(bench.run(&[]).told(), [("ops", "sent", 2)]);
    let requests = receiver.requests();
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(
        requests[0].header("webhook-id"),
        requests[1].header("webhook-id")
    );
    for request in &requests {
        let signature = signature(request, b"plain text key");
        assert_eq!(
            request.header("webhook-signature"),
            Some(signature.as_str())
        );
    }
    let times = |at: usize| requests[at].header("webhook-timestamp").unwrap();
    assert_ne!(times(0), times(1));
}

#[test]
fn without_a_secret_there_is_no_signature() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new();
    let url = bench.secret("url", &receiver.url("/"));
    let target = json!({"kind": "webhook", "url_file": url, "unsigned": true});
    let mut bench = bench.target("ops", target);
    bench.report = false;
    assert_eq!(bench.run(&[]).told(), [("ops", "sent", 1)]);
    let request = receiver.request();
    assert_eq!(request.header("webhook-signature"), None);
    assert_eq!(request.header("webhook-timestamp"), None);
    assert_eq!(request.json()["report"], json!(null));
}

//! Once, but surely: tries, earlier deliveries, partial failures.

use std::time::{Duration, Instant};

use mixline_schema::ExitCode;
use serde_json::json;

use crate::receiver::{Answer, Receiver};
use crate::support::{Bench, sentence};

#[test]
fn temporary_failures_are_tried_again_until_one_is_accepted() {
    for script in [
        vec![
            Answer::Status(500, ""),
            Answer::Status(503, "retry-after: 0\r\n"),
        ],
        vec![
            Answer::Status(429, "retry-after: nonsense\r\n"),
            Answer::Status(408, ""),
        ],
        vec![Answer::Status(425, ""), Answer::Reset],
    ] {
        let receiver = Receiver::start(&script);
        let bench = Bench::new().slack("team", &receiver.url("/"));
        let run = bench.run(&[]);
        assert_eq!(run.told(), [("team", "sent", 3)], "{script:?}");
        assert!(run.error.is_none());
        assert_eq!(receiver.connections(), 3);
    }
}

#[test]
fn a_receiver_may_ask_for_a_pause() {
    let receiver = Receiver::start(&[Answer::Status(429, "retry-after: 1\r\n")]);
    let started = Instant::now();
    let run = Bench::new().slack("team", &receiver.url("/")).run(&[]);
    assert_eq!(run.told(), [("team", "sent", 2)]);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_long_pause_is_left_to_the_next_run() {
    let receiver = Receiver::start(&[Answer::Status(503, "retry-after: 3600\r\n")]);
    let run = Bench::new().slack("team", &receiver.url("/")).run(&[]);
    assert_eq!(run.told(), [("team", "failed", 1)]);
    assert_eq!(run.rows[0].detail, "127.0.0.1: 503, asks to wait 3600 s");
    assert_eq!(run.error.unwrap().exit_code(), ExitCode::Temporary);
}

#[test]
fn a_receiver_that_says_nothing_is_left_in_time() {
    let receiver = Receiver::start(&[Answer::Hang, Answer::Hang]);
    let bench = Bench::new()
        .slack("team", &receiver.url("/"))
        .with("timeout_seconds", json!(1))
        .with("attempts", json!(2));
    let run = bench.run(&[]);
    assert_eq!(run.told(), [("team", "failed", 2)]);
    assert_eq!(run.rows[0].detail, "127.0.0.1: no answer in time");
    assert_eq!(run.error.unwrap().exit_code(), ExitCode::Temporary);
}

#[test]
fn what_was_sent_is_not_sent_again() {
    let receiver = Receiver::start(&[]);
    let mut bench =
        Bench::new()
            .slack("team", &receiver.url("/"))
            .webhook("ops", &receiver.url("/"), "key");
    let first = bench.run(&[]);
    assert_eq!(receiver.connections(), 2);
    let second = bench.run(&first.rows);
    assert_eq!(receiver.connections(), 2, "nothing more is sent");
    assert_eq!(second.rows, first.rows);
    assert_eq!(
        (&second.notes["sent"], &second.notes["sent_before"]),
        (&json!(0), &json!(2))
    );
    bench
        .sentences
        .push(sentence(9, "finding", "info", "News."));
    let third = bench.run(&first.rows);
    assert_eq!(receiver.connections(), 4, "another message is sent");
    assert_ne!(third.rows[0].message_id, first.rows[0].message_id);
}

#[test]
fn a_partial_failure_keeps_what_was_sent_and_later_sends_the_rest() {
    let good = Receiver::start(&[]);
    let bad = Receiver::start(&[Answer::Status(500, ""), Answer::Status(502, "")]);
    let bench = Bench::new()
        .slack("team", &good.url("/"))
        .slack("board", &bad.url("/"))
        .with("attempts", json!(2));
    let first = bench.run(&[]);
    assert_eq!(first.told(), [("board", "failed", 2), ("team", "sent", 1)]);
    assert_eq!(first.rows[0].detail, "127.0.0.1: 502");
    let error = first.error.as_ref().unwrap();
    assert_eq!(error.exit_code(), ExitCode::Temporary, "callers try again");
    assert!(first.said().contains("`board`") && !first.said().contains("`team`"));
    assert!(error.advice().unwrap().contains("only these targets"));
    let second = bench.run(&first.rows);
    assert_eq!(second.told(), [("board", "sent", 3), ("team", "sent", 1)]);
    assert!(second.error.is_none());
    assert_eq!((good.connections(), bad.connections()), (1, 3));
}

#[test]
fn a_refusal_is_final() {
    for (status, code) in [
        (400, ExitCode::Data),
        (413, ExitCode::Data),
        (403, ExitCode::Credentials),
        (404, ExitCode::Credentials),
    ] {
        let receiver = Receiver::start(&[Answer::Status(status, "retry-after: 1\r\n")]);
        let run = Bench::new().slack("team", &receiver.url("/")).run(&[]);
        assert_eq!(run.told(), [("team", "failed", 1)]);
        assert_eq!(run.rows[0].detail, format!("127.0.0.1: {status}"));
        assert_eq!(run.error.unwrap().exit_code(), code);
        assert_eq!(receiver.connections(), 1);
    }
}

#[test]
fn redirects_are_not_followed() {
    let elsewhere = Receiver::start(&[]);
    let header: &'static str =
        Box::leak(format!("location: {}\r\n", elsewhere.url("/")).into_boxed_str());
    for status in [301, 302, 307, 308] {
        let receiver = Receiver::start(&[Answer::Status(status, header)]);
        let run = Bench::new().slack("team", &receiver.url("/")).run(&[]);
        assert_eq!(run.told(), [("team", "failed", 1)]);
        assert!(run.rows[0].detail.contains("redirects are not followed"));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_rehearsal_opens_no_connection() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new()
        .slack("team", &receiver.url("/"))
        .target("lost", json!({"kind": "slack", "url_file": "no/such/file"}))
        .email("people", 1, json!({}))
        .with("dry_run", json!(true));
    let run = bench.run(&[]);
    assert_eq!(
        run.told(),
        [
            ("lost", "dry_run", 0),
            ("people", "dry_run", 0),
            ("team", "dry_run", 0)
        ]
    );
    assert!(
        run.rows[0].detail.contains("no/such/file"),
        "{}",
        run.rows[0].detail
    );
    assert_eq!(receiver.connections(), 0);
    assert!(run.error.is_none());
    // A rehearsal is no delivery.
    let real = Bench::new()
        .slack("team", &receiver.url("/"))
        .run(&run.rows);
    assert_eq!(real.told(), [("team", "sent", 1)]);
}

#[test]
fn quiet_weeks_are_skipped() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new()
        .slack("team", &receiver.url("/"))
        .with("min_level", json!("error"));
    let run = bench.run(&[]);
    assert_eq!(run.told(), [("team", "skipped", 0)]);
    assert!(run.rows[0].detail.contains("`warning`"));
    assert_eq!(receiver.connections(), 0);
    let louder = bench.with("min_level", json!("warning"));
    assert_eq!(louder.run(&run.rows).told(), [("team", "sent", 1)]);
}

#[test]
fn without_targets_nobody_is_told_and_nothing_is_wrong() {
    let run = Bench::new().run(&[]);
    assert!(run.rows.is_empty() && run.error.is_none());
    let note = run.notes["note"].as_str().unwrap();
    assert!(note.contains("kind = \"slack\""), "{note}");
}

#[test]
fn a_machine_that_does_not_listen_is_tried_again() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let run = Bench::new()
        .slack("team", &format!("http://{address}/"))
        .run(&[]);
    assert_eq!(run.told(), [("team", "failed", 4)]);
    assert!(
        run.rows[0].detail.starts_with("127.0.0.1: no connection: "),
        "{}",
        run.rows[0].detail
    );
    assert_eq!(run.error.unwrap().exit_code(), ExitCode::Temporary);
}

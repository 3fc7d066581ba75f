//! What people with a mailbox get.

use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mixline_schema::ExitCode;
use serde_json::{Value, json};

use crate::sink::{Manner, Sink};
use crate::support::{Bench, REPORT};

fn header<'a>(data: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    data.split("\r\n")
        .find_map(|line| line.strip_prefix(&prefix))
        .unwrap_or_else(|| panic!("no {name} in {data}"))
}

/// The bytes of the part that is attached.
fn attachment(data: &str) -> Vec<u8> {
    let (_, part) = data.split_once("Content-Disposition: attachment").unwrap();
    let (_, body) = part.split_once("\r\n\r\n").unwrap();
    let (body, _) = body.split_once("\r\n--").unwrap();
    STANDARD.decode(body.replace("\r\n", "")).unwrap()
}

#[test]
fn a_mail_has_text_html_and_the_report() {
    let sink = Sink::start(Manner::default());
    let bench = Bench::new().email("people", sink.port(), json!({"cc": ["boss@example.com"]}));
    let run = bench.run(&[]);
    assert_eq!(run.told(), [("people", "sent", 1)], "{}", run.said());
    assert_eq!(
        (run.rows[0].kind.as_str(), run.rows[0].detail.as_str()),
        ("email", "250")
    );
    let mail = sink.accepted().remove(0);
    assert_eq!(mail.from, "reports@example.com");
    assert_eq!(mail.to, ["team@example.com", "boss@example.com"]);
    assert!(header(&mail.data, "Content-Type").starts_with("multipart/mixed"));
    assert!(mail.data.contains("multipart/alternative"));
    assert!(mail.data.contains("text/plain") && mail.data.contains("text/html"));
    assert_eq!(header(&mail.data, "Auto-Submitted"), "auto-generated");
    assert_eq!(attachment(&mail.data), REPORT);
}

/// Reads a mail with another implementation of MIME.
const READER: &str = r"
import sys, json, email, base64
from email import policy
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=policy.default)
parts = [[part.get_content_type(), part.get_filename(),
          base64.b64encode(part.get_payload(decode=True)).decode()]
         for part in mail.walk() if not part.is_multipart()]
defects = [str(defect) for part in mail.walk() for defect in part.defects]
print(json.dumps({'subject': mail['subject'], 'to': str(mail['to']), 'from': str(mail['from']),
                  'date': mail['date'].datetime.timestamp(), 'parts': parts, 'defects': defects}))
";

/// The mail as Python reads it; `None`, and a line that says so, on a machine without Python.
fn as_python_reads_it(data: &str) -> Option<Value> {
    use std::io::Write as _;
    let python = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    python
        .stdin
        .take()
        .unwrap()
        .write_all(data.as_bytes())
        .unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn another_implementation_reads_the_mail() {
    let sink = Sink::start(Manner::default());
    let bench = Bench::new()
        .email("people", sink.port(), json!({}))
        .with("report_url", json!("https://reports.example/46"));
    bench.run(&[]);
    let Some(read) = as_python_reads_it(&sink.accepted()[0].data) else {
        return;
    };
    assert_eq!(read["defects"], json!([]));
    assert_eq!(read["subject"], "Week 46: Umsätze & spend");
    assert_eq!(read["to"], "Team Ö <team@example.com>");
    let decoded = |at: usize| {
        STANDARD
            .decode(read["parts"][at][2].as_str().unwrap())
            .unwrap()
    };
    let kinds: Vec<&str> = (0..3)
        .map(|at| read["parts"][at][0].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["text/plain", "text/html", "text/html"]);
    let text = String::from_utf8(decoded(0)).unwrap().replace("\r\n", "\n");
    assert_eq!(
        text.trim_end(),
        "Week 46: Umsätze & spend\n\nWarning: Spend grew <fast>; orders did not.\n\nFindings\n\
         - Meta brought 3.1 for each euro.\n- Error: TikTok has sent no data since Friday.\n\n\
         Decisions\n- Move 10 % from TikTok to search.\n\nThe report is attached: weekly.html\n\n\
         Open the report: https://reports.example/46"
    );
    let html = String::from_utf8(decoded(1)).unwrap();
    assert!(
        html.contains("Spend grew &lt;fast&gt;") && !html.contains("<fast>"),
        "{html}"
    );
    assert!(
        html.contains("<a href=\"https://reports.example/46\">"),
        "{html}"
    );
    assert_eq!(read["parts"][2][1], "weekly.html");
    assert_eq!(decoded(2), REPORT);
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs_f64();
    assert!((now - read["date"].as_f64().unwrap()).abs() < 60.0);
}

#[test]
fn a_greylisted_mail_is_sent_again_under_the_same_name() {
    let manner = Manner {
        answers: vec!["451 4.7.1 come back later"],
        ..Manner::default()
    };
    let sink = Sink::start(manner);
    let run = Bench::new()
        .email("people", sink.port(), json!({}))
        .run(&[]);
    assert_eq!(run.told(), [("people", "sent", 2)]);
    let (refused, accepted) = (sink.refused(), sink.accepted());
    assert_eq!(
        (refused.len(), accepted.len()),
        (1, 1),
        "exactly one is accepted"
    );
    let id = header(&accepted[0].data, "Message-ID");
    assert_eq!(header(&refused[0].data, "Message-ID"), id);
    // Also in another run.
    Bench::new()
        .email("people", sink.port(), json!({}))
        .run(&[]);
    assert_eq!(header(&sink.accepted()[1].data, "Message-ID"), id);
}

#[test]
fn a_refused_mail_is_not_sent_again() {
    let manner = Manner {
        answers: vec!["554 no thanks"],
        ..Manner::default()
    };
    let sink = Sink::start(manner);
    let run = Bench::new()
        .email("people", sink.port(), json!({}))
        .run(&[]);
    assert_eq!(run.told(), [("people", "failed", 1)]);
    assert_eq!(run.rows[0].detail, "127.0.0.1: 554 at the message");
    assert_eq!(run.error.unwrap().exit_code(), ExitCode::Data);
    let manner = Manner {
        unknown: Some("team@example.com"),
        ..Manner::default()
    };
    let sink = Sink::start(manner);
    let run = Bench::new()
        .email("people", sink.port(), json!({}))
        .run(&[]);
    assert_eq!(run.rows[0].detail, "127.0.0.1: 550 at the message");
    assert!(sink.accepted().is_empty());
}

#[test]
fn people_log_in_with_a_password_from_a_file() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let manner = Manner {
            auth: Some(mechanism),
            ..Manner::default()
        };
        let sink = Sink::start(manner);
        let bench = Bench::new();
        let password = bench.secret("password", "right");
        let login = json!({"user": "mixline", "password_file": password});
        let run = bench.email("people", sink.port(), login).run(&[]);
        assert_eq!(
            run.told(),
            [("people", "sent", 1)],
            "{mechanism}: {}",
            run.said()
        );
        let expected = Some(("mixline".to_owned(), "right".to_owned()));
        assert_eq!(sink.accepted()[0].login, expected);
    }
}

#[test]
fn a_wrong_password_is_said_and_not_repeated() {
    let manner = Manner {
        auth: Some("PLAIN"),
        ..Manner::default()
    };
    let sink = Sink::start(manner);
    let bench = Bench::new();
    let password = bench.secret("password", "wrong-password");
    let login = json!({"user": "mixline", "password_file": password});
    let run = bench.email("people", sink.port(), login).run(&[]);
    assert_eq!(run.told(), [("people", "failed", 1)]);
    assert_eq!(run.rows[0].detail, "127.0.0.1: 535 at the login");
    assert_eq!(
        run.error.as_ref().unwrap().exit_code(),
        ExitCode::Credentials
    );
    assert!(!run.said().contains("wrong-password"));
}

#[test]
fn nothing_is_sent_without_the_protection_that_was_asked_for() {
    let sink = Sink::start(Manner::default());
    let target = json!({"security": "starttls"});
    let run = Bench::new().email("people", sink.port(), target).run(&[]);
    assert_eq!(run.told(), [("people", "failed", 1)]);
    assert!(
        run.rows[0].detail.contains("STARTTLS"),
        "{}",
        run.rows[0].detail
    );
    assert!(sink.accepted().is_empty() && sink.refused().is_empty());
    assert_eq!(sink.connections(), 1);
}

#[test]
fn a_server_that_forgets_to_say_goodbye_has_the_mail() {
    let manner = Manner {
        rude: true,
        ..Manner::default()
    };
    let sink = Sink::start(manner);
    let run = Bench::new()
        .email("people", sink.port(), json!({}))
        .run(&[]);
    assert_eq!(run.told(), [("people", "sent", 1)]);
    assert_eq!(sink.accepted().len(), 1);
}

#[test]
fn a_large_report_stays_out_of_the_mail() {
    let sink = Sink::start(Manner::default());
    let target = json!({"attach_limit_mb": 0.00001});
    Bench::new().email("people", sink.port(), target).run(&[]);
    let data = &sink.accepted()[0].data;
    assert!(header(data, "Content-Type").starts_with("multipart/alternative"));
    assert!(!data.contains("Content-Disposition: attachment"));
}

#[test]
fn a_subject_cannot_bring_headers_along() {
    let sink = Sink::start(Manner::default());
    let mut bench = Bench::new().email("people", sink.port(), json!({}));
    bench.sentences[0].text = "Week 46\r\nBcc: everyone@example.com".to_owned();
    let error = bench.refused();
    assert_eq!(error.exit_code(), ExitCode::Data);
    assert!(error.to_string().contains("control characters"));
    assert_eq!(sink.connections(), 0);
}

#[test]
fn a_dot_alone_on_a_line_does_not_end_the_mail() {
    let sink = Sink::start(Manner::default());
    let mut bench = Bench::new().email("people", sink.port(), json!({}));
    bench.sentences[1].text = "before\n.\nRSET\nafter".to_owned();
    assert_eq!(bench.run(&[]).told(), [("people", "sent", 1)]);
    let data = sink.accepted().remove(0).data;
    assert!(data.contains("before\r\n.\r\nRSET\r\nafter"), "{data}");
    assert_eq!(attachment(&data), REPORT);
}

//! Mails as they are written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::level::Level;
use crate::message::Sentence;

fn message(report: Option<Report>) -> Message {
    Message {
        id: "msg_1".to_owned(),
        subject: "Woche 46: Umsätze & Ausgaben".to_owned(),
        verdict: Some(Sentence {
            level: Level::Error,
            text: "<b>bad</b>".to_owned(),
        }),
        findings: Vec::new(),
        decisions: Vec::new(),
        level: Level::Error,
        report,
        report_url: None,
    }
}

fn report(name: &str) -> Report {
    Report {
        name: name.to_owned(),
        media_type: "text/html".to_owned(),
        bytes: b"line\nline\r\nline".to_vec(),
        sha256: "00".to_owned(),
    }
}

fn target() -> Email {
    Email {
        host: "smtp.example.com".to_owned(),
        from: "\"Mix, line\" <m@example.com>".to_owned(),
        to: vec![
            "a@example.com".to_owned(),
            "Ä \"x\" <b@example.com>".to_owned(),
        ],
        cc: vec!["a@example.com".to_owned(), "c@example.com".to_owned()],
        ..Email::default()
    }
}

fn written(email: &Email, message: &Message) -> String {
    let mail = compose("people", email, message, 3).unwrap();
    String::from_utf8(mail.formatted()).unwrap()
}

#[test]
fn everyone_gets_it_once() {
    let mail = compose("people", &target(), &message(None), 3).unwrap();
    let to: Vec<&str> = mail.envelope().to().iter().map(AsRef::as_ref).collect();
    assert_eq!(to, ["a@example.com", "b@example.com", "c@example.com"]);
    assert_eq!(mail.envelope().from().unwrap().to_string(), "m@example.com");
}

#[test]
fn the_message_id_depends_on_message_and_target_only() {
    let id = |name: &str, message: &Message| {
        let mail = compose(name, &target(), message, 3).unwrap();
        mail.headers().get_raw("Message-ID").unwrap().to_owned()
    };
    let first = id("people", &message(None));
    assert_eq!(first, id("people", &message(Some(report("r.html")))));
    assert_ne!(first, id("board", &message(None)));
    assert!(
        first.starts_with('<') && first.ends_with("@example.com>"),
        "{first}"
    );
}

#[test]
fn a_large_report_is_named_and_not_attached() {
    let small = written(&target(), &message(Some(report("r.html"))));
    assert!(small.contains("multipart/mixed") && small.contains("filename=\"r.html\""));
    let tight = Email {
        attach_limit_mb: 0.000_001,
        ..target()
    };
    let large = written(&tight, &message(Some(report("r.html"))));
    assert!(
        !large.contains("multipart/mixed") && large.contains("larger than the"),
        "{large}"
    );
    let off = Email {
        attach_report: false,
        ..target()
    };
    let none = written(&off, &message(Some(report("r.html"))));
    assert!(
        !none.contains("multipart/mixed") && none.contains("artifact `report`"),
        "{none}"
    );
}

#[test]
fn an_attachment_keeps_its_line_ends() {
    let report = report("r.html");
    let mail = written(&target(), &message(Some(report.clone())));
    assert!(mail.contains(&STANDARD.encode(&report.bytes)), "{mail}");
}

#[test]
fn names_of_attachments_are_names_of_files() {
    assert_eq!(file_name(&report("../../etc/r\r\n.html")), "r.html");
    assert_eq!(file_name(&report("a\\b")), "b");
    assert_eq!(file_name(&report("")), UNNAMED);
    let odd = Report {
        media_type: "no type\r\nX-Evil: 1".to_owned(),
        ..report("r\"; x=\".html")
    };
    let mail = written(&target(), &message(Some(odd)));
    assert!(
        mail.contains("application/octet-stream") && !mail.contains("X-Evil"),
        "{mail}"
    );
}

#[test]
fn html_shows_sentences_as_text() {
    let mail = written(&target(), &message(None));
    assert!(mail.contains("&lt;b&gt;bad&lt;/b&gt;"), "{mail}");
    assert!(mail.contains("Error: <b>bad</b>"), "{mail}");
}

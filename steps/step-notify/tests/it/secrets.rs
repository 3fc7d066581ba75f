//! Secrets come in and do not come out.

use mixline_schema::ExitCode;
use serde_json::json;

use crate::receiver::{Answer, BODY, Receiver};
use crate::sink::{Manner, Sink};
use crate::support::{Bench, Run};

const SECRETS: [&str; 4] = ["T0-url-token", "c2lnbmluZyBrZXk", "password-of-mail", BODY];

fn everything(run: &Run) -> String {
    format!(
        "{:?}\n{}\n{:?}\n{}",
        run.rows,
        run.notes,
        run.error,
        run.said()
    )
}

#[test]
fn nothing_secret_is_in_rows_notes_or_errors() {
    let scripts = [
        vec![],
        vec![Answer::Status(400, "")],
        vec![Answer::Status(
            302,
            "location: http://127.0.0.1:9/T0-url-token\r\n",
        )],
        vec![Answer::Reset, Answer::Hang],
        vec![Answer::Status(500, ""), Answer::Status(500, "")],
    ];
    for script in scripts {
        let (chat, program) = (Receiver::start(&script), Receiver::start(&script));
        let manner = Manner {
            auth: Some("LOGIN"),
            ..Manner::default()
        };
        let sink = Sink::start(manner);
        let bench = Bench::new();
        let password = bench.secret("password", "password-of-mail");
        let login = json!({"user": "mixline", "password_file": password});
        let bench = bench
            .slack("chat", &chat.url("/T0-url-token?key=T0-url-token"))
            .webhook(
                "program",
                &program.url("/T0-url-token"),
                "whsec_c2lnbmluZyBrZXk=",
            )
            .email("people", sink.port(), login)
            .with("attempts", json!(2))
            .with("timeout_seconds", json!(1));
        let run = bench.run(&[]);
        let everything = everything(&run);
        for secret in SECRETS {
            assert!(!everything.contains(secret), "{secret} in {everything}");
        }
    }
}

#[test]
fn an_address_that_is_none_is_refused_by_target_only() {
    for wrong in [
        "hooks.example/T0-url-token",
        "http://hooks.example/T0-url-token",
        "https://[T0-url-token/",
        "https:///T0-url-token\r\nhost: x",
    ] {
        let error = Bench::new().slack("team", wrong).refused();
        assert_eq!(error.exit_code(), ExitCode::Config, "{wrong}");
        let said = error.chain();
        assert!(
            said.contains("targets.team") && !said.contains("T0-url-token"),
            "{said}"
        );
    }
}

#[test]
fn a_missing_secret_stops_everything_before_anything_is_sent() {
    let receiver = Receiver::start(&[]);
    let lost = json!({"kind": "slack", "url_env": "MIXLINE_TEST_VARIABLE_THAT_IS_NOT_SET"});
    let error = Bench::new()
        .slack("a-team", &receiver.url("/"))
        .target("lost", lost)
        .refused();
    assert_eq!(error.exit_code(), ExitCode::Credentials);
    let said = error.chain();
    assert!(
        said.contains("`MIXLINE_TEST_VARIABLE_THAT_IS_NOT_SET`"),
        "{said}"
    );
    assert!(said.contains("`targets.lost.url_env`"), "{said}");
    assert_eq!(receiver.connections(), 0);
}

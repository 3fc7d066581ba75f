//! Configurations that are taken, and those that are not.

use serde_json::{Value, json};

use super::*;

fn parse(value: Value) -> Result<Config, String> {
    let config: Config = serde_json::from_value(value).map_err(|error| error.to_string())?;
    config.check().map_err(|error| error.chain())?;
    Ok(config)
}

fn email(changes: Value) -> Value {
    let mut target = json!({
        "kind": "email", "host": "smtp.example.com", "from": "Mixline <m@example.com>",
        "to": ["team@example.com"]
    });
    let fields = target.as_object_mut().unwrap();
    for (key, value) in changes.as_object().unwrap() {
        fields.insert(key.clone(), value.clone());
    }
    json!({"targets": {"people": target}})
}

#[test]
fn the_default_and_one_target_of_each_kind_are_fine() {
    parse(json!({})).unwrap();
    let config = parse(json!({
        "report_url": "https://reports.example.com/weekly?a=1",
        "targets": {
            "team": {"kind": "slack", "url_env": "SLACK_WEBHOOK_URL"},
            "ops": {"kind": "webhook", "url_file": "secrets/url", "secret_env": "OPS_SECRET"},
            "open": {"kind": "webhook", "url_env": "OPEN_URL", "unsigned": true},
            "people": {"kind": "email", "host": "smtp.example.com", "from": "m@example.com",
                       "to": ["a@example.com", "B C <b@example.com>"], "cc": ["c@example.com"],
                       "security": "starttls", "user": "m", "password_file": "secrets/password"},
        }
    }))
    .unwrap();
    let again = serde_json::to_value(&config).unwrap();
    assert_eq!(parse(again).unwrap(), config);
    let Target::Email(email) = &config.targets["people"] else {
        panic!("an e-mail target");
    };
    assert_eq!((email.port(), email.attach_report), (587, true));
}

#[test]
fn unknown_kinds_and_keys_are_refused() {
    for (wrong, word) in [
        (json!({"targets": {"a": {"kind": "pigeon"}}}), "pigeon"),
        (json!({"targets": {"a": {"url_env": "A"}}}), "kind"),
        (
            json!({"targets": {"a": {"kind": "slack", "url_env": "A", "channel": "#x"}}}),
            "channel",
        ),
        (
            json!({"targets": {"a": {"kind": "slack", "url": "https://x"}}}),
            "unknown field `url`",
        ),
        (email(json!({"password": "x"})), "unknown field `password`"),
        (json!({"retries": 3}), "retries"),
    ] {
        let said = parse(wrong).unwrap_err();
        assert!(said.contains(word), "{said}");
    }
}

#[test]
fn each_wrong_value_is_named_by_its_key() {
    for (wrong, key) in [
        (json!({"attempts": 0}), "`attempts`"),
        (json!({"attempts": 21}), "`attempts`"),
        (json!({"timeout_seconds": 0}), "`timeout_seconds`"),
        (json!({"retry_delay_ms": 60_000}), "`retry_delay_ms`"),
        (json!({"findings": 51}), "`findings`"),
        (json!({"subject": "{week}"}), "`subject`"),
        (json!({"subject": "a\nb"}), "`subject`"),
        (json!({"report_url": "javascript:alert(1)"}), "`report_url`"),
        (json!({"report_url": "/weekly"}), "`report_url`"),
        (
            json!({"targets": {"a b": {"kind": "slack", "url_env": "A"}}}),
            "`targets`",
        ),
        (json!({"targets": {"a": {"kind": "slack"}}}), "`targets.a`"),
        (
            json!({"targets": {"a": {"kind": "webhook", "url_env": "A"}}}),
            "unsigned",
        ),
        (
            json!({"targets": {"a": {"kind": "webhook", "url_env": "A", "secret_env": "B",
                                     "unsigned": true}}}),
            "`targets.a`",
        ),
        (email(json!({"host": ""})), "`targets.people.host`"),
        (email(json!({"to": []})), "`targets.people.to`"),
        (email(json!({"to": ["nobody"]})), "`targets.people.to[0]`"),
        (
            email(json!({"from": "a@example.com, b@example.com"})),
            "`targets.people.from`",
        ),
        (
            email(json!({"attach_limit_mb": -1.0})),
            "`targets.people.attach_limit_mb`",
        ),
        (email(json!({"user": "m"})), "password_env"),
        (email(json!({"password_env": "P"})), "no user"),
        (
            email(json!({"user": "m", "user_env": "U", "password_env": "P"})),
            "two user names",
        ),
        (
            email(json!({"user": "m", "password_env": "P", "security": "none"})),
            "open connection",
        ),
    ] {
        let said = parse(wrong.clone()).expect_err(&wrong.to_string());
        assert!(said.contains(key), "{key}: {said}");
    }
}

#[test]
fn addresses_cannot_add_headers() {
    for address in [
        "a@example.com\r\nBcc: all@example.com",
        "Name\n <a@example.com>",
        "a@example.com\u{0}",
    ] {
        for key in ["to", "cc"] {
            let said = parse(email(json!({key: [address]}))).unwrap_err();
            assert!(said.contains("control characters"), "{said}");
        }
        assert!(parse(email(json!({"from": address}))).is_err());
    }
}

#[test]
fn a_password_over_an_open_connection_stays_on_this_machine() {
    for (host, here) in [
        ("localhost", true),
        ("127.0.0.1", true),
        ("[::1]", true),
        ("10.0.0.1", false),
    ] {
        let login = json!({"user": "m", "password_env": "P", "security": "none", "host": host});
        assert_eq!(parse(email(login)).is_ok(), here, "{host}");
    }
}

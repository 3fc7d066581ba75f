//! Briefings and what becomes of them.

use mixline_schema::ExitCode;

use super::*;

fn row(position: i64, kind: &str, level: &str, text: &str) -> Briefing {
    Briefing {
        position,
        kind: kind.to_owned(),
        level: level.to_owned(),
        text: text.to_owned(),
    }
}

fn week() -> Vec<Briefing> {
    vec![
        row(0, "subject", "info", "Week 46"),
        row(1, "verdict", "warning", "Spend is up, orders are not."),
        row(2, "finding", "info", "Meta brings 3.1."),
        row(3, "decision", "info", "Move 10 % to search."),
    ]
}

fn report(bytes: &[u8]) -> Table<File> {
    let file = File {
        name: "weekly.html".to_owned(),
        media_type: "text/html".to_owned(),
        bytes: bytes.to_vec(),
    };
    Table::from_rows(vec![file]).unwrap()
}

fn read(rows: Vec<Briefing>, config: &Config) -> Result<Message, StepError> {
    Message::read(&Table::from_rows(rows).unwrap(), None, config)
}

#[test]
fn sentences_are_sorted_by_kind_in_their_order() {
    let mut rows = week();
    rows.push(row(9, "finding", "info", "last"));
    rows.push(row(4, "finding", "error", "middle"));
    let message = read(rows, &Config::default()).unwrap();
    assert_eq!(message.subject, "Week 46");
    assert_eq!(message.level, Level::Warning, "the verdict decides");
    let texts: Vec<&str> = message.findings.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["Meta brings 3.1.", "middle", "last"]);
    assert_eq!(message.decisions.len(), 1);
}

#[test]
fn the_identity_is_what_is_said_and_nothing_else() {
    let table = |rows| Table::from_rows(rows).unwrap();
    let config = Config::default();
    let id = |rows, report: Option<&Table<File>>, config: &Config| {
        Message::read(&table(rows), report, config).unwrap().id
    };
    let first = id(week(), None, &config);
    assert_eq!(first, id(week(), None, &config));
    assert_eq!(first.len(), "msg_".len() + 64);
    let other = Config {
        subject: "[{level}] {subject}".to_owned(),
        report_url: Some("https://reports.example".to_owned()),
        ..Config::default()
    };
    assert_eq!(first, id(week(), None, &other));
    let mut ids = vec![
        first,
        id(week(), Some(&report(b"a")), &config),
        id(week(), Some(&report(b"b")), &config),
    ];
    for (at, text) in [(0, "Week 47"), (3, "Move 10 % to  search.")] {
        let mut rows = week();
        rows[at].text = text.to_owned();
        ids.push(id(rows, None, &config));
    }
    let mut rows = week();
    rows[1].level = "error".to_owned();
    ids.push(id(rows, None, &config));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 6, "every change makes another message");
}

#[test]
fn the_subject_is_a_template_and_has_fallbacks() {
    let config = Config {
        subject: "[{level}] {subject}: {verdict}".to_owned(),
        ..Config::default()
    };
    let message = read(week(), &config).unwrap();
    assert_eq!(
        message.subject,
        "[warning] Week 46: Spend is up, orders are not."
    );
    let without = read(week()[1..].to_vec(), &Config::default()).unwrap();
    assert_eq!(without.subject, "Spend is up, orders are not.");
    let blank = vec![row(0, "subject", "info", "  ")];
    assert_eq!(read(blank, &Config::default()).unwrap().subject, UNTITLED);
    let long = vec![row(0, "subject", "info", &"ü".repeat(500))];
    let subject = read(long, &Config::default()).unwrap().subject;
    assert_eq!(subject.chars().count(), 200);
    assert!(subject.ends_with('…'));
}

#[test]
fn a_subject_that_could_end_a_header_is_refused() {
    for wrong in [
        "Week\r\nBcc: all@example.com",
        "Week\n46",
        "a\u{0}b",
        "a\u{85}b",
    ] {
        let error = read(vec![row(0, "subject", "info", wrong)], &Config::default()).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::Data, "{wrong:?}");
    }
}

#[test]
fn unknown_words_are_errors_and_an_empty_briefing_is_none() {
    let kind = read(vec![row(3, "rumour", "info", "x")], &Config::default()).unwrap_err();
    assert!(kind.chain().contains("sentence 3") && kind.chain().contains("`rumour`"));
    let level = read(vec![row(0, "finding", "loud", "x")], &Config::default()).unwrap_err();
    assert_eq!(level.exit_code(), ExitCode::Data);
    let empty = read(Vec::new(), &Config::default()).unwrap_err();
    assert_eq!(empty.exit_code(), ExitCode::NothingToDo);
}

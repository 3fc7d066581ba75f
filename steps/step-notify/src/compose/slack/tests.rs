//! Limits and escapes.

use super::*;

fn sentence(text: &str) -> Sentence {
    Sentence {
        level: Level::Info,
        text: text.to_owned(),
    }
}

fn message() -> Message {
    Message {
        id: "msg_1".to_owned(),
        subject: "Week 46".to_owned(),
        verdict: Some(Sentence {
            level: Level::Warning,
            text: "R&D < 3 > 2".to_owned(),
        }),
        findings: Vec::new(),
        decisions: Vec::new(),
        level: Level::Warning,
        report: None,
        report_url: None,
    }
}

fn texts(payload: &Value) -> Vec<String> {
    let blocks = payload["blocks"].as_array().unwrap();
    let text = |block: &Value| block["text"]["text"].as_str().unwrap().to_owned();
    blocks.iter().map(text).collect()
}

#[test]
fn a_whole_message_has_its_blocks_in_order() {
    let message = Message {
        findings: ["a", "b", "c", "d"].map(sentence).to_vec(),
        decisions: vec![sentence("do it")],
        report_url: Some("https://reports.example/w?a=1&b=2|3".to_owned()),
        ..message()
    };
    let payload = payload(&message, 3);
    assert_eq!(
        texts(&payload),
        [
            "Week 46",
            ":warning: *R&amp;D &lt; 3 &gt; 2*",
            "• a\n• b\n• c\n_1 more finding is not listed here._",
            "*Decisions*\n• do it",
            "<https://reports.example/w?a=1&amp;b=2%7C3|Open the report>",
        ]
    );
    assert_eq!(payload["text"], "Week 46: R&amp;D &lt; 3 &gt; 2");
    assert_eq!(payload["blocks"][0]["type"], "header");
}

#[test]
fn an_escape_is_never_cut() {
    assert_eq!(escape("a&b", 7), "a&amp;b");
    assert_eq!(escape("a&b", 6), "a…");
    assert_eq!(escape("&&", 5), "…");
    assert_eq!(escape("&", 5), "&amp;");
    assert_eq!(escape("<!channel>", 100), "&lt;!channel&gt;");
    for limit in 1..40 {
        let text = escape("<a&b>&c<d> & more", limit);
        assert!(text.chars().count() <= limit, "{limit}: {text}");
        assert!(!text.contains("&…") && !text.contains("&am…"), "{text}");
    }
}

#[test]
fn limits_hold_for_any_amount_of_text() {
    let long = "&".repeat(5000);
    let message = Message {
        subject: "ü<".repeat(200),
        verdict: Some(sentence(&long)),
        findings: vec![sentence(&long); 80],
        decisions: vec![sentence(&long); 80],
        report_url: Some(format!("https://reports.example/{}", "x".repeat(4000))),
        ..message()
    };
    let payload = payload(&message, 50);
    let texts = texts(&payload);
    assert_eq!(texts.len(), BLOCKS);
    assert!(texts[0].chars().count() <= HEADER);
    assert!(texts.iter().all(|text| text.chars().count() <= SECTION));
    assert!(texts[48].contains("does not fit"), "{}", texts[48]);
}

#[test]
fn short_lines_share_sections_up_to_the_limit() {
    let lines = vec!["x".repeat(999); 4];
    let packed = pack(&lines);
    assert_eq!(packed.len(), 2);
    assert_eq!(packed[0].len(), 2999);
}

//! What a chat gets.

use serde_json::json;

use crate::receiver::Receiver;
use crate::support::Bench;

#[test]
fn a_message_is_text_and_blocks() {
    let receiver = Receiver::start(&[]);
    let bench = Bench::new()
        .slack("team", &receiver.url("/services/T0/B0/token"))
        .with("report_url", json!("https://reports.example/46?a=1&b=2"))
        .with("findings", json!(1));
    let run = bench.run(&[]);
    assert_eq!(run.told(), [("team", "sent", 1)]);
    assert_eq!(
        (run.rows[0].kind.as_str(), run.rows[0].detail.as_str()),
        ("slack", "200")
    );
    let request = receiver.request();
    assert_eq!(request.line, "POST /services/T0/B0/token HTTP/1.1");
    assert_eq!(
        request.header("content-type"),
        Some("application/json; charset=utf-8")
    );
    let section = |text| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
    let expected = json!({
        "text": "Week 46: Umsätze &amp; spend: Spend grew &lt;fast&gt;; orders did not.",
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "emoji": false,
                                        "text": "Week 46: Umsätze &amp; spend"}},
            section(":warning: *Spend grew &lt;fast&gt;; orders did not.*"),
            section("• Meta brought 3.1 for each euro.\n_1 more finding is not listed here._"),
            section("*Decisions*\n• Move 10 % from TikTok to search."),
            section("<https://reports.example/46?a=1&amp;b=2|Open the report>"),
        ]
    });
    assert_eq!(request.json(), expected);
}

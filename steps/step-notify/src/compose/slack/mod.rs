//! A message as Slack's blocks: header, verdict, findings, decisions, link.
//!
//! Limits are Slack's: 150 characters in a header, 3000 in a section, 50 blocks. Lines share
//! sections as long as they fit; what does not fit is counted.

use serde_json::{Value, json};

use crate::level::Level;
use crate::message::{Message, Sentence, cut};

/// Longest header, in characters.
const HEADER: usize = 150;
/// Longest section, in characters.
const SECTION: usize = 3000;
/// Most blocks.
const BLOCKS: usize = 50;

/// What is posted.
pub(crate) fn payload(message: &Message, findings: usize) -> Value {
    let mut blocks = vec![header(&message.subject)];
    if let Some(verdict) = &message.verdict {
        blocks.push(section(&line("*", verdict, "*")));
    }
    let link = message.report_url.as_deref().map(link);
    // Room for the link and for a count of what is left out.
    let room = BLOCKS - blocks.len() - 2;
    blocks.extend(lists(message, findings, room));
    blocks.extend(link.map(|link| section(&link)));
    json!({"text": fallback(message), "blocks": blocks})
}

/// What notifications and old clients show.
fn fallback(message: &Message) -> String {
    match &message.verdict {
        Some(verdict) => escape(&format!("{}: {}", message.subject, verdict.text), SECTION),
        None => escape(&message.subject, SECTION),
    }
}

fn header(subject: &str) -> Value {
    let text = escape(&cut(subject, HEADER), HEADER);
    json!({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": false}})
}

/// A section of text that is escaped already.
fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
}

/// Findings and decisions in at most `room` sections, and one more that says when it is not all.
fn lists(message: &Message, findings: usize, room: usize) -> Vec<Value> {
    let bullet = |sentence: &Sentence| line("• ", sentence, "");
    let (shown, more) = message.first_findings(findings);
    let mut lines: Vec<String> = shown.iter().map(bullet).collect();
    lines.extend(more.map(|more| format!("_{more}_")));
    let mut texts = pack(&lines);
    if !message.decisions.is_empty() {
        lines = vec!["*Decisions*".to_owned()];
        lines.extend(message.decisions.iter().map(bullet));
        texts.extend(pack(&lines));
    }
    if texts.len() > room {
        texts.truncate(room);
        texts.push("_The rest does not fit here._".to_owned());
    }
    texts.iter().map(|text| section(text)).collect()
}

/// Lines in as few sections as hold them.
fn pack(lines: &[String]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        match texts.last_mut() {
            Some(text) if text.chars().count() + 1 + line.chars().count() <= SECTION => {
                text.push('\n');
                text.push_str(line);
            }
            _ => texts.push(line.clone()),
        }
    }
    texts
}

/// A sentence with its sign, short enough for a section.
fn line(before: &str, sentence: &Sentence, after: &str) -> String {
    let sign = match sentence.level {
        Level::Info => "",
        Level::Warning => ":warning: ",
        Level::Error => ":rotating_light: ",
    };
    let room = SECTION - sign.len() - before.chars().count() - after.len();
    // Text that is formatted must not begin or end with a space.
    let text = escape(sentence.text.trim(), room);
    match before {
        "*" => format!("{sign}{before}{text}{after}"),
        _ => format!("{before}{sign}{text}{after}"),
    }
}

fn link(url: &str) -> String {
    // In a link, `|` separates address and text.
    let address = url.replace('|', "%7C").replace('&', "&amp;");
    if address.len() > SECTION - 100 {
        return "The report's address is too long to show.".to_owned();
    }
    format!("<{address}|Open the report>")
}

/// Text with Slack's three control characters escaped, cut to `limit` characters as escaped, never
/// inside an escape.
fn escape(text: &str, limit: usize) -> String {
    let mut escaped = String::new();
    let mut length = 0;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let written = match letter {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        let size = written.len().max(1);
        // The last place is for the mark of a cut, unless nothing follows.
        let needed = size + usize::from(letters.peek().is_some());
        if length + needed > limit {
            escaped.push('…');
            break;
        }
        match written {
            "" => escaped.push(letter),
            _ => escaped.push_str(written),
        }
        length += size;
    }
    escaped
}

#[cfg(test)]
mod tests;

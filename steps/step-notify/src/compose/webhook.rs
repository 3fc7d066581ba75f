//! A message as a JSON document for programs: everything, nothing shortened.

use serde_json::{Value, json};

use crate::message::{Message, Sentence};

/// What is posted. It is the same for every try, and holds no time: the headers do.
pub(crate) fn payload(message: &Message) -> Value {
    let list = |sentences: &[Sentence]| sentences.iter().map(sentence).collect::<Vec<_>>();
    json!({
        "type": "mixline.briefing",
        "message_id": message.id,
        "subject": message.subject,
        "level": message.level.word(),
        "verdict": message.verdict.as_ref().map(sentence),
        "findings": list(&message.findings),
        "decisions": list(&message.decisions),
        "report": message.report.as_ref().map(|report| json!({
            "name": report.name,
            "media_type": report.media_type,
            "bytes": report.bytes.len(),
            "sha256": report.sha256,
        })),
        "report_url": message.report_url,
    })
}

fn sentence(sentence: &Sentence) -> Value {
    json!({"level": sentence.level.word(), "text": sentence.text})
}

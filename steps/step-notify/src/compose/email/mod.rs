//! A message as an e-mail: text and HTML, with the report attached when it is small enough.

use lettre::message::header::{self, ContentTransferEncoding, ContentType};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Attachment, Body, Mailbox, Mailboxes, MultiPart};
use lettre::{Address, address::Envelope};
use mixline_step::StepError;
use sha2::{Digest as _, Sha256};

use crate::clock;
use crate::compose::prose::Prose;
use crate::config::{Email, mailbox, mailboxes, section};
use crate::message::{Message, Report, hex};

/// Name of an attached report that has none.
const UNNAMED: &str = "report.html";

/// The e-mail to a target.
pub(crate) fn compose(
    name: &str,
    email: &Email,
    message: &Message,
    findings: usize,
) -> Result<lettre::Message, StepError> {
    let section = section(name);
    let from = mailbox(&format!("{section}.from"), &email.from)?;
    let to = mailboxes(&format!("{section}.to"), &email.to)?;
    let cc = mailboxes(&format!("{section}.cc"), &email.cc)?;
    let envelope = envelope(&from, &to, &cc, &section)?;
    let mut builder = lettre::Message::builder()
        .envelope(envelope)
        .date(clock::now())
        .message_id(Some(message_id(message, name, &from)))
        .subject(message.subject.clone())
        .raw_header(automatic())
        .mailbox(header::From::from(Mailboxes::from(from)))
        .mailbox(header::To::from(to));
    if !email.cc.is_empty() {
        builder = builder.mailbox(header::Cc::from(cc));
    }
    builder
        .multipart(body(email, message, findings))
        .map_err(|error| {
            StepError::config(format!("the e-mail to `{name}` cannot be composed"))
                .hint(format!("check `{section}.from`, `to` and `cc`"))
                .because(error)
        })
}

/// Text and HTML, and the report beside them.
fn body(email: &Email, message: &Message, findings: usize) -> MultiPart {
    let attached = message.report.as_ref().filter(|report| fits(email, report));
    let words = message
        .report
        .as_ref()
        .map(|report| whereabouts(email, report));
    let prose = Prose::of(message, findings, words.as_deref());
    let alternatives = MultiPart::alternative_plain_html(prose.text, prose.html);
    match attached {
        None => alternatives,
        Some(report) => MultiPart::mixed()
            .multipart(alternatives)
            .singlepart(attachment(report)),
    }
}

fn fits(email: &Email, report: &Report) -> bool {
    email.attach_report && report.bytes.len() as f64 <= email.attach_limit()
}

/// Where the report is, in a sentence.
fn whereabouts(email: &Email, report: &Report) -> String {
    if fits(email, report) {
        return format!("The report is attached: {}", file_name(report));
    }
    if !email.attach_report {
        return "The report is in the store, as the artifact `report`.".to_owned();
    }
    let size = report.bytes.len() as f64 / 1e6;
    let limit = email.attach_limit_mb;
    format!(
        "The report ({size:.1} MB) is larger than the {limit} MB that may be attached; it is in \
         the store, as the artifact `report`."
    )
}

fn attachment(report: &Report) -> lettre::message::SinglePart {
    let unknown = || {
        ContentType::parse("application/octet-stream").expect("this is a media type by RFC 2046")
    };
    let media_type = ContentType::parse(&report.media_type).unwrap_or_else(|_| unknown());
    // Base64 alone keeps every byte: other encodings may change line ends.
    let encoded = Body::new_with_encoding(report.bytes.clone(), ContentTransferEncoding::Base64);
    let body = encoded.unwrap_or_else(Body::new);
    Attachment::new(file_name(report)).body(body, media_type)
}

/// The report's name without folders and control characters.
fn file_name(report: &Report) -> String {
    let name = report.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|letter| !letter.is_control()).collect();
    let name = name.trim();
    if name.is_empty() { UNNAMED } else { name }.to_owned()
}

/// Sender and receivers, for the server.
fn envelope(
    from: &Mailbox,
    to: &Mailboxes,
    cc: &Mailboxes,
    section: &str,
) -> Result<Envelope, StepError> {
    let mut receivers: Vec<Address> = Vec::new();
    for mailbox in to.iter().chain(cc.iter()) {
        if !receivers.contains(&mailbox.email) {
            receivers.push(mailbox.email.clone());
        }
    }
    Envelope::new(Some(from.email.clone()), receivers)
        .map_err(|error| StepError::config(format!("`{section}.to` is empty")).because(error))
}

/// The same for every try, so that mail systems recognise a second copy.
fn message_id(message: &Message, name: &str, from: &Mailbox) -> String {
    let digest = Sha256::digest(format!("{}\n{name}", message.id));
    format!("<{}@{}>", &hex(&digest)[..40], from.email.domain())
}

/// Asks absence notes not to answer (RFC 3834).
fn automatic() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

#[cfg(test)]
mod tests;

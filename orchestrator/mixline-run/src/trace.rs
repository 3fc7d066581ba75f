//! Trace contexts: the ids under which a run and its attempts appear in logs and traces.
//!
//! Nothing is stored for them. A run's trace is its caller's when there is one, else its own id,
//! which is as long; spans follow from run, task and attempt. So every process that looks at a run
//! finds the same ids, whenever it looks.

use crate::event::Origin;

/// The trace of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Trace id: 32 hexadecimal digits.
    pub id: String,
    /// The caller's span: 16 hexadecimal digits.
    pub parent: Option<String>,
    run_id: String,
}

impl Trace {
    /// The trace of a run.
    #[must_use]
    pub fn of(run_id: &str, origin: &Origin) -> Self {
        let caller = origin.traceparent.as_deref().and_then(parse);
        let (id, parent) = match caller {
            Some((id, span)) => (id.to_owned(), Some(span.to_owned())),
            None => (own_id(run_id), None),
        };
        Self {
            id,
            parent,
            run_id: run_id.to_owned(),
        }
    }

    /// Span id of the run.
    #[must_use]
    pub fn run_span(&self) -> String {
        span(&self.run_id, "", 0)
    }

    /// Span id of an attempt.
    #[must_use]
    pub fn attempt_span(&self, task: &str, attempt: u32) -> String {
        span(&self.run_id, task, attempt)
    }

    /// The `traceparent` that an attempt hands to its step.
    #[must_use]
    pub fn traceparent(&self, task: &str, attempt: u32) -> String {
        format!("00-{}-{}-01", self.id, self.attempt_span(task, attempt))
    }
}

/// A run id without its dashes; a hash of it when it is no UUID.
fn own_id(run_id: &str) -> String {
    match uuid::Uuid::parse_str(run_id) {
        Ok(id) if !id.is_nil() => id.simple().to_string(),
        _ => blake3::hash(run_id.as_bytes()).to_hex()[..32].to_owned(),
    }
}

fn span(run_id: &str, task: &str, attempt: u32) -> String {
    let hash = blake3::hash(format!("span\n{run_id}\n{task}\n{attempt}").as_bytes());
    hash.to_hex()[..16].to_owned()
}

/// Trace and span of a W3C `traceparent`; `None` when it is not one.
fn parse(traceparent: &str) -> Option<(&str, &str)> {
    let mut parts = traceparent.trim().split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        text.len() == length
            && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            && text.bytes().any(|b| b != b'0')
    };
    let known = version.len() == 2 && version != "ff";
    (known && hex(trace, 32) && hex(span, 16)).then_some((trace, span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0198c0de-7a00-7abc-9123-0a1b2c3d4e5f";

    fn called_with(traceparent: &str) -> Trace {
        let origin = Origin {
            traceparent: Some(traceparent.to_owned()),
            ..Origin::default()
        };
        Trace::of(RUN, &origin)
    }

    #[test]
    fn a_run_joins_the_trace_of_its_caller() {
        let trace = called_with("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        assert_eq!(trace.id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(trace.parent.as_deref(), Some("00f067aa0ba902b7"));
        let handed_on = trace.traceparent("fit", 2);
        assert_eq!(
            parse(&handed_on),
            Some((trace.id.as_str(), trace.attempt_span("fit", 2).as_str()))
        );
        assert_ne!(trace.attempt_span("fit", 1), trace.attempt_span("fit", 2));
    }

    #[test]
    fn without_a_caller_the_run_id_is_the_trace() {
        let own = "0198c0de7a007abc91230a1b2c3d4e5f";
        for wrong in [
            "",
            "nonsense",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            let trace = called_with(wrong);
            assert_eq!(
                (trace.id.as_str(), trace.parent.as_deref()),
                (own, None),
                "{wrong}"
            );
        }
    }
}

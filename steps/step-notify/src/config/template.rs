//! A line of text with places to fill: `{subject}`, `{verdict}`, `{level}`.

use mixline_step::StepError;

/// What may be filled in.
const PLACES: [&str; 3] = ["subject", "verdict", "level"];

/// A checked template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template<'a>(&'a str);

impl<'a> Template<'a> {
    /// Refuses control characters, braces without partner and places that do not exist.
    pub(crate) fn new(key: &str, text: &'a str) -> Result<Self, StepError> {
        let wrong = |what: String| {
            let known = PLACES.map(|place| format!("{{{place}}}")).join(", ");
            StepError::config(format!("`{key}` {what}")).hint(format!("places are {known}"))
        };
        if text.chars().any(char::is_control) {
            return Err(wrong("has line breaks or control characters".to_owned()));
        }
        for part in parts(text) {
            match part {
                Part::Text(text) if text.contains(['{', '}']) => {
                    return Err(wrong("has a brace without its partner".to_owned()));
                }
                Part::Place(place) if !PLACES.contains(&place) => {
                    return Err(wrong(format!("has the unknown place `{{{place}}}`")));
                }
                _ => {}
            }
        }
        Ok(Self(text))
    }

    /// The text with its places filled. What is filled in is not looked at again.
    pub(crate) fn fill(&self, subject: &str, verdict: &str, level: &str) -> String {
        parts(self.0)
            .map(|part| match part {
                Part::Text(text) => text,
                Part::Place("subject") => subject,
                Part::Place("verdict") => verdict,
                Part::Place(_) => level,
            })
            .collect()
    }
}

enum Part<'a> {
    Text(&'a str),
    Place(&'a str),
}

/// The template in pieces, in order.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        if let Some((place, after)) = inside {
            rest = after;
            return Some(Part::Place(place));
        }
        let next = rest
            .char_indices()
            .skip(1)
            .find(|&(_, letter)| letter == '{');
        let (text, after) = rest.split_at(next.map_or(rest.len(), |(at, _)| at));
        rest = after;
        Some(Part::Text(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once() {
        let template = Template::new("subject", "[{level}] {subject}: {verdict}!").unwrap();
        assert_eq!(
            template.fill("{verdict}", "good", "info"),
            "[info] {verdict}: good!"
        );
        assert_eq!(
            Template::new("subject", "").unwrap().fill("a", "b", "c"),
            ""
        );
    }

    #[test]
    fn what_cannot_be_filled_is_refused() {
        for wrong in [
            "{sujet}",
            "{subject",
            "subject}",
            "{{subject}}",
            "a\nb",
            "{}",
        ] {
            assert!(Template::new("subject", wrong).is_err(), "{wrong}");
        }
    }
}

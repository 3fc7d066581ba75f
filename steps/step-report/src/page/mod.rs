//! The page: three views one after the other, and one of attribution where there is any,
//! each figure with its sentence, its table and a file to download. No script, nothing from
//! outside: the content security policy forbids both.

mod attribution;
mod sections;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mixline_chart::svg::escape;
use mixline_chart::{Figure, style};
use mixline_schema::InputRef;
use sha2::{Digest as _, Sha256};

use crate::Config;
use crate::data::Data;
use crate::figures::View;
use crate::story::{Sentence, Story};

/// Looks of the page around the charts.
const CSS: &str = include_str!("style.css");

/// The whole page.
pub(crate) fn html(
    config: &Config,
    data: &Data,
    story: &Story,
    figures: &[(View, Figure)],
    inputs: &[InputRef],
) -> String {
    let style = format!("{CSS}\n{}", style::CSS);
    let title = escape(&config.title);
    let attribution = attribution::attribution(data, story, figures);
    let views = [
        (
            "executive",
            "What happened, and what to do",
            Some(sections::executive(data, story, figures)),
        ),
        (
            "manager",
            "Which channel, how much",
            Some(sections::manager(data, figures)),
        ),
        ("attribution", "Attribution: what journeys say", attribution),
        (
            "analyst",
            "Is the model right",
            Some(sections::analyst(data, figures, inputs)),
        ),
    ];
    let views = views
        .into_iter()
        .filter_map(|(id, heading, content)| Some((id, heading, content?)));
    let views: Vec<(&str, &str, String)> = views.collect();
    let navigation: String = views
        .iter()
        .map(|(id, heading, _)| format!("<a href=\"#{id}\">{heading}</a>"))
        .collect();
    let body: String = views
        .iter()
        .map(|(id, heading, content)| {
            format!("<section id=\"{id}\" class=\"view\"><h2>{heading}</h2>\n{content}</section>\n")
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <header class=\"top\"><p class=\"verdict {level}\">{verdict}</p>\n<h1>{title}</h1>\n\
         <p class=\"meta\">{meta}</p>\n<nav aria-label=\"Views\">{navigation}</nav></header>\n\
         <main>\n{body}</main>\n</body>\n</html>\n",
        policy = policy(&style),
        level = story.verdict.0.name(),
        verdict = escape(&story.verdict.1),
        meta = sections::meta(data),
    )
}

/// Nothing is loaded and nothing runs; the one stylesheet is known by its digest.
fn policy(style: &str) -> String {
    let digest = STANDARD.encode(Sha256::digest(style.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}

/// A figure with everything that belongs to it.
fn figure(figure: &Figure) -> String {
    let wide = if figure.wide { " wide" } else { "" };
    let csv = STANDARD.encode(figure.table.to_csv());
    format!(
        "<figure id=\"{key}-figure\" class=\"figure{wide}\"><h3>{title}</h3>\
         <figcaption>{caption}</figcaption>\n<div class=\"drawing\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">{svg}</div>\n\
         <details><summary>Data</summary><p><a download=\"{key}.csv\" href=\"data:text/csv;base64,{csv}\">Download {key}.csv</a></p>\
         <div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Data of {title}\">{table}</div></details></figure>\n",
        key = escape(&figure.key),
        title = escape(&figure.title),
        caption = escape(&figure.caption),
        svg = figure.svg,
        table = figure.table.to_html(&figure.title),
    )
}

/// Figures of a view.
fn figures_of(view: View, figures: &[(View, Figure)]) -> String {
    let own = figures.iter().filter(|(of, _)| *of == view);
    own.map(|(_, own)| figure(own)).collect()
}

/// Sentences as a list; what is not information says so in a word.
fn sentences(sentences: &[Sentence]) -> String {
    let item = |(level, text): &Sentence| {
        let word = match level.name() {
            "info" => String::new(),
            name => format!("<strong class=\"{name}\">{}</strong> ", capital(name)),
        };
        format!("<li>{word}{}</li>", escape(text))
    };
    let items: String = sentences.iter().map(item).collect();
    format!("<ul class=\"sentences\">{items}</ul>\n")
}

fn capital(word: &str) -> String {
    mixline_chart::text::capital(word)
}

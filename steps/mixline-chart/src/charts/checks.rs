//! What must hold for every figure, and a reader of what was drawn.

use crate::Figure;

/// Values of an attribute of the shapes of a class, in the order drawn.
pub(crate) fn attribute(svg: &str, element: &str, class: &str, name: &str) -> Vec<f64> {
    let start = format!("<{element} class=\"{class}\"");
    svg.lines()
        .filter(|l| l.starts_with(&start))
        .map(|l| {
            let marker = format!(" {name}=\"");
            let at = l.find(&marker).unwrap() + marker.len();
            let end = l[at..].find('"').unwrap();
            l[at..at + end].parse().unwrap()
        })
        .collect()
}

/// Points of the first path of a class.
pub(crate) fn path(svg: &str, class: &str) -> Vec<(f64, f64)> {
    let start = format!("<path class=\"{class}\" d=\"");
    let line = svg.lines().find_map(|l| l.strip_prefix(&start)).unwrap();
    let data = line.split('"').next().unwrap();
    data.split(['M', 'L', 'Z'])
        .filter(|p| !p.is_empty())
        .map(|p| {
            let (x, y) = p.split_once(' ').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        })
        .collect()
}

/// The rules that all figures keep.
pub(crate) fn sound(figure: &Figure) {
    let svg = &figure.svg;
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"));
    assert!(svg.contains("role=\"img\"") && svg.contains("viewBox="));
    for forbidden in [
        "NaN", "inf\"", "style=", "<script", "href", "url(", "infinity",
    ] {
        assert!(!svg.contains(forbidden), "{forbidden} in {}", figure.id);
    }
    assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
    for id in svg.split(" id=\"").skip(1) {
        assert!(id.starts_with(&figure.key), "{id}");
    }
    assert!(!figure.title.is_empty() && !figure.description.is_empty());
    assert!(figure.caption.ends_with('.'), "{}", figure.caption);
    assert_eq!(figure.wide, svg.contains("width=\"1080\""));
    for row in &figure.table.rows {
        assert_eq!(row.len(), figure.table.columns.len(), "{}", figure.id);
    }
}

/// Numbers that break careless code.
pub(crate) const NASTY: [f64; 9] = [
    0.0,
    -1.0,
    1e-9,
    1e15,
    -1e300,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
];

/// Names that break careless code.
pub(crate) const NAMES: [&str; 4] = [
    "<b>&\"x'",
    "",
    "A channel whose name goes on and on, past every margin that a chart could reasonably have",
    "Übergröße 日本語 🎯",
];

/// An interval around a median.
pub(crate) fn interval(median: f64, half: f64) -> crate::Interval {
    crate::Interval {
        mean: median,
        q05: median - half,
        q25: median - half * 0.4,
        q50: median,
        q75: median + half * 0.4,
        q95: median + half,
    }
}

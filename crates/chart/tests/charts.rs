//! What the pictures show.

#![forbid(unsafe_code)]

use roxmltree::{Document, Node};
use tollgate_chart::{Bar, BarChart, Chart, Histogram, svg};

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

fn bars<'d>(document: &'d Document<'_>) -> Vec<Node<'d, 'd>> {
    document.descendants().filter(|node| node.has_tag_name("rect") && node.attribute("class") != Some("page")).collect()
}

fn texts(document: &Document<'_>) -> Vec<String> {
    document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .filter_map(|node| node.text())
        .map(Into::into)
        .collect()
}

/// Everything lies within the picture.
fn fits(document: &Document<'_>) {
    let height = number(document.root_element(), "height");
    for node in document.descendants().filter(|node| node.attribute("y").is_some()) {
        assert!((0.0..=height).contains(&number(node, "y")), "{node:?}");
    }
}

#[test]
fn bars_are_as_long_as_their_values() {
    let chart = BarChart::new("t", "n").group("g", [Bar::new("a", 4.0, "4"), Bar::new("b", 1.0, "1").ours()]);
    let picture = svg(&[&chart]);
    let document = Document::parse(&picture).unwrap();
    let bars = bars(&document);
    assert_eq!(bars.len(), 2);
    assert!((number(bars[0], "width") / number(bars[1], "width") - 4.0).abs() < 0.01);
    assert_eq!(bars.iter().map(|bar| bar.attribute("class")).collect::<Vec<_>>(), [Some("other"), Some("ours")]);
    assert_eq!(texts(&document), ["t", "n", "g", "a", "4", "b", "1"]);
    fits(&document);
}

#[test]
fn text_is_escaped() {
    let chart = BarChart::new("<a & \"b\">", "</svg>").group("", [Bar::new("<", 1.0, "&")]);
    let picture = svg(&[&chart]);
    assert_eq!(texts(&Document::parse(&picture).unwrap()), ["<a & \"b\">", "</svg>", "<", "&"]);
}

#[test]
fn what_is_no_number_is_no_bar() {
    for value in [f64::NAN, -1.0, 0.0] {
        let picture = svg(&[&BarChart::new("t", "n").group("", [Bar::new("a", value, "")])]);
        assert_eq!(number(bars(&Document::parse(&picture).unwrap())[0], "width"), 0.0, "{value}");
    }
}

#[test]
fn a_histogram_shows_counts_and_marks_on_a_logarithmic_scale() {
    let chart = Histogram::new("t", "n").bucket(100.0, 1e3, 10).bucket(1e3, 1e4, 5).mark("p50", 1e3).mark("p99", 1e4);
    let picture = svg(&[&chart]);
    let document = Document::parse(&picture).unwrap();
    let bars = bars(&document);
    assert!((number(bars[0], "width") - number(bars[1], "width")).abs() < 0.2, "a power of ten each");
    assert!((number(bars[0], "height") - 2.0 * number(bars[1], "height")).abs() < 0.2, "twice the count");
    let marks: Vec<_> = document.descendants().filter(|node| node.attribute("class") == Some("mark")).collect();
    assert!((number(marks[0], "x1") - number(bars[1], "x")).abs() < 0.2);
    let texts = texts(&document);
    for text in ["100 ns", "1 us", "5 us", "10 us", "p50 1 us", "p99 10 us"] {
        assert!(texts.iter().any(|other| other == text), "{text} in {texts:?}");
    }
    fits(&document);
}

#[test]
fn an_empty_histogram_is_a_picture_too() {
    let picture = svg(&[&Histogram::new("t", "n").bucket(0.0, 1.0, 1).bucket(2.0, 1.0, 1).bucket(1.0, 2.0, 0)]);
    assert!(bars(&Document::parse(&picture).unwrap()).is_empty());
    assert!(!picture.contains("NaN") && !picture.contains("inf"));
}

#[test]
fn charts_stand_one_below_the_other() {
    let chart = BarChart::new("t", "n").group("", [Bar::new("a", 1.0, "1")]);
    let height = |charts: &[&dyn Chart]| number(Document::parse(&svg(charts)).unwrap().root_element(), "height");
    let picture = svg(&[&chart, &chart]);
    let document = Document::parse(&picture).unwrap();
    let bars = bars(&document);
    assert!(number(bars[0], "y") + number(bars[0], "height") < number(bars[1], "y"));
    assert!(height(&[&chart, &chart]) > height(&[&chart]));
    fits(&document);
}

//! The board, the alert rules and the document use only existing metrics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tollgate_telemetry::names::{ALL, Metric};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The metric of a time series of that name.
fn metric(series: &str) -> Option<&'static Metric> {
    let is_it = |metric: &&Metric| {
        metric.name == series
            || (metric.kind == "histogram"
                && ["_bucket", "_sum", "_count"].iter().any(|suffix| series.strip_suffix(suffix) == Some(metric.name)))
    };
    ALL.iter().find(is_it)
}

/// The words of an expression that begin like the metrics.
fn series(expression: &str) -> BTreeSet<&str> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    expression
        .split(|character| !is_name(character))
        .filter(|word| word.starts_with("tollgate_") || word.starts_with("http_server_"))
        .collect()
}

/// Checks that the metrics of an expression exist, with the labels by which it selects and sums. Returns the metrics.
fn check(expression: &str) -> Vec<&'static str> {
    let metrics: Vec<&Metric> = series(expression)
        .into_iter()
        .map(|name| metric(name).unwrap_or_else(|| panic!("there is no {name}: {expression}")))
        .collect();
    assert!(!metrics.is_empty(), "{expression}");
    let mut labels = BTreeSet::new();
    for selector in expression.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
        // No value here contains a comma.
        labels.extend(selector.split(',').map(|one| one.split(['=', '!']).next().unwrap().trim()));
    }
    for by in expression.split("by (").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        labels.extend(by.split(',').map(str::trim));
    }
    for label in labels {
        // Labels that Prometheus itself adds.
        let is_known = ["job", "instance", "le"].contains(&label)
            || metrics.iter().any(|metric| metric.labels.iter().any(|own| own.replace('.', "_") == label));
        assert!(is_known, "no label {label}: {expression}");
    }
    metrics.into_iter().map(|metric| metric.name).collect()
}

#[test]
fn the_board_shows_every_metric_and_none_that_does_not_exist() {
    let board: Value = serde_json::from_str(&read("deploy/grafana.json")).unwrap();
    let mut shown = BTreeSet::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            shown.extend(check(target["expr"].as_str().unwrap()));
        }
    }
    assert_eq!(shown, ALL.iter().map(|metric| metric.name).collect());
}

#[test]
fn each_alert_is_about_metrics_that_exist() {
    let rules = read("deploy/alerts.yml");
    let mut alerts = 0;
    for alert in rules.split("- alert: ").skip(1) {
        // A folded text ends at a line without deeper indentation.
        let expression = alert.split("expr: ").nth(1).unwrap();
        let (first, rest) = expression.split_once('\n').unwrap();
        let folded = rest.lines().take_while(|line| line.starts_with("          "));
        let expression = if first.starts_with(">-") { folded.collect::<String>() } else { first.to_owned() };
        check(&expression);
        assert!(alert.contains("severity:") && alert.contains("summary:"), "{alert}");
        alerts += 1;
    }
    assert!(alerts >= 10);
}

#[test]
fn the_document_lists_every_metric_with_its_labels() {
    let document = read("docs/metrics.md");
    for Metric { name, kind, labels, help } in ALL {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{}`", label.replace('.', "_"))).collect();
        let row = format!("| `{name}` | {kind} | {} | {} |", labels.join(", "), help);
        assert!(document.lines().any(|line| line == row), "docs/metrics.md lacks the line\n{row}");
    }
    let listed =
        series(&document).into_iter().filter(|name| *name != "tollgate_telemetry" && *name != "tollgate_remote");
    for name in listed {
        assert!(metric(name).is_some(), "docs/metrics.md names {name}");
    }
}

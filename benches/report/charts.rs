//! The charts, as SVG.

use serde_json::Value;
use tollgate_chart::{Bar, BarChart, svg};

use crate::measured::kept;
use crate::numbers::{median, shown, thousands, time};
use crate::part::Part;
use crate::tables::{SERVERS, column};

/// A picture.
pub(crate) struct Chart {
    pub(crate) name: &'static str,
    /// The text alternative.
    pub(crate) title: &'static str,
    pub(crate) picture: String,
}

/// Every chart for which something was measured.
pub(crate) fn charts() -> Vec<Chart> {
    let (cold, warm) = (found(Part::Cold), found(Part::Warm));
    let (attack, end_to_end) = (found(Part::Attack), found(Part::EndToEnd));
    let mut charts = Vec::new();
    let mut add = |name, title, picture| charts.push(Chart { name, title, picture });
    if !cold.is_null() && !warm.is_null() {
        let title = "One verify on one core: tollgate and other libraries";
        add("headline", title, verifies(&["RS256", "ES256"]));
        add("algorithms", title, verifies(&["RS256", "ES256", "EdDSA", "HS256"]));
    }
    if !warm.is_null() {
        add("warm", "A warm token, compared with one SHA-256 of it", beside_a_hash(&warm));
    }
    if !attack.is_null() {
        add("attack", "A good token while an attack is ten times as many", attacks(&attack));
    }
    if !end_to_end.is_null() {
        add("end-to-end", "Requests a second of an axum server that says hello", requests(&end_to_end));
    }
    charts
}

fn found(part: Part) -> Value {
    kept(part).map(|measured| measured.found).unwrap_or_default()
}

fn verifies(algorithms: &[&str]) -> String {
    let (cold, warm, node) = (found(Part::Cold), found(Part::Warm), found(Part::Node));
    let mut chart = BarChart::new("One verify, one core", "less is better");
    for algorithm in algorithms {
        let id = |name: &str| format!("{name}/{algorithm}");
        let ours = [("tollgate, warm", time(&warm, "warm/1k")), ("tollgate, cold", time(&cold, &id("cold")))];
        let others = ["jsonwebtoken", "jwt-simple"].map(|name| (name, time(&cold, &id(name))));
        let in_node = [("fast-jwt (Node.js)", "fast-jwt"), ("jose (Node.js)", "jose")]
            .map(|(label, name)| (label, node[id(name)].as_f64()));
        let ours = ours.into_iter().filter_map(|(name, time)| bar(name, time)).map(Bar::ours);
        let others = others.into_iter().chain(in_node).filter_map(|(name, time)| bar(name, time));
        chart = chart.group(*algorithm, ours.chain(others));
    }
    svg(&[&chart])
}

fn beside_a_hash(warm: &Value) -> String {
    let bars = [
        ("one token", "warm/one"),
        ("1,000 tokens", "warm/1k"),
        ("100,000 tokens", "warm/100k"),
        ("a million others revoked", "revoked/1m"),
    ];
    let bars = bars.into_iter().filter_map(|(name, id)| bar(name, time(warm, id))).map(Bar::ours);
    let yardstick = bar("one SHA-256 of the token", time(warm, "sha256/signing_input"));
    let chart = BarChart::new("A warm token", "less is better").group("", yardstick.into_iter().chain(bars));
    svg(&[&chart])
}

fn attacks(attack: &Value) -> String {
    let mut chart = BarChart::new(
        "A good token while an attack is ten times as many",
        "99 of 100 are answered within this time, waiting for others included; less is better",
    );
    for outcome in attack.as_array().into_iter().flatten() {
        let p99 = |phase: &str| outcome[phase]["answer_ns"]["p99"].as_f64();
        let bars = bar("before", p99("before")).into_iter().chain(bar("during", p99("during")).map(Bar::ours));
        chart = chart.group(outcome["attack"].as_str().unwrap_or_default(), bars);
    }
    svg(&[&chart])
}

fn requests(end_to_end: &Value) -> String {
    let mut chart = BarChart::new("An axum server that says hello", "requests a second, more is better");
    for servers in SERVERS.chunks(3) {
        let bars = servers.iter().filter_map(|(server, name)| {
            let requests = median(column(end_to_end, server, "requests_per_second"))?;
            let (label, _) = name.split_once(',').unwrap_or((name, ""));
            let bar = Bar::new(label, requests, thousands(requests));
            Some(if server.starts_with("tollgate") { bar.ours() } else { bar })
        });
        let (_, algorithm) = servers[0].0.split_once('/').unwrap_or_default();
        chart = chart.group(algorithm, bars);
    }
    svg(&[&chart])
}

fn bar(name: &str, nanoseconds: Option<f64>) -> Option<Bar> {
    nanoseconds.map(|time| Bar::new(name, time, shown(Some(time))))
}

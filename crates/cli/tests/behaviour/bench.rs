//! `tollgate bench`: the table, the JSON object and the chart of a very short measurement.

use std::fs;

use crate::support::{Folder, run};
use roxmltree::Document;
use serde_json::Value;

/// HS256, because test builds are not optimised.
const SHORT: [&str; 9] = ["bench", "--alg", "HS256", "--duration", "150ms", "--tokens", "50", "--threads", "2"];

fn bench(further: &[&str]) -> String {
    let run = run(&[&SHORT, further].concat(), "");
    // Standard error is not a terminal, so no progress is shown.
    assert_eq!((run.status, run.stderr.as_str()), (0, ""), "{run:?}");
    run.stdout
}

fn measured(further: &[&str]) -> Value {
    let output = bench(&[further, &["--json"]].concat());
    assert_eq!(output.lines().count(), 1, "{output}");
    serde_json::from_str(&output).unwrap()
}

#[test]
fn table_has_throughput_latencies_and_layers() {
    let table = bench(&["--hit-share", "90"]);
    let row = |name: &str| {
        let row = table.lines().find(|line| line.starts_with(name));
        row.unwrap_or_else(|| panic!("{name} in {table}")).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(table.starts_with("HS256, 50 tokens of "), "{table}");
    assert!(row("throughput").ends_with("verifies a second"), "{table}");
    assert!(row("a verify").contains(" x a SHA-256 of the signing input"), "{table}");
    assert!(row("a signature check").ends_with("s"), "HMAC has no tables: {table}");
    assert_eq!(row("latency"), "latency p50 p99 p99.9 longest");
    for name in ["all", "token seen before", "new token"] {
        assert!(row(name).split(' ').filter(|word| ["ns", "us", "ms"].contains(word)).count() == 4, "{table}");
    }
    assert_eq!(row("the mean is made of"), "the mean is made of verifies time mean");
    assert!(!table.contains("\nAPI key "), "none was presented: {table}");
    for name in ["in the thread's cache", "in the shared cache", "nowhere"] {
        assert!(row(name).ends_with('%'), "{table}");
    }
    assert!(!table.contains("REJECTED"), "{table}");
}

#[test]
fn what_tables_of_a_key_gain_is_measured_where_a_key_has_them() {
    let times = |algorithm: &str| {
        let run = run(&["bench", "--alg", algorithm, "--duration", "50ms", "--tokens", "5", "--json"], "");
        let measured: Value = serde_json::from_str(&run.stdout).unwrap();
        ["signature_check_ns", "signature_check_without_tables_ns"].map(|name| measured[name].as_f64())
    };
    assert!(matches!(times("HS256"), [Some(check), None] if check > 0.0));
    assert!(matches!(times("ES256"), [Some(with), Some(without)] if with > 0.0 && without > 0.0));
}

#[test]
fn the_parts_of_the_mean_add_up_to_one() {
    let shares = measured(&["--hit-share", "50"])["share_by_credential"].clone();
    for part in ["verifies", "time"] {
        let sum =
            ["token_seen_before", "new_token"].map(|name| shares[name][part].as_f64().unwrap()).iter().sum::<f64>();
        assert!((0.999..1.001).contains(&sum), "{shares}");
    }
}

#[test]
fn tokens_seen_before_are_found_and_new_ones_are_not() {
    let seen = measured(&["--hit-share", "100"]);
    assert_eq!((&seen["rejected"], &seen["cache"]["miss"]), (&0.into(), &0.0.into()), "{seen}");
    assert!(seen["cache"]["front"].as_f64().unwrap() > 0.5, "fifty tokens fit each thread's cache: {seen}");
    assert!(seen["latency_ns_by_credential"].get("new_token").is_none(), "{seen}");

    let new = measured(&["--hit-share", "0"]);
    assert_eq!((&new["rejected"], &new["cache"]["miss"]), (&0.into(), &1.0.into()), "{new}");
    assert!(new["latency_ns_by_credential"].get("token_seen_before").is_none(), "{new}");

    let mixed = measured(&["--hit-share", "75"]);
    let miss = mixed["cache"]["miss"].as_f64().unwrap();
    assert!((0.15..0.35).contains(&miss), "{mixed}");
}

#[test]
fn json_tells_the_shape_and_the_times() {
    let measured = measured(&["--token-bytes", "1500"]);
    let (shape, number) = (&measured["shape"], |value: &Value| value.as_f64().unwrap());
    assert_eq!((&shape["alg"], &shape["tokens"], &shape["threads"]), (&"HS256".into(), &50.into(), &2.into()));
    assert!((1490..=1510).contains(&shape["token_bytes"].as_u64().unwrap()), "{shape}");
    assert!(number(&measured["verifies"]) > 0.0 && number(&measured["verifies_per_second"]) > 0.0, "{measured}");
    assert!(number(&measured["sha256_of_signing_input_ns"]) > 0.0, "{measured}");
    let latency = &measured["latency_ns"];
    let order = ["p50", "p90", "p99", "p999", "max"].map(|name| number(&latency[name]));
    assert!(order.is_sorted() && order[0] > 0.0, "{latency}");
}

#[test]
fn api_keys_are_presented_as_often_as_asked() {
    let all = measured(&["--api-keys", "300", "--api-key-share", "100"]);
    assert_eq!((&all["rejected"], &all["shape"]["api_keys"]), (&0.into(), &300.into()), "{all}");
    let by_credential = all["latency_ns_by_credential"].as_object().unwrap();
    assert_eq!(by_credential.keys().collect::<Vec<_>>(), ["api_key"]);
    let some = measured(&["--api-key-share", "50"]);
    assert_eq!(some["latency_ns_by_credential"].as_object().unwrap().len(), 3, "{some}");
}

#[test]
fn without_a_cache_every_token_is_verified() {
    let measured = measured(&["--cache-mib", "0"]);
    assert_eq!((&measured["rejected"], &measured["cache"]["front"]), (&0.into(), &0.0.into()), "{measured}");
}

#[test]
fn svg_shows_a_histogram_and_bars() {
    let folder = Folder::new();
    let path = folder.path("bench.svg");
    let table = bench(&["--svg", &path]);
    assert!(table.contains("throughput"), "the table is printed too: {table}");
    let picture = fs::read_to_string(&path).unwrap();
    let document = Document::parse(&picture).unwrap();
    let texts: Vec<_> =
        document.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text()).collect();
    for text in ["Latency of a verify", "Median of each kind", "token seen before", "SHA-256 of a signing input"] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    assert!(texts.iter().any(|text| text.starts_with("p99 ")), "{texts:?}");
    assert!(document.descendants().filter(|node| node.attribute("class") == Some("ours")).count() > 3);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    run(&["bench", "--alg", "none"], "").refused_with("invalid value 'none'");
    run(&["bench", "--alg", "ML-DSA-44"], "").refused_with("ML-DSA-44");
    run(&["bench", "--hit-share", "101"], "").refused_with("from 0 to 100");
    run(&["bench", "--hit-share", "NaN"], "").refused_with("from 0 to 100");
    run(&["bench", "--threads", "0"], "").refused_with("--threads");
    run(&["bench", "--duration", "0s"], "").refused_with("above zero");
    run(&["bench", "--token-bytes", "9000"], "").refused_with("8000");
    run(&["bench", "--alg", "HS256", "--duration", "10ms", "--svg", "/nowhere/bench.svg"], "")
        .refused_with("/nowhere/bench.svg");
}

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::measured::{Credential, Measured};
use super::shape::Shape;

/// The results as one JSON object on one line. Shares are from 0 to 1, times in nanoseconds.
pub(crate) fn json(shape: &Shape, measured: &Measured) -> String {
    let samples = &measured.samples;
    let [front, back, miss] = measured.layers.shares();
    let by_credential = Credential::ALL
        .into_iter()
        .filter_map(|credential| latency(samples.latencies(credential)).map(|latency| (member(credential), latency)));
    let parts = samples.parts();
    let parts =
        parts.map(|(credential, [verifies, time])| (member(credential), json!({ "verifies": verifies, "time": time })));
    let object = json!({
        "shape": {
            "alg": shape.algorithm.name(),
            "token_bytes": measured.token_bytes,
            "tokens": shape.tokens,
            "hit_share": shape.hit_share,
            "api_keys": shape.api_keys,
            "api_key_share": shape.api_key_share,
            "threads": shape.threads,
            "cache_bytes": shape.cache_bytes,
            "duration_seconds": shape.duration.as_secs_f64(),
        },
        "verifies": samples.verifies(),
        "rejected": samples.rejected(),
        "verifies_per_second": samples.throughput(),
        "ns_per_verify": samples.nanoseconds_per_verify(),
        "sha256_of_signing_input_ns": measured.sha256,
        "signature_check_ns": measured.signature_check.as_ref().map(|check| check.engine),
        "signature_check_without_tables_ns": measured.signature_check.as_ref().and_then(|check| check.without_tables),
        "latency_ns": latency(&samples.all_latencies()),
        "share_by_credential": parts.collect::<Map<String, Value>>(),
        "latency_ns_by_credential": by_credential.collect::<Map<String, Value>>(),
        "cache": {
            "front": front, "back": back, "miss": miss,
            "evictions": measured.layers.evictions, "bytes": measured.layers.bytes,
        },
    });
    object.to_string()
}

fn member(credential: Credential) -> String {
    credential.name().replace(' ', "_").to_lowercase()
}

fn latency(histogram: &Histogram<u64>) -> Option<Value> {
    let at = |part| histogram.value_at_quantile(part);
    let summary = || {
        json!({
            "p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999),
            "max": histogram.max(), "mean": histogram.mean(),
        })
    };
    (!histogram.is_empty()).then(summary)
}

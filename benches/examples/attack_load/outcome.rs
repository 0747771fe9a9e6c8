use std::fmt::Write;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::attack::Attack;
use crate::load::Seen;

/// The results for callers with good tokens before an attack and during it.
pub(crate) struct Outcome {
    pub(crate) attack: Attack,
    pub(crate) before: Seen,
    pub(crate) during: Seen,
}

/// All outcomes, for people. Times in microseconds.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| | good tokens/s | attack/s | answered p50, us | p99, us | verify p50, us | p99, us | hit rate |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for outcome in outcomes {
        let rows =
            [(format!("before: {}", outcome.attack.name()), &outcome.before), ("during".to_owned(), &outcome.during)];
        for (name, seen) in rows {
            let at = |histogram: &Histogram<u64>, part| histogram.value_at_quantile(part) as f64 / 1e3;
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "| {name} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2}% |",
                seen.legitimate as f64 / seen.seconds,
                seen.attacks as f64 / seen.seconds,
                at(&seen.answer, 0.5),
                at(&seen.answer, 0.99),
                at(&seen.verify, 0.5),
                at(&seen.verify, 0.99),
                hit_rate(seen) * 100.0,
            );
        }
    }
    text
}

/// All outcomes. Times in nanoseconds, shares from 0 to 1.
pub(crate) fn json(outcomes: &[Outcome]) -> Value {
    let attacks = outcomes.iter().map(|outcome| {
        json!({
            "attack": outcome.attack.name(),
            "accepted": outcome.attack.is_accepted(),
            "before": seen(&outcome.before),
            "during": seen(&outcome.during),
        })
    });
    Value::Array(attacks.collect())
}

fn seen(seen: &Seen) -> Value {
    let latency = |histogram: &Histogram<u64>| {
        let at = |part| histogram.value_at_quantile(part);
        json!({ "p50": at(0.5), "p99": at(0.99), "p999": at(0.999), "max": histogram.max() })
    };
    json!({
        "seconds": seen.seconds,
        "legitimate": seen.legitimate,
        "attacks": seen.attacks,
        "answer_ns": latency(&seen.answer),
        "verify_ns": latency(&seen.verify),
        "hit_rate": hit_rate(seen),
        "ns_per_attack": seen.attack_time.as_nanos() as f64 / seen.attacks.max(1) as f64,
        "evictions": seen.evictions,
    })
}

fn hit_rate(seen: &Seen) -> f64 {
    seen.hits as f64 / seen.legitimate.max(1) as f64
}

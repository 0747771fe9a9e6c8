use serde_json::Value;

use super::Table;
use crate::measured::Measured;
use crate::numbers::thousands;

/// The results for callers with good tokens before and during attacks.
pub(super) fn table(attack: &Measured) -> String {
    let mut table = Table::new(
        1,
        [
            "",
            "good tokens a second",
            "attack a second",
            "answered, p50",
            "p99",
            "verify alone, p50",
            "p99",
            "hit rate",
            "one request of the attack",
        ],
    );
    for outcome in attack.found.as_array().into_iter().flatten() {
        let name = outcome["attack"].as_str().unwrap_or_default();
        row(&mut table, format!("before: {name}"), &outcome["before"]);
        row(&mut table, format!("**during: {name}**"), &outcome["during"]);
    }
    table.0
}

fn row(table: &mut Table, name: String, seen: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let rate = |count: &Value| thousands(number(count) / number(&seen["seconds"]).max(1e-9));
    let microseconds = |value: &Value| format!("{:.2} us", number(value) / 1e3);
    let has_attack = number(&seen["attacks"]) > 0.0;
    table.row([
        name,
        rate(&seen["legitimate"]),
        if has_attack { rate(&seen["attacks"]) } else { "-".to_owned() },
        microseconds(&seen["answer_ns"]["p50"]),
        microseconds(&seen["answer_ns"]["p99"]),
        microseconds(&seen["verify_ns"]["p50"]),
        microseconds(&seen["verify_ns"]["p99"]),
        format!("{:.2}%", number(&seen["hit_rate"]) * 100.0),
        if has_attack { microseconds(&seen["ns_per_attack"]) } else { "-".to_owned() },
    ]);
}

use serde_json::Value;

use super::Table;
use crate::measured::{Measured, kept};
use crate::numbers::{ratio, shown, time, times};
use crate::part::Part;

pub(super) const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "HS256"];

/// The benchmarks that should have been measured and were not.
pub(super) fn unmeasured(found: &Value) -> Vec<String> {
    let peers: &[&str] = if cfg!(feature = "peers") { &["jsonwebtoken", "jwt-simple"] } else { &[] };
    let names = ["cold", "primitive_of_engine", "primitive"].iter().chain(peers);
    let ids = names.flat_map(|name| ALGORITHMS.map(|algorithm| format!("{name}/{algorithm}")));
    ids.filter(|id| time(found, id).is_none()).collect()
}

/// A warm token in libraries with a cache.
pub(super) fn cached(node: &Measured) -> String {
    let mut table = Table::new(1, ["1,000 warm tokens", "one verify"]);
    let warm = kept(Part::Warm).map(|warm| warm.found).unwrap_or_default();
    table.row(["tollgate", &shown(time(&warm, "warm/1k"))]);
    for algorithm in ALGORITHMS {
        let cached = node.found[format!("fast-jwt, cached/{algorithm}")].as_f64();
        table.row([&format!("fast-jwt with its cache on, {algorithm}"), &shown(cached)]);
    }
    table.0
}

/// Every algorithm, compared with its primitive and other libraries.
pub(super) fn table(cold: &Measured) -> String {
    let mut table = Table::new(
        1,
        [
            "one cold verify",
            "tollgate",
            "its bare signature check",
            "ratio",
            "ring's check",
            "ratio",
            "jsonwebtoken",
            "jwt-simple",
            "fast-jwt",
            "jose",
        ],
    );
    let (cold, node) = (&cold.found, kept(Part::Node).map(|node| node.found).unwrap_or_default());
    for algorithm in ALGORITHMS {
        let id = |name: &str| format!("{name}/{algorithm}");
        let peer = |name: &str| shown(time(cold, &id(name)));
        let in_node = |name: &str| shown(node[id(name)].as_f64());
        table.row([
            algorithm.to_owned(),
            shown(time(cold, &id("cold"))),
            shown(time(cold, &id("primitive_of_engine"))),
            times(ratio(cold, &id("cold"), &id("primitive_of_engine"))),
            shown(time(cold, &id("primitive"))),
            times(ratio(cold, &id("cold"), &id("primitive"))),
            peer("jsonwebtoken"),
            peer("jwt-simple"),
            in_node("fast-jwt"),
            in_node("jose"),
        ]);
    }
    table.0
}

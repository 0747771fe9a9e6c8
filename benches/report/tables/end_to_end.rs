use serde_json::Value;

use super::Table;
use crate::measured::Measured;
use crate::numbers::{median, thousands, times};

pub(crate) const SERVERS: [(&str, &str); 6] = [
    ("none/RS256", "no authentication, RS256 tokens unread"),
    ("tollgate/RS256", "tollgate, RS256"),
    ("jsonwebtoken/RS256", "jsonwebtoken, RS256"),
    ("none/ES256", "no authentication, ES256 tokens unread"),
    ("tollgate/ES256", "tollgate, ES256"),
    ("jsonwebtoken/ES256", "jsonwebtoken, ES256"),
];

/// A server that says hello.
pub(super) fn table(end_to_end: &Measured) -> String {
    let mut table = Table::new(
        1,
        [
            "",
            "requests a second",
            "of no authentication",
            "p50",
            "p99",
            "processor time for 10^6 requests",
            "processors at 100,000 a second",
        ],
    );
    let found = &end_to_end.found;
    for (server, name) in SERVERS.into_iter().filter(|(server, _)| found[server].is_array()) {
        let middle = |member: &str| median(column(found, server, member)).unwrap_or_default();
        let used = middle("cpu_seconds_per_million");
        table.row([
            name.to_owned(),
            thousands(middle("requests_per_second")),
            times(kept_throughput(found, server)),
            format!("{:.2} ms", middle("p50_us") / 1e3),
            format!("{:.2} ms", middle("p99_us") / 1e3),
            format!("{used:.2} s"),
            format!("{:.2}", used / 10.0),
        ]);
    }
    table.0
}

/// A server's throughput as a share of that without authentication: the median over the rounds.
pub(crate) fn kept_throughput(found: &Value, server: &str) -> Option<f64> {
    let (_, algorithm) = server.split_once('/')?;
    let requests = |server: &str| column(found, server, "requests_per_second");
    let base = requests(&format!("none/{algorithm}"));
    median(requests(server).iter().zip(base).map(|(requests, base)| requests / base).collect())
}

/// One number of every round.
pub(crate) fn column(found: &Value, server: &str, member: &str) -> Vec<f64> {
    found[server].as_array().into_iter().flatten().filter_map(|round| round[member].as_f64()).collect()
}

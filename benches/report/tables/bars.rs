use serde_json::Value;

use super::Table;
use super::cold::ALGORITHMS;
use super::end_to_end::kept_throughput;
use crate::measured::kept;
use crate::numbers::{ratio, time};
use crate::part::Part;

/// The bars and the results.
pub(super) fn table() -> String {
    let mut table = Table::new(2, ["path", "bar", "reached", ""]);
    let found = |part: Part| kept(part).map(|measured| measured.found).unwrap_or_default();
    let mut row = |path: &str, bar: Bar, reached: Option<f64>| {
        let Some(reached) = reached else { return };
        let verdict = if bar.is_met(reached) { "met" } else { "**missed**" };
        table.row([path, &bar.text(), &format!("{reached:.2} x"), verdict]);
    };

    let (warm, signing_input) = (found(Part::Warm), "sha256/signing_input");
    let of_a_hash = "one SHA-256 of the signing input";
    row("warm, one hot token", Bar::AtMost(0.18, of_a_hash), ratio(&warm, "warm/one", signing_input));
    row("warm, 100,000 tokens", Bar::AtMost(1.1, of_a_hash), ratio(&warm, "warm/100k", signing_input));
    let engines = ratio(&warm, "engines/64", "engines/1");
    row("64 engines on a thread, hot", Bar::AtMost(1.5, "one engine"), engines);
    let threads = ratio(&warm, "contention/own_engine_2_threads", "contention/one_token_2_threads");
    row("one hot token on two threads", Bar::AtLeast(0.90, "the throughput with an engine each"), threads);

    let (cold, node) = (found(Part::Cold), found(Part::Node));
    for algorithm in ALGORITHMS {
        let (path, id) = (format!("cold, {algorithm}"), |name: &str| format!("{name}/{algorithm}"));
        let most = if algorithm == "HS256" { 2.2 } else { 1.05 };
        let primitive = ratio(&cold, &id("cold"), &id("primitive_of_engine"));
        row(&path, Bar::AtMost(most, "the bare check of the same backend"), primitive);
        let peers = ["jsonwebtoken", "jwt-simple"].map(|name| ratio(&cold, &id(name), &id("cold")));
        let others = ["fast-jwt", "jose"].map(|name| in_node(&cold, &node, &id("cold"), &id(name)));
        let next = peers.into_iter().chain(others).flatten().reduce(f64::min);
        row(&path, Bar::AtLeast(1.0, "as fast as the fastest other library"), next);
    }
    let jsonwebtoken = ratio(&cold, "jsonwebtoken/HS256", "cold/HS256");
    row("cold, HS256", Bar::AtLeast(4.0, "as fast as jsonwebtoken"), jsonwebtoken);

    let keys = found(Part::ApiKey);
    for (size, most) in [("1000", 1.5), ("100000", 1.9), ("10000000", 4.0)] {
        let reached = ratio(&keys, &format!("api_key/{size}"), "sha256/api_key");
        row(&format!("API key, {size} keys"), Bar::AtMost(most, "one SHA-256 of the key"), reached);
    }
    let reject = found(Part::Reject);
    for what in ["garbage", "unknown_kid", "expired"] {
        let reached = ratio(&reject, &format!("reject/{what}"), signing_input);
        row(&format!("rejected: {}", what.replace('_', " ")), Bar::AtMost(2.0, of_a_hash), reached);
    }
    let dpop = found(Part::Dpop);
    for (key, id, most) in [("known", "dpop/key_seen_before", 1.15), ("new", "dpop/key_new", 1.25)] {
        let added = |id| Some((time(&dpop, id)? - time(&dpop, "dpop/token_alone")?) / time(&dpop, "dpop/es256")?);
        row(&format!("a DPoP proof, its key {key}"), Bar::AtMost(most, "one check of its ES256 signature"), added(id));
    }
    let end_to_end = found(Part::EndToEnd);
    for server in ["tollgate/RS256", "tollgate/ES256"] {
        let path = format!("an HTTP server behind {}", server.replace('/', ", "));
        let bar = Bar::AtLeast(0.97, "the requests a second without authentication");
        row(&path, bar, kept_throughput(&end_to_end, server));
    }
    table.0
}

/// The missing benchmarks of proofs of possession, whose rows are only in the table of bars.
pub(super) fn unmeasured(dpop: &Value) -> Vec<String> {
    let ids = ["dpop/es256", "dpop/token_alone", "dpop/key_seen_before", "dpop/key_new"];
    ids.into_iter().filter(|id| time(dpop, id).is_none()).map(str::to_owned).collect()
}

fn in_node(cold: &Value, node: &Value, ours: &str, theirs: &str) -> Option<f64> {
    Some(node[theirs].as_f64()? / time(cold, ours)?)
}

#[derive(Clone, Copy)]
enum Bar {
    AtMost(f64, &'static str),
    AtLeast(f64, &'static str),
}

impl Bar {
    fn is_met(self, reached: f64) -> bool {
        match self {
            Bar::AtMost(most, _) => reached <= most,
            Bar::AtLeast(least, _) => reached >= least,
        }
    }

    fn text(self) -> String {
        match self {
            Bar::AtMost(most, what) => format!("at most {most:.2} x {what}"),
            Bar::AtLeast(least, what) => format!("at least {least:.2} x {what}"),
        }
    }
}

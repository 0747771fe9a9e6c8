use serde_json::Value;

use super::Table;
use crate::measured::Measured;
use crate::numbers::{ratio, shown, time, times};

/// Benchmarks, each with its id and description, and the id of the one that the others are compared with.
pub(super) struct Rows {
    yardstick: &'static str,
    benchmarks: &'static [(&'static str, &'static str)],
}

/// Warm tokens.
pub(super) const WARM: Rows = Rows {
    yardstick: "sha256/signing_input",
    benchmarks: &[
        ("sha256/signing_input", "one SHA-256 of the signing input"),
        ("warm/one", "one token, hot"),
        ("warm/1k", "1,000 tokens in random order"),
        ("warm/40k", "40,000 tokens in random order"),
        ("warm/100k", "100,000 tokens in random order, a cache of 128 MiB"),
        ("warm/100k_in_the_default_cache", "100,000 tokens in random order, the default cache, which misses a third"),
        ("engines/1", "one engine, one token, hot"),
        ("engines/64", "64 engines in turn, one token, hot"),
        ("warm/principal_scope_check", "one token, and a check of a scope"),
        ("revoked/none", "1,000 tokens, nothing revoked"),
        ("revoked/1m", "1,000 tokens, a million others revoked"),
        (MIXED, "99 warm tokens and a cold one (HS256), the mean"),
    ],
};

/// A benchmark of 100 verifies.
const MIXED: &str = "mixed/99_percent_warm";

/// Rejections.
pub(super) const REJECT: Rows = Rows {
    yardstick: "sha256/signing_input",
    benchmarks: &[
        ("sha256/signing_input", "one SHA-256 of the signing input"),
        ("reject/garbage", "garbage"),
        ("reject/unknown_kid", "unknown `kid`"),
        ("reject/expired", "expired"),
        ("reject/bad_signature", "bad signature (ES256)"),
    ],
};

/// API keys.
pub(super) const API_KEY: Rows = Rows {
    yardstick: "sha256/api_key",
    benchmarks: &[
        ("sha256/api_key", "one SHA-256 of the key"),
        ("api_key/1000", "a key among 1,000"),
        ("api_key/100000", "a key among 100,000"),
        (TEN_MILLION, "a key among 10,000,000"),
        ("api_key/under_updates", "a key, while the table changes"),
        ("api_key/miss", "a key that there is not"),
        ("api_key/bad_checksum", "a key that is none"),
    ],
};

/// Measured only if the environment variable is set.
const TEN_MILLION: &str = "api_key/10000000";

/// Key sets under constant replacement.
pub(super) const ROTATION: Rows = Rows {
    yardstick: "rotation/verify_quiet",
    benchmarks: &[
        ("rotation/verify_quiet", "no replacements"),
        ("rotation/verify_under_swaps", "the key set replaced 1,000 times a second"),
    ],
};

impl Rows {
    /// The benchmarks with their ratios; those that were not measured are left out.
    pub(super) fn table(&self, measured: &Measured) -> String {
        let (mut table, found) = (Table::new(2, ["", "benchmark", "time", "ratio"]), &measured.found);
        for (id, name) in self.benchmarks.iter().filter(|(id, _)| time(found, id).is_some()) {
            let verifies = if *id == MIXED { 100.0 } else { 1.0 };
            let time = time(found, id).map(|time| time / verifies);
            let ratio = ratio(found, id, self.yardstick).map(|ratio| ratio / verifies);
            table.row([*name, &format!("`{id}`"), &shown(time), &times(ratio)]);
        }
        table.0
    }

    /// The benchmarks that should have been measured and were not.
    pub(super) fn unmeasured(&self, found: &Value) -> Vec<String> {
        let ids = self.benchmarks.iter().map(|(id, _)| *id).filter(|id| *id != TEN_MILLION);
        ids.filter(|id| time(found, id).is_none()).map(str::to_owned).collect()
    }
}

/// Two threads with one engine, compared with two that have an engine each.
pub(super) fn threads(warm: &Measured) -> String {
    let mut table = Table::new(1, ["two threads, one token, hot", "a verify on each", "throughput"]);
    let (own, one) = ("contention/own_engine_2_threads", "contention/one_token_2_threads");
    table.row(["an engine for each thread", &shown(time(&warm.found, own)), "1.00 x"]);
    table.row(["one engine for both", &shown(time(&warm.found, one)), &times(ratio(&warm.found, own, one))]);
    table.0
}

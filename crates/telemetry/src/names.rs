//! The names of the metrics and of their labels. They are stable: new ones may be added, none is renamed.
//!
//! Metrics and attributes of OpenTelemetry's semantic conventions are used where they exist: `http.server.request.duration`,
//! and `error.type`, which Prometheus writes as `error_type`. There is none for the verification of credentials.

/// A metric: its name, its unit and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// In Prometheus's form.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Its meaning.
    pub help: &'static str,
}

/// The shared label of values beyond the limit.
pub const OTHER: &str = "other";

/// The label of unknown values.
pub const NONE: &str = "";

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:literal, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: &str = $name;
        )*

        /// Every metric of this crate, of `tollgate-gateway` and of `tollgate-service`.
        pub const ALL: &[Metric] = &[$(Metric { name: $name, kind: $kind, labels: &[$($label),*], help: $help }),*];
    };
}

metrics! {
    VERIFICATIONS = "tollgate_verifications_total", "counter", ["kind", "issuer", "cache", "error.type"],
        "Verified credentials, by kind, configured issuer, whether the cache had the token, and the code of the rejection; no code where it was accepted.";
    VERIFICATION_SECONDS = "tollgate_verification_duration_seconds", "histogram", ["cache"],
        "How long verifies took, in seconds, by whether the cache had the token; where the observer is timed.";
    CACHE_LOOKUPS = "tollgate_cache_lookups_total", "counter", ["result"],
        "Look-ups in the cache of verified tokens: found in the thread's own part (front), in the shared part (back), or not (miss).";
    CACHE_EVICTIONS = "tollgate_cache_evictions_total", "counter", [],
        "Tokens that made room for others in the cache.";
    CACHE_BYTES = "tollgate_cache_bytes", "gauge", [],
        "Memory of the cache of verified tokens, in bytes.";
    REPLAY_CAPACITY = "tollgate_replay_capacity_proofs", "gauge", [],
        "Spent DPoP proofs that the memories of all engines have room for.";
    REPLAY_EVICTIONS = "tollgate_replay_evictions_total", "counter", [],
        "Spent DPoP proofs that were forgotten before they expired: the memory was full.";
    SIGNATURE_CHECKS = "tollgate_signature_checks_total", "counter", ["issuer", "result"],
        "Signatures of JWTs that were checked, by issuer, and whether they verified (good, bad).";
    KEY_REFRESHES = "tollgate_key_refreshes_total", "counter", ["remote", "error.type"],
        "Refreshes of remote key sets, by the code of the failure; no code where one was fetched.";
    KEY_REFRESH_SECONDS = "tollgate_key_refresh_duration_seconds", "histogram", ["remote"],
        "How long the refreshes of remote key sets took, in seconds.";
    KEYS = "tollgate_keys", "gauge", ["remote"],
        "Keys of a remote key set that tokens are verified with; 0 means that every token is rejected.";
    KEYS_AGE = "tollgate_keys_age_seconds", "gauge", ["remote"],
        "How long ago the provider has confirmed a remote key set, in seconds.";
    KEYS_GRACE = "tollgate_keys_grace_seconds", "gauge", ["remote"],
        "For how long a remote key set still serves unless the provider confirms it, in seconds.";
    INTROSPECTIONS = "tollgate_introspection_requests_total", "counter", ["remote"],
        "Requests to introspection endpoints.";
    INTROSPECTION_FAILURES = "tollgate_introspection_failures_total", "counter", ["remote"],
        "Requests to introspection endpoints without a usable answer.";
    INTROSPECTION_OVER_BUDGET = "tollgate_introspection_over_budget_total", "counter", ["remote"],
        "Tokens answered with 503 since the budget of requests to the introspection endpoint was spent.";
    FEED_LAG = "tollgate_feed_lag_changes", "gauge", ["store"],
        "Changes of the store that are known and not applied yet.";
    FEED_AGE = "tollgate_feed_age_seconds", "gauge", ["store"],
        "Age of the newest change or heartbeat of the store that was applied, in seconds.";
    FEED_FAILURES = "tollgate_feed_failures", "gauge", ["store"],
        "Failed attempts to read the store since the last that worked.";
    FEED_HEARTBEAT_FAILURES = "tollgate_feed_heartbeat_failures", "gauge", ["store"],
        "Failed attempts to write a heartbeat since the last that worked: while there are any, nothing can be written.";
    FEED_UNREADABLE = "tollgate_feed_unreadable_records", "gauge", ["store"],
        "Records of the store that could not be decoded and are not accepted.";
    DECISIONS = "tollgate_decisions_total", "counter", ["decision", "error.type"],
        "Decisions of layers: accepted, anonymous (passed with no principal), rejected, or tolerated (only reported), and the code of the rejection.";
    HTTP_REQUEST_SECONDS = "http_server_request_duration_seconds", "histogram", ["http.request.method", "http.route", "http.response.status_code"],
        "How long the service took to answer, in seconds, by method, route and status.";
    GATEWAY_ANSWERS = "tollgate_gateway_answers_total", "counter", ["convention", "status"],
        "Answers of the gateway, by the convention of the proxy and the HTTP status.";
    LOGINS = "tollgate_logins_total", "counter", ["outcome"],
        "Logins with a password at the service: done, wrong-password, too-many-attempts, busy (no password could be hashed in time), or store-failed.";
    BACKCHANNEL_LOGOUTS = "tollgate_backchannel_logouts_total", "counter", ["outcome"],
        "Logout tokens that the service sent to clients: delivered, failed (sent again later), or given-up.";
}

use serde_json::{Value, json};
use tollgate_issuer::SigningKey;

use crate::draft::Draft;
use crate::fixture::{AUDIENCE, ISSUER};

/// The claims that the benchmarks verify, valid for an hour from `now`: an ordinary access token of about 360 bytes.
/// Those of two indices differ in `sub` and `jti`, and have the same length.
#[must_use]
pub fn traffic_claims(index: usize, now: i64) -> Value {
    json!({
        "iss": ISSUER, "sub": format!("user-{index:08}"), "aud": [AUDIENCE, "https://files.example.com"],
        "iat": now, "exp": now + 3600, "nbf": now, "jti": format!("0f8fad5b-d9cb-469f-a165-{index:012}"),
        "client_id": "web-frontend-7", "scope": "read:sites write:sites read:users",
        "roles": ["editor", "publisher"], "email": "someone.else@mail.eu.example.com",
    })
}

/// A token of [`traffic_claims`] under `key`.
#[must_use]
pub fn traffic_token(key: &SigningKey, index: usize, now: i64) -> String {
    Draft::new(key).payload_text(traffic_claims(index, now).to_string()).sign(key)
}

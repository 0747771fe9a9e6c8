//! Nothing secret in Debug or in errors.

use std::sync::Arc;

use crate::support::*;
use serde_json::Value;
use tollgate_issuer::{Minter, SigningKey, SigningKeys};

fn secrets(jwk: &str) -> Vec<String> {
    let jwk: Value = serde_json::from_str(jwk).unwrap();
    let secret = |name: &&str| jwk[*name].as_str().map(str::to_owned);
    ["d", "p", "q", "dp", "dq", "qi", "k"].iter().filter_map(secret).collect()
}

#[test]
fn debug_shows_the_algorithm_and_the_kid_only() {
    let key = SigningKey::generate(tollgate_keys::Algorithm::EdDSA).unwrap().with_kid("k1").unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey { algorithm: EdDSA, kid: \"k1\", .. }");
}

#[test]
fn nothing_that_holds_a_key_shows_it() {
    for algorithm in ALGORITHMS {
        let key = signing_key(algorithm);
        let secrets = secrets(&key.to_private_jwk());
        assert!(!secrets.is_empty());
        let keys = Arc::new(SigningKeys::new(key));
        let minter = Minter::new(ISSUER, Arc::clone(&keys)).unwrap();
        let shown = format!("{:#?}{:#?}{:#?}", keys, minter, minter.token());
        assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())), "{shown}");
    }
}

#[test]
fn errors_do_not_quote_the_key() {
    for jwk in [RSA_JWK, EC_JWK, ED25519_JWK, HMAC_JWK] {
        // Cut short, so that the JSON reader fails near a secret; with a number in place of a text; with a malformed
        // secret.
        let cut = jwk.trim_end().trim_end_matches('}').to_owned();
        let numeric = jwk.replace("\"kty\":", "\"kid\":7,\"kty\":");
        for broken in [cut, numeric, jwk.replace("\"}", "!\"}")] {
            let error = SigningKey::from_jwk(&broken).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(secrets(jwk).iter().all(|secret| !shown.contains(secret.as_str())), "{shown}");
        }
    }
}

//! A token of every algorithm verifies under its published key: with tollgate-keys, and with an independent library.

use crate::support::*;
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_keys::Algorithm;

#[test]
fn minted_tokens_verify_under_the_published_key_set() {
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| !is_hmac(*algorithm)) {
        let (minter, keys) = minter(signing_key(algorithm));
        let token = mint(&minter);
        assert!(verifies(&published(&keys.jwks()), &token), "{algorithm:?}");
    }
}

#[test]
fn minted_tokens_verify_under_the_key_ring() {
    for algorithm in ALGORITHMS {
        let (minter, keys) = minter(signing_key(algorithm));
        let token = mint(&minter);
        assert!(verifies(&keys.key_ring().load(), &token), "{algorithm:?}");
        assert!(verifies(&keys.key_set(), &token), "{algorithm:?}");
    }
}

#[test]
fn tokens_of_one_key_do_not_verify_under_another() {
    for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let kid = "same-kid";
        let (minter, _) = minter(signing_key(algorithm).with_kid(kid).unwrap());
        let (_, others) = crate::support::minter(signing_key(algorithm).with_kid(kid).unwrap());
        assert!(!verifies(&others.key_set(), &mint(&minter)), "{algorithm:?}");
    }
}

#[test]
fn minted_tokens_verify_with_jsonwebtoken() {
    // The other library does not know the name Ed25519 (RFC 9864).
    for algorithm in ALGORITHMS.into_iter().filter(|algorithm| *algorithm != Algorithm::Ed25519) {
        let key = signing_key(algorithm);
        let private: Value = serde_json::from_str(&key.to_private_jwk()).unwrap();
        let (minter, keys) = minter(key);
        let token = minter.token().subject("user-7").audience(AUDIENCE).mint().unwrap();

        let header = jsonwebtoken::decode_header(&token).unwrap();
        let decoding_key = if is_hmac(algorithm) {
            let mut secret = Vec::new();
            base64url::decode(private["k"].as_str().unwrap(), &mut secret).unwrap();
            DecodingKey::from_secret(&secret).unwrap()
        } else {
            let set: JwkSet = serde_json::from_str(&keys.jwks()).unwrap();
            let jwk = set.find(header.kid.as_deref().unwrap()).unwrap();
            DecodingKey::from_jwk(jwk).unwrap()
        };
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let decoded = jsonwebtoken::decode::<Value>(&token, &decoding_key, &validation).unwrap();
        assert_eq!(decoded.claims["sub"], "user-7", "{algorithm:?}");
        assert_eq!(format!("{:?}", header.alg), algorithm.name());
    }
}

#[test]
fn algorithms_without_a_backend_are_refused() {
    for algorithm in [Algorithm::ES512, Algorithm::ES256K, Algorithm::MlDsa44] {
        let error = SigningKey::generate(algorithm).unwrap_err();
        assert_eq!(error.code(), "unsupported-algorithm");
    }
}

#[cfg(not(feature = "aws-lc-rs"))]
#[test]
fn rsa_generation_without_its_feature_says_so() {
    let error = SigningKey::generate(Algorithm::RS256).unwrap_err();
    assert_eq!(error.code(), "rsa-generation-unavailable");
    assert!(error.to_string().contains("aws-lc-rs"));
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn generated_rsa_keys_have_the_stated_length_and_sign() {
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(signature.len() * 8, tollgate_issuer::limits::GENERATED_RSA_BITS);
        let (minter, keys) = minter(key);
        assert!(verifies(&published(&keys.jwks()), &mint(&minter)));
    }
}

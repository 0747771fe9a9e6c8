//! PKCS#8 in PEM and DER, as OpenSSL and ring write it.

use crate::support::*;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use tollgate_issuer::{SigningKey, limits::MAX_PRIVATE_KEY_BYTES};
use tollgate_keys::Algorithm;

#[test]
fn a_pem_holds_the_same_key_as_the_jwk() {
    for (algorithm, pem, jwk) in [
        (Algorithm::RS256, RSA_PEM, RSA_JWK),
        (Algorithm::ES256, EC_PEM, EC_JWK),
        (Algorithm::EdDSA, ED25519_PEM, ED25519_JWK),
    ] {
        let from_pem = SigningKey::from_pkcs8_pem(algorithm, pem).unwrap();
        let from_jwk = SigningKey::from_jwk(jwk).unwrap();
        assert_eq!(*from_pem.to_private_jwk(), *from_jwk.to_private_jwk());
    }
}

#[test]
fn the_documents_of_ring_are_read() {
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random).unwrap();
    assert!(SigningKey::from_pkcs8_der(Algorithm::ES384, ec.as_ref()).is_ok());
    let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    assert!(SigningKey::from_pkcs8_der(Algorithm::Ed25519, ed25519.as_ref()).is_ok());
}

#[test]
fn a_stated_public_key_that_is_not_the_seeds_is_refused() {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let mut der = document.as_ref().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let error = SigningKey::from_pkcs8_der(Algorithm::EdDSA, &der).unwrap_err();
    assert_eq!(error.code(), "invalid-member");
}

#[test]
fn an_algorithm_of_another_key_type_is_refused() {
    for (algorithm, pem) in [
        (Algorithm::ES384, EC_PEM),
        (Algorithm::EdDSA, EC_PEM),
        (Algorithm::ES256, RSA_PEM),
        (Algorithm::HS256, RSA_PEM),
        (Algorithm::RS256, ED25519_PEM),
    ] {
        let error = SigningKey::from_pkcs8_pem(algorithm, pem).unwrap_err();
        assert_eq!(error.code(), "algorithm-mismatch", "{algorithm:?}");
    }
}

#[test]
fn other_forms_are_refused() {
    for pem in [
        include_str!("../keys/rfc7515-a2.pkcs1.pem"),
        include_str!("../keys/rfc7515-a3.sec1.pem"),
        include_str!("../keys/rfc7515-a3.encrypted.pem"),
        EC_JWK,
        "",
        &EC_PEM[..100],
    ] {
        let error = SigningKey::from_pkcs8_pem(Algorithm::ES256, pem).unwrap_err();
        assert_eq!(error.code(), "not-a-private-key");
    }
}

#[test]
fn an_ec_key_without_its_point_is_refused() {
    let pem = include_str!("../keys/rfc7515-a3.no-public.pem");
    let error = SigningKey::from_pkcs8_pem(Algorithm::ES256, pem).unwrap_err();
    assert_eq!(error.code(), "missing-member");
}

#[test]
fn an_over_long_document_is_refused_unread() {
    let der = vec![0x30; MAX_PRIVATE_KEY_BYTES + 1];
    let error = SigningKey::from_pkcs8_der(Algorithm::ES256, &der).unwrap_err();
    assert_eq!(error.code(), "private-key-too-long");
}

//! tollgate and jsonwebtoken accept each other's tokens, for every algorithm that both have.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::Value;
use tollgate::Algorithm;
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, signing_key};

const ALGORITHMS: [(Algorithm, jsonwebtoken::Algorithm); 9] = [
    (Algorithm::RS256, jsonwebtoken::Algorithm::RS256),
    (Algorithm::RS384, jsonwebtoken::Algorithm::RS384),
    (Algorithm::RS512, jsonwebtoken::Algorithm::RS512),
    (Algorithm::PS256, jsonwebtoken::Algorithm::PS256),
    (Algorithm::PS384, jsonwebtoken::Algorithm::PS384),
    (Algorithm::PS512, jsonwebtoken::Algorithm::PS512),
    (Algorithm::ES256, jsonwebtoken::Algorithm::ES256),
    (Algorithm::ES384, jsonwebtoken::Algorithm::ES384),
    (Algorithm::EdDSA, jsonwebtoken::Algorithm::EdDSA),
];

#[test]
fn jsonwebtoken_takes_the_tokens_that_are_minted_here() {
    for (ours, theirs) in ALGORITHMS {
        let key = signing_key(ours, 0);
        let jwk: Jwk = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        let mut validation = Validation::new(theirs);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_exp = false;
        let token = Draft::new(&key).sign(&key);
        let read = jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation);
        assert_eq!(read.unwrap_or_else(|error| panic!("{ours}: {error}")).claims["sub"], "user-1");
    }
}

const RSA_KEY: &str = include_str!("../../keys/rsa2048-1.pem");

#[test]
fn tokens_that_jsonwebtoken_mints_are_taken_here() {
    for (ours, theirs) in ALGORITHMS {
        let key = signing_key(ours, 0);
        let private: Value = serde_json::from_str(&key.to_private_jwk()).unwrap();
        let encoding = match private["kty"].as_str() {
            Some("RSA") => EncodingKey::from_rsa_pem(RSA_KEY.as_bytes()).unwrap(),
            // jsonwebtoken accepts EC and Ed25519 keys only as PKCS#8, which JWKs are not.
            _ => continue,
        };
        let header = Header { kid: Some(key.kid().to_owned()), ..Header::new(theirs) };
        let claims: Value = serde_json::from_str(&Draft::new(&key).claims_json()).unwrap();
        let token = jsonwebtoken::encode(&header, &claims, &encoding).unwrap();
        assert!(engine([&key]).verify_at(token.as_bytes(), NOW).is_ok(), "{ours}");
    }
    for (ours, theirs) in [
        (Algorithm::HS256, jsonwebtoken::Algorithm::HS256),
        (Algorithm::HS384, jsonwebtoken::Algorithm::HS384),
        (Algorithm::HS512, jsonwebtoken::Algorithm::HS512),
    ] {
        let secret = [7; 64];
        let key = tollgate_issuer::SigningKey::from_secret(ours, &secret).unwrap();
        let claims: Value = serde_json::from_str(&Draft::new(&key).claims_json()).unwrap();
        let encoding = EncodingKey::from_secret(&secret).unwrap();
        let token = jsonwebtoken::encode(&Header::new(theirs), &claims, &encoding).unwrap();
        assert!(engine([&key]).verify_at(token.as_bytes(), NOW).is_ok(), "{ours}");
        let mut validation = Validation::new(theirs);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_exp = false;
        let token = Draft::new(&key).sign(&key);
        let decoding = DecodingKey::from_secret(&secret).unwrap();
        assert!(jsonwebtoken::decode::<Value>(&token, &decoding, &validation).is_ok());
    }
}

//! Other libraries with the same task: one token, one key, the same checks of `iss`, `aud`, `exp` and `nbf`.

use tollgate_issuer::SigningKey;

/// Another library.
pub struct Peer {
    /// Its name, the first part of the benchmark's id.
    pub name: &'static str,
    /// Verifies a token, and panics if it is rejected.
    pub verify: Box<dyn Fn(&str)>,
}

/// The peers, each set up with `key` once. None without the feature `peers`.
#[must_use]
pub fn peers(key: &SigningKey) -> Vec<Peer> {
    #[cfg(feature = "peers")]
    return vec![with_peers::jsonwebtoken(key), with_peers::jwt_simple(key)];
    #[cfg(not(feature = "peers"))]
    {
        let _ = key;
        Vec::new()
    }
}

#[cfg(feature = "peers")]
mod with_peers {
    use std::collections::HashSet;

    use jwt_simple::prelude::{
        ECDSAP256PublicKeyLike as _, ES256PublicKey, Ed25519PublicKey, EdDSAPublicKeyLike as _, HS256Key, MACLike as _,
        RS256PublicKey, RSAPublicKeyLike as _, VerificationOptions,
    };
    use serde::{Deserialize, Serialize};
    use tollgate::Algorithm;
    use tollgate::jwt::base64url;
    use tollgate_issuer::SigningKey;
    use tollgate_tests::{AUDIENCE, ISSUER};

    use super::Peer;

    /// The claims that both libraries deserialise; jwt-simple adds the registered claims itself.
    #[derive(Serialize, Deserialize)]
    struct Claims {
        client_id: String,
        scope: String,
        roles: Vec<String>,
        email: String,
    }

    #[derive(Serialize, Deserialize)]
    struct AllClaims {
        iss: String,
        sub: String,
        aud: Vec<String>,
        iat: i64,
        exp: i64,
        nbf: i64,
        jti: String,
        #[serde(flatten)]
        others: Claims,
    }

    fn private_jwk(key: &SigningKey) -> serde_json::Value {
        serde_json::from_str(&key.to_private_jwk()).expect("a JWK")
    }

    fn member(jwk: &serde_json::Value, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        base64url::decode(jwk[name].as_str().expect(name), &mut bytes).expect(name);
        bytes
    }

    pub(super) fn jsonwebtoken(key: &SigningKey) -> Peer {
        use jsonwebtoken::{DecodingKey, Validation, decode};
        let jwk = private_jwk(key);
        let (algorithm, decoding_key) = match key.algorithm() {
            Algorithm::HS256 => {
                (jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(&member(&jwk, "k")).expect("a key"))
            }
            other => {
                let public = serde_json::from_str(&key.public_jwk().expect("public")).expect("a JWK");
                let algorithm = other.name().parse().expect("an algorithm of jsonwebtoken");
                (algorithm, DecodingKey::from_jwk(&public).expect("a key"))
            }
        };
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        let verify = move |token: &str| {
            decode::<AllClaims>(token, &decoding_key, &validation).expect("a good token");
        };
        Peer { name: "jsonwebtoken", verify: Box::new(verify) }
    }

    pub(super) fn jwt_simple(key: &SigningKey) -> Peer {
        let jwk = private_jwk(key);
        let options = VerificationOptions {
            allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
            allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
            ..VerificationOptions::default()
        };
        let verify: Box<dyn Fn(&str)> = match key.algorithm() {
            Algorithm::HS256 => {
                let key = HS256Key::from_bytes(&member(&jwk, "k"));
                Box::new(move |token| {
                    drop(key.verify_token::<Claims>(token, Some(options.clone())).expect("a good token"));
                })
            }
            Algorithm::RS256 => {
                let key = RS256PublicKey::from_components(&member(&jwk, "n"), &member(&jwk, "e")).expect("a key");
                Box::new(move |token| {
                    drop(key.verify_token::<Claims>(token, Some(options.clone())).expect("a good token"));
                })
            }
            Algorithm::ES256 => {
                let point = [vec![4], member(&jwk, "x"), member(&jwk, "y")].concat();
                let key = ES256PublicKey::from_bytes(&point).expect("a key");
                Box::new(move |token| {
                    drop(key.verify_token::<Claims>(token, Some(options.clone())).expect("a good token"));
                })
            }
            Algorithm::EdDSA => {
                let key = Ed25519PublicKey::from_bytes(&member(&jwk, "x")).expect("a key");
                Box::new(move |token| {
                    drop(key.verify_token::<Claims>(token, Some(options.clone())).expect("a good token"));
                })
            }
            other => panic!("{other} is not benchmarked"),
        };
        Peer { name: "jwt-simple", verify }
    }
}

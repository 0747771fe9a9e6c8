//! Tokens about the caller that the gateway signs.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tollgate::{Algorithm, Engine, Issuer, KeySet, Principal};
use tollgate_gateway::{Gateway, GatewayError, Identity, InternalToken, Rule};
use tollgate_issuer::{Minter, SigningKey, SigningKeys};
use tollgate_tests::{Draft, issuer, signing_key};

use crate::support::{answer, gateway, nginx};

const GATEWAY: &str = "https://gateway.internal";
const SERVER: &str = "https://sites.internal";
const FIELD: &str = "x-auth-request-token";

fn minter(algorithm: Algorithm) -> Minter {
    let key = match algorithm {
        Algorithm::HS256 => SigningKey::from_secret(algorithm, &[7; 32]),
        _ => SigningKey::generate(algorithm),
    };
    Minter::new(GATEWAY, Arc::new(SigningKeys::new(key.unwrap()))).unwrap()
}

fn token() -> InternalToken {
    InternalToken::new(minter(Algorithm::ES256), [SERVER]).unwrap()
}

/// Verifies the token like a server behind the gateway, with only the published keys.
fn verify(gateway: &Gateway, token: &str) -> Principal {
    let keys = KeySet::builder().jwks(gateway.jwks().unwrap().as_bytes()).unwrap().build().unwrap();
    let issuer = Issuer::new(GATEWAY).audience(SERVER).keys(keys);
    Engine::builder().issuer(issuer).build().unwrap().verify(format!("Bearer {token}")).unwrap()
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

#[tokio::test]
async fn a_server_behind_verifies_who_is_passing() {
    let (builder, keys) = gateway();
    let gateway = builder.internal_token(token()).build().unwrap();
    let passing = answer(&gateway, nginx("GET", "/account").header("authorization", &keys.writer)).await;
    let principal = verify(&gateway, passing.headers()[FIELD].to_str().unwrap());
    assert_eq!(principal.subject(), Some("user_8"));
    assert_eq!(principal.scopes().to_string(), "read:sites write:sites");
    let claims: Value = principal.claims().unwrap();
    assert_eq!(claims["credential"], json!({ "kind": "api-key", "id": "key_2" }));
    let left = principal.expires_at().unwrap() - now();
    assert!((50..=60).contains(&left), "{left}");
    assert!(passing.headers().contains_key("x-auth-request-user"));
    // Each request has its own token.
    let again = answer(&gateway, nginx("GET", "/account").header("authorization", &keys.writer)).await;
    assert_ne!(again.headers()[FIELD], passing.headers()[FIELD]);
}

#[tokio::test]
async fn a87_who_passes_without_a_credential_has_an_empty_token_and_who_is_denied_none() {
    let (builder, keys) = gateway();
    let gateway = builder.internal_token(token()).build().unwrap();
    for question in [nginx("GET", "/"), nginx("GET", "/").header("authorization", &keys.writer)] {
        assert_eq!(answer(&gateway, question.header(FIELD, "forged")).await.headers()[FIELD], "");
    }
    assert!(!answer(&gateway, nginx("GET", "/account")).await.headers().contains_key(FIELD));
}

#[tokio::test]
async fn claims_are_copied_and_the_token_ends_with_the_credential() {
    let key = signing_key(Algorithm::EdDSA, 0);
    let engine = Engine::builder().issuer(issuer([&key])).build().unwrap();
    let token = token().lifetime(300).unwrap();
    let token = token.claim("groups", Identity::Claim("/resource/groups".into())).unwrap();
    let token = token.claim("nickname", Identity::Claim("/nickname".into())).unwrap();
    let builder = Gateway::builder(engine).rule(Rule::new(["/*"]).unwrap()).internal_token(token);
    let gateway = builder.identity::<&str>([]).unwrap().build().unwrap();
    let draft = Draft::new(&key).claim("exp", now() + 20).claim("nbf", now() - 5).claim("iat", now() - 5);
    let credential = draft.claim("resource", json!({ "groups": ["a", "b"] })).sign(&key);
    let question = nginx("GET", "/x").header("authorization", format!("Bearer {credential}"));
    let passing = answer(&gateway, question).await;
    assert_eq!(passing.status(), 200, "{passing:?}");
    let principal = verify(&gateway, passing.headers()[FIELD].to_str().unwrap());
    let claims: Value = principal.claims().unwrap();
    assert_eq!((&claims["groups"], claims.get("nickname")), (&json!(["a", "b"]), None));
    assert_eq!(claims["credential"]["issuer"], tollgate_tests::ISSUER);
    let left = principal.expires_at().unwrap() - now();
    assert!((10..=20).contains(&left), "{left}");
    assert!(!passing.headers().contains_key("x-auth-request-user"));
}

#[test]
fn what_no_server_could_verify_is_refused() {
    let refused = |token: Result<InternalToken, GatewayError>| token.unwrap_err();
    assert_eq!(refused(InternalToken::new(minter(Algorithm::HS256), [SERVER])), GatewayError::SecretTokenKey);
    let without = InternalToken::new(minter(Algorithm::ES256), [""; 0]);
    assert_eq!(refused(without), GatewayError::NoTokenAudience);
    assert!(InternalToken::new(minter(Algorithm::ES256), ["a\nb"]).is_err());
    for seconds in [0, 301] {
        assert_eq!(refused(token().lifetime(seconds)), GatewayError::InvalidTokenLifetime { seconds });
    }
    for name in ["sub", "exp", "credential", ""] {
        let taken = GatewayError::TokenClaimTaken { name: name.into() };
        assert_eq!(refused(token().claim(name, Identity::Kind)), taken);
    }
    assert!(token().field("authorization").is_err());
    let (builder, _) = gateway();
    let twice = builder.internal_token(token().field("x-auth-request-user").unwrap()).build();
    assert_eq!(twice.unwrap_err(), GatewayError::FieldTwice { name: "x-auth-request-user".into() });
}

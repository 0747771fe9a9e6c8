//! Tokens that are examined for somebody who need not be their holder (introspection and revocation, RFC 7662 and 7009).

use serde_json::json;
use tollgate::{
    Algorithm, ApiKey, ApiKeyTable, ConfirmationMethod, Dpop, Engine, KeyFormat, KeyRecord, KeyRecordBuilder,
    PrincipalKind, Rejection, Request, Revocation, Revocations, StepOutcome,
};
use tollgate_issuer::SigningKey;
use tollgate_jwt::base64url;
use tollgate_tests::{Draft, ISSUER, NOW, ProofDraft, issuer, signing_key};

const URI: &str = "https://api.example.com/sites";

fn keys() -> (SigningKey, SigningKey) {
    (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::ES256, 1))
}

fn thumbprint(key: &SigningKey) -> ConfirmationMethod {
    ConfirmationMethod::KeyThumbprint(*key.verifying_key().thumbprint())
}

fn engine(key: &SigningKey, revocations: &Revocations) -> Engine {
    let engine = Engine::builder().issuer(issuer([key])).dpop(Dpop::new().started_at(0));
    engine.revocations(revocations.clone()).clock(|| NOW).build().unwrap()
}

#[test]
fn a51_a52_a_bound_token_is_examined_without_its_holder_and_accepted_from_nobody_else() {
    let ((key, client), revocations) = (keys(), Revocations::new());
    let engine = engine(&key, &revocations);
    let cnf = json!({
        "jkt": base64url::encode(client.verifying_key().thumbprint()), "x5t#S256": base64url::encode([7; 32]),
    });
    let token = Draft::new(&key).claim("cnf", cnf).claim("jti", "t1").sign(&key);
    for _ in 0..2 {
        let examined = engine.examine(&token).unwrap();
        assert_eq!((examined.kind(), examined.credential_id()), (PrincipalKind::Jwt, Some("t1")));
        let methods: Vec<_> = examined.confirmation_methods().collect();
        assert_eq!(methods, [thumbprint(&client), ConfirmationMethod::CertificateThumbprint([7; 32])]);
        // That it was examined, and is cached, makes it good for no sender.
        assert_eq!(engine.verify(&token).unwrap_err().code(), "certificate-required");
    }
    assert_eq!(engine.examine(Draft::new(&key).sign(&key)).unwrap().confirmation_methods().count(), 0);
    revocations.revoke(&Revocation::token(ISSUER, "t1"));
    assert_eq!(engine.examine(&token).unwrap_err(), Rejection::Revoked);
}

#[test]
fn everything_else_of_an_examined_token_is_checked() {
    let (key, client) = keys();
    let engine = engine(&key, &Revocations::new());
    let code = |token: &str| engine.examine(token).map(drop).map_err(|rejection| rejection.code());
    let draft = || Draft::new(&key).bound_to(&client);
    assert_eq!(code(&draft().claim("exp", NOW - 600).sign(&key)), Err("expired"));
    assert_eq!(code(&draft().claim("aud", "https://other.example").sign(&key)), Err("wrong-audience"));
    assert_eq!(code(&draft().sign(&client)), Err("bad-signature"));
    assert_eq!(code(&draft().claim("cnf", json!({"kid": "1"})).sign(&key)), Err("sender-constrained"));
    assert_eq!(code(""), Err("missing-credential"));
}

/// An engine with one record, and the secret of it.
fn with_record(record: KeyRecordBuilder<'_>) -> (Engine, String) {
    let format = KeyFormat::new("tg", "live").unwrap();
    let (secret, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&secret, record);
    let engine = Engine::builder().api_keys(table).dpop(Dpop::new().started_at(0)).clock(|| NOW).build().unwrap();
    (engine, secret.as_str().to_owned())
}

#[test]
fn records_are_examined_if_they_are_of_access_tokens() {
    let (_, client) = keys();
    let (engine, token) = with_record(KeyRecord::access_token("t1", "user-7").bound_to(thumbprint(&client)));
    let examined = engine.examine(&token).unwrap();
    assert_eq!((examined.kind(), examined.subject()), (PrincipalKind::AccessToken, Some("user-7")));
    assert_eq!(examined.confirmation_methods().collect::<Vec<_>>(), [thumbprint(&client)]);
    let (engine, secret) = with_record(KeyRecord::client_secret("s1", "app"));
    assert_eq!(engine.examine(secret).unwrap_err().code(), "unknown-api-key");
    let (engine, key) = with_record(KeyRecord::api_key("k1", "user-7"));
    assert_eq!(engine.examine(key).unwrap_err().code(), "unknown-api-key");
}

#[test]
fn a51_a52_a_bound_record_is_accepted_from_whoever_has_the_key_or_certificate() {
    let (other, client) = keys();
    let record = || KeyRecord::access_token("t1", "user-7").bound_to(thumbprint(&client));
    let verify = |(engine, token): &(Engine, String), scheme: &str, proof: Option<&str>, certificate: [u8; 32]| {
        let header = format!("{scheme} {token}");
        let request = Request::new().authorization(&header).method("GET").uri(URI).certificate_digest(certificate);
        let request = proof.map_or(request, |proof| request.proof(proof));
        engine.verify_request(&request).map(drop).map_err(|rejection| rejection.code())
    };
    let world = with_record(record());
    let proof = |key: &SigningKey, token: &str| ProofDraft::new(key, "GET", URI, token).sign(key);
    let good = proof(&client, &world.1);
    assert_eq!(verify(&world, "Bearer", None, [7; 32]), Err("proof-required"));
    assert_eq!(verify(&world, "Bearer", Some(&good), [7; 32]), Err("dpop-scheme-required"));
    assert_eq!(verify(&world, "DPoP", None, [7; 32]), Err("proof-required"));
    assert_eq!(verify(&world, "DPoP", Some(&proof(&other, &world.1)), [7; 32]), Err("wrong-proof-key"));
    assert_eq!(verify(&world, "DPoP", Some(&proof(&client, "other")), [7; 32]), Err("wrong-proof-token"));
    assert_eq!(verify(&world, "DPoP", Some(&good), [7; 32]), Ok(()));
    assert_eq!(verify(&world, "DPoP", Some(&good), [7; 32]), Err("proof-replayed"));

    let unbound = with_record(KeyRecord::access_token("t1", "user-7"));
    assert_eq!(verify(&unbound, "DPoP", Some(&proof(&client, &unbound.1)), [7; 32]), Err("token-not-bound"));
    assert_eq!(verify(&unbound, "Bearer", None, [7; 32]), Ok(()));

    let certificate = ConfirmationMethod::CertificateThumbprint([7; 32]);
    let world = with_record(KeyRecord::access_token("t1", "user-7").bound_to(certificate));
    assert_eq!(verify(&world, "Bearer", None, [8; 32]), Err("wrong-certificate"));
    assert_eq!(verify(&world, "Bearer", None, [7; 32]), Ok(()));
    let both = with_record(record().bound_to(certificate));
    assert_eq!(verify(&both, "DPoP", Some(&proof(&client, &both.1)), [8; 32]), Err("wrong-certificate"));
    assert_eq!(verify(&both, "DPoP", Some(&proof(&client, &both.1)), [7; 32]), Ok(()));
    // A changed record is as bound as before.
    assert_eq!(record().build().edit().name("n").build().confirmation_methods().count(), 1);
}

#[test]
fn the_explanation_of_a_bound_record_ends_with_its_sender() {
    let (other, client) = keys();
    let (engine, token) = with_record(KeyRecord::access_token("t1", "user-7").bound_to(thumbprint(&client)));
    let header = format!("DPoP {token}");
    for (key, outcome) in [(&other, StepOutcome::Failed), (&client, StepOutcome::Passed)] {
        let proof = ProofDraft::new(key, "GET", URI, &token).sign(key);
        let request = Request::new().authorization(&header).method("GET").uri(URI).proof(&proof);
        let verdict = engine.verify_request_at(&request, NOW);
        let steps = engine.explain(&request, verdict.as_ref(), NOW);
        let last = steps.last().unwrap();
        assert_eq!((last.name(), last.outcome()), ("sender", outcome), "{steps:?}");
    }
}

#[test]
fn confirmation_methods_are_read_as_they_are_written() {
    for method in [ConfirmationMethod::KeyThumbprint([1; 32]), ConfirmationMethod::CertificateThumbprint([2; 32])] {
        assert_eq!(method.to_string().parse(), Ok(method));
        assert_eq!(method.to_string(), format!("{}={}", method.member(), base64url::encode(method.thumbprint())));
    }
    let thumbprint = base64url::encode([1; 32]);
    for text in ["", "jkt", "jkt=", &thumbprint, &format!("kid={thumbprint}"), &format!("jkt={thumbprint}=")] {
        assert!(text.parse::<ConfirmationMethod>().is_err(), "{text}");
    }
}

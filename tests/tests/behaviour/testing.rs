//! Principals of your own, with the feature `testing`.

use std::panic;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use tollgate::testing::{TestingPrincipal, testing_key_principal};
use tollgate::{Algorithm, KeyRecord, KeyState, PrincipalKind, Rejection, Requirement};
use tollgate_tests::{Draft, NOW, engine, signing_key};

#[test]
fn a_testing_principal_tells_what_it_was_given() {
    let principal = TestingPrincipal::new("user_7")
        .issuer("https://auth.example.com/")
        .audience(["https://api.example.com", "b"])
        .scopes(["read:sites", "write:sites"])
        .client_id("web")
        .credential_id("token-1")
        .session_id("session-1")
        .key_id("k1")
        .expires_at(NOW + 600)
        .claim("iat", NOW)
        .claim("nbf", NOW)
        .claim("tenant \"7\"", json!({"tier": "gold"}))
        .build();
    let expected = json!({
        "kind": "jwt", "issuer": "https://auth.example.com/", "subject": "user_7",
        "audience": ["https://api.example.com", "b"], "scopes": ["read:sites", "write:sites"], "client_id": "web",
        "credential_id": "token-1", "session_id": "session-1", "key_id": "k1", "algorithm": "HS256",
        "issued_at": NOW, "not_before": NOW, "expires_at": NOW + 600,
    });
    assert_eq!(serde_json::to_value(&principal).unwrap(), expected);
    assert_eq!(principal.claim("tenant \"7\""), Ok(Some(json!({"tier": "gold"}))));
    assert_eq!(principal.require(&Requirement::claim("/tenant \"7\"/tier", "gold")), Ok(()));
    assert_eq!(principal.require_scope("admin"), Err(Rejection::InsufficientScope { required: "admin".into() }));
}

#[test]
fn a_testing_principal_needs_no_more_than_a_subject_and_not_even_that() {
    let principal = TestingPrincipal::new("user_7").build();
    assert_eq!((principal.subject(), principal.scopes().to_string()), (Some("user_7"), String::new()));
    assert!(principal.issued_at().is_some() && principal.expires_at() > principal.issued_at());
    let machine = TestingPrincipal::new("x").without_claim("sub").client_id("robot").build();
    assert_eq!((machine.subject(), machine.client_id()), (None, Some("robot")));
}

#[test]
fn a_testing_principal_of_a_key_has_its_record() {
    let here = "192.0.2.0/24".parse().unwrap();
    for (record, kind) in [
        (KeyRecord::api_key("k", "user_7").scopes(["a"]).allowed_addresses([here]), PrincipalKind::ApiKey),
        (KeyRecord::client_secret("k", "robot").not_before(NOW * 2), PrincipalKind::Client),
        (KeyRecord::access_token("k", "user_7").client_id("web").expires_at(NOW), PrincipalKind::AccessToken),
    ] {
        let record = record.build();
        let principal = testing_key_principal(record.clone());
        assert_eq!((principal.kind(), principal.credential_id()), (kind, Some("k")));
        let told = principal.key_record().unwrap();
        assert_eq!((told.scopes(), told.client_id()), (record.scopes(), record.client_id()));
        assert_eq!((told.allowed_addresses(), told.expires_at()), (record.allowed_addresses(), record.expires_at()));
    }
}

/// A principal that no engine would return cannot be built, so a handler never meets one.
#[test]
fn no_testing_principal_comes_without_a_proof() {
    let is_refused = |make: &dyn Fn()| panic::catch_unwind(panic::AssertUnwindSafe(make)).is_err();
    assert!(is_refused(&|| drop(TestingPrincipal::new("").build())));
    assert!(is_refused(&|| drop(TestingPrincipal::new("user_7").scopes(["a b\""]).build())));
    assert!(is_refused(&|| drop(TestingPrincipal::new("user_7").claim("cnf", json!({"jkt": "x"})).build())));
    assert!(is_refused(&|| drop(TestingPrincipal::new("user_7").expires_at(0).build())));
    for state in [KeyState::Disabled, KeyState::Revoked] {
        assert!(is_refused(&|| drop(testing_key_principal(KeyRecord::api_key("k", "user_7").state(state)))));
    }
}

/// The feature is enabled in this build.
#[test]
fn the_feature_testing_makes_no_engine_accept_anything() {
    let (key, stranger) = (signing_key(Algorithm::HS256, 0), signing_key(Algorithm::HS256, 0));
    let engine = engine([&key]);
    let forged = Draft::new(&key).header("kid", "testing").sign(&stranger);
    assert_eq!(engine.verify_at(forged, NOW).unwrap_err().code(), "unknown-key");
    let forged = Draft::new(&key).claim("iss", "https://testing.example/").sign(&stranger);
    assert_eq!(engine.verify_at(forged, NOW).unwrap_err().code(), "unknown-issuer");
}

/// Runs the command that the documentation gives.
#[test]
fn nothing_that_is_shipped_switches_the_feature_testing_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tree = |edges: &str| {
        let arguments = ["tree", "--workspace", "--offline", "--edges", edges, "--invert", "tollgate"];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(&root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let shows = |tree: String| tree.contains(r#"tollgate feature "testing""#);
    assert!(shows(tree("all,features")), "the tests have it");
    assert!(!shows(tree("normal,build,features")));
}

//! What a principal tells, and that it tells what the credential said.

use std::collections::HashMap;

use serde_json::{Value, json};
use tollgate::{Algorithm, Principal, Rejection};
use tollgate_tests::{AUDIENCE, Draft, ISSUER, NOW, engine, signing_key};

fn principal(change: impl FnOnce(Draft) -> Draft) -> Principal {
    let key = signing_key(Algorithm::ES256, 0);
    engine([&key]).verify_at(change(Draft::new(&key)).sign(&key).as_bytes(), NOW).unwrap()
}

#[test]
fn every_registered_claim_is_told() {
    let principal = principal(|draft| draft.claim("aud", json!(["x", AUDIENCE])));
    assert_eq!(principal.kind().to_string(), "jwt");
    assert_eq!((principal.issuer(), principal.subject()), (Some(ISSUER), Some("user-1")));
    assert_eq!(principal.audience().collect::<Vec<_>>(), ["x", AUDIENCE]);
    assert_eq!(principal.scopes().iter().collect::<Vec<_>>(), ["read:sites", "write:sites"]);
    assert_eq!((principal.client_id(), principal.credential_id()), (Some("client-1"), Some("token-1")));
    assert_eq!((principal.key_id(), principal.expires_at()), (Some("ES256-0"), Some(NOW + 600)));
}

#[test]
fn what_the_token_does_not_say_is_absent() {
    let bare = principal(|draft| {
        ["sub", "jti", "client_id", "scope", "iat"].iter().fold(draft, |draft, name| draft.without_claim(name))
    });
    assert_eq!((bare.subject(), bare.client_id(), bare.credential_id()), (None, None, None));
    assert_eq!(bare.scopes().iter().count(), 0);
}

#[test]
fn escapes_are_resolved() {
    let principal = principal(|draft| draft.claim("sub", "ü \"\\ \u{1f600} \n"));
    assert_eq!(principal.subject(), Some("ü \"\\ \u{1f600} \n"));
    assert_eq!(principal.claim::<String>("sub").unwrap().as_deref(), principal.subject());
}

#[test]
fn azp_stands_in_for_client_id() {
    let azp = principal(|draft| draft.without_claim("client_id").claim("azp", "app"));
    assert_eq!(azp.client_id(), Some("app"));
    let both = principal(|draft| draft.claim("azp", "app"));
    assert_eq!(both.client_id(), Some("client-1"));
}

#[test]
fn scopes_are_told_from_scp_too() {
    let scp = principal(|draft| draft.without_claim("scope").claim("scp", json!(["a", "b"])));
    assert_eq!(scp.scopes().iter().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn other_claims_are_reached_by_name_and_as_a_whole() {
    let principal = principal(|draft| draft.claim("tenant", 7).claim("roles", json!(["a", "b"])));
    assert_eq!(principal.claim::<u32>("tenant"), Ok(Some(7)));
    assert_eq!(principal.claim::<Vec<String>>("roles"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
    assert_eq!(principal.claim::<u32>("absent"), Ok(None));
    assert!(principal.claim::<u32>("roles").is_err());
    let all: HashMap<String, Value> = principal.claims().unwrap();
    assert_eq!((&all["tenant"], &all["sub"]), (&json!(7), &json!("user-1")));
    assert!(principal.claims::<Vec<u8>>().is_err());
}

#[test]
fn scopes_are_required_one_all_or_any() {
    let principal = principal(|draft| draft);
    assert_eq!(principal.require_scope("read:sites"), Ok(()));
    assert_eq!(principal.require_all(&["read:sites", "write:sites"]), Ok(()));
    assert_eq!(principal.require_any(&["x", "write:sites"]), Ok(()));
    let missing = principal.require_all(&["read:sites", "x"]).unwrap_err();
    assert_eq!(missing, Rejection::InsufficientScope { required: "read:sites x".into() });
    assert_eq!(missing.status(), 403);
    assert_eq!(missing.challenge().to_string(), r#"Bearer error="insufficient_scope", scope="read:sites x""#);
    for scope in ["read", "read:site", "READ:SITES", "*", "read:sites,write:sites"] {
        assert_eq!(principal.require_scope(scope).unwrap_err().code(), "insufficient-scope", "{scope:?}");
    }
}

/// What nobody can have, and what everybody has, are faults of the program, and are told as such.
#[test]
fn a60_a_requirement_that_is_no_scope_fails_closed() {
    let principal = principal(|draft| draft);
    let invalid = |required: &str| Err(Rejection::InvalidScopeRequirement { required: required.into() });
    for scope in ["read:sites write:sites", "read:sites ", " read:sites", "", " ", "a\"b", "a\\b", "a\r\nb", "\u{e9}"] {
        assert_eq!(principal.require_scope(scope), invalid(scope));
        assert_eq!(principal.require_all(&[scope]), invalid(scope));
        assert_eq!(principal.require_any(&[scope]), invalid(scope));
        assert_eq!(principal.require_all(&["read:sites", scope]), invalid(&format!("read:sites {scope}")));
        assert_eq!(principal.require_any(&["admin", scope]), invalid(&format!("admin {scope}")));
    }
    assert_eq!((principal.require_all(&[]), principal.require_any(&[])), (invalid(""), invalid("")));
    let rejection = principal.require_scope("a b").unwrap_err();
    assert_eq!((rejection.code(), rejection.status()), ("invalid-scope-requirement", 500));
    assert_eq!((rejection.challenge().to_string().as_str(), rejection.challenge().error()), ("Bearer", None));
    assert_eq!(rejection.to_string(), "the program requires \"a b\", which is not one or more scope-tokens");
}

#[test]
fn a_principal_is_shared_cheaply_and_shows_no_credential() {
    fn can_be_shared<T: Clone + Send + Sync + 'static>(_: &T) {}
    let key = signing_key(Algorithm::ES256, 0);
    let token = Draft::new(&key).sign(&key);
    let principal = engine([&key]).verify_at(token.as_bytes(), NOW).unwrap();
    can_be_shared(&principal);
    let shown = format!("{principal:?} {:?}", principal.clone());
    assert!(shown.contains("user-1"));
    for part in token.split('.') {
        assert!(!shown.contains(part));
    }
}

//! The facts of a principal are those of its credential.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};
use tollgate::{Algorithm, ApiKey, ApiKeyTable, Engine, KeyFormat, KeyRecord, Principal, Rejection};
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
fn times_session_and_algorithm_are_told() {
    let principal = principal(|draft| {
        draft.claim("iat", json!(NOW as f64 - 10.5)).claim("nbf", json!(NOW as f64 - 20.5)).claim("sid", "session-1")
    });
    assert_eq!((principal.issued_at(), principal.not_before()), (Some(NOW - 11), Some(NOW - 20)));
    assert_eq!((principal.session_id(), principal.algorithm()), (Some("session-1"), Some(Algorithm::ES256)));
}

#[test]
fn when_and_how_the_user_authenticated_is_read_on_demand_and_never_guessed() {
    let told = principal(|draft| draft.claim("auth_time", json!(NOW as f64 - 30.5)).claim("acr", "urn:mfa"));
    assert_eq!((told.auth_time(), told.acr()), (Ok(Some(NOW - 31)), Ok(Some("urn:mfa".to_owned()))));
    let silent = principal(|draft| draft);
    assert_eq!((silent.auth_time(), silent.acr()), (Ok(None), Ok(None)));
    for wrong in [json!("1763800000"), json!(null), json!([1]), json!(true)] {
        let odd = principal(|draft| draft.claim("auth_time", wrong.clone()).claim("acr", json!([wrong])));
        for error in [odd.auth_time().unwrap_err(), odd.acr().unwrap_err()] {
            let claim = error.claim().unwrap().to_string();
            assert!(["auth_time", "acr"].contains(&&*claim) && error.to_string().contains(&claim), "{error}");
        }
    }
}

#[test]
fn what_the_token_does_not_say_is_absent() {
    let bare = principal(|draft| {
        ["sub", "jti", "client_id", "scope", "iat"].iter().fold(draft, |draft, name| draft.without_claim(name))
    });
    assert_eq!((bare.subject(), bare.client_id(), bare.credential_id()), (None, None, None));
    assert_eq!(bare.scopes().iter().count(), 0);
    assert_eq!((bare.issued_at(), bare.not_before(), bare.session_id()), (None, None, None));
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
fn scopes_are_shown_as_a_scope_claim_has_them() {
    for scope in [json!("a  b "), json!("a b"), json!(["a", "b"])] {
        let principal = principal(|draft| draft.claim("scope", scope.clone()));
        let scopes = principal.scopes();
        assert_eq!(
            (scopes.to_string().as_str(), scopes.as_str(), format!("{scopes:>5}").as_str()),
            ("a b", "a b", "  a b")
        );
        assert_eq!(serde_json::to_value(scopes).unwrap(), json!(["a", "b"]));
    }
    let none = principal(|draft| draft.without_claim("scope"));
    assert_eq!(none.scopes().to_string(), "");
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

/// The text of a claim comes from the token, so an error has an escaped excerpt of it.
#[test]
fn a_claim_of_another_shape_is_named() {
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the shape is asked for")]
    struct Wanted {
        sub: String,
        address: Option<HashMap<String, Vec<u32>>>,
    }
    let shape = |address: Value| principal(|draft| draft.claim("address", address)).claims::<Wanted>();
    assert!(shape(json!({"home": [1, 2]})).is_ok());
    let error = shape(json!({"home": [1, "x"]})).unwrap_err();
    assert_eq!(error.claim().unwrap().to_string(), "/address/home/1");
    assert!(error.to_string().starts_with("the claim /address/home/1 has another shape: "), "{error}");
    let error = principal(|draft| draft.claim("a/b", "x")).claim::<u32>("a/b").unwrap_err();
    assert_eq!(error.claim(), Some(&"/a~1b".parse().unwrap()));
    let error = principal(|draft| draft.without_claim("sub")).claims::<Wanted>().unwrap_err();
    assert!(error.claim().is_none() && error.to_string().contains("sub"), "{error}");
    let name = "\u{1f600}\n".repeat(100);
    let error = principal(|draft| draft.claim(&name, name.clone())).claims::<HashMap<String, u32>>().unwrap_err();
    assert!(error.to_string().len() < 512 && !error.to_string().contains('\n'), "{error}");
}

#[test]
fn a_principal_is_serialised_with_null_for_what_it_does_not_have() {
    let from_token = principal(|draft| draft.claim("sid", "session-1").claim("nbf", NOW));
    let expected = json!({
        "kind": "jwt", "issuer": ISSUER, "subject": "user-1", "audience": [AUDIENCE], "scopes": ["read:sites", "write:sites"],
        "client_id": "client-1", "credential_id": "token-1", "session_id": "session-1", "key_id": "ES256-0",
        "algorithm": "ES256", "issued_at": NOW, "not_before": NOW, "expires_at": NOW + 600,
    });
    assert_eq!(serde_json::to_value(&from_token).unwrap(), expected);
    let expected = json!({
        "kind": "api-key", "issuer": null, "subject": "user_7", "audience": null, "scopes": ["a"],
        "client_id": null, "credential_id": "key_1", "session_id": null, "key_id": null,
        "algorithm": null, "issued_at": null, "not_before": 1, "expires_at": NOW + 1,
    });
    assert_eq!(serde_json::to_value(from_key()).unwrap(), expected);
}

#[test]
fn an_owned_principal_tells_the_same_and_outlives_its_engine() {
    for principal in [principal(|draft| draft.claim("tenant", 7).claim("aud", json!(["x", AUDIENCE]))), from_key()] {
        let (told, tenant) = (serde_json::to_value(&principal).unwrap(), principal.claim::<u32>("tenant"));
        let owned = principal.into_owned();
        assert_eq!((serde_json::to_value(&owned).unwrap(), owned.claim::<u32>("tenant")), (told.clone(), tenant));
        assert_eq!(serde_json::to_value(owned.into_owned()).unwrap(), told);
    }
}

fn from_key() -> Principal {
    let format = KeyFormat::new("tg", "test").unwrap();
    let (key, table) = (ApiKey::generate(&format).unwrap(), ApiKeyTable::new(format));
    table.insert(&key, KeyRecord::api_key("key_1", "user_7").scopes(["a"]).not_before(1).expires_at(NOW + 1));
    Engine::builder().api_keys(table).build().unwrap().verify_at(key.as_str(), NOW).unwrap()
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

/// Requirements that nobody or everybody meets are faults of the program, and are reported as such.
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

//! `RequireScopes`, behind an `AuthLayer` and without one.

use http::Request;
use tollgate_tower::{AuthLayer, LayerError, RequireScopes};
use tower::ServiceBuilder;

use crate::support::{Fixture, answer, challenge};

#[tokio::test]
async fn scopes_are_required_all_or_any() {
    let fixture = Fixture::new();
    for (requirement, status) in [
        (RequireScopes::all(["read:sites"]), 200),
        (RequireScopes::all(["read:sites", "read:users"]), 200),
        (RequireScopes::all(["read:sites", "admin"]), 403),
        (RequireScopes::any(["admin", "read:users"]), 200),
        (RequireScopes::any(["admin", "write:sites"]), 403),
        (RequireScopes::all(["read:site"]), 403),
        (RequireScopes::all(["READ:SITES"]), 403),
    ] {
        let requirement = requirement.unwrap();
        let shown = format!("{requirement:?}");
        let auth = AuthLayer::new(fixture.engine.clone());
        let stack = ServiceBuilder::new().layer(auth).layer(requirement).into_inner();
        let response = answer(&stack, Request::get("/").header("authorization", fixture.bearer())).await;
        assert_eq!(response.status(), status, "{shown}");
        assert_eq!(response.body() == "user_7", status == 200, "{shown}");
    }
}

#[tokio::test]
async fn challenge_names_the_scopes_that_are_required() {
    let fixture = Fixture::new();
    let auth = AuthLayer::new(fixture.engine.clone());
    let scopes = RequireScopes::all(["admin", "read:sites"]).unwrap();
    let stack = ServiceBuilder::new().layer(auth).layer(scopes).into_inner();
    let response = answer(&stack, Request::get("/").header("authorization", fixture.bearer())).await;
    assert_eq!(challenge(&response), r#"Bearer error="insufficient_scope", scope="admin read:sites""#);
}

#[tokio::test]
async fn without_a_principal_it_is_401() {
    let scopes = RequireScopes::any(["read:sites"]).unwrap();
    let response = answer(&scopes, Request::get("/").header("authorization", Fixture::new().bearer())).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
}

#[test]
fn scopes_are_scope_tokens_and_at_least_one() {
    for scope in ["", "a b", "a\"", "a\\", "ä", "a\n"] {
        for error in [RequireScopes::all(["read", scope]).unwrap_err(), RequireScopes::any([scope]).unwrap_err()] {
            assert_eq!(error, LayerError::InvalidScope { scope: scope.into() });
            assert_eq!(error.code(), "invalid-scope");
        }
    }
    assert_eq!(RequireScopes::all([]).unwrap_err(), LayerError::NoScope);
    assert_eq!(RequireScopes::any([]).unwrap_err().code(), "no-scope");
}

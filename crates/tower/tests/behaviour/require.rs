//! `Require`, behind an `AuthLayer` and without one.

use http::Request;
use tollgate::{InvalidRequirement, PrincipalKind, Requirement};
use tollgate_tower::{AuthLayer, LayerError, Require};
use tower::ServiceBuilder;

use crate::support::{Fixture, answer, challenge};

#[tokio::test]
async fn scopes_are_required_all_or_any() {
    let fixture = Fixture::new();
    for (requirement, status) in [
        (Require::scopes(["read:sites"]), 200),
        (Require::scopes(["read:sites", "read:users"]), 200),
        (Require::scopes(["read:sites", "admin"]), 403),
        (Require::any_scope(["admin", "read:users"]), 200),
        (Require::any_scope(["admin", "write:sites"]), 403),
        (Require::scopes(["read:site"]), 403),
        (Require::scopes(["READ:SITES"]), 403),
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
    let scopes = Require::scopes(["admin", "read:sites"]).unwrap();
    let stack = ServiceBuilder::new().layer(auth).layer(scopes).into_inner();
    let response = answer(&stack, Request::get("/").header("authorization", fixture.bearer())).await;
    assert_eq!(challenge(&response), r#"Bearer error="insufficient_scope", scope="admin read:sites""#);
}

#[tokio::test]
async fn without_a_principal_it_is_401() {
    let scopes = Require::any_scope(["read:sites"]).unwrap();
    let response = answer(&scopes, Request::get("/").header("authorization", Fixture::new().bearer())).await;
    assert_eq!((response.status().as_u16(), challenge(&response)), (401, "Bearer"));
}

#[tokio::test]
async fn a_tree_of_requirements_is_held_against_the_principal() {
    let fixture = Fixture::new();
    let (key, jwt) = (Requirement::kind(PrincipalKind::ApiKey), Requirement::kind(PrincipalKind::Jwt));
    let (read, admin) = (Requirement::scope("read:sites"), Requirement::scope("admin"));
    let tier = Requirement::claim("tier", "gold");
    for (requirement, status, expected) in [
        (Requirement::all([key.clone(), read.clone()]), 200, None),
        (Requirement::any([admin.clone(), Requirement::all([key.clone(), read.clone()])]), 200, None),
        (Requirement::any([jwt.clone(), tier]), 403, None),
        (Requirement::all([jwt, read.clone()]), 403, None),
        (Requirement::all([key, read, admin]), 403, Some(r#"scope="read:sites admin""#)),
    ] {
        let shown = requirement.to_string();
        let auth = AuthLayer::new(fixture.engine.clone());
        let stack = ServiceBuilder::new().layer(auth).layer(Require::new(requirement).unwrap()).into_inner();
        let response = answer(&stack, Request::get("/").header("authorization", fixture.bearer())).await;
        assert_eq!(response.status(), status, "{shown}");
        let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap());
        assert_eq!(challenge.is_some_and(|text| text.contains("scope=")), expected.is_some(), "{shown}: {challenge:?}");
        assert!(expected.is_none_or(|scope| challenge.unwrap().ends_with(scope)), "{shown}: {challenge:?}");
    }
}

#[test]
fn a_requirement_that_nobody_could_meet_is_refused() {
    let refused = |result: Result<Require, LayerError>| {
        let error = result.unwrap_err();
        assert_eq!(error.code(), "invalid-requirement");
        match error {
            LayerError::InvalidRequirement(error) => error,
            other => panic!("{other}"),
        }
    };
    for scope in ["", "a b", "a\"", "a\\", "ä", "a\n"] {
        let not_a_scope = InvalidRequirement::NotAScope { text: scope.into() };
        assert_eq!(refused(Require::scopes(["read", scope])), not_a_scope);
        assert_eq!(refused(Require::any_scope([scope])), not_a_scope);
    }
    assert_eq!(refused(Require::scopes::<&str>([])), InvalidRequirement::Empty);
    assert_eq!(refused(Require::any_scope::<&str>([])), InvalidRequirement::Empty);
    let nested = Requirement::any([Requirement::scope("read"), Requirement::all([])]);
    assert_eq!(refused(Require::new(nested)), InvalidRequirement::Empty);
}

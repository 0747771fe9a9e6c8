//! Layers that accept only some kinds of credentials.

use http::Request;
use tollgate::{AcceptedCredentials, Engine, PrincipalKind, Rejection};
use tollgate_tower::{AuthLayer, LayerError};

use crate::support::{Fixture, answer, rejections};

#[tokio::test]
async fn a57_a_layer_takes_the_kinds_that_it_was_told_to() {
    let fixture = Fixture::new();
    let layer = AuthLayer::new(fixture.engine.clone()).api_key_header("x-api-key").unwrap();
    let sent = [
        ("authorization", fixture.bearer(), PrincipalKind::ApiKey),
        ("authorization", fixture.key.clone(), PrincipalKind::ApiKey),
        ("x-api-key", fixture.key.clone(), PrincipalKind::ApiKey),
        ("authorization", fixture.client.clone(), PrincipalKind::Client),
        ("authorization", fixture.access_token.clone(), PrincipalKind::AccessToken),
    ];
    for kind in [PrincipalKind::ApiKey, PrincipalKind::Client, PrincipalKind::AccessToken] {
        let one = layer.clone().accept(AcceptedCredentials::only([kind])).unwrap();
        for (name, value, of_kind) in &sent {
            let status = if *of_kind == kind { 200 } else { 401 };
            assert_eq!(answer(&one, Request::get("/").header(*name, value)).await.status(), status, "{kind} {value}");
            let optional = one.clone().optional();
            assert_eq!(answer(&optional, Request::get("/").header(*name, value)).await.status(), status);
            assert_eq!(answer(&layer, Request::get("/").header(*name, value)).await.status(), 200, "{value}");
        }
    }
    let no_bare = layer.clone().accept(AcceptedCredentials::ALL.no_bare()).unwrap();
    for (name, value, _) in &sent {
        let is_bare = *name == "authorization" && !value.contains(' ');
        let status = if is_bare { 401 } else { 200 };
        assert_eq!(answer(&no_bare, Request::get("/").header(*name, value)).await.status(), status, "{value}");
    }
}

#[tokio::test]
async fn a57_the_cause_is_that_the_kind_is_not_accepted() {
    use std::sync::{Arc, Mutex};
    let (fixture, seen) = (Fixture::new(), Arc::new(Mutex::new(Vec::new())));
    let told = seen.clone();
    let layer =
        AuthLayer::new(fixture.engine.clone()).accept(AcceptedCredentials::only([PrincipalKind::ApiKey])).unwrap();
    let layer = layer.observe(rejections(move |rejection, _| told.lock().unwrap().push(rejection.clone())));
    answer(&layer, Request::get("/").header("authorization", &fixture.client)).await;
    assert_eq!(*seen.lock().unwrap(), [Rejection::MethodNotAccepted]);
}

#[test]
fn a_layer_that_could_accept_nothing_is_refused() {
    let fixture = Fixture::new();
    for nothing in [AcceptedCredentials::only([]), AcceptedCredentials::only([PrincipalKind::Jwt])] {
        let error = AuthLayer::new(fixture.engine.clone()).accept(nothing).unwrap_err();
        assert_eq!((&error, error.code()), (&LayerError::NothingAccepted, "nothing-accepted"));
    }
}

#[test]
fn a_layer_takes_an_engine_shared_or_not() {
    use tollgate::{ApiKeyTable, KeyFormat};
    let engine =
        || Engine::builder().api_keys(ApiKeyTable::new(KeyFormat::new("tg", "live").unwrap())).build().unwrap();
    let _ = (AuthLayer::new(engine()), AuthLayer::new(std::sync::Arc::new(engine())));
}

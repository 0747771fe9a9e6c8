//! Opaque access tokens that are bound to a key.

use super::introspection::introspected;
use super::{Bound, jkt, key};
use crate::cluster::shared;
use crate::support::{TestResult, config, json};
use serde_json::json;
use std::path::Path;
use tollgate_service::{AccessTokenFormat, Config, StoreUrl};

fn is_bound_as_a_jwt(store: Option<StoreUrl>) {
    let bound = Bound::start_at(Config { store, access_token_format: AccessTokenFormat::Opaque, ..config() });
    let (_, code) = bound.site.logged_in();
    let answer = json(bound.exchange(&code, Some(bound.proof().sign(&bound.key))), 200);
    assert_eq!(answer["token_type"], "DPoP");
    let token = answer["access_token"].as_str().unwrap();
    assert!(!token.contains('.'), "no JWT");
    json(bound.sites("DPoP", token, &bound.key), 200);
    for refused in [
        bound.sites("DPoP", token, &key()),
        bound.sites("Bearer", token, &bound.key),
        bound.server().get(super::SITES, &format!("DPoP {token}")),
        bound.server().get(super::SITES, &format!("Bearer {token}")),
    ] {
        assert_eq!(refused.status().as_u16(), 401);
    }
    for told in introspected(&bound, token) {
        assert_eq!((&told["token_type"], &told["cnf"]), (&"DPoP".into(), &json!({"jkt": jkt(&bound.key)})));
    }
}

#[test]
fn a51_an_opaque_token_is_bound_to_the_key_of_the_proof() {
    is_bound_as_a_jwt(None);
}

#[test]
fn a51_an_opaque_token_in_postgresql_is_bound_to_the_key_of_the_proof() -> TestResult {
    let Some(database) = shared() else { return Ok(()) };
    is_bound_as_a_jwt(Some(StoreUrl::parse(Path::new(&database.url(&database.new_database())))?));
    Ok(())
}

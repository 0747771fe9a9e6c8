use super::Provider;
use crate::support::json;
use serde_json::{Value, json};

/// OpenID Connect Discovery 1.0 sections 3 and 4, RFC 8414 section 2.
#[test]
fn both_documents_say_the_same_and_each_endpoint_is_there() {
    let provider = Provider::start();
    let server = provider.server();
    let get = |path: &str| json(server.client.get(server.url(path)).send().unwrap(), 200);
    let metadata = get("/.well-known/openid-configuration");
    assert_eq!(metadata, get("/.well-known/oauth-authorization-server"));
    assert_eq!(metadata["issuer"], server.origin, "section 4.3: equal to what the URL was made of");
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(!metadata[member].is_null(), "section 3: {member} is REQUIRED");
    }
    for (member, value) in metadata.as_object().unwrap() {
        let Some(uri) = value.as_str().filter(|_| member.ends_with("_endpoint") || member == "jwks_uri") else {
            continue;
        };
        let status = [server.client.get(uri), server.client.post(uri)].map(|request| request.send().unwrap().status());
        assert!(uri.starts_with(&server.origin) && status.iter().all(|status| status.as_u16() != 404), "{member}");
    }
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
    for member in ["claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported"] {
        assert_eq!(metadata[member], Value::Bool(false), "{member}: the default of some is true");
    }
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    for scope in ["openid", "profile", "email", "offline_access", "read:sites"] {
        assert_eq!(scopes.iter().filter(|one| *one == scope).count(), 1, "{scope}");
    }
}

#[test]
fn the_algorithm_of_id_tokens_is_that_of_the_published_keys() {
    let provider = Provider::start();
    let server = provider.server();
    let get = |path: &str| json(server.client.get(server.url(path)).send().unwrap(), 200);
    let named = &get("/.well-known/openid-configuration")["id_token_signing_alg_values_supported"];
    let keys = get("/.well-known/jwks.json");
    let used: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(json!(used), *named);
}

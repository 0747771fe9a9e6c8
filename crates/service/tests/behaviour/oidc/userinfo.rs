use super::{Provider, claims};
use crate::support::{BEARER, INVALID_TOKEN, assert_problem, json};
use serde_json::json;
use tollgate_service::{AccessTokenFormat, Config};

const USERINFO: &str = "/oauth/v2/userinfo";

fn bearer(tokens: &serde_json::Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap())
}

/// OpenID Connect Core 1.0 sections 5.3, 5.3.2 and 5.4.
#[test]
fn the_access_tokens_scopes_decide_what_is_told() {
    for access_token_format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let config = Config { store: None, access_token_format, ..crate::support::config() };
        let provider = Provider::start_at(config, |settings| settings);
        let (_, tokens) = provider.logged_in(&[]);
        let told = json(provider.server().get(USERINFO, &bearer(&tokens)), 200);
        let expected = json!({"sub": claims(&tokens)["sub"], "email": "ada@example.com", "email_verified": false});
        assert_eq!(told, expected, "section 5.3.2: sub is that of the ID token");
        let posted = provider.server().post(USERINFO, &bearer(&tokens));
        assert_eq!(posted.headers()["cache-control"], "no-store");
        assert_eq!(json(posted, 200), expected, "section 5.3.1: POST too");
        let (_, without) = provider.logged_in(&[("scope", "openid profile")]);
        let told = json(provider.server().get(USERINFO, &bearer(&without)), 200);
        assert_eq!(told, json!({"sub": claims(&without)["sub"]}));
    }
}

/// OpenID Connect Core 1.0 section 5.3.3, RFC 6750 section 3.1.
#[test]
fn another_credential_is_refused_as_bearer_tokens_are() {
    let provider = Provider::start();
    let server = provider.server();
    assert_problem(server.client.get(server.url(USERINFO)).send().unwrap(), 401, BEARER, "unauthorized");
    assert_problem(server.get(USERINFO, "Bearer nothing.like.it"), 401, INVALID_TOKEN, "invalid_token");
    let (_, tokens) = provider.logged_in(&[("scope", "read:sites")]);
    let lacking = r#"Bearer error="insufficient_scope", scope="openid""#;
    assert_problem(server.get(USERINFO, &bearer(&tokens)), 403, Some(lacking), "insufficient_scope");
    let key = server.key_with("openid email");
    assert_eq!(server.get(USERINFO, &key).status().as_u16(), 401, "an API key is no access token");
}

#[test]
fn a71_nothing_is_told_of_a_user_who_is_disabled() {
    let provider = Provider::start();
    let (_, tokens) = provider.logged_in(&[]);
    provider.server().accounts.disable_user(&provider.site.user_id).unwrap();
    assert_problem(provider.server().get(USERINFO, &bearer(&tokens)), 401, INVALID_TOKEN, "invalid_token");
}

/// The e-mail address is under `email` here and at the profile.
#[test]
fn a73_a_client_sees_the_address_with_the_scope_email_alone() {
    let provider = Provider::start();
    for (scope, email) in [("profile", json!(null)), ("profile email", json!("ada@example.com"))] {
        let (_, tokens) = provider.logged_in(&[("scope", scope)]);
        let profile = json(provider.server().get("/api/v2/profile", &bearer(&tokens)), 200);
        assert_eq!(profile["data"]["email"], email, "{scope}");
    }
}

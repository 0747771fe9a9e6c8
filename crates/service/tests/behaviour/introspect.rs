//! The introspection endpoint (RFC 7662).

use crate::refresh::{App, Tokens, register};
use crate::support::{BASIC, EMAIL, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json, run_async};
use reqwest::blocking::Response;
use serde_json::Value;
use tollgate::{Engine, Issuer, TypProfile};
use tollgate_remote::{HeaderSource, Introspection, RemoteKeys, Verifier};
use tollgate_service::{AccessTokenFormat, Config};

const INTROSPECT: &str = "/oauth/v2/introspect";

fn start(access_token_format: AccessTokenFormat, is_public: bool) -> App {
    App::start_at(Config { store: None, access_token_format, ..config() }, is_public, true)
}

fn ask(server: &TestServer, client: (&str, &str), form: &[(&str, &str)]) -> Response {
    let (id, secret) = client;
    server.client.post(server.url(INTROSPECT)).basic_auth(id, Some(secret)).form(form).send().unwrap()
}

#[track_caller]
fn introspected(app: &App, client: (&str, &str), token: &str) -> Value {
    let answer = ask(app.server(), client, &[("token", token)]);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    json(answer, 200)
}

/// RFC 7662 section 2.2: "the authorization server MUST NOT include any additional information".
#[track_caller]
fn assert_inactive(app: &App, client: (&str, &str), token: &str) {
    assert_eq!(introspected(app, client, token), serde_json::json!({"active": false}));
}

#[test]
fn a_client_is_told_of_its_own_tokens() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let mut app = start(format, false);
        let tokens = app.grant();
        let secret = app.secret.clone().unwrap();
        let told = introspected(&app, ("app", &secret), &tokens.access);
        let (origin, user_id) = (app.server().origin.as_str(), app.site.user_id.as_str());
        assert_eq!((&told["active"], &told["token_type"]), (&true.into(), &"Bearer".into()));
        assert_eq!((&told["iss"], &told["aud"]), (&origin.into(), &origin.into()));
        assert_eq!((&told["client_id"], &told["sub"]), (&"app".into(), &user_id.into()));
        let mut scopes: Vec<_> = told["scope"].as_str().unwrap().split(' ').collect();
        scopes.sort_unstable();
        assert_eq!(scopes, ["manage:api-keys", "read:sites"]);
        assert!(told["exp"].is_i64() && told["jti"].is_string(), "{told}");
        assert!(told.get("username").is_none(), "{told}");
        if format == AccessTokenFormat::Jwt {
            let (_, claims) = decode(&tokens.access);
            for member in ["exp", "iat", "jti", "sid"] {
                assert_eq!(told[member], claims[member], "{member}");
            }
        }

        let told = introspected(&app, ("app", &secret), &tokens.refresh);
        assert_eq!((&told["active"], &told["client_id"]), (&true.into(), &"app".into()));
        assert_eq!((&told["sub"], &told["scope"]), (&user_id.into(), &"read:sites manage:api-keys".into()));
        assert!(told["exp"].is_i64() && told["sid"].is_string() && told.get("token_type").is_none(), "{told}");
    }
}

#[test]
fn everything_else_is_inactive_and_nothing_more() -> TestResult {
    let mut app = start(AccessTokenFormat::Jwt, false);
    let (tokens, ended) = (app.grant(), app.grant());
    let second = Tokens::of(app.refresh(&tokens.refresh));
    let secret = app.secret.clone().unwrap();
    let own = ("app", secret.as_str());
    // Used, though a retry would be answered.
    assert_inactive(&app, own, &tokens.refresh);
    let revoked = app.post_to(app.server(), "/oauth/v2/revoke", &[("token", &ended.refresh)]);
    assert_eq!(revoked.status().as_u16(), 200);
    assert_inactive(&app, own, &ended.refresh);
    assert_inactive(&app, own, &ended.access);
    // What is no token of a client.
    let session = json(app.server().log_in(EMAIL, PASSWORD), 200);
    assert_inactive(&app, own, session["meta"]["jwt"].as_str().unwrap());
    let key = app.server().accounts.add_api_key(&app.site.user_id, "laptop", "read:sites", None)?;
    for token in [key.secret.as_str(), own.1, "unknown", "a.b.c"] {
        assert_inactive(&app, own, token);
    }
    // Another client's.
    let other = register(app.server(), "other", false, true).unwrap();
    assert_inactive(&app, ("other", &other), &second.access);
    assert_inactive(&app, ("other", &other), &second.refresh);

    app.server().accounts.disable_user(&app.site.user_id)?;
    assert_inactive(&app, own, &second.access);
    assert_inactive(&app, own, &second.refresh);
    Ok(())
}

#[test]
fn a_resource_server_is_told_of_the_access_tokens_of_all_clients() -> TestResult {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let mut app = start(format, true);
        let tokens = app.grant();
        let api = app.server().accounts.add_client("api", "The API", "introspect", &[])?;
        let api = ("api", api.secret.as_str());
        assert_eq!(introspected(&app, api, &tokens.access)["client_id"], "app");
        // What is for the client and this service alone.
        assert_inactive(&app, api, &tokens.refresh);
        let revoked = app.post_to(app.server(), "/oauth/v2/revoke", &[("token", &tokens.access)]);
        assert_eq!(revoked.status().as_u16(), 200);
        assert_inactive(&app, api, &tokens.access);
    }
    Ok(())
}

#[test]
fn a_client_that_has_not_authenticated_is_told_nothing() -> TestResult {
    // Section 2.1: "the endpoint MUST also require some form of authorization".
    let mut app = start(AccessTokenFormat::Jwt, true);
    let tokens = app.grant();
    let server = app.server();
    let form = [("token", tokens.access.as_str()), ("client_id", "app")];
    let post = || server.client.post(server.url(INTROSPECT));
    assert_problem(post().form(&form).send()?, 401, BASIC, "invalid_client");
    assert_problem(post().form(&form[..1]).send()?, 401, BASIC, "invalid_client");
    let api = server.accounts.add_client("api", "The API", "introspect", &[])?;
    assert_problem(ask(server, ("api", "wrong"), &form[..1]), 401, BASIC, "invalid_client");
    assert_problem(ask(server, ("api", api.secret.as_str()), &[]), 400, None, "invalid_request");
    assert_eq!(server.client.get(server.url(INTROSPECT)).send()?.status().as_u16(), 405);

    let metadata = server.client.get(server.url("/.well-known/oauth-authorization-server")).send()?;
    let metadata = json(metadata, 200);
    assert_eq!(metadata["introspection_endpoint"], server.url(INTROSPECT));
    let methods = metadata["introspection_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(!methods.contains(&"none".into()), "{methods:?}");
    Ok(())
}

#[test]
fn an_engine_elsewhere_asks_whether_a_jwt_is_revoked() -> TestResult {
    let mut app = start(AccessTokenFormat::Jwt, false);
    let (tokens, ended) = (app.grant(), app.grant());
    let revoked = app.post_to(app.server(), "/oauth/v2/revoke", &[("token", &ended.access)]);
    assert_eq!(revoked.status().as_u16(), 200);
    let server = app.server();
    let api = server.accounts.add_client("api", "The API", "introspect", &[])?;
    let secret = HeaderSource::value(api.secret.as_str());
    run_async(async {
        let keys = RemoteKeys::from_jwks_uri(&server.url("/.well-known/jwks.json")).start().unwrap();
        let endpoint = Introspection::at(&server.url(INTROSPECT)).client_secret("api", secret).start().unwrap();
        let issuer = Issuer::new(&server.origin).audience(&server.origin).typ(TypProfile::JwtOrAccessToken);
        let issuer = issuer.keys(keys.key_ring()).introspect(endpoint, 30);
        let verifier = Verifier::new(Engine::builder().issuer(issuer).build().unwrap());
        let principal = verifier.verify(tokens.bearer()).await.unwrap();
        assert_eq!(principal.subject(), Some(app.site.user_id.as_str()));
        assert_eq!(principal.client_id(), Some("app"));
        assert_eq!(verifier.verify(ended.bearer()).await.unwrap_err().status(), 401);
    });
    Ok(())
}

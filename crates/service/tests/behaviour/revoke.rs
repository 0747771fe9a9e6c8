//! The revocation endpoint (RFC 7009).

use crate::refresh::{App, Tokens, register};
use crate::support::{BASIC, EMAIL, INVALID_TOKEN, PASSWORD, TestServer, assert_problem, config, json};
use reqwest::blocking::Response;
use tollgate_service::{AccessTokenFormat, Config};

const REVOKE: &str = "/oauth/v2/revoke";
const SITES: &str = "/api/v2/sites";
const FORMATS: [AccessTokenFormat; 2] = [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque];

fn start(access_token_format: AccessTokenFormat, is_public: bool) -> App {
    App::start_at(Config { store: None, access_token_format, ..config() }, is_public, true)
}

fn revoke(app: &App, form: &[(&str, &str)]) -> Response {
    app.post_to(app.server(), REVOKE, form)
}

/// RFC 7009 section 2.2: 200, and nothing to read.
#[track_caller]
fn assert_answered(answer: Response) {
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().unwrap(), "");
}

fn status(server: &TestServer, tokens: &Tokens) -> u16 {
    server.get(SITES, &tokens.bearer()).status().as_u16()
}

#[test]
fn a_revoked_refresh_token_ends_its_grant_with_the_access_tokens() {
    // Section 2.1: "If the particular token is a refresh token [...] SHOULD also invalidate all access tokens based on the same grant".
    for (format, is_public) in FORMATS.into_iter().zip([false, true]) {
        let mut app = start(format, is_public);
        let (first, stranger) = (app.grant(), app.grant());
        let second = Tokens::of(app.refresh(&first.refresh));
        assert_answered(revoke(&app, &[("token", &second.refresh), ("token_type_hint", "refresh_token")]));
        app.assert_revoked(&first);
        app.assert_ended(&second);
        assert_eq!(status(app.server(), &stranger), 200);
        // Section 2.2: again, the same answer.
        assert_answered(revoke(&app, &[("token", &second.refresh)]));
    }
}

#[test]
fn a_revoked_access_token_ends_alone() {
    for (format, is_public) in FORMATS.into_iter().zip([true, false]) {
        let mut app = start(format, is_public);
        let first = app.grant();
        let second = Tokens::of(app.refresh(&first.refresh));
        // Section 2.1: the hint may be wrong, or one that nobody knows.
        for (tokens, hint) in [(&first, "refresh_token"), (&second, "pct")] {
            assert_eq!(status(app.server(), tokens), 200);
            assert_answered(revoke(&app, &[("token", &tokens.access), ("token_type_hint", hint)]));
            assert_problem(app.server().get(SITES, &tokens.bearer()), 401, INVALID_TOKEN, "invalid_token");
            assert_answered(revoke(&app, &[("token", &tokens.access)]));
        }
        Tokens::of(app.refresh(&second.refresh));
    }
}

#[test]
fn another_clients_token_stays_good_and_the_answer_does_not_tell() {
    // Section 2.1: "verifies whether the token was issued to the client making the revocation request".
    let mut app = start(AccessTokenFormat::Jwt, false);
    let tokens = app.grant();
    let other = register(app.server(), "other", false, true).unwrap();
    let session = json(app.server().log_in(EMAIL, PASSWORD), 200)["meta"]["jwt"].as_str().unwrap().to_owned();
    for token in [&tokens.access, &tokens.refresh, &session, "unknown", "a.b.c"] {
        let request = app.server().client.post(app.server().url(REVOKE)).basic_auth("other", Some(&other));
        assert_answered(request.form(&[("token", token)]).send().unwrap());
    }
    assert_eq!(status(app.server(), &tokens), 200);
    assert_eq!(app.server().get(SITES, &format!("Bearer {session}")).status().as_u16(), 200);
    Tokens::of(app.refresh(&tokens.refresh));
}

#[test]
fn a_revocation_needs_its_client_and_a_token() {
    let mut app = start(AccessTokenFormat::Jwt, false);
    let tokens = app.grant();
    let server = app.server();
    assert_problem(revoke(&app, &[]), 400, None, "invalid_request");
    assert_problem(revoke(&app, &[("token", "a"), ("token", "b")]), 400, None, "invalid_request");
    let form = [("token", tokens.refresh.as_str())];
    let post = || server.client.post(server.url(REVOKE)).form(&form);
    assert_problem(post().send().unwrap(), 401, BASIC, "invalid_client");
    assert_problem(post().basic_auth("app", Some("wrong")).send().unwrap(), 401, BASIC, "invalid_client");
    let unproven = server.client.post(server.url(REVOKE)).form(&[form[0], ("client_id", "app")]);
    assert_problem(unproven.send().unwrap(), 401, BASIC, "invalid_client");
    assert_eq!(server.client.get(server.url(REVOKE)).send().unwrap().status().as_u16(), 405);
    Tokens::of(app.refresh(&tokens.refresh));

    let metadata = server.client.get(server.url("/.well-known/oauth-authorization-server")).send().unwrap();
    let metadata = json(metadata, 200);
    assert_eq!(metadata["revocation_endpoint"], server.url(REVOKE));
    let methods = metadata["revocation_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&"none".into()), "{methods:?}");
}

//! Logins: by a page of their own, listed, ended.

use crate::authorize::{BLOG, Browser, Site, VERIFIER, code_in, hidden_fields, location, request};
use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json};
use serde_json::{Value, json};
use tollgate_service::{AccessTokenFormat, Config};

const LOGIN: &str = "/login";
const SESSIONS: &str = "/api/v2/sessions";
const SITES: &str = "/api/v2/sites";
const SET_PASSWORD: &str = "/api/v2/profile/password";
const FORMATS: [AccessTokenFormat; 2] = [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque];

fn log_in_at_the_page(server: &TestServer, browser: &mut Browser, email: &str, password: &str) -> u16 {
    let page = browser.open(server, LOGIN, None).text().unwrap();
    let mut fields = hidden_fields(&page);
    fields.extend([("email", email), ("password", password)].map(|(name, value)| (name.to_owned(), value.to_owned())));
    browser.open(server, LOGIN, Some(&fields)).status().as_u16()
}

fn log_out(server: &TestServer, browser: &mut Browser) -> u16 {
    let page = browser.open(server, "/logout", None).text().unwrap();
    browser.open(server, "/logout", Some(&hidden_fields(&page))).status().as_u16()
}

fn session_token(server: &TestServer) -> String {
    let session = json(server.log_in(EMAIL, PASSWORD), 200);
    format!("Bearer {}", session["meta"]["jwt"].as_str().unwrap())
}

fn access_token(site: &Site, code: &str) -> String {
    let answer = json(site.exchange(site.blog(), code, BLOG, VERIFIER), 200);
    format!("Bearer {}", answer["access_token"].as_str().unwrap())
}

#[test]
fn who_logged_in_at_the_page_is_asked_no_more() {
    let site = Site::start();
    let mut browser = Browser::default();
    assert_eq!(log_in_at_the_page(&site.server, &mut browser, EMAIL, "guess"), 403);
    assert_eq!(log_in_at_the_page(&site.server, &mut browser, EMAIL, PASSWORD), 303);
    assert_eq!(location(&browser.open(&site.server, LOGIN, None)), "/profile");
    let page = browser.open(&site.server, "/profile", None);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self';") && policy.contains("default-src 'none'"), "{policy}");
    assert!(page.text().unwrap().contains(EMAIL));
    json(
        site.server.get(SITES, &access_token(&site, &code_in(&location(&browser.get(&site.server, &request(&[])))))),
        200,
    );
}

#[test]
fn a_form_of_another_site_logs_nobody_in_or_out() {
    let site = Site::start();
    let (mut browser, _) = site.logged_in();
    let forged = [("email", EMAIL), ("password", PASSWORD), ("form_token", "x")];
    let forged = forged.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(Browser::default().open(&site.server, LOGIN, Some(&forged)).status().as_u16(), 403);
    assert_eq!(browser.open(&site.server, "/logout", Some(&forged)).status().as_u16(), 403);
    assert_eq!(browser.open(&site.server, "/logout", Some(&[])).status().as_u16(), 403);
    location(&browser.get(&site.server, &request(&[])));
    // Where nobody is logged in nothing can be forged.
    assert_eq!(Browser::default().open(&site.server, "/logout", Some(&[])).status().as_u16(), 303);
}

#[test]
fn a71_a_logout_ends_the_cookie_the_codes_and_the_tokens_of_that_login_alone() {
    for format in FORMATS {
        let site = Site::start_with(format);
        let (mut browser, code) = site.logged_in();
        let (mut other, other_code) = site.logged_in();
        let (token, other_token) = (access_token(&site, &code), access_token(&site, &other_code));
        let unused = code_in(&location(&browser.get(&site.server, &request(&[]))));
        let mut thief = Browser { cookies: browser.cookies.clone() };
        assert_eq!(log_out(&site.server, &mut browser), 303);
        assert_eq!(browser.cookies["tollgate-session"], "");
        assert_problem(site.server.get(SITES, &token), 401, INVALID_TOKEN, "invalid_token");
        assert_problem(site.exchange(site.blog(), &unused, BLOG, VERIFIER), 400, None, "invalid_grant");
        assert_eq!(
            thief.get(&site.server, &request(&[])).status().as_u16(),
            200,
            "the form: the cookie is worth nothing"
        );
        json(site.server.get(SITES, &other_token), 200);
        location(&other.get(&site.server, &request(&[])));
    }
}

#[test]
fn a71_an_access_token_lives_no_longer_than_its_login() {
    const HOURS: i64 = 60 * 60;
    for access_token_format in FORMATS {
        let access_token_ttl = std::time::Duration::from_secs(30 * 24 * 60 * 60);
        let site = Site::start_at(Config { store: None, access_token_ttl, access_token_format, ..config() });
        let (_, code) = site.logged_in();
        let answer = json(site.exchange(site.blog(), &code, BLOG, VERIFIER), 200);
        let expires_in = answer["expires_in"].as_i64().unwrap();
        assert!((11 * HOURS..=12 * HOURS).contains(&expires_in), "{expires_in}");
        if access_token_format == AccessTokenFormat::Jwt {
            let claims = decode(answer["access_token"].as_str().unwrap()).1;
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), expires_in);
        }
    }
}

#[test]
fn somebody_else_at_the_same_browser_takes_over_nothing() {
    let site = Site::start();
    site.server.accounts.add_user("grace@example.com", PASSWORD, "read:sites").unwrap();
    let (mut browser, code) = site.logged_in();
    let token = access_token(&site, &code);
    let form = Browser::default().open(&site.server, LOGIN, None);
    assert_eq!(form.status().as_u16(), 200);
    // The form is not shown to who is logged in, but a tab may have it open.
    let mut fields = vec![("form_token".to_owned(), browser.cookies["tollgate-login"].clone())];
    fields.extend([("email", "grace@example.com"), ("password", PASSWORD)].map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(browser.open(&site.server, LOGIN, Some(&fields)).status().as_u16(), 303);
    assert_problem(site.server.get(SITES, &token), 401, INVALID_TOKEN, "invalid_token");
    let page = browser.open(&site.server, "/profile", None).text().unwrap();
    assert!(page.contains("grace@example.com") && !page.contains(EMAIL));
}

#[test]
fn sessions_are_listed_and_ended_one_by_one_and_all_together() -> TestResult {
    let site = Site::start();
    let server = &site.server;
    let (mut browser, code) = site.logged_in();
    let by_code = access_token(&site, &code);
    let key = server.accounts.add_api_key(&site.user_id, "laptop", "read:sites manage:api-keys", None)?;
    let by_key = json(server.post(SESSIONS, key.secret.as_str()), 200);
    let by_key = format!("Bearer {}", by_key["meta"]["jwt"].as_str().unwrap());
    let own = session_token(server);

    let listed = json(server.get(SESSIONS, &own), 200)["data"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 3);
    let of = |member: &str, value: Value| listed.iter().find(|session| session[member] == value).unwrap().clone();
    let current = of("current", json!(true));
    assert_eq!(current["id"], decode(own.trim_start_matches("Bearer ")).1["sid"]);
    assert_eq!((&current["kind"], &current["address"]), (&json!("token"), &json!("127.0.0.1")));
    let (of_browser, of_key) = (of("kind", json!("browser")), of("api_key_id", json!(key.stored.record.id())));
    assert!(!json!(listed).to_string().contains(&browser.cookies["tollgate-session"]));

    // By whom: neither a client to which the user gave a token, nor a key that may not manage keys, nor another user.
    let narrow = server.accounts.add_api_key(&site.user_id, "narrow", "read:sites", None)?;
    let end = |id: &Value, by: &str| server.delete(&format!("{SESSIONS}/{}", id.as_str().unwrap()), by);
    for by in [by_code.as_str(), narrow.secret.as_str()] {
        for refused in [server.get(SESSIONS, by), end(&of_key["id"], by), server.delete(SESSIONS, by)] {
            assert_eq!(refused.status().as_u16(), 403);
        }
    }
    let stranger = server.key_with("manage:api-keys");
    assert_problem(end(&of_key["id"], &stranger), 404, None, "not_found");

    assert_eq!(end(&of_key["id"], &own).status().as_u16(), 204);
    assert_problem(server.get(SITES, &by_key), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(end(&of_key["id"], &own), 404, None, "not_found");
    json(server.get(SITES, key.secret.as_str()), 200);
    json(server.get(SITES, &by_code), 200);
    assert_eq!(end(&of_browser["id"], key.secret.as_str()).status().as_u16(), 204);
    assert_problem(server.get(SITES, &by_code), 401, INVALID_TOKEN, "invalid_token");
    assert_eq!(browser.get(server, &request(&[])).status().as_u16(), 200, "the form");
    assert_eq!(server.delete(&format!("{SESSIONS}/current"), &own).status().as_u16(), 204);
    assert_problem(server.get(SITES, &own), 401, INVALID_TOKEN, "invalid_token");

    let tokens = [session_token(server), session_token(server)];
    assert_eq!(server.delete(SESSIONS, &tokens[0]).status().as_u16(), 204);
    for token in &tokens {
        assert_problem(server.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
    }
    // In the same second.
    json(server.get(SITES, &session_token(server)), 200);
    Ok(())
}

#[test]
fn an_administrator_ends_sessions_of_anybody() {
    for format in FORMATS {
        let site = Site::start_with(format);
        let admin = site.server.key_with("admin:keys");
        let (_, code) = site.logged_in();
        let (by_code, own) = (access_token(&site, &code), session_token(&site.server));
        let path = format!("/api/v2/admin/users/{}/sessions", site.user_id);
        let listed = json(site.server.get(&path, &admin), 200)["data"].as_array().unwrap().clone();
        assert_eq!(listed.len(), 2);
        let browser = listed.iter().find(|session| session["kind"] == "browser").unwrap();
        let one = format!("{path}/{}", browser["id"].as_str().unwrap());
        assert_eq!(site.server.delete(&one, &own).status().as_u16(), 403);
        assert_eq!(site.server.delete(&one, &admin).status().as_u16(), 204);
        assert_problem(site.server.get(SITES, &by_code), 401, INVALID_TOKEN, "invalid_token");
        json(site.server.get(SITES, &own), 200);
        assert_eq!(site.server.delete(&path, &admin).status().as_u16(), 204);
        assert_problem(site.server.get(SITES, &own), 401, INVALID_TOKEN, "invalid_token");
        json(site.server.log_in(EMAIL, PASSWORD), 200);
    }
}

#[test]
fn a71_a_user_changes_the_password_and_is_out_everywhere() {
    let site = Site::start();
    let server = &site.server;
    let (mut browser, code) = site.logged_in();
    let (by_code, own, other) = (access_token(&site, &code), session_token(server), session_token(server));
    let body = |current: &str, new: &str| json!({"password": {"current": current, "new": new}});
    let new = "the difference engine";
    assert_problem(
        server.post_json(SET_PASSWORD, &own, &body("guess", new)),
        401,
        Some("Bearer"),
        "invalid_credentials",
    );
    assert_problem(server.post_json(SET_PASSWORD, &own, &body(PASSWORD, "12345678")), 400, None, "password_refused");
    assert_eq!(
        server.post_json(SET_PASSWORD, &by_code, &body(PASSWORD, new)).status().as_u16(),
        403,
        "a client's token"
    );
    json(server.get(SITES, &own), 200);
    assert_eq!(server.post_json(SET_PASSWORD, &own, &body(PASSWORD, new)).status().as_u16(), 204);
    for token in [&by_code, &own, &other] {
        assert_problem(server.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
    }
    assert_eq!(browser.get(server, &request(&[])).status().as_u16(), 200, "the form");
    assert_problem(server.log_in(EMAIL, PASSWORD), 401, Some("Bearer"), "invalid_credentials");
    json(server.log_in(EMAIL, new), 200);
}

//! Pushed authorization requests (RFC 9126).

use crate::authorize::{BLOG, Browser, CHALLENGE, Site, VERIFIER, location};
use crate::support::{BASIC, EMAIL, PASSWORD, assert_problem, config, json};
use reqwest::blocking::Response;
use serde_json::json;
use std::collections::HashMap;
use tollgate_service::Config;

const PAR: &str = "/oauth/v2/par";

const REQUEST: [(&str, &str); 5] = [
    ("response_type", "code"),
    ("redirect_uri", BLOG),
    ("state", "pushed"),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
];

fn push(site: &Site, client: (&str, &str), request: &[(&str, &str)]) -> Response {
    let (id, secret) = client;
    site.server.client.post(site.server.url(PAR)).basic_auth(id, Some(secret)).form(request).send().unwrap()
}

/// What the browser takes along of a request that the blog has pushed.
fn pushed(site: &Site) -> Vec<(String, String)> {
    let answer = json(push(site, site.blog(), &REQUEST), 201);
    query("blog", answer["request_uri"].as_str().unwrap())
}

fn query(client_id: &str, request_uri: &str) -> Vec<(String, String)> {
    [("client_id", client_id), ("request_uri", request_uri)].map(|(name, value)| (name.into(), value.into())).to_vec()
}

fn answer_of(response: &Response) -> HashMap<String, String> {
    reqwest::Url::parse(&location(response)).unwrap().query_pairs().into_owned().collect()
}

#[test]
fn a_pushed_request_is_answered_as_one_in_the_query() {
    let site = Site::start();
    // Section 2.2: 201, a request_uri with its lifetime, not stored.
    let answer = push(&site, site.blog(), &REQUEST);
    assert_eq!(answer.headers()["cache-control"], "no-cache, no-store");
    let answer = json(answer, 201);
    let request_uri = answer["request_uri"].as_str().unwrap();
    assert!(request_uri.starts_with("urn:ietf:params:oauth:request_uri:") && request_uri.len() > 70, "{request_uri}");
    assert_eq!(answer["expires_in"], 90);

    let mut browser = Browser::default();
    let page = browser.get(&site.server, &query("blog", request_uri)).text().unwrap();
    // A password that is mistyped loses nothing.
    let again = browser.submit(&site.server, &page, EMAIL, "wrong").text().unwrap();
    let answer = answer_of(&browser.submit(&site.server, &again, EMAIL, PASSWORD));
    assert_eq!(answer["state"], "pushed");
    json(site.exchange(site.blog(), &answer["code"], BLOG, VERIFIER), 200);
    // The next one needs no login.
    assert!(answer_of(&browser.get(&site.server, &pushed(&site))).contains_key("code"));
}

#[test]
fn a_request_uri_is_good_once_and_gives_one_code() {
    // Section 7.3: "The authorization server SHOULD make the request URIs one-time use".
    let site = Site::start();
    let mut browser = Browser::default();
    let query = pushed(&site);
    let page = browser.get(&site.server, &query).text().unwrap();
    assert_eq!(browser.get(&site.server, &query).status().as_u16(), 400);
    assert_eq!(Browser::default().get(&site.server, &query).status().as_u16(), 400);
    assert!(answer_of(&browser.submit(&site.server, &page, EMAIL, PASSWORD)).contains_key("code"));
    let second = browser.submit(&site.server, &page, EMAIL, PASSWORD);
    assert_eq!((second.status().as_u16(), second.headers().get("location")), (400, None));
}

#[test]
fn a_request_uri_is_for_the_client_that_has_pushed_the_request() {
    // Section 2.2: "The request_uri value MUST be bound to the client that posted the authorization request".
    let site = Site::start();
    let mut stolen = pushed(&site);
    stolen[0].1 = "shop".to_owned();
    assert_eq!(Browser::default().get(&site.server, &stolen).status().as_u16(), 400);
    stolen[0].1 = "blog".to_owned();
    assert_eq!(Browser::default().get(&site.server, &stolen).status().as_u16(), 200, "and stays good for it");
    let unknown = query("blog", "urn:ietf:params:oauth:request_uri:AAAA");
    assert_eq!(Browser::default().get(&site.server, &unknown).status().as_u16(), 400);
}

#[test]
fn what_the_browser_sends_beside_the_request_uri_does_not_count() {
    // RFC 9101 section 6.3 for RFC 9126 section 4: only the parameters of the request itself.
    let site = Site::start();
    let (mut browser, _) = site.logged_in();
    let mut query = pushed(&site);
    query.extend([("state", "other"), ("redirect_uri", "https://evil.example/")].map(|(n, v)| (n.into(), v.into())));
    let answer = browser.get(&site.server, &query);
    assert!(location(&answer).starts_with(BLOG));
    assert_eq!(answer_of(&answer)["state"], "pushed");
}

#[test]
fn a_request_is_validated_when_it_is_pushed() {
    // Section 2.1: authenticated as at the token endpoint, "and validate the request"; section 2.3 has the errors.
    let site = Site::start();
    let with = |name: &'static str, value: &'static str| {
        let mut request: Vec<_> = REQUEST.iter().copied().filter(|(known, _)| *known != name).collect();
        request.push((name, value));
        request
    };
    for (request, error) in [
        (with("response_type", "token"), "unsupported_response_type"),
        (with("redirect_uri", "https://evil.example/"), "invalid_request"),
        (with("code_challenge_method", "plain"), "invalid_request"),
        (with("code_challenge", "short"), "invalid_request"),
        (with("scope", "admin:keys"), "invalid_scope"),
        (with("resource", "https://other.example"), "invalid_target"),
        (with("request_uri", "urn:ietf:params:oauth:request_uri:AAAA"), "invalid_request"),
        (with("client_id", "shop"), "invalid_request"),
    ] {
        assert_problem(push(&site, site.blog(), &request), 400, None, error);
    }
    assert_problem(push(&site, ("blog", "wrong"), &REQUEST), 401, BASIC, "invalid_client");
    assert_problem(push(&site, ("nobody", "wrong"), &REQUEST), 401, BASIC, "invalid_client");
    // Section 2.3: the method is POST alone.
    assert_eq!(site.server.client.get(site.server.url(PAR)).send().unwrap().status().as_u16(), 405);
    let twice = [&REQUEST[..], &[("state", "again")]].concat();
    assert_problem(push(&site, site.blog(), &twice), 400, None, "invalid_request");
    let state = "x".repeat(9_000);
    let long = [&REQUEST[..2], &REQUEST[3..], &[("state", &*state)]].concat();
    assert_problem(push(&site, site.blog(), &long), 400, None, "invalid_request");
}

#[test]
fn a_public_client_pushes_by_its_id() {
    let site = Site::start();
    let admin = site.server.key_with("admin:keys");
    let client = json!({"client": {"id": "page", "name": "Page", "scope": "", "user_scope": "read:sites", "type": "browser",
                                   "redirect_uris": ["https://page.example/cb"]}});
    site.server.ask("/api/v2/admin/clients", &admin, &client, 201);
    let mut request = REQUEST.to_vec();
    request[1].1 = "https://page.example/cb";
    request.push(("client_id", "page"));
    let answer = json(site.server.client.post(site.server.url(PAR)).form(&request).send().unwrap(), 201);
    let (mut browser, _) = site.logged_in();
    // The user is asked, and the consent page goes on with it too.
    let answer = browser.allow(&site.server, &query("page", answer["request_uri"].as_str().unwrap()));
    assert!(answer_of(&answer).contains_key("code"));
}

#[test]
fn a_pushed_request_that_asks_for_a_login_gets_one() {
    // OpenID Connect Core section 3.1.2.1, prompt=login.
    let site = Site::start();
    let admin = site.server.key_with("admin:keys");
    let client = json!({"client": {"id": "bank", "name": "Bank", "scope": "read:sites", "redirect_uris": [BLOG]}});
    let made = site.server.ask("/api/v2/admin/clients", &admin, &client, 201);
    let request = [&REQUEST[..], &[("prompt", "login")]].concat();
    let answer = json(push(&site, ("bank", made["data"]["secret"].as_str().unwrap()), &request), 201);
    let (mut browser, _) = site.logged_in();
    let page = browser.get(&site.server, &query("bank", answer["request_uri"].as_str().unwrap())).text().unwrap();
    let on = location(&browser.submit(&site.server, &page, EMAIL, PASSWORD));
    // The consent page follows, and not the login form again.
    let url = reqwest::Url::parse(&site.server.url(&on)).unwrap();
    let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    assert!(answer_of(&browser.allow(&site.server, &query)).contains_key("code"));
}

#[test]
fn a_client_or_a_server_that_requires_pushed_requests_takes_no_others() {
    // Sections 5 and 6.
    let plain: Vec<(String, String)> =
        [&REQUEST[..], &[("client_id", "blog")]].concat().iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    let metadata = |site: &Site| {
        let url = site.server.url("/.well-known/oauth-authorization-server");
        json(site.server.client.get(url).send().unwrap(), 200)
    };
    let site = Site::start();
    assert_eq!(metadata(&site)["require_pushed_authorization_requests"], false);
    assert_eq!(metadata(&site)["pushed_authorization_request_endpoint"], site.server.url(PAR));
    assert_eq!(Browser::default().get(&site.server, &plain).status().as_u16(), 200);

    let strict = Site::start_at(Config { store: None, require_pushed_requests: true, ..config() });
    assert_eq!(metadata(&strict)["require_pushed_authorization_requests"], true);
    assert_eq!(Browser::default().get(&strict.server, &plain).status().as_u16(), 400);
    let (mut browser, page) = (Browser::default(), pushed(&strict));
    let page = browser.get(&strict.server, &page).text().unwrap();
    assert!(answer_of(&browser.submit(&strict.server, &page, EMAIL, PASSWORD)).contains_key("code"));

    let admin = site.server.key_with("admin:keys");
    let client = json!({"client": {"id": "bank", "name": "Bank", "scope": "read:sites", "redirect_uris": ["https://bank.example/"],
                                   "require_pushed_authorization_requests": true}});
    site.server.ask("/api/v2/admin/clients", &admin, &client, 201);
    let of_bank = plain.into_iter().map(|(name, value)| match name.as_str() {
        "client_id" => (name, "bank".to_owned()),
        "redirect_uri" => (name, "https://bank.example/".to_owned()),
        _ => (name, value),
    });
    assert_eq!(Browser::default().get(&site.server, &of_bank.collect::<Vec<_>>()).status().as_u16(), 400);
}

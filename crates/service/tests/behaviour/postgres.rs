//! Two servers, as on two hosts, with one database of PostgreSQL.

use crate::authorize::{BLOG, Browser, Site, TOKEN, VERIFIER, code_in, hidden_fields, location, request};
use crate::cluster::shared;
use crate::refresh::{App, Tokens};
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, assert_problem, config, json};
use reqwest::blocking::Response;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tollgate_service::{Config, StoreUrl};

const REPORTS: &str = "/api/v2/reports";

/// Whether it becomes so within a second, which is what a change takes at most.
fn within_a_second(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if begun.elapsed() > Duration::from_secs(1) {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
}

/// The configuration of each host with a new database; `None` where PostgreSQL is missing.
fn of_one_database() -> Option<impl Fn() -> Config> {
    let database = shared()?;
    let store = StoreUrl::parse(Path::new(&database.url(&database.new_database()))).expect("a URL");
    Some(move || {
        // One name for both, behind whatever balances the load between them.
        let base_url = Some("http://localhost:8080".to_owned());
        Config { store: Some(store.clone()), base_url, ..config() }
    })
}

/// The server, asked at its own address and not by the name of all hosts.
fn at_its_address(mut server: TestServer) -> TestServer {
    server.origin = format!("http://{}", server.address);
    server
}

#[test]
fn a71_what_one_host_does_counts_on_the_other() -> TestResult {
    let Some(config) = of_one_database() else { return Ok(()) };
    let start = || at_its_address(TestServer::start_with(config()));
    let (one, two) = (start(), start());
    let user = one.accounts.add_user(EMAIL, PASSWORD, "read:reports")?;
    let key = one.accounts.add_api_key(&user.id, "test", "read:reports", None)?;
    let secret = key.secret.as_str();
    let status = |server: &TestServer| server.get(REPORTS, secret).status().as_u16();
    assert_eq!(status(&one), 200);
    assert!(within_a_second(|| status(&two) == 200), "the key counts on the other host");
    // A user of the one logs in at the other, whose token is good at the one: they have the same signing key.
    let session = json(two.log_in(EMAIL, PASSWORD), 200);
    let token = session["meta"]["jwt"].as_str().expect("a token").to_owned();
    assert_ne!(one.get("/api/v2/profile", &format!("Bearer {token}")).status().as_u16(), 401);
    two.accounts.revoke_api_key(&user.id, key.stored.record.id())?;
    assert_eq!(status(&two), 401);
    assert!(within_a_second(|| status(&one) == 401), "the revocation counts on the other host");
    // Whoever is disabled at the one is out at the other.
    let session = json(one.log_in(EMAIL, PASSWORD), 200);
    let token = format!("Bearer {}", session["meta"]["jwt"].as_str().expect("a token"));
    let status = |server: &TestServer| server.get(REPORTS, &token).status().as_u16();
    assert_eq!((status(&one), status(&two)), (200, 200));
    one.accounts.disable_user(&user.id)?;
    assert_eq!(status(&one), 401);
    assert!(within_a_second(|| status(&two) == 401), "a user disabled at one host is out at the other");
    assert_eq!(two.log_in(EMAIL, PASSWORD).status().as_u16(), 401);
    Ok(())
}

#[test]
fn a71_a_login_begun_at_one_host_ends_at_the_other_and_a_logout_counts_at_both() -> TestResult {
    const SITES: &str = "/api/v2/sites";
    let Some(config) = of_one_database() else { return Ok(()) };
    let mut site = Site::start_at(config());
    site.server = at_its_address(site.server);
    let two = at_its_address(TestServer::start_with(config()));
    let one = &site.server;
    let (client_id, secret) = site.blog();
    let redeem = |server: &TestServer, code: &str| -> Response {
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BLOG), ("code_verifier", VERIFIER)];
        server.client.post(server.url(TOKEN)).basic_auth(client_id, Some(secret)).form(&form).send().unwrap()
    };
    let token = |answer: Response| format!("Bearer {}", json(answer, 200)["access_token"].as_str().unwrap());
    let status = |server: &TestServer, token: &str| server.get(SITES, token).status().as_u16();
    let ends_at_both =
        |token: &str| within_a_second(|| status(one, token) == 401) && within_a_second(|| status(&two, token) == 401);
    assert!(within_a_second(|| two.token(client_id, secret).status().as_u16() != 401), "the client counts there too");

    // The form of one host is sent to the other, and the code is redeemed at the first.
    let mut browser = Browser::default();
    let page = browser.get(one, &request(&[])).text()?;
    let code = code_in(&location(&browser.submit(&two, &page, EMAIL, PASSWORD)));
    let first = token(redeem(one, &code));
    assert_eq!((status(one, &first), status(&two, &first)), (200, 200));
    // The cookie of the second counts at the first, whose code counts at the second: once.
    let code = code_in(&location(&browser.get(one, &request(&[]))));
    let second = token(redeem(&two, &code));
    assert_eq!((status(one, &second), status(&two, &second)), (200, 200));
    assert_problem(redeem(one, &code), 400, None, "invalid_grant");
    assert!(ends_at_both(&second), "the token of a code that is used twice is revoked at both");
    assert_eq!(status(one, &first), 200);

    let unused = code_in(&location(&browser.get(&two, &request(&[]))));
    let mut copied = Browser { cookies: browser.cookies.clone() };
    assert_eq!(copied.open(one, "/profile", None).status().as_u16(), 200);
    let page = browser.open(&two, "/logout", None).text()?;
    let left = browser.open(&two, "/logout", Some(&hidden_fields(&page)));
    assert!(!left.status().is_client_error() && !left.status().is_server_error());
    for server in [one, &two] {
        assert_eq!(location(&copied.open(server, "/profile", None)), "/login");
    }
    assert_problem(redeem(one, &unused), 400, None, "invalid_grant");
    assert!(ends_at_both(&first), "the token of a login that has ended is revoked at both");
    Ok(())
}

#[test]
fn a72_a_refresh_token_of_one_host_is_exchanged_at_the_other_and_its_second_use_ends_the_grant_at_both() -> TestResult {
    const SITES: &str = "/api/v2/sites";
    let Some(config) = of_one_database() else { return Ok(()) };
    let mut app = App::start_as_one_of(config());
    let two = at_its_address(TestServer::start_with(config()));
    let first = app.grant();
    let one = app.server();
    let refresh = |server: &TestServer, token: &str| {
        app.post(server, &[("grant_type", "refresh_token"), ("refresh_token", token)])
    };
    let unknown = || refresh(&two, "unknown").status().as_u16();
    assert!(within_a_second(|| unknown() == 400), "the client counts there too");
    let second = Tokens::of(refresh(&two, &first.refresh));
    let third = Tokens::of(refresh(one, &second.refresh));
    for server in [one, &two] {
        assert!(within_a_second(|| server.get(SITES, &third.bearer()).status().as_u16() == 200));
    }
    assert_problem(refresh(&two, &first.refresh), 400, None, "invalid_grant");
    for server in [one, &two] {
        assert_problem(refresh(server, &third.refresh), 400, None, "invalid_grant");
        for tokens in [&first, &second, &third] {
            let status = || server.get(SITES, &tokens.bearer()).status().as_u16();
            assert!(within_a_second(|| status() == 401), "its access tokens are revoked at both");
        }
    }
    Ok(())
}

//! Passwords that are guessed, and the owner of the account meanwhile.

use crate::authorize::{Browser, hidden_fields};
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, config};
use serde_json::json;
use tollgate::{ForwardedField, TrustedProxies};
use tollgate_service::Config;

/// Logs in at the page; the answer's status.
fn log_in(server: &TestServer, browser: &mut Browser, email: &str, password: &str) -> u16 {
    let page = browser.open(server, "/login", None).text().unwrap();
    let mut fields = hidden_fields(&page);
    fields.extend([("email", email), ("password", password)].map(|(name, value)| (name.to_owned(), value.to_owned())));
    browser.open(server, "/login", Some(&fields)).status().as_u16()
}

/// Logs out, so that the login page is shown again; the browser stays known.
fn log_out(server: &TestServer, browser: &mut Browser) {
    let page = browser.open(server, "/logout", None).text().unwrap();
    browser.open(server, "/logout", Some(&hidden_fields(&page)));
}

#[test]
fn a74_guesses_from_everywhere_do_not_keep_a_user_out_who_comes_from_a_known_browser() -> TestResult {
    let trusted_proxies = TrustedProxies::new(["127.0.0.1".parse()?], ForwardedField::XForwardedFor);
    let server = TestServer::start_with(Config { store: None, trusted_proxies, ..config() });
    for email in [EMAIL, "grace@example.com"] {
        server.accounts.add_user(email, PASSWORD, "read:sites")?;
    }
    let (mut ada, mut grace) = (Browser::default(), Browser::default());
    assert_eq!(log_in(&server, &mut ada, EMAIL, PASSWORD), 303);
    log_out(&server, &mut ada);
    assert_eq!(log_in(&server, &mut grace, "grace@example.com", PASSWORD), 303);
    log_out(&server, &mut grace);

    let guess = |number: u8| {
        let body = json!({"session": {"email": EMAIL, "password": "guess"}});
        let request = server.client.post(server.url("/api/v2/sessions")).json(&body);
        request.header("x-forwarded-for", format!("198.{number}.0.1")).send().unwrap().status().as_u16()
    };
    // From one address ten, and another one is not concerned by that.
    let near: Vec<u16> = (0..11).map(|_| guess(200)).collect();
    assert_eq!((near[9], near[10], guess(201)), (401, 429, 401));
    // At last no address may guess, but for one attempt each 30 s, which may fall between two lines here.
    let refused = |browser: &mut Browser| {
        (0..3).any(|_| (0..200).any(|number| guess(number) == 429) && log_in(&server, browser, EMAIL, "guess") == 429)
    };
    assert!(refused(&mut Browser::default()), "a browser that nobody knows");
    assert!(refused(&mut grace), "a browser of somebody else");
    assert_eq!(log_in(&server, &mut ada, EMAIL, PASSWORD), 303);
    // It may not guess without end either.
    log_out(&server, &mut ada);
    assert!((0..11).any(|_| log_in(&server, &mut ada, EMAIL, "guess") == 429));
    Ok(())
}

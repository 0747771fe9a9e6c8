//! OpenID Connect RP-Initiated Logout 1.0.

use super::{CALLBACK, Provider, id_token, register};
use crate::authorize::{BLOG, Browser, code_in, hidden_fields, location};
use crate::support::{EMAIL, PASSWORD};
use reqwest::blocking::Response;
use tollgate_storage::{ClientSettings, RedirectUri};

const BYE: &str = "https://rp.example/bye?from=tollgate";

fn start() -> Provider {
    Provider::start_with(with_bye)
}

fn with_bye(settings: ClientSettings) -> ClientSettings {
    ClientSettings { post_logout_redirect_uris: vec![RedirectUri::new(BYE).unwrap()], ..settings }
}

fn path(parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/oauth/v2/logout?{query}")
}

fn ask(provider: &Provider, browser: &mut Browser, parameters: &[(&str, &str)]) -> Response {
    browser.open(provider.server(), &path(parameters), None)
}

fn is_logged_in(provider: &Provider, browser: &mut Browser) -> bool {
    browser.open(provider.server(), "/profile", None).status().as_u16() == 200
}

/// Sections 2 and 3: the hint is of this login, so that nobody is asked; the state comes back.
#[test]
fn a71_a_client_logs_its_user_out_with_the_id_token_of_the_login() {
    let provider = start();
    let (mut browser, tokens) = provider.logged_in(&[("scope", "openid read:sites")]);
    let hint = ("id_token_hint", id_token(&tokens));
    let answer = ask(&provider, &mut browser, &[hint, ("post_logout_redirect_uri", BYE), ("state", "a&b")]);
    assert_eq!(location(&answer), format!("{BYE}&state=a%26b"));
    assert!(!is_logged_in(&provider, &mut browser));
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(provider.server().get("/api/v2/sites", &bearer).status().as_u16(), 401, "what came of the login ended");
    let again = ask(&provider, &mut browser, &[hint, ("post_logout_redirect_uri", BYE)]);
    assert_eq!(location(&again), BYE, "nobody is logged in: nothing is left to do");
}

/// Section 2: "the OP SHOULD ask the End-User whether to log out"; "MUST ask" where the hint is of another login, or there is none.
#[test]
fn without_a_hint_of_this_login_the_person_is_asked() {
    let provider = start();
    let (_, of_other_browser) = provider.logged_in(&[]);
    let (mut browser, _) = provider.logged_in(&[]);
    let to = [("client_id", "rp"), ("post_logout_redirect_uri", BYE), ("state", "s")];
    for hint in [id_token(&of_other_browser), "no.id.token", ""] {
        let page = ask(&provider, &mut browser, &[&[("id_token_hint", hint)][..], &to].concat());
        assert_eq!(page.status().as_u16(), 200);
        let policy = page.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self' https://rp.example;"), "{policy}");
        let page = page.text().unwrap();
        assert!(page.contains("The Relying Party") && page.contains(EMAIL), "{page}");
        assert!(is_logged_in(&provider, &mut browser), "not before the person says so");
    }
    let page = ask(&provider, &mut browser, &to).text().unwrap();
    let fields = hidden_fields(page.split(r#"action="/oauth/v2/logout/confirm""#).nth(1).unwrap());
    let forged: Vec<_> = fields.iter().filter(|(name, _)| name != "form_token").cloned().collect();
    let refused = browser.open(provider.server(), "/oauth/v2/logout/confirm", Some(&forged));
    assert_eq!(refused.status().as_u16(), 403, "another site's form logs nobody out");
    assert!(is_logged_in(&provider, &mut browser));
    let answer = browser.open(provider.server(), "/oauth/v2/logout/confirm", Some(&fields));
    assert_eq!(location(&answer), format!("{BYE}&state=s"));
    assert!(!is_logged_in(&provider, &mut browser));
}

/// Section 2: "the OP MUST support the use of the HTTP GET and POST methods".
#[test]
fn a_logout_may_be_posted() {
    let provider = start();
    let (mut browser, tokens) = provider.logged_in(&[]);
    let fields = [("id_token_hint", id_token(&tokens)), ("post_logout_redirect_uri", BYE)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let next = location(&Browser::default().open(provider.server(), "/oauth/v2/logout", Some(&fields)));
    assert_eq!(location(&browser.open(provider.server(), &next, None)), BYE);
}

/// Section 3: "exactly match"; section 4: an error leads nowhere.
#[test]
fn a69_the_browser_is_sent_to_registered_addresses_alone() {
    let provider = start();
    let (mut browser, tokens) = provider.logged_in(&[]);
    let hint = ("id_token_hint", id_token(&tokens));
    let to = |uri| ("post_logout_redirect_uri", uri);
    for parameters in [
        vec![hint, to("https://rp.example/bye")],
        vec![hint, to("https://rp.example/bye?from=tollgate#")],
        vec![hint, to(CALLBACK)],
        vec![hint, to("javascript:alert(1)")],
        vec![to(BYE)],
        vec![("client_id", "nobody"), to(BYE)],
        vec![("client_id", "blog"), to(BYE)],
        // "MUST verify that the Client Identifier matches the one used when the ID Token was issued".
        vec![hint, ("client_id", "blog")],
        vec![hint, to(BYE), ("state", &"s".repeat(2_049))],
    ] {
        let answer = ask(&provider, &mut browser, &parameters);
        assert_eq!(answer.status().as_u16(), 400, "{parameters:?}");
        assert!(is_logged_in(&provider, &mut browser), "{parameters:?}");
    }
}

/// A client of which only the address is known cannot have its own address used: what is registered is registered per client.
#[test]
fn without_a_target_the_service_says_that_nobody_is_logged_in() {
    let provider = start();
    let secret =
        register(provider.server(), "plain", BLOG, |settings| ClientSettings { is_operators_own: true, ..settings });
    let mut browser = Browser::default();
    let replaced = [("client_id", "plain"), ("redirect_uri", BLOG)];
    let code = code_in(&provider.log_in(&mut browser, &replaced));
    let tokens = crate::support::json(provider.site.exchange(("plain", &secret), &code, BLOG, super::VERIFIER), 200);
    let answer = ask(&provider, &mut browser, &[("id_token_hint", id_token(&tokens))]);
    assert_eq!(location(&answer), "/logout");
    assert!(!is_logged_in(&provider, &mut browser));
    assert!(browser.open(provider.server(), "/logout", None).text().unwrap().contains("You are logged out"));
    assert_eq!(provider.server().log_in(EMAIL, PASSWORD).status().as_u16(), 200);
}

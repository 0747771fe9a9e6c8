//! The parameters of an authentication request (OpenID Connect Core 1.0 section 3.1.2.1).

use super::{CALLBACK, Provider, claims, id_token, register, request};
use crate::authorize::{Browser, code_in, hidden_fields, location, parameters_of};
use crate::support::{EMAIL, PASSWORD};
use std::thread;
use std::time::Duration;
use tollgate_storage::ClientSettings;

const LOGIN_FORM: &str = r#"action="/oauth/v2/login""#;
const CONSENT_PAGE: &str = r#"action="/oauth/v2/consent""#;

#[track_caller]
fn shows(provider: &Provider, browser: &mut Browser, replaced: &[(&str, &str)], form: &str) -> String {
    let page = provider.ask(browser, replaced);
    assert_eq!(page.status().as_u16(), 200);
    let page = page.text().unwrap();
    assert!(page.contains(form), "{page}");
    page
}

/// "MUST NOT display any authentication or consent user interface pages".
#[test]
fn prompt_none_shows_no_page() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let answer = provider.answer(&mut browser, &[("prompt", "none")]);
    assert_eq!((answer["error"].as_str(), answer["state"].as_str()), ("login_required", "a&b \"<'"));
    assert_eq!(answer["iss"], provider.server().origin, "RFC 9207 section 2: errors too");
    provider.log_in(&mut browser, &[]);
    assert!(provider.answer(&mut browser, &[("prompt", "none")]).contains_key("code"));
    let mixed = provider.answer(&mut browser, &[("prompt", "none login")]);
    assert_eq!(mixed["error"], "invalid_request", "none with another value is an error");
    assert_eq!(provider.answer(&mut browser, &[("prompt", "create")])["error"], "invalid_request");
}

#[test]
fn a73_prompt_none_does_not_get_around_consent() {
    let provider = Provider::start_with(|settings| ClientSettings { is_operators_own: false, ..settings });
    let mut browser = Browser::default();
    let page = provider.ask(&mut browser, &[]).text().unwrap();
    browser.submit(provider.server(), &page, EMAIL, PASSWORD);
    assert_eq!(provider.answer(&mut browser, &[("prompt", "none")])["error"], "consent_required");
    location(&browser.allow(provider.server(), &request(&[])));
    assert!(provider.answer(&mut browser, &[("prompt", "none")]).contains_key("code"));
    let more = provider.answer(&mut browser, &[("prompt", "none"), ("scope", "openid email profile")]);
    assert_eq!(more["error"], "consent_required", "for further scopes");
}

/// "prompt the End-User for reauthentication", also who is logged in; the login after it counts.
#[test]
fn prompt_login_asks_for_the_password_again() {
    let provider = Provider::start();
    let (mut browser, before) = provider.logged_in(&[]);
    for prompt in ["login", "select_account", "login consent"] {
        shows(&provider, &mut browser, &[("prompt", prompt)], LOGIN_FORM);
    }
    let page = shows(&provider, &mut browser, &[("prompt", "login")], LOGIN_FORM);
    assert_eq!(browser.submit(provider.server(), &page, EMAIL, "guess").status().as_u16(), 403);
    let answer = location(&browser.submit(provider.server(), &page, EMAIL, PASSWORD));
    let after = provider.tokens(&code_in(&answer));
    assert_eq!(claims(&after)["sid"], claims(&before)["sid"], "one login session, so that one logout ends all of it");
}

/// A person who logs in again goes on with the session: a logout ends what came of either login.
#[test]
fn a71_what_came_of_a_login_before_another_ends_with_the_same_logout() {
    let provider = Provider::start();
    let (mut browser, before) = provider.logged_in(&[("scope", "openid read:sites")]);
    let old = browser.cookies.clone();
    provider.log_in(&mut browser, &[("prompt", "login")]);
    let again = Browser { cookies: old }.open(provider.server(), "/profile", None);
    assert_eq!(again.status().as_u16(), 303, "the cookie of before is no login");
    let page = browser.open(provider.server(), "/logout", None).text().unwrap();
    browser.open(provider.server(), "/logout", Some(&hidden_fields(&page)));
    let bearer = format!("Bearer {}", before["access_token"].as_str().unwrap());
    assert_eq!(provider.server().get("/api/v2/sites", &bearer).status().as_u16(), 401);
}

/// "MUST attempt to actively re-authenticate the End-User" when the login is older; "the ID Token returned MUST include an auth_time".
#[test]
fn max_age_asks_for_the_password_again_when_the_login_is_older() {
    let provider = Provider::start();
    let (mut browser, before) = provider.logged_in(&[]);
    let at = |tokens: &serde_json::Value| claims(tokens)["auth_time"].as_i64().unwrap();
    assert!(provider.answer(&mut browser, &[("max_age", "600"), ("prompt", "none")]).contains_key("code"));
    while super::now() <= at(&before) + 1 {
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(provider.answer(&mut browser, &[("max_age", "1"), ("prompt", "none")])["error"], "login_required");
    let after = provider.tokens(&code_in(&provider.log_in(&mut browser, &[("max_age", "1")])));
    assert!(at(&after) > at(&before), "auth_time is of the new login");
    for wrong in ["-1", "soon", "1e3"] {
        assert_eq!(provider.answer(&mut browser, &[("max_age", wrong)])["error"], "invalid_request");
    }
}

/// "prompt the End-User for consent before returning information", also of the operator's own client.
#[test]
fn prompt_consent_asks_again() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let page = provider.ask(&mut browser, &[("prompt", "consent")]).text().unwrap();
    let next = location(&browser.submit(provider.server(), &page, EMAIL, PASSWORD));
    let page = browser.open(provider.server(), &next, None).text().unwrap();
    assert!(page.contains(CONSENT_PAGE) && page.contains("Know who you are here"), "{page}");
    let answer = location(&browser.allow(provider.server(), &request(&[("prompt", "consent")])));
    assert!(parameters_of(&answer).contains_key("code"));
    shows(&provider, &mut browser, &[("prompt", "consent")], CONSENT_PAGE);
}

/// The nonce, the mode and the hint go through the login form and the consent page.
#[test]
fn a_request_keeps_its_parameters_through_both_pages() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let asked = [("prompt", "login consent"), ("nonce", "through"), ("response_mode", "form_post")];
    let page = shows(&provider, &mut browser, &asked, LOGIN_FORM);
    let next = location(&browser.submit(provider.server(), &page, EMAIL, PASSWORD));
    let page = browser.open(provider.server(), &next, None).text().unwrap();
    let mut fields = hidden_fields(page.split(CONSENT_PAGE).nth(1).unwrap());
    fields.push(("decision".into(), "allow".into()));
    let answer = browser.open(provider.server(), "/oauth/v2/consent", Some(&fields)).text().unwrap();
    let fields = hidden_fields(&answer);
    let code = fields.iter().find(|(name, _)| name == "code").unwrap();
    assert_eq!(claims(&provider.tokens(&code.1))["nonce"], "through");
}

/// "If the ID Token's user is not logged in ... it MUST return an error, such as login_required".
#[test]
fn id_token_hint_names_the_only_user_who_gets_in() {
    let provider = Provider::start();
    let (mut ada, tokens) = provider.logged_in(&[]);
    let hint = id_token(&tokens);
    let silently = [("prompt", "none"), ("id_token_hint", hint)];
    assert!(provider.answer(&mut ada, &silently).contains_key("code"));
    provider.server().accounts.add_user("grace@example.com", PASSWORD, "read:sites").unwrap();
    let mut grace = Browser::default();
    let page = shows(&provider, &mut grace, &[], LOGIN_FORM);
    location(&grace.submit(provider.server(), &page, "grace@example.com", PASSWORD));
    assert_eq!(provider.answer(&mut grace, &silently)["error"], "login_required", "another user");
    let page = shows(&provider, &mut grace, &[("id_token_hint", hint)], LOGIN_FORM);
    let answer = location(&grace.submit(provider.server(), &page, "grace@example.com", PASSWORD));
    assert_eq!(parameters_of(&answer)["error"], "login_required", "another user again");
    let page = shows(&provider, &mut grace, &[("id_token_hint", hint)], LOGIN_FORM);
    assert!(location(&grace.submit(provider.server(), &page, EMAIL, PASSWORD)).contains("code="));
}

#[test]
fn a_hint_that_is_no_id_token_for_the_client_is_refused() {
    let provider = Provider::start();
    let (mut browser, tokens) = provider.logged_in(&[]);
    let secret = register(provider.server(), "other", "https://other.example/cb", |settings| ClientSettings {
        is_operators_own: true,
        ..settings
    });
    let others = [("client_id", "other"), ("redirect_uri", "https://other.example/cb")];
    let code = code_in(&location(&provider.ask(&mut browser, &others)));
    let exchange =
        |code: &str| provider.site.exchange(("other", &secret), code, "https://other.example/cb", super::VERIFIER);
    let others = crate::support::json(exchange(&code), 200);
    let forged = {
        let (signed, signature) = id_token(&tokens).rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{signed}.{first}{}", &signature[1..])
    };
    let session = crate::support::json(provider.server().log_in(EMAIL, PASSWORD), 200);
    let (session, access) = (session["meta"]["jwt"].as_str().unwrap(), tokens["access_token"].as_str().unwrap());
    let session = session.strip_prefix("Bearer ").unwrap_or(session);
    for hint in [id_token(&others), &forged, session, access, "nothing", "a.b.c"] {
        assert_eq!(provider.answer(&mut browser, &[("id_token_hint", hint)])["error"], "invalid_request", "{hint}");
    }
}

/// "SHOULD ... pre-fill"; "MUST NOT result in an error" where a hint, a locale or a display is not followed.
#[test]
fn hints_fill_the_form_and_others_are_ignored() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let ignored = [("ui_locales", "fr-CA"), ("display", "popup"), ("claims", "{}"), ("nobody_knows", "this")];
    let page = shows(&provider, &mut browser, &[("login_hint", "ada\"<@example.com"), ignored[0]], LOGIN_FORM);
    assert!(page.contains(r#"value="ada&#34;&#60;@example.com""#), "{page}");
    provider.log_in(&mut browser, &[]);
    assert!(provider.answer(&mut browser, &ignored).contains_key("code"));
}

/// OpenID Connect Core 1.0 sections 3.1.2.6 and 6.
#[test]
fn request_objects_are_not_supported() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    for (parameter, error) in [("request", "request_not_supported"), ("registration", "registration_not_supported")] {
        assert_eq!(provider.answer(&mut browser, &[(parameter, "x")])["error"], error);
    }
    let by_reference = provider.answer(&mut browser, &[("request_uri", "https://rp.example/request.jwt")]);
    assert_eq!(by_reference["error"], "request_uri_not_supported");
}

/// OpenID Connect Core 1.0 section 3.1.2.1: "MUST support the use of the HTTP GET and POST methods".
#[test]
fn a_request_may_be_posted() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    // From the relying party's page, whose form brings no cookie along.
    let posted = Browser::default().open(provider.server(), "/oauth/v2/authorize", Some(&request(&[])));
    let next = location(&posted);
    let page = browser.open(provider.server(), &next, None).text().unwrap();
    let answer = location(&browser.submit(provider.server(), &page, EMAIL, PASSWORD));
    assert_eq!(claims(&provider.tokens(&code_in(&answer)))["nonce"], "n-0S6");
    let again = location(&browser.open(provider.server(), &next, None));
    assert_eq!(parameters_of(&again)["state"], "a&b \"<'");
}

/// OAuth 2.0 Form Post Response Mode section 2.
#[test]
fn an_answer_may_be_a_form() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    provider.log_in(&mut browser, &[]);
    let page = provider.ask(&mut browser, &[("response_mode", "form_post")]);
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self';") && policy.contains("form-action 'self' https://rp.example;"));
    assert!(!policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().unwrap();
    assert!(page.contains(&format!(r#"method="post" action="{CALLBACK}""#)), "{page}");
    let fields = hidden_fields(&page);
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    provider.tokens(&fields[0].1);
    let error = provider.ask(&mut Browser::default(), &[("response_mode", "form_post"), ("prompt", "none")]);
    assert!(error.text().unwrap().contains(r#"name="error" value="login_required""#));
    assert_eq!(provider.answer(&mut browser, &[("response_mode", "fragment")])["error"], "invalid_request");
}

/// RFC 9470 section 5, OpenID Connect Unmet Authentication Requirements 1.0.
#[test]
fn acr_values_that_no_login_has_are_an_error() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    provider.log_in(&mut browser, &[]);
    let answer = provider.answer(&mut browser, &[("acr_values", "urn:example:mfa phr")]);
    assert_eq!(answer["error"], "unmet_authentication_requirements");
    assert!(
        provider.answer(&mut browser, &[("acr_values", "phr urn:tollgate:acr:password")]).contains_key("code"),
        "one of them is enough"
    );
}

/// RFC 6749 section 3.1: a parameter may be repeated nowhere, and lengths are bounded.
#[test]
fn a83_the_parameters_of_a_request_are_bounded() {
    let provider = Provider::start();
    let mut browser = Browser::default();
    let long = "n".repeat(2_049);
    for name in ["nonce", "login_hint", "prompt", "acr_values", "scope"] {
        assert_eq!(provider.answer(&mut browser, &[(name, &long)])["error"], "invalid_request", "{name}");
    }
}

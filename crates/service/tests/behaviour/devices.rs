//! The device authorization grant (RFC 8628).

use crate::authorize::{Browser, Site, hidden_fields, location};
use crate::oidc::backchannel::RelyingParty;
use crate::support::{EMAIL, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json, wait};
use reqwest::blocking::Response;
use serde_json::Value;
use tollgate_service::{AccessTokenFormat, Config};
use tollgate_sqlite::SqliteAccountStore;
use tollgate_storage::accounts::DeviceAuthorization;
use tollgate_storage::{AccountStore, Client, ClientAuthMethod, ClientKind, ClientSettings, GrantType};

const AUTHORIZE_DEVICE: &str = "/oauth/v2/device_authorization";
const TOKEN: &str = "/oauth/v2/token";
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A server with Ada, and the television `tv`, which is a public client.
pub(crate) struct Television {
    pub(crate) server: TestServer,
    user_id: String,
}

impl Television {
    pub(crate) fn start() -> Self {
        Self::start_at(Config { store: None, ..config() })
    }

    fn start_at(config: Config) -> Self {
        let server = TestServer::start_with(config);
        let user = server.accounts.add_user(EMAIL, PASSWORD, "read:sites manage:api-keys").unwrap();
        for (id, name) in [("tv", "The Television"), ("radio", "")] {
            server.accounts.register_client(&television(id, name)).unwrap();
        }
        let console = television("console", "The Console");
        let grants = vec![GrantType::DeviceCode, GrantType::RefreshToken];
        let settings = ClientSettings { grants, ..console.settings().clone() };
        server.accounts.register_client(&console.with(settings).unwrap()).unwrap();
        Self { server, user_id: user.id }
    }

    fn ask(&self, form: &[(&str, &str)]) -> Response {
        self.server.client.post(self.server.url(AUTHORIZE_DEVICE)).form(form).send().unwrap()
    }

    /// The answer to a request of the television.
    pub(crate) fn codes(&self) -> Value {
        json(self.ask(&[("client_id", "tv"), ("scope", "read:sites")]), 200)
    }

    fn poll(&self, codes: &Value) -> Response {
        self.poll_as("tv", codes["device_code"].as_str().unwrap())
    }

    fn poll_as(&self, client_id: &str, device_code: &str) -> Response {
        let form = [("grant_type", DEVICE_CODE), ("client_id", client_id), ("device_code", device_code)];
        self.server.client.post(self.server.url(TOKEN)).form(&form).send().unwrap()
    }

    #[track_caller]
    fn refuses(&self, codes: &Value, error: &str) {
        assert_problem(self.poll(codes), 400, None, error);
    }

    /// A browser in which Ada is logged in.
    fn browser(&self) -> Browser {
        let mut browser = Browser::default();
        let page = browser.open(&self.server, "/device", None).text().unwrap();
        let mut form = hidden_fields(&page);
        form.extend(field("email", EMAIL).into_iter().chain(field("password", PASSWORD)));
        assert_eq!(location(&browser.open(&self.server, "/device/login", Some(&form))), "/device?user_code=");
        browser
    }

    /// The answer to a code that is typed in.
    fn enter(&self, browser: &mut Browser, code: &str) -> Response {
        let page = browser.open(&self.server, "/device", None).text().unwrap();
        let mut form = form_on(&page);
        form.extend(field("user_code", code));
        browser.open(&self.server, "/device", Some(&form))
    }

    /// The answer to a decision about a device.
    fn decide(&self, browser: &mut Browser, codes: &Value, decision: &str) -> Response {
        let page = self.enter(browser, codes["user_code"].as_str().unwrap());
        assert_eq!(page.status().as_u16(), 200);
        let mut form = form_on(&page.text().unwrap());
        form.extend(field("decision", decision));
        browser.open(&self.server, "/device/decision", Some(&form))
    }

    fn allow(&self, browser: &mut Browser, codes: &Value) {
        assert_eq!(self.decide(browser, codes, "allow").status().as_u16(), 200);
    }

    fn sites(&self, token: &str) -> u16 {
        self.server.get("/api/v2/sites", token).status().as_u16()
    }
}

/// The hidden fields of the page's own form, beside which there is that of the logout.
fn form_on(page: &str) -> Vec<(String, String)> {
    hidden_fields(page.split(r#"<form class="card""#).nth(1).expect("the page has a form"))
}

fn field(name: &str, value: &str) -> Option<(String, String)> {
    Some((name.to_owned(), value.to_owned()))
}

fn television(id: &str, name: &str) -> Client {
    let client = Client::new(id, name, "", [""; 0], 0).unwrap();
    let settings = ClientSettings {
        kind: ClientKind::Native,
        grants: vec![GrantType::DeviceCode],
        auth_method: ClientAuthMethod::None,
        user_scopes: "read:sites read:reports".into(),
        ..client.settings().clone()
    };
    client.with(settings).unwrap()
}

fn bearer(answer: &Value) -> String {
    format!("Bearer {}", answer["access_token"].as_str().unwrap())
}

/// RFC 8628 sections 3.2, 3.3 and 3.5.
#[test]
fn a_device_gets_a_token_of_the_user_who_entered_its_code_and_allowed_it() {
    for access_token_format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let tv = Television::start_at(Config { store: None, access_token_format, ..config() });
        let answer = tv.ask(&[("client_id", "tv"), ("scope", "read:sites read:reports")]);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        let codes = json(answer, 200);
        let (origin, user_code) = (&tv.server.origin, codes["user_code"].as_str().unwrap());
        assert_eq!(codes["verification_uri"], format!("{origin}/device"));
        assert_eq!(codes["verification_uri_complete"], format!("{origin}/device?user_code={user_code}"));
        assert_eq!((codes["expires_in"].as_i64(), codes["interval"].as_i64()), (Some(600), Some(5)));
        tv.refuses(&codes, "authorization_pending");

        let mut browser = tv.browser();
        // Section 3.3.1: the code of the link has to be confirmed.
        let page = browser.open(&tv.server, &format!("/device?user_code={user_code}"), None);
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
        let page = page.text().unwrap();
        assert!(page.contains(&format!("value=\"{user_code}\"")) && page.contains("If somebody sent you the code"));
        // Section 6.1: neither case nor punctuation counts.
        let page = tv.enter(&mut browser, &user_code.to_lowercase().replace('-', " "));
        let page = page.text().unwrap();
        for shown in ["The Television", user_code, EMAIL, "See the list of your sites", "If somebody sent you the code"]
        {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(!page.contains("Read reports"), "the user may not do that");
        tv.refuses(&codes, "slow_down");

        tv.allow(&mut browser, &codes);
        let token = json(tv.poll(&codes), 200);
        assert_eq!((&token["token_type"], &token["scope"]), (&"Bearer".into(), &"read:sites".into()));
        let token = bearer(&token);
        assert_eq!(tv.sites(&token), 200);
        tv.refuses(&codes, "invalid_grant");
        assert_eq!(tv.enter(&mut browser, user_code).status().as_u16(), 400, "it is decided");
        if access_token_format == AccessTokenFormat::Jwt {
            let (_, claims) = decode(token.trim_start_matches("Bearer "));
            assert_eq!((&claims["sub"], &claims["client_id"]), (&tv.user_id.as_str().into(), &"tv".into()));
            assert!(claims["sid"].is_string());
        }
        // Asked about each time, whatever was allowed before.
        assert!(tv.enter(&mut browser, tv.codes()["user_code"].as_str().unwrap()).text().unwrap().contains("Allow"));

        let page = browser.open(&tv.server, "/logout", None).text().unwrap();
        browser.open(&tv.server, "/logout", Some(&hidden_fields(&page)));
        assert_eq!(tv.sites(&token), 401, "a71: it ends with the login");
    }
}

/// RFC 8628 section 3.5: the answer is that of RFC 6749 section 5.1, with all that a code would give.
#[test]
fn a_device_gets_refresh_tokens_and_an_id_token_as_it_is_registered() {
    let tv = Television::start();
    let codes = json(tv.ask(&[("client_id", "console"), ("scope", "openid offline_access read:sites")]), 200);
    let mut browser = tv.browser();
    tv.allow(&mut browser, &codes);
    let tokens = json(tv.poll_as("console", codes["device_code"].as_str().unwrap()), 200);
    assert_eq!(tokens["scope"], "openid offline_access read:sites");
    let (_, id_token) = decode(tokens["id_token"].as_str().unwrap());
    assert_eq!((&id_token["sub"], &id_token["aud"]), (&tv.user_id.as_str().into(), &"console".into()));

    let refresh = |token: &Value| {
        let token = token.as_str().unwrap();
        let form = [("grant_type", "refresh_token"), ("client_id", "console"), ("refresh_token", token)];
        tv.server.client.post(tv.server.url(TOKEN)).form(&form).send().unwrap()
    };
    let next = json(refresh(&tokens["refresh_token"]), 200);
    assert_eq!(tv.sites(&bearer(&next)), 200);
    let page = browser.open(&tv.server, "/logout", None).text().unwrap();
    browser.open(&tv.server, "/logout", Some(&hidden_fields(&page)));
    assert_eq!((tv.sites(&bearer(&tokens)), tv.sites(&bearer(&next))), (401, 401), "a71: they end with the login");
    assert_problem(refresh(&next["refresh_token"]), 400, None, "invalid_grant");

    let codes = json(tv.ask(&[("client_id", "tv"), ("scope", "openid offline_access read:sites")]), 200);
    tv.allow(&mut tv.browser(), &codes);
    let tokens = json(tv.poll(&codes), 200);
    assert_eq!((&tokens["scope"], &tokens["refresh_token"]), (&"openid read:sites".into(), &Value::Null));
}

/// RFC 8628 section 3.5.
#[test]
fn a_device_that_is_denied_or_late_or_not_the_one_that_asked_gets_nothing() -> TestResult {
    let folder = tempfile::tempdir()?;
    let tv = Television::start_at(Config { store: Some(folder.path().into()), ..config() });
    let codes = tv.codes();
    let device_code = codes["device_code"].as_str().unwrap();
    assert_problem(tv.poll_as("radio", device_code), 400, None, "invalid_grant");
    assert_problem(tv.poll_as("tv", "nothing"), 400, None, "invalid_grant");
    assert_problem(tv.poll_as("tv", ""), 400, None, "invalid_request");
    let mut browser = tv.browser();
    assert!(tv.decide(&mut browser, &codes, "deny").text()?.contains("The device is not connected"));
    tv.refuses(&codes, "access_denied");

    let store = SqliteAccountStore::open(folder.path())?;
    let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref().try_into();
    let expired = DeviceAuthorization {
        device_digest: digest("late")?,
        user_digest: digest("BCDFGHJK")?,
        client_id: "tv".into(),
        scope: "read:sites".into(),
        created_at: 1,
        expires_at: 2,
        interval: 5,
        polled_at: None,
        decision: None,
    };
    wait(store.add_device_authorization(&expired, 100, 100, 1_000));
    assert_problem(tv.poll_as("tv", "late"), 400, None, "expired_token");
    assert_eq!(tv.enter(&mut browser, "BCDF-GHJK").status().as_u16(), 400);
    Ok(())
}

#[test]
fn a71_what_a_device_was_allowed_ends_with_the_login_the_consent_and_the_user() {
    let tv = Television::start();
    // The login has ended before the device asks.
    let (mut browser, codes) = (tv.browser(), tv.codes());
    tv.allow(&mut browser, &codes);
    tv.server.accounts.log_out(&tv.user_id).unwrap();
    tv.refuses(&codes, "access_denied");
    // The consent is revoked: before the device asks, and after.
    let (mut browser, first, second) = (tv.browser(), tv.codes(), tv.codes());
    tv.allow(&mut browser, &first);
    let token = bearer(&json(tv.poll(&first), 200));
    assert_eq!(tv.sites(&token), 200);
    tv.allow(&mut browser, &second);
    tv.server.accounts.revoke_consent(&tv.user_id, "tv").unwrap();
    assert_eq!(tv.sites(&token), 401);
    tv.refuses(&second, "invalid_grant");
    // The user is disabled.
    let third = tv.codes();
    tv.allow(&mut browser, &third);
    tv.server.accounts.disable_user(&tv.user_id).unwrap();
    tv.refuses(&third, "access_denied");
    let page = browser.open(&tv.server, "/device", None).text().unwrap();
    assert!(page.contains("current-password"), "logged out");
}

/// OpenID Connect Back-Channel Logout 1.0, of a client that got its tokens for a device code.
#[test]
fn a71_a_device_is_told_of_the_end_of_the_login_in_which_it_was_connected() {
    let party = RelyingParty::start(&[200]);
    let tv = Television::start();
    let settings = party.registered(television("radio", "").settings().clone());
    tv.server.accounts.register_client(&television("told", "").with(settings).unwrap()).unwrap();
    let codes = json(tv.ask(&[("client_id", "told"), ("scope", "openid read:sites")]), 200);
    let mut browser = tv.browser();
    tv.allow(&mut browser, &codes);
    let tokens = json(tv.poll_as("told", codes["device_code"].as_str().unwrap()), 200);
    let page = browser.open(&tv.server, "/logout", None).text().unwrap();
    browser.open(&tv.server, "/logout", Some(&hidden_fields(&page)));
    let (_, logout) = decode(&party.next().logout_token);
    let (_, id_token) = decode(tokens["id_token"].as_str().unwrap());
    assert_eq!(logout["aud"], "told");
    for member in ["iss", "sub", "sid"] {
        assert_eq!(logout[member], id_token[member], "{member}");
    }
}

#[test]
fn a_login_before_the_code_is_entered_serves_and_the_code_of_a_link_is_kept_over_it() {
    let tv = Television::start();
    let mut browser = Browser::default();
    let log_in = |browser: &mut Browser, path: &str, page: &str| {
        let mut form = hidden_fields(page);
        form.extend(field("email", EMAIL).into_iter().chain(field("password", PASSWORD)));
        location(&browser.open(&tv.server, path, Some(&form)))
    };
    // By the link: first the login, then the code, which the person confirms.
    let codes = tv.codes();
    let user_code = codes["user_code"].as_str().unwrap();
    let link = format!("/device?user_code={user_code}");
    let page = browser.open(&tv.server, &link, None).text().unwrap();
    assert_eq!(log_in(&mut browser, "/device/login", &page), link);
    assert!(browser.open(&tv.server, &link, None).text().unwrap().contains(&format!("value=\"{user_code}\"")));
    tv.allow(&mut browser, &codes);
    json(tv.poll(&codes), 200);
    // A login that had nothing to do with a device.
    let mut browser = Browser::default();
    let page = browser.open(&tv.server, "/login", None).text().unwrap();
    log_in(&mut browser, "/login", &page);
    let page = browser.open(&tv.server, "/device", None).text().unwrap();
    assert!(page.contains(r#"name="user_code""#) && !page.contains(r#"name="password""#), "{page}");
    let codes = tv.codes();
    tv.allow(&mut browser, &codes);
    json(tv.poll(&codes), 200);
}

#[test]
fn a_decision_that_comes_too_late_gives_no_consent() {
    let tv = Television::start();
    let (mut allowing, mut denying) = (tv.browser(), tv.browser());
    for _ in 0..6 {
        let codes = tv.codes();
        let decision = |browser: &mut Browser, decision: &str| {
            let page = tv.enter(browser, codes["user_code"].as_str().unwrap()).text().unwrap();
            form_on(&page).into_iter().chain(field("decision", decision)).collect::<Vec<_>>()
        };
        let (allow, deny) = (decision(&mut allowing, "allow"), decision(&mut denying, "deny"));
        let decide = |browser: &mut Browser, form: &[(String, String)]| {
            browser.open(&tv.server, "/device/decision", Some(form)).status().as_u16()
        };
        let (allowed, denied) = std::thread::scope(|scope| {
            let other = scope.spawn(|| decide(&mut denying, &deny));
            (decide(&mut allowing, &allow), other.join().unwrap())
        });
        let profile = allowing.open(&tv.server, "/profile", None).text().unwrap();
        let has_consent = profile.contains("The Television");
        let expected = if has_consent { (200, 400) } else { (400, 200) };
        assert_eq!((allowed, denied), expected, "there is a consent when the device was allowed first");
        if has_consent {
            tv.server.accounts.revoke_consent(&tv.user_id, "tv").unwrap();
        }
    }
}

#[test]
fn a_device_asks_as_it_is_registered() {
    let site = Site::start();
    let tv = Television { user_id: site.user_id.clone(), server: site.server };
    tv.server.accounts.register_client(&television("tv", "")).unwrap();
    let without = [("client_id", "tv"), ("scope", "read:sites"), ("resource", "https://other.example")];
    assert_problem(tv.ask(&without), 400, None, "invalid_target");
    assert_problem(tv.ask(&[("client_id", "tv"), ("scope", "manage:api-keys")]), 400, None, "invalid_scope");
    let unknown = tv.ask(&[("client_id", "nobody")]);
    assert_eq!(unknown.status().as_u16(), 401);
    assert_problem(tv.ask(&[("client_id", "tv"), ("client_id", "tv")]), 400, None, "invalid_request");
    let all = json(tv.ask(&[("client_id", "tv")]), 200);
    assert!(all["user_code"].is_string(), "without a scope: whatever it may ask for");
    // Of a client with a secret the secret is asked for, and the grant of each.
    let secret = tv.server.accounts.add_client("web", "Web", "read:sites", &["https://web.example/"]).unwrap();
    let request =
        tv.server.client.post(tv.server.url(AUTHORIZE_DEVICE)).basic_auth("web", Some(secret.secret.as_str()));
    assert_problem(request.form(&[("scope", "read:sites")]).send().unwrap(), 400, None, "unauthorized_client");
    assert_eq!(tv.ask(&[("client_id", "web")]).status().as_u16(), 401);
}

#[test]
fn a_form_of_a_device_that_another_site_made_up_connects_nothing() {
    let tv = Television::start();
    let (mut browser, codes) = (tv.browser(), tv.codes());
    let page = tv.enter(&mut browser, codes["user_code"].as_str().unwrap()).text().unwrap();
    let mut good = form_on(&page);
    good.extend(field("decision", "allow"));
    for (name, value) in [("form_token", "x"), ("form_token", ""), ("user", "usr_other")] {
        let forged = good
            .iter()
            .map(|(field, known)| (field.clone(), if field == name { value.to_owned() } else { known.clone() }));
        let answer = browser.open(&tv.server, "/device/decision", Some(&forged.collect::<Vec<_>>()));
        assert_eq!(answer.status().as_u16(), 403, "{name}={value}");
    }
    tv.refuses(&codes, "authorization_pending");
    let answer = Browser::default().open(&tv.server, "/device/decision", Some(&good));
    assert_eq!(location(&answer), "/login", "nobody is logged in");
    let undecided = tv.decide(&mut browser, &codes, "perhaps");
    assert_eq!(undecided.status().as_u16(), 400);
}

/// RFC 8628 section 5.1.
#[test]
fn guesses_of_user_codes_and_requests_of_devices_are_throttled() {
    let tv = Television::start();
    let mut browser = tv.browser();
    let page = browser.open(&tv.server, "/device", None).text().unwrap();
    let mut form = form_on(&page);
    form.extend(field("user_code", "BCDF-GHJK"));
    let mut guess = || {
        let answer = browser.open(&tv.server, "/device", Some(&form));
        (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
    };
    let guesses: Vec<_> = (0..22).map(|_| guess()).collect();
    assert_eq!((guesses[0], guesses[19]), ((400, false), (400, false)));
    assert!(guesses.contains(&(429, true)), "{guesses:?}");
    let asked: Vec<_> = (0..32).map(|_| tv.ask(&[("client_id", "tv")])).collect();
    let busy = asked.iter().find(|answer| answer.status().as_u16() != 200).expect("one network asks for so many");
    assert_eq!(busy.status().as_u16(), 503);
    assert!(busy.headers().contains_key("retry-after"));
}

//! Consent: asked for before another site gets a code, remembered, revoked.

use crate::authorize::{
    BLOG, Browser, CHALLENGE, Site, TOKEN, VERIFIER, code_in, hidden_fields, location, parameters_of,
};
use crate::support::{EMAIL, INVALID_TOKEN, PASSWORD, assert_problem, config, json, wait};
use serde_json::Value;
use tollgate_service::{AccessTokenFormat, AuditTrail, Config};
use tollgate_storage::{AuditFilter, Client, ClientAuthMethod, ClientKind, ClientSettings, Door, GrantType};

const CONSENT: &str = "/oauth/v2/consent";
const CONSENTS: &str = "/api/v2/consents";
const SITES: &str = "/api/v2/sites";
const NOTES: &str = "https://notes.example/callback";

/// A site of somebody else, and its secret.
struct Notes {
    site: Site,
    secret: String,
}

impl Notes {
    fn start() -> Self {
        Self::start_with(AccessTokenFormat::Jwt)
    }

    fn start_with(access_token_format: AccessTokenFormat) -> Self {
        let site = Site::start_at(Config { store: None, access_token_format, ..config() });
        let secret = site.server.accounts.add_client("notes", "Notes", "read:sites profile", &[NOTES]).unwrap();
        Self { site, secret: secret.secret.as_str().to_owned() }
    }

    /// Its token for the code of that answer.
    fn token(&self, answer: &str) -> String {
        let answer = json(self.site.exchange(("notes", &self.secret), &code_in(answer), NOTES, VERIFIER), 200);
        format!("Bearer {}", answer["access_token"].as_str().unwrap())
    }
}

fn request_of(client_id: &str, redirect_uri: &str, scope: &str) -> Vec<(String, String)> {
    [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", redirect_uri),
        ("scope", scope),
        ("state", "s"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The hidden fields of the consent page, with a decision.
fn decided(page: &str, decision: &str) -> Vec<(String, String)> {
    let form = page.split(r#"action="/oauth/v2/consent""#).nth(1).expect("the consent page");
    let mut fields = hidden_fields(form);
    fields.push(("decision".to_owned(), decision.to_owned()));
    fields
}

fn log_in(site: &Site) -> Browser {
    site.logged_in().0
}

/// The consent page for that request.
fn asked(site: &Site, browser: &mut Browser, request: &[(String, String)]) -> String {
    let answer = browser.get(&site.server, request);
    assert_eq!(answer.status().as_u16(), 200);
    let page = answer.text().unwrap();
    assert!(page.contains(CONSENT), "the user is asked: {page}");
    page
}

fn decide(site: &Site, browser: &mut Browser, page: &str, decision: &str) -> String {
    location(&browser.open(&site.server, CONSENT, Some(&decided(page, decision))))
}

#[test]
fn a73_another_site_gets_nothing_before_the_user_allows_it_and_is_not_asked_for_again() {
    let Notes { site, .. } = &Notes::start();
    let mut browser = Browser::default();
    let request = request_of("notes", NOTES, "read:sites");
    let page = browser.get(&site.server, &request).text().unwrap();
    // The login leads to the page that asks, which can be loaded again.
    let next = location(&browser.submit(&site.server, &page, EMAIL, PASSWORD));
    assert!(next.starts_with("/oauth/v2/authorize?"), "{next}");
    let page = browser.open(&site.server, &next, None).text().unwrap();
    assert!(page.contains("See the list of your sites") && page.contains(EMAIL) && !page.contains("e-mail address"));
    let answer = decide(site, &mut browser, &page, "deny");
    assert_eq!(parameters_of(&answer)["error"], "access_denied");
    assert!(!parameters_of(&answer).contains_key("code"));

    let page = asked(site, &mut browser, &request);
    let allowed = decide(site, &mut browser, &page, "allow");
    assert!(allowed.starts_with(NOTES) && parameters_of(&allowed).contains_key("code"), "{allowed}");
    let again = location(&browser.get(&site.server, &request));
    assert!(parameters_of(&again).contains_key("code"), "remembered: {again}");
    // In another browser of the user too, but neither for more nor for another user.
    assert!(parameters_of(&location(&log_in(site).get(&site.server, &request))).contains_key("code"));
    let more = request_of("notes", NOTES, "read:sites profile");
    let user = site.server.accounts.add_user("grace@example.com", PASSWORD, "read:sites profile").unwrap();
    let mut grace = Browser::default();
    let page = grace.get(&site.server, &more).text().unwrap();
    let next = location(&grace.submit(&site.server, &page, &user.email, PASSWORD));
    assert!(next.starts_with("/oauth/v2/authorize?"));
    let page = grace.open(&site.server, &next, None).text().unwrap();
    assert!(page.contains("See what your account may do"));
    decide(site, &mut grace, &page, "allow");
    location(&grace.get(&site.server, &more));
    location(&grace.get(&site.server, &request));
}

#[test]
fn a_form_that_another_site_made_up_allows_nothing() {
    let Notes { site, .. } = &Notes::start();
    let mut browser = log_in(site);
    let request = request_of("notes", NOTES, "read:sites");
    let page = asked(site, &mut browser, &request);
    let good = decided(&page, "allow");
    for (name, value) in [("form_token", "x"), ("form_token", ""), ("user", "usr_other")] {
        let forged: Vec<_> = good
            .iter()
            .map(|(field, known)| (field.clone(), if field == name { value.to_owned() } else { known.clone() }))
            .collect();
        let answer = browser.open(&site.server, CONSENT, Some(&forged));
        assert_eq!(answer.status().as_u16(), 403, "{name}={value}");
        assert!(answer.headers().get("location").is_none());
    }
    asked(site, &mut browser, &request);
    // Who is not logged in is asked to, and a decision is one of two.
    let answer = Browser::default().open(&site.server, CONSENT, Some(&good));
    assert!(answer.text().unwrap().contains("current-password"));
    let undecided = browser.open(&site.server, CONSENT, Some(&decided(&page, "perhaps")));
    assert_eq!(undecided.status().as_u16(), 400);
    let elsewhere: Vec<_> = good
        .iter()
        .map(|(field, known)| {
            (field.clone(), if field == "redirect_uri" { "https://evil.example/".into() } else { known.clone() })
        })
        .collect();
    let answer = browser.open(&site.server, CONSENT, Some(&elsewhere));
    assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (400, None));
}

#[test]
fn a73_what_is_sent_back_to_the_device_is_asked_about_each_time() {
    let site = Site::start();
    let native = |id: &str, redirect_uri: &str| {
        let client = Client::new(id, "Native", "", [redirect_uri], 0).unwrap();
        let settings = ClientSettings {
            kind: ClientKind::Native,
            grants: vec![GrantType::AuthorizationCode],
            auth_method: ClientAuthMethod::None,
            user_scopes: "read:sites".into(),
            ..client.settings().clone()
        };
        site.server.accounts.register_client(&client.with(settings).unwrap()).unwrap();
    };
    native("loopback", "http://127.0.0.1/callback");
    native("scheme", "com.example.notes:/callback");
    let mut browser = log_in(&site);
    for (id, redirect_uri) in
        [("loopback", "http://127.0.0.1:4567/callback"), ("scheme", "com.example.notes:/callback")]
    {
        let request = request_of(id, redirect_uri, "read:sites");
        for _ in 0..2 {
            let page = asked(&site, &mut browser, &request);
            assert!(page.contains("a program on this device"));
            assert!(parameters_of(&decide(&site, &mut browser, &page, "allow")).contains_key("code"));
        }
    }
}

#[test]
fn a71_a_consent_that_is_revoked_ends_the_codes_and_tokens_of_that_site_alone() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let notes = Notes::start_with(format);
        let site = &notes.site;
        let (mut browser, blog_code) = site.logged_in();
        let blog = json(site.exchange(site.blog(), &blog_code, BLOG, VERIFIER), 200);
        let blog = format!("Bearer {}", blog["access_token"].as_str().unwrap());
        let request = request_of("notes", NOTES, "read:sites");
        let page = asked(site, &mut browser, &request);
        let first = notes.token(&decide(site, &mut browser, &page, "allow"));
        let second = notes.token(&location(&browser.get(&site.server, &request)));
        let unused = location(&browser.get(&site.server, &request));
        for token in [&first, &second, &blog] {
            json(site.server.get(SITES, token), 200);
        }

        let session = json(site.server.log_in(EMAIL, PASSWORD), 200);
        let own = format!("Bearer {}", session["meta"]["jwt"].as_str().unwrap());
        let listed = json(site.server.get(CONSENTS, &own), 200)["data"].clone();
        assert_eq!(listed.as_array().map(Vec::len), Some(1), "none for the operator's own: {listed}");
        assert_eq!((&listed[0]["client_id"], &listed[0]["scope"]), (&"notes".into(), &"read:sites".into()));
        let path = format!("{CONSENTS}/notes");
        for by in [&first, &blog] {
            assert_problem(site.server.delete(&path, by), 403, None, "access_denied");
        }
        // An operator takes the JWTs' consent back, the user the other.
        let admin = site.server.key_with("admin:keys");
        let by_operator = format!("/api/v2/admin/users/{}/consents", site.user_id);
        assert_eq!(json(site.server.get(&by_operator, &admin), 200)["data"], listed);
        let (path, by) = match format {
            AccessTokenFormat::Jwt => (format!("{by_operator}/notes"), &admin),
            _ => (path, &own),
        };
        assert_eq!(site.server.delete(&path, by).status().as_u16(), 204);
        assert_problem(site.server.delete(&path, by), 404, None, "not_found");
        assert_eq!(json(site.server.get(CONSENTS, &own), 200)["data"], Value::Array(Vec::new()));
        for token in [&first, &second] {
            assert_problem(site.server.get(SITES, token), 401, INVALID_TOKEN, "invalid_token");
        }
        let answer = site.exchange(("notes", &notes.secret), &code_in(&unused), NOTES, VERIFIER);
        assert_problem(answer, 400, None, "invalid_grant");
        json(site.server.get(SITES, &blog), 200);
        // Allowed again, it gets tokens again.
        let page = asked(site, &mut browser, &request);
        let third = notes.token(&decide(site, &mut browser, &page, "allow"));
        json(site.server.get(SITES, &third), 200);
    }
}

#[test]
fn a_consent_is_in_the_audit_log_with_the_browser_that_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start_at(Config { store: Some(folder.path().into()), ..config() });
    site.server.accounts.add_client("notes", "Notes", "read:sites", &[NOTES]).unwrap();
    let mut browser = log_in(&site);
    let page = asked(&site, &mut browser, &request_of("notes", NOTES, "read:sites"));
    decide(&site, &mut browser, &page, "allow");
    let page = browser.open(&site.server, "/profile", None).text().unwrap();
    let form = page.split(r#"action="/profile/consents/revoke""#).nth(1).unwrap().split("</form>").next().unwrap();
    let answer = browser.open(&site.server, "/profile/consents/revoke", Some(&hidden_fields(form)));
    assert_eq!(location(&answer), "/profile?done=disconnected");
    let records = wait(async {
        let trail = AuditTrail::open(&folder.path().into()).await.unwrap();
        let filter = AuditFilter { about: Some("notes".into()), ..AuditFilter::default() };
        trail.page(&filter, None, 100).await
    });
    for action in ["consent.give", "consent.revoke"] {
        let record = records.iter().find(|record| record.action == action).unwrap();
        assert_eq!((record.by.door, record.by.subject.as_ref()), (Door::Http, Some(&site.user_id)));
        assert!(record.by.credential.as_ref().is_some_and(|credential| credential.starts_with("browser session_")));
        assert_eq!((record.by.address.as_deref(), record.concerns.as_ref()), (Some("127.0.0.1"), Some(&site.user_id)));
    }
}

#[test]
fn what_was_allowed_to_a_client_is_not_allowed_to_a_later_one_of_its_id() {
    let notes = Notes::start();
    let site = &notes.site;
    let mut browser = log_in(site);
    let request = request_of("notes", NOTES, "read:sites");
    let page = asked(site, &mut browser, &request);
    decide(site, &mut browser, &page, "allow");
    let admin = site.server.key_with("admin:keys");
    let path = "/api/v2/admin/clients/notes";
    assert_eq!(site.server.delete(path, &admin).status().as_u16(), 204);
    // A second later, since times are whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    site.server.accounts.add_client("notes", "Others", "read:sites", &[NOTES]).unwrap();
    asked(site, &mut browser, &request);
}

#[test]
fn the_profile_needs_its_scope_and_shows_a_site_no_keys() {
    let notes = Notes::start();
    let site = &notes.site;
    let user =
        site.server.accounts.add_user("grace@example.com", PASSWORD, "profile read:sites manage:api-keys").unwrap();
    site.server.accounts.add_api_key(&user.id, "laptop", "read:sites", None).unwrap();
    let mut browser = Browser::default();
    let profile = |browser: &mut Browser, scope: &str| {
        let page = browser.get(&site.server, &request_of("notes", NOTES, scope)).text().unwrap();
        let page = if page.contains(CONSENT) {
            page
        } else {
            let next = location(&browser.submit(&site.server, &page, &user.email, PASSWORD));
            browser.open(&site.server, &next, None).text().unwrap()
        };
        let token = notes.token(&decide(site, browser, &page, "allow"));
        site.server.get("/api/v2/profile", &token)
    };
    let refused = profile(&mut browser, "read:sites");
    assert_eq!(refused.status().as_u16(), 403);
    let shown = json(profile(&mut browser, "profile"), 200);
    assert!(shown["data"]["id"] == user.id && shown["data"].get("email").is_none(), "{shown}");
    assert!(shown["data"].get("api_keys").is_none() && shown["data"].get("api_key_id").is_none(), "{shown}");

    let key = |scope: &str| site.server.accounts.add_api_key(&user.id, "test", scope, None).unwrap().secret;
    let with = |key: &str| site.server.get("/api/v2/profile", key);
    assert_eq!(with(key("read:sites").as_str()).status().as_u16(), 403);
    assert!(json(with(key("profile").as_str()), 200)["data"].get("api_keys").is_none());
    assert!(json(with(key("manage:api-keys").as_str()), 200)["data"]["api_keys"].is_array());
    // A session of a key sees what the key does, one of the password all.
    let of_key = json(site.server.post("/api/v2/sessions", key("read:sites").as_str()), 200);
    assert_eq!(with(of_key["meta"]["jwt"].as_str().unwrap()).status().as_u16(), 403);
    let own = json(site.server.log_in(&user.email, PASSWORD), 200);
    assert!(json(with(own["meta"]["jwt"].as_str().unwrap()), 200)["data"]["api_keys"].is_array());
}

#[test]
fn the_token_endpoint_knows_no_other_resource() {
    let notes = Notes::start();
    let origin = notes.site.server.origin.clone();
    let ask = |resource: &str| {
        let form = [("grant_type", "client_credentials"), ("resource", resource)];
        let request = notes.site.server.client.post(notes.site.server.url(TOKEN));
        request.basic_auth("notes", Some(&notes.secret)).form(&form).send().unwrap()
    };
    json(ask(&origin), 200);
    json(ask(&format!("{origin}/")), 200);
    assert_problem(ask("https://api.example"), 400, None, "invalid_target");
}

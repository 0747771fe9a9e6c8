//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14): exchanged, used twice, ended with what they came of.

use crate::authorize::{Browser, Site, TOKEN, VERIFIER, code_in, location, request};
use crate::support::{
    BASIC, EMAIL, INVALID_TOKEN, PASSWORD, TestResult, TestServer, assert_problem, config, decode, json, wait,
};
use reqwest::blocking::Response;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tollgate_service::{AccessTokenFormat, AuditTrail, Config};
use tollgate_storage::{AuditFilter, Client, ClientAuthMethod, ClientKind, ClientSettings, GrantType};

const SITES: &str = "/api/v2/sites";
const APP: &str = "https://app.example/callback";

/// The service with the client `app`, whose users may have to be asked.
pub(crate) struct App {
    pub(crate) site: Site,
    pub(crate) browser: Browser,
    /// None of a public client.
    pub(crate) secret: Option<String>,
}

pub(crate) fn register(server: &TestServer, id: &str, is_public: bool, is_operators_own: bool) -> Option<String> {
    let client = Client::new(id, "App", "", [APP], 0).unwrap();
    let settings = ClientSettings {
        kind: if is_public { ClientKind::Browser } else { ClientKind::Web },
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        auth_method: if is_public { ClientAuthMethod::None } else { ClientAuthMethod::ClientSecret },
        user_scopes: "read:sites manage:api-keys".into(),
        is_operators_own,
        ..client.settings().clone()
    };
    let secret = server.accounts.register_client(&client.with(settings).unwrap()).unwrap();
    secret.map(|secret| secret.secret.as_str().to_owned())
}

impl App {
    pub(crate) fn start() -> Self {
        Self::start_at(Config { store: None, ..config() }, false, true)
    }

    fn start_public(access_token_format: AccessTokenFormat) -> Self {
        Self::start_at(Config { store: None, access_token_format, ..config() }, true, true)
    }

    pub(crate) fn start_at(config: Config, is_public: bool, is_operators_own: bool) -> Self {
        Self::of(Site::start_at(config), is_public, is_operators_own)
    }

    /// One of several processes that have one name, behind whatever balances the load between them. Requests go to its own address.
    pub(crate) fn start_as_one_of(config: Config) -> Self {
        let mut site = Site::start_at(config);
        site.server.origin = format!("http://{}", site.server.address);
        Self::of(site, false, true)
    }

    fn of(site: Site, is_public: bool, is_operators_own: bool) -> Self {
        let secret = register(&site.server, "app", is_public, is_operators_own);
        let (browser, _) = site.logged_in();
        Self { site, browser, secret }
    }

    pub(crate) fn server(&self) -> &TestServer {
        &self.site.server
    }

    pub(crate) fn post(&self, server: &TestServer, form: &[(&str, &str)]) -> Response {
        self.post_to(server, TOKEN, form)
    }

    /// POST of a form of the client.
    pub(crate) fn post_to(&self, server: &TestServer, path: &str, form: &[(&str, &str)]) -> Response {
        let request = server.client.post(server.url(path));
        match &self.secret {
            Some(secret) => request.basic_auth("app", Some(secret)).form(form),
            None => request.form(&[form, &[("client_id", "app")]].concat()),
        }
        .send()
        .unwrap()
    }

    /// A code of the user for the client.
    pub(crate) fn code(&mut self) -> String {
        self.code_for("read:sites manage:api-keys")
    }

    fn code_for(&mut self, scope: &str) -> String {
        let request = request(&[("client_id", "app"), ("redirect_uri", APP), ("scope", scope), ("nonce", "n")]);
        code_in(&location(&self.browser.allow(&self.site.server, &request)))
    }

    fn redeem(&self, code: &str) -> Response {
        self.post(self.server(), &Self::redemption(code))
    }

    /// The form that redeems a code.
    pub(crate) fn redemption(code: &str) -> [(&str, &str); 4] {
        [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", APP), ("code_verifier", VERIFIER)]
    }

    /// The first tokens of a grant.
    pub(crate) fn grant(&mut self) -> Tokens {
        let code = self.code();
        Tokens::of(self.redeem(&code))
    }

    pub(crate) fn refresh(&self, token: &str) -> Response {
        self.post(self.server(), &[("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    #[track_caller]
    pub(crate) fn assert_ended(&self, tokens: &Tokens) {
        assert_problem(self.refresh(&tokens.refresh), 400, None, "invalid_grant");
        self.assert_revoked(tokens);
    }

    #[track_caller]
    pub(crate) fn assert_revoked(&self, tokens: &Tokens) {
        assert_problem(self.server().get(SITES, &tokens.bearer()), 401, INVALID_TOKEN, "invalid_token");
    }
}

pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    scope: String,
}

impl Tokens {
    #[track_caller]
    pub(crate) fn of(answer: Response) -> Self {
        let answer = json(answer, 200);
        let member = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{name}: {answer}")).to_owned();
        Self { access: member("access_token"), refresh: member("refresh_token"), scope: member("scope") }
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.access)
    }

    fn claims(&self) -> Value {
        decode(&self.access).1
    }
}

#[test]
fn a_refresh_token_gets_an_access_token_of_the_same_login_and_the_next_refresh_token() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut app = App::start_at(Config { store: Some(folder.path().into()), ..config() }, false, true);
    let first = app.grant();
    let answer = app.refresh(&first.refresh);
    // RFC 6749 section 5.1.
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["pragma"], "no-cache");
    let second = Tokens::of(answer);
    assert_ne!(first.refresh, second.refresh);
    for member in ["sid", "sub", "client_id", "iss", "aud", "scope"] {
        assert_eq!(first.claims()[member], second.claims()[member], "{member}");
    }
    assert_ne!(first.claims()["jti"], second.claims()["jti"]);
    assert_eq!(second.scope, "read:sites manage:api-keys");
    json(app.server().get(SITES, &second.bearer()), 200);
    json(app.server().get(SITES, &first.bearer()), 200);
    let third = Tokens::of(app.refresh(&second.refresh));
    json(app.server().get(SITES, &third.bearer()), 200);

    let metadata = app.server().client.get(app.server().url("/.well-known/oauth-authorization-server")).send()?;
    let grants = json(metadata, 200)["grant_types_supported"].clone();
    assert!(grants.as_array().unwrap().contains(&"refresh_token".into()), "{grants}");

    // Only digests are kept.
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        for token in [&first.refresh, &second.refresh, &third.refresh] {
            assert!(!bytes.windows(43).any(|window| window == token.as_bytes()), "a token is in the store");
        }
    }
    Ok(())
}

#[test]
fn a_refresh_narrows_the_scope_and_the_grant_keeps_it() {
    // RFC 6749 section 6.
    let mut app = App::start();
    let first = app.grant();
    let with_scope = |token: &str, scope: &str| {
        app.post(app.server(), &[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)])
    };
    for scope in ["read:reports", "read:sites read:reports", "read:sites  manage:api-keys"] {
        assert_problem(with_scope(&first.refresh, scope), 400, None, "invalid_scope");
    }
    let narrow = Tokens::of(with_scope(&first.refresh, "read:sites"));
    assert_eq!((narrow.scope.as_str(), &narrow.claims()["scope"]), ("read:sites", &"read:sites".into()));
    let whole = Tokens::of(app.refresh(&narrow.refresh));
    assert_eq!(whole.scope, "read:sites manage:api-keys");
}

#[test]
fn refused_refreshes_are_answered_as_rfc_6749_says_and_leave_the_token_good() {
    // Sections 5.2 and 6.
    let mut app = App::start();
    let first = app.grant();
    let server = app.server();
    let ask = |form: &[(&str, &str)]| app.post(server, &[&[("grant_type", "refresh_token")], form].concat());
    assert_problem(ask(&[]), 400, None, "invalid_request");
    assert_problem(ask(&[("refresh_token", "unknown")]), 400, None, "invalid_grant");
    let resource = [("refresh_token", first.refresh.as_str()), ("resource", "https://other.example")];
    assert_problem(ask(&resource), 400, None, "invalid_target");

    let form = [("grant_type", "refresh_token"), ("refresh_token", first.refresh.as_str())];
    let as_client = |id: &str, secret: &str| {
        server.client.post(server.url(TOKEN)).basic_auth(id, Some(secret)).form(&form).send().unwrap()
    };
    assert_problem(as_client("app", "wrong"), 401, BASIC, "invalid_client");
    let (blog, secret) = app.site.blog();
    assert_problem(as_client(blog, secret), 400, None, "unauthorized_client");
    let other = register(server, "other", false, true).unwrap();
    assert_problem(as_client("other", &other), 400, None, "invalid_grant");
    // A confidential client is not taken for a public one.
    let unproven = [&form[..], &[("client_id", "app")]].concat();
    let unproven = server.client.post(server.url(TOKEN)).form(&unproven).send().unwrap();
    assert_problem(unproven, 401, BASIC, "invalid_client");
    Tokens::of(app.refresh(&first.refresh));
}

#[test]
fn a72_a_refresh_token_used_twice_ends_its_grant_and_every_access_token_of_it() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let mut app = App::start_public(format);
        let (first, stranger) = (app.grant(), app.grant());
        let second = Tokens::of(app.refresh(&first.refresh));
        let third = Tokens::of(app.refresh(&second.refresh));
        json(app.server().get(SITES, &third.bearer()), 200);
        assert_problem(app.refresh(&first.refresh), 400, None, "invalid_grant");
        for tokens in [&first, &second, &third] {
            app.assert_ended(tokens);
        }
        json(app.server().get(SITES, &stranger.bearer()), 200);
        Tokens::of(app.refresh(&stranger.refresh));
    }
}

#[test]
fn a72_a_used_refresh_token_ends_its_grant_whatever_scope_comes_with_it() {
    let mut app = App::start_public(AccessTokenFormat::Jwt);
    let first = app.grant();
    let second = Tokens::of(app.refresh(&first.refresh));
    let form = [("grant_type", "refresh_token"), ("refresh_token", &first.refresh), ("scope", "read:reports")];
    assert_problem(app.post(app.server(), &form), 400, None, "invalid_grant");
    app.assert_revoked(&first);
    app.assert_ended(&second);
    // A retry that is in time asks for too much as any other, and the successor stays good.
    let mut app = App::start();
    let first = app.grant();
    let second = Tokens::of(app.refresh(&first.refresh));
    let form = [("grant_type", "refresh_token"), ("refresh_token", &first.refresh), ("scope", "read:reports")];
    assert_problem(app.post(app.server(), &form), 400, None, "invalid_scope");
    Tokens::of(app.refresh(&second.refresh));
}

#[test]
fn refresh_tokens_live_as_long_as_the_operator_says() {
    let lifetimes = |idle, total| {
        let seconds = Duration::from_secs;
        let (refresh_token_idle_ttl, refresh_token_ttl) = (seconds(idle), seconds(total));
        let config = Config { store: None, refresh_token_idle_ttl, refresh_token_ttl, ..config() };
        let mut app = App::start_at(config, false, true);
        let first = app.grant();
        std::thread::sleep(seconds(1));
        let second = Tokens::of(app.refresh(&first.refresh));
        // The times of the token that is good, from the first one on.
        let told = |tokens: &Tokens| {
            let told = json(app.post_to(app.server(), "/oauth/v2/introspect", &[("token", &tokens.refresh)]), 200);
            (told["iat"].as_i64().unwrap(), told["exp"].as_i64().unwrap())
        };
        let granted_at = first.claims()["iat"].as_i64().unwrap();
        let (rotated_at, expires_at) = told(&second);
        assert!(rotated_at > granted_at);
        (expires_at - granted_at, expires_at - rotated_at)
    };
    let (_, from_the_last) = lifetimes(1_000, 2_000);
    assert_eq!(from_the_last, 1_000);
    let (from_the_first, _) = lifetimes(2_000, 1_000);
    assert_eq!(from_the_first, 1_000);
}

#[test]
fn a72_the_second_use_is_in_the_audit_log() -> TestResult {
    let folder = tempfile::tempdir()?;
    let mut app = App::start_at(Config { store: Some(folder.path().into()), ..config() }, true, true);
    let first = app.grant();
    Tokens::of(app.refresh(&first.refresh));
    for _ in 0..2 {
        assert_problem(app.refresh(&first.refresh), 400, None, "invalid_grant");
    }
    let records = wait(async {
        let trail = AuditTrail::open(&folder.path().into()).await.unwrap();
        trail.page(&AuditFilter::default(), None, 1_000).await
    });
    let reuses: Vec<_> = records.iter().filter(|record| record.action == "refresh-token.reuse").collect();
    assert_eq!(reuses.len(), 1, "once");
    assert_eq!(reuses[0].concerns.as_deref(), Some(app.site.user_id.as_str()));
    assert_eq!(reuses[0].by.subject.as_deref(), Some("app"));
    Ok(())
}

#[test]
fn a72_an_authenticated_client_that_tries_again_gets_the_same_successor_from_every_process() -> TestResult {
    let folder = tempfile::tempdir()?;
    let at = |folder: &Path| {
        let base_url = Some("http://localhost:8080".to_owned());
        Config { store: Some(folder.into()), base_url, ..config() }
    };
    let mut app = App::start_as_one_of(at(folder.path()));
    let first = app.grant();
    let second = Tokens::of(app.refresh(&first.refresh));
    assert_eq!(Tokens::of(app.refresh(&first.refresh)).refresh, second.refresh);
    let mut other = TestServer::start_with(at(folder.path()));
    other.origin = format!("http://{}", other.address);
    let again = app.post(&other, &[("grant_type", "refresh_token"), ("refresh_token", &first.refresh)]);
    assert_eq!(Tokens::of(again).refresh, second.refresh);
    // The successor is used: whoever has the first token now is no client that tries again.
    let third = Tokens::of(app.refresh(&second.refresh));
    assert_problem(app.refresh(&first.refresh), 400, None, "invalid_grant");
    assert_problem(app.refresh(&third.refresh), 400, None, "invalid_grant");
    Ok(())
}

#[test]
fn a72_of_eight_refreshes_at_once_one_chain_goes_on() {
    for is_public in [false, true] {
        let mut app = App::start_at(Config { store: None, ..config() }, is_public, true);
        let first = app.grant();
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| app.refresh(&first.refresh))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (good, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status().as_u16() == 200);
        let mut successors: Vec<_> = good.into_iter().map(|answer| Tokens::of(answer).refresh).collect();
        successors.dedup();
        assert_eq!((successors.len(), refused.len()), (1, if is_public { 7 } else { 0 }));
        // Without proof of who the client is nobody can say which of them was the thief's.
        assert_eq!(app.refresh(&successors[0]).status().as_u16(), if is_public { 400 } else { 200 });
    }
}

#[test]
fn a70_a_code_used_twice_ends_every_token_of_its_grant() {
    // RFC 6749 section 4.1.2.
    let mut app = App::start();
    let code = app.code();
    let first = Tokens::of(app.redeem(&code));
    let second = Tokens::of(app.refresh(&first.refresh));
    assert_problem(app.redeem(&code), 400, None, "invalid_grant");
    app.assert_revoked(&first);
    app.assert_ended(&second);
}

#[test]
fn a71_refresh_tokens_end_with_the_login_and_the_user() {
    type End = fn(&App, &Tokens);
    let ends: [(&str, End); 5] = [
        ("logout", |app, tokens| {
            let session_id = tokens.claims()["sid"].as_str().unwrap().to_owned();
            app.server().accounts.end_session(&app.site.user_id, &session_id).unwrap();
        }),
        ("logout everywhere", |app, _| drop(app.server().accounts.log_out(&app.site.user_id).unwrap())),
        ("password", |app, _| {
            app.server().accounts.set_password(&app.site.user_id, "another-engine-entirely").unwrap();
        }),
        ("disable", |app, _| {
            app.server().accounts.disable_user(&app.site.user_id).unwrap();
            app.server().accounts.enable_user(&app.site.user_id).unwrap();
        }),
        ("remove", |app, _| drop(app.server().accounts.remove_user(&app.site.user_id).unwrap())),
    ];
    for (name, end) in ends {
        let mut app = App::start();
        let first = app.grant();
        let second = Tokens::of(app.refresh(&first.refresh));
        end(&app, &second);
        println!("{name}");
        app.assert_revoked(&first);
        app.assert_ended(&second);
    }
}

#[test]
fn a71_refresh_tokens_end_with_a_revocation_of_subject_session_or_client() {
    for kind in ["subject", "session", "client"] {
        let mut app = App::start();
        let tokens = app.grant();
        let name = match kind {
            "subject" => app.site.user_id.clone(),
            "session" => tokens.claims()["sid"].as_str().unwrap().to_owned(),
            _ => "app".to_owned(),
        };
        let admin = app.server().key_with("admin:keys");
        let body = serde_json::json!({"revocation": {"kind": kind, "name": name}});
        app.server().ask("/api/v2/admin/revocations", &admin, &body, 201);
        app.assert_ended(&tokens);
        let undo = format!("/api/v2/admin/revocations?kind={kind}&name={name}");
        assert_eq!(app.server().delete(&undo, &admin).status().as_u16(), 204, "{kind}");
        assert_problem(app.refresh(&tokens.refresh), 400, None, "invalid_grant");
    }
}

#[test]
fn a71_refresh_tokens_end_with_their_client() {
    let mut app = App::start();
    let (first, second) = (app.grant(), app.grant());
    let admin = app.server().key_with("admin:keys");
    json(app.server().post("/api/v2/admin/clients/app/disable", &admin), 200);
    assert_problem(app.refresh(&first.refresh), 401, BASIC, "invalid_client");
    json(app.server().post("/api/v2/admin/clients/app/enable", &admin), 200);
    app.assert_ended(&first);
    assert_eq!(app.server().delete("/api/v2/admin/clients/app", &admin).status().as_u16(), 204);
    app.secret = register(app.server(), "app", false, true);
    app.assert_ended(&second);
}

#[test]
fn a71_refresh_tokens_end_with_the_consent() {
    let mut app = App::start_at(Config { store: None, ..config() }, false, false);
    let first = app.grant();
    let second = Tokens::of(app.refresh(&first.refresh));
    let session = json(app.server().log_in(EMAIL, PASSWORD), 200);
    let session = format!("Bearer {}", session["meta"]["jwt"].as_str().unwrap());
    assert_eq!(app.server().delete("/api/v2/consents/app", &session).status().as_u16(), 204);
    app.assert_revoked(&first);
    app.assert_ended(&second);
    // The user who lets the client have it again begins anew.
    let again = app.grant();
    Tokens::of(app.refresh(&again.refresh));
}

#[test]
fn a71_an_access_token_of_a_refresh_lives_no_longer_than_the_login() {
    let access_token_ttl = Duration::from_secs(24 * 60 * 60);
    let mut app = App::start_at(Config { store: None, access_token_ttl, ..config() }, false, true);
    let first = app.grant();
    let second = Tokens::of(app.refresh(&first.refresh));
    // The login session lasts twelve hours.
    let lifetime =
        |tokens: &Tokens| tokens.claims()["exp"].as_i64().unwrap() - tokens.claims()["iat"].as_i64().unwrap();
    assert!(lifetime(&second) <= 12 * 60 * 60, "{}", lifetime(&second));
    assert_eq!(first.claims()["exp"], second.claims()["exp"]);
}

#[test]
fn a_refresh_token_of_a_login_gets_an_id_token_of_the_same_login() {
    // OpenID Connect Core 1.0 section 12.2.
    let mut app = App::start();
    let code = app.code_for("openid read:sites");
    let id_token = |answer: &Value| decode(answer["id_token"].as_str().unwrap()).1;
    let first = json(app.redeem(&code), 200);
    let second = json(app.refresh(first["refresh_token"].as_str().unwrap()), 200);
    let (before, after) = (id_token(&first), id_token(&second));
    for member in ["iss", "sub", "aud", "auth_time", "acr", "sid"] {
        assert_eq!(before[member], after[member], "{member}");
    }
    assert!(after["iat"].as_i64() >= before["iat"].as_i64());
    assert_eq!((&before["nonce"], after.get("nonce")), (&"n".into(), None));
    let (_, access) = decode(second["access_token"].as_str().unwrap());
    assert_eq!(access["auth_time"], before["auth_time"], "RFC 9470");
}

#[test]
fn an_access_token_of_offline_access_may_outlive_the_login() {
    // OpenID Connect Core 1.0 section 11. The login session lasts twelve hours.
    let access_token_ttl = Duration::from_secs(24 * 60 * 60);
    let mut app = App::start_at(Config { store: None, access_token_ttl, ..config() }, false, true);
    let code = app.code_for("openid offline_access read:sites");
    let first = Tokens::of(app.redeem(&code));
    let second = Tokens::of(app.refresh(&first.refresh));
    assert_eq!(second.claims()["exp"].as_i64().unwrap() - second.claims()["iat"].as_i64().unwrap(), 24 * 60 * 60);
}

#[test]
fn a73_a_client_gets_refresh_tokens_when_it_is_registered_for_them() {
    let site = Site::start();
    let (_, code) = site.logged_in();
    let answer = json(site.exchange(site.blog(), &code, crate::authorize::BLOG, VERIFIER), 200);
    assert!(answer.get("refresh_token").is_none(), "{answer}");

    let admin = site.server.key_with("admin:keys");
    let register = |kind: &str, grants: &[&str], uris: &[&str], status| {
        let id = format!("{kind}-{}", grants.len());
        let client = serde_json::json!({"id": id, "name": "A", "scope": "", "type": kind, "grants": grants,
                                        "redirect_uris": uris, "user_scope": if uris.is_empty() { "" } else { "read:sites" }});
        site.server.ask("/api/v2/admin/clients", &admin, &serde_json::json!({"client": client}), status)
    };
    for kind in ["web", "native", "browser"] {
        let made = register(kind, &["authorization_code", "refresh_token"], &[APP], 201);
        assert_eq!(made["data"]["grants"], serde_json::json!(["authorization_code", "refresh_token"]));
    }
    register("machine", &["client_credentials", "refresh_token"], &[], 400);
    register("web", &["refresh_token"], &[], 400);
}

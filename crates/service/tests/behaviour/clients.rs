//! Clients of each type: how they show who they are, where they are sent back to, and what they may ask for.

use crate::authorize::{BLOG, Browser, CHALLENGE, Site, TOKEN, VERIFIER, code_in, location, parameters_of, request};
use crate::support::{BASIC, EMAIL, INVALID_TOKEN, PASSWORD, TestServer, assert_problem, json};
use reqwest::blocking::Response;
use serde_json::{Value, json};

const CLIENTS: &str = "/api/v2/admin/clients";
const SITES: &str = "/api/v2/sites";
const REPORTS: &str = "/api/v2/reports";
const NATIVE: &str = "http://127.0.0.1/callback";

struct World {
    site: Site,
    admin: String,
    browser: Browser,
}

impl World {
    /// With a native client `app`, and a browser that is logged in.
    fn start() -> Self {
        let site = Site::start();
        let admin = site.server.key_with("admin:keys");
        let (browser, _) = site.logged_in();
        let world = World { site, admin, browser };
        let uris = [NATIVE, "com.example.app:/callback"];
        let app = json!({"id": "app", "name": "App", "type": "native", "scope": "", "user_scope": "read:sites", "redirect_uris": uris});
        let made = world.register(&app);
        assert_eq!((&made["secret"], &made["secrets"], &made["state"]), (&Value::Null, &json!([]), &json!("active")));
        assert_eq!(
            (&made["token_endpoint_auth_method"], &made["grants"]),
            (&json!("none"), &json!(["authorization_code"]))
        );
        world
    }

    fn server(&self) -> &TestServer {
        &self.site.server
    }

    #[track_caller]
    fn register(&self, client: &Value) -> Value {
        self.server().ask(CLIENTS, &self.admin, &json!({"client": client}), 201)["data"].clone()
    }

    /// What the service answers when that client sends the browser.
    /// What comes back once the user has allowed it.
    fn authorize(&mut self, client: &str, redirect_uri: &str, more: &[(&str, &str)]) -> Response {
        let replaced = [&[("client_id", client), ("redirect_uri", redirect_uri)][..], more].concat();
        self.browser.allow(&self.site.server, &request(&replaced))
    }

    /// A public client's token request.
    fn exchange(&self, client: &str, code: &str, redirect_uri: &str, verifier: &str) -> Response {
        let mut form = vec![("grant_type", "authorization_code"), ("client_id", client), ("code", code)];
        form.push(("code_verifier", verifier));
        if !redirect_uri.is_empty() {
            form.push(("redirect_uri", redirect_uri));
        }
        self.server().client.post(self.server().url(TOKEN)).form(&form).send().unwrap()
    }
}

#[test]
fn a_native_client_without_a_secret_gets_a_token_at_whatever_port_it_has() {
    let mut world = World::start();
    for uri in ["http://127.0.0.1:49152/callback", NATIVE, "com.example.app:/callback"] {
        let back = location(&world.authorize("app", uri, &[]));
        assert!(back.starts_with(&format!("{uri}?")), "{back}");
        let token = json(world.exchange("app", &code_in(&back), uri, VERIFIER), 200);
        json(world.server().get(SITES, &format!("Bearer {}", token["access_token"].as_str().unwrap())), 200);
    }
    // To another port than the code was sent to it is not good.
    let code = code_in(&location(&world.authorize("app", "http://127.0.0.1:49152/callback", &[])));
    assert_problem(
        world.exchange("app", &code, "http://127.0.0.1:49153/callback", VERIFIER),
        400,
        None,
        "invalid_grant",
    );
    for uri in [
        "http://127.0.0.1:49152/elsewhere",
        "http://127.0.0.1:49152/callback?x=1",
        "https://127.0.0.1:49152/callback",
        "http://127.0.0.2:49152/callback",
        "http://localhost:49152/callback",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://127.0.0.1:x/callback",
        "com.example.app:/callback/",
        "com.example.other:/callback",
    ] {
        assert_eq!(world.authorize("app", uri, &[]).status().as_u16(), 400, "{uri}");
    }
    // Of a web site the port counts.
    assert_eq!(world.authorize("blog", "http://127.0.0.1:49152/callback", &[]).status().as_u16(), 400);
    // The form that leads to a program's own scheme may do so.
    let page = Browser::default()
        .get(&world.site.server, &request(&[("client_id", "app"), ("redirect_uri", "com.example.app:/callback")]));
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' com.example.app:;"), "{policy}");
}

#[test]
fn a70_what_a_public_client_presents_is_bound_to_it_and_to_its_verifier() {
    let mut world = World::start();
    world.register(&json!({"id": "page", "name": "Page", "type": "browser", "scope": "", "user_scope": "read:sites", "redirect_uris": ["https://page.example/"]}));
    let code = code_in(&location(&world.authorize("app", NATIVE, &[])));
    let wrong = "another-verifier-another-verifier-another-v";
    for (client, verifier) in [("app", wrong), ("app", CHALLENGE), ("page", VERIFIER)] {
        assert_problem(world.exchange(client, &code, NATIVE, verifier), 400, None, "invalid_grant");
    }
    // A client that has a secret does not pass without.
    assert_problem(world.exchange("blog", &code, NATIVE, VERIFIER), 401, BASIC, "invalid_client");
    assert_problem(world.exchange("nobody", &code, NATIVE, VERIFIER), 401, BASIC, "invalid_client");
    let token = json(world.exchange("app", &code, NATIVE, VERIFIER), 200);
    let token = format!("Bearer {}", token["access_token"].as_str().unwrap());
    // Another public client that has got hold of the used code has nothing revoked by it.
    assert_problem(world.exchange("page", &code, NATIVE, VERIFIER), 400, None, "invalid_grant");
    json(world.server().get(SITES, &token), 200);

    json(world.server().post(&format!("{CLIENTS}/app/disable"), &world.admin), 200);
    assert_problem(world.server().get(SITES, &token), 401, INVALID_TOKEN, "invalid_token");
    assert_problem(world.exchange("app", &code, NATIVE, VERIFIER), 401, BASIC, "invalid_client");
    assert_eq!(world.authorize("app", NATIVE, &[]).status().as_u16(), 400);
    json(world.server().post(&format!("{CLIENTS}/app/enable"), &world.admin), 200);
    location(&world.authorize("app", NATIVE, &[]));
}

#[test]
fn a_redirect_uri_that_is_the_only_one_need_not_be_named() {
    let mut world = World::start();
    let back = location(&world.authorize("blog", "", &[]));
    assert!(back.starts_with(&format!("{BLOG}?code=")), "{back}");
    let form = |redirect_uri: &'static str| {
        let mut form = vec![("grant_type", "authorization_code"), ("code_verifier", VERIFIER)];
        form.extend((!redirect_uri.is_empty()).then_some(("redirect_uri", redirect_uri)));
        form
    };
    let (id, secret) = world.site.blog();
    let send = |redirect_uri| {
        let code = code_in(&back);
        let request = world.site.server.client.post(world.site.server.url(TOKEN)).basic_auth(id, Some(secret));
        request.form(&[&form(redirect_uri)[..], &[("code", &code)]].concat()).send().unwrap()
    };
    json(send(""), 200);
    // The form of who is not logged in brings it along as it was, unnamed.
    let mut fresh = Browser::default();
    let page = fresh.get(&world.site.server, &request(&[("redirect_uri", "")])).text().unwrap();
    let back = location(&fresh.submit(&world.site.server, &page, EMAIL, PASSWORD));
    assert!(back.starts_with(&format!("{BLOG}?code=")), "{back}");
    // The app has two.
    assert_eq!(world.authorize("app", "", &[]).status().as_u16(), 400);
}

#[test]
fn a_resource_may_be_named_several_times() {
    let mut world = World::start();
    let origin = world.server().origin.clone();
    let mut query = request(&[("client_id", "app"), ("redirect_uri", NATIVE)]);
    query.extend([origin.clone(), format!("{origin}/")].map(|uri| ("resource".to_owned(), uri)));
    let code = code_in(&location(&world.browser.allow(&world.site.server, &query)));
    let mut form = vec![("grant_type", "authorization_code"), ("client_id", "app"), ("code", &*code)];
    form.extend([("redirect_uri", NATIVE), ("code_verifier", VERIFIER)]);
    form.extend([("resource", &*origin), ("resource", &*origin)]);
    json(world.site.server.client.post(world.site.server.url(TOKEN)).form(&form).send().unwrap(), 200);
}

#[test]
fn a73_what_a_client_may_ask_users_for_and_what_it_may_itself_are_two_lists() {
    let mut world = World::start();
    let shop = json!({"id": "news", "name": "News", "scope": "read:reports", "user_scope": "read:sites", "redirect_uris": ["https://news.example/"]});
    let made = world.register(&shop);
    let secret = made["secret"].as_str().unwrap().to_owned();
    let own = |scope: &str| {
        let request = world.site.server.client.post(world.site.server.url(TOKEN)).basic_auth("news", Some(&secret));
        request.form(&[("grant_type", "client_credentials"), ("scope", scope)]).send().unwrap()
    };
    let token = json(own("read:reports"), 200);
    json(world.site.server.get(REPORTS, &format!("Bearer {}", token["access_token"].as_str().unwrap())), 200);
    assert_problem(own("read:sites"), 400, None, "invalid_scope");
    let asked = |world: &mut World, scope: &str| {
        let back = location(&world.authorize("news", "https://news.example/", &[("scope", scope)]));
        parameters_of(&back).get("error").cloned()
    };
    assert_eq!(asked(&mut world, "read:sites"), None);
    assert_eq!(asked(&mut world, "read:reports").as_deref(), Some("invalid_scope"));
}

#[test]
fn a73_scopes_of_administration_are_never_delegated() {
    let mut world = World::start();
    let server = &world.site.server;
    server.accounts.add_user("root@example.com", PASSWORD, "admin:keys read:sites").unwrap();
    let refused = json!({"client": {"id": "bad", "name": "Bad", "scope": "", "user_scope": "admin:keys", "redirect_uris": ["https://bad.example/"]}});
    assert_problem(server.post_json(CLIENTS, &world.admin, &refused), 400, None, "invalid_request");
    // A client that may itself do everything does not get it from a user.
    server.accounts.add_client("tool", "Tool", "admin:keys read:sites", &["https://tool.example/"]).unwrap();
    world.browser = Browser::default();
    let query = |scope| request(&[("client_id", "tool"), ("redirect_uri", "https://tool.example/"), ("scope", scope)]);
    let page = world.browser.get(&world.site.server, &query("")).text().unwrap();
    location(&world.browser.submit(&world.site.server, &page, "root@example.com", PASSWORD));
    let back = location(&world.browser.allow(&world.site.server, &query("")));
    assert!(parameters_of(&back).contains_key("code"), "{back}");
    let back = location(&world.browser.get(&world.site.server, &query("admin:keys")));
    assert_eq!(parameters_of(&back)["error"], "invalid_scope");
}

#[test]
fn a73_a_client_takes_the_grants_and_the_method_that_it_is_registered_for() {
    let world = World::start();
    let server = world.server();
    let codes_alone = json!({"id": "codes", "name": "", "scope": "", "user_scope": "read:sites", "grants": ["authorization_code"], "redirect_uris": ["https://codes.example/"]});
    let codes_alone = json!({"client": codes_alone});
    assert_problem(server.post_json(CLIENTS, &world.admin, &codes_alone), 400, None, "invalid_request");
    let named = |client: &Value, name: &str| {
        let mut client = client["client"].clone();
        client["name"] = name.into();
        client
    };
    let codes = world.register(&named(&codes_alone, "Codes"));
    let secret = codes["secret"].as_str().unwrap();
    let response = server.token("codes", secret);
    assert_problem(response, 400, None, "unauthorized_client");
    for (method, basic, post) in
        [("client_secret_basic", 200, 401), ("client_secret_post", 401, 200), ("client_secret", 200, 200)]
    {
        let id = method.replace('_', "-");
        let client = json!({"id": id, "name": "Job", "scope": "read:reports", "token_endpoint_auth_method": method});
        let secret = world.register(&client)["secret"].as_str().unwrap().to_owned();
        assert_eq!(server.token(&id, &secret).status().as_u16(), basic, "{method}");
        let form = [("grant_type", "client_credentials"), ("client_id", &*id), ("client_secret", &*secret)];
        let posted = server.client.post(server.url(TOKEN)).form(&form).send().unwrap();
        assert_eq!(posted.status().as_u16(), post, "{method}");
    }
    // What does not go together.
    for (field, value) in [
        ("type", json!("television")),
        ("type", json!("machine")),
        ("grants", json!([])),
        ("grants", json!(["password"])),
        ("grants", json!(["client_credentials"])),
        ("token_endpoint_auth_method", json!("none")),
        ("redirect_uris", json!(["com.example.app:/callback"])),
    ] {
        let mut client = json!({"id": "odd", "name": "Odd", "scope": "", "user_scope": "read:sites", "redirect_uris": ["https://odd.example/"]});
        client[field] = value;
        let refused = server.post_json(CLIENTS, &world.admin, &json!({"client": client}));
        assert_problem(refused, 400, None, "invalid_request");
    }
}

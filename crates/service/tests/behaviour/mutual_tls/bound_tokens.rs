//! Tokens that are bound to a client's certificate (RFC 8705 sections 3 and 4).

use super::certificates::{Identity, named};
use super::{MACHINE, METADATA, TOKEN, World, issued_to, robots_subject};
use crate::authorize::{Browser, Site, VERIFIER, code_in, location, request};
use crate::dpop::proof;
use crate::support::{assert_problem, config, decode, json, run_async};
use base64_simd::STANDARD;
use reqwest::blocking::Response;
use serde_json::{Value, json};
use tollgate::{Algorithm, CertificateField, Engine, ForwardedField, Issuer, Request, TrustedProxies, TypProfile};
use tollgate_issuer::SigningKey;
use tollgate_remote::{Introspection, RemoteKeys, Verifier};
use tollgate_service::{AccessTokenFormat, Config, DpopNonces};
use tollgate_storage::{Client, ClientAuthMethod, ClientKind, ClientSettings, GrantType, SubjectName};

const REPORTS: &str = "/api/v2/reports";

fn bound(settings: ClientSettings) -> ClientSettings {
    ClientSettings { is_certificate_bound: true, ..settings }
}

fn token_of(answer: Response) -> String {
    let answer = json(answer, 200);
    // RFC 8705 section 3: a certificate alone leaves it a Bearer token.
    assert_eq!(answer["token_type"], "Bearer");
    answer["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn a52_a_bound_token_of_the_service_is_good_with_its_certificate_alone() {
    for access_token_format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let world = World::start_with(|config| Config { access_token_format, ..config });
        world.register(|settings| bound(robots_subject()(settings)));
        let robot = world.authority.issue(&named("robot"));
        let token = token_of(world.token(Some(&robot)));
        let cnf = json!({"x5t#S256": robot.thumbprint()});
        if access_token_format == AccessTokenFormat::Jwt {
            assert_eq!(decode(&token).1["cnf"], cnf);
        }
        let bearer = format!("Bearer {token}");
        let reports = |identity: Option<&Identity>, url: &str| {
            world.client(identity).get(url, &[("authorization", &bearer)]).status().as_u16()
        };
        assert_eq!(reports(Some(&robot), &world.mtls_url(REPORTS)), 200);
        // Another certificate of the same subject and authority, one of the same key, and none.
        assert_eq!(reports(Some(&world.authority.issue(&named("robot"))), &world.mtls_url(REPORTS)), 401);
        assert_eq!(reports(Some(&robot.renewed(&named("robot"))), &world.mtls_url(REPORTS)), 401);
        assert_eq!(reports(None, &world.mtls_url(REPORTS)), 401);
        assert_eq!(reports(Some(&robot), &world.server.url(REPORTS)), 401, "where nobody asks for it");

        // Section 3.2: whoever introspects is told; the token need not come with its certificate.
        let form = [("client_id", "robot"), ("token", token.as_str())];
        let post = |path: &str| world.client(Some(&robot)).post(&world.mtls_url(path), &[], &form);
        let told = json(post("/oauth/v2/introspect"), 200);
        assert_eq!((&told["active"], &told["token_type"], &told["cnf"]), (&json!(true), &json!("Bearer"), &cnf));
        assert_eq!(post("/oauth/v2/revoke").status().as_u16(), 200);
        assert_eq!(reports(Some(&robot), &world.mtls_url(REPORTS)), 401);
    }
}

/// An engine elsewhere asks the service, authenticates there by a certificate of its own, and has the sender show the token's.
#[test]
fn a52_a86_an_engine_elsewhere_that_introspects_has_the_sender_show_its_certificate() {
    let world = World::start();
    world.register(|settings| bound(robots_subject()(settings)));
    let api = Client::new("api", "The API", "introspect", [""; 0], 0).unwrap();
    let settings = issued_to(SubjectName::SubjectDn, "CN=api,O=Example")(api.settings().clone());
    world.server.accounts.register_client(&api.with(settings).unwrap()).unwrap();
    let [robot, api] = ["robot", "api"].map(|name| world.authority.issue(&named(name)));
    let token = token_of(world.token(Some(&robot)));
    run_async(async {
        let (origin, ca) = (world.server.origin.as_str(), world.identity.pem.as_bytes());
        let keys = RemoteKeys::from_jwks_uri(&world.server.url("/.well-known/jwks.json")).root_certificates(ca);
        let keys = keys.start().unwrap();
        let endpoint = Introspection::at(&world.mtls_url("/oauth/v2/introspect")).root_certificates(ca);
        let endpoint = endpoint.client_certificate("api", api.pem.as_bytes(), api.key.as_bytes()).start().unwrap();
        let issuer = Issuer::new(origin).audience(origin).typ(TypProfile::JwtOrAccessToken).keys(keys.key_ring());
        let verifier = Verifier::new(Engine::builder().issuer(issuer.introspect(endpoint, 30)).build().unwrap());
        let request = Request::new().token(&token);
        let principal = verifier.verify_request(&request.certificate(&robot.chain[0])).await.unwrap();
        assert_eq!(principal.client_id(), Some("robot"));
        let other = verifier.verify_request(&request.certificate(&api.chain[0])).await.unwrap_err();
        let none = verifier.verify_request(&request).await.unwrap_err();
        assert_eq!((other.code(), none.code()), ("wrong-certificate", "certificate-required"));
    });
}

/// RFC 8705 section 3: binding "can be used with" every way in which a client authenticates; section 3.4.
#[test]
fn a_client_that_is_registered_for_bound_tokens_gets_no_others() {
    let world = World::start();
    let client = Client::new("shop", "Shop", "read:reports", [""; 0], 0).unwrap();
    let client = client.clone().with(bound(client.settings().clone())).unwrap();
    let secret = world.server.accounts.register_client(&client).unwrap().unwrap().secret;
    let form = [("grant_type", "client_credentials"), ("client_id", "shop"), ("client_secret", secret.as_str())];
    let token = |identity: Option<&Identity>| world.client(identity).post(&world.mtls_url(TOKEN), &[], &form);
    // Nobody has to vouch for the certificate: the key counts.
    let own = Identity::self_signed(&named("shop"));
    assert_eq!(decode(&token_of(token(Some(&own)))).1["cnf"], json!({"x5t#S256": own.thumbprint()}));
    assert_problem(token(None), 400, None, "invalid_request");
    // A certificate binds nothing unless the client has asked for that.
    world.register(robots_subject());
    let robot = world.authority.issue(&named("robot"));
    let unbound = token_of(world.token(Some(&robot)));
    assert_eq!(decode(&unbound).1["cnf"], Value::Null);
    let bearer = format!("Bearer {unbound}");
    json(world.client(None).get(&world.server.url(REPORTS), &[("authorization", &bearer)]), 200);
}

#[test]
fn a_token_may_be_bound_to_a_certificate_and_to_a_key() {
    let world = World::start_with(|config| Config { dpop_nonces: DpopNonces::Off, ..config });
    world.register(|settings| bound(robots_subject()(settings)));
    let robot = world.authority.issue(&named("robot"));
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let proof = proof(&key, "POST", &world.mtls_url(TOKEN), None).sign(&key);
    let answer = world.client(Some(&robot)).post(&world.mtls_url(TOKEN), &[("dpop", &proof)], &MACHINE);
    let answer = json(answer, 200);
    assert_eq!(answer["token_type"], "DPoP");
    let jkt = tollgate::jwt::base64url::encode(key.verifying_key().thumbprint());
    let (_, claims) = decode(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["cnf"], json!({"jkt": jkt, "x5t#S256": robot.thumbprint()}));
}

/// RFC 8705 section 3.3; RFC 9728 section 2.
#[test]
fn metadata_say_that_tokens_can_be_bound_to_certificates() {
    let world = World::start();
    for document in [METADATA, "/.well-known/oauth-protected-resource"] {
        let metadata = json(world.client(None).get(&world.server.url(document), &[]), 200);
        assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], true, "{document}");
    }
    let without = crate::support::TestServer::start();
    let metadata: Value = json(without.client.get(without.url(METADATA)).send().unwrap(), 200);
    assert_eq!(metadata["tls_client_certificate_bound_access_tokens"], false);
}

/// A public client whose tokens are bound, behind a proxy on the same machine.
struct PublicClient {
    site: Site,
    browser: Browser,
}

const APP: &str = "https://app.example/callback";

impl PublicClient {
    fn start(access_token_format: AccessTokenFormat) -> Self {
        let proxies = TrustedProxies::new(["127.0.0.1".parse().unwrap()], ForwardedField::XForwardedFor);
        let trusted_proxies = proxies.client_certificate(CertificateField::ClientCert);
        let site = Site::start_at(Config { store: None, trusted_proxies, access_token_format, ..config() });
        let client = Client::new("app", "App", "", [APP], 0).unwrap();
        let settings = ClientSettings {
            kind: ClientKind::Browser,
            grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            auth_method: ClientAuthMethod::None,
            user_scopes: "read:sites".into(),
            is_operators_own: true,
            ..client.settings().clone()
        };
        site.server.accounts.register_client(&client.with(bound(settings)).unwrap()).unwrap();
        let (browser, _) = site.logged_in();
        Self { site, browser }
    }

    fn code(&mut self) -> String {
        let request = request(&[("client_id", "app"), ("redirect_uri", APP), ("scope", "read:sites")]);
        code_in(&location(&self.browser.allow(&self.site.server, &request)))
    }

    fn token(&self, identity: Option<&Identity>, form: &[(&str, &str)]) -> Response {
        let server = &self.site.server;
        let request = server.client.post(server.url(TOKEN)).form(&[form, &[("client_id", "app")]].concat());
        match identity {
            Some(identity) => request.header("client-cert", field(identity)),
            None => request,
        }
        .send()
        .unwrap()
    }

    fn sites(&self, identity: Option<&Identity>, token: &str) -> u16 {
        let server = &self.site.server;
        let request = server.client.get(server.url("/api/v2/sites")).header("authorization", format!("Bearer {token}"));
        let request = match identity {
            Some(identity) => request.header("client-cert", field(identity)),
            None => request,
        };
        request.send().unwrap().status().as_u16()
    }
}

fn field(identity: &Identity) -> String {
    format!(":{}:", STANDARD.encode_to_string(&identity.chain[0]))
}

/// RFC 8705 section 4.
#[test]
fn a72_a_public_clients_refresh_token_is_bound_to_its_certificate() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let mut app = PublicClient::start(format);
        let (own, other) = (Identity::self_signed(&named("app")), Identity::self_signed(&named("app")));
        let code = app.code();
        let redeem =
            [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", APP), ("code_verifier", VERIFIER)];
        // Without a certificate the code is not used up.
        assert_problem(app.token(None, &redeem), 400, None, "invalid_request");
        let first = json(app.token(Some(&own), &redeem), 200);
        let refresh_token = first["refresh_token"].as_str().unwrap();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        assert_problem(app.token(None, &refresh), 400, None, "invalid_request");
        assert_problem(app.token(Some(&other), &refresh), 400, None, "invalid_grant");
        let second = json(app.token(Some(&own), &refresh), 200);
        for answer in [&first, &second] {
            let token = answer["access_token"].as_str().unwrap();
            assert_eq!((app.sites(Some(&own), token), app.sites(Some(&other), token)), (200, 401));
            assert_eq!(app.sites(None, token), 401);
        }
    }
}

/// The other clients' are bound to what they authenticate with, so that a certificate can be renewed (RFC 8705 section 7.1).
#[test]
fn a_client_that_authenticates_refreshes_with_its_next_certificate() {
    let mut app = PublicClient::start(AccessTokenFormat::Jwt);
    let server = &app.site.server;
    let client = Client::new("web", "Web", "", [APP], 0).unwrap();
    let settings = ClientSettings {
        grants: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        auth_method: ClientAuthMethod::ClientSecretPost,
        user_scopes: "read:sites".into(),
        is_operators_own: true,
        ..client.settings().clone()
    };
    let secret = server.accounts.register_client(&client.with(bound(settings)).unwrap()).unwrap().unwrap().secret;
    let query = request(&[("client_id", "web"), ("redirect_uri", APP), ("scope", "read:sites")]);
    let code = code_in(&location(&app.browser.allow(&app.site.server, &query)));
    let post = |identity: &Identity, form: &[(&str, &str)]| {
        let credentials = [("client_id", "web"), ("client_secret", secret.as_str())];
        let server = &app.site.server;
        let request = server.client.post(server.url(TOKEN)).form(&[form, &credentials].concat());
        json(request.header("client-cert", field(identity)).send().unwrap(), 200)
    };
    let (old, new) = (Identity::self_signed(&named("web")), Identity::self_signed(&named("web")));
    let redeem =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", APP), ("code_verifier", VERIFIER)];
    let first = post(&old, &redeem);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", first["refresh_token"].as_str().unwrap())];
    let second = post(&new, &refresh);
    let token = second["access_token"].as_str().unwrap();
    assert_eq!((app.sites(Some(&new), token), app.sites(Some(&old), token)), (200, 401));
}

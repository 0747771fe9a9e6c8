//! Tokens that are bound to a client's key by DPoP (RFC 9449), from the token endpoint to the API.

mod introspection;
mod nonces;
mod opaque;
mod refresh;
mod replays;

use crate::authorize::{BLOG, Browser, CHALLENGE, Site, TOKEN, VERIFIER, location, request};
use crate::support::{TestServer, assert_problem, config, decode, json};
use reqwest::blocking::{RequestBuilder, Response};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tollgate::Algorithm;
use tollgate::jwt::base64url;
use tollgate_issuer::SigningKey;
use tollgate_service::Config;
use tollgate_tests::ProofDraft;

const SITES: &str = "/api/v2/sites";
const PAR: &str = "/oauth/v2/par";
const CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

/// A site whose server has been up for long enough that its API takes proofs, and a key of a client.
struct Bound {
    site: Site,
    key: SigningKey,
}

impl Bound {
    fn start() -> Self {
        Self::start_at(Config { store: None, ..config() })
    }

    fn start_at(config: Config) -> Self {
        let bound = Self::without_wait(config);
        wait_until_proofs_are_taken();
        bound
    }

    fn without_wait(config: Config) -> Self {
        Self { site: Site::start_at(config), key: key() }
    }

    fn server(&self) -> &TestServer {
        &self.site.server
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let (id, secret) = self.site.blog();
        self.server().client.post(self.server().url(path)).basic_auth(id, Some(secret))
    }

    /// A proof for the token endpoint.
    fn proof(&self) -> ProofDraft {
        self.proof_by(&self.key, TOKEN)
    }

    /// A proof by `key` for an endpoint, with a nonce.
    fn proof_by(&self, key: &SigningKey, path: &str) -> ProofDraft {
        proof(key, "POST", &self.server().url(path), None).claim("nonce", self.nonce())
    }

    fn nonce(&self) -> String {
        let proof = proof(&self.key, "POST", &self.server().url(TOKEN), None).sign(&self.key);
        nonce_of(&self.token(&proof)).expect("a nonce")
    }

    fn token(&self, proof: &str) -> Response {
        self.post(TOKEN).form(&CREDENTIALS).header("dpop", proof).send().unwrap()
    }

    fn exchange(&self, code: &str, proof: Option<String>) -> Response {
        let form =
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BLOG), ("code_verifier", VERIFIER)];
        let request = self.post(TOKEN).form(&form);
        let request = if let Some(proof) = proof { request.header("dpop", proof) } else { request };
        request.send().unwrap()
    }

    /// GET of the sites with a token, and a proof by `key`.
    fn sites(&self, scheme: &str, token: &str, key: &SigningKey) -> Response {
        sites(self.server(), scheme, token, &proof(key, "GET", &self.server().url(SITES), Some(token)).sign(key))
    }
}

fn sites(server: &TestServer, scheme: &str, token: &str, proof: &str) -> Response {
    let request = server.client.get(server.url(SITES)).header("authorization", format!("{scheme} {token}"));
    request.header("dpop", proof).send().unwrap()
}

fn nonce_of(answer: &Response) -> Option<String> {
    answer.headers().get("dpop-nonce").map(|nonce| nonce.to_str().unwrap().to_owned())
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

fn jkt(key: &SigningKey) -> String {
    base64url::encode(key.verifying_key().thumbprint())
}

pub(crate) fn proof(key: &SigningKey, method: &str, uri: &str, token: Option<&str>) -> ProofDraft {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let draft = ProofDraft::new(key, method, uri, token.unwrap_or_default()).claim("iat", now() + 4);
    let draft = draft.claim("jti", format!("proof-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    if token.is_none() { draft.claim("ath", Value::Null) } else { draft }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// The API takes no proof that could have been used before it started: here those of less than six seconds after that.
fn wait_until_proofs_are_taken() {
    let started = now();
    while now() < started + 2 {
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn code_of(answer: &Response) -> String {
    let url = reqwest::Url::parse(&location(answer)).unwrap();
    url.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned()
}

#[test]
fn a51_a_token_is_bound_to_the_key_of_the_proof_and_is_no_bearer_token() {
    let bound = Bound::start();
    let (mut browser, code) = bound.site.logged_in();
    let answer = json(bound.exchange(&code, Some(bound.proof().sign(&bound.key))), 200);
    // Section 5: token_type is DPoP; section 6.1: cnf with jkt.
    assert_eq!(answer["token_type"], "DPoP");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(decode(token).1["cnf"], json!({"jkt": jkt(&bound.key)}));
    json(bound.sites("DPoP", token, &bound.key), 200);
    // Section 7.1.
    assert_eq!(bound.sites("Bearer", token, &bound.key).status().as_u16(), 401);
    assert_eq!(bound.server().get(SITES, &format!("Bearer {token}")).status().as_u16(), 401);
    let without = bound.server().get(SITES, &format!("DPoP {token}"));
    let challenge = without.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("algs="), "{challenge}");
    assert_eq!(bound.sites("DPoP", token, &key()).status().as_u16(), 401, "another key");
    // Without a proof it is a bearer token as before.
    let code = code_of(&browser.get(bound.server(), &request(&[])));
    let bearer = json(bound.exchange(&code, None), 200);
    assert_eq!(
        (&bearer["token_type"], &decode(bearer["access_token"].as_str().unwrap()).1["cnf"]),
        (&json!("Bearer"), &Value::Null)
    );
}

#[test]
fn a51_a_proof_that_is_not_for_this_request_gets_no_token() {
    let bound = Bound::start();
    let origin = &bound.server().origin;
    // Section 4.3.
    for draft in [
        bound.proof().claim("htm", "GET"),
        bound.proof().claim("htm", "post"),
        bound.proof().claim("htu", format!("{origin}{PAR}")),
        bound.proof().claim("htu", format!("https://other.example{TOKEN}")),
        bound.proof().claim("iat", Value::Null),
        bound.proof().claim("jti", Value::Null),
        bound.proof().header("typ", "JWT"),
        bound.proof().header("jwk", serde_json::from_str::<Value>(&bound.key.to_private_jwk()).unwrap()),
    ] {
        assert_problem(bound.token(&draft.sign(&bound.key)), 400, None, "invalid_dpop_proof");
    }
    for text in [bound.proof().sign(&key()), "a.b.c".to_owned(), String::new()] {
        assert_problem(bound.token(&text), 400, None, "invalid_dpop_proof");
    }
    let (first, second) = (bound.proof().sign(&bound.key), bound.proof().sign(&bound.key));
    let two = bound.post(TOKEN).form(&CREDENTIALS).header("dpop", &first).header("dpop", &second);
    assert_problem(two.send().unwrap(), 400, None, "invalid_dpop_proof");
    json(bound.token(&first), 200);
    assert_problem(bound.token(&first), 400, None, "invalid_dpop_proof");
    json(bound.token(&second), 200);
    // The client authenticates first: nobody else spends its proofs, or learns what is wrong with them.
    let third = bound.proof().sign(&bound.key);
    let stranger = bound.server().client.post(bound.server().url(TOKEN)).basic_auth("blog", Some("wrong"));
    let stranger = stranger.form(&CREDENTIALS).header("dpop", &third).send().unwrap();
    assert_eq!(stranger.status().as_u16(), 401);
    json(bound.token(&third), 200);
}

#[test]
fn a_client_that_gets_only_bound_tokens_has_to_send_a_proof() {
    // Section 5.2, dpop_bound_access_tokens.
    let bound = Bound::start();
    let admin = bound.server().key_with("admin:keys");
    let client =
        json!({"client": {"id": "bank", "name": "Bank", "scope": "read:sites", "dpop_bound_access_tokens": true}});
    let made = bound.server().ask("/api/v2/admin/clients", &admin, &client, 201);
    assert_eq!(made["data"]["dpop_bound_access_tokens"], true);
    let secret = made["data"]["secret"].as_str().unwrap();
    assert_problem(bound.server().token("bank", secret), 400, None, "invalid_dpop_proof");
    let url = bound.server().url(TOKEN);
    let request = bound.server().client.post(url).basic_auth("bank", Some(secret)).form(&CREDENTIALS);
    let answer = json(request.header("dpop", bound.proof().sign(&bound.key)).send().unwrap(), 200);
    assert_eq!(answer["token_type"], "DPoP");
}

#[test]
fn a70_a_code_is_for_the_key_that_its_request_names() {
    // Section 10: "verifies that it matches the dpop_jkt parameter value".
    let bound = Bound::start();
    let (mut browser, _) = bound.site.logged_in();
    let code = code_of(&browser.get(bound.server(), &request(&[("dpop_jkt", &jkt(&bound.key))])));
    let stranger = key();
    let by_stranger = bound.proof_by(&stranger, TOKEN).sign(&stranger);
    assert_problem(bound.exchange(&code, Some(by_stranger)), 400, None, "invalid_grant");
    assert_problem(bound.exchange(&code, None), 400, None, "invalid_grant");
    // It stays good for the client that has the key.
    let answer = json(bound.exchange(&code, Some(bound.proof().sign(&bound.key))), 200);
    assert_eq!(answer["token_type"], "DPoP");
    for malformed in ["short", &"=".repeat(43)] {
        let answer = browser.get(bound.server(), &request(&[("dpop_jkt", malformed)]));
        assert!(location(&answer).contains("error=invalid_request"), "{malformed}");
    }
    // The login form takes it along.
    let mut other = Browser::default();
    let page = other.get(bound.server(), &request(&[("dpop_jkt", &jkt(&bound.key))])).text().unwrap();
    let answer = other.submit(bound.server(), &page, crate::support::EMAIL, crate::support::PASSWORD);
    assert_problem(bound.exchange(&code_of(&answer), None), 400, None, "invalid_grant");
}

#[test]
fn a_proof_with_a_pushed_request_binds_its_code() {
    // Section 10.1.
    let bound = Bound::start();
    let (mut browser, _) = bound.site.logged_in();
    let form = |jkt: Option<&str>| {
        let mut form = vec![
            ("response_type", "code".to_owned()),
            ("redirect_uri", BLOG.to_owned()),
            ("code_challenge", CHALLENGE.to_owned()),
            ("code_challenge_method", "S256".to_owned()),
        ];
        form.extend(jkt.map(|jkt| ("dpop_jkt", jkt.to_owned())));
        form
    };
    let of_par = || bound.proof_by(&bound.key, PAR).sign(&bound.key);
    let push =
        |jkt: Option<&str>, proof: String| bound.post(PAR).form(&form(jkt)).header("dpop", proof).send().unwrap();
    assert_problem(push(Some(&jkt(&key())), of_par()), 400, None, "invalid_dpop_proof");
    assert_problem(push(None, bound.proof().sign(&bound.key)), 400, None, "invalid_dpop_proof");
    let own = jkt(&bound.key);
    for named in [None, Some(own.as_str())] {
        let pushed = json(push(named, of_par()), 201);
        let query = [("client_id", "blog"), ("request_uri", pushed["request_uri"].as_str().unwrap())];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let code = code_of(&browser.get(bound.server(), &query));
        assert_problem(bound.exchange(&code, None), 400, None, "invalid_grant");
        json(bound.exchange(&code, Some(bound.proof().sign(&bound.key))), 200);
    }
}

#[test]
fn metadata_name_the_algorithms_of_proofs() {
    // Section 5.1; RFC 9728 section 2.
    let bound = Site::start();
    for document in ["oauth-authorization-server", "oauth-protected-resource"] {
        let url = bound.server.url(&format!("/.well-known/{document}"));
        let metadata = json(bound.server.client.get(url).send().unwrap(), 200);
        assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256", "EdDSA", "PS256", "RS256"]));
    }
}

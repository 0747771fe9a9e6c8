//! Tokens that are bound to a key (DPoP, RFC 9449), and the absolute URIs that their proofs are for.

use std::sync::atomic::{AtomicU64, Ordering};

use http::request::Builder;
use http::{Request, Response};
use tollgate::{Algorithm, Dpop, Engine, ForwardedField, TrustedProxies};
use tollgate_issuer::SigningKey;
use tollgate_tests::{Draft, NOW, ProofDraft, issuer, signing_key};
use tollgate_tower::{AuthLayer, LayerError, PeerAddress};

use crate::support::{answer, challenge, rejections};

const PROXY: &str = "10.0.0.1";
const OUTSIDE: &str = "203.0.113.5";
const ALGS: &str = r#"algs="RS256 PS256 ES256 EdDSA""#;

struct Fixture {
    client: SigningKey,
    token: String,
    layer: AuthLayer,
    proofs: AtomicU64,
}

impl Fixture {
    fn new(dpop: Dpop) -> Self {
        let (key, client) = (signing_key(Algorithm::EdDSA, 0), signing_key(Algorithm::EdDSA, 1));
        let engine = Engine::builder().issuer(issuer([&key])).dpop(dpop.started_at(0)).clock(|| NOW).build().unwrap();
        let token = Draft::new(&key).bound_to(&client).sign(&key);
        Fixture { client, token, layer: AuthLayer::new(engine), proofs: AtomicU64::new(0) }
    }

    fn draft(&self, method: &str, uri: &str) -> ProofDraft {
        let jti = self.proofs.fetch_add(1, Ordering::Relaxed).to_string();
        ProofDraft::new(&self.client, method, uri, &self.token).claim("jti", jti)
    }

    /// A request with a proof for `uri`.
    fn request(&self, path: &str, uri: &str) -> Builder {
        let proof = self.draft("GET", uri).sign(&self.client);
        Request::get(path).header("authorization", format!("DPoP {}", self.token)).header("dpop", proof)
    }
}

fn verdict(response: &Response<String>) -> (u16, String) {
    let status = response.status().as_u16();
    (status, if status == 200 { String::new() } else { challenge(response).to_owned() })
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn invalid_proof() -> (u16, String) {
    (401, format!(r#"DPoP error="invalid_dpop_proof", {ALGS}"#))
}

#[tokio::test]
async fn a51_the_uri_is_made_of_a_public_origin_and_the_path() {
    let fixture = Fixture::new(Dpop::new());
    let layer = fixture.layer.clone().public_origins(["https://api.example.com"]).unwrap();
    let uri = "https://api.example.com/sites";
    assert_eq!(verdict(&answer(&layer, fixture.request("/sites?page=2", uri)).await), ok());
    // The only origin, whatever the request says.
    let attacker = "https://attacker.example/sites";
    let forged = |uri: &str| {
        fixture.request("/sites", uri).header("host", "attacker.example").header("x-forwarded-host", "attacker.example")
    };
    assert_eq!(verdict(&answer(&layer, forged(attacker)).await), invalid_proof());
    assert_eq!(verdict(&answer(&layer, forged(uri)).await), ok());
    assert_eq!(verdict(&answer(&layer, fixture.request("/other", uri)).await), invalid_proof());
    let post = Request::post("/sites").header("authorization", format!("DPoP {}", fixture.token));
    let proof = fixture.draft("GET", uri).sign(&fixture.client);
    assert_eq!(verdict(&answer(&layer, post.header("dpop", proof)).await), invalid_proof());
    let twice = fixture.request("/sites", uri).header("dpop", fixture.draft("GET", uri).sign(&fixture.client));
    assert_eq!(verdict(&answer(&layer, twice).await), invalid_proof());
    let none = Request::get("/sites").header("authorization", format!("DPoP {}", fixture.token));
    assert_eq!(verdict(&answer(&layer, none).await).1, format!(r#"DPoP error="invalid_token", {ALGS}"#));
}

#[tokio::test]
async fn a51_without_a_public_origin_no_bound_token_is_accepted() {
    let fixture = Fixture::new(Dpop::new());
    let code = std::sync::Arc::new(std::sync::Mutex::new(""));
    let seen = code.clone();
    let layer = fixture.layer.clone().observe(rejections(move |rejection, _| *seen.lock().unwrap() = rejection.code()));
    let request = fixture.request("/sites", "https://api.example.com/sites").header("host", "api.example.com");
    assert_eq!(verdict(&answer(&layer, request).await), invalid_proof());
    assert_eq!(*code.lock().unwrap(), "uri-required");
    for origin in
        ["api.example.com", "https://api.example.com/", "https://a/b", "ftp://a", "https://u@a", "https://a:x", ""]
    {
        let error = fixture.layer.clone().public_origins([origin]).unwrap_err();
        assert_eq!(error, LayerError::InvalidOrigin { origin: origin.into() });
    }
}

#[tokio::test]
async fn a51_what_a_request_says_chooses_among_the_origins_and_makes_none() {
    let fixture = Fixture::new(Dpop::new());
    let origins = ["https://a.example", "https://b.example:8443", "http://a.example", "https://c.example"];
    let plain = fixture.layer.clone().public_origins(origins).unwrap();
    let x_forwarded = plain.clone().trusted_proxies(TrustedProxies::nameless([PROXY.parse().unwrap()]));
    let proxies = TrustedProxies::new([PROXY.parse().unwrap()], ForwardedField::Forwarded);
    let forwarded = plain.clone().trusted_proxies(proxies);
    let request = |uri: &str, peer: &str, fields: &[(&str, &str)]| {
        let request = fixture.request("/x", uri).extension(PeerAddress(peer.parse().unwrap()));
        fields.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    };
    let evil = "https://evil.example/x";
    for (layer, uri, peer, fields, good) in [
        (&plain, "https://a.example/x", OUTSIDE, &[("host", "A.example")][..], true),
        (&plain, "https://a.example/x", OUTSIDE, &[("host", "a.example:443")], true),
        (&plain, "https://b.example:8443/x", OUTSIDE, &[("host", "b.example:8443")], true),
        (&plain, "https://b.example:8443/x", OUTSIDE, &[("host", "b.example")], false),
        (&plain, evil, OUTSIDE, &[("host", "evil.example")], false),
        (&plain, "https://c.example/x", OUTSIDE, &[("host", "a.example"), ("x-forwarded-host", "c.example")], false),
        (
            &x_forwarded,
            "https://c.example/x",
            OUTSIDE,
            &[("host", "a.example"), ("x-forwarded-host", "c.example")],
            false,
        ),
        (&x_forwarded, "https://c.example/x", PROXY, &[("host", "a.example"), ("x-forwarded-host", "c.example")], true),
        (&x_forwarded, "https://c.example/x", PROXY, &[("x-forwarded-host", "evil.example, c.example")], true),
        (&x_forwarded, "http://a.example/x", PROXY, &[("host", "a.example"), ("x-forwarded-proto", "http")], true),
        (&x_forwarded, "https://a.example/x", PROXY, &[("host", "a.example"), ("x-forwarded-proto", "https")], true),
        (&x_forwarded, evil, PROXY, &[("x-forwarded-host", "evil.example")], false),
        (&x_forwarded, "https://c.example/x", PROXY, &[("host", "a.example"), ("forwarded", "host=c.example")], false),
        (
            &forwarded,
            "https://c.example/x",
            PROXY,
            &[("forwarded", "host=evil;proto=http, for=x;host=\"c.example\";proto=https")],
            true,
        ),
        (&forwarded, "https://c.example/x", PROXY, &[("host", "a.example"), ("x-forwarded-host", "c.example")], false),
    ] {
        let response = answer(layer, request(uri, peer, fields)).await;
        let expected = if good { ok() } else { invalid_proof() };
        assert_eq!(verdict(&response), expected, "{uri} {peer} {fields:?}");
    }
}

#[tokio::test]
async fn a51_a_nonce_is_sent_along_with_the_rejection() {
    let fixture = Fixture::new(Dpop::new().require_nonce());
    let layer = fixture.layer.clone().public_origins(["https://api.example.com"]).unwrap();
    let uri = "https://api.example.com/sites";
    let first = answer(&layer, fixture.request("/sites", uri)).await;
    assert_eq!(verdict(&first).1, format!(r#"DPoP error="use_dpop_nonce", {ALGS}"#));
    let nonce = first.headers()["dpop-nonce"].to_str().unwrap().to_owned();
    let proof = fixture.draft("GET", uri).claim("nonce", nonce).sign(&fixture.client);
    let again = Request::get("/sites").header("authorization", format!("DPoP {}", fixture.token)).header("dpop", proof);
    assert_eq!(verdict(&answer(&layer, again).await), ok());
}

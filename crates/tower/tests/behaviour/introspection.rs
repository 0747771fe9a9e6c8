//! Opaque tokens that their issuer reports as bound to a key or a certificate, with a [`Verifier`] and behind a
//! layer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use http::request::Builder;
use http::{Request, Response};
use serde_json::{Value, json};
use tollgate::jwt::base64url;
use tollgate::keys::sha256;
use tollgate::{Algorithm, Dpop, Engine, OpaqueIssuer};
use tollgate_issuer::SigningKey;
use tollgate_remote::{HeaderSource, Introspection, Verifier};
use tollgate_tests::{AUDIENCE, NOW, ProofDraft, signing_key};
use tollgate_tower::{AuthLayer, PeerCertificate};

use crate::support::{answer, challenge};

const URI: &str = "https://api.example.com/sites";
const ALGS: &str = r#"algs="RS256 PS256 ES256 EdDSA""#;
const DER: &[u8] = b"what nobody looks into here";

/// An introspection endpoint that gives the same answer for every token, and a layer that uses its answers.
struct World {
    verifier: Verifier,
    layer: AuthLayer<tollgate_tower::EmptyBody, Verifier>,
    asked: Arc<AtomicUsize>,
    now: Arc<AtomicI64>,
}

impl World {
    fn new(cnf: Value, dpop: Dpop) -> Self {
        let mut response = json!({ "active": true, "aud": AUDIENCE, "sub": "user-7" });
        if !cnf.is_null() {
            response["cnf"] = cnf;
        }
        let response = response.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}/introspect", listener.local_addr().unwrap());
        let (asked, now) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicI64::new(NOW)));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            for peer in listener.incoming() {
                let (mut peer, mut request, mut part) = (peer.unwrap(), Vec::new(), [0; 4096]);
                while !request.ends_with(b"access_token") {
                    let length = peer.read(&mut part).unwrap();
                    request.extend_from_slice(&part[..length]);
                }
                count.fetch_add(1, SeqCst);
                let fields = format!("Content-Type: application/json\r\nContent-Length: {}", response.len());
                let _ = write!(peer, "HTTP/1.1 200 OK\r\n{fields}\r\nConnection: close\r\n\r\n{response}");
            }
        });
        let endpoint = Introspection::at(&uri).client_secret("rs1", HeaderSource::value("secret")).start().unwrap();
        let issuer = OpaqueIssuer::new("https://as.example/").token_prefix("as_").audience(AUDIENCE);
        let (time, elapsed) = (Arc::clone(&now), Arc::clone(&now));
        let engine = Engine::builder()
            .opaque_issuer(issuer.introspector(endpoint))
            .dpop(dpop.started_at(0))
            .clock(move || time.load(SeqCst))
            .monotonic_clock(move || std::time::Duration::from_secs((elapsed.load(SeqCst) - NOW).unsigned_abs()));
        let verifier = Verifier::new(engine.build().unwrap());
        let layer = AuthLayer::with_verifier(verifier.clone()).public_origins(["https://api.example.com"]).unwrap();
        World { verifier, layer, asked, now }
    }

    fn proof(&self, client: &SigningKey, jti: &str) -> ProofDraft {
        let draft = ProofDraft::new(client, "GET", URI, "as_1").claim("jti", jti);
        draft.claim("iat", self.now.load(SeqCst))
    }

    async fn verdict(&self, request: Builder) -> (u16, String) {
        verdict(&answer(&self.layer, request).await)
    }
}

fn verdict(response: &Response<String>) -> (u16, String) {
    match response.status().as_u16() {
        200 => (200, response.body().clone()),
        status => (status, challenge(response).to_owned()),
    }
}

fn request(scheme: &str) -> Builder {
    Request::get("/sites").header("authorization", format!("{scheme} as_1"))
}

fn bound_to(client: &SigningKey) -> Value {
    json!({ "jkt": base64url::encode(client.verifying_key().thumbprint()) })
}

#[tokio::test]
async fn a51_a86_opaque_token_that_is_bound_to_a_key_needs_a_proof_by_it() {
    let [client, other] = [1, 2].map(|index| signing_key(Algorithm::ES256, index));
    let world = World::new(bound_to(&client), Dpop::new());
    let with = |scheme: &str, proof: String| request(scheme).header("dpop", proof);
    let invalid_proof = (401, format!(r#"DPoP error="invalid_dpop_proof", {ALGS}"#));
    let invalid_token = (401, format!(r#"DPoP error="invalid_token", {ALGS}"#));
    // The first request waits for the answer, and its proof is used once.
    let first = world.proof(&client, "p1").sign(&client);
    assert_eq!(world.verdict(with("DPoP", first.clone())).await, (200, "user-7".to_owned()));
    assert_eq!(world.verdict(with("DPoP", first)).await, invalid_proof);
    for (what, request, expected) in [
        ("no proof", request("DPoP"), &invalid_token),
        ("as a bearer token", request("Bearer"), &invalid_token),
        ("a proof, and a bearer token", with("Bearer", world.proof(&client, "p2").sign(&client)), &invalid_token),
        ("by another key", with("DPoP", world.proof(&other, "p3").sign(&other)), &invalid_proof),
        ("for another token", with("DPoP", world.proof(&client, "p4").claim("ath", "x").sign(&client)), &invalid_proof),
        (
            "for another method",
            with("DPoP", world.proof(&client, "p5").claim("htm", "POST").sign(&client)),
            &invalid_proof,
        ),
    ] {
        assert_eq!(world.verdict(request).await, *expected, "{what}");
    }
    assert_eq!(world.verdict(with("dpop", world.proof(&client, "p6").sign(&client))).await.0, 200);
    assert_eq!(world.asked.load(SeqCst), 1);

    // The same with the verifier itself, whose first request has an invalid proof.
    let world = World::new(bound_to(&client), Dpop::new());
    for (jti, key, is_good) in [("p1", &other, false), ("p2", &client, true)] {
        let proof = world.proof(key, jti).sign(key);
        let request = tollgate::Request::new().authorization("DPoP as_1").method("GET").uri(URI).proof(&proof);
        assert_eq!(world.verifier.verify_request(&request).await.is_ok(), is_good, "{jti}");
    }
    assert_eq!(world.asked.load(SeqCst), 1);
}

#[tokio::test]
async fn a51_a86_opaque_token_that_is_bound_to_nothing_is_no_dpop_token() {
    let client = signing_key(Algorithm::ES256, 1);
    let world = World::new(Value::Null, Dpop::new());
    let with_proof = request("DPoP").header("dpop", world.proof(&client, "p1").sign(&client));
    assert_eq!(world.verdict(with_proof).await, (401, format!(r#"DPoP error="invalid_token", {ALGS}"#)));
    assert_eq!(world.verdict(request("Bearer")).await.0, 200);
}

#[tokio::test]
async fn a52_a86_opaque_token_that_is_bound_to_a_certificate_needs_it() {
    let world = World::new(json!({ "x5t#S256": base64url::encode(sha256(DER)) }), Dpop::new());
    let with = |der: &[u8]| request("Bearer").extension(PeerCertificate::from_der(der));
    let invalid = (401, r#"Bearer error="invalid_token""#.to_owned());
    assert_eq!(world.verdict(request("Bearer")).await, invalid);
    assert_eq!(world.verdict(with(DER)).await, (200, "user-7".to_owned()));
    assert_eq!(world.verdict(with(b"another")).await, invalid);
    assert_eq!(world.asked.load(SeqCst), 1);
    let request = tollgate::Request::new().authorization("Bearer as_1");
    assert_eq!(world.verifier.verify_request(&request).await.unwrap_err().code(), "certificate-required");
    assert!(world.verifier.verify_request(&request.certificate(DER)).await.is_ok());

    // With both bindings, both are required.
    let client = signing_key(Algorithm::ES256, 1);
    let mut both = bound_to(&client);
    both["x5t#S256"] = base64url::encode(sha256(DER)).into();
    let world = World::new(both, Dpop::new());
    let proven = |jti: &str| self::request("DPoP").header("dpop", world.proof(&client, jti).sign(&client));
    assert_eq!(world.verdict(proven("p1")).await.0, 401);
    assert_eq!(world.verdict(self::request("DPoP").extension(PeerCertificate::from_der(DER))).await.0, 401);
    assert_eq!(world.verdict(proven("p2").extension(PeerCertificate::from_der(DER))).await.0, 200);
}

#[tokio::test]
async fn a51_nonce_that_will_soon_be_refused_is_renewed_with_the_response() {
    let client = signing_key(Algorithm::ES256, 1);
    let world = World::new(bound_to(&client), Dpop::new().require_nonce());
    let send = async |jti: &str, nonce: Option<&str>| {
        let proof = world.proof(&client, jti).claim("nonce", nonce.map_or(Value::Null, Value::from)).sign(&client);
        let response = answer(&world.layer, request("DPoP").header("dpop", proof)).await;
        let field = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), field("dpop-nonce"), field("cache-control"))
    };
    let (status, nonce, _) = send("p1", None).await;
    let first = nonce.unwrap();
    assert_eq!(status, 401);
    assert_eq!(send("p2", Some(&first)).await, (200, None, None));
    // In real time: until then the answer is cached.
    tokio::time::sleep(2 * tollgate_remote::limits::ANSWER_LINGER).await;
    // In the next period the nonce is still valid, and the client receives the next one, also after a wait.
    world.now.fetch_add(60, SeqCst);
    let (status, nonce, cache) = send("p3", Some(&first)).await;
    let second = nonce.unwrap();
    assert_eq!((status, cache.as_deref()), (200, Some("no-store")));
    assert_ne!(second, first);
    assert_eq!(send("p4", Some(&second)).await, (200, None, None));
    let (_, again, _) = send("p5", Some(&first)).await;
    assert_eq!(again, Some(second));
    assert_eq!(world.asked.load(SeqCst), 2);
}

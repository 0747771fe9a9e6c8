//! The nonces of the service (RFC 9449 sections 8 and 9).

use super::{Bound, CREDENTIALS, PAR, SITES, key, nonce_of, now, proof, sites};
use crate::authorize::TOKEN;
use crate::support::{TestServer, assert_problem, config, json, run_async};
use reqwest::blocking::Response;
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use serde_json::{Value, json};
use std::thread::sleep;
use std::time::Duration;
use tollgate::jwt::base64url;
use tollgate::limits::{NONCE_RENEWAL_SECONDS, NONCE_SECONDS};
use tollgate_issuer::KeyRole;
use tollgate_service::{Config, DpopNonces, KeyRotation, StoreUrl};

fn start(dpop_nonces: DpopNonces) -> Bound {
    Bound::start_at(Config { store: None, dpop_nonces, ..config() })
}

/// Section 8: 400, `use_dpop_nonce`, and a nonce.
#[track_caller]
fn assert_asks_for_a_nonce(answer: Response) -> String {
    let nonce = nonce_of(&answer).expect("a nonce");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_problem(answer, 400, None, "use_dpop_nonce");
    nonce
}

#[test]
fn a51_the_endpoints_ask_for_a_nonce_and_take_it() {
    let bound = Bound::start();
    let without = |path: &str| proof(&bound.key, "POST", &bound.server().url(path), None);
    let nonce = assert_asks_for_a_nonce(bound.token(&without(TOKEN).sign(&bound.key)));
    for wrong in [json!("unknown"), json!(""), json!(7), json!("A".repeat(32))] {
        assert_asks_for_a_nonce(bound.token(&without(TOKEN).claim("nonce", wrong).sign(&bound.key)));
    }
    let answer = bound.token(&without(TOKEN).claim("nonce", &*nonce).sign(&bound.key));
    assert_eq!(nonce_of(&answer), None, "it is good for a while");
    assert_eq!(json(answer, 200)["token_type"], "DPoP");
    // The same at the endpoint of pushed requests, and there is one nonce for all of an origin.
    let push = |proof: String| {
        let form = [("response_type", "code"), ("redirect_uri", crate::authorize::BLOG)];
        let challenge = [("code_challenge", crate::authorize::CHALLENGE), ("code_challenge_method", "S256")];
        bound.post(PAR).form(&[form, challenge].concat()).header("dpop", proof).send().unwrap()
    };
    assert_asks_for_a_nonce(push(without(PAR).sign(&bound.key)));
    json(push(without(PAR).claim("nonce", nonce).sign(&bound.key)), 201);
}

#[test]
fn a_refused_proof_without_a_nonce_costs_no_code() {
    let bound = Bound::start();
    let (_, code) = bound.site.logged_in();
    let without = proof(&bound.key, "POST", &bound.server().url(TOKEN), None);
    let nonce = assert_asks_for_a_nonce(bound.exchange(&code, Some(without.sign(&bound.key))));
    json(bound.exchange(&code, Some(without.claim("nonce", nonce).sign(&bound.key))), 200);
}

#[test]
fn with_a_nonce_the_clock_of_a_client_may_be_wrong() {
    // Section 4.3, step 11: the time of the nonce is that of the proof.
    let bound = Bound::start();
    for iat in [now() - 86_400, now() + 86_400] {
        json(bound.token(&bound.proof().claim("iat", iat).sign(&bound.key)), 200);
    }
}

#[test]
fn without_nonces_the_clock_of_a_client_has_to_be_right() {
    let bound = start(DpopNonces::Off);
    let draft = || proof(&bound.key, "POST", &bound.server().url(TOKEN), None);
    for iat in [now() - 600, now() + 600] {
        let answer = bound.token(&draft().claim("iat", iat).sign(&bound.key));
        assert_problem(answer, 400, None, "invalid_dpop_proof");
    }
    let answer = bound.token(&draft().sign(&bound.key));
    assert_eq!(nonce_of(&answer), None);
    json(answer, 200);
}

#[test]
fn a51_the_api_asks_for_a_nonce_where_that_is_configured() {
    let bound = start(DpopNonces::Everywhere);
    let (_, code) = bound.site.logged_in();
    let answer = json(bound.exchange(&code, Some(bound.proof().sign(&bound.key))), 200);
    let token = answer["access_token"].as_str().unwrap();
    let server = bound.server();
    let ask = |nonce: Value| {
        let proof = proof(&bound.key, "GET", &server.url(SITES), Some(token)).claim("nonce", nonce);
        sites(server, "DPoP", token, &proof.sign(&bound.key))
    };
    // Section 9.
    let asked = ask(Value::Null);
    let nonce = nonce_of(&asked).expect("a nonce");
    let challenge = asked.headers()["www-authenticate"].to_str().unwrap().to_owned();
    assert!(challenge.starts_with(r#"DPoP error="use_dpop_nonce""#), "{challenge}");
    assert_eq!((asked.status().as_u16(), &json(asked, 401)["error"]), (401, &"use_dpop_nonce".into()));
    json(ask(nonce.into()), 200);
    json(ask(bound.nonce().into()), 200);
    // A stranger to the token gets no further with it.
    let stranger = key();
    let by_stranger = proof(&stranger, "GET", &server.url(SITES), Some(token)).claim("nonce", bound.nonce());
    assert_eq!(sites(server, "DPoP", token, &by_stranger.sign(&stranger)).status().as_u16(), 401);
}

/// A nonce of that age, made as the service makes it of its signing key.
fn nonce_of_age(seconds: i64, store: &StoreUrl) -> String {
    let keys = run_async(async { KeyRotation::open(store, None).await.unwrap().keys().await.unwrap() });
    let signing = keys.iter().find(|published| matches!(published.role, KeyRole::Signing { .. })).unwrap();
    let mut secret = [0; 32];
    let key = Salt::new(HKDF_SHA256, b"tollgate").extract(signing.key.to_private_jwk().as_bytes());
    key.expand(&[b"DPoP nonces"], HKDF_SHA256).unwrap().fill(&mut secret).unwrap();
    let time = (now() - seconds).to_be_bytes();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), &time);
    base64url::encode([&time[..], &mac.as_ref()[..16]].concat())
}

#[test]
fn a_nonce_that_nears_its_end_is_renewed_with_a_good_answer() {
    let folder = tempfile::tempdir().unwrap();
    let bound = Bound::without_wait(Config { store: Some(folder.path().into()), ..config() });
    let store = StoreUrl::from(folder.path());
    let ask = |nonce: String| {
        let draft = proof(&bound.key, "POST", &bound.server().url(TOKEN), None);
        bound.token(&draft.claim("nonce", nonce).sign(&bound.key))
    };
    let answer = ask(nonce_of_age(NONCE_RENEWAL_SECONDS, &store));
    let next = nonce_of(&answer).expect("the next nonce");
    json(answer, 200);
    let answer = ask(next);
    assert_eq!(nonce_of(&answer), None);
    json(answer, 200);
    assert_asks_for_a_nonce(ask(nonce_of_age(NONCE_SECONDS, &store)));
}

#[test]
fn a51_a_nonce_of_one_process_is_good_at_the_others_also_through_a_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        store: Some(folder.path().into()),
        base_url: Some("https://auth.example.com".to_owned()),
        upkeep_interval: Duration::from_millis(100),
        ..config()
    };
    let bound = Bound::without_wait(config());
    let (id, secret) = bound.site.blog();
    let ask = |server: &TestServer, nonce: Value| {
        let proof = proof(&bound.key, "POST", &format!("https://auth.example.com{TOKEN}"), None).claim("nonce", nonce);
        let request = server.client.post(format!("http://{}{TOKEN}", server.address)).basic_auth(id, Some(secret));
        request.form(&CREDENTIALS).header("dpop", proof.sign(&bound.key)).send().unwrap()
    };
    let other = TestServer::start_with(config());
    let nonce = assert_asks_for_a_nonce(ask(bound.server(), Value::Null));
    json(ask(&other, nonce.clone().into()), 200);
    let signing_key = |server: &TestServer| {
        let url = format!("http://{}/.well-known/jwks.json", server.address);
        json(server.client.get(url).send().unwrap(), 200)["keys"][0]["kid"].clone()
    };
    let (first, store) = (signing_key(&other), StoreUrl::from(folder.path()));
    run_async(async { KeyRotation::open(&store, None).await.unwrap().rotate_at_once().await.unwrap() });
    for server in [bound.server(), &other] {
        while signing_key(server) == first {
            sleep(Duration::from_millis(20));
        }
    }
    // The secrets come right after the keys.
    sleep(Duration::from_millis(200));
    let next = assert_asks_for_a_nonce(ask(bound.server(), Value::Null));
    for server in [bound.server(), &other] {
        json(ask(server, nonce.clone().into()), 200);
        json(ask(server, next.clone().into()), 200);
    }
}
